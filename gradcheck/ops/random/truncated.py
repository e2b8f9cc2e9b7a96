"""Normal numbers between bounds of their own, and how they move with these."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from itertools import count
from math import prod
from typing import Any, NamedTuple

import numpy as np

from gradcheck.dtypes import DTYPES, FLOAT16, FLOAT32, FLOAT64, Array, DType
from gradcheck.ops.declaration import POSITIVE, Interval, Literal, Op, OpError, compose, sample
from gradcheck.ops.random.distributions import fractions, normals
from gradcheck.ops.random.drawing import concealed
from gradcheck.ops.random.philox import Stream
from gradcheck.ops.random.seeds import ending, stateless
from gradcheck.ops.shapes import Typed, broadcast, elementwise
from gradcheck.ops.vocabulary import tf
from gradcheck.program import Shape, TensorType
from gradcheck.tensors import Tensor

REALS = (FLOAT16, FLOAT32, FLOAT64)
MOST = 1000
"""How often the kernel tries for one number before it gives up."""
ROOM = 1.3
"""Normal numbers are drawn and refused where the bounds leave this much room, in standard deviations."""
CHUNK = 64
LARGEST = 800
"""For more numbers TensorFlow shares the work among threads, and what they draw depends on how many there are."""
NEAR = 0.5
NODES, WEIGHTS = (
    (0.01985507175123188, 0.10166676129318663, 0.2372337950418355, 0.40828267875217511),
    (0.05061426814518813, 0.11119051722668724, 0.15685332293894364, 0.18134189168918099),
)
"""The lower half of the rule of Gauss and Legendre with eight points on [0, 1]."""
NAMES = ("means", "stddevs", "minvals", "maxvals")


class Bounds(NamedTuple):
    """The parameters of one distribution, mirrored where that makes the lower bound the nearer one."""

    mean: Any
    stddev: Any
    low: Any
    high: Any

    @classmethod
    def of(cls, mean: Any, stddev: Any, minval: Any, maxval: Any) -> Bounds:
        """Bounds in standard deviations; raises `ValueError` for what TensorFlow refuses."""
        if not (stddev > 0 and minval < maxval and (np.isfinite(minval) or np.isfinite(maxval))):
            raise ValueError(f"no normal distribution with deviation {stddev} lies between {minval} and {maxval}")
        if minval == -np.inf or maxval < mean:
            minval, maxval, stddev = maxval, minval, -stddev
        return cls(mean, stddev, (minval - mean) / stddev, (maxval - mean) / stddev)


def _blocks(stream: Stream) -> Iterator[Array]:
    for chunk in count():
        yield from stream.skipped(chunk * CHUNK).blocks(CHUNK)


def _numbers(bounds: Bounds, blocks: Iterator[Array], dtype: DType) -> Iterator[tuple[Any, bool]]:
    """Numbers one after the other, in standard deviations, and whether each is accepted.

    Source: Robert 1995, Simulation of truncated normal variables. By the place of the bounds the proposals are normal,
    uniform between the bounds, or exponential from the lower one on.
    """
    two, half = dtype.type(2), dtype.type(0.5)
    low, high = bounds.low, bounds.high
    root = np.sqrt(low * low + dtype.type(4))
    cutoff = two * np.exp(half + (low * (low - root)) / dtype.type(4)) / (low + root)
    room = dtype.type(ROOM)
    if (low < -room and high >= 0) or (high > room and low <= 0):
        for block in blocks:
            for z in normals(block, dtype).astype(dtype):
                yield z, bool(low <= z <= high)
    elif high - low < cutoff:
        most = dtype.type(0) if low < 0 else low * low
        for block in blocks:
            z = fractions(block, dtype) * (high - low) + low
            accepted = fractions(next(blocks), dtype) <= np.exp((most - z * z) / two)
            yield from zip(z, accepted.tolist(), strict=True)
    else:
        rate = (low + root) / two
        for block in blocks:
            uniform = fractions(block, dtype)
            z = -np.log(uniform[0::2]) / rate + low
            x = rate - z if low < rate else np.full_like(z, low - rate)
            accepted = (uniform[1::2] <= np.exp(-x * x / two)) & (z < high)
            yield from zip(z, accepted.tolist(), strict=True)


def _drawn(
    means: Array, stddevs: Array, minvals: Array, maxvals: Array, stream: Stream, shape: Shape, real: str
) -> Array:
    """Numbers of the dtype `real`, for all distributions from one stretch of the stream."""
    dtype = DTYPES[real]
    parameters = [each.astype(dtype) for each in np.broadcast_arrays(means, stddevs, minvals, maxvals)]
    batch = parameters[0].shape
    samples = prod(shape[: len(shape) - len(batch)])
    found = np.zeros((prod(batch), samples), dtype)
    if not found.size:
        return found.reshape(shape)
    blocks = _blocks(stream)
    for row, given in zip(found, zip(*[each.reshape(-1) for each in parameters], strict=True), strict=True):
        bounds, at, tries = Bounds.of(*given), 0, 0
        for z, accepted in _numbers(bounds, blocks, dtype):
            if accepted:
                row[at] = z * bounds.stddev + bounds.mean
                at, tries = at + 1, 0
                if at == samples:
                    break
            else:
                tries += 1
                if tries >= MOST:
                    raise ValueError(f"no number between the bounds was found in {MOST} tries")
    return np.ascontiguousarray(found.T).reshape(shape)


def _drawn_type(
    means: Tensor, stddevs: Tensor, minvals: Tensor, maxvals: Tensor, stream: Stream, shape: Shape
) -> Typed:
    return TensorType(shape, means.dtype), {"stream": stream, "shape": shape, "real": means.dtype.name}


DRAWN = concealed("random.truncated_normal", _drawn_type, _drawn, dtypes=REALS)


def _hazard(low: Array, high: Array) -> Array:
    """The normal density at `high` over its integral from `low` to `high`, also where both are small."""
    from scipy.special import erfcx, ndtr

    a, b = (np.asarray(each, np.float64) for each in np.broadcast_arrays(low, high))
    width = b - a
    fall = np.exp(-np.abs(width * (b + a)) / 2)  # from the larger density to the smaller one
    density = np.sqrt(2 / np.pi)
    above = density * fall / (erfcx(a / np.sqrt(2)) - erfcx(b / np.sqrt(2)) * fall)
    below = density / (erfcx(-b / np.sqrt(2)) - erfcx(-a / np.sqrt(2)) * fall)
    around = density / 2 * np.exp(-b * b / 2) / (ndtr(b) - ndtr(a))
    found = np.where(a >= 0, above, np.where(b <= 0, below, around))
    near = np.abs(width) * np.maximum(1, np.abs(b)) < NEAR
    s = np.where(near, width, 0)
    mean = sum(
        weight * (np.exp(b * s * at - (s * at) ** 2 / 2) + np.exp(b * s * (1 - at) - (s * (1 - at)) ** 2 / 2))
        for at, weight in zip(NODES, WEIGHTS, strict=True)
    )
    result: Array = np.where(near, 1 / (width * mean), found).astype(low.dtype)
    return result


HAZARD: Op = concealed(
    "random.normal_hazard",
    elementwise("low", "high"),
    _hazard,
    vjp=(
        lambda g, y, low, high: g * y * HAZARD(-high, -low),
        lambda g, y, low, high: -g * y * (high + y),
    ),
    domains=(Interval(-2.0, -0.5), Interval(0.5, 2.0)),
    dtypes=REALS,
    source="the quotient rule; by symmetry the density at the other end is that at the mirrored one",
)


def _moved(number: Array, *parameters: Array) -> Array:
    """The numbers in the same place of one distribution as they are in another; both have four parameters."""
    now, held = parameters[:4], parameters[4:]
    if all(np.array_equal(one, other) for one, other in zip(now, held, strict=True)):
        return number
    from scipy.special import ndtr, ndtri

    def bounds(mean: Array, stddev: Array, low: Array, high: Array) -> tuple[Array, Array]:
        return (low - mean) / stddev, (high - mean) / stddev

    (a, b), (a0, b0) = bounds(*now), bounds(*held)
    side = np.where(a0 > 0, -1.0, 1.0)  # beyond the mean the mirrored distribution function is the exact one
    z0 = (number - held[0]) / held[1]
    share = (ndtr(side * z0) - ndtr(side * a0)) / (ndtr(side * b0) - ndtr(side * a0))
    z = side * ndtri(ndtr(side * a) + share * (ndtr(side * b) - ndtr(side * a)))
    found: Array = z * now[1] + now[0]
    return found


def _moved_rule(g: Tensor, y: Tensor, number: Tensor, *parameters: Tensor) -> list[Tensor | None]:
    """Source: Figurnov et al. 2018. Moved as a whole, or stretched from the mean, the distribution takes y along."""
    mean, stddev, low, high = parameters[:4]
    z, a, b = ((each - mean) / stddev for each in (y, low, high))
    by_low = HAZARD(-b, -a) / HAZARD(-b, -z)
    by_high = HAZARD(a, b) / HAZARD(a, z)
    by_stddev = z - tf.math.multiply_no_nan(a, by_low) - tf.math.multiply_no_nan(b, by_high)
    return [None, g * (1 - by_low - by_high), g * by_stddev, g * by_low, g * by_high, None, None, None, None]


MOVED = concealed(
    "random.truncated_normal_moved",
    elementwise("number", *NAMES, *(f"held_{name}" for name in NAMES)),
    _moved,
    joint_vjp=_moved_rule,
    domains=(POSITIVE,) * 5,
    dtypes=REALS,
    source="the distribution function stays as it is",
)


@compose(
    "tf.random.stateless_parameterized_truncated_normal",
    domains=(Interval(-1.0, 1.0), POSITIVE, Interval(-4.0, -1.5), Interval(1.5, 4.0)),
    dtypes=REALS,
    errata=("gradient",),
    samples=(
        sample([3], [1, 2], (), (), (), ()),
        sample([2, 2, 3], [1, 2], (3,), (2, 1), (), (2, 3)),
        sample([4], [3, 4], np.array(0.0), np.array(1.0), np.array(2.0), np.array(2.5)),
        sample([4], [3, 4], np.array(0.5), np.array(0.5), np.array(-9.0), np.array(-3.0)),
    ),
    convention="the gradient is that of a number that keeps its place in the distribution as this changes (implicit "
    "reparameterisation); TensorFlow takes the bounds to move along with the mean and the deviation, and is not finite "
    "for bounds far on one side",
)
def _truncated_normal(
    shape: Any,
    seed: Any,
    means: Literal = 0.0,  # type: ignore[assignment]  # a number becomes a tensor
    stddevs: Literal = 1.0,  # type: ignore[assignment]
    minvals: Literal = -2.0,  # type: ignore[assignment]
    maxvals: Literal = 2.0,  # type: ignore[assignment]
    name: str | None = None,
) -> Tensor:
    parameters = (means, stddevs, minvals, maxvals)
    for parameter, each in zip(NAMES, parameters, strict=True):
        if each.dtype != means.dtype:
            raise OpError(
                f"`{parameter}` is {each.dtype.name} where {means.dtype.name} is needed; numbers are float32 here",
                argument=parameter,
            )
    batch = reduce(broadcast, [each.shape for each in parameters])
    sizes = ending(shape, batch)
    if prod(sizes) > LARGEST:
        raise OpError(
            f"of more than {LARGEST} numbers TensorFlow draws others with another number of threads", argument="shape"
        )
    held = [tf.stop_gradient(each) for each in parameters]
    number = tf.stop_gradient(DRAWN(*held, stateless(seed), sizes))
    moved: Tensor = MOVED(number, *parameters, *held)
    return moved
