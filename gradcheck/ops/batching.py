"""How operations are carried out for many rows at once, with one more axis in front of what differs between the rows.

An operation declares one of these rules as its `batching`; `gradcheck.engine.vectorize` applies them.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from gradcheck.program import TensorType


class Call(NamedTuple):
    """An operation as it is for one row; its operands that are tensors, in one row, and its results."""

    rows: int
    varied: tuple[bool, ...]
    """For each operand whether it differs between the rows."""
    inputs: tuple[TensorType, ...]
    outputs: tuple[TensorType, ...]


class Layout(NamedTuple):
    """The same operation for all rows at once."""

    attributes: Mapping[str, Any]
    inputs: tuple[int | None, ...]
    """For each operand where the axis of the rows goes; None for one that is the same for all rows and stays so."""
    output: int = 0
    """Where the axis of the rows is in the results."""
    ndim: int = 0
    """Operands that differ get axes of size 1 behind that of the rows, until one row has as many axes."""


Batching = Callable[..., Layout | None]
"""`batching(call, **attributes)`; None where the operation has to be carried out row by row after all."""

ROWS: Final = object()
"""The number of rows, as an entry of `prefixed`."""


def aligned(call: Call, **attributes: Any) -> Layout:
    """Operands broadcast, or there is one alone: all axes are counted from the last one."""
    ndim = max(each.ndim for each in call.inputs)
    return Layout(attributes, tuple(0 if each else None for each in call.varied), ndim=ndim)


def repeated(call: Call, **attributes: Any) -> Layout:
    """Operands have the same leading axes and do not broadcast: what is the same for all rows is repeated."""
    return Layout(attributes, (0,) * len(call.inputs))


def along(*names: str) -> Batching:
    """The attributes of these names are axes, counted from the front, which move by one."""

    def batching(call: Call, **attributes: Any) -> Layout:
        moved = {name: _next(attributes[name]) for name in names}
        return repeated(call, **{**attributes, **moved})

    return batching


def _next(axis: int | tuple[int, ...]) -> int | tuple[int, ...]:
    return axis + 1 if isinstance(axis, int) else tuple(each + 1 for each in axis)


def prefixed(**first: Any) -> Batching:
    """The attributes of these names have an entry for each axis; here is that of the axis of the rows."""

    def batching(call: Call, **attributes: Any) -> Layout:
        longer = {name: (call.rows if entry is ROWS else entry, *attributes[name]) for name, entry in first.items()}
        return Layout({**attributes, **longer}, (0,) * len(call.inputs))

    return batching
