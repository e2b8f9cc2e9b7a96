"""The losses of Keras that compare regions, and points with each other."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradcheck.dtypes import BOOL, INT32
from gradcheck.ops.declaration import INEXACT, Cast, Interval, OpError, compose, sample
from gradcheck.ops.keras.losses import EPSILON, UNIT, cast, promoted
from gradcheck.ops.shapes import as_bool, as_float
from gradcheck.ops.vocabulary import tf
from gradcheck.tensors import Tensor

NOTHING = "1e-7 is added to the denominator: of nothing and nothing the loss is 1; complex128 becomes complex64"
REGIONS = (
    sample((2, 3), (2, 3)),
    sample(np.array([[0, 1, 1]]), (1, 3), axis=-1),
    sample((2, 1, 2), (2, 3, 2), axis=[0, -1]),
    sample((0, 3), (0, 3)),
)


@compose(
    "tf.keras.losses.dice",
    domains=(UNIT, UNIT),
    dtypes=INEXACT,
    samples=REGIONS,
    convention=NOTHING,
)
def _dice(y_true: Cast, y_pred: Tensor, axis: Any = None) -> Tensor:
    true = cast(y_true, y_pred.dtype)
    common = tf.reduce_sum(true * y_pred, axis=axis)
    both = tf.reduce_sum(true, axis=axis) + tf.reduce_sum(y_pred, axis=axis)
    return 1 - _ratio(2.0 * common, both + EPSILON)


def _ratio(part: Tensor, whole: Tensor) -> Tensor:
    ratio: Tensor = cast(part, promoted(part.dtype)) / cast(whole, promoted(whole.dtype))
    return ratio


@compose(
    "tf.keras.losses.tversky",
    domains=(UNIT, UNIT),
    dtypes=INEXACT,
    samples=(*REGIONS, sample((2, 3), (2, 3), 0.3, 0.7)),
    convention=NOTHING,
)
def _tversky(y_true: Cast, y_pred: Tensor, alpha: Any = 0.5, beta: Any = 0.5, axis: Any = None) -> Tensor:
    true = cast(y_true, y_pred.dtype)
    common = tf.reduce_sum(true * y_pred, axis=axis)
    missed = tf.reduce_sum((1 - y_pred) * true, axis=axis)
    invented = tf.reduce_sum(y_pred * (1 - true), axis=axis)
    all_of_it = common + missed * as_float(alpha, "alpha") + invented * as_float(beta, "beta")
    return 1 - _ratio(common, all_of_it + EPSILON)


def _column(labels: Tensor) -> Tensor:
    whole = cast(labels, INT32)
    column: Tensor = tf.reshape(whole, [-1, 1]) if whole.ndim == 1 else whole
    return column


def _alike(labels: Tensor, others: Tensor, *, remove_diagonal: bool) -> tuple[Tensor, Tensor]:
    """Which pairs have one label, without those of a point with itself, and which have two."""
    same = tf.equal(_column(labels), tf.transpose(_column(others)))
    different = tf.logical_not(same)
    if remove_diagonal:
        itself = np.eye(math.prod(labels.shape), math.prod(others.shape), dtype=BOOL)
        same = tf.logical_and(same, labels.context.constant(~itself))
    return same, different


@compose(
    "tf.keras.losses.circle",
    domains=(Interval(0.0, 3.0), UNIT, Interval(0.0, 3.0), UNIT),
    samples=(
        sample(np.array([0, 1, 1, 0]), (4, 3), gamma=4),
        sample(np.array([0, 1, 0, 1]), (4, 2), gamma=2, margin=0.25),
        sample(np.array([0, 1]), (2, 3), np.array([1, 0, 1]), (3, 3), False, 3),
    ),
    convention="labels are not connected; a point without a partner or without a stranger has the loss 0",
)
def _circle(
    y_true: Cast,
    y_pred: Tensor,
    ref_labels: Cast = None,  # type: ignore[assignment]  # Keras's default
    ref_embeddings: Tensor = None,  # type: ignore[assignment]
    remove_diagonal: Any = True,
    gamma: Any = 80,
    margin: Any = 0.4,
) -> Tensor:
    others = y_pred if ref_embeddings is None else ref_embeddings
    if y_pred.ndim != 2 or others.ndim != 2:
        raise OpError(f"embeddings are the rows of a matrix, not of shape {list(y_pred.shape)}", argument="y_pred")
    keep = not as_bool(remove_diagonal, "remove_diagonal")
    same, different = _alike(y_true, y_true if ref_labels is None else ref_labels, remove_diagonal=not keep)
    scale, slack = as_float(gamma, "gamma"), as_float(margin, "margin")
    distance = tf.maximum(1 - tf.matmul(y_pred, tf.transpose(others)), 0.0)
    near = tf.maximum((slack + distance) * tf.cast(same, distance.dtype), 0.0)
    far = tf.maximum((1 + slack - distance) * tf.cast(different, distance.dtype), 0.0)
    attraction = _of_pairs(same, -scale * near * (slack - distance))
    repulsion = _of_pairs(different, scale * far * (1 - slack - distance))
    loss: Tensor = tf.nn.softplus(attraction + repulsion)
    return loss


def _of_pairs(wanted: Tensor, exponents: Tensor) -> Tensor:
    nothing = exponents.context.constant(np.asarray(-np.inf).astype(exponents.dtype))
    total: Tensor = tf.reduce_logsumexp(tf.where(wanted, exponents, nothing), axis=1)
    return total
