"""The dtype and the brightness of images."""

from __future__ import annotations

from typing import Any

import numpy as np
from ml_dtypes import finfo

from gradcheck.dtypes import FLOAT16, FLOAT32, FLOATS, INTEGERS, Array, DType, is_float, is_integer
from gradcheck.ops.arrays.shaping import as_dtype
from gradcheck.ops.declaration import NUMERIC, REAL, REALS, Cast, Interval, OpError, compose, sample
from gradcheck.ops.image.turning import check_image
from gradcheck.ops.shapes import as_bool, as_float
from gradcheck.ops.vocabulary import tf
from gradcheck.tensors import Tensor

BRIGHT = Interval(0.2, 0.9)
PIXELS = (*FLOATS, *(each for each in INTEGERS if each.itemsize <= 4))
"""Of wider integers TensorFlow's float32 holds too little for the result to mean anything."""
SINGLE = "computed in float32 for float64 and bfloat16, too, and converted back"


def _highest(dtype: DType) -> int:
    return int(np.iinfo(dtype).max)


def _saturated(x: Tensor, dtype: DType) -> Tensor:
    """`x` as integers of `dtype`, what is beyond their range as its end."""
    low, high = _limits(x.dtype, np.iinfo(dtype))
    within: Tensor = tf.cast(tf.minimum(tf.maximum(x, low), high), dtype)
    return within


def _limits(source: DType, target: np.iinfo[Any]) -> Array:
    """The ends of `target`'s range as numbers of `source` that lie inside of both."""
    own = np.iinfo(source) if is_integer(source) else finfo(source)  # type: ignore[no-untyped-call]
    low, high = max(np.asarray(own.min).item(), target.min), min(np.asarray(own.max).item(), target.max)
    ends: Array = np.array([low, high]).astype(source)
    if ends[1].item() > high:  # the largest integer is no number of this dtype
        ends[1] = np.nextafter(ends[1], np.zeros((), source))
    return ends


def converted(image: Tensor, dtype: DType, *, saturate: bool = False) -> Tensor:
    """`tf.image.convert_image_dtype`: integers stand for shares of the largest one."""
    source = image.dtype
    result: Tensor
    if source == dtype:
        result = tf.identity(image)
    elif is_float(source) and is_float(dtype):
        result = tf.cast(image, dtype)
    elif is_integer(source) and is_float(dtype):
        result = tf.cast(image, dtype) * (1.0 / _highest(source))
    elif is_float(source):
        scaled = image * (_highest(dtype) + 0.5)
        result = _saturated(scaled, dtype) if saturate else tf.cast(scaled, dtype)
    elif _highest(source) > _highest(dtype):
        scaled = image // ((_highest(source) + 1) // (_highest(dtype) + 1))
        result = _saturated(scaled, dtype) if saturate else tf.cast(scaled, dtype)
    else:
        whole = _saturated(image, dtype) if saturate else tf.cast(image, dtype)
        result = whole * ((_highest(dtype) + 1) // (_highest(source) + 1))
    return result


@compose(
    "tf.image.convert_image_dtype",
    domains=(BRIGHT,),
    dtypes=REALS,
    samples=(
        sample((1, 2, 3), FLOAT32),
        sample((1, 2, 3), np.dtype(np.float64)),
        sample((2, 3), np.dtype(np.uint8), saturate=True),
        sample((0, 3), np.dtype(np.int16)),
    ),
    convention="integers stand for shares of the largest one of their dtype; through an integer nothing flows",
)
def _convert_image_dtype(image: Tensor, dtype: Any, saturate: Any = False, name: str | None = None) -> Tensor:
    target = as_dtype(dtype)
    if target not in REALS:
        raise OpError(f"an image is of floats or integers, not {target.name}", argument="dtype")
    return converted(image, target, saturate=as_bool(saturate, "saturate"))


def _in_float(image: Tensor) -> Tensor:
    return image if image.dtype in (FLOAT16, FLOAT32) else converted(image, FLOAT32)


@compose(
    "tf.image.adjust_brightness",
    domains=(BRIGHT, Interval(-0.5, 0.5)),
    dtypes=PIXELS,
    samples=(sample((1, 2, 3), ()), sample((2, 3, 2), (2,)), sample((0, 3), ())),
    convention=SINGLE,
)
def _adjust_brightness(image: Tensor, delta: Cast) -> Tensor:
    floating = _in_float(image)
    return converted(floating + tf.cast(delta, floating.dtype), image.dtype, saturate=True)


@compose(
    "tf.image.adjust_gamma",
    domains=(BRIGHT,),
    dtypes=PIXELS,
    samples=(sample((1, 2, 3)), sample((2, 3), 0.7, 1.1), sample((2, 3, 1), gamma=2, gain=-0.5), sample((0, 3), 2)),
    convention=f"{SINGLE}; at 0 the slope of a gamma below 1 is infinite",
)
def _adjust_gamma(image: Tensor, gamma: Any = 1, gain: Any = 1) -> Tensor:
    power = as_float(gamma, "gamma")
    if power < 0:
        raise OpError(f"`gamma` must not be negative, and it is {gamma}", argument="gamma")
    return converted(as_float(gain, "gain") * _in_float(image) ** power, image.dtype, saturate=True)


@compose(
    "tf.image.per_image_standardization",
    domains=(REAL,),
    dtypes=NUMERIC,
    samples=(sample((2, 3, 2)), sample((2, 2, 2, 3)), sample((0, 2, 2, 1))),
    convention="computed in float32 whatever the image is, and left so; the imaginary parts of complex numbers are "
    "left out; the deviation counts as at least the inverse root of the number of pixels, where its slope is 0",
)
def _per_image_standardization(image: Tensor) -> Tensor:
    check_image(image)
    single = tf.cast(image, FLOAT32)
    axes = [image.ndim - 1, image.ndim - 2, image.ndim - 3]
    count = int(np.prod(image.shape[-3:]))
    deviation = tf.math.reduce_std(single, axis=axes, keepdims=True)
    least = tf.math.rsqrt(single.context.constant(np.asarray(count, FLOAT32)))
    standard: Tensor = (single - tf.reduce_mean(single, axis=axes, keepdims=True)) / tf.maximum(deviation, least)
    return standard
