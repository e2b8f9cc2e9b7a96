"""Connectionist temporal classification: how likely labels are, however they are spread over the frames.

Graves, Fernández, Gomez and Schmidhuber 2006, Connectionist temporal classification. A path through the frames is in
one of 2 n + 1 states: before, between and after the n labels there may be blanks.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from gradcheck.dtypes import FLOAT32, FLOAT64, INT32, INT64, NARROW, Array
from gradcheck.ops.arrays.creation import constant
from gradcheck.ops.calling import numbers
from gradcheck.ops.declaration import REAL, Index, OpError, compose, sample
from gradcheck.ops.nn.paths import BACKWARD, FORWARD, STEPS, in_last_frame
from gradcheck.ops.shapes import as_bool, as_int
from gradcheck.ops.vocabulary import tf
from gradcheck.tensors import Tensor

UNFINISHED = math.log(1e-307)
"""What TensorFlow adds for a path that ends before the last label does, in the place of minus infinity."""


class Lattice(NamedTuple):
    """The states of a batch; those behind the last label of a row lead nowhere."""

    classes: Array
    """The class of each state, `[rows, states]`."""
    steps: Array
    """Whether a path can arrive in a state from 0, 1 or 2 states before: `[3, rows, states]` of 0 and 1."""
    last: Array
    """Whether a path may end in a state, `[rows, states]`."""


def _lattice(labels: Array, lengths: Array, blank: int, *, merged: bool = True) -> Lattice:
    rows, most = labels.shape
    classes = np.full((rows, 2 * most + 1), blank)
    inside = np.arange(most) < lengths[:, np.newaxis]
    classes[:, 1::2] = np.where(inside, labels, blank)
    steps = np.ones((STEPS, *classes.shape), np.int32)
    steps[2, :, ::2] = 0  # not from one blank to the next
    if merged:
        steps[2, :, 3::2] = classes[:, 3::2] != classes[:, 1:-2:2]
    else:
        steps[0, :, 1::2] = 0  # a frame for each label: what is seen twice is two
    ends = 2 * lengths[:, np.newaxis] - np.arange(classes.shape[1])
    return Lattice(classes, steps, (ends == 0) | (ends == 1))


def _summed(logits: Tensor, lattice: Lattice, lasting: Array, unfinished: float) -> list[Tensor]:
    """For logits `[frames, rows, classes]` the likelihoods' logarithms, the shares of the ends, and those of steps."""
    rows, states = lattice.classes.shape
    likely = tf.transpose(tf.nn.log_softmax(logits), [1, 0, 2])
    seen = tf.transpose(tf.gather(likely, constant(lattice.classes), batch_dims=1, axis=2), [1, 0, 2])
    start = np.full((1, rows, states), -np.inf)
    start[..., 0] = 0
    scores = tf.concat([constant(start.astype(logits.dtype)), seen], 0)
    ends = constant(np.where(lattice.last, 0, unfinished).astype(logits.dtype))
    found: list[Tensor] = FORWARD(scores, ends, constant(lattice.steps), constant(lasting))
    return found


def _known(op: str, **tensors: Tensor) -> list[Array]:
    found = []
    for name, tensor in tensors.items():
        known = numbers(tensor)
        if known is None:
            raise OpError(f"`{op}`: `{name}` must be known when the case is read, as the paths are", argument=name)
        found.append(known)
    return found


def _check_vector(op: str, name: str, values: Array, rows: int) -> None:
    if values.shape != (rows,):
        raise OpError(f"`{op}`: `{name}` must have shape {[rows]}, not {list(values.shape)}", argument=name)
    if (values < 0).any():
        raise OpError(f"`{op}`: `{name}` {values.tolist()} must not be negative", argument=name)


def _check_labels(op: str, argument: str, labels: Array, classes: int, blank: int) -> None:
    for label in labels[(labels < 0) | (labels >= classes) | (labels == blank)]:
        what = "is the blank" if label == blank else f"is not one of {classes} classes"
        raise OpError(f"`{op}`: the label {label} {what}", argument=argument)


