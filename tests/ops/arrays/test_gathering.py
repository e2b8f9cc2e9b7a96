"""Gathers and sums over segments: duplicates, batches, positions outside, and what is refused."""

from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pytest
import tensorflow

from gradcheck import GradientTape, tensor
from gradcheck.ops import OpError, tf
from gradcheck.tensors import Builder, building
from tests.ops.calls import assert_same
from tests.ops.positions import X, assert_outside, assert_refused

GATHERED: dict[str, Callable[..., Any]] = {
    "duplicates add": lambda tf, x: tf.gather(x, [0, 0, 1]),
    "last axis": lambda tf, x: tf.gather(x, [[3, 3], [0, 3]], axis=-1),
    "scalar": lambda tf, x: tf.gather(x, 2, axis=1),
    "batches": lambda tf, x: tf.gather(x, [[2, 2], [0, 1]], batch_dims=1),
    "batches, a later axis": lambda tf, x: tf.gather(x, [[3, 3], [0, 1]], axis=2, batch_dims=1),
    "batches, no positions of their own": lambda tf, x: tf.gather(x, [3, 1], axis=2, batch_dims=1),
    "two batch axes": lambda tf, x: tf.gather(x, [[[3], [3], [0]], [[1], [1], [1]]], axis=2, batch_dims=-1),
    "two gathers of one": lambda tf, x: tf.gather(x, [0]) * tf.gather(x, [1]),
    "no positions": lambda tf, x: tf.gather(x, tf.zeros([0], "int32")),
    "gather_nd": lambda tf, x: tf.gather_nd(x, [[0, 1], [1, 2], [0, 1]]),
    "gather_nd, whole rows": lambda tf, x: tf.gather_nd(x, [[[1]], [[1]]]),
    "gather_nd, batches": lambda tf, x: tf.gather_nd(x, [[[2], [2]], [[0], [1]]], batch_dims=1),
    "gather_nd, policy": lambda tf, x: tf.gather_nd(x, [[1]], bad_indices_policy="ERROR"),
    "unsorted_segment_sum": lambda tf, x: tf.math.unsorted_segment_sum(x, [[0, 2, 0], [-1, 2, -7]], 4),
    "segment_sum": lambda tf, x: tf.math.segment_sum(x, [0, 2]),
    "int16 positions": lambda tf, x: tf.gather(x, tf.constant([1, 1], "int16"), axis=1),
}


@pytest.mark.parametrize("name", GATHERED)
def test_gathers(name: str) -> None:
    assert_same(GATHERED[name], X)


BEYOND: dict[str, tuple[Callable[..., Any], Any]] = {
    "no coordinates": (lambda tf, x: tf.gather_nd(x, np.zeros((5, 0), np.int32)), np.full_like(X, 5)),
    "one position": (lambda tf, x: tf.gather_nd(x, [1, 2]), np.arange(6)[:, None] == np.full((1, 4), 5)),
    "no segments": (lambda tf, x: tf.math.unsorted_segment_sum(x, [-1, -1], 0), np.zeros_like(X)),
}


@pytest.mark.parametrize("name", BEYOND)
def test_gradients_that_tensorflow_fails_to_compute(name: str) -> None:
    call, expected = BEYOND[name]
    x = tensor(X)
    with GradientTape() as tape:
        tape.watch(x)
        y = call(tf, x)
    source = tensorflow.constant(X)
    with tensorflow.GradientTape() as other:
        other.watch(source)
        value = call(tensorflow, source)
    np.testing.assert_array_equal(y.numpy(), value.numpy(), strict=True)
    np.testing.assert_array_equal(tape.gradient(y, x).numpy(), expected.reshape(X.shape))
    with pytest.raises(tensorflow.errors.InvalidArgumentError):
        other.gradient(value, source)


@pytest.mark.parametrize(("dtype", "count"), [(np.float16, 5000.0), (ml_dtypes.bfloat16, 4992.0)])
def test_narrow_floats_are_added_in_float32(dtype: Any, count: float) -> None:
    """TensorFlow adds them one by one in their own dtype, and stops at 2048 and at 256."""
    ones, zeros = np.ones(5000, dtype), np.zeros(5000, np.int32)
    totals = [
        tf.math.unsorted_segment_sum(tensor(ones), zeros, 1),
        tf.scatter_nd(zeros[:, None], tensor(ones), [1]),
        tf.tensor_scatter_nd_add(tensor(np.zeros(1, dtype)), zeros[:, None], tensor(ones)),
    ]
    for total in totals:
        assert total.numpy().astype(float).tolist() == [count]
    assert float(tensorflow.math.unsorted_segment_sum(ones, zeros, 1).numpy()[0]) < 2049


def test_many_duplicates_of_wide_rows_add_up() -> None:
    rng = np.random.default_rng(0)
    ids, rows = rng.integers(-1, 7, 1000), rng.standard_normal((1000, 3))
    expected = np.stack([rows[ids == place].sum(0) for place in range(7)])
    np.testing.assert_allclose(tf.math.unsorted_segment_sum(tensor(rows), ids, 7).numpy(), expected, rtol=1e-12)


