"""Windows to weigh frames with."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck.dtypes import FLOAT32, FLOAT64, FLOATS, DType
from gradcheck.ops.arrays.creation import constant
from gradcheck.ops.arrays.shaping import as_dtype
from gradcheck.ops.declaration import Cast, Interval, OpError, compose, find_op, sample
from gradcheck.ops.shapes import as_bool, as_int, check_room
from gradcheck.ops.vocabulary import tf
from gradcheck.tensors import Tensor, as_array

WindowFunction = Callable[..., Any]
"""`function(length, dtype=dtype)` gives a tensor of `length` numbers: an operation, or the user's own function."""

BETA = Interval(0.2, 4.0)


def float_dtype(dtype: Any) -> DType:
    """The `dtype` argument of what can only be made of floats."""
    found = as_dtype(dtype)
    if found not in FLOATS:
        raise OpError(f"`dtype` must be a floating dtype, not {found.name}", argument="dtype")
    return found


def _positions(window_length: Any, dtype: DType) -> tuple[int, Tensor]:
    """The length of a window and the numbers 0, 1, 2, … of its elements."""
    length = as_int(window_length, "window_length")
    if length < 0:
        raise OpError(f"`window_length` is negative: {length}", argument="window_length")
    check_room((length,))
    return length, constant(np.arange(length).astype(dtype))


def _raised_cosine(window_length: Any, periodic: Any, dtype: Any, mean: float, swing: float) -> Tensor:
    target = float_dtype(dtype)
    length, positions = _positions(window_length, target)
    period = length - 1 + (as_bool(periodic, "periodic") and length % 2 == 0)
    if length == 1:
        one: Tensor = tf.ones([1], target)
        return one
    turns = positions * constant(as_array(2 * math.pi, target)) / period
    window: Tensor = mean - swing * tf.cos(turns)
    return window


PERIODIC = "a window of odd length is the same with and without `periodic`"
SAMPLES = (
    sample(6),
    sample(5, dtype=FLOAT64),
    sample(4, False, FLOAT64),
    sample(1),
    sample(0),
)


@compose("tf.signal.hann_window", domains=(), dtypes=FLOATS, samples=SAMPLES, convention=PERIODIC)
def _hann_window(window_length: Any, periodic: Any = True, dtype: Any = FLOAT32, name: str | None = None) -> Tensor:
    return _raised_cosine(window_length, periodic, dtype, 0.5, 0.5)


@compose("tf.signal.hamming_window", domains=(), dtypes=FLOATS, samples=SAMPLES, convention=PERIODIC)
def _hamming_window(window_length: Any, periodic: Any = True, dtype: Any = FLOAT32, name: str | None = None) -> Tensor:
    return _raised_cosine(window_length, periodic, dtype, 0.54, 0.46)


@compose("tf.signal.vorbis_window", domains=(), dtypes=FLOATS, samples=(sample(6), sample(5, FLOAT64), sample(0)))
def _vorbis_window(window_length: Any, dtype: Any = FLOAT32, name: str | None = None) -> Tensor:
    target = float_dtype(dtype)
    length, positions = _positions(window_length, target)
    rise = tf.sin(math.pi / constant(as_array(length, target)) * (positions + 0.5))
    window: Tensor = tf.sin(math.pi / 2 * tf.pow(rise, 2.0))
    return window


@compose(
    "tf.signal.kaiser_window",
    domains=(BETA,),
    dtypes=FLOATS,
    samples=(
        sample(5, ()),
        sample(4, (), FLOAT64),
        sample(3, (2, 1), FLOAT64),
        sample(1, ()),
        sample(6),
    ),
    convention="a window of one element is 1 and not connected to `beta`",
)
def _kaiser_window(window_length: Any, beta: Cast = 12.0, dtype: Any = FLOAT32, name: str | None = None) -> Tensor:  # type: ignore[assignment]  # TensorFlow's default
    target = float_dtype(dtype)
    length, positions = _positions(window_length, target)
    if length == 0:
        raise OpError("a Kaiser window has at least one element", argument="window_length")
    if length == 1:
        one: Tensor = tf.ones([1], target)
        return one
    half = (length - 1) / 2
    root = tf.sqrt(tf.nn.relu(1 - tf.square((positions - half) / half)))
    height = tf.cast(beta, target)
    inner = height * root
    ratio = tf.math.bessel_i0e(inner) / tf.math.bessel_i0e(height)
    window: Tensor = tf.exp(inner - height) * ratio
    return window


@compose(
    "tf.signal.kaiser_bessel_derived_window",
    domains=(BETA,),
    dtypes=FLOATS,
    samples=(sample(6, ()), sample(5, (), FLOAT64), sample(1, ())),
    convention="of an odd length the last element is left out",
)
def _kaiser_bessel_derived_window(
    window_length: Any,
    beta: Cast = 12.0,  # type: ignore[assignment]  # TensorFlow's default
    dtype: Any = FLOAT32,
    name: str | None = None,
) -> Tensor:
    half = as_int(window_length, "window_length") // 2
    if half < 0:
        raise OpError(f"`window_length` is negative: {window_length}", argument="window_length")
    sums = tf.cumsum(tf.signal.kaiser_window(half + 1, beta, dtype))
    rising = tf.sqrt(sums[:-1] / sums[-1])
    window: Tensor = tf.concat([rising, rising[::-1]], 0)
    return window


HANN = find_op("tf.signal.hann_window")
VORBIS = find_op("tf.signal.vorbis_window")


def windowed(frames: Tensor, window_fn: WindowFunction | None, length: int) -> Tensor:
    """`frames` weighed with the window of `length`; as they are where there is none."""
    return frames if window_fn is None else frames * _made(window_fn, length, frames.dtype, "window_fn")


def _made(window_fn: WindowFunction, length: int, dtype: DType, parameter: str) -> Tensor:
    """The window that a function gives, in the operations that it is written in."""
    if not callable(window_fn):
        raise OpError(f"`{parameter}` must be a function, not {window_fn!r}", argument=parameter)
    try:
        window: Tensor = window_fn(length, dtype=dtype)
    except TypeError as error:
        raise OpError(f"`{parameter}` takes a length and a `dtype`: {error}", argument=parameter) from error
    return window


def inverse_stft_window_fn(
    frame_step: Any, forward_window_fn: WindowFunction = HANN, name: str | None = None
) -> WindowFunction:
    """`tf.signal.inverse_stft_window_fn`: the window that undoes another, where frames overlap after `frame_step`.

    It is the other divided by the sum of its squares over all the frames that an element is in (Griffin and Lim 1984,
    Signal estimation from modified short-time Fourier transform, equation 7), and 0 where that is 0. Calling it
    raises `OpError` for a step that is not positive.
    """

    def window(frame_length: Any, dtype: Any) -> Tensor:
        length, step = as_int(frame_length, "frame_length"), as_int(frame_step, "frame_step")
        if step < 1:
            raise OpError(f"`frame_step` must be positive, not {step}", argument="frame_step")
        forward = _made(forward_window_fn, length, float_dtype(dtype), "forward_window_fn")
        overlaps = -(-length // step)
        check_room((overlaps * step,))
        squares = tf.reshape(tf.pad(tf.square(forward), [[0, overlaps * step - length]]), [overlaps, step])
        sums = tf.tile(tf.reduce_sum(squares, 0), [overlaps])[:length]
        inverse: Tensor = tf.where(tf.equal(sums, 0), tf.zeros_like(forward), forward / sums)
        return inverse

    return window
