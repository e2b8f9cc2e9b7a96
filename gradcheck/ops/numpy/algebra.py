"""NumPy's products of vectors and matrices, and what belongs to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gradcheck.ops.declaration import NUMERIC, REAL, REALS, OpError, Tensors, compose, find_op, sample
from gradcheck.ops.numpy.kinds import cast, whole
from gradcheck.ops.numpy.rearranging import at_front
from gradcheck.ops.shapes import as_int, broadcast, conj, one_axis
from gradcheck.ops.vocabulary import tf
from gradcheck.tensors import Tensor

CONTRACTED = find_op("tf.tensordot").dtypes


def _dot(a: Tensor, b: Tensor) -> Tensor:
    axes = [[a.ndim - 1], [max(b.ndim - 2, 0)]]
    product: Tensor = tf.tensordot(a, b, axes) if a.ndim and b.ndim else a * b
    return product


def _inner(a: Tensor, b: Tensor) -> Tensor:
    product: Tensor = tf.tensordot(a, b, [[a.ndim - 1], [b.ndim - 1]]) if a.ndim and b.ndim else a * b
    return product


def _outer(a: Tensor, b: Tensor) -> Tensor:
    product: Tensor = tf.reshape(a, [-1, 1]) * tf.reshape(b, [-1])
    return product


def _vdot(a: Tensor, b: Tensor) -> Tensor:
    return _dot(conj(tf.reshape(a, [-1])), tf.reshape(b, [-1]))


def _kron(a: Tensor, b: Tensor) -> Tensor:
    ndim = max(a.ndim, b.ndim)
    rows, columns = at_front(ndim, a), at_front(ndim, b)
    spread = tf.reshape(rows, [each for size in rows.shape for each in (size, 1)])
    blocks = spread * tf.reshape(columns, [each for size in columns.shape for each in (1, size)])
    product: Tensor = tf.reshape(blocks, [m * n for m, n in zip(rows.shape, columns.shape, strict=True)])
    return product


def _matmul(x1: Tensor, x2: Tensor) -> Tensor:
    if not x1.ndim or not x2.ndim:
        raise OpError("`tf.experimental.numpy.matmul` takes no scalars", argument="x2" if x1.ndim else "x1")
    product: Tensor
    if x2.ndim == 1:
        product = tf.tensordot(x1, x2, 1)
    elif x1.ndim == 1:
        product = tf.tensordot(x1, x2, [[0], [x2.ndim - 2]])
    else:
        product = tf.matmul(x1, x2)
    return product


def _declare(name: str, compute: Callable[..., Tensor], *samples: Any, dtypes: Any = CONTRACTED) -> None:
    compose(
        f"tf.experimental.numpy.{name}",
        domains=(REAL, REAL),
        dtypes=dtypes,
        promotes=True,
        narrow_sums=True,
        samples=samples,
    )(compute)


_declare("dot", _dot, sample((2, 3), (3, 2)), sample((2,), ()), sample((2, 3), (3,)), sample((2, 3), (2, 3, 2)))
_declare("inner", _inner, sample((3,), (3,)), sample((2, 3), (4, 3)), sample((), (2,)))
_declare("outer", _outer, sample((3,), (2,)), sample((2, 2), ()), dtypes=NUMERIC)
_declare("vdot", _vdot, sample((3,), (3,)), sample((2, 2), (2, 2)))
_declare("kron", _kron, sample((3,), (2,)), sample((2, 2), (2, 3)), sample((2,), (2, 2)), dtypes=NUMERIC)
_declare("matmul", _matmul, sample((2, 3), (3, 2)), sample((2, 2, 3), (3,)), sample((3,), (2, 3, 2)))


@compose(
    "tf.experimental.numpy.tensordot",
    domains=(REAL, REAL),
    dtypes=CONTRACTED,
    promotes=True,
    narrow_sums=True,
    samples=(sample((2, 3), (3, 2), 1), sample((2, 3), (2, 3)), sample((2, 3), (4, 2), axes=[[0], [1]])),
)
def _tensordot(a: Tensor, b: Tensor, axes: Any = 2) -> Tensor:
    product: Tensor = tf.tensordot(a, b, axes)
    return product


@compose(
    "tf.experimental.numpy.einsum",
    domains=(REAL, REAL),
    dtypes=CONTRACTED,
    promotes=True,
    narrow_sums=True,
    samples=(sample("ij,jk->ik", (2, 3), (3, 2)), sample("ii->i", (3, 3), optimize=True)),
)
def _einsum(subscripts: Any, *operands: Tensors, **kwargs: Any) -> Tensor:
    if kwargs.get("casting", "safe") not in ("safe", "no"):
        raise OpError("`casting` must be 'safe' or 'no'", argument="casting")
    product: Tensor = tf.einsum(subscripts, *operands)
    return product


@compose(
    "tf.experimental.numpy.cross",
    domains=(REAL, REAL),
    dtypes=REALS,
    promotes=True,
    samples=(
        sample((2, 3), (3,)),
        sample((3, 2), (2, 2), axisa=0),
        sample((2,), (2, 2)),
        sample((3, 2), (3, 2), axis=0),
    ),
    convention="of vectors in the plane the third coordinate",
)
def _cross(a: Tensor, b: Tensor, axisa: Any = -1, axisb: Any = -1, axisc: Any = -1, axis: Any = None) -> Tensor:
    places = (axisa, axisb, axisc) if axis is None else (axis, axis, axis)
    pair = [tf.experimental.numpy.moveaxis(each, place, -1) for each, place in zip((a, b), places, strict=False)]
    sizes = [each.shape[-1] for each in pair]
    if any(size not in (2, 3) for size in sizes):
        raise OpError(f"the vectors must have 2 or 3 coordinates, not {sizes[0]} and {sizes[1]}", argument="b")
    solid = [
        tf.pad(each, [*([0, 0] for _ in each.shape[:-1]), [0, 1]]) if each.shape[-1] == 2 else each for each in pair
    ]
    shape = broadcast(solid[0].shape, solid[1].shape)
    product: Tensor = tf.linalg.cross(*(tf.broadcast_to(each, shape) for each in solid))
    if sizes == [2, 2]:
        return product[..., 2]
    moved: Tensor = tf.experimental.numpy.moveaxis(product, -1, places[2])
    return moved


@compose(
    "tf.experimental.numpy.trace",
    domains=(REAL,),
    dtypes=NUMERIC,
    promotes=True,
    narrow_sums=True,
    samples=(sample((3, 3)), sample((2, 3), 1), sample((2, 3, 2), 0, 2, 0)),
    convention="integers become those of 64 bits, except on the main diagonal of the last axes",
)
def _trace(a: Tensor, offset: Any = 0, axis1: Any = 0, axis2: Any = 1, dtype: Any = None) -> Tensor:
    given, ends = cast(a, dtype), (one_axis(axis1, a.ndim, "axis1"), one_axis(axis2, a.ndim, "axis2"))
    total: Tensor
    if not as_int(offset, "offset") and ends == (a.ndim - 2, a.ndim - 1):
        total = tf.linalg.trace(given)
    else:
        diagonal = tf.experimental.numpy.diagonal(given, offset, axis1, axis2)
        total = tf.reduce_sum(whole(diagonal) if dtype is None else diagonal, axis=-1)
    return total


@compose(
    "tf.experimental.numpy.polyval",
    domains=(REAL, REAL),
    dtypes=NUMERIC,
    promotes=True,
    samples=(sample((3,), (2,)), sample((1,), (2,)), sample((), (2,))),
)
def _polyval(p: Tensor, x: Tensor) -> Tensor:
    coefficients = tf.unstack(at_front(1, p))
    value: Tensor = tf.math.polyval(coefficients, x)
    return value if len(coefficients) > 1 else tf.broadcast_to(value, x.shape)


@compose(
    "tf.experimental.numpy.diff",
    domains=(REAL,),
    dtypes=NUMERIC,
    promotes=True,
    samples=(sample((2, 4), n=2, axis=1), sample((3, 2), axis=0), sample((2,), 0)),
)
def _diff(a: Tensor, n: Any = 1, axis: Any = -1) -> Tensor:
    at, times = one_axis(axis, a.ndim), as_int(n, "n")
    if times < 0:
        raise OpError(f"`n` is negative: {times}", argument="n")
    before = (slice(None),) * at
    for _ in range(min(times, a.shape[at])):
        a = a[(*before, slice(1, None))] - a[(*before, slice(None, -1))]
    return a
