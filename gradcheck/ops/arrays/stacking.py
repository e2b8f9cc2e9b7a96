"""Joining tensors, and taking them apart."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.dtypes import Array
from gradcheck.ops.batching import along
from gradcheck.ops.declaration import ANY, REAL, OpError, Parts, Tensors, declare, sample
from gradcheck.ops.shapes import Typed, as_int, as_shape, check_room, lone_int, one_axis
from gradcheck.ops.vocabulary import tf
from gradcheck.program import Shape, TensorType
from gradcheck.tensors import Tensor


def _stack(values: Tensors, axis: Any = 0, name: str | None = "stack") -> Typed:
    shapes = {each.shape for each in values}
    if len(shapes) > 1:
        raise OpError(f"`tf.stack` needs equal shapes, not {' and '.join(str(list(each)) for each in sorted(shapes))}")
    shape = values[0].shape
    axis = one_axis(axis, len(shape) + 1)
    return TensorType((*shape[:axis], len(values), *shape[axis:]), values[0].dtype), {"axis": axis}


declare(
    "tf.stack",
    _stack,
    forward=lambda *arrays, axis: np.stack(arrays, axis),
    joint_vjp=lambda g, y, *values, axis: tf.unstack(g, axis=axis),
    batching=along("axis"),
    domains=(REAL,),
    dtypes=ANY,
    moves=True,
    samples=(sample([(2, 3), (2, 3)], axis=-1), sample([(), (), ()]), sample([(2,)], axis=1)),
    source="each tensor receives its slice of the cotangent",
)


def _unstack(
    value: Tensor, num: Any = None, axis: Any = 0, name: str | None = "unstack"
) -> tuple[list[TensorType], Any]:
    if value.ndim == 0:
        raise OpError("`tf.unstack` needs an axis to take apart, and a scalar has none", argument="value")
    axis = one_axis(axis, value.ndim)
    if num is not None and num != value.shape[axis]:
        raise OpError(f"`num` is {num}, but axis {axis} of {list(value.shape)} has {value.shape[axis]}", argument="num")
    part = TensorType((*value.shape[:axis], *value.shape[axis + 1 :]), value.dtype)
    return [part] * value.shape[axis], {"num": None, "axis": axis}


declare(
    "tf.unstack",
    _unstack,
    forward=lambda x, num, axis: list(np.moveaxis(x, axis, 0)),
    vjp=(lambda g, y, x, num, axis: tf.stack(g, axis=axis),),
    batching=along("axis"),
    domains=(REAL,),
    dtypes=ANY,
    moves=True,
    several=True,
    samples=(sample((2, 3), axis=-1), sample((3,))),
    source="the cotangents of the parts, put together again",
)


def _concat(values: Parts, axis: Any, name: str | None = "concat") -> Typed:
    first, *rest = values
    if not rest:
        return first.type, {"axis": lone_int(axis, "axis")}
    if first.ndim == 0:
        raise OpError("`tf.concat` needs an axis to join along, and scalars have none", help="use `tf.stack`")
    axis = one_axis(lone_int(axis, "axis"), first.ndim)
    for each in rest:
        if _without(each.shape, axis) != _without(first.shape, axis):
            raise OpError(
                f"`tf.concat` along axis {axis} of shapes {list(first.shape)} and {list(each.shape)}: "
                "all other axes must be equal",
                argument="values",
            )
    shape = list(first.shape)
    shape[axis] = sum(each.shape[axis] for each in values)
    return TensorType(tuple(shape), first.dtype), {"axis": axis}


def _without(shape: Shape, axis: int) -> tuple[int, Shape]:
    return len(shape), (*shape[:axis], *shape[axis + 1 :])


def _concat_vjp(g: Tensor, y: Tensor, *values: Tensor, axis: int) -> list[Tensor]:
    if len(values) == 1:
        return [g]
    parts: list[Tensor] = tf.split(g, [each.shape[axis] for each in values], axis)
    return parts


declare(
    "tf.concat",
    _concat,
    forward=lambda *arrays, axis: np.concatenate(arrays, axis) if len(arrays) > 1 else arrays[0],
    joint_vjp=_concat_vjp,
    batching=along("axis"),
    domains=(REAL,),
    dtypes=ANY,
    moves=True,
    samples=(
        sample([(2, 3), (2, 1), (2, 2)], axis=-1),
        sample([(1, 2), (3, 2)], axis=0),
        sample([(2, 3)], axis=1),
        sample([(0, 2), (3, 2)], 0),
    ),
    source="each tensor receives its part of the cotangent",
    convention="a lone tensor is handed on as it is, whatever `axis` says",
)


def _split(
    value: Tensor, num_or_size_splits: Any, axis: Any = 0, num: Any = None, name: str | None = "split"
) -> tuple[list[TensorType], Any]:
    axis = one_axis(axis, value.ndim)
    size = value.shape[axis]
    splits: int | Shape
    if isinstance(num_or_size_splits, (tuple, list)):
        splits = sizes = _split_sizes(as_shape(num_or_size_splits, "num_or_size_splits"), size, axis)
        if num is not None and num != len(sizes):
            raise OpError(f"`num` is {num}, but there are {len(sizes)} sizes", argument="num")
    else:
        splits = as_int(num_or_size_splits, "num_or_size_splits")
        if splits < 1 or size % splits:
            raise OpError(f"axis {axis} has size {size} and cannot be split into {splits} equal parts")
        check_room((splits,))  # an axis without elements can be split into any number of parts
        sizes = (size // splits,) * splits
    before, after = value.shape[:axis], value.shape[axis + 1 :]
    types = [TensorType((*before, each, *after), value.dtype) for each in sizes]
    return types, {"num_or_size_splits": splits, "axis": axis}


def _split_sizes(given: Shape, size: int, axis: int) -> Shape:
    rest = size - sum(each for each in given if each != -1)
    sizes = tuple(rest if each == -1 else each for each in given)
    if given.count(-1) > 1 or not sizes or min(sizes) < 0 or sum(sizes) != size:
        raise OpError(f"the sizes {list(given)} do not divide axis {axis}, of size {size}")
    return sizes


def _split_forward(value: Array, num_or_size_splits: int | Shape, axis: int) -> list[Array]:
    if isinstance(num_or_size_splits, int):
        return np.split(value, num_or_size_splits, axis)
    return np.split(value, np.cumsum(num_or_size_splits[:-1], dtype=np.int64), axis)


declare(
    "tf.split",
    _split,
    forward=_split_forward,
    vjp=(lambda g, y, value, num_or_size_splits, axis: tf.concat(g, axis),),
    batching=along("axis"),
    domains=(REAL,),
    dtypes=ANY,
    moves=True,
    several=True,
    samples=(
        sample((4, 3), 2),
        sample((2, 3), 3, axis=-1),
        sample((2, 4), [1, -1], 1),
        sample((3,), [2, 0, 1]),
        sample((2, 3), [2]),
        sample((0, 3), 2),
    ),
    source="the cotangents of the parts, put together again",
)
