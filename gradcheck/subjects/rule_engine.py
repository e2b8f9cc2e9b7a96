"""A function with a hand-written backward as an engine: NumPy in, NumPy out."""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from inspect import Parameter
from typing import Any

import numpy as np

from gradcheck.dtypes import Array, is_differentiable
from gradcheck.engines import Cotangents, Failure, Outcome, Request
from gradcheck.subjects.answers import Total
from gradcheck.subjects.arrays import Lent, Unusable, checked, described
from gradcheck.subjects.findings import Lacking, Raised, failure

_SPREAD = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)


@dataclass(frozen=True, eq=False, kw_only=True)
class RuleEngine:
    """`forward(x, w)` and `backward(x, w, dy)`, for cases whose expression says the same in TensorFlow.

    The parameters of `forward` are inputs of the case, by name; one with a default may be missing from the case, and
    a nested input is a list. `forward` gives an array, or a tuple of them for a case with several targets.

    `backward` is given by name what it calls as `forward` does, any of it in any order, and for its other parameters
    one cotangent for each floating or complex target. It gives one gradient for each parameter of `forward`, in that
    order or in a dictionary by name, None for one that is not connected; integer and boolean inputs, and those that
    are not differentiated, may be left out. Complex gradients follow TensorFlow: the cotangent times the conjugate of
    the derivative, so that a gradient points where a real loss grows.
    """

    forward: Callable[..., Any]
    backward: Callable[..., Any]
    name: str = ""
    conventions: Mapping[str, str] = field(default_factory=dict)
    """Where the function differs from TensorFlow by choice: by operation, in words."""

    @cached_property
    def _forward(self) -> list[Parameter]:
        return _parameters(self.forward, "forward")

    def run(self, request: Request) -> Outcome | Failure:
        """The outcome of `request`; `unsupported` for a case that does not have the function's inputs."""
        try:
            return self._run(request)
        except Exception as error:  # the functions are a stranger's: whatever they raise is a finding
            return failure(error)

    def _run(self, request: Request) -> Outcome:
        if request.directions is not None:
            raise Lacking("it has no second derivatives")
        if any(each.span is None for each in request.program.instructions):  # a part of a case, or a probe
            raise Lacking("it runs the expressions of whole cases, no other programs")
        given = _by_name(request)
        missing = [each for each in self._forward if each.name not in given and each.default is Parameter.empty]
        if missing:
            names = ", ".join(given)
            raise Lacking(f"{_usage('forward', self._forward)} is for other cases: this one has the inputs {names}")
        lent = Lent()
        outputs = self._outputs(request, lent)
        gradients = tuple(self._gradients(request, each, lent) for each in request.cotangents)
        return Outcome(outputs, gradients, lent.remarks())

    @staticmethod
    def _arguments(
        request: Request, parameters: Sequence[Parameter], lent: Lent, others: Mapping[str, Any] | None = None
    ) -> tuple[list[Any], dict[str, Any]]:
        """Fresh copies of the inputs for these parameters, with what is given for the `others`."""
        inputs = _by_name(request)
        positional: list[Any] = []
        named: dict[str, Any] = {}
        for each in parameters:
            if others is not None and each.name in others:
                value = others[each.name]
            elif each.name in inputs:
                names = inputs[each.name]
                copies = [lent.lend(request.inputs[name], f"its input `{name}`") for name in names]
                value = copies[0] if names == [each.name] else copies
            elif each.kind is Parameter.POSITIONAL_ONLY:
                value = each.default
            else:
                continue
            if each.kind is Parameter.POSITIONAL_ONLY:
                positional.append(value)
            else:
                named[each.name] = value
        return positional, named

    def _outputs(self, request: Request, lent: Lent) -> tuple[Array | None, ...]:
        program = request.program
        targets = [index for index in program.outputs if index is not None]
        positional, named = self._arguments(request, self._forward, lent)
        try:
            result = self.forward(*positional, **named)
        except Exception as error:
            raise Raised("forward") from error
        several = isinstance(result, tuple) or (isinstance(result, list) and len(targets) != 1)
        results = result if several else [result]
        if len(results) != len(targets):
            wanted = "1 target" if len(targets) == 1 else f"{len(targets)} targets"
            raise Unusable(f"forward gives {_count(result)} where the case has {wanted}")
        found = iter(results)
        return tuple(
            None if index is None else checked(next(found), program.types[index], "what forward gives")
            for index in program.outputs
        )

    def _gradients(self, request: Request, cotangents: Cotangents, lent: Lent) -> tuple[Array | None, ...]:
        types = [None if index is None else request.program.types[index] for index in request.program.outputs]
        given = [
            lent.lend(np.ones(type_.shape, type_.dtype) if each is None else each, "the cotangent that it is given")
            for type_, each in zip(types, cotangents, strict=True)
            if type_ is not None and is_differentiable(type_.dtype)
        ]
        positional, named = self._call_of_backward(request, given, lent)
        try:
            result = self.backward(*positional, **named)
        except Exception as error:
            raise Raised("backward") from error
        found = dict(self._named(request, result))
        total = Total(request)
        total.add([found.get(name) for name in request.sources])
        return total.gradients

    def _call_of_backward(
        self, request: Request, cotangents: Sequence[Array], lent: Lent
    ) -> tuple[list[Any], dict[str, Any]]:
        """The arguments of `backward`: by name, or, where it names nothing as `forward` does, in order."""
        parameters = _parameters(self.backward, "backward")
        known = {each.name for each in self._forward}
        own = [each for each in parameters if each.name not in known]
        needed = [each for each in own if each.default is Parameter.empty]
        for each in (needed, own):
            if len(each) == len(cotangents):
                others = {one.name: cotangent for one, cotangent in zip(each, cotangents, strict=True)}
                return self._arguments(request, parameters, lent, others)
        first, then = self._arguments(request, self._forward, lent)
        in_order = [*first, *then.values(), *cotangents]
        required = [each for each in parameters if each.default is Parameter.empty]
        if len(in_order) in (len(required), len(parameters)):
            return in_order, {}
        names = " and ".join(f"`{each.name}`" for each in needed) or "nothing"
        count = f"{len(cotangents)} cotangent{'' if len(cotangents) == 1 else 's'}"
        raise Unusable(
            f"{_usage('backward', parameters)} takes {names} besides the inputs of "
            f"{_usage('forward', self._forward)}, where {count} belong{'s' if len(cotangents) == 1 else ''}"
        )

    def _named(self, request: Request, result: Any) -> Iterator[tuple[str, Any]]:
        """The gradients that `backward` gives, by the names of the case's inputs."""
        inputs = _by_name(request)
        present = [each.name for each in self._forward if each.name in inputs]
        for name, gradient in _by_parameter(request, present, result).items():
            names = inputs[name]
            if names == [name] or gradient is None:
                yield name, gradient
            elif not isinstance(gradient, (list, tuple)) or len(gradient) != len(names):
                raise Unusable(f"backward gives {_count(gradient)} for `{name}`, which has {len(names)} tensors")
            else:
                yield from zip(names, gradient, strict=True)


