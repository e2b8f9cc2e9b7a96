"""From the words of a stream to numbers of a distribution, as TensorFlow's kernels make them, bit by bit.

What is a logarithm or a sine in float32 is taken in float64 and rounded, which is what a good float32 function gives.
"""

import math
from collections.abc import Callable

import numpy as np

from gradcheck.dtypes import BFLOAT16, FLOAT16, FLOAT32, FLOAT64, Array, DType
from gradcheck.ops.random.philox import Stream
from gradcheck.program import Shape

SMALLEST = 1e-7
"""What a uniform number is raised to before its logarithm is taken."""
CUT = 2.0
"""Where a truncated normal distribution ends."""
RESERVED = 64
"""Blocks that a truncated normal number has for itself."""
ONES: dict[DType, tuple[DType, int]] = {
    FLOAT16: (np.dtype(np.uint16), 10),
    BFLOAT16: (np.dtype(np.uint16), 7),
    FLOAT32: (np.dtype(np.uint32), 23),
    FLOAT64: (np.dtype(np.uint64), 52),
}
"""For each dtype the integers of its size, and how many bits its fractions have."""

Draw = Callable[[Stream, Shape, DType], Array]


def _filled(groups: Array, shape: Shape) -> Array:
    return groups.reshape(-1)[: math.prod(shape)].reshape(shape)


def _blocks(stream: Stream, shape: Shape, each: int) -> Array:
    """The blocks for numbers of that shape, of which one block makes `each`."""
    return stream.blocks(-(-math.prod(shape) // each))


def per_block(dtype: DType) -> int:
    """How many numbers a block makes."""
    return 2 if dtype.itemsize == 8 else 4


def fractions(words: Array, dtype: DType) -> Array:
    """Words as numbers from 0 to below 1; for float64 two words make one."""
    integers, bits = ONES[dtype]
    if dtype == FLOAT64:
        wide = words.astype(np.uint64)
        mantissa = (wide[..., 0::2] & np.uint64(0xFFFFF)) << np.uint64(32) | wide[..., 1::2]
    else:
        mantissa = (words & np.uint32(2**bits - 1)).astype(integers)
    one = np.array(1, dtype).view(integers)
    found: Array = (mantissa | one).view(dtype) - np.array(1, dtype)
    return found


def normals(words: Array, dtype: DType) -> Array:
    """Words as standard normal numbers, by the transform of Box and Muller; in float64 for float64, else in float32."""
    real = FLOAT64 if dtype == FLOAT64 else FLOAT32
    uniform = fractions(words, real)
    radius, angle = np.maximum(uniform[..., 0::2], real.type(SMALLEST)), uniform[..., 1::2]
    turned = (2 * math.pi * angle.astype(np.float64)).astype(real).astype(np.float64)
    logarithm = np.log(radius.astype(np.float64)).astype(real)
    length = np.sqrt(real.type(-2) * logarithm)
    pair = np.stack([np.sin(turned).astype(real) * length, np.cos(turned).astype(real) * length], -1)
    return pair.reshape(uniform.shape)


def uniform(stream: Stream, shape: Shape, dtype: DType) -> Array:
    """Numbers from 0 to below 1."""
    return _filled(fractions(_blocks(stream, shape, per_block(dtype)), dtype), shape)


def normal(stream: Stream, shape: Shape, dtype: DType) -> Array:
    """Standard normal numbers."""
    return _filled(normals(_blocks(stream, shape, per_block(dtype)), dtype), shape).astype(dtype)


def truncated_normal(stream: Stream, shape: Shape, dtype: DType) -> Array:
    """Standard normal numbers between -2 and 2.

    As many as a block makes are a group, which has a stretch of the stream for itself and draws until it is full.
    """
    size = per_block(dtype)
    groups = -(-math.prod(shape) // size)
    found = np.zeros((groups, size), FLOAT64 if dtype == FLOAT64 else FLOAT32)
    count, blocks = np.zeros(groups, np.int64), np.arange(groups, dtype=np.uint64) * np.uint64(size * RESERVED)
    waiting = np.arange(groups)
    while waiting.size:
        drawn = normals(stream.at(blocks[waiting]), dtype)
        for column in drawn.T:
            taken = (np.abs(column) < CUT) & (count[waiting] < size)
            rows = waiting[taken]
            found[rows, count[rows]] = column[taken]
            count[rows] += 1
        blocks[waiting] += np.uint64(1)
        waiting = waiting[count[waiting] < size]
    return _filled(found, shape).astype(dtype)


def whole(stream: Stream, shape: Shape, dtype: DType) -> Array:
    """Integers from the whole range of `dtype`."""
    words = _blocks(stream, shape, per_block(dtype))
    if dtype.itemsize == 8:
        wide = words.astype(np.uint64)
        words = wide[:, 0::2] | wide[:, 1::2] << np.uint64(32)
    return _filled(words, shape).view(dtype)


def integers(stream: Stream, shape: Shape, dtype: DType, low: int, high: int) -> Array:
    """Integers from `low` to below `high`, by the remainder of a whole word."""
    unsigned = np.dtype(f"uint{8 * dtype.itemsize}")
    remainders = whole(stream, shape, unsigned) % unsigned.type(high - low)
    found: Array = (remainders + np.array(low, dtype).view(unsigned)).view(dtype)
    return found
