"""Which pixels along one axis make a pixel of the resized image, and with what weights.

The weights are TensorFlow's: it computes them in float32, whatever the dtype of the image, and takes those of the
bicubic method from a table. So they are computed here in float32 in the same order, and used as exact numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from gradcheck.dtypes import FLOAT32, INT64, Array
from gradcheck.ops.image.sums import Sums, sums


class Axis(NamedTuple):
    """How one axis of an image is resized."""

    method: str
    size: int
    target: int
    scale: float = 1.0
    shift: float = 0.0
    antialias: bool = False
    """The last three are for the methods that are a kernel of `KERNELS`."""


@lru_cache(maxsize=64)
def taps(axis: Axis) -> Sums:
    """The weights of one axis. As many numbers as the axis has pixels before or after, times those of one window."""
    if axis.method in KERNELS:
        indices, weights = _sampled(axis)
    else:
        indices, weights = _METHODS[axis.method](axis.size, axis.target)
    return sums(indices, weights, axis.size)


def _centres(size: int, target: int) -> Array:
    """Where the centres of the new pixels lie among the old ones, of which the first is at 0."""
    found: Array = (np.arange(target, dtype=FLOAT32) + np.float32(0.5)) * _scale(size, target) - np.float32(0.5)
    return found


def _scale(size: int, target: int) -> np.float32:
    return np.float32(size) / np.float32(target)


def _nearest(size: int, target: int) -> tuple[Array, Array]:
    middle = (np.arange(target, dtype=FLOAT32) + np.float32(0.5)) * _scale(size, target)
    at = np.clip(np.floor(middle).astype(INT64), 0, size - 1)[:, np.newaxis]
    return at, np.ones(at.shape, FLOAT32)


def _bilinear(size: int, target: int) -> tuple[Array, Array]:
    at = _centres(size, target)
    below = np.floor(at)
    share = at - below
    pairs = np.stack([below, np.ceil(at)], axis=1).astype(INT64)
    return np.clip(pairs, 0, size - 1), np.stack([1 - share, share], axis=1)


TABLE = 1024
"""How many steps between two pixels TensorFlow's bicubic method tells apart."""


def _bicubic(size: int, target: int) -> tuple[Array, Array]:
    at = _centres(size, target)
    below = np.floor(at)
    step = np.rint((at - below) * TABLE).astype(INT64)
    near, far = _bicubic_table()
    indices = below.astype(INT64)[:, np.newaxis] + np.arange(-1, 3)
    weights = np.stack([far[step], near[step], near[TABLE - step], far[TABLE - step]], axis=1)
    weights = np.where((indices >= 0) & (indices < size), weights, 0)
    return indices, _normalized(weights)


@lru_cache(maxsize=1)
def _bicubic_table() -> tuple[Array, Array]:
    """The cubic kernel with a = -1/2 at each step of the distances from 0 to 1 and from 1 to 2."""
    a, x = -0.5, (np.arange(TABLE + 1) / TABLE).astype(FLOAT32)
    near = ((a + 2) * x.astype(float) - (a + 3)) * x * x + 1
    x = (x + 1).astype(float)
    far = ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
    return near.astype(FLOAT32), far.astype(FLOAT32)


def _area(size: int, target: int) -> tuple[Array, Array]:
    scale = _scale(size, target)
    low = np.arange(target, dtype=FLOAT32) * scale
    high = np.arange(1, target + 1, dtype=FLOAT32) * scale
    first = np.floor(low).astype(INT64)
    width = int((np.ceil(high) - first).max())
    indices = first[:, np.newaxis] + np.arange(width)
    covered = np.minimum(indices + 1, high[:, np.newaxis]) - np.maximum(indices, low[:, np.newaxis])
    covered = np.where((indices < low[:, np.newaxis]) & (indices + 1 > high[:, np.newaxis]), scale, covered)
    beyond = indices >= np.ceil(high)[:, np.newaxis]
    indices = np.where(beyond, -1, np.minimum(indices, size - 1))
    return indices, (covered / scale).astype(FLOAT32)


_METHODS = {"nearest": _nearest, "bilinear": _bilinear, "bicubic": _bicubic, "area": _area}


