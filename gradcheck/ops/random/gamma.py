"""Numbers of the gamma distribution, and how they move with its shape."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from gradcheck.dtypes import DTYPES, FLOAT32, FLOAT64, Array, DType
from gradcheck.ops.declaration import SAME, Interval, Literal, Op, OpError, compose, sample
from gradcheck.ops.random import slopes
from gradcheck.ops.random.distributions import fractions, normals
from gradcheck.ops.random.drawing import as_target, concealed
from gradcheck.ops.random.philox import Stream
from gradcheck.ops.random.seeds import RESERVED, Kernel, as_vector, ending, settling, stateless
from gradcheck.ops.shapes import Typed, broadcast, elementwise
from gradcheck.ops.vocabulary import tf
from gradcheck.program import Shape, TensorType
from gradcheck.tensors import Tensor

WIDE = (FLOAT32, FLOAT64)
SHAPES = Interval(0.3, 4.0)
SQUEEZE = 0.0331
PAIR = 2
"""How many numbers in float64 a block makes."""
Made = Callable[[Array, DType], Array]
"""Numbers from the words of blocks."""
TERMS = 500
"""How many terms TensorFlow sums at most for a slope."""
CONVENTION = (
    "the gradient is that of a number that keeps its place in the distribution as this changes (implicit "
    "reparameterisation), and none flows where the number is raised to the smallest normal one; TensorFlow's is wrong "
    "above a shape of 10^4, in float32 of 10^3, and it has no second derivative"
)


class _Feed:
    """Random numbers for many rows, each of which takes blocks of its own stretch as it needs them."""

    def __init__(self, stream: Stream, places: Array) -> None:
        self._stream = stream
        self._places = places.copy()
        kinds: tuple[Made, ...] = (normals, fractions)
        self._buffers = {made: np.zeros((len(places), PAIR)) for made in kinds}
        self._left = {made: np.zeros(len(places), np.int64) for made in kinds}

    def take(self, made: Made, rows: Array) -> Array:
        """The next number of each of `rows`, made from words by `made`; those of a block come from its end."""
        numbers, left = self._buffers[made], self._left[made]
        empty = rows[left[rows] == 0]
        numbers[empty] = made(self._stream.at(self._places[empty]), FLOAT64)
        self._places[empty] += np.uint64(1)
        left[empty] = PAIR
        left[rows] -= 1
        found: Array = numbers[rows, left[rows]]
        return found


def _drawn(alpha: Array, stream: Stream, shape: Shape, real: str) -> Array:
    """Numbers of the dtype `real` for each of `alpha`, whose axes are the last ones of `shape`.

    Source: Marsaglia and Tsang 2000, A simple method for generating gamma variables. For a shape below 1 the number of
    the next larger one is multiplied by a power of a uniform number; where it is 1 the logarithm of one is taken.
    """
    samples = prod(shape[: len(shape) - alpha.ndim])
    places = np.arange(alpha.size * samples, dtype=np.uint64) * np.uint64(RESERVED)
    a = np.repeat(alpha.astype(FLOAT64).reshape(-1), samples)
    d = a + np.where(a < 1, 2 / 3, -1 / 3)
    c = 1 / 3 / np.sqrt(d)
    found, feed = np.zeros_like(a), _Feed(stream, places)
    plain = a == 1
    found[plain] = -np.log1p(-fractions(stream.at(places[plain]), FLOAT64)[:, -1])
    waiting = np.flatnonzero(~plain)
    while waiting.size:
        x = feed.take(normals, waiting)
        v = 1 + c[waiting] * x
        positive = ~(v <= 0)
        rows, x, v = waiting[positive], x[positive], v[positive]
        v = v * v * v
        u = feed.take(fractions, rows)
        squeezed = u < 1 - SQUEEZE * (x * x) * (x * x)
        taken = squeezed | (np.log(u) < 0.5 * x * x + d[rows] * (1 - v + np.log(v)))
        found[rows[taken]] = (d[rows] * v)[taken]
        waiting = np.concatenate([waiting[~positive], rows[~taken]])
    small = np.flatnonzero(a < 1)
    found[small] *= feed.take(fractions, small) ** (1 / a[small])
    return np.ascontiguousarray(found.reshape(-1, samples).T).reshape(shape).astype(DTYPES[real])


def _drawn_type(alpha: Tensor, stream: Stream, shape: Shape) -> Typed:
    return TensorType(shape, alpha.dtype), {"stream": stream, "shape": shape, "real": alpha.dtype.name}


DRAWN = concealed("random.gamma", _drawn_type, _drawn, dtypes=WIDE)


def _moved(number: Array, alpha: Array, held: Array) -> Array:
    """The numbers in the same place of the distribution of `alpha` as they are in that of `held`."""
    if np.array_equal(alpha, held, equal_nan=True):
        return number
    from scipy import special

    below = special.gammaincinv(alpha, special.gammainc(held, number))
    above = special.gammainccinv(alpha, special.gammaincc(held, number))
    return np.where(alpha == held, number, np.where(number < held, below, above))


MOVED = concealed(
    "random.gamma_moved",
    elementwise("number", "alpha", "held"),
    _moved,
    vjp=(None, lambda g, y, number, alpha, held: g * SLOPE(alpha, y), None),
    domains=(SHAPES, SHAPES),
    dtypes=WIDE,
    source="the distribution function stays as it is (Figurnov et al. 2018, Implicit reparameterization gradients)",
)


def _no_third(*_: Tensor) -> Tensor:
    raise OpError("the third derivative of a gamma number by the shape of its distribution is not known")


BEND = concealed(
    "random.gamma_bend",
    elementwise("alpha", "sample"),
    lambda alpha, sample: slopes.bend(alpha, sample).astype(alpha.dtype),
    vjp=(_no_third, _no_third),
    domains=(SHAPES, SHAPES),
    dtypes=WIDE,
    source="the second derivative of the distribution function by the shape, over minus the density",
)


def _outside(alpha: Tensor, x: Tensor) -> Tensor:
    """The derivative of the density's logarithm by the shape."""
    found: Tensor = tf.math.log(x) - tf.math.digamma(alpha)
    return found


