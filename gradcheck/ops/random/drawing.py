"""What the operations draw from with and without a state share: numbers of a stream as tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gradcheck.dtypes import FLOATS, INT32, INT64, Array, DType, is_float
from gradcheck.ops.arrays.creation import constant
from gradcheck.ops.arrays.shaping import as_dtype
from gradcheck.ops.declaration import Op, OpError, conceal
from gradcheck.ops.random import distributions
from gradcheck.ops.random.distributions import Draw
from gradcheck.ops.random.philox import Stream
from gradcheck.ops.shapes import Function, Typed, check_room
from gradcheck.program import Shape, TensorType
from gradcheck.tensors import Tensor

UNIFORM = (*FLOATS, INT32, INT64)
CONSTANT = "the numbers drawn are constants: the gradient flows to what they are scaled and shifted by"


def as_target(dtype: Any, allowed: tuple[DType, ...]) -> DType:
    """The dtype to draw in, one of those that TensorFlow draws."""
    target = as_dtype(dtype)
    if target not in allowed:
        raise OpError(f"TensorFlow draws no {target.name} here", argument="dtype")
    return target


def drawn(draw: Draw, stream: Stream, shape: Shape, dtype: DType) -> Tensor:
    """Numbers of a stream as a constant."""
    check_room(shape)
    return constant(draw(stream, shape, dtype))


def spread_normal(draw: Draw, stream: Stream, shape: Shape, mean: Tensor, stddev: Tensor) -> Tensor:
    """Normal numbers, whole or truncated, with that mean and standard deviation."""
    return drawn(draw, stream, shape, mean.dtype) * stddev + mean


def spread_uniform(stream: Stream, shape: Shape, dtype: DType, low: Tensor | None, high: Tensor | None) -> Tensor:
    """Uniform numbers from `low` to below `high`; None is 0 and 1, and for integers the ends of their range."""
    if is_float(dtype):
        found = drawn(distributions.uniform, stream, shape, dtype)
        if high is not None:
            found = found * (high if low is None else high - low)
        elif low is not None:
            found = found * (1 - low)
        return found if low is None else found + low
    if low is None or high is None:
        return drawn(distributions.whole, stream, shape, dtype)
    whole: Tensor = INTEGERS(low, high, stream, shape)
    return whole


def concealed(name: str, function: Function, forward: Callable[..., Array], **details: Any) -> Op:
    """A step of an operation that TensorFlow has no public function for; `details` as of an `Op`."""
    family = name.partition(".")[0]
    return conceal(Op(name=name, function=function, family=family, forward=forward, **{"domains": (), **details}))


def _integers_type(low: Tensor, high: Tensor, stream: Stream, shape: Shape) -> Typed:
    for name, each in (("minval", low), ("maxval", high)):
        if each.ndim:
            raise OpError(f"`{name}` of integers must be a scalar, not of shape {list(each.shape)}", argument=name)
    return TensorType(shape, low.dtype), {"stream": stream, "shape": shape}


def _integers(low: Array, high: Array, stream: Stream, shape: Shape) -> Array:
    if low >= high:
        raise ValueError(f"`minval` {low} must be below `maxval` {high}")
    return distributions.integers(stream, shape, low.dtype, int(low), int(high))


INTEGERS = concealed("random.integers", _integers_type, _integers, dtypes=(INT32, INT64))
