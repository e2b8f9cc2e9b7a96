"""Images seen through a projective transformation of the plane."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from gradcheck.dtypes import FLOAT32, Array
from gradcheck.ops.declaration import REAL, Op, OpError, conceal, declare, sample
from gradcheck.ops.image.sums import Sums, sums
from gradcheck.ops.shapes import Typed, as_float, as_row
from gradcheck.ops.vocabulary import tf
from gradcheck.program import Shape, TensorType
from gradcheck.tensors import Tensor

INTERPOLATIONS = ("NEAREST", "BILINEAR")
FILLS = ("CONSTANT", "REFLECT", "WRAP", "NEAREST")


def _transform(
    images: Tensor,
    transforms: Tensor,
    output_shape: Any,
    fill_value: Any,
    interpolation: Any,
    fill_mode: Any = "CONSTANT",
    name: str | None = None,
) -> Typed:
    if images.ndim != 4:
        raise OpError(f"`images` must have rank 4, not shape {list(images.shape)}", argument="images")
    if transforms.ndim != 2 or transforms.shape[1] != 8 or transforms.shape[0] not in (1, images.shape[0]):
        raise OpError(
            f"`transforms` must have 8 numbers for all images or for each of {images.shape[0]}, not shape "
            f"{list(transforms.shape)}",
            argument="transforms",
        )
    target = as_row(output_shape, "output_shape")
    if len(target) != 2 or min(target) < 1:
        raise OpError(f"`output_shape` must be two positive integers, not {list(target)}", argument="output_shape")
    for name_, value, allowed in (
        ("interpolation", interpolation, INTERPOLATIONS),
        ("fill_mode", fill_mode, FILLS),
    ):
        if value not in allowed:
            raise OpError(f"`{name_}` must be one of {', '.join(allowed)}, not {value!r}", argument=name_)
    given = {
        "output_shape": target,
        "fill_value": as_float(fill_value, "fill_value"),
        "interpolation": interpolation,
        "fill_mode": fill_mode,
    }
    return TensorType((images.shape[0], *target, images.shape[3]), images.dtype), given


def _sources(transforms: Array, target: Shape) -> tuple[Array, Array]:
    """Which row and column each new pixel comes from, `(transforms, height, width)`; NaN for one from infinity."""
    rows, columns = (np.arange(size, dtype=transforms.dtype) for size in target)
    y, x = rows[:, np.newaxis], columns
    t = transforms.T[:, :, np.newaxis, np.newaxis]
    below = t[6] * x + t[7] * y + 1
    below = np.where(below == 0, np.nan, below)
    return (t[3] * x + t[4] * y + t[5]) / below, (t[0] * x + t[1] * y + t[2]) / below


def _folded(at: Array, size: int, mode: str) -> Array:
    """Places beyond the border as places on the image, the way `mode` repeats it, in TensorFlow's arithmetic."""
    if mode == "CONSTANT" or size == 0:
        return at
    folded = at
    if size > 1 and mode == "REFLECT":
        period = 2 * size
        below = np.where(at < period, at + period * np.trunc(-at / period), at)
        below = np.where(below < -size, below + period, -below - 1)
        above = at - period * np.trunc(at / period)
        above = np.where(above >= size, period - above - 1, above)
        folded = np.where(at < 0, below, np.where(at > size - 1, above, at))
    elif size > 1 and mode == "WRAP":
        below = at + size * (np.trunc(-at / (size - 1)) + 1)
        above = at - size * np.trunc(at / (size - 1))
        folded = np.where(at < 0, below, np.where(at > size - 1, above, at))
    return np.clip(folded, 0, size - 1)


def _neighbours(at: Array, interpolation: str) -> tuple[Array, Array]:
    """The pixels that a place is made of along one axis, and their shares, on a last axis of their own."""
    if interpolation == "NEAREST":
        away = np.trunc(at + np.copysign(at.dtype.type(0.5), at))[..., np.newaxis]
        return away, np.ones_like(away)
    low = np.floor(at)
    return np.stack([low, low + 1], axis=-1), np.stack([low + 1 - at, at - low], axis=-1)


def _pixels(transforms: Array, shape: Shape, target: Shape, interpolation: str, fill_mode: str) -> tuple[Sums, Array]:
    """The sums over the pixels of all images for each new pixel; and how much of it is not on an image."""
    batch, height, width = shape[:3]
    sources = _sources(transforms, target)
    (rows, heights), (columns, widths) = (
        _neighbours(_folded(at, size, fill_mode), interpolation)
        for at, size in zip(sources, (height, width), strict=True)
    )
    on_image = ((rows >= 0) & (rows < height))[..., :, np.newaxis]
    on_image = on_image & ((columns >= 0) & (columns < width))[..., np.newaxis, :]
    rows, columns = (np.where(np.isfinite(each), each, 0).astype(np.int64) for each in (rows, columns))
    first = np.arange(batch).reshape(batch, 1, 1, 1, 1) * height
    indices = (first + rows[..., :, np.newaxis]) * width + columns[..., np.newaxis, :]
    indices = np.where(on_image, indices, -1)
    weights = np.broadcast_to(heights[..., :, np.newaxis] * widths[..., np.newaxis, :], indices.shape)
    count = indices.shape[-1] * indices.shape[-2]
    indices, weights = indices.reshape(prod(indices.shape[:3]), count), weights.reshape(-1, count)
    outside = np.where(indices < 0, np.where(np.isfinite(weights), weights, 1 / count), 0).sum(axis=1)
    return sums(indices, weights, batch * height * width), outside


