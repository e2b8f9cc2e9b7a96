"""Slices and masks."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from gradcheck.dtypes import Array
from gradcheck.ops.batching import ROWS, Call, Layout, prefixed
from gradcheck.ops.calling import numbers
from gradcheck.ops.declaration import ANY, REAL, Mask, OpError, Undecided, compose, declare, sample
from gradcheck.ops.shapes import Typed, as_int, as_row, as_sizes
from gradcheck.ops.vocabulary import tf
from gradcheck.program import Shape, TensorType
from gradcheck.tensors import Tensor


def _slice(input_: Tensor, begin: Any, size: Any, name: str | None = None) -> Typed:
    starts, sizes = as_row(begin, "begin"), as_row(size, "size")
    if len(starts) != input_.ndim or len(sizes) != input_.ndim:
        raise OpError(f"`begin` and `size` must have {input_.ndim} numbers, one for each axis of {list(input_.shape)}")
    taken = []
    for axis, (start, wanted, there) in enumerate(zip(starts, sizes, input_.shape, strict=True)):
        length = there - start if wanted == -1 else wanted
        if not 0 <= start <= there or not 0 <= length <= there - start:
            raise OpError(f"{wanted} elements from {start} on are not within axis {axis}, of size {there}")
        taken.append(length)
    return TensorType(tuple(taken), input_.dtype), {"begin": starts, "size": tuple(taken)}


def _slice_forward(x: Array, begin: Shape, size: Shape) -> Array:
    key: tuple[Any, ...] = tuple(slice(start, start + length) for start, length in zip(begin, size, strict=True))
    return x[(*key, ...)]


def _slice_vjp(g: Tensor, y: Tensor, x: Tensor, begin: Shape, size: Shape) -> Tensor:
    if not begin:
        return g
    rows = zip(begin, size, x.shape, strict=True)
    padded: Tensor = tf.pad(g, [(start, there - start - length) for start, length, there in rows])
    return padded


declare(
    "tf.slice",
    _slice,
    forward=_slice_forward,
    vjp=(_slice_vjp,),
    batching=prefixed(begin=0, size=ROWS),
    domains=(REAL,),
    dtypes=ANY,
    moves=True,
    samples=(
        sample((2, 3), [0, 1], [2, 2]),
        sample((2, 3), [1, 0], [-1, -1]),
        sample((2, 3), [2, 0], [0, 2]),
    ),
    source="the cotangent of what was left out is zero",
)

Spec = tuple[Shape, Shape, Shape, int, int, int, int, int]
MASKS = ("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask")


@lru_cache(maxsize=4096)
def _key(shape: Shape, spec: Spec) -> tuple[Any, ...]:
    """What NumPy has between the brackets for a strided slice of a tensor of that shape.

    Where several masks have the same bit the ellipsis counts before the new axis, and that before the index.
    """
    places, ellipsis_mask, new_axis_mask = range(len(spec[0])), spec[5], spec[6]
    ellipses = [place for place in places if ellipsis_mask >> place & 1]
    if len(ellipses) > 1:
        raise OpError("an index can have one `...` only")
    taking = [place for place in places if place not in ellipses and not new_axis_mask >> place & 1]
    if len(taking) > len(shape):
        raise OpError(f"{len(taking)} indices are too many for a tensor of shape {list(shape)}")
    key: list[Any] = []
    axis = 0
    for place in places:
        if place in ellipses:
            key.append(...)
            axis += len(shape) - len(taking)
        elif new_axis_mask >> place & 1:
            key.append(None)
        else:
            entry = _entry(spec, place, axis, shape)
            key.append(entry)
            axis += 1
    return tuple(key) if ellipses else (*key, ...)


def python_key(shape: Shape, attributes: Mapping[str, Any]) -> tuple[Any, ...]:
    """What stands between the brackets where Python does the same as a `tf.strided_slice` with these attributes."""
    key = _key(shape, tuple(attributes.values()))
    return key[:-1] if key and key[-1] is ... else key


def _entry(spec: Spec, place: int, axis: int, shape: Shape) -> int | slice:
    begin, end, strides, begin_mask, end_mask, _, _, shrink_axis_mask = spec
    stride = strides[place]
    if stride == 0:
        raise OpError(f"the step along axis {axis} is 0", argument="strides")
    if not shrink_axis_mask >> place & 1:
        low = None if begin_mask >> place & 1 else begin[place]
        high = None if end_mask >> place & 1 else end[place]
        return slice(low, high, stride)
    if stride < 0:
        raise OpError("a lone index cannot have a negative step", argument="strides")
    if not -shape[axis] <= begin[place] < shape[axis]:
        raise OpError(f"index {begin[place]} is outside axis {axis} of {list(shape)}, which has size {shape[axis]}")
    return begin[place]


def _taken(shape: Shape, key: tuple[Any, ...]) -> Shape:
    """The shape of what the key takes."""
    rest = len(shape) - sum(entry is not None and entry is not ... for entry in key)
    sizes: list[int] = []
    axes = iter(shape)
    for entry in key:
        if entry is None:
            sizes.append(1)
        elif entry is ...:
            sizes.extend(next(axes) for _ in range(rest))
        elif isinstance(entry, slice):
            sizes.append(len(range(*entry.indices(next(axes)))))
        else:
            next(axes)
    return tuple(sizes)


def _spec(begin: Any, end: Any, strides: Any, masks: tuple[Any, ...]) -> tuple[Spec, dict[str, Any]]:
    starts, ends = as_row(begin, "begin"), as_row(end, "end")
    steps = (1,) * len(starts) if strides is None else as_row(strides, "strides")
    if not len(starts) == len(ends) == len(steps):
        lengths = f"{len(starts)}, {len(ends)} and {len(steps)}"
        raise OpError(f"`begin`, `end` and `strides` must have the same length, not {lengths}")
    bits = tuple(as_int(mask, name) & (1 << len(starts)) - 1 for name, mask in zip(MASKS, masks, strict=True))
    attributes = {"begin": starts, "end": ends, "strides": steps, **dict(zip(MASKS, bits, strict=True))}
    return (starts, ends, steps, *bits), attributes  # type: ignore[return-value]  # there are five masks


def _strided_slice(
    input_: Tensor,
    begin: Any,
    end: Any,
    strides: Any = None,
    begin_mask: Any = 0,
    end_mask: Any = 0,
    ellipsis_mask: Any = 0,
    new_axis_mask: Any = 0,
    shrink_axis_mask: Any = 0,
    var: Any = None,
    name: str | None = None,
) -> Typed:
    if var is not None:
        raise OpError("`var` is not supported: nothing is assigned to a slice", argument="var")
    masks = (begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_axis_mask)
    spec, attributes = _spec(begin, end, strides, masks)
    return TensorType(_taken(input_.shape, _key(input_.shape, spec)), input_.dtype), attributes


def _strided_slice_forward(x: Array, **attributes: Any) -> Array:
    taken: Array = x[_key(x.shape, tuple(attributes.values()))]
    return taken


def _strided_slice_vjp(g: Tensor, y: Tensor, x: Tensor, **attributes: Any) -> Tensor:
    spread: Tensor = tf.raw_ops.StridedSliceGrad(shape=x.shape, dy=g, **attributes)
    return spread


def _strided_batching(call: Call, **attributes: Any) -> Layout:
    """Every row is taken: the entry in front is `:`."""
    longer = {name: (entry, *attributes[name]) for name, entry in (("begin", 0), ("end", 0), ("strides", 1))}
    masks = {name: attributes[name] << 1 | (name in ("begin_mask", "end_mask")) for name in MASKS}
    shape = {"shape": (call.rows, *attributes["shape"])} if "shape" in attributes else {}
    return Layout({**shape, **longer, **masks}, (0,))


declare(
    "tf.strided_slice",
    _strided_slice,
    forward=_strided_slice_forward,
    vjp=(_strided_slice_vjp,),
    batching=_strided_batching,
    domains=(REAL,),
    dtypes=ANY,
    moves=True,
    samples=(
        sample((2, 3), [0, 1], [2, 3]),
        sample((3, 4), [-1, 3], [0, -4], [-1, -2]),
        sample((3, 4), [1, 1], [9, 9], [1, 2], begin_mask=2, end_mask=1),
        sample((2, 3, 2), [0, 1], [0, 2], ellipsis_mask=1, shrink_axis_mask=2),
        sample((2, 3), [0, 0, -1], [0, 0, 0], [1, 1, 1], new_axis_mask=2, shrink_axis_mask=4, begin_mask=1, end_mask=1),
        sample((3,), [-2], [-1], [1], shrink_axis_mask=1),
        sample((3,), [2], [1]),
        sample((), [0], [0], new_axis_mask=1),
        sample((0, 2), [0], [5]),
    ),
    source="the cotangent goes back to the elements that were taken, of which none is taken twice",
)


def _strided_slice_grad(
    shape: Any,
    begin: Any,
    end: Any,
    strides: Any,
    dy: Tensor,
    begin_mask: Any = 0,
    end_mask: Any = 0,
    ellipsis_mask: Any = 0,
    new_axis_mask: Any = 0,
    shrink_axis_mask: Any = 0,
    name: str | None = None,
) -> Typed:
    target = as_sizes(shape)
    masks = (begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_axis_mask)
    spec, attributes = _spec(begin, end, strides, masks)
    taken = _taken(target, _key(target, spec))
    if dy.shape != taken:
        raise OpError(f"the slice has shape {list(taken)} and `dy` {list(dy.shape)}", argument="dy")
    return TensorType(target, dy.dtype), {"shape": target, **attributes}


def _strided_slice_grad_forward(dy: Array, shape: Shape, **attributes: Any) -> Array:
    out = np.zeros(shape, dy.dtype)
    out[_key(shape, tuple(attributes.values()))] = dy
    return out


declare(
    "tf.raw_ops.StridedSliceGrad",
    _strided_slice_grad,
    forward=_strided_slice_grad_forward,
    vjp=(lambda g, y, dy, shape, **attributes: tf.strided_slice(g, **attributes),),
    batching=_strided_batching,
    domains=(REAL,),
    dtypes=ANY,
    moves=True,
    samples=(
        sample([2, 3], [0, 2], [2, 0], [1, -2], (2, 1)),
        sample([2, 3], [0, 1], [0, 2], [1, 1], (2,), ellipsis_mask=1, shrink_axis_mask=2),
        sample([3], [3], [3], [1], (0,)),
    ),
    source="the adjoint of a slice, whose own adjoint is the slice",
)


@compose(
    "tf.boolean_mask",
    domains=(REAL,),
    dtypes=ANY,
    samples=(
        sample((2, 3), [[True, False, True], [False, True, True]]),
        sample((3, 2), [True, False, True]),
        sample((2, 3, 2), [True, True, False], axis=1),
        sample((2, 3), [True, False], axis=-2),
        sample((2, 2), [False, False]),
    ),
)
def _boolean_mask(tensor: Tensor, mask: Mask, axis: Any = None, name: str | None = "boolean_mask") -> Tensor:
    if mask.ndim == 0:
        raise OpError("a mask cannot be a scalar", argument="mask")
    start = 0 if axis is None else as_int(axis, "axis")
    if tensor.shape[start : start + mask.ndim] != mask.shape or not -tensor.ndim <= start:
        raise OpError(
            f"a mask of shape {list(mask.shape)} does not fit {list(tensor.shape)} from axis {start} on",
            argument="mask",
        )
    known = numbers(mask)
    if known is None:
        raise Undecided(
            "`mask` must be known when the case is read, because it decides the shape of the result",
            argument="mask",
            help="`tf.where(mask, x, 0.0)` keeps the shape",
        )
    start %= tensor.ndim
    rest = tensor.shape[start + mask.ndim :]
    flat = tf.reshape(tensor, (*tensor.shape[:start], known.size, *rest)) if mask.ndim > 1 else tensor
    chosen = mask.context.constant(np.flatnonzero(known).astype(np.int32))
    taken: Tensor = tf.gather(flat, chosen, axis=start)
    return taken
