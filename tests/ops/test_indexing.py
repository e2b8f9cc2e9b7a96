"""Slices, gathers and scatters: Python's `x[...]`, positions outside, duplicates, ties, and what is refused."""

from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pytest
import tensorflow

from gradcheck.engine.differentiate import gradient
from gradcheck.engine.eager import GradientTape, tensor
from gradcheck.engine.evaluate import evaluate
from gradcheck.engine.tracing import trace
from gradcheck.ops import OpError, tf
from gradcheck.ops.indexing import getitem
from gradcheck.tensors import Builder, building
from tests.ops.calls import assert_same

NAN = float("nan")
X = np.arange(1.0, 25.0).reshape(2, 3, 4)

KEYS: list[Any] = [
    0,
    -1,
    np.int64(1),
    (1, 2, 3),
    (-2, -3, -4),
    (),
    ...,
    None,
    slice(None),
    slice(1, None),
    slice(5, None),
    slice(-1, None, -1),
    slice(None, None, -2),
    slice(2, 1),
    slice(-100, 100),
    (slice(None), 1),
    (slice(None), slice(None, None, 2), slice(3, 0, -2)),
    (..., 0),
    (..., None),
    (0, ..., None, 1),
    (None, ..., None, slice(1, 3)),
    (slice(None), None, -1, ..., None),
    (1, slice(0, 0)),
    [0, 1],
    [1, slice(None), 2],
]


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_brackets_mean_what_they_mean_in_tensorflow(key: Any) -> None:
    assert_same(lambda _, x: x[key], X)


@pytest.mark.parametrize("key", [slice(None, None, -2), slice(5, None), 1])
def test_brackets_on_nothing(key: Any) -> None:
    assert_same(lambda _, x: x[:, key], np.zeros((0, 3)))


MASKS = [[True, False], [[True, False, True], [False, False, True]], X > 7, np.zeros((2, 3), bool)]


@pytest.mark.parametrize("mask", MASKS, ids=[f"mask {place}" for place in range(len(MASKS))])
def test_a_mask_between_the_brackets(mask: Any) -> None:
    assert_same(lambda tf, x: x[tf.constant(mask)], X)
    assert_same(lambda _, x: x[np.asarray(mask)], X)
    assert_same(lambda tf, x: tf.boolean_mask(x, mask), X)


