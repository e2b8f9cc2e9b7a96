"""Discrete cosine transforms of four types over the last axis."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.dtypes import FLOAT32, FLOAT64, Array
from gradcheck.ops.batching import aligned
from gradcheck.ops.declaration import REAL, OpError, Sample, compose, declare, sample
from gradcheck.ops.shapes import Typed, as_int
from gradcheck.ops.signal.transforms import fast, fitted, spread_error, transformed_axes
from gradcheck.ops.vocabulary import tf
from gradcheck.program import TensorType
from gradcheck.tensors import Tensor

REALS = (FLOAT32, FLOAT64)
TRANSPOSED = {1: 1, 2: 3, 3: 2, 4: 4}
"""For each type that of its inverse, which up to factors is its transpose."""


def _checked(op: str, x: Tensor, type_: Any, n: Any, axis: Any, norm: Any) -> int:
    """The number of points to transform; `OpError` for what TensorFlow refuses."""
    (size,) = transformed_axes(op, "input", x, 1)
    if axis != -1:
        raise OpError(f"`{op}` transforms the last axis: `axis` must be -1, not {axis!r}", argument="axis")
    if not isinstance(type_, int) or type_ not in TRANSPOSED:
        raise OpError(f"`type` must be 1, 2, 3 or 4, not {type_!r}", argument="type")
    if norm not in (None, "ortho"):
        raise OpError(f"`norm` must be None or 'ortho', not {norm!r}", argument="norm")
    if type_ == 1 and norm is not None:
        raise OpError("the transform of type 1 cannot be orthonormal", argument="norm")
    points = size if n is None else as_int(n, "n")
    if n is not None and points < 1:
        raise OpError(f"`n` must be positive, not {points}", argument="n")
    if type_ == 1 and min(size, points) < 2:
        raise OpError(f"the transform of type 1 needs at least two points, not {min(size, points)}", argument="input")
    return points


def _dct_type(
    input: Tensor,  # noqa: A002  # TensorFlow's names
    type: Any = 2,  # noqa: A002
    n: Any = None,
    axis: Any = -1,
    norm: Any = None,
    name: str | None = None,
) -> Typed:
    points = _checked("tf.signal.dct", input, type, n, axis, norm)
    return TensorType((*input.shape[:-1], points), input.dtype), {"type": type, "n": n, "norm": norm}


def _count(x: Tensor | Array, n: int | None) -> int:
    return x.shape[-1] if n is None else n


def _dct(x: Array, type: int, n: int | None, norm: str | None) -> Array:  # noqa: A002
    if x.size == 0:
        return np.zeros((*x.shape[:-1], _count(x, n)), x.dtype)
    transformed: Array = fast().dct(x, type, n, norm=norm)
    return transformed


def _dct_vjp(g: Tensor, y: Tensor, x: Tensor, type: int, n: int | None, norm: str | None) -> Tensor:  # noqa: A002
    plain = norm is None
    if plain and type in (1, 2):
        g = g * _single(type, g.shape[-1], 2.0)
    back = tf.signal.dct(g, TRANSPOSED[type], norm=norm)
    if plain and type in (1, 3):
        back = back * _single(type, g.shape[-1], 0.5)
    return fitted(back, x.shape)


def _single(type: int, count: int, factor: float) -> Array:  # noqa: A002
    """`factor` for the terms that count once where others count twice: the first, in type 1 also the last."""
    row = np.ones(count)
    row[:1] = factor
    if type == 1:
        row[-1:] = factor
    return row


def _dct_rounding(x: Array, type: int, n: int | None, norm: str | None) -> Array:  # noqa: A002
    """A cosine transform is a Fourier transform of twice as many points."""
    count = _count(x, n)
    gain = 2.0 if norm is None else np.sqrt(2 / max(count, 1))
    return gain * spread_error(x, 1, (2 * count,))


SAMPLES: tuple[Sample, ...] = (
    sample((2, 4)),
    sample((2, 3), norm="ortho"),
    sample((2, 4), 1),
    sample((2, 3), 3),
    sample((5,), 3, norm="ortho"),
    sample((3,), 4),
    sample((2, 4), 4, norm="ortho"),
    sample((1,)),
)
declare(
    "tf.signal.dct",
    _dct_type,
    forward=_dct,
    vjp=(_dct_vjp,),
    batching=aligned,
    domains=(REAL,),
    dtypes=REALS,
    rounding=_dct_rounding,
    samples=(
        *SAMPLES,
        sample((2, 3), n=5),
        sample((4,), 3, 2, norm="ortho"),
        sample((3,), 1, 2),
        sample((3,), 4, 4),
        sample((2, 0)),
    ),
    source="types 1 and 4 are symmetric, 2 and 3 each other's transpose, but for the factors 2 of single terms (Strang "
    "1999, The discrete cosine transform)",
    convention="what `n` cuts off gets 0",
)


@compose("tf.signal.idct", domains=(REAL,), dtypes=REALS, samples=SAMPLES)
def _idct(
    input: Tensor,  # noqa: A002
    type: Any = 2,  # noqa: A002
    n: Any = None,
    axis: Any = -1,
    norm: Any = None,
    name: str | None = None,
) -> Tensor:
    _checked("tf.signal.idct", input, type, n, axis, norm)
    transformed: Tensor = tf.signal.dct(input, TRANSPOSED[type], n, norm=norm)
    return transformed
