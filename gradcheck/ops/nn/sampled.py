"""Losses over a few classes that were drawn, in the place of all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcheck.dtypes import FLOAT32, FLOATS, INT64
from gradcheck.ops.arrays.creation import constant
from gradcheck.ops.declaration import REAL, Index, OpError, Parts, Various, compose, sample
from gradcheck.ops.shapes import as_bool, as_int
from gradcheck.ops.vocabulary import tf
from gradcheck.tensors import Tensor, as_array

NEVER = float(np.finfo(FLOAT32).min)
"""What TensorFlow adds to the logit of a class that was drawn but is a true one; in 16 bits it is minus infinity."""
DRAWN = "the classes that were drawn, and how often each is expected, are not connected"


def _logits(
    op: str,
    weights: Parts,
    biases: Tensor,
    labels: Tensor,
    inputs: Tensor,
    count: int,
    num_true: int,
    sampled_values: Sequence[Tensor] | None,
    *,
    without_hits: bool,
) -> tuple[Tensor, Tensor]:
    """The logits of the true and of the drawn classes `[rows, true + drawn]`, and the labels that belong to them."""
    if sampled_values is None:
        raise OpError(
            f"`{op}` draws classes at random unless they are given",
            argument="sampled_values",
            help="give `sampled_values=(classes, expected of the true, expected of the drawn)`",
        )
    if len(sampled_values) != 3:
        raise OpError(f"`sampled_values` must be three tensors, not {len(sampled_values)}", argument="sampled_values")
    drawn, true_expected, drawn_expected = (tf.stop_gradient(each) for each in sampled_values)
    if inputs.ndim != 2 or labels.shape != (inputs.shape[0], num_true):
        raise OpError(
            f"`{op}`: `labels` must have shape {[inputs.shape[0] if inputs.ndim else 0, num_true]} for inputs of shape "
            f"{list(inputs.shape)}, not {list(labels.shape)}",
            argument="labels",
        )
    rows, size = inputs.shape
    labels, drawn = tf.cast(labels, INT64), tf.cast(drawn, INT64)
    ids = tf.concat([tf.reshape(labels, [-1]), drawn], 0)
    found, offsets = tf.nn.embedding_lookup(list(weights), ids), tf.nn.embedding_lookup(biases, ids)
    many = rows * num_true
    own = tf.expand_dims(inputs, 1) * tf.reshape(found[:many], (rows, num_true, size))
    true = tf.reduce_sum(own, 2) + tf.reshape(offsets[:many], (rows, num_true))
    others = tf.matmul(inputs, found[many:], transpose_b=True) + offsets[many:]
    if without_hits:
        if drawn.shape != (count,):
            raise OpError(f"`num_sampled` is {count}, but {drawn.shape[0]} classes were drawn", argument="num_sampled")
        hits = tf.reduce_any(tf.equal(tf.expand_dims(labels, 2), drawn), 1)
        others = others + tf.where(hits, constant(as_array(NEVER, inputs.dtype)), tf.zeros_like(others))
    logits = tf.concat([true - tf.math.log(true_expected), others - tf.math.log(drawn_expected)], 1)
    shares = tf.concat([tf.ones_like(true) / num_true, tf.zeros_like(others)], 1)
    return logits, shares


VALUES = (np.array([2, 0]), np.array([[0.5], [0.25]]), np.array([0.5, 0.75]))
TWO_TRUE = (np.array([1, 3]), np.array([[0.5, 0.2], [0.25, 0.5]]), np.array([0.5, 0.75]))
SAMPLES = (
    sample([(4, 2)], (4,), [[1], [3]], (2, 2), 2, 4, sampled_values=VALUES),
    sample([(4, 2)], (4,), [[1], [3]], (2, 2), 2, 4, 1, VALUES, True),
    sample([(2, 2), (2, 2)], (4,), [[1, 2], [0, 3]], (2, 2), 2, 4, 2, TWO_TRUE, False),
)


@compose("tf.nn.nce_loss", domains=(REAL, REAL, REAL), dtypes=FLOATS, samples=SAMPLES, convention=DRAWN)
def _nce_loss(
    weights: Parts,
    biases: Tensor,
    labels: Index,
    inputs: Tensor,
    num_sampled: Any,
    num_classes: Any,
    num_true: Any = 1,
    sampled_values: Various | None = None,
    remove_accidental_hits: Any = False,
    name: str | None = "nce_loss",
) -> Tensor:
    """Gutmann and Hyvärinen 2010, Noise-contrastive estimation: each class on its own is true or drawn."""
    counts = as_int(num_sampled, "num_sampled"), as_int(num_true, "num_true")
    without_hits = as_bool(remove_accidental_hits, "remove_accidental_hits")
    logits, shares = _logits(
        "tf.nn.nce_loss", weights, biases, labels, inputs, *counts, sampled_values, without_hits=without_hits
    )
    loss: Tensor = tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(shares, logits), 1)
    return loss


@compose("tf.nn.sampled_softmax_loss", domains=(REAL, REAL, REAL), dtypes=FLOATS, samples=SAMPLES, convention=DRAWN)
def _sampled_softmax_loss(
    weights: Parts,
    biases: Tensor,
    labels: Index,
    inputs: Tensor,
    num_sampled: Any,
    num_classes: Any,
    num_true: Any = 1,
    sampled_values: Various | None = None,
    remove_accidental_hits: Any = True,
    seed: Any = None,
    name: str | None = "sampled_softmax_loss",
) -> Tensor:
    """Jean, Cho, Memisevic and Bengio 2015, On using very large target vocabulary."""
    counts = as_int(num_sampled, "num_sampled"), as_int(num_true, "num_true")
    without_hits = as_bool(remove_accidental_hits, "remove_accidental_hits")
    logits, shares = _logits(
        "tf.nn.sampled_softmax_loss",
        weights,
        biases,
        labels,
        inputs,
        *counts,
        sampled_values,
        without_hits=without_hits,
    )
    loss: Tensor = tf.nn.softmax_cross_entropy_with_logits(shares, logits)
    return loss
