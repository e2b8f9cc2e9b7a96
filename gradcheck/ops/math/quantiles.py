"""The inverses of the error functions and of the normal distribution function."""

from __future__ import annotations

import math

import numpy as np

from gradcheck.dtypes import FLOAT32, FLOAT64, Array
from gradcheck.ops.declaration import Interval, compose, declare, sample
from gradcheck.ops.math.library import scipy_special
from gradcheck.ops.shapes import elementwise
from gradcheck.ops.vocabulary import tf
from gradcheck.tensors import Tensor

_erfinv = scipy_special("erfinv")


def _rounding(x: Array) -> Array:
    """TensorFlow goes through the quantile of (x + 1) / 2, where x is rounded as 1 is."""
    size = (1 + np.abs(x)) * np.exp(np.square(_erfinv(x)))
    return np.where(np.isfinite(size), size, 0)


declare(
    "tf.math.erfinv",
    elementwise("x"),
    forward=_erfinv,
    vjp=(lambda g, y, x: g * (math.sqrt(math.pi) / 2) * tf.exp(tf.square(y)),),
    domains=(Interval(-0.8, 0.8),),
    rounding=_rounding,
    dtypes=(FLOAT32, FLOAT64),
    samples=(sample((2, 3)), sample(np.array([-0.75, 0.0, 0.75])), sample((0, 3))),
    source="one over the slope 2 / sqrt(pi) exp(-y^2) of erf at the output",
    convention="infinite at -1 and 1, and so is the gradient; NaN beyond",
)
declare(
    "tf.math.ndtri",
    elementwise("x"),
    forward=scipy_special("ndtri"),
    vjp=(lambda g, y, x: g * math.sqrt(2 * math.pi) * tf.exp(tf.square(y) / 2.0),),
    domains=(Interval(0.1, 0.9),),
    dtypes=(FLOAT32, FLOAT64),
    samples=(sample((2, 3)), sample(np.array([0.125, 0.5, 0.875])), sample((0, 3))),
    source="one over the normal density exp(-y^2 / 2) / sqrt(2 pi) at the output",
    convention="infinite at 0 and 1, and so is the gradient; NaN beyond",
)


@compose(
    "tf.math.erfcinv",
    domains=(Interval(0.2, 1.8),),
    dtypes=(FLOAT32, FLOAT64),
    samples=(sample((2, 3)), sample(np.array([0.25, 1.0, 1.75])), sample((0, 3))),
    convention="infinite at 0 and 2, and so is the gradient; NaN beyond",
)
def _erfcinv(x: Tensor, name: str | None = None) -> Tensor:
    inverse: Tensor = -tf.math.ndtri(0.5 * x) * math.sqrt(0.5)
    return inverse
