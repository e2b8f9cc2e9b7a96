"""The losses of `tf.nn`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradcheck.dtypes import FLOAT32, FLOATS, INT32, INT64, Array
from gradcheck.ops.declaration import (
    INEXACT,
    POSITIVE,
    REAL,
    Cast,
    Index,
    Interval,
    OpError,
    compose,
    declare,
    sample,
)
from gradcheck.ops.nn.activations import shifted
from gradcheck.ops.shapes import Typed, as_bool, as_int, one_axis
from gradcheck.ops.vocabulary import tf
from gradcheck.program import TensorType
from gradcheck.tensors import Tensor

UNIT = Interval(0.0, 1.0)
SHARES = np.array([[0.2, 0.5, 0.3], [0.0, 0.9, 0.1]])


def _same_shape(name: str, first: str, a: Tensor, second: str, b: Tensor) -> None:
    if a.shape != b.shape:
        raise OpError(f"`{name}` needs `{first}` and `{second}` of one shape, not {list(a.shape)} and {list(b.shape)}")


def _cross_entropy_type(labels: Tensor, logits: Tensor, axis: Any = -1, name: str | None = None) -> Typed:
    _same_shape("tf.nn.softmax_cross_entropy_with_logits", "labels", labels, "logits", logits)
    position = one_axis(axis, logits.ndim)
    if as_int(axis, "axis") < -1:
        raise OpError(
            f"`axis` {axis} counts from the end, which TensorFlow only takes for -1",
            argument="axis",
            help=f"write `axis={position}`",
        )
    shape = (*logits.shape[:position], *logits.shape[position + 1 :])
    return TensorType(shape, logits.dtype), {"axis": position}


def _cross_entropy(labels: Array, logits: Array, axis: int) -> Array:
    below = shifted(logits, axis)
    total = np.log(np.exp(below).sum(axis, keepdims=True))
    cost: Array = (labels * (total - below)).sum(axis)
    return cost


def _beside(g: Tensor, like: Tensor, axis: int) -> Tensor:
    """The cotangent of one loss per row, ready to multiply the row."""
    kept: Tensor = tf.reshape(g, (*like.shape[:axis], 1, *like.shape[axis + 1 :]))
    return kept


declare(
    "tf.nn.softmax_cross_entropy_with_logits",
    _cross_entropy_type,
    forward=_cross_entropy,
    vjp=(
        lambda g, y, labels, logits, axis: _beside(g, logits, axis) * -tf.nn.log_softmax(logits, axis),
        lambda g, y, labels, logits, axis: _beside(g, logits, axis) * (tf.nn.softmax(logits, axis) - labels),
    ),
    domains=(UNIT, REAL),
    samples=(
        sample(SHARES, (2, 3)),
        sample(np.stack([SHARES, SHARES[::-1]], 2), (2, 3, 2), axis=1),
        sample(SHARES[0], (3,), axis=0),
        sample((0, 3), (0, 3)),
    ),
    errata=("second order",),
    source="-sum(labels log_softmax(logits)): softmax - labels for the logits, -log_softmax for the labels",
    convention="the gradient of the logits is exact for labels that sum to 1 and is not corrected for others; "
    "TensorFlow forgets that it depends on the labels when it is differentiated again",
)


def _sparse_type(labels: Index, logits: Tensor, name: str | None = None) -> Typed:
    if labels.dtype not in (INT32, INT64):
        raise OpError(f"`labels` are int32 or int64, not {labels.dtype.name}", argument="labels")
    if logits.ndim == 0:
        raise OpError("`logits` need an axis of classes, and a scalar has none", argument="logits")
    if labels.shape != logits.shape[:-1]:
        raise OpError(
            f"logits of shape {list(logits.shape)} need labels of shape {list(logits.shape[:-1])}, "
            f"not {list(labels.shape)}",
            argument="labels",
        )
    return TensorType(labels.shape, logits.dtype), {}


def _sparse(labels: Array, logits: Array) -> Array:
    outside = (labels < 0) | (labels >= logits.shape[-1])
    if outside.any():
        raise ValueError(f"label {labels[outside][0]} is outside the {logits.shape[-1]} classes of the logits")
    below = shifted(logits, -1)
    chosen = np.take_along_axis(below, labels[..., np.newaxis], -1)[..., 0]
    cost: Array = np.log(np.exp(below).sum(-1)) - chosen
    return cost


def _sparse_vjp(g: Tensor, y: Tensor, labels: Tensor, logits: Tensor) -> Tensor:
    classes = np.arange(logits.shape[-1], dtype=labels.dtype)
    hit = tf.cast(tf.equal(tf.reshape(labels, (*labels.shape, 1)), classes), logits.dtype)
    slope: Tensor = tf.reshape(g, (*g.shape, 1)) * (tf.nn.softmax(logits) - hit)
    return slope


declare(
    "tf.nn.sparse_softmax_cross_entropy_with_logits",
    _sparse_type,
    forward=_sparse,
    vjp=(None, _sparse_vjp),
    domains=(REAL,),
    samples=(
        sample(np.array([2, 0]), (2, 3)),
        sample(np.array([[1, 1, 0]]), (1, 3, 2)),
        sample(np.array(1), (3,)),
        sample(np.zeros(0, np.int32), (0, 3)),
    ),
    source="softmax less the one-hot label",
    convention="labels are integers: not connected; one outside the classes is refused when it runs",
)


@compose(
    "tf.nn.sigmoid_cross_entropy_with_logits",
    domains=(UNIT, REAL),
    samples=(sample((2, 3), (2, 3)), sample((), ()), sample(labels=(0, 3), logits=(0, 3))),
    convention="sigmoid(logits) - labels for the logits, also at 0 and far out",
)
def _sigmoid_cross_entropy(
    labels: Tensor = None,  # type: ignore[assignment]  # TensorFlow's default, which it then refuses
    logits: Tensor = None,  # type: ignore[assignment]
    name: str | None = None,
) -> Tensor:
    if labels is None or logits is None:
        raise OpError("`tf.nn.sigmoid_cross_entropy_with_logits` needs both `labels` and `logits`")
    _same_shape("tf.nn.sigmoid_cross_entropy_with_logits", "labels", labels, "logits", logits)
    positive = logits >= 0
    above = tf.where(positive, logits, tf.zeros_like(logits))
    decaying = tf.where(positive, -logits, logits)
    loss: Tensor = (above - logits * labels) + tf.math.log1p(tf.exp(decaying))
    return loss


@compose(
    "tf.nn.weighted_cross_entropy_with_logits",
    domains=(UNIT, REAL, POSITIVE),
    samples=(sample((2, 3), (2, 3), ()), sample((2, 3), (2, 3), (3,)), sample((0, 3), (0, 3), ())),
    convention="at logits of 0 the slopes of |x| and relu count as 0, so that the answer there is 1 - labels",
)
def _weighted_cross_entropy(labels: Tensor, logits: Tensor, pos_weight: Tensor, name: str | None = None) -> Tensor:
    _same_shape("tf.nn.weighted_cross_entropy_with_logits", "labels", labels, "logits", logits)
    weight = 1 + (pos_weight - 1) * labels
    decay = tf.math.log1p(tf.exp(-tf.abs(logits))) + tf.nn.relu(-logits)
    loss: Tensor = (1 - labels) * logits + weight * decay
    return loss


@compose(
    "tf.nn.log_poisson_loss",
    domains=(Interval(1.2, 4.0), REAL),
    samples=(sample((2, 3), (2, 3)), sample((2, 3), (2, 3), True), sample((0, 3), (0, 3), compute_full_loss=True)),
    convention="with `compute_full_loss` Stirling's term is left out for targets from 0 to 1, but at 0 its gradient, "
    "which is not finite there, still makes the answer NaN",
)
def _log_poisson_loss(
    targets: Tensor, log_input: Tensor, compute_full_loss: Any = False, name: str | None = None
) -> Tensor:
    _same_shape("tf.nn.log_poisson_loss", "targets", targets, "log_input", log_input)
    loss: Tensor = tf.exp(log_input) - log_input * targets
    if not as_bool(compute_full_loss, "compute_full_loss"):
        return loss
    stirling = targets * tf.math.log(targets) - targets + 0.5 * tf.math.log(2 * math.pi * targets)
    small = tf.logical_and(targets >= 0, targets <= 1)
    remainder: Tensor = tf.where(small, tf.zeros_like(targets), stirling)
    return loss + remainder


def _l2_loss_type(t: Tensor, name: str | None = None) -> Typed:
    return TensorType((), t.dtype), {}


declare(
    "tf.nn.l2_loss",
    _l2_loss_type,
    forward=lambda x: np.sum(x * x) / 2,
    vjp=(lambda g, y, x: x * g,),
    domains=(REAL,),
    dtypes=FLOATS,
    source="d sum(x^2) / 2 = sum(x dx)",
)


# The mean of a batch, outside of a distribution strategy


@compose(
    "tf.nn.compute_average_loss",
    domains=(REAL, POSITIVE),
    dtypes=INEXACT,
    samples=(
        sample((4,)),
        sample((2, 3), global_batch_size=5),
        sample((2, 3), (2,)),
        sample((2, 3), (2, 3, 1), 0),
        sample((0,)),
    ),
    errata=("complex",),
    convention="TensorFlow weighs in float32, whatever the dtype; 0 for a batch of size 0",
)
def _average_loss(per_example_loss: Tensor, sample_weight: Cast | None = None, global_batch_size: Any = None) -> Tensor:
    if not per_example_loss.ndim:
        raise OpError(
            "`per_example_loss` needs an axis of examples, and a scalar has none", argument="per_example_loss"
        )
    size = per_example_loss.shape[0] if global_batch_size is None else as_int(global_batch_size, "global_batch_size")
    if size < 0:
        raise OpError(f"`global_batch_size` must not be negative, but it is {size}", argument="global_batch_size")
    losses = per_example_loss
    if sample_weight is not None:
        weights = tf.cast(sample_weight, FLOAT32)
        if weights.ndim == losses.ndim + 1:
            weights = tf.squeeze(weights, [-1])
        elif 0 < weights.ndim == losses.ndim - 1:
            weights = tf.expand_dims(weights, -1)
        losses = tf.cast(tf.cast(losses, FLOAT32) * weights, losses.dtype)
    mean: Tensor = tf.math.divide_no_nan(tf.reduce_sum(losses), float(size))
    return mean


@compose(
    "tf.nn.scale_regularization_loss",
    domains=(REAL,),
    dtypes=INEXACT,
    samples=(sample(()), sample((2, 3))),
)
def _scale_regularization_loss(regularization_loss: Tensor) -> Tensor:
    total: Tensor = tf.reduce_sum(regularization_loss)
    return total
