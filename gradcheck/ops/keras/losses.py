"""The losses of Keras that compare numbers; a mean, or a sum, along the last axis.

Keras makes the predictions' dtype of the labels. Means of 16-bit floats it takes in float32.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.dtypes import COMPLEX64, COMPLEX128, FLOAT32, FLOATS, NARROW, Array, DType
from gradcheck.ops.declaration import INEXACT, POSITIVE, REAL, Cast, Interval, compose, sample
from gradcheck.ops.shapes import as_float, one_axis
from gradcheck.ops.vocabulary import tf
from gradcheck.tensors import Tensor

EPSILON = 1e-7
UNIT = Interval(0.2, 0.8)
PAIRS = (sample((2, 3), (2, 3)), sample((2, 3, 1), (2, 3)), sample((2,), (2, 1)), sample((0, 3), (0, 3)))
ROWS = (sample((2, 3), (2, 3)), sample((3,), (3,)), sample((0, 3), (0, 3)))


def cast(x: Tensor, dtype: DType) -> Tensor:
    """`x` in `dtype`; itself where it is of that dtype."""
    result: Tensor = x if x.dtype == dtype else tf.cast(x, dtype)
    return result


def constant(value: Any, like: Tensor) -> Tensor:
    """A number in the dtype of `like`."""
    number: Tensor = like.context.constant(np.asarray(value).astype(like.dtype))
    return number


def mean(x: Tensor, axis: Any = -1) -> Tensor:
    """The mean along `axis`, converted back; of 16-bit floats in float32, but of complex128 in complex64."""
    computed = FLOAT32 if x.dtype in NARROW else promoted(x.dtype)
    return cast(tf.reduce_mean(cast(x, computed), axis=axis), x.dtype)


def promoted(dtype: DType) -> DType:
    """What Keras makes of a dtype that meets a Python number: complex128 becomes complex64, and no other changes."""
    return COMPLEX64 if dtype == COMPLEX128 else dtype


def _aligned(y_true: Tensor, y_pred: Tensor) -> tuple[Tensor, Tensor]:
    """Labels in the predictions' dtype; of two ranks that differ by a last axis of size 1 the same one is made."""
    true = cast(y_true, y_pred.dtype)
    if true.ndim == y_pred.ndim + 1:
        y_pred, true = _same_rank(y_pred, true)
    elif y_pred.ndim == true.ndim + 1:
        true, y_pred = _same_rank(true, y_pred)
    return true, y_pred


def _same_rank(short: Tensor, long: Tensor) -> tuple[Tensor, Tensor]:
    if long.shape[-1] != 1:
        return short, long
    return (tf.expand_dims(short, -1), long) if short.ndim == 1 else (short, tf.squeeze(long, [-1]))


def _any_equal(y_true: Array, y_pred: Array) -> Array:
    """How far any label is from any prediction."""
    apart: Array = np.abs(y_true.reshape(-1, 1) - y_pred.reshape(1, -1))
    return apart


# Distances


@compose("tf.keras.losses.MSE", aliases=("tf.keras.losses.mse",), domains=(REAL, REAL), dtypes=INEXACT, samples=PAIRS)
def _mean_squared_error(y_true: Cast, y_pred: Tensor) -> Tensor:
    true, pred = _aligned(y_true, y_pred)
    return mean(tf.square(true - pred))


@compose(
    "tf.keras.losses.MAE",
    aliases=("tf.keras.losses.mae",),
    domains=(REAL, REAL),
    dtypes=INEXACT,
    kink=_any_equal,
    samples=PAIRS,
    convention="0 where the label is met",
)
def _mean_absolute_error(y_true: Cast, y_pred: Tensor) -> Tensor:
    true, pred = _aligned(y_true, y_pred)
    return mean(tf.abs(true - pred))


@compose(
    "tf.keras.losses.MAPE",
    aliases=("tf.keras.losses.mape",),
    domains=(POSITIVE, REAL),
    kink=_any_equal,
    samples=PAIRS,
    convention="0 where the label is met; a label nearer to 0 than 1e-7 counts as so far away",
)
def _mean_absolute_percentage_error(y_true: Cast, y_pred: Tensor) -> Tensor:
    true, pred = _aligned(y_true, y_pred)
    share = tf.abs((true - pred) / tf.maximum(tf.abs(true), constant(EPSILON, pred)))
    return 100.0 * mean(share)


@compose(
    "tf.keras.losses.MSLE",
    aliases=("tf.keras.losses.msle",),
    domains=(POSITIVE, POSITIVE),
    samples=PAIRS,
    convention="what is below 1e-7 counts as that, and has the slope 0; 16-bit floats become float32",
)
def _mean_squared_logarithmic_error(y_true: Cast, y_pred: Tensor) -> Tensor:
    true, pred = _aligned(y_true, y_pred)
    dtype = FLOAT32 if pred.dtype in NARROW else pred.dtype

    def logarithm(x: Tensor) -> Tensor:
        least = x.context.constant(np.asarray(np.float32(EPSILON), dtype))
        found: Tensor = tf.math.log(tf.maximum(cast(x, dtype), least) + 1.0)
        return found

    return mean(tf.square(logarithm(pred) - logarithm(true)))


