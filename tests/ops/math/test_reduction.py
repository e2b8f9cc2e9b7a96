"""Reductions, running reductions, norms and sorting, where calculus leaves a choice and where they refuse."""

import math
from typing import Any

import numpy as np
import pytest
import tensorflow

from gradcheck import GradientTape, tensor
from gradcheck.ops import OpError, find_op, tf
from gradcheck.reference.tensorflow import function
from tests.ops.points import assert_same_orders

NAN, INF = math.nan, math.inf


def gradient(f: Any, x: Any) -> np.ndarray:
    source = tensor(np.asarray(x))
    with GradientTape() as tape:
        tape.watch(source)
        value = f(source)
    return tape.gradient(value, source, unconnected_gradients="zero").numpy()


def slopes(f: Any, x: Any, step: float = 1e-4) -> np.ndarray:
    """The gradient of the sum of `f` by central differences, exact to rounding for polynomials of degree two."""
    x = np.asarray(x)
    result = np.zeros_like(x)
    for at in np.ndindex(x.shape):
        ahead, behind = x.copy(), x.copy()
        ahead[at] += step
        behind[at] -= step
        result[at] = (f(ahead).sum() - f(behind).sum()) / (2 * step)
    return result


ROWS = [
    ("tf.reduce_sum", [INF, 1.0, -INF]),
    ("tf.reduce_mean", [INF, 1.0, NAN]),
    ("tf.reduce_max", [1.0, 3.0, 3.0]),
    ("tf.reduce_max", [INF, INF, 1.0]),
    ("tf.reduce_max", [1.0, NAN, 3.0]),
    ("tf.reduce_max", [-INF, -INF]),
    ("tf.reduce_min", [2.0, 2.0, 2.0, 5.0]),
    ("tf.reduce_min", [NAN, 2.0]),
    ("tf.reduce_logsumexp", [-INF, 0.0]),
    ("tf.reduce_logsumexp", [-INF, -INF]),
    ("tf.reduce_logsumexp", [INF, 0.0]),
    ("tf.reduce_logsumexp", [1000.0, 1000.0, 0.0]),
    ("tf.reduce_logsumexp", [-1000.0, -1001.0]),
    ("tf.math.reduce_variance", [2.0, 2.0]),
    ("tf.math.reduce_std", [2.0, 2.0]),
    ("tf.math.reduce_std", [5.0]),
    ("tf.math.reduce_euclidean_norm", [0.0, 0.0]),
    ("tf.math.reduce_euclidean_norm", [1e200, 1e200]),
    ("tf.norm", [0.0, 0.0]),
    ("tf.norm", [1e200, 1.0]),
]
EMPTY = ("reduce_sum", "reduce_mean", "reduce_max", "reduce_min", "reduce_prod", "reduce_logsumexp")


@pytest.mark.parametrize(("name", "row"), ROWS)
def test_special_points_are_those_of_tensorflow(name: str, row: list[float]) -> None:
    assert_same_orders(name, row)
    assert_same_orders(name, row, cotangent=0.0, order=1)
    assert_same_orders(name, [row, row], axis=1, order=1)


@pytest.mark.parametrize("name", [*(f"tf.{each}" for each in EMPTY), "tf.math.reduce_variance", "tf.math.reduce_std"])
def test_nothing_is_reduced_as_in_tensorflow(name: str) -> None:
    assert_same_orders(name, np.zeros([0]), order=1)
    assert_same_orders(name, np.zeros([2, 0]), axis=1, order=1)


@pytest.mark.parametrize(
    "name", ["tf.reduce_max", "tf.reduce_min", "tf.reduce_sum", "tf.reduce_prod", "tf.reduce_mean"]
)
@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "int64"])
def test_integers_are_reduced_in_their_dtype(name: str, dtype: str) -> None:
    for row in ([], [100, 27], [3, 4], [1, 0, 0]):
        values = np.array(row, dtype)
        found, expected = find_op(name)(tensor(values)).numpy(), function(name)(tensorflow.constant(values)).numpy()
        assert (found, found.dtype) == (expected, expected.dtype)