def _by_parameter(request: Request, present: Sequence[str], result: Any) -> dict[str, Any]:
    """What `backward` gives, by the parameters of `forward` that the case has."""
    if isinstance(result, Mapping):
        unknown = [each for each in result if each not in present]
        if unknown:
            raise Unusable(f"backward gives a gradient for {unknown[0]!r}, which is no parameter of forward")
        return dict(result)
    inputs = _by_name(request)
    inexact = [name for name in present if all(is_differentiable(request.inputs[one].dtype) for one in inputs[name])]
    wanted = [name for name in present if not set(inputs[name]).isdisjoint(request.sources)]
    choices = (present, inexact, wanted)
    several = isinstance(result, (list, tuple))
    for names in choices:
        if several and len(result) == len(names):
            return dict(zip(names, result, strict=True))
    for names in choices:
        if len(names) == 1 and (not several or inputs[names[0]] != [names[0]]):
            return {names[0]: result}
    raise Unusable(f"backward gives {_count(result)} where gradients for {', '.join(inexact)} belong")


def _parameters(function: Callable[..., Any], called: str) -> list[Parameter]:
    """The parameters of a user's function, which have to have names."""
    try:
        found = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        raise Unusable(f"{called} does not say what parameters it has") from None
    spread = [each for each in found if each.kind in _SPREAD]
    if spread:
        raise Unusable(f"{_usage(called, found)} does not name its inputs: write them out instead of `{spread[0]}`")
    return found


def _by_name(request: Request) -> dict[str, list[str]]:
    """The case's inputs: for each the names of its tensors in the program, `x[0]` and `x[1]` for a nested `x`."""
    found: dict[str, list[str]] = {}
    for name in request.inputs:
        found.setdefault(name.partition("[")[0], []).append(name)
    return found


def _usage(called: str, parameters: Sequence[Parameter]) -> str:
    """A function as it is called: `forward(x, w)`."""
    return f"{called}({', '.join(str(each.replace(annotation=Parameter.empty)) for each in parameters)})"


def _count(result: Any) -> str:
    """How many things were given, or what else."""
    if isinstance(result, (np.ndarray, np.generic)):
        return "1 array"
    if not isinstance(result, (list, tuple)):
        return described(result)
    return f"{len(result)} array{'' if len(result) == 1 else 's'}"
