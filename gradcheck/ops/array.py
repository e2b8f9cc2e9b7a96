"""Making, reshaping, joining, repeating and reordering tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.dtypes import DTYPES, DType, is_complex, is_differentiable
from gradcheck.ops.declaration import ANY, REAL, OpError, Tensors, compose, declare, sample
from gradcheck.ops.shapes import Typed, as_shape, one_axis
from gradcheck.ops.vocabulary import tf
from gradcheck.program import TensorType
from gradcheck.tensors import Tensor, current_context


def as_dtype(value: Any, default: DType | None = None) -> DType:
    """A static dtype argument: `tf.float32`, or its name."""
    if value is None and default is not None:
        return default
    found = DTYPES.get(value) if isinstance(value, str) else value
    if not isinstance(found, np.dtype):
        raise OpError(f"{value!r} is not a dtype", argument="dtype")
    return found


def _reshape(tensor: Tensor, shape: Any, name: str | None = None) -> Typed:
    target = as_shape(shape)
    size = int(np.prod(tensor.shape, dtype=np.int64))
    if target.count(-1) == 1:
        known = int(np.prod([each for each in target if each != -1], dtype=np.int64))
        rest = size // known if known else 0
        target = tuple(rest if each == -1 else each for each in target)
    if any(each < 0 for each in target) or int(np.prod(target, dtype=np.int64)) != size:
        raise OpError(f"a tensor of shape {list(tensor.shape)} has {size} elements and cannot become {shape!r}")
    return TensorType(target, tensor.dtype), {"shape": target}


declare(
    "tf.reshape",
    _reshape,
    forward=lambda x, shape: x.reshape(shape),
    vjp=(lambda g, y, x, shape: tf.reshape(g, x.shape),),
    domains=(REAL,),
    dtypes=ANY,
    moves=True,
    samples=(sample((2, 3), [3, -1]), sample((4,), [2, 1, 2]), sample((1,), []), sample((0, 3), [3, 0])),
    source="a reordering of nothing",
)


def _broadcast_to(input: Tensor, shape: Any, name: str | None = None) -> Typed:  # noqa: A002  # TensorFlow's name
    target = as_shape(shape)
    padded = (1,) * (len(target) - input.ndim) + input.shape
    if len(padded) != len(target) or any(a not in (1, b) for a, b in zip(padded, target, strict=True)):
        raise OpError(f"a tensor of shape {list(input.shape)} does not broadcast to {list(target)}")
    return TensorType(target, input.dtype), {"shape": target}


declare(
    "tf.broadcast_to",
    _broadcast_to,
    forward=lambda x, shape: np.broadcast_to(x, shape),
    vjp=(lambda g, y, x, shape: g,),
    domains=(REAL,),
    dtypes=ANY,
    moves=True,
    samples=(sample((3, 1), [2, 3, 4]), sample((), [2, 2]), sample((2, 1), [2, 0])),
    source="the walk sums the cotangent over the repeated axes",
)


def _stack(values: Tensors, axis: Any = 0, name: str | None = None) -> Typed:
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
    domains=(REAL,),
    dtypes=ANY,
    moves=True,
    samples=(sample([(2, 3), (2, 3)], axis=-1), sample([(), (), ()]), sample([(2,)], axis=1)),
    source="each tensor receives its slice of the cotangent",
)


def _unstack(value: Tensor, num: Any = None, axis: Any = 0, name: str | None = None) -> tuple[list[TensorType], Any]:
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
    domains=(REAL,),
    dtypes=ANY,
    moves=True,
    several=True,
    samples=(sample((2, 3), axis=-1), sample((3,))),
    source="the cotangents of the parts, put together again",
)


def _cast(x: Tensor, dtype: Any, name: str | None = None) -> Typed:
    target = as_dtype(dtype)
    return TensorType(x.shape, target), {"dtype": target}


def _cast_vjp(g: Tensor, y: Tensor, x: Tensor, dtype: DType) -> Tensor | None:
    return tf.cast(g, x.dtype) if is_differentiable(x.dtype) else None


def _cast_forward(x: Any, dtype: DType) -> Any:
    return (x.real if is_complex(x.dtype) and not is_complex(dtype) else x).astype(dtype)


declare(
    "tf.cast",
    _cast,
    aliases=("tf.dtypes.cast",),
    forward=_cast_forward,
    vjp=(_cast_vjp,),
    domains=(REAL,),
    dtypes=ANY,
    moves=True,
    samples=(sample((2, 3), DTYPES["float32"]), sample((3,), DTYPES["complex128"])),
    source="linear: the cotangent is cast back",
    convention="through an integer or bool nothing flows; complex to real keeps the real part, both ways",
)


@compose("tf.zeros", domains=(), dtypes=ANY)
def _zeros(shape: Any, dtype: Any = DTYPES["float32"], name: str | None = None, layout: Any = None) -> Tensor:
    return current_context().constant(np.zeros(as_shape(shape), as_dtype(dtype)))


@compose("tf.ones", domains=(), dtypes=ANY)
def _ones(shape: Any, dtype: Any = DTYPES["float32"], name: str | None = None, layout: Any = None) -> Tensor:
    return current_context().constant(np.ones(as_shape(shape), as_dtype(dtype)))


def _like(input: Tensor, dtype: Any = None, name: str | None = None, layout: Any = None) -> Typed:  # noqa: A002
    target = as_dtype(dtype, input.dtype)
    return TensorType(input.shape, target), {"dtype": target}


declare(
    "tf.zeros_like",
    _like,
    forward=lambda x, dtype: np.zeros(x.shape, dtype),
    domains=(),
    dtypes=ANY,
    moves=True,
    convention="a constant: not connected",
)
declare(
    "tf.ones_like",
    _like,
    forward=lambda x, dtype: np.ones(x.shape, dtype),
    domains=(),
    dtypes=ANY,
    moves=True,
    convention="a constant: not connected",
)