def test_a_mean_of_negative_integers_is_rounded_towards_zero() -> None:
    assert tf.reduce_mean(tensor([-3, -4])).numpy() == -3


def test_a_float16_mean_of_too_many_elements_has_gradient_zero() -> None:
    ones = np.ones(70000, np.float16)
    source = tensorflow.constant(ones)
    with np.errstate(over="ignore"), tensorflow.GradientTape() as tape:  # TensorFlow casts the number of elements
        tape.watch(source)
        value = tensorflow.reduce_mean(source)
        expected = tape.gradient(value, source)
    np.testing.assert_array_equal(expected, np.zeros(70000))
    np.testing.assert_array_equal(gradient(tf.reduce_mean, ones), expected)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_sixteen_bit_sums_are_accumulated_in_float32(dtype: str) -> None:
    ones = tf.cast(tensor(np.ones(5000)), dtype)
    assert tf.reduce_sum(ones).numpy() == tensorflow.reduce_sum(tensorflow.ones(5000, dtype)).numpy()
    assert tf.cumsum(ones).numpy()[-1] == tf.reduce_sum(ones).numpy()


@pytest.mark.parametrize("row", [[2.0, 0.0, 3.0], [2.0, 0.0, 0.0, 3.0], [0.0]])
def test_the_gradient_of_a_product_with_zeros_is_exact(row: list[float]) -> None:
    assert_same_orders("tf.reduce_prod", row, order=1)
    assert_same_orders("tf.reduce_prod", [row, row], axis=[0, 1], order=1)
    others = [math.prod(row[:at] + row[at + 1 :]) for at in range(len(row))]
    np.testing.assert_array_equal(gradient(tf.reduce_prod, row), others)


def test_the_second_order_of_a_product_with_a_zero_is_right_where_that_of_tensorflow_is_not() -> None:
    row = np.array([2.0, 0.0, 3.0])
    found = gradient(lambda x: _gradient_inside(tf.reduce_prod, x), row)
    np.testing.assert_array_equal(found, [3, 5, 2])
    np.testing.assert_allclose(found, slopes(lambda x: gradient(tf.reduce_prod, x), row), atol=1e-8)
    source = tensorflow.constant(row)
    with tensorflow.GradientTape() as outer:
        outer.watch(source)
        with tensorflow.GradientTape() as inner:
            inner.watch(source)
            value = tensorflow.reduce_prod(source)
        first = inner.gradient(value, source)
    np.testing.assert_array_equal(outer.gradient(first, source), [3, 0, 2])


def _gradient_inside(f: Any, x: Any) -> Any:
    with GradientTape() as tape:
        tape.watch(x)
        value = f(x)
    return tape.gradient(value, x)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("exclusive", [False, True])
@pytest.mark.parametrize("row", [[2.0, 0.0, 3.0], [2.0, 0.0, 0.0, 3.0, 5.0], [0.0, 1.0], [3.0], [0.0]])
def test_a_running_product_with_zeros_is_exact_at_both_orders(row: list[float], exclusive: bool, reverse: bool) -> None:
    def f(x: Any) -> Any:
        return tf.math.cumprod(x, exclusive=exclusive, reverse=reverse)

    def weighted(x: Any) -> Any:  # so that not all cotangents of the gradient are the same
        return f(x) * np.arange(1.0, len(row) + 1)

    values = np.array(row)
    found = gradient(weighted, values)
    np.testing.assert_allclose(found, slopes(lambda x: weighted(tensor(x)).numpy(), values), atol=1e-5)
    second = gradient(lambda x: _gradient_inside(weighted, x) * _gradient_inside(f, x), values)
    by_differences = slopes(lambda x: gradient(weighted, x) * gradient(f, x), values)
    np.testing.assert_allclose(second, by_differences, rtol=1e-5, atol=1e-5)


