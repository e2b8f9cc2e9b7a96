"""What an engine gets wrong whatever the operation: it shows in programs of a line or two."""

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck.dtypes import Array, DType
from gradcheck.engine.tracing import trace
from gradcheck.engines import Engine, Outcome, Request


def merged(request: Request, subject: Engine) -> str | None:
    """In words, which values of a case the subject takes for one because their numbers are equal; None if it does not.

    Where the same node stands for `x` and `y`, `x - y` has no gradient; with other numbers for `y` it has.
    """
    program = request.program
    for name in request.sources:
        value = request.inputs[name]
        others = [each for each in request.inputs if each != name and _same(value, request.inputs[each])]
        constants = [each for each in program.constants.values() if _same(value, each)]
        if others and _merges(subject, value):
            return f"it takes `{name}` and `{others[0]}` for one value, because their numbers are equal"
        if constants and _merges_constant(subject, value):
            return f"it takes `{name}` for the constant of the same numbers in the expression"
    return None


def unreached(subject: Engine, dtype: DType) -> bool:
    """Whether the subject says "not connected" of whatever it is fed, in a sum as in a product."""
    programs: list[Callable[..., Any]] = [lambda x, y: x + y, lambda x, y: x * y]
    found = [each for program in programs for each in _slopes(subject, program, x=dtype.type(2), y=dtype.type(3))]
    return bool(found) and all(each is None for each in found)


def early(subject: Engine, dtype: DType) -> str | None:
    """In words, that a value hands on its gradient before all of it has arrived; None if it does not.

    Where `a` is read directly and behind another operation, a walk that is no topological order comes to it too early.
    """

    def twice(x: Any, y: Any) -> Any:
        a = x + y
        return a + (a + y)

    found = _slopes(subject, twice, x=dtype.type(2), y=dtype.type(3))
    (alone, *_) = (*_slopes(subject, lambda x, y: x + y, x=dtype.type(2), y=dtype.type(3)), None)
    if len(found) != 2 or found[0] is None or alone is None or alone != 1 or found[0] == 2:
        return None
    return (
        "in its walk a value hands on its gradient before all of it has arrived; "
        f"with `a = x + y` it says that the gradient of `a + (a + y)` with respect to `x` is {found[0].item():g}, not 2"
    )


def _merges(subject: Engine, value: Array) -> bool:
    equal = _slopes(subject, lambda x, y: x - y, x=value, y=value)
    other = _slopes(subject, lambda x, y: x - y, x=value, y=value + value.dtype.type(1))
    return _are(equal, 0, 0) and _are(other, 1, -1)


def _merges_constant(subject: Engine, value: Array) -> bool:
    equal = _slopes(subject, lambda x: x - value, x=value)
    other = _slopes(subject, lambda x: x - (value + value.dtype.type(1)), x=value)
    return _are(equal, 0) and _are(other, 1)


def _slopes(subject: Engine, function: Callable[..., Any], **inputs: Any) -> list[Array | None]:
    """The gradients that the subject gives for a small function of all its inputs; none if it does not run it."""
    arrays = {name: np.asarray(each) for name, each in inputs.items()}
    request = Request(trace(function, arrays), arrays, tuple(arrays), ((None,),))
    outcome = subject.run(request)
    return list(outcome.gradients[0]) if isinstance(outcome, Outcome) else []


def _are(found: list[Array | None], *wanted: int) -> bool:
    return len(found) == len(wanted) and all(_is(each, number) for each, number in zip(found, wanted, strict=True))


def _is(found: Array | None, number: int) -> bool:
    return found is not None and bool(np.all(found == number))


def _same(one: Array, other: Array) -> bool:
    return (one.dtype, one.shape, one.tobytes()) == (other.dtype, other.shape, other.tobytes())
