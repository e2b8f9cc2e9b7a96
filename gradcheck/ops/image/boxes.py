"""Boxes cut out of images and resized; the boxes are tensors that gradients flow to, too."""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

import numpy as np

from gradcheck.dtypes import FLOAT32, INT32, Array
from gradcheck.ops.arrays.gathering import check_positions, inside, outside
from gradcheck.ops.calling import numbers
from gradcheck.ops.declaration import REAL, Index, Interval, Op, OpError, conceal, declare, sample
from gradcheck.ops.image.sums import Sums, sums
from gradcheck.ops.shapes import Typed, as_float, as_row
from gradcheck.ops.vocabulary import tf
from gradcheck.program import Shape, TensorType
from gradcheck.tensors import Tensor

METHODS = ("bilinear", "nearest")
UNIT = Interval(0.05, 0.95)


def _places(first: Any, last: Any, size: int, count: int, steps: Any) -> Any:
    """Where `count` new pixels lie on an axis of `size` pixels, for arrays or tensors: one row for each box.

    The order of the operations is TensorFlow's, so that the same places fall exactly on a pixel.
    """
    if count == 1:
        return 0.5 * (first + last) * (size - 1)
    step = (last - first) * (size - 1) / (count - 1)
    return first * (size - 1) + steps * step


def _axes(image: Shape, crop: Shape) -> list[tuple[int, int, int]]:
    """For each axis: which column of the boxes, the size of the image, the number of new pixels."""
    return [(axis, image[axis + 1], crop[axis]) for axis in (0, 1)]


def _check(image: Shape, boxes: Tensor, box_indices: Tensor) -> None:
    op = "tf.image.crop_and_resize"
    if len(image) != 4:
        raise OpError(f"`{op}` takes images of rank 4, not of shape {list(image)}", argument="image")
    if 0 in image[1:3]:
        raise OpError(f"images of shape {list(image)} are empty", argument="image")
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise OpError(f"`boxes` must be rows `[y1, x1, y2, x2]`, not of shape {list(boxes.shape)}", argument="boxes")
    if box_indices.shape != boxes.shape[:1]:
        raise OpError(
            f"`box_indices` of shape {list(box_indices.shape)} must have one index for each of {boxes.shape[0]} boxes",
            argument="box_indices",
        )
    check_positions(op, box_indices, "box_indices", (INT32,), lambda known: outside(known, image[0], "box_indices"))


def _crop_and_resize(
    image: Tensor,
    boxes: Tensor,
    box_indices: Index,
    crop_size: Any,
    method: Any = "bilinear",
    extrapolation_value: Any = 0.0,
    name: str | None = None,
) -> Typed:
    _check(image.shape, boxes, box_indices)
    crop = as_row(crop_size, "crop_size")
    if len(crop) != 2 or min(crop) < 1:
        raise OpError(f"`crop_size` must be two positive integers, not {list(crop)}", argument="crop_size")
    if method not in METHODS:
        raise OpError(f"`method` must be 'bilinear' or 'nearest', not {method!r}", argument="method")
    known = numbers(boxes)
    if known is not None:
        _finite(known)
    value = as_float(extrapolation_value, "extrapolation_value")
    given = {"crop_size": crop, "method": method, "extrapolation_value": value}
    return TensorType((boxes.shape[0], *crop, image.shape[3]), image.dtype), given


def _finite(boxes: Array) -> None:
    if not np.isfinite(boxes).all():
        raise OpError("`boxes` must be finite", argument="boxes")