def test_tensorflow_gives_zero_at_the_zero_of_a_running_product() -> None:
    row = np.array([2.0, 0.0, 3.0])
    source = tensorflow.constant(row)
    with tensorflow.GradientTape() as tape:
        tape.watch(source)
        value = tensorflow.math.cumprod(source)
    np.testing.assert_array_equal(tape.gradient(value, source), [1, 0, 0])
    np.testing.assert_array_equal(gradient(tf.math.cumprod, row), [1, 8, 0])


def test_a_running_product_of_complex_numbers_is_conjugated() -> None:
    row = np.array([1 + 1j, 2j])
    np.testing.assert_allclose(gradient(tf.math.cumprod, row), [1 - 2j, 1 - 1j])
    source = tensorflow.constant(row)
    with tensorflow.GradientTape() as tape:
        tape.watch(source)
        value = tensorflow.math.cumprod(source)
    np.testing.assert_allclose(tape.gradient(value, source), [1 + 2j, 1 + 1j])


def test_a_product_of_complex_numbers_has_the_gradient_of_tensorflow() -> None:
    assert_same_orders("tf.reduce_prod", np.array([1 + 1j, 2j, 3.0]), order=1)


@pytest.mark.parametrize("count", [1, 2, 3, 7, 8, 9, 33])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("exclusive", [False, True])
@pytest.mark.parametrize("name", ["tf.math.cumprod", "tf.math.cumulative_logsumexp", "tf.cumsum"])
def test_running_reductions_of_every_length(name: str, exclusive: bool, reverse: bool, count: int) -> None:
    row = np.random.default_rng(count).uniform(0.5, 1.5, count)
    assert_same_orders(name, row, exclusive=exclusive, reverse=reverse, order=1)


@pytest.mark.parametrize(
    ("row", "cotangent"), [([0.0, 1.0, -INF], 1.0), ([-INF, 0.0, 1.0], 1.0), ([800.0, -800.0, 801.0], -1.0)]
)
def test_a_running_logsumexp_has_the_special_points_of_tensorflow(row: list[float], cotangent: float) -> None:
    assert_same_orders("tf.math.cumulative_logsumexp", row, cotangent=cotangent, order=1)


@pytest.mark.parametrize("reverse", [False, True])
def test_the_second_order_of_an_exclusive_running_logsumexp(reverse: bool) -> None:
    def f(x: Any) -> Any:  # without the element that is -inf, whose differences are not a number
        running = tf.math.cumulative_logsumexp(x, exclusive=True, reverse=reverse)
        return tf.slice(running, [0 if reverse else 1], [3])

    def squared(x: Any) -> Any:
        part = _gradient_inside(f, x)
        return part * part

    row = np.array([0.3, -0.7, 1.1, 0.2])
    np.testing.assert_allclose(gradient(squared, row), slopes(lambda x: squared(tensor(x)).numpy(), row), atol=1e-7)


NORMS = [("euclidean", None), (1, None), (2, None), (3, None), (0.5, None), (INF, None), (1, 0), (INF, 1), (2.5, -1)]
MATRIX_NORMS = [("fro", (0, 1)), ("euclidean", (1, 0)), (1, (0, 1)), (1, (-1, 0)), (INF, (0, 1)), (INF, (1, 0))]


@pytest.mark.parametrize(("order", "axis"), NORMS + MATRIX_NORMS)
def test_norms_at_zero_and_at_ties_are_those_of_tensorflow(order: Any, axis: Any) -> None:
    for point in ([[0.0, 0.0], [0.0, 0.0]], [[2.0, -2.0], [1.0, 2.0]], [[0.0, 3.0], [-4.0, 0.0]]):
        assert_same_orders("tf.norm", point, ord=order, axis=axis, order=1)
        assert_same_orders("tf.norm", point, ord=order, axis=axis, keepdims=True, cotangent=0.0, order=1)


def test_a_norm_packs_a_list_of_tensors() -> None:
    x, y = tensor(3.0, "float64"), tensor(4.0, "float64")
    with GradientTape() as tape:
        tape.watch([x, y])
        norm = tf.norm([x, y])
    assert norm.numpy() == 5
    np.testing.assert_allclose([each.numpy() for each in tape.gradient(norm, [x, y])], [0.6, 0.8])


