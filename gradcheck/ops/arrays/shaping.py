"""Other shapes, dtypes and orders of what a tensor holds."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.dtypes import DTYPES, Array, DType, is_complex, is_differentiable
from gradcheck.ops.batching import ROWS, Call, Layout, aligned, along, prefixed
from gradcheck.ops.declaration import ANY, REAL, OpError, compose, declare, sample
from gradcheck.ops.shapes import Typed, as_bool, as_row, as_shape, as_sizes, axes_of, lone_int, one_axis
from gradcheck.ops.vocabulary import tf
from gradcheck.program import Shape, TensorType
from gradcheck.tensors import Tensor


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
    batching=prefixed(shape=ROWS),
    domains=(REAL,),
    dtypes=ANY,
    moves=True,
    samples=(sample((2, 3), [3, -1]), sample((4,), [2, 1, 2]), sample((1,), []), sample((0, 3), [3, 0])),
    source="a reordering of nothing",
)


def _broadcast_to(input: Tensor, shape: Any, name: str | None = None) -> Typed:  # noqa: A002  # TensorFlow's name
    target = as_sizes(shape)
    padded = (1,) * (len(target) - input.ndim) + input.shape
    if len(padded) != len(target) or any(a not in (1, b) for a, b in zip(padded, target, strict=True)):
        raise OpError(f"a tensor of shape {list(input.shape)} does not broadcast to {list(target)}")
    return TensorType(target, input.dtype), {"shape": target}


def _broadcast_batching(call: Call, shape: Shape) -> Layout:
    return Layout({"shape": (call.rows, *shape)}, (0,), ndim=len(shape))


declare(
    "tf.broadcast_to",
    _broadcast_to,
    forward=lambda x, shape: np.broadcast_to(x, shape),
    vjp=(lambda g, y, x, shape: g,),
    batching=_broadcast_batching,
    domains=(REAL,),
    dtypes=ANY,
    moves=True,
    samples=(sample((3, 1), [2, 3, 4]), sample((), [2, 2]), sample((2, 1), [2, 0])),
    source="the walk sums the cotangent over the repeated axes",
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
    batching=aligned,
    domains=(REAL,),
    dtypes=ANY,
    moves=True,
    samples=(sample((2, 3), DTYPES["float64"]), sample((3,), DTYPES["complex128"])),
    source="linear: the cotangent is cast back",
    convention="through an integer or bool nothing flows; complex to real keeps the real part, both ways",
)


def _transpose(a: Tensor, perm: Any = None, conjugate: bool = False, name: str | None = "transpose") -> Typed:
    backwards = tuple(range(a.ndim))[::-1]
    order = backwards if perm is None else tuple(one_axis(each, a.ndim, "perm") for each in as_row(perm, "perm"))
    if sorted(order) != sorted(backwards):
        raise OpError(f"`perm` {list(perm)} is not an order of the axes of {list(a.shape)}", argument="perm")
    attributes = {"perm": None if order == backwards else order, "conjugate": as_bool(conjugate, "conjugate")}
    return TensorType(tuple(a.shape[axis] for axis in order), a.dtype), attributes


def _transpose_forward(a: Array, perm: Shape | None, conjugate: bool) -> Array:
    moved = a.transpose(perm)
    return moved.conj() if conjugate and is_complex(a.dtype) else moved


def _transpose_vjp(g: Tensor, y: Tensor, a: Tensor, perm: Shape | None, conjugate: bool) -> Tensor:
    back = None if perm is None else tuple(int(axis) for axis in np.argsort(perm))
    moved: Tensor = tf.transpose(g, back, conjugate)
    return moved


def _transpose_batching(call: Call, perm: Shape | None, conjugate: bool) -> Layout:
    order = range(call.inputs[0].ndim)[::-1] if perm is None else perm
    return Layout({"perm": (0, *(axis + 1 for axis in order)), "conjugate": conjugate}, (0,))


declare(
    "tf.transpose",
    _transpose,
    forward=_transpose_forward,
    vjp=(_transpose_vjp,),
    batching=_transpose_batching,
    domains=(REAL,),
    dtypes=ANY,
    moves=True,
    samples=(
        sample((2, 3)),
        sample((2, 3, 4), [1, 2, 0]),
        sample((2, 3, 1), [0, -1, 1], conjugate=True),
        sample((), conjugate=True),
        sample((0, 3)),
    ),
    source="the cotangent goes back by the inverse permutation, conjugated if the tensor was",
)


def _squeeze(input: Tensor, axis: Any = None, name: str | None = None) -> Typed:  # noqa: A002
    ones = [position for position, size in enumerate(input.shape) if size == 1]
    given = axis if isinstance(axis, (tuple, list)) or axis is None else [axis]
    axes = {one_axis(each, input.ndim) for each in given} if given else set(ones)
    for each in sorted(axes):
        if input.shape[each] != 1:
            raise OpError(f"axis {each} of {list(input.shape)} has size {input.shape[each]}, not 1", argument="axis")
    kept = tuple(size for position, size in enumerate(input.shape) if position not in axes)
    return TensorType(kept, input.dtype), {"axis": tuple(sorted(axes))}


def _squeeze_batching(call: Call, axis: Shape) -> Layout | None:
    return along("axis")(call, axis=axis) if axis else None  # no axes would stand for all of size 1, the rows too


declare(
    "tf.squeeze",
    _squeeze,
    forward=lambda x, axis: x.squeeze(axis),
    vjp=(lambda g, y, x, axis: tf.reshape(g, x.shape),),
    batching=_squeeze_batching,
    domains=(REAL,),
    dtypes=ANY,
    moves=True,
    samples=(
        sample((1, 2, 1)),
        sample((1, 2, 1), axis=-1),
        sample((1, 2, 1), [0, -3]),
        sample((2, 3)),
        sample((1, 1)),
        sample((1, 0), 0),
    ),
    source="a reordering of nothing",
    convention="an empty list of axes stands for all axes of size 1",
)


def _expand_dims(input: Tensor, axis: Any, name: str | None = None) -> Typed:  # noqa: A002
    at = one_axis(lone_int(axis, "axis"), input.ndim + 1)
    return TensorType((*input.shape[:at], 1, *input.shape[at:]), input.dtype), {"axis": at}


declare(
    "tf.expand_dims",
    _expand_dims,
    forward=lambda x, axis: np.expand_dims(x, axis),
    vjp=(lambda g, y, x, axis: tf.reshape(g, x.shape),),
    batching=along("axis"),
    domains=(REAL,),
    dtypes=ANY,
    moves=True,
    samples=(sample((2, 3), 0), sample((2, 3), -1), sample((2, 3), axis=[1]), sample((), 0), sample((0,), -2)),
    source="a reordering of nothing",
)


def _reverse(tensor: Tensor, axis: Any, name: str | None = None) -> Typed:
    return tensor.type, {"axis": axes_of(as_row(axis, "axis"), tensor.ndim)}


declare(
    "tf.reverse",
    _reverse,
    forward=lambda x, axis: np.flip(x, axis),
    vjp=(lambda g, y, x, axis: tf.reverse(g, axis),),
    batching=along("axis"),
    domains=(REAL,),
    dtypes=ANY,
    moves=True,
    samples=(sample((2, 3), [0]), sample((2, 3), [-1, 0]), sample((2, 3), []), sample((), []), sample((0, 2), [0])),
    source="the cotangent, reversed back",
)


def _roll(input: Tensor, shift: Any, axis: Any, name: str | None = None) -> Typed:  # noqa: A002
    if input.ndim == 0:
        raise OpError("`tf.roll` needs an axis, and a scalar has none", argument="input")
    rows = [isinstance(each, (tuple, list)) for each in (shift, axis)]
    shifts, axes = as_shape(shift, "shift"), tuple(one_axis(each, input.ndim) for each in as_shape(axis, "axis"))
    if rows[0] != rows[1] or len(shifts) != len(axes):
        raise OpError(f"`shift` and `axis` must correspond, not {shift!r} and {axis!r}", argument="shift")
    return input.type, {"shift": shifts, "axis": axes} if rows[0] else {"shift": shifts[0], "axis": axes[0]}


def _roll_vjp(g: Tensor, y: Tensor, x: Tensor, shift: Any, axis: Any) -> Tensor:
    back = tuple(-each for each in shift) if isinstance(shift, tuple) else -shift
    moved: Tensor = tf.roll(g, back, axis)
    return moved


declare(
    "tf.roll",
    _roll,
    forward=lambda x, shift, axis: np.roll(x, shift, axis),
    vjp=(_roll_vjp,),
    batching=along("axis"),
    domains=(REAL,),
    dtypes=ANY,
    moves=True,
    samples=(
        sample((2, 3), 1, 0),
        sample((2, 3), [1, -4], [0, -1]),
        sample((2, 3), [1, 1], [1, 1]),
        sample((0, 2), 1, 0),
    ),
    source="the cotangent, rolled back",
    convention="shifts of an axis that is named twice add",
)


@compose(
    "tf.ensure_shape",
    domains=(REAL,),
    dtypes=ANY,
    samples=(sample((2, 3), [2, None]), sample((), []), sample((0, 3), None)),
)
def _ensure_shape(x: Tensor, shape: Any, name: str | None = None) -> Tensor:
    wanted = x.shape if shape is None else shape
    if not isinstance(wanted, tuple):
        raise OpError(f"`shape` must be a list of sizes, not {wanted!r}", argument="shape")
    if len(wanted) != x.ndim or any(size not in (None, real) for size, real in zip(wanted, x.shape, strict=True)):
        raise OpError(f"a tensor of shape {list(x.shape)} is not of shape {list(wanted)}", argument="shape")
    return x