OUTSIDE: dict[str, tuple[Callable[..., Any], Any, str]] = {
    "gather": (lambda tf, x, i: tf.gather(x, i), [[0], [2]], "indices[1, 0] = 2 is not in [0, 2)"),
    "gather, negative": (lambda tf, x, i: tf.gather(x, i, axis=2), [-1], "indices[0] = -1 is not in [0, 4)"),
    "gather, scalar": (lambda tf, x, i: tf.gather(x, i), 2, "indices = 2 is not in [0, 2)"),
    "gather, batches": (
        lambda tf, x, i: tf.gather(x, i, batch_dims=1),
        [[0], [3]],
        "indices[1, 0] = 3 is not in [0, 3)",
    ),
    "gather_nd": (
        lambda tf, x, i: tf.gather_nd(x, i),
        [[0, 1], [1, 3]],
        "indices[1] = [1, 3] does not index into shape [2, 3, 4]",
    ),
    "gather_nd, negative": (
        lambda tf, x, i: tf.gather_nd(x, i),
        [[0, 1], [-1, 0]],
        "indices[1] = [-1, 0] does not index into shape [2, 3, 4]",
    ),
    "segments": (
        lambda tf, x, i: tf.math.unsorted_segment_sum(x, i, 2),
        [0, 2],
        "segment_ids[1] = 2 is not in [0, 2)",
    ),
}


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_position_outside_is_refused_when_it_is_known_and_raised_when_it_runs(name: str) -> None:
    assert_outside(*OUTSIDE[name])


REFUSED: dict[str, tuple[Callable[[Any, Any], Any], str]] = {
    "gather, axis": (lambda tf, x: tf.gather(x, [0], axis=3), "`axis` 3 is outside a tensor of rank 3"),
    "gather, scalar": (
        lambda tf, x: tf.gather(x[0, 0, 0], [0]),
        "`tf.gather` takes from an axis, and a scalar has none",
    ),
    "gather, batch": (
        lambda tf, x: tf.gather(x, [[0], [1], [1]], axis=1, batch_dims=1),
        "the first 1 axes of `params` [2, 3, 4] and `indices` [3, 1] must be equal",
    ),
    "gather, batch rank": (
        lambda tf, x: tf.gather(x, [0], axis=2, batch_dims=2),
        "`batch_dims` 2 is outside `indices` of rank 1",
    ),
    "gather, uint8": (
        lambda tf, x: tf.gather(x, tf.constant([0], "uint8")),
        "`tf.gather` does not take uint8 as `indices`; it takes int16, int32, int64",
    ),
    "gather_nd, deep": (
        lambda tf, x: tf.gather_nd(x, [[0, 0, 0, 0]]),
        "`tf.gather_nd` with `indices` of shape [1, 4] does not fit `params` of shape [2, 3, 4]",
    ),
    "gather_nd, scalar": (lambda tf, x: tf.gather_nd(x, 0), "`indices` must have an axis for the coordinates"),
    "gather_nd, batch": (
        lambda tf, x: tf.gather_nd(x, [[0], [1]], batch_dims=-1),
        "`batch_dims` -1 must be at least 0 and below the ranks 3 and 2",
    ),
    "segments, shape": (
        lambda tf, x: tf.math.unsorted_segment_sum(x, [0], 2),
        "`data` of shape [2, 3, 4] does not start with the shape of `segment_ids`, [1]",
    ),
    "segments, negative": (
        lambda tf, x: tf.math.unsorted_segment_sum(x, [0, 1], -2),
        "`num_segments` is negative: -2",
    ),
    "sorted segments, order": (
        lambda tf, x: tf.math.segment_sum(x, [1, 0]),
        "`segment_ids` [1, 0] do not increase from 0 on",
    ),
    "sorted segments, negative": (
        lambda tf, x: tf.math.segment_sum(x, [-1, 0]),
        "`segment_ids` [-1, 0] do not increase from 0 on",
    ),
    "sorted segments, number": (
        lambda tf, x: tf.math.segment_sum(x, [0]),
        "`segment_ids` of shape [1] must be one id for each row of [2, 3, 4]",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refuses_in_words_what_tensorflow_refuses(name: str) -> None:
    assert_refused(*REFUSED[name])


def test_sums_over_segments_of_the_ids_of_the_case_need_the_number_of_segments() -> None:
    builder = Builder(inline=False)
    with building(builder):
        x, ids = builder.input("x", tensor(X).type), builder.input("ids", tensor([0, 1]).type)
        with pytest.raises(OpError) as caught:
            tf.math.segment_sum(x, ids)
    assert str(caught.value) == (
        "`segment_ids` must be known when the case is read, because the last one decides the shape of the result"
    )
    assert caught.value.help == "use `tf.math.unsorted_segment_sum(data, segment_ids, num_segments)`"