COMPUTED: dict[str, Callable[..., Any]] = {
    "position from a shape": lambda tf, x: x[tf.shape(x)[0] - 2],
    "bounds from a shape": lambda tf, x: x[:, tf.shape(x)[0] - 1 : tf.shape(x)[1]],
    "mask from constants": lambda tf, x: x[:, 1][tf.range(2) > 0],
    "positions from constants": lambda tf, x: tf.gather(x, tf.range(3) // 2, axis=2),
    "elements one by one": lambda _, x: sum(row * float(place) for place, row in enumerate(x)),
    "taken apart": lambda _, x: (lambda a, b: a - b)(*x),
    "length": lambda _, x: x * float(len(x)),
    "segment_sum": lambda tf, x: tf.math.segment_sum(x[:, :, 0], tf.constant([1, 3])),
}


@pytest.mark.parametrize("name", COMPUTED)
def test_what_is_known_from_constants_can_index(name: str) -> None:
    assert_same(COMPUTED[name], X)


def _at(key: Callable[[Any], Any], position: int) -> None:
    """Compare `x[key(i)]`, with `i` an input of the program, with TensorFlow."""
    inputs = {"x": X, "i": np.array(position)}
    program = trace(lambda x, i: x[key(i)], inputs)
    written = gradient(program, ["x"])
    (value,) = evaluate(program, inputs)
    assert value is not None
    x = tensorflow.constant(X)
    with tensorflow.GradientTape() as tape:
        tape.watch(x)
        y = x[key(tensorflow.constant(position))]
    np.testing.assert_array_equal(value, y.numpy(), strict=True)
    found = evaluate(written.program, {**inputs, "cotangent": value})
    np.testing.assert_array_equal(found[1], tape.gradient(y, x, output_gradients=y).numpy(), strict=True)


@pytest.mark.parametrize("position", [0, 1, -1, -2])
def test_a_position_that_is_an_input(position: int) -> None:
    _at(lambda i: i, position)
    _at(lambda i: (..., i), position)
    _at(lambda i: (i, slice(None), i), position)
    _at(lambda i: (slice(None, None, -1), None, i, 2), position)
    _at(lambda i: (None, ..., i, None, slice(1, 3)), position)


@pytest.mark.parametrize("position", [2, -3])
def test_a_position_that_is_an_input_is_checked_when_it_runs(position: int) -> None:
    inputs = {"x": X, "i": np.array(position)}
    program = trace(lambda x, i: x[i], inputs)
    with pytest.raises(IndexError, match=r"is not in \[0, 2\)"):
        evaluate(program, inputs)


def test_a_mask_that_is_an_input_is_refused() -> None:
    builder = Builder(inline=False)
    with building(builder):
        x, mask = builder.input("x", tensor(X).type), builder.input("mask", tensor([True, False]).type)
        with pytest.raises(OpError) as caught:
            getitem(x, mask)
        with pytest.raises(OpError, match="whether a tensor is true is not known when the case is read"):
            bool(mask)
    assert str(caught.value) == (
        "`mask` must be known when the case is read, because it decides the shape of the result"
    )


SPECS: list[tuple[Any, ...]] = [
    ([0, 1, 0], [2, 3, 4]),
    ([1], [-5], [-1]),
    ([1, 2], [0, 0], [-1, -2], 1, 2),
    ([0, 1], [0, 2], [1, 1], 0, 0, 1, 0, 2),
    ([0, 1], [0, 2], [1, 1], 0, 0, 1, 0, 3),
    ([9, 1], [9, 2], [7, 1], 0, 0, 0, 1, 3),
    ([0], [1], [1], 0, 0, 1, 1, 0),
    ([1], [9], [5], 1, 1, 0, 0, 1),
    ([0], [1], [1], 0, 0, 0, 0, 4),
    ([0] * 7, [0] * 7, [1] * 7, 0, 0, 0, 127, 0),
]


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_the_masks_of_a_strided_slice(spec: tuple[Any, ...]) -> None:
    assert_same(lambda tf, x: tf.strided_slice(x, *spec), X)


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
    "scatter_nd": lambda tf, x: tf.scatter_nd([[1], [1]], x, [3, 3, 4]),
    "scatter_nd of booleans": lambda tf, x: tf.scatter_nd([[1], [1], [0]], x[0, :, 0] > 3.0, [3]),
    "add twice": lambda tf, x: tf.tensor_scatter_nd_add(x, [[1], [1]], x),
    "sub twice": lambda tf, x: tf.tensor_scatter_nd_sub(x, [[1], [1]], 2.0 * x),
    "update twice": lambda tf, x: tf.tensor_scatter_nd_update(x[0, 0], [[0], [3], [0], [0]], x[1, 0]),
    "unsorted_segment_sum": lambda tf, x: tf.math.unsorted_segment_sum(x, [[0, 2, 0], [-1, 2, -7]], 4),
    "segment_sum": lambda tf, x: tf.math.segment_sum(x, [0, 2]),
    "int16 positions": lambda tf, x: tf.gather(x, tf.constant([1, 1], "int16"), axis=1),
}


@pytest.mark.parametrize("name", GATHERED)
def test_gathers_and_scatters(name: str) -> None:
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


@pytest.mark.parametrize("name", ["tensor_scatter_nd_max", "tensor_scatter_nd_min"])
def test_equal_extremes_share_and_nan_never_wins(name: str) -> None:
    x = np.array([5.0, 1.0, NAN, 1.0, 2.0, 3.0])
    updates = np.array([5.0, 5.0, 2.0, 4.0, NAN, NAN, 3.0, 2.0])
    positions = [[0], [0], [1], [2], [3], [5], [5], [5]]
    assert_same(lambda tf, x, u: getattr(tf, name)(x, positions, u), x, updates)


def test_published_shares_of_a_tie() -> None:
    """The numbers of TensorFlow's convention: three that are equal get a third each."""
    x, updates = np.array([5.0, 1.0]), np.array([5.0, 5.0, 0.0])
    found = assert_same(lambda tf, x, u: tf.tensor_scatter_nd_max(x, [[0], [0], [1]], u), x, updates)
    np.testing.assert_allclose(found[1], [1 / 3, 2])
    np.testing.assert_allclose(found[2], [1 / 3, 1 / 3, 0])


