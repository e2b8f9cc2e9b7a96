"""A function with holes in its windows, from the same function without: blocks of the image go to its batch."""

from __future__ import annotations

from typing import Any

from gradcheck.dtypes import FLOATS
from gradcheck.ops.declaration import REAL, OpError, compose, sample
from gradcheck.ops.shapes import as_row
from gradcheck.ops.vocabulary import tf
from gradcheck.tensors import Tensor

Pairs = list[tuple[int, int]]


def _spatial_dims(given: Any, count: int, first: bool, x: Tensor) -> tuple[int, ...]:
    """The axes that the holes are along, in order."""
    start = 2 if first else 1
    dims = tuple(range(start, start + count)) if given is None else as_row(given, "spatial_dims")
    if len(dims) != count or any(each < 1 for each in dims) or sorted(set(dims)) != list(dims):
        raise OpError(
            f"`spatial_dims` must be {count} positive numbers that grow, not {list(dims)}", argument="spatial_dims"
        )
    if count and dims[-1] >= x.ndim:
        raise OpError(f"`input` of shape {list(x.shape)} has no axis {dims[-1]}", argument="input")
    return dims


def _around(padding: Any, rates: tuple[int, ...], filter_shape: Any, first: bool) -> Pairs:
    """What `padding` adds before and after each spatial axis."""
    count = len(rates)
    if isinstance(padding, (tuple, list)):
        rows = [as_row(each, "padding") for each in padding]
        if len(rows) != count + 2 or any(len(each) != 2 or min(each) < 0 for each in rows):
            raise OpError(f"`padding` must have {count + 2} pairs of numbers from 0 on", argument="padding")
        return [(before, after) for before, after in (rows[2:] if first else rows[1:-1])]
    if padding == "VALID":
        return [(0, 0)] * count
    if padding != "SAME":
        raise OpError(f"`padding` must be 'SAME', 'VALID' or a list of pairs, not {padding!r}", argument="padding")
    if filter_shape is None:
        raise OpError("the padding 'SAME' needs the `filter_shape`", argument="filter_shape")
    sizes = as_row(filter_shape, "filter_shape")
    if len(sizes) < count:
        raise OpError(f"`filter_shape` must have {count} sizes, not {len(sizes)}", argument="filter_shape")
    missing = [(size - 1) * rate for size, rate in zip(sizes, rates, strict=False)]
    return [(each // 2, each - each // 2) for each in missing]


def _mean_of_four(image: Tensor, rank: int, padding: Any) -> Tensor:
    mean: Tensor = tf.nn.avg_pool2d(image, 2, 1, padding)
    return mean


@compose(
    "tf.nn.with_space_to_batch",
    domains=(REAL,),
    dtypes=FLOATS,
    samples=(
        sample((1, 4, 5, 1), [2, 3], "VALID", _mean_of_four),
        sample((1, 3, 4, 2), [1, 2], "SAME", _mean_of_four, [2, 2]),
        sample((1, 3, 2, 1), [2], [[0, 0], [1, 0], [0, 0]], _mean_of_four, spatial_dims=[1]),
    ),
    convention="written out: `op` is called here, and what it calls is what TensorFlow is asked for",
)
def _with_space_to_batch(
    input: Tensor,  # noqa: A002
    dilation_rate: Any,
    padding: Any,
    op: Any,
    filter_shape: Any = None,
    spatial_dims: Any = None,
    data_format: Any = None,
) -> Tensor:
    rates = as_row(dilation_rate, "dilation_rate")
    if any(each < 1 for each in rates):
        raise OpError(f"`dilation_rate` {list(rates)} must be positive", argument="dilation_rate")
    first = isinstance(data_format, str) and data_format.startswith("NC")
    dims = _spatial_dims(spatial_dims, len(rates), first, input)
    if all(each == 1 for each in rates):
        alone: Tensor = op(input, len(rates), padding)
        return alone
    width = dims[-1]
    blocks, pads, crops = [1] * width, [[0, 0]] * width, [[0, 0]] * width
    for axis, rate, (before, after) in zip(dims, rates, _around(padding, rates, filter_shape, first), strict=True):
        extra = -(input.shape[axis] + before + after) % rate
        blocks[axis - 1], pads[axis - 1], crops[axis - 1] = rate, [before, after + extra], [0, extra]
    made = op(tf.space_to_batch(input, blocks, pads), len(rates), "VALID")
    found: Tensor = tf.batch_to_space(made, blocks, crops)
    return found
