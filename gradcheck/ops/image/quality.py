"""How alike two images are, and how much the pixels of one differ from each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcheck.dtypes import FLOAT32, FLOATS
from gradcheck.ops.declaration import NUMERIC, REAL, Cast, Interval, OpError, compose, sample
from gradcheck.ops.image.adjusting import PIXELS, converted
from gradcheck.ops.math.arithmetic import SIGNED
from gradcheck.ops.shapes import as_bool, as_float, as_int, broadcast
from gradcheck.ops.vocabulary import tf
from gradcheck.tensors import Tensor

INTENSITY = Interval(0.05, 0.95)
PEAK = Interval(1.0, 2.0)
SINGLE = "computed in float32 whatever the images are, and left so"


# Two images


def _check_alike(name: str, first: Tensor, second: Tensor) -> None:
    if min(first.ndim, second.ndim) < 3 or first.shape[-3:] != second.shape[-3:]:
        raise OpError(
            f"`{name}` needs images of one height, width and number of channels, not of shapes {list(first.shape)} "
            f"and {list(second.shape)}"
        )
    broadcast(first.shape[:-3], second.shape[:-3])


def _in_single(first: Tensor, second: Tensor, peak: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Both images and the largest intensity there could be, in float32."""
    return converted(first, FLOAT32), converted(second, FLOAT32), converted(tf.cast(peak, first.dtype), FLOAT32)


@compose(
    "tf.image.psnr",
    domains=(INTENSITY, INTENSITY, PEAK),
    dtypes=PIXELS,
    samples=(
        sample((2, 2, 1), (2, 2, 1), ()),
        sample((2, 3, 2, 2), (3, 2, 2), ()),
        sample((0, 2, 2, 1), (0, 2, 2, 1), ()),
    ),
    convention=f"{SINGLE}; of equal images the value is infinite and the gradient NaN",
)
def _psnr(a: Tensor, b: Cast, max_val: Cast, name: str | None = None) -> Tensor:
    _check_alike("tf.image.psnr", a, b)
    a, b, peak = _in_single(a, b, max_val)
    error = tf.reduce_mean(tf.math.squared_difference(a, b), axis=[-3, -2, -1])
    tenfold = float(np.log(np.float32(10)))
    ratio: Tensor = 20 * tf.math.log(peak) / tenfold - float(np.float32(10 / math.log(10))) * tf.math.log(error)
    return ratio


