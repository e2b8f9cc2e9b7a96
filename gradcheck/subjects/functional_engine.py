"""Engines that transform functions: from `f` and a point to the value and a function of cotangents."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from gradcheck.dtypes import Array, is_differentiable
from gradcheck.engines import Failure, Outcome, Request
from gradcheck.subjects.answers import Total, require
from gradcheck.subjects.arrays import checked, to_array
from gradcheck.subjects.findings import Lacking, Raised, failure
from gradcheck.subjects.forward import fixed_values, forward, moving
from gradcheck.subjects.vocabulary import Function, Vocabulary, check

Pullback = Callable[[Sequence[Any]], Sequence[Any]]
Vjp = Callable[[Callable[..., list[Any]], Sequence[Any]], tuple[Sequence[Any], Pullback]]


@dataclass(frozen=True, eq=False, kw_only=True)
class FunctionalEngine:
    """An engine with a transformation of functions, such as `jax.vjp`.

    `vjp(function, point)` gives what the function, from arrays to a list of arrays, gives at the point, and a pullback
    from one cotangent per output to one gradient per argument.
    """

    vjp: Vjp
    functions: Mapping[str, Function] = field(default_factory=dict)
    """The engine's functions by TensorFlow's names; see `Vocabulary` for how they are called."""
    tensor: Callable[[Array], Any] = np.asarray
    """Makes the engine's kind of array."""
    array: Callable[[Any], Any] = to_array
    twice: bool = True
    """Whether a pullback can itself be differentiated."""
    name: str = ""
    conventions: Mapping[str, str] = field(default_factory=dict)
    """Where the engine differs from TensorFlow by choice: by operation, in words."""
    dtypes: Sequence[str] | None = None
    """The floating and complex dtypes that it has, by name; all if left out."""

    def __post_init__(self) -> None:
        check(self.functions)

    @cached_property
    def vocabulary(self) -> Vocabulary:
        return Vocabulary(self.functions, self.tensor)

    def run(self, request: Request) -> Outcome | Failure:
        """The outcome of `request`."""
        try:
            return self._run(request)
        except Exception as error:  # the engine is a stranger: whatever it raises is a finding
            return failure(error)

    def _run(self, request: Request) -> Outcome:
        require(request, self.dtypes, twice=self.twice)
        program = request.program
        targets = [index for index in program.outputs if index is not None]
        reached = moving(program)
        followed = [index for index in targets if index in reached and is_differentiable(program.types[index].dtype)]
        fixed = fixed_values(program, request.inputs)
        others: dict[int, Any] = {}

        def function(*sources: Any) -> list[Any]:
            values = self._forward(request, sources)
            others.update({index: values[index] for index in targets if index in values and index not in followed})
            return [values[index] for index in followed]

        point = [self.tensor(request.inputs[name].copy()) for name in request.sources]
        sets: list[tuple[Array | None, ...]] = []
        values: dict[int, Any] = {}
        for cotangents in request.cotangents:
            pairs = dict(zip(targets, cotangents, strict=True))
            found, gradients = self._pulled(request, function, point, [pairs[index] for index in followed], followed)
            values = dict(zip(followed, found, strict=True)) | others
            total = Total(request)
            total.add(gradients)
            sets.append(total.gradients)
        outputs = tuple(
            checked(self.array(values[index]), program.types[index], "its output") if index in values else fixed[index]
            for index in targets
        )
        return Outcome(outputs, tuple(sets))

    def _forward(self, request: Request, sources: Sequence[Any]) -> dict[int, Any]:
        program = request.program
        tensors = dict(zip(request.sources, sources, strict=True))
        for name, index in program.inputs.items():
            if is_differentiable(program.types[index].dtype) and name not in tensors:
                tensors[name] = self.tensor(request.inputs[name].copy())
        return forward(program, request.inputs, tensors, self.vocabulary.apply)

    def _pulled(
        self,
        request: Request,
        function: Callable[..., list[Any]],
        point: Sequence[Any],
        cotangents: Sequence[Array | None],
        followed: Sequence[int],
    ) -> tuple[Sequence[Any], Sequence[Any | None]]:
        """The followed outputs, and the gradients, or those of the gradients, under one set of cotangents."""
        types = [request.program.types[index] for index in followed]
        weights = [
            self.tensor(np.ones(type_.shape, type_.dtype) if each is None else each.copy())
            for type_, each in zip(types, cotangents, strict=True)
        ]
        if not followed:
            function(*point)
            return [], [None] * len(point)
        outputs, pullback = self.vjp(function, point)
        if request.directions is None:
            return outputs, _back(pullback, weights)
        wanted = [position for position, each in enumerate(request.directions) if each is not None]
        given = [self.tensor(each.copy()) for each in request.directions if each is not None]

        def gradients(*sources: Any) -> list[Any]:
            found = _back(self.vjp(function, sources)[1], weights)
            return [found[position] for position in wanted]

        _, second = self.vjp(gradients, point)
        return outputs, _back(second, given)


def _back(pullback: Pullback, cotangents: Sequence[Any]) -> Sequence[Any | None]:
    try:
        return pullback(cotangents)
    except NotImplementedError as error:
        raise Lacking(f"its backward pass: {error or 'not implemented'}") from error
    except Exception as error:
        raise Raised("the backward pass") from error
