"""Means and variances: of weighted numbers, and from sums over them."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from gradcheck.dtypes import FLOAT16, FLOAT32
from gradcheck.ops.arrays.creation import constant
from gradcheck.ops.declaration import INEXACT, POSITIVE, REAL, Cast, compose, sample
from gradcheck.ops.shapes import as_bool, as_row, one_axis
from gradcheck.ops.vocabulary import tf
from gradcheck.tensors import Tensor


@compose(
    "tf.nn.sufficient_statistics",
    domains=(REAL, REAL),
    dtypes=INEXACT,
    several=True,
    samples=(
        sample((2, 3), [0]),
        sample((2, 3, 2), [0, -1], (2, 3, 2), keepdims=True),
        sample((2, 3), [1], ()),
        sample((3, 2), [], (2,)),
    ),
    errata=("complex",),
    convention="the count is a constant",
)
def _sufficient_statistics(
    x: Tensor, axes: Any, shift: Tensor | None = None, keepdims: Any = False, name: str | None = None
) -> list[Tensor | None]:
    at = sorted({one_axis(each, x.ndim, "axes") for each in as_row(axes, "axes")})
    count = constant(np.asarray(prod(x.shape[each] for each in at)).astype(x.dtype))
    keepdims = as_bool(keepdims, "keepdims")
    shifted = x if shift is None else x - shift
    squares = tf.square(x) if shift is None else tf.math.squared_difference(x, shift)
    return [count, tf.reduce_sum(shifted, at, keepdims), tf.reduce_sum(squares, at, keepdims), shift]


@compose(
    "tf.nn.weighted_moments",
    domains=(REAL, POSITIVE),
    dtypes=INEXACT,
    several=True,
    samples=(
        sample((2, 3), [0], (2, 3)),
        sample((2, 3), [0], (2, 1)),
        sample((2, 3, 2), [0, -1], (2,), keepdims=True),
        sample((4,), 0, ()),
    ),
    errata=("complex",),
    convention="0 where the weights sum to 0, for the moments and their gradients; float16 is computed in float32",
)
def _weighted_moments(
    x: Tensor, axes: Any, frequency_weights: Cast, keepdims: Any = False, name: str | None = None
) -> list[Tensor]:
    keepdims = as_bool(keepdims, "keepdims")
    wide = tf.cast(x, FLOAT32) if x.dtype == FLOAT16 else x
    weights = tf.cast(frequency_weights, wide.dtype)
    total = tf.reduce_sum(weights + tf.zeros_like(wide), axes, True)
    mean = tf.math.divide_no_nan(tf.reduce_sum(weights * wide, axes, True), total)
    squares = tf.reduce_sum(weights * tf.math.squared_difference(wide, mean), axes, True)
    moments = [mean, tf.math.divide_no_nan(squares, total)]
    found = moments if keepdims else [tf.squeeze(each, axes) for each in moments]
    return [tf.cast(each, x.dtype) if x.dtype == FLOAT16 else each for each in found]
