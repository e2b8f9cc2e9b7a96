"""The nearest numbers that never rise along an axis."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from gradcheck.dtypes import DTYPES, FLOATS, INT32, Array
from gradcheck.ops.declaration import REAL, declare, sample
from gradcheck.ops.shapes import as_bool, one_axis, quotient_dtype
from gradcheck.ops.vocabulary import tf
from gradcheck.program import TensorType
from gradcheck.tensors import Tensor

WHOLE = tuple(DTYPES[name] for name in ("int8", "int16", "int32", "int64"))


def _isotonic_type(inputs: Tensor, decreasing: Any = True, axis: Any = -1) -> Any:
    at = one_axis(axis, max(inputs.ndim, 1))  # a scalar is a row of one
    types = [TensorType(inputs.shape, quotient_dtype(inputs.dtype)), TensorType(inputs.shape, INT32)]
    return types, {"decreasing": as_bool(decreasing, "decreasing"), "axis": at}


def _rows(x: Array, decreasing: bool, axis: int) -> Array:
    """A matrix whose rows are the problems, each for numbers that must not rise."""
    last = np.moveaxis(np.atleast_1d(x), axis, -1)
    rows: Array = last.reshape(-1, last.shape[-1]) if last.size else np.zeros((0, last.shape[-1]), x.dtype)
    return rows if decreasing else -rows


def _pooled(row: Array) -> list[tuple[float, int]]:
    """The mean of each block and how many numbers are in it.

    A number that is larger than the mean of the block before it is pooled with that, again and again (Best and
    Chakravarti 1990, Active set algorithms for isotonic regression).
    """
    blocks: list[tuple[float, int]] = []
    for number in row.tolist():
        mean, count = number, 1
        while blocks and blocks[-1][0] < mean:
            before, pooled = blocks.pop()
            mean, count = (before * pooled + mean * count) / (pooled + count), pooled + count
        blocks.append((mean, count))
    return blocks


def _solved(rows: Array) -> tuple[Array, Array]:
    """The solution for each row, and which of its blocks a number is in."""
    values, segments = np.empty_like(rows), np.empty(rows.shape, INT32)
    for at, row in enumerate(rows):
        blocks = _pooled(row)
        counts = [count for _, count in blocks]
        values[at] = np.repeat([mean for mean, _ in blocks], counts)
        segments[at] = np.repeat(np.arange(len(blocks)), counts)
    return values, segments


def _isotonic(x: Array, decreasing: bool, axis: int) -> list[Array]:
    shape = np.moveaxis(np.atleast_1d(x), axis, -1).shape
    values, segments = _solved(_rows(x.astype(quotient_dtype(x.dtype), copy=False), decreasing, axis))
    found = (values if decreasing else -values, segments)
    return [np.moveaxis(each.reshape(shape), -1, axis).reshape(x.shape) for each in found]


def _isotonic_vjp(g: list[Tensor], y: list[Tensor], x: Tensor, decreasing: bool, axis: int) -> Tensor:
    """In each block every number receives the mean of the block's cotangents."""
    order = [*(at for at in range(x.ndim) if at != axis), axis] if x.ndim else []
    moved = tf.transpose(g[0], order)
    count, size = prod(x.shape), x.shape[axis] if x.ndim else 1
    rows = np.arange(count) // max(size, 1) * size
    blocks = tf.reshape(tf.transpose(y[1], order), [-1]) + rows.astype(INT32)
    means = tf.gather(tf.math.unsorted_segment_mean(tf.reshape(moved, [-1]), blocks, count), blocks)
    back: Tensor = tf.transpose(tf.reshape(means, moved.shape), np.argsort(order).tolist())
    return back


def _gaps(x: Array, decreasing: bool, axis: int) -> Array:
    """How far each row is from other blocks: the falls between them, and what holds each of them together."""
    rows = _rows(x, decreasing, axis)
    values, segments = _solved(rows)
    risen = np.cumsum(values - rows, 1)[:, :-1]
    return np.where(np.diff(segments, axis=1) > 0, -np.diff(values, axis=1), risen)


declare(
    "tf.nn.isotonic_regression",
    _isotonic_type,
    forward=_isotonic,
    vjp=(_isotonic_vjp,),
    several=True,
    domains=(REAL,),
    dtypes=(*FLOATS, *WHOLE),
    kink=_gaps,
    samples=(
        sample((2, 5)),
        sample((3, 4), False),
        sample((5, 2), axis=0),
        sample((1, 1), axis=-2),
    ),
    source="a mean over each block, so that its adjoint is that mean, too",
    convention="a number is pooled where it is larger than the mean before it, not where it is equal: equal numbers "
    "next to each other may be blocks of their own; the blocks are not connected; TensorFlow's gradient is right for "
    "matrices alone: in a vector it takes each number for a row, for more axes it fails or mixes the rows",
)
