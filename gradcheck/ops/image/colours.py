"""From one colour space to another."""

from __future__ import annotations

import numpy as np

from gradcheck.dtypes import FLOAT32, FLOATS, Array
from gradcheck.ops.batching import aligned
from gradcheck.ops.declaration import ANY, INEXACT, REAL, REALS, Interval, OpError, compose, declare, sample
from gradcheck.ops.image.adjusting import converted
from gradcheck.ops.shapes import Typed
from gradcheck.ops.vocabulary import tf
from gradcheck.tensors import Tensor

INTENSITY = Interval(0.05, 0.95)


def _check_channels(images: Tensor, count: int) -> None:
    if images.ndim == 0 or images.shape[-1] != count:
        raise OpError(f"the last axis must have {count} channels, and the shape is {list(images.shape)}")


# Linear maps of the channels


LUMA = (0.2989, 0.5870, 0.1140)
# A row for each channel that comes in, a column for each that goes out.
MATRICES = {
    "rgb_to_yiq": (
        (0.299, 0.59590059, 0.2115),
        (0.587, -0.27455667, -0.52273617),
        (0.114, -0.32134392, 0.31119955),
    ),
    "yiq_to_rgb": (
        (1.0, 1.0, 1.0),
        (0.95598634, -0.27201283, -1.10674021),
        (0.6208248, -0.64720424, 1.70423049),
    ),
    "rgb_to_yuv": (
        (0.299, -0.14714119, 0.61497538),
        (0.587, -0.28886916, -0.51496512),
        (0.114, 0.43601035, -0.10001026),
    ),
    "yuv_to_rgb": (
        (1.0, 1.0, 1.0),
        (0.0, -0.394642334, 2.03206185),
        (1.13988303, -0.58062185, 0.0),
    ),
}


def _linear(name: str) -> None:
    @compose(
        f"tf.image.{name}",
        domains=(INTENSITY,),
        dtypes=INEXACT,
        samples=(sample((2, 1, 2, 3)), sample((3,)), sample((0, 3))),
        convention="TensorFlow's numbers for NTSC's matrix; there and back again is not quite the same"
        if "yiq" in name
        else "TensorFlow's numbers for PAL's matrix; there and back again is not quite the same",
    )
    def function(images: Tensor) -> Tensor:
        _check_channels(images, 3)
        mixed: Tensor = tf.tensordot(images, MATRICES[name], [[images.ndim - 1], [0]])
        return mixed


for each in MATRICES:
    _linear(each)


@compose(
    "tf.image.rgb_to_grayscale",
    domains=(INTENSITY,),
    dtypes=REALS,
    samples=(sample((2, 1, 2, 3)), sample((3,)), sample((0, 3))),
    convention="computed in float32 whatever the images are, and converted back",
)
def _rgb_to_grayscale(images: Tensor, name: str | None = None) -> Tensor:
    _check_channels(images, 3)
    luma = tf.tensordot(converted(images, FLOAT32), LUMA, [[images.ndim - 1], [0]])
    return converted(tf.expand_dims(luma, -1), images.dtype)


@compose(
    "tf.image.grayscale_to_rgb",
    domains=(REAL,),
    dtypes=ANY,
    samples=(sample((2, 1, 2, 1)), sample((2, 1)), sample((0, 2, 1))),
)
def _grayscale_to_rgb(images: Tensor, name: str | None = None) -> Tensor:
    if images.ndim < 2:
        raise OpError(f"a grayscale image has at least two axes, not shape {list(images.shape)}", argument="images")
    _check_channels(images, 1)
    threefold: Tensor = tf.tile(images, [1] * (images.ndim - 1) + [3])
    return threefold


# Hue, saturation and value


def _colours(images: Tensor, name: str | None = None) -> Typed:
    _check_channels(images, 3)
    return images.type, {}


def _rgb_to_hsv(rgb: Array) -> Array:
    red, green, blue = np.moveaxis(rgb, -1, 0)
    value = rgb.max(-1)
    spread = value - rgb.min(-1)
    part = 1 / (6 * spread)
    hue = np.select(
        [red == value, green == value],
        [part * (green - blue), part * (blue - red) + 2 / 6],
        part * (red - green) + 4 / 6,
    )
    hue = np.where(spread > 0, hue, 0)
    return np.stack([np.where(hue < 0, hue + 1, hue), np.where(value > 0, spread / value, 0), value], -1)