def test_only_the_real_part_of_a_cotangent_reaches_a_complex_euclidean_norm() -> None:
    found = gradient(lambda z: tf.math.imag(tf.math.reduce_euclidean_norm(z)), [3 + 4j])
    np.testing.assert_array_equal(found, [0])
    source = tensorflow.constant([3 + 4j])
    with tensorflow.GradientTape() as tape:
        tape.watch(source)
        value = tensorflow.math.imag(tensorflow.math.reduce_euclidean_norm(source))
    np.testing.assert_allclose(tape.gradient(value, source), [-0.8 + 0.6j])


@pytest.mark.parametrize(("row", "clip"), [([3.0, 4.0], 1.0), ([3.0, 4.0], 5.0), ([0.0, 0.0], 1.0), ([3.0, 4.0], -1.0)])
def test_clipping_by_norm_is_that_of_tensorflow(row: list[float], clip: float) -> None:
    assert_same_orders("tf.clip_by_norm", row, clip, order=1)


def test_the_limit_receives_nothing_but_rounding_where_nothing_is_clipped() -> None:
    limit = tensor(10.0, "float64")
    with GradientTape() as tape:
        tape.watch(limit)
        clipped = tf.clip_by_norm(tensor([3.0, 4.0], "float64"), limit)
    assert abs(tape.gradient(clipped, limit).numpy()) < 1e-15


def test_the_global_norm_at_zero_is_that_of_tensorflow() -> None:
    parts = [np.zeros(2), np.zeros((1, 2))]
    sources = [tensorflow.constant(each) for each in parts]
    with tensorflow.GradientTape() as tape:
        tape.watch(sources)
        value = tensorflow.linalg.global_norm(sources)
    mine = [tensor(each) for each in parts]
    with GradientTape() as own:
        own.watch(mine)
        norm = tf.linalg.global_norm(mine)
    for found, expected in zip(own.gradient(norm, mine), tape.gradient(value, sources), strict=True):
        np.testing.assert_array_equal(found.numpy(), expected)
        assert np.isnan(found.numpy()).all()


@pytest.mark.parametrize("name", ["tf.argmax", "tf.argmin"])
@pytest.mark.parametrize(
    "row", [[1, NAN, 3], [NAN, 1, 0], [NAN, NAN], [NAN, -INF], [3, 3], [INF, INF], [-INF, NAN, -1]]
)
def test_positions_of_extremes_pass_over_nan(name: str, row: list[float]) -> None:
    assert_same_orders(name, row)


def test_zeros_and_others_are_counted_as_in_tensorflow() -> None:
    values = np.array([[0.0, -0.0, NAN], [1.0, INF, 0.0]])
    assert_same_orders("tf.math.count_nonzero", values, axis=1, keepdims=True)
    assert_same_orders("tf.math.zero_fraction", values)
    assert tf.math.count_nonzero(tensor(np.ones(300, np.float16)), dtype="bfloat16").numpy() == 300


@pytest.mark.parametrize("direction", ["ASCENDING", "DESCENDING"])
def test_the_permutation_carries_the_gradient_of_a_sort(direction: str) -> None:
    row, weights = np.array([2.0, 1.0, 1.0, 2.0, -INF]), np.arange(1.0, 6)
    source = tensorflow.constant(row)
    with tensorflow.GradientTape() as tape:
        tape.watch(source)
        value = tensorflow.sort(source, direction=direction)
    expected = tape.gradient(value, source, output_gradients=tensorflow.constant(weights))
    np.testing.assert_array_equal(gradient(lambda x: tf.sort(x, direction=direction) * weights, row), expected)
    np.testing.assert_array_equal(tf.sort(tensor(row), direction=direction).numpy(), value)


