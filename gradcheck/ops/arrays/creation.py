"""Tensors from numbers: constants, ranges, grids, masks, and what is known of a tensor's shape."""

from __future__ import annotations

from math import isfinite
from typing import Any

import numpy as np

from gradcheck.dtypes import BOOL, DTYPES, FLOAT32, FLOATS, INT32, INT64, Array, DType, is_differentiable
from gradcheck.ops.arrays.shaping import as_dtype
from gradcheck.ops.batching import aligned
from gradcheck.ops.calling import numbers
from gradcheck.ops.declaration import (
    ANY,
    NUMERIC,
    REAL,
    Index,
    Literal,
    Literals,
    OpError,
    Tensors,
    Undecided,
    compose,
    declare,
    sample,
)
from gradcheck.ops.shapes import Typed, as_int, as_sizes, broadcast, check_room, one_axis
from gradcheck.ops.vocabulary import tf
from gradcheck.program import TensorType
from gradcheck.tensors import Tensor, as_array, current_context


def constant(value: Array) -> Tensor:
    """A constant in the context that is in use."""
    return current_context().constant(value)


@compose(
    "tf.constant",
    domains=(REAL,),
    dtypes=ANY,
    samples=(sample((2, 3)), sample(())),
    convention="a tensor is handed on as it is, gradient and all; with a new shape it is copied: not connected",
)
def _constant(value: Literal, dtype: Any = None, shape: Any = None, name: str | None = "Const") -> Tensor:
    if shape is None or as_sizes(shape) == value.shape:
        return value
    target, count = as_sizes(shape), int(np.prod(value.shape, dtype=np.int64))
    if count != 1 and count != np.prod(target, dtype=float):
        raise OpError(f"{count} numbers cannot fill a tensor of shape {list(target)}", argument="shape")
    filled: Tensor = tf.reshape(value, target) if count != 1 else tf.broadcast_to(tf.reshape(value, []), target)
    return tf.stop_gradient(filled) if is_differentiable(value.dtype) else filled


@compose(
    "tf.convert_to_tensor",
    domains=(REAL,),
    dtypes=ANY,
    samples=(sample((2, 3)), sample(())),
)
def _convert_to_tensor(value: Literals, dtype: Any = None, dtype_hint: Any = None, name: str | None = None) -> Tensor:
    if dtype_hint is not None:
        raise OpError("`dtype_hint` is not supported", argument="dtype_hint", help="name the dtype: `dtype=…`")
    return value


@compose("tf.zeros", domains=(), dtypes=ANY, samples=(sample([2, 3]), sample([0], DTYPES["int32"])))
def _zeros(shape: Any, dtype: Any = DTYPES["float32"], name: str | None = None, layout: Any = None) -> Tensor:
    check_room(as_sizes(shape))
    return constant(np.zeros(as_sizes(shape), as_dtype(dtype)))


@compose("tf.ones", domains=(), dtypes=ANY, samples=(sample([2, 3]), sample([], DTYPES["complex64"])))
def _ones(shape: Any, dtype: Any = DTYPES["float32"], name: str | None = None, layout: Any = None) -> Tensor:
    check_room(as_sizes(shape))
    return constant(np.ones(as_sizes(shape), as_dtype(dtype)))


def _like(input: Tensor, dtype: Any = None, name: str | None = None, layout: Any = None) -> Typed:  # noqa: A002
    target = as_dtype(dtype, input.dtype)
    return TensorType(input.shape, target), {"dtype": target}


declare(
    "tf.zeros_like",
    _like,
    forward=lambda x, dtype: np.zeros(x.shape, dtype),
    batching=aligned,
    domains=(),
    dtypes=ANY,
    moves=True,
    convention="a constant: not connected",
)
declare(
    "tf.ones_like",
    _like,
    forward=lambda x, dtype: np.ones(x.shape, dtype),
    batching=aligned,
    domains=(),
    dtypes=ANY,
    moves=True,
    convention="a constant: not connected",
)


def _fill(dims: Any, value: Tensor, name: str | None = None, layout: Any = None) -> Typed:
    if value.ndim:
        raise OpError(f"`tf.fill` repeats a scalar, not a tensor of shape {list(value.shape)}", argument="value")
    target = as_sizes(dims, "dims")
    return TensorType(target, value.dtype), {"dims": target}


declare(
    "tf.fill",
    _fill,
    forward=lambda value, dims: np.broadcast_to(value, dims),
    vjp=(lambda g, y, value, dims: g,),
    domains=(REAL,),
    dtypes=ANY,
    moves=True,
    samples=(sample([2, 3], ()), sample([], ()), sample([2, 0], ())),
    source="the walk sums the cotangent over the repeated axes",
)


