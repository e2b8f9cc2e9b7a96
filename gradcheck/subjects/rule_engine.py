"""A function with a hand-written backward as an engine: NumPy in, NumPy out."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from gradcheck.dtypes import is_differentiable
from gradcheck.engines import Cotangents, Failure, Outcome, Request
from gradcheck.program import Array
from gradcheck.subjects.answers import Total, exactly, require
from gradcheck.subjects.arrays import Unusable, checked
from gradcheck.subjects.findings import Lacking, Raised, failure


@dataclass(frozen=True, eq=False, kw_only=True)
class RuleEngine:
    """`forward(x, w)` and `backward(x, w, dy)`, for cases whose expression says the same in TensorFlow.

    The parameters of `forward` are inputs of the case, by name. `backward` takes the same and then one cotangent per
    output; it gives one gradient per parameter of `forward`, in that order or in a dictionary by name, None for one
    that is not connected.
    """

    forward: Callable[..., Any]
    backward: Callable[..., Any]
    name: str = ""
    conventions: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def parameters(self) -> list[str]:
        return list(inspect.signature(self.forward).parameters)

    def run(self, request: Request) -> Outcome | Failure:
        """The outcome of `request`; `unsupported` for a case that does not have the function's inputs."""
        try:
            return self._run(request)
        except Exception as error:  # the functions are a stranger's: whatever they raise is a finding
            return failure(error)

    def _run(self, request: Request) -> Outcome:
        require(request, None, twice=False)
        missing = [name for name in self.parameters if name not in request.inputs]
        if missing:
            names = ", ".join(request.inputs)
            raise Lacking(f"forward({', '.join(self.parameters)}) is for other cases: this one has the inputs {names}")
        outputs = self._outputs(request)
        return Outcome(outputs, tuple(self._gradients(request, outputs, each) for each in request.cotangents))

    def _arguments(self, request: Request) -> list[Array]:
        return [request.inputs[name].copy() for name in self.parameters]

    def _outputs(self, request: Request) -> tuple[Array, ...]:
        program = request.program
        targets = [index for index in program.outputs if index is not None]
        try:
            result = self.forward(*self._arguments(request))
        except Exception as error:
            raise Raised("forward") from error
        results = exactly(result, len(targets))
        return tuple(
            checked(each, program.types[index], "what forward gives")
            for each, index in zip(results, targets, strict=True)
        )

    def _gradients(
        self, request: Request, outputs: tuple[Array, ...], cotangents: Cotangents
    ) -> tuple[Array | None, ...]:
        given = [
            np.ones_like(output) if each is None else each.copy()
            for output, each in zip(outputs, cotangents, strict=True)
            if is_differentiable(output.dtype)
        ]
        try:
            result = self.backward(*self._arguments(request), *given)
        except Exception as error:
            raise Raised("backward") from error
        found = self._by_name(result)
        total = Total(request)
        total.add([found.get(name) for name in request.sources])
        return total.gradients

    def _by_name(self, result: Any) -> dict[str, Any]:
        if isinstance(result, Mapping):
            unknown = [each for each in result if each not in self.parameters]
            if unknown:
                raise Unusable(f"backward gives a gradient for {unknown[0]!r}, which is no parameter of forward")
            return dict(result)
        return dict(zip(self.parameters, exactly(result, len(self.parameters)), strict=True))