def _pixels(shape: Shape, boxes: Array, box_indices: Array, crop: Shape, method: str) -> tuple[Sums, Array]:
    """The sums over the pixels of all images for each new pixel, and which new pixels lie on an image."""
    _finite(boxes)
    inside(outside(box_indices, shape[0], "box_indices"))
    taps: list[tuple[Array, Array, Array]] = []
    for axis, size, count in _axes(shape, crop):
        steps = np.arange(count, dtype=boxes.dtype)
        at = _places(boxes[:, axis, np.newaxis], boxes[:, axis + 2, np.newaxis], size, count, steps)
        on_image = (at >= 0) & (at <= size - 1)
        at = np.where(on_image, at, 0)
        if method == "nearest":
            whole, weights = np.floor(at + 0.5)[..., np.newaxis], np.ones((*at.shape, 1), at.dtype)
        else:
            share = at - np.floor(at)
            whole, weights = np.stack([np.floor(at), np.ceil(at)], -1), np.stack([1 - share, share], -1)
        taps.append((on_image, whole.astype(np.int64), weights))
    (on_rows, rows, heights), (on_columns, columns, widths) = taps
    first = box_indices.astype(np.int64)[:, np.newaxis, np.newaxis] * shape[1]
    lines = (first + rows)[:, :, np.newaxis, :, np.newaxis] * shape[2]
    indices = lines + columns[:, np.newaxis, :, np.newaxis, :]
    weights = heights[:, :, np.newaxis, :, np.newaxis] * widths[:, np.newaxis, :, np.newaxis, :]
    there = (on_rows[:, :, np.newaxis] & on_columns[:, np.newaxis, :]).reshape(-1)
    count = indices.shape[3] * indices.shape[4]
    indices = np.where(there[:, np.newaxis], indices.reshape(-1, count), -1)
    return sums(indices, weights.reshape(-1, count), shape[0] * shape[1] * shape[2]), there


def _cropped(
    image: Array, boxes: Array, box_indices: Array, crop_size: Shape, method: str, extrapolation_value: float
) -> Array:
    each, there = _pixels(image.shape, boxes, box_indices, crop_size, method)
    found = each.of(image.reshape(each.size, image.shape[3]), adjoint=False)
    found[~there] = extrapolation_value
    return found.reshape(len(boxes), *crop_size, image.shape[3])


def _rounding(image: Array, boxes: Array, box_indices: Array, crop_size: Shape, method: str, **_: Any) -> Array:
    """Besides the sum, the places are rounded, and so is the step from one pixel to the next."""
    size = np.abs(image)
    near = _cropped(size, boxes, box_indices, crop_size, method, 0.0)
    moved: Array = near + (size.max(initial=0) * max(image.shape[1:3]) if method == "bilinear" else 0)
    return moved


def _vjp(g: Tensor, y: Tensor, image: Tensor, boxes: Tensor, box_indices: Tensor, **given: Any) -> list[Any]:
    back = ADD_BACK(g, boxes, box_indices, image.shape, given["method"])
    return [back, _by_boxes(g, image, boxes, box_indices, given["crop_size"]), None]


class _Along(NamedTuple):
    """Where the new pixels of each box lie along one axis, as tensors of shape `(boxes, count)`."""

    pixels: tuple[Tensor, Tensor]
    """The two around a place: one and the same where it falls on a pixel."""
    share: Tensor
    """How far a place is from the first of them, between 0 and 1."""
    on_image: Tensor
    moves: tuple[Tensor, Tensor]
    """How fast the places move with the box's first and last coordinate, `(count,)`."""


def _along(boxes: Tensor, axis: int, size: int, count: int) -> _Along:
    steps = np.arange(count, dtype=boxes.dtype)
    constant = boxes.context.constant
    at = _places(boxes[:, axis : axis + 1], boxes[:, axis + 2 : axis + 3], size, count, constant(steps))
    on_image = tf.logical_and(at >= 0.0, at <= float(size - 1))
    at = tf.where(on_image, at, tf.zeros_like(at))
    low = tf.floor(at)
    part = (steps * ((size - 1) / (count - 1)) if count > 1 else np.full(1, 0.5 * (size - 1))).astype(boxes.dtype)
    pixels = tf.cast(low, INT32), tf.cast(tf.math.ceil(at), INT32)
    return _Along(pixels, at - low, on_image, (constant(boxes.dtype.type(size - 1) - part), constant(part)))