@compose(
    "tf.range",
    domains=(),
    dtypes=(*FLOATS, INT32, INT64),
    samples=(
        sample(4),
        sample(1, 6, 2),
        sample(5, -1, -2),
        sample(0.0, 1.0, 0.1),
        sample(0, 1.5, 0.25, DTYPES["float64"]),
        sample(3, dtype=DTYPES["int64"]),
        sample(2, 2),
    ),
    convention="a constant: not connected to its bounds, which must be numbers",
)
def _range(start: Any, limit: Any = None, delta: Any = 1, dtype: Any = None, name: str | None = "range") -> Tensor:
    given = {"start": 0, "limit": start} if limit is None else {"start": start, "limit": limit}
    given["delta"] = delta
    target = as_dtype(
        dtype, max((_number_dtype(each, key) for key, each in given.items()), key=[INT32, INT64, FLOAT32].index)
    )
    if target not in (*FLOATS, INT32, INT64):
        raise OpError(f"`tf.range` has no {target.name}", argument="dtype")
    low, high, step = (_number(each, target, key) for key, each in given.items())
    if step == 0 or not (low <= high if step > 0 else low >= high):
        raise OpError(f"`tf.range` does not come from {low} to {high} in steps of {step}", argument="delta")
    with np.errstate(all="ignore"):
        count = (
            abs(high - low) / abs(step)
            if is_differentiable(target)
            else -(-abs(int(high) - int(low)) // abs(int(step)))
        )
    if not isfinite(count):
        raise OpError("`tf.range` has no end", argument="limit")
    check_room((int(np.ceil(count)),))
    return constant(low + step * np.arange(int(np.ceil(count))).astype(target))


def _number_dtype(value: Any, name: str) -> DType:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise OpError(f"`{name}` must be a number, not {value!r}", argument=name)
    return FLOAT32 if isinstance(value, float) else as_array(value).dtype


def _number(value: Any, dtype: DType, name: str) -> Any:
    try:
        number = as_array(value, dtype)[()]
    except (ValueError, OverflowError):
        number = None
    if number is None or (not is_differentiable(dtype) and number != value):
        raise OpError(f"`{name}` {value!r} is not of dtype {dtype.name}", argument=name)
    return number


@compose(
    "tf.linspace",
    domains=(REAL, REAL),
    dtypes=NUMERIC,
    samples=(
        sample((), (), 4),
        sample((2, 3), (2, 3), 3, axis=-1),
        sample((2, 1), (3,), 5, axis=1),
        sample((), (), 1),
        sample((2,), (2,), 2),
        sample((2,), (), 0),
    ),
    convention="the last number is `stop` itself; with `num` 0 or 1 an end that does not appear has the gradient 0",
)
def _linspace(start: Tensor, stop: Tensor, num: Any, name: str | None = None, axis: Any = 0) -> Tensor:
    count = as_int(num, "num")
    if count < 0:
        raise OpError(f"`num` is {count}: a negative number of points", argument="num")
    shape = broadcast(start.shape, stop.shape)
    at = one_axis(axis, len(shape) + 1)
    ends = [tf.expand_dims(tf.broadcast_to(each, shape), at) for each in (start, stop)]
    check_room((*shape, count))
    check_room((count,))  # made in any case, also for ends of no elements
    steps = max(count - 1, 1)
    delta = (ends[1] - ends[0]) / constant(np.asarray(steps).astype(start.dtype))
    first, last = (tf.cast(each, delta.dtype) for each in ends)
    between = np.arange(1, steps).reshape(-1, *(1 for _ in shape[at:])).astype(delta.dtype)
    points = tf.concat([first, first + delta * constant(between), last], at)
    kept: Tensor = tf.slice(points, (0,) * points.ndim, (*shape[:at], count, *shape[at:]))
    return kept


def as_out_type(out_type: Any) -> DType:
    """The dtype of positions and sizes: int32 unless the call asks for int64."""
    target = as_dtype(out_type, INT32)
    if target not in (INT32, INT64):
        raise OpError(f"`out_type` must be tf.int32 or tf.int64, not {target.name}", argument="out_type")
    return target


@compose("tf.shape", domains=(), dtypes=ANY, convention="a constant: not connected")
def _shape(input: Tensor, out_type: Any = None, name: str | None = None) -> Tensor:  # noqa: A002
    return input.context.constant(np.asarray(input.shape, as_out_type(out_type)))


@compose("tf.size", domains=(), dtypes=ANY, convention="a constant: not connected")
def _size(input: Tensor, out_type: Any = None, name: str | None = None) -> Tensor:  # noqa: A002
    return input.context.constant(np.asarray(np.prod(input.shape, dtype=np.int64)).astype(as_out_type(out_type)))


@compose("tf.rank", domains=(), dtypes=ANY, convention="a constant: not connected")
def _rank(input: Tensor, name: str | None = None) -> Tensor:  # noqa: A002
    return input.context.constant(np.asarray(input.ndim, INT32))


@compose(
    "tf.meshgrid",
    domains=(REAL, REAL, REAL),
    dtypes=ANY,
    several=True,
    samples=(
        sample((3,), (2,)),
        sample((3,), (2, 2), (1,), indexing="ij"),
        sample((3,), (2,), (2,), indexing="xy"),
        sample((3,)),
        sample((), (2,)),
        sample((0,), (2,)),
    ),
)
def _meshgrid(*args: Tensors, **kwargs: Any) -> list[Tensor]:
    unknown = set(kwargs) - {"indexing", "name"}
    indexing = kwargs.get("indexing", "xy")
    if unknown:
        raise OpError(f"`tf.meshgrid` has no parameter `{unknown.pop()}`", help="it takes tensors and `indexing`")
    if indexing not in ("xy", "ij"):
        raise OpError(f"`indexing` must be 'xy' or 'ij', not {indexing!r}", argument="indexing")
    sizes = [int(np.prod(each.shape, dtype=np.int64)) for each in args]  # type: ignore[attr-defined]  # a tensor each
    order = list(range(len(args)))
    if indexing == "xy" and len(args) > 1:
        order[:2] = [1, 0]
    full = [sizes[each] for each in order]
    grids = []
    for position, each in enumerate(args):
        column = [sizes[position] if place == position else 1 for place in order]
        grids.append(tf.broadcast_to(tf.reshape(each, column), full))
    return grids


def _one_hot(
    indices: Index,
    depth: Any,
    on_value: Literal = None,  # type: ignore[assignment]  # TensorFlow's default
    off_value: Literal = None,  # type: ignore[assignment]
    axis: Any = None,
    dtype: Any = None,
    name: str | None = None,
) -> Typed:
    if indices.dtype not in (DTYPES["uint8"], DTYPES["int8"], INT32, INT64):
        raise OpError(f"`tf.one_hot` does not take {indices.dtype.name} as `indices`", argument="indices")
    depth = as_int(depth, "depth")
    if depth < 0:
        raise OpError(f"`depth` is negative: {depth}", argument="depth")
    at = -1 if axis is None else as_int(axis, "axis")
    if not -1 <= at <= indices.ndim:
        raise OpError(f"`axis` must be -1 or between 0 and {indices.ndim}, not {at}", argument="axis")
    values = {"on_value": on_value, "off_value": off_value}
    dtypes = [each.dtype for each in values.values() if each is not None]
    target = as_dtype(dtype, dtypes[0] if dtypes else FLOAT32)
    if any(each != target for each in dtypes):
        raise OpError(f"`on_value` and `off_value` must both be {target.name}", argument="on_value")
    if target == BOOL and any(each is None for each in values.values()):
        raise OpError("`tf.one_hot` needs `on_value` and `off_value` for bool", argument="dtype")
    if any(each is not None and each.ndim for each in values.values()):
        raise OpError("`on_value` and `off_value` must be scalars", argument="on_value")
    place = at % (indices.ndim + 1)
    shape = (*indices.shape[:place], depth, *indices.shape[place:])
    missing = {name: None for name, value in values.items() if value is None}
    return TensorType(shape, target), {"depth": depth, "axis": at, "dtype": target, **missing}


def _one_hot_forward(indices: Array, *values: Array, depth: int, axis: int, dtype: DType, **missing: None) -> Array:
    given = iter(values)
    on = 1 if "on_value" in missing else next(given)
    off = 0 if "off_value" in missing else next(given)
    place = axis % (indices.ndim + 1)
    row = np.arange(depth).reshape(-1, *(1 for _ in range(indices.ndim - place)))
    return np.where(np.expand_dims(indices, place) == row, on, off).astype(dtype)


declare(
    "tf.one_hot",
    _one_hot,
    forward=_one_hot_forward,
    domains=(),
    dtypes=ANY,
    moves=True,
    samples=(
        sample(np.array([0, 3, -1, 2]), 3),
        sample(np.array([[0, 1]]), 3, axis=0),
        sample(np.array([[0, 1]]), 2, axis=1, on_value=(), off_value=()),
        sample(np.array(1), 3, (), ()),
        sample(np.array([1]), 0),
    ),
    convention="not connected, also not to `on_value` and `off_value`; a position outside gives a row of `off_value`",
)


@compose(
    "tf.sequence_mask",
    domains=(),
    dtypes=ANY,
    samples=(sample([1, 3, 0]), sample(np.array([[1], [5]]), 3), sample(np.array(2), 4, DTYPES["float32"])),
)
def _sequence_mask(lengths: Index, maxlen: Any = None, dtype: Any = BOOL, name: str | None = None) -> Tensor:
    if maxlen is None:
        known = numbers(lengths)
        if known is None:
            raise Undecided(
                "the longest of `lengths` must be known when the case is read, because it is the size of the result",
                argument="lengths",
                help="give `maxlen`",
            )
        maxlen = int(known.max(initial=0))
    (width,) = as_sizes(as_int(maxlen, "maxlen"), "maxlen")
    check_room((*lengths.shape, width))
    mask: Tensor = constant(np.arange(width).astype(lengths.dtype)) < tf.expand_dims(lengths, -1)
    target = as_dtype(dtype)
    return mask if target == BOOL else tf.cast(mask, target)
