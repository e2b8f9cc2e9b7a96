"""Python's `x[...]`, `len(x)` and `for row in x` on tensors."""

from __future__ import annotations

from collections.abc import Iterator
from numbers import Integral
from typing import Any

import numpy as np

from gradcheck.dtypes import BOOL, DTYPES, INT32, INT64
from gradcheck.ops.arrays.indexing import MASKS
from gradcheck.ops.calling import numbers, static
from gradcheck.ops.declaration import OpError
from gradcheck.ops.vocabulary import tf
from gradcheck.tensors import Tensor, Value

POSITIONS = (DTYPES["int16"], INT32, INT64)
"""The dtypes of a tensor that can stand in `x[...]`."""

REFUSED = "a tensor's index is made of integers, slices, `...`, `tf.newaxis` and scalar integer tensors"


def getitem(x: Tensor, key: Any) -> Tensor:
    """`x[key]` with TensorFlow's rules: as `tf.strided_slice`, or `tf.boolean_mask` for a boolean tensor.

    A list counts as a tuple; lists in a tuple are places to be taken together, as NumPy's behaviour has it. A scalar
    integer tensor whose number is not known yet is taken by `tf.gather`.
    Raises `OpError` for what TensorFlow refuses.
    """
    if isinstance(key, bool) or (isinstance(key, (Tensor, np.ndarray)) and key.dtype == BOOL):
        masked: Tensor = tf.boolean_mask(x, key)
        return masked
    if isinstance(key, tuple) and any(isinstance(each, list) for each in key):
        return _taken_together(x, key)
    entries = list(key) if isinstance(key, (tuple, list)) else [key]
    begin, end, strides = ([0] * len(entries), [0] * len(entries), [1] * len(entries))
    masks = dict.fromkeys(MASKS, 0)
    later: dict[int, Tensor] = {}
    for place, entry in enumerate(entries):
        bit = 1 << place
        if isinstance(entry, slice):
            bounds = [None if each is None else _position(each) for each in (entry.start, entry.stop, entry.step)]
            masks["begin_mask"] |= bit * (bounds[0] is None)
            masks["end_mask"] |= bit * (bounds[1] is None)
            begin[place], end[place] = bounds[0] or 0, bounds[1] or 0
            strides[place] = 1 if bounds[2] is None else bounds[2]
        elif entry is ... or entry is None:
            masks["ellipsis_mask" if entry is ... else "new_axis_mask"] |= bit
        elif isinstance(entry, Tensor) and _checked(entry) and numbers(entry) is None:
            later[place] = entry
            masks["begin_mask"] |= bit
            masks["end_mask"] |= bit
        else:
            begin[place] = _position(entry)
            end[place] = begin[place] + 1
            masks["shrink_axis_mask"] |= bit
    taken: Tensor = tf.strided_slice(x, begin, end, strides, **masks)
    for place in sorted(later, reverse=True):
        taken = _at(taken, later[place], _axis(x.ndim, entries, later, place))
    return taken


def _taken_together(x: Tensor, key: tuple[Any, ...]) -> Tensor:
    """`x[[0, 1], [2, 0]]`: the elements at (0, 2) and (1, 0)."""
    if len(key) > x.ndim or not all(isinstance(each, (list, Integral)) for each in key):
        raise OpError(f"{REFUSED}; lists are taken together with lists and integers alone")
    try:
        rows = np.broadcast_arrays(*(np.asarray(each, np.int64) for each in key))
    except (ValueError, TypeError, OverflowError):
        raise OpError("the lists of an index must be of integers, and of one length") from None
    places = np.stack(rows, -1)
    sizes = np.asarray(x.shape[: len(key)])
    if ((places < -sizes) | (places >= sizes)).any():
        raise OpError(f"the index is outside a tensor of shape {list(x.shape)}")
    taken: Tensor = tf.gather_nd(x, np.where(places < 0, places + sizes, places))
    return taken


def _position(entry: Any) -> int:
    if isinstance(entry, Tensor) and _checked(entry):
        return int(static(entry, "an index"))
    if isinstance(entry, Integral):
        return int(entry)
    raise OpError(f"{REFUSED}, not {entry!r}")


def _checked(entry: Tensor) -> bool:
    if entry.dtype not in POSITIONS or entry.ndim:
        hint = "take several rows with `tf.gather(x, indices)`" if entry.ndim and entry.dtype in POSITIONS else None
        raise OpError(f"{REFUSED}, not a tensor {entry.type}", help=hint)
    return True


def _axis(ndim: int, entries: list[Any], later: dict[int, Tensor], place: int) -> int:
    """Where the axis of an index that is taken later is, in what the others have left."""
    consumed = sum(entry is not None and entry is not ... for entry in entries)
    axis = 0
    for at, entry in enumerate(entries[:place]):
        if entry is ...:
            axis += ndim - consumed
        elif entry is None or isinstance(entry, slice) or at in later:
            axis += 1
    return axis


def _at(x: Tensor, position: Tensor, axis: int) -> Tensor:
    size = position.context.constant(np.asarray(x.shape[axis], position.dtype))
    taken: Tensor = tf.gather(x, tf.where(position < 0, position + size, position), axis=axis)
    return taken


def _iterate(x: Tensor) -> Iterator[Tensor]:
    if x.ndim == 0:
        raise OpError("a scalar tensor cannot be iterated over")
    return iter(tf.unstack(x) if x.shape[0] else [])


def _length(x: Tensor) -> int:
    if x.ndim == 0:
        raise OpError("a scalar tensor has no length")
    return x.shape[0]


def _truth(x: Value) -> bool:
    known = numbers(x)
    if known is None or known.size != 1:
        raise OpError(
            "whether a tensor is true is not known when the case is read", help="use `tf.where(condition, a, b)`"
        )
    return bool(known)


Tensor.__getitem__ = getitem  # type: ignore[method-assign]
Tensor.__iter__ = _iterate  # type: ignore[method-assign]
Tensor.__len__ = _length  # type: ignore[attr-defined]
Value.__bool__ = _truth  # type: ignore[attr-defined]  # or else `__len__` would decide