def _warped(
    images: Array, transforms: Array, output_shape: Shape, fill_value: float, interpolation: str, fill_mode: str
) -> Array:
    each, outside = _pixels(transforms, images.shape, output_shape, interpolation, fill_mode)
    found = each.of(images.reshape(each.size, images.shape[3]), adjoint=False)
    found += (outside * fill_value).astype(images.dtype)[:, np.newaxis]
    return found.reshape(images.shape[0], *output_shape, images.shape[3])


def _drift(transforms: Array, shape: Shape, target: Shape, interpolation: str) -> float:
    """How many roundings of its size 1 a weight may be off: as many as a place is pixels away from the first."""
    if interpolation == "NEAREST":
        return 0.0
    sources = np.stack(_sources(transforms, target))
    return float(max(np.abs(sources[np.isfinite(sources)]).max(initial=0), *shape[1:3]))


def _rounding(images: Array, transforms: Array, **given: Any) -> Array:
    """Besides the sum, that of the places, by which the share of each pixel moves."""
    drift = _drift(transforms, images.shape, given["output_shape"], given["interpolation"])
    around = np.abs(images).max(initial=0)
    size = np.abs(_warped(np.abs(images), transforms, **{**given, "fill_value": abs(given["fill_value"])}))
    bound: Array = 2 * size + drift * (around + abs(given["fill_value"]))
    return bound


def _vjp(
    g: Tensor, y: Tensor, images: Tensor, transforms: Tensor, interpolation: str, fill_mode: str, **_: Any
) -> Tensor:
    found: Tensor = WARP_BACK(g, transforms, images.shape, interpolation, fill_mode)
    return found


# The adjoint


def _back_type(g: Tensor, transforms: Tensor, shape: Any, interpolation: Any, fill_mode: Any) -> Typed:
    return TensorType(shape, g.dtype), {"shape": shape, "interpolation": interpolation, "fill_mode": fill_mode}


def _warped_back(g: Array, transforms: Array, shape: Shape, interpolation: str, fill_mode: str) -> Array:
    each, _ = _pixels(transforms, shape, g.shape[1:3], interpolation, fill_mode)
    return each.of(g.reshape(each.target, g.shape[3]), adjoint=True).reshape(shape)


def _back_rounding(g: Array, transforms: Array, shape: Shape, interpolation: str, fill_mode: str) -> Array:
    each, _ = _pixels(transforms, shape, g.shape[1:3], interpolation, fill_mode)
    touched = each._replace(weights=np.ones_like(each.weights))
    scale = np.sqrt(each.most(adjoint=True)) + _drift(transforms, shape, g.shape[1:3], interpolation)
    summed: Array = scale * touched.of(np.abs(g).reshape(each.target, g.shape[3]), adjoint=True).reshape(shape)
    return summed


def _back_vjp(h: Tensor, z: Tensor, g: Tensor, transforms: Tensor, shape: Shape, **given: Any) -> Tensor:
    found: Tensor = tf.raw_ops.ImageProjectiveTransformV3(h, transforms, g.shape[1:3], 0.0, **given)
    return found


WARP_BACK = conceal(
    Op(
        name="image.warp_back",
        function=_back_type,
        family="warping",
        domains=(REAL,),
        dtypes=(FLOAT32,),
        forward=_warped_back,
        vjp=(_back_vjp, None),
        rounding=_back_rounding,
        source="linear in the cotangent: the transformed image that its own cotangent is",
    )
)
"""What every new pixel has, added to the pixels of an image that it was made of."""

_TURNED = np.array([[0.0, 1.0, 0.0, -1.0, 0.0, 2.0, 0.0, 0.0]])
_MOVED = np.array([[1.0, 0.0, 1.0, 0.0, 1.0, -1.0, 0.0, 0.0], [-1.0, 0.0, 3.0, 0.0, 1.0, 0.0, 0.0, 0.0]])

declare(
    "tf.raw_ops.ImageProjectiveTransformV3",
    _transform,
    forward=_warped,
    vjp=(_vjp, None),
    rounding=_rounding,
    domains=(REAL,),
    dtypes=(FLOAT32,),
    samples=(
        sample((2, 3, 4, 2), _MOVED, [3, 4], 0.5, "BILINEAR"),
        sample((1, 3, 3, 1), _TURNED, [3, 3], 0.0, "NEAREST", "NEAREST"),
        sample((1, 3, 3, 1), _TURNED, [3, 3], 0.0, "BILINEAR", "REFLECT"),
        sample((2, 2, 4, 1), _MOVED[1:], [2, 4], 0.0, "NEAREST", "WRAP"),
    ),
    source="what every new pixel has goes back to the pixels that it was made of, by the same weights",
    convention="no gradient flows to `transforms` and `fill_value`; TensorFlow's gradient is the cotangent seen "
    "through the inverse transformation, which is the derivative only where every pixel is moved to a place of its own",
)