class _Likeness:
    """The structural similarity (Wang et al. 2004) under one Gaussian window."""

    def __init__(self, peak: Tensor, size: Any, sigma: Any, k1: Any, k2: Any) -> None:
        self._size = as_int(size, "filter_size")
        if self._size < 1:
            raise OpError(f"`filter_size` {self._size} is no size of a window", argument="filter_size")
        self._bell = self._gaussian(peak, as_float(sigma, "filter_sigma"))
        self._c1 = tf.square(as_float(k1, "k1") * peak)
        self._c2 = tf.square(as_float(k2, "k2") * peak)

    def _gaussian(self, peak: Tensor, sigma: float) -> Tensor:
        places, width = np.arange(self._size, dtype=FLOAT32), np.asarray(sigma, FLOAT32)
        from_middle = peak.context.constant(places - np.float32((self._size - 1) / 2))
        along = tf.square(from_middle) * (-0.5 / tf.square(peak.context.constant(width)))
        both = tf.reshape(along, [1, -1]) + tf.reshape(along, [-1, 1])
        bell: Tensor = tf.reshape(tf.nn.softmax(tf.reshape(both, [1, -1])), [self._size, self._size, 1, 1])
        return bell

    def _blurred(self, x: Tensor) -> Tensor:
        kernel = tf.tile(self._bell, [1, 1, x.shape[-1], 1])
        flat = tf.reshape(x, [math.prod(x.shape[:-3]), *x.shape[-3:]])
        blurred = tf.nn.depthwise_conv2d(flat, kernel, [1, 1, 1, 1], "VALID")
        image: Tensor = tf.reshape(blurred, [*x.shape[:-3], *blurred.shape[1:]])
        return image

    def maps(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """For each place of the window and each channel the likeness in luminance, and in contrast and structure."""
        if min(x.shape[-3:-1]) < self._size:
            window = f"the window of {self._size} by {self._size}"
            raise OpError(
                f"an image of {x.shape[-3]} by {x.shape[-2]} is smaller than {window}", argument="filter_size"
            )
        mean_x, mean_y = self._blurred(x), self._blurred(y)
        product = mean_x * mean_y * 2.0
        squares = tf.square(mean_x) + tf.square(mean_y)
        together = self._blurred(x * y) * 2.0
        apart = self._blurred(tf.square(x) + tf.square(y))
        luminance: Tensor = (product + self._c1) / (squares + self._c1)
        structure: Tensor = (together - product + self._c2) / (apart - squares + self._c2)
        return luminance, structure


def _over_places(x: Tensor) -> Tensor:
    mean: Tensor = tf.reduce_mean(x, axis=[-3, -2])
    return mean


def _over_channels(x: Tensor) -> Tensor:
    mean: Tensor = tf.reduce_mean(x, axis=-1)
    return mean


@compose(
    "tf.image.ssim",
    domains=(INTENSITY, INTENSITY, PEAK),
    dtypes=PIXELS,
    samples=(
        sample((3, 4, 2), (3, 4, 2), (), filter_size=3, k2=0.5),
        sample((2, 3, 3, 1), (3, 3, 1), (), 2, 0.8, 0.1, 0.6, return_index_map=True),
    ),
    convention=f"{SINGLE}; the window does not reach beyond the border",
)
def _ssim(
    img1: Tensor,
    img2: Cast,
    max_val: Cast,
    filter_size: Any = 11,
    filter_sigma: Any = 1.5,
    k1: Any = 0.01,
    k2: Any = 0.03,
    return_index_map: Any = False,
) -> Tensor:
    _check_alike("tf.image.ssim", img1, img2)
    first, second, peak = _in_single(img1, img2, max_val)
    luminance, structure = _Likeness(peak, filter_size, filter_sigma, k1, k2).maps(first, second)
    likeness = luminance * structure
    return _over_channels(likeness if as_bool(return_index_map, "return_index_map") else _over_places(likeness))


MULTISCALE = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


def _halved(x: Tensor) -> Tensor:
    """Each square of four pixels as its mean; where a side is odd, its last row stands twice."""
    flat = tf.reshape(x, [math.prod(x.shape[:-3]), *x.shape[-3:]])
    odd = [size % 2 for size in x.shape[-3:-1]]
    if any(odd):
        flat = tf.pad(flat, [[0, 0], [0, odd[0]], [0, odd[1]], [0, 0]], mode="SYMMETRIC")
    half = tf.nn.avg_pool(flat, [1, 2, 2, 1], [1, 2, 2, 1], "VALID")
    image: Tensor = tf.reshape(half, [*x.shape[:-3], *half.shape[1:]])
    return image


@compose(
    "tf.image.ssim_multiscale",
    domains=(Interval(0.3, 0.4), Interval(0.3, 0.4), PEAK),
    dtypes=PIXELS,
    samples=(
        sample((3, 4, 1), (3, 4, 1), (), (0.4, 0.6), 2, k2=0.5),
        sample((2, 4, 4, 1), (1, 4, 4, 1), (), [1.0], 3, 0.8, 0.1, 0.5),
    ),
    convention=f"{SINGLE}; at a scale whose structure has a negative mean it counts as 0, where a power below 1 has no "
    "finite slope",
)
def _ssim_multiscale(
    img1: Tensor,
    img2: Cast,
    max_val: Cast,
    power_factors: Any = MULTISCALE,
    filter_size: Any = 11,
    filter_sigma: Any = 1.5,
    k1: Any = 0.01,
    k2: Any = 0.03,
) -> Tensor:
    _check_alike("tf.image.ssim_multiscale", img1, img2)
    powers = _powers(power_factors)
    first, second, peak = _in_single(img1, img2, max_val)
    likeness = _Likeness(peak, filter_size, filter_sigma, k1, k2)
    scales: list[Tensor] = []
    for last in (at == len(powers) - 1 for at in range(len(powers))):
        luminance, structure = likeness.maps(first, second)
        scales.append(tf.nn.relu(_over_places(luminance * structure if last else structure)))
        if not last:
            first, second = _halved(first), _halved(second)
    weighted = tf.pow(tf.stack(scales, -1), powers)
    return _over_channels(tf.reduce_prod(weighted, axis=[-1]))


def _powers(given: Any) -> Sequence[float]:
    if not isinstance(given, (tuple, list)) or not given:
        raise OpError("`power_factors` must be a list with a number for each scale", argument="power_factors")
    return [as_float(each, "power_factors") for each in given]


# One image


def _steps(images: Tensor, axis: int) -> Tensor:
    """Each pixel less the one before it."""
    whole = (slice(None),) * axis
    before = images[(*whole, slice(None, -1))]  # first, so that its part is added last on the way back, as TensorFlow's
    steps: Tensor = images[(*whole, slice(1, None))] - before
    return steps


@compose(
    "tf.image.total_variation",
    domains=(REAL,),
    dtypes=SIGNED,
    kink=lambda x: np.concatenate([np.diff(x, axis=axis).ravel() for axis in (-3, -2)]),
    samples=(sample((2, 3, 2)), sample((2, 3, 1, 1)), sample((1, 1, 2)), sample((0, 2, 2, 1))),
    convention="0 between equal pixels",
)
def _total_variation(images: Tensor, name: str | None = None) -> Tensor:
    if images.ndim not in (3, 4):
        raise OpError(f"one image has rank 3 and a batch rank 4, not shape {list(images.shape)}", argument="images")
    height, axes = images.ndim - 3, [images.ndim - 3, images.ndim - 2, images.ndim - 1]
    down, across = (tf.reduce_sum(tf.abs(_steps(images, axis)), axis=axes) for axis in (height, height + 1))
    variation: Tensor = down + across
    return variation


def _batch(name: str, image: Tensor) -> None:
    if image.ndim != 4:
        raise OpError(f"`{name}` takes a batch of images, of rank 4, not shape {list(image.shape)}", argument="image")


@compose(
    "tf.image.image_gradients",
    domains=(REAL,),
    dtypes=NUMERIC,
    several=True,
    samples=(sample((2, 3, 2, 1)), sample((1, 1, 2, 2)), sample((0, 2, 2, 1))),
    convention="the differences to the next pixel down and to the right, 0 in the last row and column",
)
def _image_gradients(image: Tensor) -> list[Tensor]:
    _batch("tf.image.image_gradients", image)

    def differences(axis: int) -> Tensor:
        border = [1 if at == axis else size for at, size in enumerate(image.shape)]
        padded: Tensor = tf.concat([_steps(image, axis), tf.zeros(border, image.dtype)], axis)
        return padded

    return [differences(1), differences(2)]


# Rows of the kernel, its columns, and the two kernels: down and across.
SOBEL = np.stack(
    [[[-1, -2, -1], [0, 0, 0], [1, 2, 1]], [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]],
    -1,
)


@compose(
    "tf.image.sobel_edges",
    domains=(REAL,),
    dtypes=FLOATS,
    samples=(sample((2, 3, 2, 1)), sample((1, 2, 4, 2))),
    convention="beyond the border the image is mirrored at its outermost pixels",
)
def _sobel_edges(image: Tensor) -> Tensor:
    _batch("tf.image.sobel_edges", image)
    kernels = np.repeat(SOBEL[:, :, np.newaxis], image.shape[-1], 2).astype(image.dtype)
    padded = tf.pad(image, [[0, 0], [1, 1], [1, 1], [0, 0]], mode="REFLECT")
    edges = tf.nn.depthwise_conv2d(padded, image.context.constant(kernels), [1, 1, 1, 1], "VALID")
    both: Tensor = tf.reshape(edges, [*image.shape, 2])
    return both