# Kernels that are sampled wherever the image is moved to


def _box(x: Array) -> Array:
    return np.where(x < 0.5, 1, np.where(x == 0.5, 0.5, 0))


def _lanczos(radius: float) -> Callable[[Array], Array]:
    def kernel(x: Array) -> Array:
        turned = np.float32(np.pi) * np.maximum(x, np.float32(1e-3))
        found = radius * np.sin(turned) * np.sin(turned / radius) / (turned * turned)
        return np.where(x > radius, 0, np.where(x <= 1e-3, 1, found))

    return kernel


def _gaussian(x: Array) -> Array:
    return np.where(x >= 1.5, 0, np.exp(-x * x / (2 * 0.5 * 0.5)))


def _keys_cubic(x: Array) -> Array:
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    near = ((1.5 * x - 2.5) * x) * x + 1
    return np.where(x >= 2, 0, np.where(x >= 1, far, near))


def _mitchell_cubic(x: Array) -> Array:
    far = ((np.float32(-7 / 18) * x + 2) * x - np.float32(10 / 3)) * x + np.float32(16 / 9)
    near = ((np.float32(7 / 6) * x - 2) * x) * x + np.float32(8 / 9)
    return np.where(x >= 2, 0, np.where(x >= 1, far, near))


class Kernel(NamedTuple):
    """A weight for each distance, measured in pixels; 0 beyond `radius`."""

    radius: float
    weight: Callable[[Array], Array]


KERNELS = {
    "lanczos1": Kernel(1, _lanczos(1)),
    "lanczos3": Kernel(3, _lanczos(3)),
    "lanczos5": Kernel(5, _lanczos(5)),
    "gaussian": Kernel(1.5, _gaussian),
    "box": Kernel(0.5, _box),
    "triangle": Kernel(1, lambda x: np.where(x < 1, 1 - x, 0)),
    "keyscubic": Kernel(2, _keys_cubic),
    "mitchellcubic": Kernel(2, _mitchell_cubic),
}


def reach(axis: Axis) -> int:
    """At most so many pixels are summed for a new one, where a kernel is sampled."""
    return min(2 * math.ceil(_radius(axis)) + 1, axis.size)


def _radius(axis: Axis) -> np.float32:
    """How far the kernel reaches, which is made wider where the image becomes smaller."""
    return np.float32(KERNELS[axis.method].radius) * _stretch(axis)


def _stretch(axis: Axis) -> np.float32:
    inverse = np.float32(1) / np.float32(axis.scale)
    return inverse if axis.antialias and inverse > 1 else np.float32(1)


def _sampled(axis: Axis) -> tuple[Array, Array]:
    """The kernel around the place that each new pixel comes from."""
    kernel, inverse = KERNELS[axis.method], np.float32(1) / np.float32(axis.scale)
    stretch, radius = _stretch(axis), _radius(axis)
    at = (np.arange(axis.target, dtype=FLOAT32) + np.float32(0.5)) * inverse - inverse * np.float32(axis.shift)
    outside = (at < 0) | (at > axis.size)
    low = np.clip(np.ceil(at - radius - np.float32(0.5)), 0, axis.size - 1).astype(INT64)
    high = np.clip(np.floor(at + radius - np.float32(0.5)), 0, axis.size - 1).astype(INT64)
    low, high = np.where(outside, 0, low), np.where(outside, -1, high)
    indices = low[:, np.newaxis] + np.arange((high - low).max(initial=-1) + 1)
    distances = np.abs((indices.astype(FLOAT32) + np.float32(0.5) - at[:, np.newaxis]) * (1 / stretch))
    weights = np.where(indices <= high[:, np.newaxis], kernel.weight(distances), 0).astype(FLOAT32)
    return indices, _normalized(weights)


def _normalized(weights: Array) -> Array:
    """Each row divided by its sum, as long as that is a number to divide by."""
    total = weights.sum(axis=1, keepdims=True)
    divisible = np.abs(total) >= 1000 * np.finfo(FLOAT32).tiny
    scaled: Array = np.where(divisible, weights * (1 / np.where(divisible, total, 1)), weights)
    return scaled