def test_published_update_with_duplicates() -> None:
    """Every duplicate gets the cotangent of its position, also those that were overwritten."""
    x, updates = np.array([1.0, 2.0]), np.array([5.0, 6.0])
    found = assert_same(lambda tf, x, u: tf.tensor_scatter_nd_update(x, [[0], [0]], u), x, updates)
    assert [each.tolist() for each in found if each is not None] == [[6, 2], [0, 2], [1, 1]]


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
    "scatter_nd": (
        lambda tf, x, i: tf.scatter_nd(i, x, [5, 3, 4]),
        [[0], [5]],
        "indices[1] = [5] does not index into shape [5, 3, 4]",
    ),
    "scatter_nd, negative": (
        lambda tf, x, i: tf.scatter_nd(i, x, [5, 3, 4]),
        [[0], [-1]],
        "indices[1] = [-1] does not index into shape [5, 3, 4]",
    ),
    "add": (
        lambda tf, x, i: tf.tensor_scatter_nd_add(x, i, x[:1]),
        [[2]],
        "indices[0] = [2] does not index into shape [2, 3, 4]",
    ),
    "update": (
        lambda tf, x, i: tf.tensor_scatter_nd_update(x, i, x[:1]),
        [[-1]],
        "indices[0] = [-1] does not index into shape [2, 3, 4]",
    ),
    "max": (
        lambda tf, x, i: tf.tensor_scatter_nd_max(x, i, x[:1]),
        [[-1]],
        "indices[0] = [-1] does not index into shape [2, 3, 4]",
    ),
    "segments": (
        lambda tf, x, i: tf.math.unsorted_segment_sum(x, i, 2),
        [0, 2],
        "segment_ids[1] = 2 is not in [0, 2)",
    ),
}


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_position_outside_is_refused_when_it_is_known_and_raised_when_it_runs(name: str) -> None:
    call, positions, message = OUTSIDE[name]
    with pytest.raises(OpError) as refused:
        call(tf, tensor(X), positions)
    assert str(refused.value) == message
    inputs = {"x": X, "i": np.asarray(positions)}
    program = trace(lambda x, i: call(tf, x, i), inputs)
    with pytest.raises(IndexError) as raised:
        evaluate(program, inputs)
    assert str(raised.value) == message
    with pytest.raises(tensorflow.errors.InvalidArgumentError):
        call(tensorflow, tensorflow.constant(X), positions)