@compose(
    "tf.nn.ctc_loss",
    domains=(REAL,),
    dtypes=(*NARROW, FLOAT32),
    samples=(
        sample([[1, 2], [2, 2]], (5, 2, 4), [2, 2], [5, 4]),
        sample([[0, 3], [1, 3]], (2, 3, 4), [2, 1], [3, 2], False, blank_index=-2),
        sample([[1, 1, 3]], (4, 1, 4), [0], [4], blank_index=2),
    ),
    errata=("second order",),
    convention="labels that do not fit into the frames cost 706.9, as if a path could end too early with the "
    "probability 1e-307, and the gradient is that of this value; TensorFlow's is another one there, and its second "
    "derivative is not finite",
)
def _ctc_loss(
    labels: Index,
    logits: Tensor,
    label_length: Index,
    logit_length: Index,
    logits_time_major: Any = True,
    unique: Any = None,
    blank_index: Any = None,
    name: str | None = None,
) -> Tensor:
    op = "tf.nn.ctc_loss"
    if unique is not None:
        raise OpError(f"`{op}`: `unique` only makes TensorFlow quicker", argument="unique", help="leave it out")
    if labels.dtype not in (INT32, INT64) or labels.ndim != 2:
        raise OpError(f"`{op}` takes a matrix of labels, int32 or int64, one row for each sequence", argument="labels")
    if logits.ndim != 3:
        raise OpError(f"`{op}` takes logits of rank 3, not of shape {list(logits.shape)}", argument="logits")
    wide = tf.cast(logits, FLOAT32)
    if not as_bool(logits_time_major, "logits_time_major"):
        wide = tf.transpose(wide, [1, 0, 2])
    frames, rows, classes = wide.shape
    blank = as_int(0 if blank_index is None else blank_index, "blank_index")
    if not -classes <= blank < classes:
        raise OpError(f"`blank_index` {blank} is not one of {classes} classes", argument="blank_index")
    blank %= classes
    given, lengths, lasting = _known(op, labels=labels, label_length=label_length, logit_length=logit_length)
    if len(given) != rows:
        raise OpError(f"`{op}`: {rows} sequences need as many rows of labels, not {len(given)}", argument="labels")
    _check_vector(op, "label_length", lengths, rows)
    _check_vector(op, "logit_length", lasting, rows)
    _check_labels(op, "labels", given[np.arange(given.shape[1]) < lengths[:, np.newaxis]], classes, blank)
    total, _, _ = _summed(wide, _lattice(given, lengths, blank), np.minimum(lasting, frames), UNFINISHED)
    loss: Tensor = tf.cast(-total, logits.dtype)
    return loss


def _rows_of(indices: Array, values: Array, rows: int, classes: int, *, collapsed: bool) -> tuple[Array, Array]:
    """The labels of a sparse matrix as a dense one, and how many there are in each row."""
    op = "tf.raw_ops.CTCLoss"
    if indices.ndim != 2 or indices.shape[1] != 2 or values.shape != indices.shape[:1]:
        raise OpError(f"`{op}`: `labels_indices` must be a pair of numbers for each label", argument="labels_indices")
    if ((indices[:, 0] < 0) | (indices[:, 0] >= rows)).any():
        raise OpError(f"`{op}`: `labels_indices` name sequences that are not in [0, {rows})", argument="labels_indices")
    if any(before >= after for before, after in pairwise(indices.tolist())):
        raise OpError(f"`{op}`: `labels_indices` must be in order, each once", argument="labels_indices")
    _check_labels(op, "labels_values", values, classes, classes - 1)
    if collapsed:
        again = (values[1:] == values[:-1]) & (indices[1:, 0] == indices[:-1, 0])
        first = np.r_[True, ~again][: len(values)]
        indices, values = indices[first], values[first]
    lengths = np.bincount(indices[:, 0], minlength=rows)
    for row in np.flatnonzero(lengths == 0):
        raise OpError(f"`{op}`: the sequence {row} has no labels", argument="labels_indices")
    labels = np.zeros((rows, lengths.max(initial=0)), np.int64)
    labels[np.arange(labels.shape[1]) < lengths[:, np.newaxis]] = values
    return labels, lengths


ONE_PATH = (
    sample((3, 2, 4), [[0, 0], [0, 1], [0, 2], [1, 0]], [1, 0, 2, 2], [3, 1]),
    sample((2, 1, 3), [[0, 0], [0, 1]], [1, 1], [2], ctc_merge_repeated=False),
    sample((2, 2, 3), [[0, 0], [0, 1], [0, 2], [1, 0]], [1, 0, 1, 1], [2, 1], ignore_longer_outputs_than_inputs=True),
)
"""Labels that fit in one way only: where there are more, TensorFlow adds float64 up in float32."""


