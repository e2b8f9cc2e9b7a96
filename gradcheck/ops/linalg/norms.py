"""Norms of vectors and matrices, and clipping by them."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.dtypes import FLOATS, Array, is_complex, is_integer
from gradcheck.ops.declaration import INEXACT, NUMERIC, POSITIVE, REAL, OpError, Tensors, compose, declare, sample
from gradcheck.ops.math.reduction import kept, reduction, total
from gradcheck.ops.shapes import as_bool, broadcast, conj, one_axis, reduced
from gradcheck.ops.vocabulary import tf
from gradcheck.tensors import Tensor

NONZERO_SAMPLES = (
    sample((2, 3)),
    sample((2, 3), axis=1),
    sample((2, 3, 2), axis=[0, -1], keepdims=True),
    sample((3, 2), axis=-2),
    sample((0, 3), axis=1),
)


def _euclidean(x: Array, axis: tuple[int, ...], keepdims: bool) -> Array:
    squares = (x * x.conj()).real if is_complex(x.dtype) else x * x
    square = np.asarray(total(squares, axis, keepdims))
    return np.sqrt(square.astype(np.float64) if is_integer(x.dtype) else square).astype(x.dtype)  # type: ignore[no-any-return]


def _euclidean_vjp(g: Tensor, y: Tensor, x: Tensor, axis: tuple[int, ...], keepdims: bool) -> Tensor:
    if is_complex(g.dtype):  # the imaginary part of the output is always 0
        g, y = tf.math.real(g), tf.math.real(y)
    inverse = kept(y / g, x, axis)  # in this order, as in TensorFlow: a cotangent of 0 gives 0 even at 0
    part: Tensor = x / (tf.cast(inverse, x.dtype) if is_complex(x.dtype) else inverse)
    return part


declare(
    "tf.math.reduce_euclidean_norm",
    reduction,
    forward=_euclidean,
    vjp=(_euclidean_vjp,),
    domains=(REAL,),
    dtypes=NUMERIC,
    errata=("complex",),
    kink=lambda x, axis, keepdims: _euclidean(x, axis, keepdims).real,
    samples=NONZERO_SAMPLES,
    source="d |x| = x / |x| dx",
    convention="NaN at 0; of complex numbers the modulus, a real number in the complex dtype, and TensorFlow then lets "
    "the imaginary part of a cotangent through",
)

ORDERS = ("euclidean", 1, 2, np.inf)
MATRIX_ORDERS = ("euclidean", "fro", 1, np.inf)


def _norm_axes(tensor: Tensor, order: Any, axis: Any) -> tuple[int, ...] | None:
    """The axis of the vector, or those of the matrix's rows and columns; None for all of them as one vector."""
    if isinstance(axis, (tuple, list)):
        if len(axis) != 2:
            raise OpError(f"`axis` must be None, an integer, or a pair for matrices, not {list(axis)}", argument="axis")
        rows, columns = (one_axis(each, tensor.ndim) for each in axis)
        if rows == columns:
            raise OpError(f"`axis` names an axis twice: {list(axis)}", argument="axis")
        if order == 2:
            raise OpError(
                "the 2-norm of a matrix is its largest singular value, which is not supported",
                argument="ord",
                help="`ord='fro'` is the root of the sum of squares",
            )
        if order not in MATRIX_ORDERS:
            raise OpError(f"`ord` of a matrix norm is 'euclidean', 'fro', 1, 2 or inf, not {order!r}", argument="ord")
        return rows, columns
    if order not in ORDERS and (not isinstance(order, (int, float)) or not order > 0):
        raise OpError(f"`ord` of a vector norm is 'euclidean', inf or a number above 0, not {order!r}", argument="ord")
    return None if axis is None else (one_axis(axis, tensor.ndim),)


