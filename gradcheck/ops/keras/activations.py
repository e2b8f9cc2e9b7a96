"""The activations of Keras, in the operations that it has TensorFlow compute them by."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck.dtypes import FLOATS, Array
from gradcheck.ops.declaration import INEXACT, REAL, Interval, OpError, compose, sample
from gradcheck.ops.keras.logits import remember
from gradcheck.ops.keras.losses import cast, constant, promoted
from gradcheck.ops.shapes import as_bool, as_float, one_axis
from gradcheck.ops.vocabulary import tf
from gradcheck.tensors import Tensor

ELEMENTWISE = (sample((2, 3)), sample(()), sample((0, 3)))
ROWS = (sample((2, 3)), sample((2, 3, 2), 1), sample((3, 2), -2), sample((2, 3), None), sample((0, 3)))
KEPT = "a cross-entropy of Keras that is given the very result goes back to its logits"
AROUND_SIX = Interval(-2.0, 8.0)
AROUND_THREE = Interval(-4.0, 4.0)


def _from(*kinks: float) -> Callable[..., Array]:
    """How far each element is from the nearest of these numbers."""

    def distance(x: Array, **_: Any) -> Array:
        nearest: Array = np.min([np.abs(x - each) for each in kinks], 0)
        return nearest

    return distance


# What `tf` has under another name


def _renamed(name: str, function: Callable[[Tensor], Any], **details: Any) -> None:
    @compose(
        f"tf.keras.activations.{name}",
        **{"domains": (REAL,), "dtypes": FLOATS, "samples": ELEMENTWISE, **details},
    )
    def activation(x: Tensor) -> Tensor:
        result: Tensor = function(x)
        return result


_renamed("exponential", lambda x: tf.exp(x), dtypes=INEXACT)
_renamed("linear", lambda x: tf.identity(x), dtypes=INEXACT)
_renamed("log_sigmoid", lambda x: tf.math.log_sigmoid(x))
_renamed("relu6", lambda x: tf.nn.relu6(x), domains=(AROUND_SIX,), kink=_from(0, 6), convention="0 at 0 and at 6")
_renamed("selu", lambda x: tf.nn.selu(x), kink=np.abs, convention="the scale 1.0507 at 0")
_renamed("sigmoid", lambda x: remember(tf.sigmoid(x), x), dtypes=INEXACT, convention=KEPT)
_renamed("softplus", lambda x: tf.nn.softplus(x))
_renamed("softsign", lambda x: tf.nn.softsign(x), kink=np.abs, convention="1 at 0; TensorFlow has no second derivative")
_renamed(
    "tanh",
    lambda x: tf.tanh(cast(x, promoted(x.dtype))),
    dtypes=INEXACT,
    convention="complex128 becomes complex64",
)
_renamed(
    "silu",
    lambda x: tf.nn.silu(x),
    aliases=("tf.keras.activations.swish",),
    dtypes=INEXACT,
    errata=("complex",),
    convention="TensorFlow leaves out the conjugate",
)

# Smooth ones


_renamed("tanh_shrink", lambda x: x - tf.tanh(x), dtypes=INEXACT)
_renamed("mish", lambda x: x * tf.tanh(tf.nn.softplus(x)))


@compose(
    "tf.keras.activations.gelu",
    domains=(REAL,),
    samples=(sample((2, 3)), sample((2, 3), approximate=True), sample(()), sample((0, 3), True)),
    convention="the constants of `tf.nn.gelu`, which are rounded to float32 in every dtype",
)
def _gelu(x: Tensor, approximate: Any = False) -> Tensor:
    result: Tensor = tf.nn.gelu(x, as_bool(approximate, "approximate"))
    return result


@compose(
    "tf.keras.activations.squareplus",
    domains=(REAL,),
    dtypes=INEXACT,
    samples=(sample((2, 3)), sample((2, 3), 0.5), sample(()), sample((0, 3))),
)
def _squareplus(x: Tensor, b: Any = 4) -> Tensor:
    result: Tensor = (x + tf.sqrt(tf.square(x) + as_float(b, "b"))) / 2
    return result


@compose(
    "tf.keras.activations.glu",
    domains=(REAL,),
    dtypes=INEXACT,
    samples=(sample((2, 4)), sample((2, 3), axis=0), sample((3, 2, 1), -2), sample((0, 2))),
)
def _glu(x: Tensor, axis: Any = -1) -> Tensor:
    at = one_axis(axis, x.ndim)
    if x.shape[at] % 2:
        raise OpError(f"axis {at} of {list(x.shape)} cannot be halved: its size is odd", argument="axis")
    passed, gate = tf.split(x, 2, axis=at)
    result: Tensor = passed * tf.sigmoid(gate)
    return result


# With kinks


@compose(
    "tf.keras.activations.relu",
    domains=(AROUND_SIX,),
    kink=lambda x, negative_slope, max_value, threshold: _from(threshold, 6.0 if max_value is None else max_value)(x),
    samples=(
        sample((2, 3)),
        sample((2, 3), 0.3),
        sample((2, 3), -0.5, 5.0, 1.0),
        sample((3,), max_value=6),
        sample((3,), 0.1, threshold=-0.5),
        sample((0, 3), max_value=2.0),
    ),
    convention="0 at the threshold, the slope below it if that alone is given; 1 at `max_value`, but 0 where it is 6",
)
def _relu(x: Tensor, negative_slope: Any = 0.0, max_value: Any = None, threshold: Any = 0.0) -> Tensor:
    slope, least = as_float(negative_slope, "negative_slope"), as_float(threshold, "threshold")
    most = None if max_value is None else as_float(max_value, "max_value")
    result: Tensor
    if slope and most is None and not least:
        result = tf.nn.leaky_relu(x, slope)
        return result
    if most == 6 and not least:
        result = tf.nn.relu6(x)
    else:
        above = tf.where(x > least, x, tf.zeros_like(x)) if least else tf.nn.relu(x)
        result = above if most is None else tf.clip_by_value(above, 0.0, most)
    return result - slope * tf.nn.relu(least - x if least else -x) if slope else result


@compose(
    "tf.keras.activations.leaky_relu",
    domains=(REAL,),
    kink=_from(0),
    samples=(sample((2, 3)), sample((2, 3), -0.5), sample(()), sample((0, 3))),
    convention="the slope below 0 at 0; it is rounded to float32 in every dtype",
)
def _leaky_relu(x: Tensor, negative_slope: Any = 0.2) -> Tensor:
    result: Tensor = tf.nn.leaky_relu(x, as_float(negative_slope, "negative_slope"))
    return result


@compose(
    "tf.keras.activations.elu",
    domains=(REAL,),
    kink=_from(0),
    samples=(sample((2, 3)), sample((2, 3), 0.5), sample(()), sample((0, 3), alpha=2)),
    convention="`alpha` at 0",
)
def _elu(x: Tensor, alpha: Any = 1.0) -> Tensor:
    bent, scale = tf.nn.elu(x), as_float(alpha, "alpha")
    result: Tensor = bent if scale == 1 else tf.where(x > 0, bent, scale * bent)
    return result


@compose(
    "tf.keras.activations.celu",
    domains=(REAL,),
    kink=_from(0),
    samples=(sample((2, 3)), sample((2, 3), 0.5), sample(()), sample((0, 3), alpha=2)),
    convention="1 at 0, where the function is smooth; TensorFlow counts both of its parts there and answers 2",
)
def _celu(x: Tensor, alpha: Any = 1.0) -> Tensor:
    scale = as_float(alpha, "alpha")
    if scale == 0:
        raise OpError("`alpha` must not be 0: it is divided by", argument="alpha")
    below = scale * tf.math.expm1(tf.minimum(x, 0.0) / scale)
    result: Tensor = tf.where(x > 0, x, below)
    return result


_renamed(
    "hard_tanh",
    lambda x: tf.clip_by_value(x, -1.0, 1.0),
    kink=_from(-1, 1),
    convention="1 at both ends",
)


def _hard_sigmoid(x: Tensor) -> Tensor:
    result: Tensor = tf.nn.relu6(x + 3.0) / 6.0
    return result


_renamed("hard_sigmoid", _hard_sigmoid, domains=(AROUND_THREE,), kink=_from(-3, 3), convention="0 at -3 and at 3")
_renamed(
    "hard_silu",
    lambda x: x * _hard_sigmoid(x),
    aliases=("tf.keras.activations.hard_swish",),
    domains=(AROUND_THREE,),
    kink=_from(-3, 3),
    convention="the gate has the slope 0 at -3 and at 3",
)
_renamed(
    "sparse_sigmoid",
    lambda x: tf.where(x <= -1, constant(0, x), tf.where(x >= 1, constant(1, x), 0.5 * (x + 1))),
    kink=_from(-1, 1),
    convention="0 at both ends",
)
_renamed(
    "sparse_plus",
    lambda x: tf.where(x <= -1, tf.zeros_like(x), tf.where(x < 1, 0.25 * tf.square(x + 1), x)),
    kink=_from(-1, 1),
    convention="0 at -1 and 1 at 1, where it is smooth; the second derivative is that of the outer side",
)


@compose(
    "tf.keras.activations.soft_shrink",
    domains=(REAL,),
    kink=lambda x, threshold: _from(-threshold, threshold)(x),
    samples=(sample((2, 3)), sample((2, 3), 1), sample(()), sample((0, 3), threshold=0.2)),
    convention="0 at both thresholds",
)
def _soft_shrink(x: Tensor, threshold: Any = 0.5) -> Tensor:
    width = as_float(threshold, "threshold")
    below = tf.where(x < -width, x + width, tf.zeros_like(x))
    result: Tensor = tf.where(x > width, x - width, below)
    return result


@compose(
    "tf.keras.activations.hard_shrink",
    domains=(REAL,),
    dtypes=INEXACT,
    kink=lambda x, threshold: np.abs(x) - threshold,
    samples=(sample((2, 3)), sample((2, 3), 1), sample(()), sample((0, 3), threshold=0.2)),
    convention="0 at both thresholds",
)
def _hard_shrink(x: Tensor, threshold: Any = 0.5) -> Tensor:
    result: Tensor = tf.where(tf.abs(x) > as_float(threshold, "threshold"), x, tf.zeros_like(x))
    return result


@compose(
    "tf.keras.activations.threshold",
    domains=(REAL,),
    kink=lambda x, threshold, default_value: np.abs(x - threshold),
    samples=(sample((2, 3), 0.1, 0.0), sample((), -1, 7), sample((0, 3), 0, 1)),
    convention="0 at the threshold",
)
def _threshold(x: Tensor, threshold: Any, default_value: Any) -> Tensor:
    below = constant(as_float(default_value, "default_value"), x)
    result: Tensor = tf.where(x > as_float(threshold, "threshold"), x, below)
    return result


# Over rows


def _along(x: Tensor, axis: Any, function: Callable[[Tensor, int], Tensor]) -> Tensor:
    """`function` along one axis, or for None along all of them as if they were one."""
    if axis is None:
        whole: Tensor = tf.reshape(function(tf.reshape(x, [-1]), -1), x.shape)
        return whole
    return function(x, one_axis(axis, x.ndim))


@compose("tf.keras.activations.softmax", domains=(REAL,), samples=ROWS, convention=KEPT)
def _softmax(x: Tensor, axis: Any = -1) -> Tensor:
    return remember(_along(x, axis, lambda row, at: tf.nn.softmax(row, at)), x)


@compose("tf.keras.activations.log_softmax", domains=(REAL,), samples=ROWS)
def _log_softmax(x: Tensor, axis: Any = -1) -> Tensor:
    return _along(x, axis, lambda row, at: tf.nn.log_softmax(row, at))


def _support(x: Array, axis: Any) -> Array:
    """How far the smallest share above 0 and the largest excess below it are from 0."""
    row = -np.sort(-x, axis)
    rank = np.expand_dims(np.arange(1, x.shape[axis] + 1), [each for each in range(x.ndim) if each != axis % x.ndim])
    found: Array = row - (np.cumsum(row, axis) - 1) / rank
    return found


@compose(
    "tf.keras.activations.sparsemax",
    domains=(REAL,),
    kink=_support,
    samples=(sample((2, 4)), sample((3, 2), axis=0), sample((2, 3, 2), -2), sample((1,)), sample((0, 3))),
    convention="not quite that of Martins and Astudillo 2016: from all running sums over the support the threshold is "
    "made, where it should be from the last of them, so that the shares add up to 1 only where one takes all; at the "
    "edge of the support the slope is that of its inside",
)
def _sparsemax(x: Tensor, axis: Any = -1) -> Tensor:
    at = one_axis(axis, x.ndim)
    ordered = tf.sort(x, axis=at, direction="DESCENDING")
    summed = tf.cumsum(ordered, axis=at)
    rank = np.arange(1, x.shape[at] + 1).reshape([-1 if each == at else 1 for each in range(x.ndim)])
    support = ordered - (summed - 1) / x.context.constant(rank.astype(x.dtype)) > 0
    # All of these sums, where the last one would be meant: Keras computes it so.
    inside = tf.reduce_sum(tf.where(support, summed, tf.zeros_like(summed)), axis=at, keepdims=True)
    count = tf.reduce_sum(tf.cast(support, x.dtype), axis=at, keepdims=True)
    result: Tensor = tf.maximum(x - (inside - 1) / count, 0.0)
    return result
