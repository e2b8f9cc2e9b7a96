"""Blocks of an image moved to its channels or to its batch, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gradcheck.dtypes import FLOATS, INTEGERS
from gradcheck.ops.declaration import ANY, REAL, OpError, compose, sample
from gradcheck.ops.shapes import as_int, as_row
from gradcheck.ops.vocabulary import tf
from gradcheck.program import Shape
from gradcheck.tensors import Tensor

Pairs = tuple[tuple[int, int], ...]


def _block(value: Any, data_format: Any) -> int:
    if data_format != "NHWC":
        raise OpError(
            f"TensorFlow has no kernel for the format {data_format} on a CPU", argument="data_format", help="use 'NHWC'"
        )
    size = as_int(value, "block_size")
    if size < 2:
        raise OpError(f"`block_size` must be at least 2, not {size}", argument="block_size")
    return size


@compose(
    "tf.nn.space_to_depth",
    domains=(REAL,),
    dtypes=ANY,
    samples=(sample((1, 2, 4, 3), 2), sample((2, 3, 3, 1), 3)),
)
def _space_to_depth(input: Tensor, block_size: Any, data_format: Any = "NHWC", name: str | None = None) -> Tensor:  # noqa: A002
    size = _block(block_size, data_format)
    if input.ndim != 4 or input.shape[1] % size or input.shape[2] % size:
        raise OpError(
            f"`tf.nn.space_to_depth` takes an image whose height and width are multiples of {size}, not of shape "
            f"{list(input.shape)}",
            argument="input",
        )
    batch, height, width, channels = input.shape
    blocks = tf.reshape(input, (batch, height // size, size, width // size, size, channels))
    moved: Tensor = tf.transpose(blocks, [0, 1, 3, 2, 4, 5])
    deep: Tensor = tf.reshape(moved, (batch, height // size, width // size, size * size * channels))
    return deep


@compose(
    "tf.nn.depth_to_space",
    domains=(REAL,),
    dtypes=ANY,
    samples=(sample((1, 1, 2, 8), 2), sample((2, 1, 1, 9), 3)),
)
def _depth_to_space(input: Tensor, block_size: Any, data_format: Any = "NHWC", name: str | None = None) -> Tensor:  # noqa: A002
    size = _block(block_size, data_format)
    if input.ndim != 4 or input.shape[3] % size**2:
        raise OpError(
            f"`tf.nn.depth_to_space` takes an image whose channels are a multiple of {size**2}, not of shape "
            f"{list(input.shape)}",
            argument="input",
        )
    batch, height, width, depth = input.shape
    channels = depth // size**2
    blocks = tf.reshape(input, (batch, height, width, size, size, channels))
    moved = tf.transpose(blocks, [0, 1, 3, 2, 4, 5])
    wide: Tensor = tf.reshape(moved, (batch, height * size, width * size, channels))
    return wide


def _pairs(value: Any, name: str, count: int) -> Pairs:
    rows = [as_row(each, name) for each in value] if isinstance(value, (tuple, list)) else []
    if len(rows) != count or any(len(row) != 2 or min(row) < 0 for row in rows):
        raise OpError(f"`{name}` must be {count} pairs of numbers that are not negative, not {value}", argument=name)
    return tuple((first, second) for first, second in rows)


def _blocks(value: Any, x: Tensor) -> Shape:
    sizes = as_row(value, "block_shape")
    if not sizes or min(sizes) < 1 or len(sizes) >= x.ndim:
        raise OpError(
            f"`block_shape` {list(sizes)} must be positive numbers for the axes behind the first of a tensor of shape "
            f"{list(x.shape)}",
            argument="block_shape",
        )
    return sizes


def _interleaved(left: Sequence[int], right: Sequence[int]) -> list[int]:
    return [each for pair in zip(left, right, strict=True) for each in pair]


@compose(
    "tf.space_to_batch",
    aliases=("tf.nn.space_to_batch", "tf.space_to_batch_nd"),
    domains=(REAL,),
    dtypes=(*FLOATS, *INTEGERS),
    samples=(
        sample((1, 2, 4, 1), [2, 2], [[0, 0], [0, 0]]),
        sample((2, 3, 2), [2], [[1, 0]]),
        sample((1, 3, 3, 2), [2, 3], [[0, 1], [2, 1]]),
    ),
)
def _space_to_batch(input: Tensor, block_shape: Any, paddings: Any, name: str | None = None) -> Tensor:  # noqa: A002
    sizes = _blocks(block_shape, input)
    count = len(sizes)
    pads = _pairs(paddings, "paddings", count)
    outer = input.ndim - 1 - count
    image = tf.pad(input, [[0, 0], *pads, *[[0, 0]] * outer]) if any(map(any, pads)) else input
    batch, *rest = image.shape
    if any(length % size for length, size in zip(rest, sizes, strict=False)):
        raise OpError(
            f"`tf.space_to_batch`: the axes of {list(image.shape)}, padding included, must be multiples of the block "
            f"{list(sizes)}",
            argument="block_shape",
        )
    counts = [length // size for length, size in zip(rest, sizes, strict=False)]
    blocks = tf.reshape(image, (batch, *_interleaved(counts, sizes), *rest[count:]))
    inside, places = [2 + 2 * at for at in range(count)], [1 + 2 * at for at in range(count)]
    moved = tf.transpose(blocks, [*inside, 0, *places, *range(1 + 2 * count, blocks.ndim)])
    whole = batch
    for size in sizes:
        whole *= size
    many: Tensor = tf.reshape(moved, (whole, *counts, *rest[count:]))
    return many


@compose(
    "tf.batch_to_space",
    domains=(REAL,),
    dtypes=(*FLOATS, *INTEGERS),
    samples=(
        sample((4, 1, 2, 1), [2, 2], [[0, 0], [0, 0]]),
        sample((4, 2, 2), [2], [[1, 0]]),
        sample((6, 2, 2, 1), [2, 3], [[0, 1], [2, 1]]),
    ),
)
def _batch_to_space(input: Tensor, block_shape: Any, crops: Any, name: str | None = None) -> Tensor:  # noqa: A002
    sizes = _blocks(block_shape, input)
    count = len(sizes)
    cut = _pairs(crops, "crops", count)
    whole, *rest = input.shape
    batch = whole
    for size in sizes:
        if batch % size:
            raise OpError(
                f"`tf.batch_to_space`: the batch of {list(input.shape)} is no multiple of the block {list(sizes)}",
                argument="block_shape",
            )
        batch //= size
    blocks = tf.reshape(input, (*sizes, batch, *rest))
    spread = [each for at in range(count) for each in (count + 1 + at, at)]
    moved = tf.transpose(blocks, [count, *spread, *range(2 * count + 1, blocks.ndim)])
    lengths = [length * size for length, size in zip(rest, sizes, strict=False)]
    image: Tensor = tf.reshape(moved, (batch, *lengths, *rest[count:]))
    kept = [length - before - after for length, (before, after) in zip(lengths, cut, strict=True)]
    if min(kept) < 0:
        raise OpError(f"`crops` {[list(each) for each in cut]} cut more than there is", argument="crops")
    if not any(map(any, cut)):
        return image
    inner: Tensor = tf.slice(
        image, [0, *(before for before, _ in cut), *[0] * len(rest[count:])], (batch, *kept, *rest[count:])
    )
    return inner