@compose(
    "tf.keras.losses.huber",
    domains=(REAL, REAL),
    kink=lambda y_true, y_pred, delta: _any_equal(y_true, y_pred) - delta,
    samples=(*PAIRS, sample((2, 3), (2, 3), 0.5)),
)
def _huber(y_true: Cast, y_pred: Tensor, delta: Any = 1.0) -> Tensor:
    true, pred = _aligned(y_true, y_pred)
    width = constant(as_float(delta, "delta"), pred)
    error = pred - true
    size = tf.abs(error)
    return mean(tf.where(size <= width, 0.5 * tf.square(error), width * size - 0.5 * tf.square(width)))


@compose(
    "tf.keras.losses.logcosh",
    domains=(REAL, REAL),
    samples=PAIRS,
    convention="log(2) is rounded to float32 in every dtype, so that float64 has 2e-9 where the label is met",
)
def _log_cosh(y_true: Cast, y_pred: Tensor) -> Tensor:
    true, pred = _aligned(y_true, y_pred)
    error = pred - true
    return mean(error + tf.nn.softplus(error * -2.0) - constant(np.log(np.float32(2)), pred))


@compose(
    "tf.keras.losses.cosine_similarity",
    domains=(UNIT, UNIT),
    samples=(*PAIRS, sample((2, 3), (2, 3), 0), sample((2, 3, 2), (2, 3, 2), axis=-2)),
    convention="the length of a vector shorter than 1e-7 counts as that and has no slope",
)
def _cosine_similarity(y_true: Cast, y_pred: Tensor, axis: Any = -1) -> Tensor:
    true, pred = _aligned(y_true, y_pred)
    normal = [_normalized(each, axis) for each in (true, pred)]
    similarity: Tensor = -tf.reduce_sum(normal[0] * normal[1], axis=axis)
    return similarity


def _normalized(x: Tensor, axis: Any) -> Tensor:
    vector = tf.expand_dims(x, 0) if x.ndim == 0 else x
    at = one_axis(axis, vector.ndim)
    inverse = tf.math.rsqrt(tf.reduce_sum(tf.square(vector), axis=at, keepdims=True))
    normal: Tensor = vector * tf.minimum(inverse, 1 / EPSILON)
    return normal


# Of distributions


@compose(
    "tf.keras.losses.KLD",
    aliases=("tf.keras.losses.kld", "tf.keras.losses.kullback_leibler_divergence"),
    domains=(UNIT, UNIT),
    samples=ROWS,
    convention="clipped to 1e-7 and 1: beyond them the slope is 0",
)
def _kl_divergence(y_true: Cast, y_pred: Tensor) -> Tensor:
    true, pred = (tf.clip_by_value(cast(each, y_pred.dtype), EPSILON, 1.0) for each in (y_true, y_pred))
    divergence: Tensor = tf.reduce_sum(true * tf.math.log(true / pred), axis=-1)
    return divergence


@compose("tf.keras.losses.poisson", domains=(POSITIVE, POSITIVE), dtypes=(*FLOATS, COMPLEX64), samples=ROWS)
def _poisson(y_true: Cast, y_pred: Tensor) -> Tensor:
    return mean(y_pred - cast(y_true, y_pred.dtype) * tf.math.log(y_pred + constant(EPSILON, y_pred)))


# Margins


def _signs(y_true: Tensor) -> Tensor:
    """Labels of -1 and 1 for such of 0 and 1; any other labels as they are."""
    binary = tf.reduce_all(tf.logical_or(tf.equal(y_true, 0.0), tf.equal(y_true, 1.0)))
    signs: Tensor = tf.where(binary, 2.0 * y_true - 1.0, y_true)
    return signs


def _excess(y_true: Tensor, y_pred: Tensor) -> Tensor:
    excess: Tensor = tf.maximum(1.0 - _signs(cast(y_true, y_pred.dtype)) * y_pred, 0.0)
    return excess


def _to_margin(y_true: Array, y_pred: Array) -> Array:
    signs = 2 * y_true - 1 if y_true.dtype.kind == "i" else y_true
    apart: Array = 1 - signs * y_pred
    return apart


MARGINS: dict[str, Any] = {
    "domains": (REAL, REAL),
    "kink": _to_margin,
    "samples": (*ROWS, sample(np.array([[0, 1, 1]]), (2, 3))),
    "convention": "labels of 0 and 1 alone count as -1 and 1; at the margin the slope is that of the inside",
}


@compose("tf.keras.losses.hinge", **MARGINS)
def _hinge(y_true: Cast, y_pred: Tensor) -> Tensor:
    return mean(_excess(y_true, y_pred))


@compose("tf.keras.losses.squared_hinge", **MARGINS)
def _squared_hinge(y_true: Cast, y_pred: Tensor) -> Tensor:
    return mean(tf.square(_excess(y_true, y_pred)))


def _to_kinks(y_true: Array, y_pred: Array) -> Array:
    others = np.sort((1 - y_true) * y_pred, -1)
    excess = others[..., -1] - (y_true * y_pred).sum(-1) + 1
    nearest: Array = np.minimum(np.abs(excess), others[..., -1] - others[..., -2])
    return nearest


@compose(
    "tf.keras.losses.categorical_hinge",
    domains=(UNIT, REAL),
    kink=_to_kinks,
    samples=ROWS[:2],
    convention="classes that tie share the gradient; at the margin the slope is that of the inside",
)
def _categorical_hinge(y_true: Cast, y_pred: Tensor) -> Tensor:
    true = cast(y_true, y_pred.dtype)
    right = tf.reduce_sum(true * y_pred, axis=-1)
    wrong = tf.reduce_max((1.0 - true) * y_pred, axis=-1)
    loss: Tensor = tf.maximum(wrong - right + 1.0, constant(0.0, y_pred))
    return loss