INDEX = "a tensor's index is made of integers, slices, `...`, `tf.newaxis` and scalar integer tensors, not "
REFUSED: dict[str, tuple[Callable[[Any, Any], Any], str]] = {
    "index": (lambda _, x: x[2], "index 2 is outside axis 0 of [2, 3, 4], which has size 2"),
    "negative index": (lambda _, x: x[0, ..., -5], "index -5 is outside axis 2 of [2, 3, 4], which has size 4"),
    "too many": (lambda _, x: x[0, 0, 0, 0], "4 indices are too many for a tensor of shape [2, 3, 4]"),
    "scalar": (lambda _, x: x[0, 0, 0][0], "1 indices are too many for a tensor of shape []"),
    "two ellipses": (lambda _, x: x[..., 0, ...], "an index can have one `...` only"),
    "no step": (lambda _, x: x[::0], "the step along axis 0 is 0"),
    "float": (lambda _, x: x[1.5], INDEX + "1.5"),
    "float bound": (lambda _, x: x[:1.5], INDEX + "1.5"),
    "text": (lambda _, x: x["a"], INDEX + "'a'"),
    "integers": (lambda tf, x: x[tf.constant([0, 1])], INDEX + "a tensor int32[2]"),
    "float tensor": (lambda tf, x: x[tf.constant(1.0)], INDEX + "a tensor float32[]"),
    "uint8 tensor": (lambda tf, x: x[tf.constant(1, "uint8")], INDEX + "a tensor uint8[]"),
    "mask among others": (lambda tf, x: x[tf.constant([True, False]), 0], INDEX + "a tensor bool[2]"),
    "true": (lambda _, x: x[True], "a mask cannot be a scalar"),
    "mask, shape": (
        lambda tf, x: x[tf.constant([True, False, True])],
        "a mask of shape [3] does not fit [2, 3, 4] from axis 0 on",
    ),
    "mask, axis": (
        lambda tf, x: tf.boolean_mask(x, [True, False, True, True], axis=-1),
        "a mask of shape [4] does not fit [2, 3, 4] from axis -1 on",
    ),
    "iteration": (lambda _, x: list(x[0, 0, 0]), "a scalar tensor cannot be iterated over"),
    "length": (lambda _, x: len(x[0, 0, 0]), "a scalar tensor has no length"),
    "slice, too long": (
        lambda tf, x: tf.slice(x, [0, 1, 0], [2, 3, 1]),
        "3 elements from 1 on are not within axis 1, of size 3",
    ),
    "slice, negative": (
        lambda tf, x: tf.slice(x, [-1, 0, 0], [1, 1, 1]),
        "1 elements from -1 on are not within axis 0, of size 2",
    ),
    "slice, rank": (
        lambda tf, x: tf.slice(x, [0], [1]),
        "`begin` and `size` must have 3 numbers, one for each axis of [2, 3, 4]",
    ),
    "strided, lengths": (
        lambda tf, x: tf.strided_slice(x, [0], [1, 2]),
        "`begin`, `end` and `strides` must have the same length, not 1, 2 and 1",
    ),
    "strided, no list": (lambda tf, x: tf.strided_slice(x, 0, 1), "`begin` must be a list of integers, not 0"),
    "strided, backwards index": (
        lambda tf, x: tf.strided_slice(x, [1], [0], [-1], shrink_axis_mask=1),
        "a lone index cannot have a negative step",
    ),
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
    "scatter_nd, updates": (
        lambda tf, x: tf.scatter_nd([[0]], x, [3, 3, 4]),
        "`tf.scatter_nd`: `updates` for `indices` [1, 1] into [3, 3, 4] must have shape [1, 3, 4], not [2, 3, 4]",
    ),
    "scatter_nd, deep": (
        lambda tf, x: tf.scatter_nd([[0, 1]], x[0, 0, :1], [3]),
        (
            "`tf.scatter_nd`: the last axis of `indices` [1, 2] must have between 1 and 1 coordinates, "
            "for positions in [3]"
        ),
    ),
    "scatter_nd, one": (
        lambda tf, x: tf.scatter_nd([1], x[0, 0, 0], [3]),
        "`tf.scatter_nd`: `indices` must be a list of positions, each a list of coordinates, not of shape [1]",
    ),
    "scatter_nd, shape": (
        lambda tf, x: tf.scatter_nd([[1]], x[:1], [-1, 3, 4]),
        "`shape` [-1, 3, 4] has a negative size",
    ),
    "add, updates": (
        lambda tf, x: tf.tensor_scatter_nd_add(x, [[0]], x),
        (
            "`tf.tensor_scatter_nd_add`: `updates` for `indices` [1, 1] into [2, 3, 4] must have shape [1, 3, 4], "
            "not [2, 3, 4]"
        ),
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
    "argsort, direction": (
        lambda tf, x: tf.argsort(x, direction="up"),
        "`direction` must be 'ASCENDING' or 'DESCENDING', not 'up'",
    ),
    "searchsorted, rows": (
        lambda tf, x: tf.searchsorted(x[0], x[0, :2]),
        "`sorted_sequence` of shape [3, 4] and `values` of shape [2, 4] must have the same number of rows",
    ),
    "searchsorted, side": (
        lambda tf, x: tf.searchsorted(x[0], x[0], side="up"),
        "`side` must be 'left' or 'right', not 'up'",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refuses_in_words_what_tensorflow_refuses(name: str) -> None:
    call, message = REFUSED[name]
    with pytest.raises(OpError) as caught:
        call(tf, tensor(X))
    assert str(caught.value) == message
    with pytest.raises((ValueError, TypeError, tensorflow.errors.OpError)):
        call(tensorflow, tensorflow.constant(X))


@pytest.mark.parametrize("direction", ["ASCENDING", "DESCENDING"])
def test_argsort_keeps_equal_elements_in_their_order(direction: str) -> None:
    x = np.array([3.0, 1.0, -0.0, 0.0, 1.0, -np.inf, np.inf, 3.0])
    ours, theirs = tf.argsort(x, direction=direction), tensorflow.argsort(x, direction=direction)
    np.testing.assert_array_equal(ours.numpy(), theirs.numpy(), strict=True)


def test_argsort_puts_nan_last() -> None:
    assert tf.argsort([NAN, 3.0, NAN, 1.0]).numpy().tolist() == [3, 1, 0, 2]


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