def _slope(alpha: Array, sample: Array) -> Array:
    found: Array = slopes.slope(alpha, sample).astype(alpha.dtype)
    return found


SLOPE: Op = concealed(
    "random.gamma_slope",
    elementwise("alpha", "sample"),
    _slope,
    vjp=(
        lambda h, y, alpha, x: h * (BEND(alpha, x) - y * _outside(alpha, x)),
        lambda h, y, alpha, x: -h * (_outside(alpha, x) + y * ((alpha - 1) / x - 1)),
    ),
    domains=(SHAPES, SHAPES),
    dtypes=WIDE,
    rounding=lambda alpha, sample: np.sqrt(TERMS) * np.abs(_slope(alpha, sample)),
    source="the derivative of the distribution function by the shape, over minus the density",
)


def _gamma(alpha: Tensor, stream: Stream, shape: Shape) -> Tensor:
    held = tf.stop_gradient(alpha)
    number = tf.stop_gradient(DRAWN(held, stream, shape))
    moved: Tensor = MOVED(number, alpha, held)
    return moved


def _together(alpha: Tensor, beta: Tensor | None) -> Shape:
    return alpha.shape if beta is None else broadcast(alpha.shape, beta.shape)


def _spread(alpha: Tensor, beta: Tensor | None) -> Tensor:
    shape = _together(alpha, beta)
    return alpha if shape == alpha.shape else tf.broadcast_to(alpha, shape)


def _scaled(number: Tensor, beta: Tensor | None) -> Tensor:
    tiny = np.finfo(number.dtype).tiny
    positive: Tensor = tf.maximum(tiny, number if beta is None else number / beta)
    return positive


def _kernel(shape: Any, alpha: Tensor, beta: Tensor | None, **_: Any) -> Kernel:
    return Kernel("RandomGamma", alpha.dtype, prod((*as_vector(shape), *_together(alpha, beta))))


@compose(
    "tf.random.gamma",
    domains=(SHAPES, SHAPES),
    dtypes=WIDE,
    settle=settling(_kernel),
    samples=(
        sample([2], (3,), dtype=SAME, seed=1),
        sample([], (3,), (2, 1), dtype=SAME),
        sample([5], np.array([1.0, 0.3]), dtype=SAME, seed=2),
    ),
    convention=CONVENTION,
)
def _gamma_numbers(
    shape: Any,
    alpha: Literal,
    beta: Literal | None = None,
    dtype: Any = FLOAT32,
    seed: Any = None,
    name: str | None = None,
) -> Tensor:
    as_target(dtype, WIDE)
    spread = _spread(alpha, beta)
    return _scaled(_gamma(spread, seed.stream, (*as_vector(shape), *spread.shape)), beta)


@compose(
    "tf.random.stateless_gamma",
    domains=(SHAPES, SHAPES),
    dtypes=WIDE,
    samples=(
        sample([2, 3], [1, 2], (3,), dtype=SAME),
        sample([2, 2, 3], [1, 2], (3,), (2, 1), dtype=SAME),
        sample([5, 2], [3, 4], np.array([1.0, 0.3]), dtype=SAME),
    ),
    convention=CONVENTION,
)
def _stateless_gamma(
    shape: Any,
    seed: Any,
    alpha: Literal,
    beta: Literal | None = None,
    dtype: Any = FLOAT32,
    name: str | None = None,
) -> Tensor:
    as_target(dtype, WIDE)
    spread = _spread(alpha, beta)
    return _scaled(_gamma(spread, stateless(seed), ending(shape, spread.shape)), beta)


@compose(
    "tf.raw_ops.StatelessRandomGammaV2",
    domains=(SHAPES,),
    dtypes=WIDE,
    samples=(sample([2, 3], [1, 2], (3,)),),
    convention=CONVENTION,
)
def _raw_gamma(shape: Any, seed: Any, alpha: Tensor, name: str | None = None) -> Tensor:
    return _gamma(alpha, stateless(seed), ending(shape, alpha.shape))