@compose(
    "tf.raw_ops.CTCLoss",
    domains=(),
    dtypes=(FLOAT32, FLOAT64),
    several=True,
    samples=ONE_PATH,
    convention="the blank is the last class; repeated labels that do not fit have an infinite loss, whose gradient is "
    "the softmax; the second output is the gradient of the first; TensorFlow passes nothing on from it, and adds the "
    "probabilities of paths up in float32",
)
def _raw_ctc_loss(
    inputs: Tensor,
    labels_indices: Any,
    labels_values: Any,
    sequence_length: Any,
    preprocess_collapse_repeated: Any = False,
    ctc_merge_repeated: Any = True,
    ignore_longer_outputs_than_inputs: Any = False,
    name: str | None = None,
) -> list[Tensor]:
    op = "tf.raw_ops.CTCLoss"
    if inputs.ndim != 3 or not inputs.shape[2]:
        raise OpError(
            f"`{op}` takes inputs of rank 3 with classes, not of shape {list(inputs.shape)}", argument="inputs"
        )
    frames, rows, classes = inputs.shape
    indices = _whole(op, "labels_indices", labels_indices)
    values, lasting = _whole(op, "labels_values", labels_values), _whole(op, "sequence_length", sequence_length)
    _check_vector(op, "sequence_length", lasting, rows)
    if (lasting > frames).any():
        raise OpError(f"`{op}`: {lasting.max()} is more than {frames} frames", argument="sequence_length")
    collapsed = as_bool(preprocess_collapse_repeated, "preprocess_collapse_repeated")
    merged = as_bool(ctc_merge_repeated, "ctc_merge_repeated")
    labels, lengths = _rows_of(indices, values, rows, classes, collapsed=collapsed)
    asked = np.bincount(indices[:, 0], minlength=rows)  # before any are collapsed, as TensorFlow counts
    short = asked > lasting
    if short.any() and not as_bool(ignore_longer_outputs_than_inputs, "ignore_longer_outputs_than_inputs"):
        at = int(short.argmax())
        raise OpError(f"`{op}`: {asked[at]} labels do not fit into {lasting[at]} frames", argument="sequence_length")
    never = ~short & (lengths + merged * _repeats(labels, lengths) > lasting)
    fits = ~short & ~never
    lattice = _lattice(labels, np.where(fits, lengths, 0), classes - 1, merged=merged)
    total, ends, shares = _summed(inputs, lattice, lasting, -math.inf)
    lasts = np.arange(frames)[:, np.newaxis] < lasting
    visited = BACKWARD(in_last_frame(ends, constant(lasting), frames + 1), shares)[1:]
    seen = tf.matmul(
        tf.transpose(visited, [1, 0, 2]), tf.one_hot(constant(lattice.classes), classes, dtype=inputs.dtype)
    )
    gradient = tf.nn.softmax(inputs) * _mask(lasts & ~short, inputs) - tf.transpose(seen, [1, 0, 2]) * _mask(
        fits, inputs
    )
    loss = -total * tf.squeeze(_mask(fits, inputs), -1)
    if never.any():
        endless = tf.reduce_sum(tf.reduce_logsumexp(inputs, 2) * tf.squeeze(_mask(lasts & never, inputs), -1), 0)
        loss = loss + endless + constant(np.where(never, np.inf, 0).astype(inputs.dtype))
    return [loss, gradient]


def _whole(op: str, name: str, given: Any) -> Array:
    """A list of integers as an array."""
    found = np.asarray(given)
    if found.dtype.kind != "i":
        raise OpError(f"`{op}`: `{name}` must be integers, at least one", argument=name)
    return found


def _repeats(labels: Array, lengths: Array) -> Array:
    """How many labels in each row are as the one before, so that there must be a blank between."""
    equal = (labels[:, 1:] == labels[:, :-1]) & (np.arange(1, labels.shape[1]) < lengths[:, np.newaxis])
    counts: Array = equal.sum(1)
    return counts


def _mask(chosen: Array, like: Tensor) -> Tensor:
    """1 where something is chosen and 0 elsewhere, with an axis of size 1 for the classes."""
    return constant(chosen[..., np.newaxis].astype(like.dtype))
