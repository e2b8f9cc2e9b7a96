"""The cross-entropies of Keras, of probabilities that are clipped to 1e-7 and 1 - 1e-7, or of logits."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.dtypes import FLOAT32, INT32, INT64, NARROW
from gradcheck.ops.declaration import INEXACT, REAL, Cast, OpError, compose, sample
from gradcheck.ops.keras.logits import remember, remembered
from gradcheck.ops.keras.losses import EPSILON, UNIT, cast, mean, promoted
from gradcheck.ops.shapes import as_bool, as_float, as_int, one_axis
from gradcheck.ops.vocabulary import tf
from gradcheck.tensors import Tensor

CLIPPED = "clipped to 1e-7 and 1 - 1e-7, beyond which the slope is 0"
FROM_KERAS = "given the very result of Keras's own {}, it goes back to the logits and clips nothing"


def _clipped(probabilities: Tensor) -> Tensor:
    clipped: Tensor = tf.clip_by_value(probabilities, EPSILON, 1 - EPSILON)
    return clipped


def _check_shapes(y_true: Tensor, y_pred: Tensor) -> None:
    if y_true.shape != y_pred.shape:
        raise OpError(
            f"labels and predictions need one shape, and have {list(y_true.shape)} and {list(y_pred.shape)}",
            argument="y_true",
        )


# Of two classes


def _smoothed_bits(y_true: Tensor, y_pred: Tensor, label_smoothing: Any) -> Tensor:
    true, smoothing = cast(y_true, y_pred.dtype), as_float(label_smoothing, "label_smoothing")
    return true * (1.0 - smoothing) + 0.5 * smoothing if smoothing else true


def _binary(true: Tensor, y_pred: Tensor, *, from_logits: bool) -> Tensor:
    _check_shapes(true, y_pred)
    logits = y_pred if from_logits else None
    known = remembered(y_pred)
    logits = logits if known is None else known
    entropy: Tensor
    if logits is not None:
        entropy = tf.nn.sigmoid_cross_entropy_with_logits(labels=true, logits=logits)
        return entropy
    p = _clipped(y_pred)
    entropy = -(true * tf.math.log(p) + (1 - true) * tf.math.log(1 - p))
    return entropy


BITS = (
    sample((2, 3), (2, 3)),
    sample((2, 3), (2, 3), from_logits=True, label_smoothing=0.1),
    sample(np.array([[0, 1], [1, 1]]), (2, 2), axis=0),
    sample((0, 3), (0, 3)),
)


@compose(
    "tf.keras.losses.binary_crossentropy",
    domains=(UNIT, UNIT),
    samples=BITS,
    convention=f"{CLIPPED}; {FROM_KERAS.format('sigmoid')}",
)
def _binary_crossentropy(
    y_true: Cast, y_pred: Tensor, from_logits: Any = False, label_smoothing: Any = 0.0, axis: Any = -1
) -> Tensor:
    true = _smoothed_bits(y_true, y_pred, label_smoothing)
    return mean(_binary(true, y_pred, from_logits=as_bool(from_logits, "from_logits")), axis)


@compose(
    "tf.keras.losses.binary_focal_crossentropy",
    domains=(UNIT, UNIT),
    samples=(*BITS, sample((2, 3), (2, 3), True, 0.4, 1.5)),
    convention=f"{CLIPPED}, except for the focal factor; {FROM_KERAS.format('sigmoid')}, but for the focal factor",
)
def _binary_focal_crossentropy(
    y_true: Cast,
    y_pred: Tensor,
    apply_class_balancing: Any = False,
    alpha: Any = 0.25,
    gamma: Any = 2.0,
    from_logits: Any = False,
    label_smoothing: Any = 0.0,
    axis: Any = -1,
) -> Tensor:
    true = _smoothed_bits(y_true, y_pred, label_smoothing)
    p = remember(tf.sigmoid(y_pred), y_pred) if as_bool(from_logits, "from_logits") else y_pred
    entropy = _binary(true, p, from_logits=False)
    agreement = true * p + (1 - true) * (1 - p)
    focal = tf.pow(1.0 - agreement, as_float(gamma, "gamma")) * entropy
    if as_bool(apply_class_balancing, "apply_class_balancing"):
        weight = as_float(alpha, "alpha")
        focal = (true * weight + (1 - true) * (1 - weight)) * focal
    return mean(focal, axis)


# Of several


def _smoothed_shares(y_true: Tensor, y_pred: Tensor, label_smoothing: Any) -> Tensor:
    true, smoothing = cast(y_true, y_pred.dtype), as_float(label_smoothing, "label_smoothing")
    if not smoothing:
        return true
    share, classes = (np.asarray(each).astype(true.dtype) for each in (smoothing, true.shape[-1]))
    smooth: Tensor = true * (1.0 - smoothing) + share / classes
    return smooth


def _normalized(y_pred: Tensor, axis: int) -> Tensor:
    return _clipped(y_pred / tf.reduce_sum(y_pred, axis=axis, keepdims=True))


SHARES = (
    sample((2, 3), (2, 3)),
    sample(np.array([[0.2, 0.5, 0.3], [0.0, 0.9, 0.1]]), (2, 3), from_logits=True, label_smoothing=0.1),
    sample(np.array([[0, 1], [1, 0], [0, 0]]), (3, 2), axis=0),
    sample((0, 3), (0, 3)),
)


@compose(
    "tf.keras.losses.categorical_crossentropy",
    domains=(UNIT, UNIT),
    samples=SHARES,
    errata=("second order",),
    convention=f"divided by their sum and {CLIPPED}; {FROM_KERAS.format('softmax')}; from logits the gradient is exact "
    "for labels that sum to 1",
)
def _categorical_crossentropy(
    y_true: Cast, y_pred: Tensor, from_logits: Any = False, label_smoothing: Any = 0.0, axis: Any = -1
) -> Tensor:
    at = one_axis(axis, y_pred.ndim)
    true = _smoothed_shares(y_true, y_pred, label_smoothing)
    _check_shapes(true, y_pred)
    logits = y_pred if as_bool(from_logits, "from_logits") else None
    known = remembered(y_pred)
    logits = logits if known is None else known
    entropy: Tensor
    if logits is not None:
        entropy = tf.nn.softmax_cross_entropy_with_logits(labels=true, logits=logits, axis=at)
    else:
        entropy = -tf.reduce_sum(true * tf.math.log(_normalized(y_pred, at)), axis=at)
    return entropy


@compose(
    "tf.keras.losses.categorical_focal_crossentropy",
    domains=(UNIT, UNIT),
    samples=(*SHARES, sample((2, 3), (2, 3), 0.5, 1.5), sample((2, 3), (2, 3), alpha=[0.25, 0.5, 1.0])),
    convention=f"divided by their sum and {CLIPPED}; with an `alpha` for each class 16-bit floats become float32",
)
def _categorical_focal_crossentropy(
    y_true: Cast,
    y_pred: Tensor,
    alpha: Any = 0.25,
    gamma: Any = 2.0,
    from_logits: Any = False,
    label_smoothing: Any = 0.0,
    axis: Any = -1,
) -> Tensor:
    at = one_axis(axis, y_pred.ndim)
    true = _smoothed_shares(y_true, y_pred, label_smoothing)
    p = _normalized(tf.nn.softmax(y_pred, at) if as_bool(from_logits, "from_logits") else y_pred, at)
    entropy = -true * tf.math.log(p)
    factor = tf.pow(1.0 - p, as_float(gamma, "gamma"))
    if isinstance(alpha, (tuple, list)):
        weights = np.array([as_float(each, "alpha") for each in alpha], FLOAT32)
        dtype = FLOAT32 if p.dtype in NARROW else p.dtype
        factor, entropy = cast(factor, dtype) * weights.astype(dtype), cast(entropy, dtype)
    else:
        factor = factor * as_float(alpha, "alpha")
    focal: Tensor = tf.reduce_sum(factor * entropy, axis=at)
    return focal


@compose(
    "tf.keras.losses.sparse_categorical_crossentropy",
    domains=(UNIT, UNIT),
    samples=(
        sample(np.array([2, 0]), (2, 3)),
        sample(np.array([[2], [0]]), (2, 3), from_logits=True, axis=1),
        sample(np.array([[2, 0], [1, 2]]), (2, 2, 3), ignore_class=2),
        sample(np.zeros(0, np.int32), (0, 3)),
    ),
    convention=f"{CLIPPED}, then divided by their sum; {FROM_KERAS.format('softmax')}; labels are not connected; "
    "TensorFlow refuses one outside the classes, except the one to ignore, whose loss is 0",
)
def _sparse_categorical_crossentropy(
    y_true: Cast, y_pred: Tensor, from_logits: Any = False, ignore_class: Any = None, axis: Any = -1
) -> Tensor:
    if one_axis(axis, y_pred.ndim) != y_pred.ndim - 1:
        raise OpError(f"`axis` must be the last one, not {axis}", argument="axis")
    labels = y_true
    if labels.ndim == y_pred.ndim and labels.shape[-1] == 1:
        labels = tf.squeeze(labels, [-1])
    valid = None
    if ignore_class is not None:
        ignored = np.asarray(as_int(ignore_class, "ignore_class")).astype(y_pred.dtype)
        valid = tf.not_equal(cast(labels, y_pred.dtype), ignored)
        labels = tf.where(valid, labels, tf.zeros_like(labels))
        y_pred = tf.where(tf.expand_dims(valid, -1), y_pred, tf.zeros_like(y_pred))
    known = remembered(y_pred)
    if known is not None:
        logits = known
    else:
        logits = y_pred if as_bool(from_logits, "from_logits") else tf.math.log(_clipped(y_pred))
    entropy = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=cast(labels, INT64), logits=logits)
    result: Tensor = entropy if valid is None else tf.where(valid, entropy, tf.zeros_like(entropy))
    return result


@compose(
    "tf.keras.losses.categorical_generalized_cross_entropy",
    domains=(UNIT, UNIT),
    dtypes=INEXACT,
    samples=(sample(np.array([0, 2]), (2, 3), 0.5), sample(np.array(1), (3,), 1), sample(np.zeros(0, int), (0, 3), 2)),
    convention="labels are not connected; one outside the classes stands for none; complex128 becomes complex64",
)
def _categorical_generalized_cross_entropy(y_true: Cast, y_pred: Tensor, q: Any) -> Tensor:
    power = as_float(q, "q")
    if y_pred.ndim == 0:
        raise OpError("the predictions need an axis of classes, and a scalar has none", argument="y_pred")
    chosen = tf.one_hot(cast(y_true, INT64), y_pred.shape[-1], dtype=y_pred.dtype)
    p = tf.reduce_sum(y_pred * chosen, axis=-1)
    p = cast(p, promoted(p.dtype))
    entropy: Tensor = (1 - tf.pow(p, power)) / power
    return entropy


# Of sequences


@compose(
    "tf.keras.losses.ctc",
    domains=(REAL,),
    samples=(sample([[1, 2], [3, 0]], (2, 3, 4)), sample([[1, 1]], (1, 4, 2))),
    errata=("second order",),
    convention="the class 0 is the blank, and as a label it stands for none; computed in float32 by `tf.nn.ctc_loss`, "
    "and float64 alone is converted back",
)
def _ctc(y_true: Cast, y_pred: Tensor) -> Tensor:
    if y_true.ndim != 2 or y_pred.ndim != 3:
        raise OpError(
            f"`tf.keras.losses.ctc` takes a matrix of labels and logits of rank 3, not shapes {list(y_true.shape)} "
            f"and {list(y_pred.shape)}"
        )
    rows, frames, _ = y_pred.shape
    labels = cast(y_true, INT32)
    lengths = tf.reduce_sum(tf.cast(tf.not_equal(labels, 0), INT32), axis=-1)
    lasting = y_pred.context.constant(np.full(rows, frames, INT32))
    logits = cast(y_pred, FLOAT32)
    loss = tf.nn.ctc_loss(labels, logits, lengths, lasting, logits_time_major=False, blank_index=0)
    return cast(loss, FLOAT32 if y_pred.dtype in NARROW else y_pred.dtype)
