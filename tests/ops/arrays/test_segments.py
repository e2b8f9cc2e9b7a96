"""Segments: computed ids, dropped rows, NaN, and what is refused; partitions, lookups and sequences likewise."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow

from gradcheck import GradientTape, tensor
from gradcheck.ops import tf
from tests.ops.calls import assert_same
from tests.ops.positions import X, assert_refused

NAMES = ("sum", "mean", "max", "min", "prod", "sqrt_n")
IDS = np.array([[0, 2, 0], [-1, 2, -7]], np.int32)


@pytest.mark.parametrize("name", NAMES)
def test_rows_are_dropped_and_segments_left_empty(name: str) -> None:
    assert_same(lambda tf, x: getattr(tf.math, f"unsorted_segment_{name}")(x, IDS, 4), X)


@pytest.mark.parametrize("name", NAMES)
def test_no_segments_and_no_rows(name: str) -> None:
    x = tensor(X)
    with GradientTape() as tape:
        tape.watch(x)
        y = getattr(tf.math, f"unsorted_segment_{name}")(x, [-1, -1], 0)
    assert y.shape == (0, 3, 4)
    np.testing.assert_array_equal(tape.gradient(y, x).numpy(), np.zeros_like(X))
    assert_same(lambda tf, x: getattr(tf.math, f"unsorted_segment_{name}")(x, tf.zeros([0], "int32"), 2), X[:0])


@pytest.mark.parametrize("count", [1, 2, 3, 7, 8, 9, 16, 17])
def test_products_of_the_others_are_exact_whatever_the_length(count: int) -> None:
    """A product of small integers is exact, so that what is doubled one step too few or too many shows."""
    x = np.random.default_rng(count).integers(1, 4, 2 * count).astype(np.float64)
    ids = np.tile([1, 0], count)
    source = tensor(x)
    with GradientTape() as tape:
        tape.watch(source)
        y = tf.math.unsorted_segment_prod(source, ids, 2)
    expected = [np.prod(np.delete(x[at % 2 :: 2], at // 2)) for at in range(2 * count)]
    np.testing.assert_array_equal(tape.gradient(y, source).numpy(), expected)


def test_an_infinite_segment_leaves_the_others_alone() -> None:
    source = tensor(np.array([1e200, 2.0, 1e200, 3.0, np.nan, 5.0]))
    with GradientTape() as tape:
        tape.watch(source)
        y = tf.math.unsorted_segment_prod(source, [0, 1, 0, 1, -1, 2], 3)
    np.testing.assert_array_equal(tape.gradient(y, source).numpy(), [1e200, 3, 1e200, 2, 0, 1])


@pytest.mark.parametrize("name", ["max", "min"])
def test_a_nan_makes_its_segment_nan_wherever_it_is(name: str) -> None:
    x = np.array([np.nan, 1.0, 2.0, np.nan, 3.0])
    found = getattr(tf.math, f"unsorted_segment_{name}")(x, [0, 0, 1, 1, 2], 3).numpy()
    np.testing.assert_array_equal(found, [np.nan, np.nan, 3])
    theirs = getattr(tensorflow.math, f"unsorted_segment_{name}")(x, [0, 0, 1, 1, 2], 3).numpy()
    np.testing.assert_array_equal(theirs, [1, np.nan, 3])


SAME: dict[str, Callable[..., Any]] = {
    "partition": lambda tf, x: tf.dynamic_partition(x, [[1, 0, 1], [1, 1, 0]], 2)[1],
    "an empty part": lambda tf, x: tf.dynamic_partition(x, [0, 0], 2)[1],
    "stitch of different ranks": lambda tf, x: tf.dynamic_stitch([[2, 0], [[1], [5]]], [x, x[:, None]]),
    "stitch of nothing": lambda tf, x: tf.dynamic_stitch([tf.zeros([0], "int32")], [x[:0]]),
    "sequences": lambda tf, x: tf.reverse_sequence(x, [1, 0, 2, 2], seq_axis=0, batch_axis=2),
    "parts of a table": lambda tf, x: tf.nn.embedding_lookup([x[0], x[1, :2]], [[4, 0], [3, 3]]),
    "one row, clipped": lambda tf, x: tf.nn.embedding_lookup(x, 1, max_norm=0.5),
}


@pytest.mark.parametrize("name", SAME)
def test_rows_that_move(name: str) -> None:
    assert_same(SAME[name], X)


REFUSED: dict[str, tuple[Callable[..., Any], str]] = {
    "ids and rows": (
        lambda tf, x: tf.math.segment_max(x, [0]),
        "`segment_ids` of shape [1] must be one id for each row of [2, 3, 4]",
    ),
    "order": (lambda tf, x: tf.math.segment_mean(x, [1, 0]), "`segment_ids` [1, 0] do not increase from 0 on"),
    "outside": (lambda tf, x: tf.math.unsorted_segment_max(x, [0, 5], 2), "segment_ids[1] = 5 is not in [0, 2)"),
    "too few segments": (
        lambda tf, x: tf.sparse.segment_sum(x, [0, 1], [0, 2], num_segments=2),
        "the last segment, 2, is not in [0, 2)",
    ),
    "a matrix of rows": (
        lambda tf, x: tf.sparse.segment_sum(x, [[0]], [0]),
        "`indices` must be a list of rows of `data`",
    ),
    "no such row": (lambda tf, x: tf.sparse.segment_mean(x, [2], [0]), "indices[0] = 2 is not in [0, 2)"),
    "no such part": (lambda tf, x: tf.dynamic_partition(x, [0, 2], 2)[0], "partitions[1] = 2 is not in [0, 2)"),
    "no part": (lambda tf, x: tf.dynamic_partition(x, [0, 0], 0), "`num_partitions` must be at least 1, not 0"),
    "partitions and data": (
        lambda tf, x: tf.dynamic_partition(x, [0, 0, 0], 2)[0],
        "`data` of shape [2, 3, 4] does not start with the shape of `partitions`, [3]",
    ),
    "negative place": (lambda tf, x: tf.dynamic_stitch([[0, -1]], [x]), "indices[1] = -1 is not in [0, 2147483647)"),
    "other rows": (
        lambda tf, x: tf.dynamic_stitch([[0, 1], [2, 3]], [x, x[:, 0]]),
        "the rows of `data` have different shapes: (3, 4), (4,)",
    ),
    "places and data": (
        lambda tf, x: tf.dynamic_stitch([[0, 1], [2, 3]], [x]),
        "2 `indices` do not go with 1 tensors of `data`",
    ),
    "longer than the sequence": (
        lambda tf, x: tf.reverse_sequence(x, [1, 4], seq_axis=1, batch_axis=0),
        "seq_lengths[1] = 4 is not in [0, 3]",
    ),
    "one axis for both": (
        lambda tf, x: tf.reverse_sequence(x, [1, 2], seq_axis=0, batch_axis=0),
        "`seq_axis` and `batch_axis` are both 0",
    ),
    "an axis from the end": (
        lambda tf, x: tf.reverse_sequence(x, [1, 2], seq_axis=-1),
        "`seq_axis` -1 is not an axis of [2, 3, 4] counted from 0",
    ),
    "no such rank": (
        lambda tf, x: tf.raw_ops.NthElement(input=x, n=4),
        "a row of a tensor of shape [2, 3, 4] has no element 4",
    ),
    "more than there are": (
        lambda tf, x: tf.math.approx_max_k(tf.cast(x, "float32"), 5)[0],
        "a tensor of shape [2, 3, 4] has no 5 largest elements in a row",
    ),
    "the smallest": (
        lambda tf, x: tf.approx_top_k(tf.cast(x, "float32"), 1, is_max_k=False)[0],
        "`is_max_k` must be True on a CPU",
    ),
    "another axis": (
        lambda tf, x: tf.math.approx_max_k(tf.cast(x, "float32"), 1, reduction_dimension=0)[0],
        "`reduction_dimension` must be -1 on a CPU",
    ),
    "unequal parts": (
        lambda tf, x: tf.nn.embedding_lookup([x[0, :1], x[0]], [1]),
        "the parts of a table must have as many rows as each other, the first ones perhaps one more, not [1, 3]",
    ),
    "labels and predictions": (
        lambda tf, x: tf.math.confusion_matrix([0, 1], [0, 1], weights=x[0, 0, :3]),
        "`weights` must have the shape [2]",
    ),
    "a value that does not fit": (
        lambda tf, x: tf.raw_ops.TensorStridedSliceUpdate(input=x, begin=[0], end=[1], strides=[1], value=x),
        "`value` of shape [2, 3, 4] does not fit the slice, [1, 3, 4]",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_tensorflow_refuses_is_refused(name: str) -> None:
    call, message = REFUSED[name]
    assert_refused(call, message)