def test_the_first_of_equals_is_among_the_largest() -> None:
    weights = np.array([10.0, 20.0])
    found = gradient(lambda x: tf.math.top_k(x, 2)[0] * weights, [3.0, 1.0, 3.0, 3.0])
    np.testing.assert_array_equal(found, [10, 0, 20, 0])
    values, indices = tf.math.top_k(tensor([[3.0, 1.0, 3.0]]), 3, index_type="int64")
    np.testing.assert_array_equal(values.numpy(), [[3, 3, 1]])
    assert (indices.numpy().tolist(), indices.dtype.name) == ([[0, 2, 1]], "int64")


def test_published_numbers() -> None:
    # NIST Statistical Reference Datasets, NumAcc1: the standard deviation with n - 1 is 1.
    data = tensor(np.array([10000001.0, 10000003.0, 10000002.0]))
    assert tf.reduce_mean(data).numpy() == 10000002
    assert tf.math.reduce_std(data).numpy() * math.sqrt(3 / 2) == pytest.approx(1, rel=1e-15)


X = np.ones((2, 3))
REFUSED = [
    (lambda: tf.reduce_sum(tensor(X), axis=2), "`axis` 2 is outside a tensor of rank 2"),
    (lambda: tf.reduce_max(tensor(X), axis=[0, -2]), "`axis` names an axis twice: [0, -2]"),
    (lambda: tf.reduce_mean(tensor(X), keepdims=2), "`keepdims` must be True or False, not 2"),
    (lambda: tf.reduce_all(tensor(X)), "`tf.reduce_all` does not take float64 as `input_tensor`; it takes bool"),
    (lambda: tf.argmax(tensor(np.ones((0, 2)))), "axis 0 of [0, 2] is empty: there is no position in it"),
    (lambda: tf.argmax(tensor(3.0)), "`axis` 0 is outside a tensor of rank 0"),
    (
        lambda: tf.argmax(tensor(X), output_type="float32"),
        "a position is of type int16, uint16, int32 or int64, not float32",
    ),
    (lambda: tf.cumsum(tensor(1.0)), "`axis` 0 is outside a tensor of rank 0"),
    (lambda: tf.cumsum(tensor(X), axis=[0, 1]), "`axis` must be an integer, not (0, 1)"),
    (
        lambda: tf.norm(tensor(X), axis=[0]),
        "`axis` must be None, an integer, or a pair for matrices, not [0]",
    ),
    (lambda: tf.norm(tensor(X), axis=[0, 0]), "`axis` names an axis twice: [0, 0]"),
    (lambda: tf.norm(tensor(X), ord=0), "`ord` of a vector norm is 'euclidean', inf or a number above 0, not 0"),
    (
        lambda: tf.norm(tensor(X), ord="fro"),
        "`ord` of a vector norm is 'euclidean', inf or a number above 0, not 'fro'",
    ),
    (
        lambda: tf.norm(tensor(X), ord=3, axis=[0, 1]),
        "`ord` of a matrix norm is 'euclidean', 'fro', 1, 2 or inf, not 3",
    ),
    (
        lambda: tf.clip_by_norm(tensor(X[0]), tensor(X)),
        "`tf.clip_by_norm` of a tensor of shape [3]: `clip_norm` of shape [2, 3] would make it larger",
    ),
    (lambda: tf.linalg.global_norm([]), "`tf.linalg.global_norm`: `t_list` must be a list of at least one tensor"),
    (lambda: tf.math.top_k(tensor(X), 4), "a tensor of shape [2, 3] has no 4 largest elements in a row"),
]


@pytest.mark.parametrize(("call", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_refused_calls_say_why(call: Any, message: str) -> None:
    with pytest.raises(OpError) as caught:
        call()
    assert str(caught.value) == message


def test_the_spectral_norm_is_refused_with_what_to_write_instead() -> None:
    with pytest.raises(OpError) as caught:
        tf.norm(tensor(X), ord=2, axis=[0, 1])
    assert str(caught.value) == "the 2-norm of a matrix is its largest singular value, which is not supported"
    assert (caught.value.argument, caught.value.help) == ("ord", "`ord='fro'` is the root of the sum of squares")