def _ends(rgb: Tensor) -> tuple[Tensor, Tensor]:
    """1 for the largest and for the smallest channel of each pixel, 0 for the others."""
    red, green, blue = (rgb[..., at] for at in range(3))
    largest = [
        tf.logical_and(red >= blue, red >= green),
        tf.logical_and(green > red, green >= blue),
        tf.logical_and(blue > red, blue > green),
    ]
    smallest = [
        tf.logical_and(red < blue, red < green),
        tf.logical_and(green <= red, green < blue),
        tf.logical_and(blue <= red, blue <= green),
    ]
    return tf.cast(tf.stack(largest, -1), rgb.dtype), tf.cast(tf.stack(smallest, -1), rgb.dtype)


def _rgb_to_hsv_vjp(g: Tensor, y: Tensor, rgb: Tensor) -> Tensor:
    def picked(mask: Tensor) -> Tensor:
        channel: Tensor = tf.reduce_sum(mask * rgb, axis=-1, keepdims=True)
        return channel

    def inverse(x: Tensor) -> Tensor:
        found: Tensor = tf.math.divide_no_nan(tf.ones_like(x), x)
        return found

    top, bottom = _ends(rgb)
    value, least = picked(top), picked(bottom)
    bright = tf.cast(value > 0, rgb.dtype)
    # With the channel behind the largest one, p, and the one before it, q: hue = k + (p - q) / 6 (value - least).
    beside = tf.roll(top, 1, -1) - tf.roll(top, -1, -1)
    part = inverse(value - least)
    hue = (beside - picked(beside) * part * (top - bottom)) * part / 6
    saturation = bright * (top * least * inverse(tf.square(value)) - bottom * inverse(value))
    slope: Tensor = g[..., 0:1] * hue + g[..., 1:2] * saturation + g[..., 2:3] * top
    return slope


def _nearest_kink(rgb: Array) -> Array:
    pairs = np.stack([rgb[..., 0] - rgb[..., 1], rgb[..., 1] - rgb[..., 2], rgb[..., 2] - rgb[..., 0]], -1)
    nearest: Array = np.minimum(np.abs(pairs), np.abs(rgb))
    return nearest


declare(
    "tf.image.rgb_to_hsv",
    _colours,
    forward=_rgb_to_hsv,
    vjp=(_rgb_to_hsv_vjp,),
    batching=aligned,
    domains=(INTENSITY,),
    kink=_nearest_kink,
    samples=(
        sample((2, 2, 4, 3)),
        sample(np.array([[0.2, 0.6, 0.4], [0.9, 0.1, 0.3], [0.3, 0.5, 0.8], [0.8, 0.3, 0.1], [0.6, 0.2, 0.7]])),
        sample((0, 3)),
    ),
    source="with the largest channel M, the smallest m and the two beside the largest, p and q: value M, saturation "
    "1 - m / M, hue a constant and (p - q) / 6 (M - m) (A. R. Smith 1978, Color gamut transform pairs)",
    convention="of equal channels red comes before green before blue as the largest, and after them as the smallest; "
    "grey has no slope of the hue, and black none of the saturation; TensorFlow leaves out the saturation's slope by a "
    "channel that is not above 0, and the hue's where none is",
)


def _hsv_to_rgb(hsv: Array) -> Array:
    hue, saturation, value = (hsv[..., at : at + 1] for at in range(3))
    distance = np.abs(6 * hue - np.array([3, 2, 4], hsv.dtype))
    full = np.clip(np.array([-1, 2, 2], hsv.dtype) + np.array([1, -1, -1], hsv.dtype) * distance, 0, 1)
    rgb: Array = ((1 - saturation) + saturation * full) * value
    return rgb


declare(
    "tf.image.hsv_to_rgb",
    _colours,
    forward=_hsv_to_rgb,
    vjp=(None,),
    batching=aligned,
    domains=(),
    dtypes=FLOATS,
    samples=(sample((2, 2, 4, 3)), sample((3,)), sample((0, 3))),
    source="A. R. Smith 1978, Color gamut transform pairs",
    convention="not connected: TensorFlow declares that it has no gradient",
)
