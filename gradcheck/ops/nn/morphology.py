"""Grey-scale dilation and erosion: the largest sum, the smallest difference, of an image and a kernel."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from gradcheck.dtypes import Array
from gradcheck.ops.declaration import REAL, REALS, OpError, compose, sample
from gradcheck.ops.nn.patches import lead, lowest, patches
from gradcheck.ops.nn.windows import Axis, sliding
from gradcheck.ops.shapes import as_row
from gradcheck.ops.vocabulary import tf
from gradcheck.tensors import Tensor


def _axes(op: str, x: Tensor, filters: Tensor, strides: Any, padding: Any, data_format: Any, dilations: Any) -> Any:
    if data_format != "NHWC":
        raise OpError(f"`{op}` takes the format 'NHWC' alone, not {data_format!r}", argument="data_format")
    for name, value in (("strides", strides), ("dilations", dilations)):
        if len(as_row(value, name)) != 4:
            raise OpError(f"`{name}` must have 4 numbers, not {len(value)}", argument=name)
    if x.ndim != 4 or filters.ndim != 3 or x.shape[3] != filters.shape[2]:
        raise OpError(
            f"`{op}` takes an image of rank 4 and a kernel of rank 3 with as many channels, not shapes "
            f"{list(x.shape)} and {list(filters.shape)}"
        )
    call = sliding(2, strides, padding, None, dilations, explicit=False)
    return call.axes(x.shape[1:3], filters.shape[:2])


def _inside(x: Tensor, axes: tuple[Axis, ...]) -> Array:
    """For each place in the kernel, where it lies on the image: `(*counts, *kernel)`."""
    return patches(np.ones((1, *x.shape[1:3], 1), bool), axes, fill=False)[0, ..., 0]


def _lying(image: Tensor, axes: tuple[Axis, ...], at: tuple[int, ...]) -> Tensor:
    """What lies under one place of the kernel in every window: `(batch, *counts, channels)`."""
    starts = [each.dilation * place for each, place in zip(axes, at, strict=True)]
    stops = [start + (each.windows - 1) * each.stride + 1 for start, each in zip(starts, axes, strict=True)]
    rows, columns = (slice(*each) for each in zip(starts, stops, [each.stride for each in axes], strict=True))
    return image[:, rows, columns]


def _ahead(x: Array, w: Array, strides: Any, padding: Any, data_format: Any, dilations: Any) -> Array:
    axes = sliding(2, strides, padding, None, dilations).axes(x.shape[1:3], w.shape[:2])
    return lead(patches(x, axes, fill=-np.inf) + w, 2)


@compose(
    "tf.nn.dilation2d",
    domains=(REAL, REAL),
    dtypes=REALS,
    kink=_ahead,
    samples=(
        sample((1, 3, 4, 2), (2, 2, 2), [1, 1, 1, 1], "SAME", "NHWC", [1, 1, 1, 1]),
        sample((2, 4, 3, 1), (2, 1, 1), [1, 2, 1, 1], "VALID", "NHWC", [1, 2, 1, 1]),
        sample((1, 4, 4, 1), (2, 2, 1), [1, 2, 2, 1], "SAME", "NHWC", [1, 2, 2, 1]),
    ),
    convention="of places in the window that tie, the first in the order of rows receives the whole cotangent; NaN is "
    "passed over; TensorFlow has no second derivative",
)
def _dilation2d(
    input: Tensor,  # noqa: A002
    filters: Tensor,
    strides: Any,
    padding: Any,
    data_format: Any,
    dilations: Any,
    name: str | None = None,
) -> Tensor:
    rows, columns = _axes("tf.nn.dilation2d", input, filters, strides, padding, data_format, dilations)
    inside = _inside(input, (rows, columns))
    image = tf.pad(input, [[0, 0], [rows.before, rows.after], [columns.before, columns.after], [0, 0]])
    shape = (input.shape[0], rows.windows, columns.windows, input.shape[3])
    best: Tensor = input.context.constant(np.full(shape, lowest(input.dtype), input.dtype))
    for at in product(range(rows.kernel), range(columns.kernel)):
        here = _lying(image, (rows, columns), at) + filters[at[0], at[1]]
        on_image = tf.constant(inside[:, :, at[0], at[1], np.newaxis])
        best = tf.where(tf.logical_and(on_image, here > best), here, best)
    return best


@compose(
    "tf.nn.erosion2d",
    domains=(REAL, REAL),
    dtypes=tuple(dtype for dtype in REALS if dtype.kind != "u"),
    samples=(
        sample((1, 3, 4, 2), (2, 2, 2), [1, 1, 1, 1], "SAME", "NHWC", [1, 1, 1, 1]),
        sample((1, 4, 3, 1), (2, 1, 1), [1, 2, 1, 1], "VALID", "NHWC", [1, 2, 1, 1]),
    ),
    convention="the negative of the dilation of the negative by the kernel turned round; TensorFlow has no second "
    "derivative",
)
def _erosion2d(
    value: Tensor,
    filters: Tensor,
    strides: Any,
    padding: Any,
    data_format: Any,
    dilations: Any,
    name: str | None = None,
) -> Tensor:
    _axes("tf.nn.erosion2d", value, filters, strides, padding, data_format, dilations)
    dilated: Tensor = tf.nn.dilation2d(-value, tf.reverse(filters, [0, 1]), strides, padding, data_format, dilations)
    return -dilated