@compose(
    "tf.norm",
    aliases=("tf.linalg.norm",),
    domains=(POSITIVE,),
    dtypes=INEXACT,
    samples=(
        sample((2, 3)),
        sample((2, 3), axis=-1, keepdims=True),
        sample((2, 3), ord=1),
        sample((2, 3), ord=1, axis=0),
        sample((2, 3), ord=2, axis=1),
        sample((2, 3), ord=3, axis=1),
        sample((3,), ord=2.5, keepdims=True),
        sample((2, 3), ord=np.inf),
        sample((2, 3), ord=np.inf, axis=0, keepdims=True),
        sample((2, 3, 2), ord="fro", axis=[0, -1]),
        sample((2, 3, 2), ord="euclidean", axis=[0, 1], keepdims=True),
        sample((2, 3, 2), ord=1, axis=[-2, -1]),
        sample((2, 3, 2), ord=np.inf, axis=[2, 0]),
        sample((0, 3), axis=1),
        sample([(), ()]),
    ),
    convention="NaN at 0 for the Euclidean and p-norms; the 1-norm has the slope 0 there; elements that tie in the "
    "inf-norm share equally",
)
def _norm(
    tensor: Tensor,
    ord: Any = "euclidean",  # noqa: A002  # TensorFlow's name
    axis: Any = None,
    keepdims: bool | None = None,
    name: str | None = None,
) -> Tensor:
    axes = _norm_axes(tensor, ord, axis)
    if ord in ("euclidean", "fro", 2):
        result = tf.sqrt(tf.reduce_sum(tensor * conj(tensor), axis=axes, keepdims=True))
    elif ord == 1:
        result = tf.reduce_sum(tf.abs(tensor), axis=axes and axes[0], keepdims=True)
        if axes and len(axes) == 2:
            result = tf.reduce_max(result, axis=axes[1], keepdims=True)
    elif ord == np.inf:
        result = tf.abs(tensor)
        if axes and len(axes) == 2:
            result = tf.reduce_sum(result, axis=axes[1], keepdims=True)
        result = tf.reduce_max(result, axis=axes and axes[0], keepdims=True)
    else:
        powers = tf.reduce_sum(tf.pow(tf.abs(tensor), ord), axis=axes, keepdims=True)
        result = tf.pow(powers, 1.0 / ord)
    everything = range(tensor.ndim) if axes is None else axes
    norm: Tensor = tf.reshape(result, reduced(tensor.shape, everything, as_bool(keepdims or False, "keepdims")))
    return norm


@compose(
    "tf.linalg.normalize",
    domains=(POSITIVE,),
    dtypes=INEXACT,
    several=True,
    samples=(
        sample((2, 3)),
        sample((2, 3), axis=1),
        sample((2, 3), ord=1, axis=0),
        sample((2, 3), ord=np.inf),
        sample((2, 2, 3), ord="fro", axis=[-2, -1]),
    ),
    convention="NaN at 0",
)
def _normalize(
    tensor: Tensor,
    ord: Any = "euclidean",  # noqa: A002  # TensorFlow's name
    axis: Any = None,
    name: str | None = None,
) -> list[Tensor]:
    norm = tf.norm(tensor, ord=ord, axis=axis, keepdims=True)
    if norm.dtype != tensor.dtype:
        norm = tf.cast(norm, tensor.dtype)
    return [tensor / norm, norm]


@compose(
    "tf.linalg.global_norm",
    domains=(POSITIVE,),
    dtypes=FLOATS,
    samples=(sample([(2, 3)]), sample([(2,), (), (3, 1)]), sample([(0, 2), (2,)])),
    convention="NaN where everything is 0",
)
def _global_norm(t_list: Tensors, name: str | None = None) -> Tensor:
    norm: Tensor = tf.sqrt(tf.add_n([tf.reduce_sum(tf.square(each)) for each in t_list]))
    return norm


@compose(
    "tf.clip_by_norm",
    domains=(POSITIVE, POSITIVE),
    dtypes=FLOATS,
    kink=lambda t, clip_norm, axes: np.sqrt(np.sum(t * t, axes, keepdims=True)) - clip_norm,
    samples=(
        sample((2, 3), ()),
        sample((2, 3), (), axes=[1]),
        sample((2, 3), (3,), axes=-2),
        sample((3,), np.array(9.0)),
        sample((0, 3), ()),
    ),
    convention="the identity where the norm is below `clip_norm`, also at 0; an equal one counts as clipped; "
    "a negative `clip_norm` counts as 0",
)
def _clip_by_norm(t: Tensor, clip_norm: Tensor, axes: Any = None, name: str | None = None) -> Tensor:
    if broadcast(t.shape, clip_norm.shape) != t.shape:
        raise OpError(
            f"`tf.clip_by_norm` of a tensor of shape {list(t.shape)}: `clip_norm` of shape {list(clip_norm.shape)} "
            "would make it larger",
            argument="clip_norm",
        )
    limit = tf.maximum(clip_norm, 0)
    squares = tf.reduce_sum(t * t, axis=axes, keepdims=True)
    some = squares > 0
    # The root is taken of 1 where the sum is 0, so that its infinite slope there is never multiplied by 0.
    norm = tf.where(some, tf.sqrt(tf.where(some, squares, tf.ones_like(squares))), squares)
    clipped: Tensor = t * limit / tf.maximum(norm, limit)
    return clipped
