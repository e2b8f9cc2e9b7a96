"""Which usual slip explains a wrong value, rather than a wrong gradient, of arithmetic on two operands."""

from collections.abc import Iterator, Sequence

import numpy as np

from gradcheck.dtypes import Array
from gradcheck.engine.evaluate import evaluate
from gradcheck.engine.tracing import trace
from gradcheck.ops.declaration import Op, find_op
from gradcheck.ops.operators import BINARY
from gradcheck.verdict.slips.scene import Slip

ARITHMETIC = [find_op(each.op) for each in BINARY if each.on_bool is None]


def explain_value(op: Op, operands: Sequence[Array], found: Array, allowed: Array) -> Slip | None:
    """What was done to the operands instead, as when `__rsub__` adds; None if nothing usual, or more than one thing.

    `allowed` is the difference that rounding explains, for each element of the right value.
    """
    if op not in ARITHMETIC or len(operands) != 2:
        return None
    with np.errstate(all="ignore"):
        fitting = [slip for slip, value in _guesses(op, operands) if _close(found, value, allowed)]
    return fitting[0] if len(fitting) == 1 else None


def _guesses(op: Op, operands: Sequence[Array]) -> Iterator[tuple[Slip, Array]]:
    x, y = operands
    if (value := _value(op, y, x)) is not None:
        yield Slip("exchanged-operands", "is computed with the two operands exchanged"), value
    for other in ARITHMETIC:
        if other is not op and (value := _value(other, x, y)) is not None:
            yield Slip("other-operation", f"is that of `{other.name}`"), value


def _value(op: Op, x: Array, y: Array) -> Array | None:
    try:
        inputs = {"x": x, "y": y}
        return evaluate(trace(lambda x, y: op(x, y), inputs), inputs)[0]
    except Exception:  # another operation need not be defined for these
        return None


def _close(found: Array, value: Array, allowed: Array) -> bool:
    return found.shape == value.shape == allowed.shape and bool(np.all(np.abs(found - value) <= allowed))
