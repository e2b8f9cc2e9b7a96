"""Images resized by interpolation."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.dtypes import DTYPES, FLOAT32, FLOATS, NARROW
from gradcheck.ops.declaration import REAL, OpError, compose, sample
from gradcheck.ops.image.cropping import at_least_one, rows_and_columns
from gradcheck.ops.image.resampling import resampled
from gradcheck.ops.image.taps import KERNELS, Axis
from gradcheck.ops.shapes import as_bool, as_float, as_row
from gradcheck.ops.vocabulary import tf
from gradcheck.program import Shape
from gradcheck.tensors import Tensor

RESIZED = (*FLOATS, *(DTYPES[name] for name in ("int8", "int16", "int32", "int64", "uint8", "uint16")))

TABLES = ("bilinear", "nearest", "bicubic", "area")
"""The methods that TensorFlow has an operation for."""
SAMPLED = ("lanczos3", "lanczos5", "gaussian", "mitchellcubic")
"""Those that sample a kernel, as two others do with `antialias`."""
ANTIALIASED = {"bilinear": "triangle", "bicubic": "keyscubic"}


@compose(
    "tf.image.resize",
    domains=(REAL,),
    dtypes=RESIZED,
    samples=(
        sample((2, 2, 3, 2), [4, 2]),
        sample((3, 2, 1), [2, 5], preserve_aspect_ratio=True),
        sample((1, 1, 1, 1), [2, 3]),
        sample((2, 3, 2, 1), [2, 4], "nearest"),
        sample((1, 4, 3, 2), [3, 7], "bicubic"),
    ),
    convention="the centres of the pixels count, so that the outermost new pixels lie outside of the old centres; the "
    "weights are those of float32, the result is float32 but for 'nearest', which takes the pixel behind where two "
    "are equally near; 'bicubic' has its kernel in 1024 steps and no gradient for 16-bit floats; TensorFlow has none "
    "for 'area', for other methods and `antialias` in float32 alone, and no second order",
)
def _resize(
    images: Tensor,
    size: Any,
    method: Any = "bilinear",
    preserve_aspect_ratio: Any = False,
    antialias: Any = False,
    name: str | None = None,
) -> Tensor:
    if method not in (*TABLES, *SAMPLED):
        known = ", ".join(repr(each) for each in (*TABLES, *SAMPLED))
        raise OpError(f"`method` must be one of {known}, not {method!r}", argument="method")
    given = rows_and_columns(images, "images")
    target = as_row(size, "size")
    if len(target) != 2:
        raise OpError(f"`size` must be `[height, width]`, not {list(target)}", argument="size")
    if as_bool(preserve_aspect_ratio, "preserve_aspect_ratio"):
        target = _fitted(given, target)
    if as_bool(antialias, "antialias"):
        method = ANTIALIASED.get(method, method)
    if method in KERNELS:
        return _by_kernel(images, target, method, antialias)
    _check_sizes(images, target)
    rows, columns = (Axis(method, *each) for each in zip(given, target, strict=True))
    if method == "bicubic" and images.dtype in NARROW:
        images = tf.stop_gradient(images)
    return resampled(images, rows, columns, images.dtype if method == "nearest" else FLOAT32)


def _check_sizes(images: Tensor, target: Shape) -> None:
    if min(target) < 1:
        raise OpError(f"`size` {list(target)} must be positive", argument="size")
    if 0 in images.shape[-3:]:
        raise OpError(f"images of shape {list(images.shape)} are empty and cannot be resized", argument="images")


def _fitted(given: Shape, target: Shape) -> Shape:
    """The largest size of the given proportions inside the target, computed in float32."""
    sizes = np.asarray(given, FLOAT32)
    if not sizes.all():
        raise OpError(f"an image of {given[0]} rows and {given[1]} columns cannot be resized", argument="images")
    scale = (np.asarray(target, FLOAT32) / sizes).min()
    return tuple(int(each) for each in np.rint(scale * sizes))


def _by_kernel(images: Tensor, target: Shape, kernel: str, antialias: Any) -> Tensor:
    given = rows_and_columns(images, "images")
    _check_sizes(images, target)
    scale = np.asarray(target, FLOAT32) / np.asarray(given, FLOAT32)
    axes = [
        Axis(kernel, size, count, float(factor), 0.0, bool(antialias))
        for size, count, factor in zip(given, target, scale, strict=True)
    ]
    return resampled(images, axes[0], axes[1], FLOAT32)


_KERNEL_SAMPLES = tuple(
    sample((1, 3, 4, 2), [4, 2], [1.5, 0.5], [0.25, -0.5], kernel) for kernel in KERNELS if kernel != "box"
)


@compose(
    "tf.raw_ops.ScaleAndTranslate",
    domains=(REAL,),
    dtypes=(FLOAT32,),
    samples=(
        *_KERNEL_SAMPLES,
        sample((1, 2, 5, 1), [3, 2], [1.5, 0.5], [0.5, 0.0], "box", antialias=False),
        sample((1, 3, 3, 1), [4, 4], [1.0, 1.0], [2.0, 0.5], "triangle"),
    ),
    convention="the weights of a pixel add up to 1 also at the border; a pixel whose centre comes from outside of the "
    "image is 0; the weights are those of float32; TensorFlow has no second order",
)
def _scale_and_translate(
    images: Tensor,
    size: Any,
    scale: Any,
    translation: Any,
    kernel_type: Any = "lanczos3",
    antialias: Any = True,
    name: str | None = None,
) -> Tensor:
    op = "tf.raw_ops.ScaleAndTranslate"
    if images.ndim != 4:
        raise OpError(f"`{op}` takes images of rank 4, not of shape {list(images.shape)}", argument="images")
    if kernel_type not in KERNELS:
        raise OpError(f"`kernel_type` must be one of {', '.join(KERNELS)}, not {kernel_type!r}", argument="kernel_type")
    given, target = images.shape[1:3], as_row(size, "size")
    pairs = {"size": target, "scale": scale, "translation": translation}
    for parameter, pair in pairs.items():
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            raise OpError(f"`{parameter}` must have a number for rows and one for columns", argument=parameter)
    factors = [as_float(each, "scale") for each in scale]
    if not all(np.finfo(FLOAT32).tiny <= each <= np.finfo(FLOAT32).max for each in factors):
        raise OpError(f"`scale` {factors} must be positive numbers of float32", argument="scale")
    shifts = [as_float(each, "translation") for each in translation]
    _check_sizes(images, target)
    smooth = as_bool(antialias, "antialias")
    rows, columns = (Axis(kernel_type, *each, smooth) for each in zip(given, target, factors, shifts, strict=True))
    return resampled(images, rows, columns, FLOAT32)


@compose(
    "tf.image.resize_with_pad",
    domains=(REAL,),
    dtypes=RESIZED,
    samples=(sample((1, 2, 4, 2), 4, 4), sample((4, 2, 1), 2, 3, "nearest"), sample((2, 3, 2, 1), 3, 6)),
    convention="the odd one of the zeros goes behind; as `tf.image.resize`",
)
def _resize_with_pad(
    image: Tensor, target_height: Any, target_width: Any, method: Any = "bilinear", antialias: Any = False
) -> Tensor:
    given = rows_and_columns(image, "image")
    target = at_least_one(target_height=target_height, target_width=target_width)
    if not all(given):
        raise OpError(f"an image of {given[0]} rows and {given[1]} columns cannot be resized", argument="image")
    sizes, room = np.asarray(given, FLOAT32), np.asarray(target, FLOAT32)
    wanted = sizes / (sizes / room).max()
    height, width = np.floor(wanted).astype(int).tolist()
    top, left = np.maximum(np.floor((room - wanted) / 2), 0).astype(int).tolist()
    resized = tf.image.resize(image, [height, width], method, antialias=antialias)
    padded: Tensor = tf.image.pad_to_bounding_box(resized, top, left, *target)
    return padded
