"""Engines with a tensor class of their own, which records what is done to its tensors."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from gradcheck.dtypes import Array, is_differentiable
from gradcheck.engines import Cotangents, Failure, Outcome, Request
from gradcheck.subjects.answers import Total, exactly, require
from gradcheck.subjects.arrays import Lent, Unusable, checked, to_array
from gradcheck.subjects.findings import Raised, failure
from gradcheck.subjects.forward import fixed_values, forward
from gradcheck.subjects.vocabulary import Function, Step, Vocabulary, check

Gradients = Callable[..., Sequence[Any]]


@dataclass(frozen=True, eq=False, kw_only=True)
class TensorEngine:
    """An engine whose tensors remember how they were made.

        engine = TensorEngine(variable=Tensor, functions={"tf.exp": Tensor.exp, "tf.reduce_sum": Tensor.sum})

    is all that an engine needs whose tensors have the usual operators, a `backward()` that fills `.grad`, and their
    numbers in `.data`. Operators and slices need no entry in `functions`: they are done by Python's operator methods.
    """

    variable: Callable[[Array], Any]
    """Makes a tensor from an array; gradients are wanted for it."""
    functions: Mapping[str, Function] = field(default_factory=dict)
    """The engine's functions, or names of methods, by TensorFlow's names; see `Vocabulary` for how they are called."""
    constant: Callable[[Array], Any] | None = None
    """Makes a tensor that no gradient is wanted for; as `variable` does if it is left out."""
    array: Callable[[Any], Any] = to_array
    """The numbers of a tensor."""
    gradients: Gradients | None = None
    """`gradients(target, sources)` or `gradients(target, sources, cotangent)`: one gradient per source, None for one
    that is not connected. Left out, `target.backward()` is called, with the cotangent if it takes an argument, and
    fills `source.grad`. Where no cotangent is taken the target is multiplied by it first."""
    backward: str = "backward"
    grad: str = "grad"
    twice: bool = False
    """Whether gradients are tensors that can be differentiated again."""
    name: str = ""
    conventions: Mapping[str, str] = field(default_factory=dict)
    """Where the engine differs from TensorFlow by choice: by operation, in words. `unconnected` is one, too."""
    dtypes: Sequence[str] | None = None
    """The floating and complex dtypes that it has, by name; all if left out."""

    def __post_init__(self) -> None:
        check(self.functions)

    @cached_property
    def vocabulary(self) -> Vocabulary:
        return Vocabulary(self.functions, self.constant or self.variable)

    def run(self, request: Request) -> Outcome | Failure:
        """The outcome of `request`; every set of cotangents and every target gets a forward pass of its own."""
        try:
            return self._run(request)
        except Exception as error:  # the engine is a stranger: whatever it raises is a finding
            return failure(error)

    def _run(self, request: Request) -> Outcome:
        require(request, self.dtypes, twice=self.twice)
        lent = Lent()
        runs = [self._under(request, cotangents, lent) for cotangents in request.cotangents]
        return Outcome(runs[0][0], tuple(gradients for _, gradients in runs), lent.remarks())

    def _under(
        self, request: Request, cotangents: Cotangents, lent: Lent
    ) -> tuple[tuple[Array, ...], tuple[Array | None, ...]]:
        """Outputs and gradients under one set of cotangents, each target differentiated by itself."""
        program = request.program
        targets = [index for index in program.outputs if index is not None]
        outputs: list[Array] = []
        total = Total(request)
        for index, cotangent in zip(targets, cotangents, strict=True):
            sources, values = self.recorded(request, lent, self.vocabulary.apply)
            if index not in values:
                outputs.append(fixed_values(program, request.inputs)[index])
                continue
            outputs.append(checked(self.array(values[index]), program.types[index], "its output"))
            if is_differentiable(program.types[index].dtype):
                given = None if cotangent is None else np.asarray(cotangent)
                found = self.differentiated(values[index], sources, given)
                if request.directions is None:
                    total.add([None if each is None else self.array(each) for each in found])
                else:
                    total.add(self._again(found, sources, request.directions))
        return tuple(outputs), total.gradients

    def recorded(self, request: Request, lent: Lent, apply: Callable[[Step], Any]) -> tuple[list[Any], dict[int, Any]]:
        """The sources as tensors, and all values by index; `apply` carries out one instruction."""
        program = request.program
        tensors: dict[str, Any] = {}
        for name, index in program.inputs.items():
            if is_differentiable(program.types[index].dtype):
                make = self.variable if name in request.sources else self.vocabulary.constant
                tensors[name] = make(lent.lend(request.inputs[name], f"its input `{name}`"))
        values = forward(program, request.inputs, tensors, apply)
        return [tensors[name] for name in request.sources], values

    def _again(
        self, first: Sequence[Any], sources: Sequence[Any], directions: tuple[Array | None, ...]
    ) -> Sequence[Array | None]:
        """The gradients of the gradients `first`, one at a time by the engine's own walk, summed as arrays."""
        sums: list[Array | None] = [None] * len(sources)
        for gradient, direction in zip(first, directions, strict=True):
            if gradient is None or direction is None:
                continue
            for position, part in enumerate(self.differentiated(gradient, sources, direction)):
                if part is not None:
                    array = np.asarray(self.array(part))
                    sums[position] = array if sums[position] is None else sums[position] + array
        return sums

    def differentiated(self, target: Any, sources: Sequence[Any], cotangent: Array | None) -> Sequence[Any | None]:
        """What the engine itself says of one target, as its own tensors; `Raised` has what it raises."""
        try:
            given: list[Any] = []
            if cotangent is not None and self._weighs:  # TensorFlow's rule of `*` conjugates what it multiplies with
                target = target * self.vocabulary.constant(np.conj(cotangent))
            elif cotangent is not None:
                given = [cotangent if self._bare else self.vocabulary.constant(cotangent)]
            if self.gradients is not None:
                found = self.gradients(target, sources, *(given or ([] if self._weighs else [None])))
                return exactly(found, len(sources))
            method = getattr(target, self.backward, None)
            if method is None:
                return [None] * len(sources)  # no tensor came out: nothing that was recorded led here
            if not given and _requires(method):
                ones = np.ones_like(np.asarray(self.array(target)))
                given = [ones if self._bare else self.vocabulary.constant(ones)]
            method(*given)
            return [getattr(each, self.grad, None) for each in sources]
        except Unusable:
            raise
        except (Exception, SystemExit) as error:
            raise Raised("the backward pass") from error

    @cached_property
    def _weighs(self) -> bool:
        """Whether cotangents can only be brought in by multiplying the target with them."""
        if self.gradients is not None:
            return _positional(self.gradients) < 3
        method = getattr(self.variable(np.ones(1)), self.backward, None)
        return method is None or _positional(method) < 1

    @cached_property
    def _bare(self) -> bool:
        """Whether `backward` fills `.grad` with arrays, and so takes one, rather than tensors."""
        if self.gradients is not None:
            return False
        trial = self.variable(np.ones(()))
        try:
            method = getattr(trial, self.backward)
            method(*([np.ones(())] if _requires(method) else []))
        except Exception:  # some engines refuse what no operation has made
            return False
        return isinstance(getattr(trial, self.grad, None), (np.ndarray, np.generic))


def _requires(function: Callable[..., Any]) -> bool:
    """Whether a function cannot be called without an argument."""
    try:
        inspect.signature(function).bind()
    except TypeError:
        return True
    except ValueError:  # written in C
        return False
    return False


def _positional(function: Callable[..., Any]) -> int:
    """How many arguments a function takes by position."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return 1
    if any(each.kind is each.VAR_POSITIONAL for each in parameters):
        return 99
    return sum(each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD) for each in parameters)