def _by_boxes(g: Tensor, image: Tensor, boxes: Tensor, box_indices: Tensor, crop: Shape) -> Tensor:
    """The gradient of `sum(g * crops)` by the boxes: `g` times how much the pixels change from one to the next."""
    rows, columns = (_along(boxes, axis, image.shape[axis + 1], crop[axis]) for axis in (0, 1))
    pixels = tf.reshape(image, [prod(image.shape[:3]), image.shape[3]])
    first = tf.expand_dims(box_indices * image.shape[1], 1)
    (top_left, top_right), (bottom_left, bottom_right) = (
        [
            tf.gather(pixels, tf.expand_dims((first + row) * image.shape[2], 2) + tf.expand_dims(column, 1))
            for column in columns.pixels
        ]
        for row in rows.pixels
    )
    y, x = rows.share[:, :, np.newaxis, np.newaxis], columns.share[:, np.newaxis, :, np.newaxis]
    down = (bottom_left - top_left) * (1.0 - x) + (bottom_right - top_right) * x
    across = (top_right - top_left) * (1.0 - y) + (bottom_right - bottom_left) * y
    there = tf.logical_and(tf.expand_dims(rows.on_image, 2), tf.expand_dims(columns.on_image, 1))
    sides = []
    for each, slope, other in ((rows, down, 2), (columns, across, 1)):
        by_place = tf.reduce_sum(g * slope, 3)
        by_place = tf.reduce_sum(tf.where(there, by_place, tf.zeros_like(by_place)), other)
        sides.append([tf.reduce_sum(by_place * move, 1) for move in each.moves])
    (y1, y2), (x1, x2) = sides
    found: Tensor = tf.stack([y1, x1, y2, x2], 1)
    return found


# The adjoint for the images


def _back_type(g: Tensor, boxes: Tensor, box_indices: Index, shape: Any, method: Any) -> Typed:
    return TensorType(shape, g.dtype), {"shape": shape, "method": method}


def _added_back(g: Array, boxes: Array, box_indices: Array, shape: Shape, method: str) -> Array:
    each, _ = _pixels(shape, boxes, box_indices, g.shape[1:3], method)
    return each.of(g.reshape(prod(g.shape[:3]), g.shape[3]), adjoint=True).reshape(shape)


def _back_vjp(
    h: Tensor, z: Tensor, g: Tensor, boxes: Tensor, box_indices: Tensor, shape: Shape, method: str
) -> list[Tensor | None]:
    crop = g.shape[1:3]
    by_boxes = _by_boxes(g, h, boxes, box_indices, crop) if method == "bilinear" else None
    return [tf.image.crop_and_resize(h, boxes, box_indices, crop, method), by_boxes, None]


def _back_rounding(g: Array, boxes: Array, box_indices: Array, shape: Shape, method: str) -> Array:
    """As of the crops: a sum of as many terms as fall on a pixel, whose places are rounded."""
    size = np.abs(g)
    each, _ = _pixels(shape, boxes, box_indices, g.shape[1:3], method)
    touched = each._replace(weights=np.ones_like(each.weights))
    moves = max(shape[1:3]) if method == "bilinear" else 0
    scale = np.sqrt(each.most(adjoint=True)) + moves
    summed: Array = scale * touched.of(size.reshape(prod(g.shape[:3]), g.shape[3]), adjoint=True).reshape(shape)
    return summed


ADD_BACK = conceal(
    Op(
        name="image.add_boxes",
        function=_back_type,
        family="boxes",
        domains=(REAL, UNIT),
        dtypes=(FLOAT32,),
        forward=_added_back,
        joint_vjp=_back_vjp,
        rounding=_back_rounding,
        source="linear in the cotangent: the crops of the image that its own cotangent is",
    )
)
"""What is at the place of each new pixel added to the pixels of an image that it was made of."""

_BOXES = np.array([[0.1, 0.23, 0.8, 0.9], [0.7, -0.3, 0.15, 1.2]])

declare(
    "tf.image.crop_and_resize",
    _crop_and_resize,
    forward=_cropped,
    joint_vjp=_vjp,
    rounding=_rounding,
    domains=(REAL, UNIT),
    dtypes=(FLOAT32,),
    samples=(
        sample((2, 4, 3, 2), _BOXES, [1, 0], [3, 2]),
        sample((1, 3, 4, 1), _BOXES, np.zeros([2], np.int32), [1, 4], extrapolation_value=2.0),
        sample((1, 3, 3, 1), _BOXES, [0, 0], [2, 1], "nearest"),
        sample((1, 2, 2, 1), (0, 4), np.zeros([0], np.int32), [2, 2]),
    ),
    source="the weights of the four pixels around a place, and how fast they change with it",
    convention="a place outside of the image has the value for extrapolation and gradient 0; one that falls on a pixel "
    "gives the boxes 0; 'nearest' gives the boxes the gradient of 'bilinear'; TensorFlow has no second order",
)
