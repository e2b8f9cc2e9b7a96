"""Elementwise operations where calculus leaves a choice, and where they refuse."""

import math

import numpy as np
import pytest

from gradcheck import GradientTape, tensor
from gradcheck.dtypes import DTYPES
from gradcheck.ops import OpError, find_op, tf
from tests.ops.points import assert_same_orders

NAN, INF = math.nan, math.inf
EVERYWHERE = [-INF, -1000.0, -20.0, -1.0, -1e-9, -0.0, 0.0, 1e-9, 1.0, 20.0, 1000.0, INF, NAN]
POINTS = {
    "tf.abs": EVERYWHERE,
    "tf.sign": EVERYWHERE,
    "tf.square": EVERYWHERE,
    "tf.sqrt": EVERYWHERE,
    "tf.math.rsqrt": EVERYWHERE,
    "tf.math.reciprocal": EVERYWHERE,
    "tf.exp": EVERYWHERE,
    "tf.math.expm1": EVERYWHERE,
    "tf.math.log": EVERYWHERE,
    "tf.math.log1p": [*EVERYWHERE, -2.0],
    "tf.sigmoid": [x for x in [*EVERYWHERE, -40.0, 40.0] if x != 20.0],  # 1 - y is then rounding alone
    "tf.math.log_sigmoid": EVERYWHERE,
    "tf.math.reciprocal_no_nan": EVERYWHERE,
    "tf.sin": [x for x in EVERYWHERE if abs(x) < INF],
    "tf.cos": [x for x in EVERYWHERE if abs(x) < INF],
    "tf.tan": [-1.0, 0.0, 1.5, math.pi / 2],
    "tf.asin": [-1.5, -1.0, 0.0, 1.0, NAN],
    "tf.acos": [-1.5, -1.0, 0.0, 1.0, NAN],
    "tf.atan": EVERYWHERE,
    "tf.sinh": EVERYWHERE,
    "tf.cosh": EVERYWHERE,
    "tf.tanh": [*EVERYWHERE, 18.0],
    "tf.asinh": EVERYWHERE,
    "tf.acosh": [0.5, 1.0, 1e9, INF, NAN],
    "tf.atanh": [-2.0, -1.0, 0.0, 1.0, NAN],
    "tf.math.erf": [x for x in EVERYWHERE if abs(x) < INF],
    "tf.math.erfc": EVERYWHERE,
    "tf.identity": EVERYWHERE,
    "tf.stop_gradient": EVERYWHERE,
    "tf.floor": EVERYWHERE,
    "tf.math.ceil": EVERYWHERE,
    "tf.round": [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, INF, NAN],
    "tf.math.rint": [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, INF, NAN],
}


@pytest.mark.parametrize("cotangent", [1.0, 0.0])
@pytest.mark.parametrize("name", POINTS)
def test_special_points_are_those_of_tensorflow(name: str, cotangent: float) -> None:
    for point in POINTS[name]:
        # At 0 and NaN, TensorFlow's second gradient of a reciprocal is 0 times those where ours is 0.
        order = 1 if (name, cotangent) == ("tf.math.reciprocal", 0.0) else 2
        assert_same_orders(name, [point], cotangent=cotangent, order=order)


GRID = [-INF, -2.0, -1.0, -0.0, 0.0, 1.0, 2.0, INF, NAN]
PAIRS = {
    "tf.atan2": GRID,
    "tf.divide": GRID,
    "tf.math.divide_no_nan": GRID,
    "tf.math.multiply_no_nan": GRID,
    "tf.math.xlogy": GRID,
    "tf.math.xlog1py": GRID,
    "tf.math.xdivy": GRID,
    "tf.math.squared_difference": GRID,
    "tf.math.nextafter": [-2.0, -0.0, 0.0, 1.0, NAN],
    "tf.truncatediv": [x for x in GRID if x],
}


@pytest.mark.parametrize("name", PAIRS)
def test_special_pairs_are_those_of_tensorflow(name: str) -> None:
    first, second = np.meshgrid(PAIRS[name], PAIRS[name])
    assert_same_orders(name, first, second, order=1)


@pytest.mark.parametrize(
    ("point", "low", "high"),
    [
        (-2.0, -1.0, 1.0),
        (-1.0, -1.0, 1.0),
        (0.0, -1.0, 1.0),
        (1.0, -1.0, 1.0),
        (2.0, -1.0, 1.0),
        (0.0, 2.0, 1.0),
        (NAN, -1.0, 1.0),
        (INF, -1.0, 1.0),
        (1.0, 1.0, 1.0),
    ],
)
def test_clipping_hands_the_gradient_to_what_was_chosen(point: float, low: float, high: float) -> None:
    assert_same_orders("tf.clip_by_value", [point, point], low, [high, high])


def test_a_root_with_a_vanishing_cotangent_keeps_its_second_derivative() -> None:
    # (sqrt(x) - 1)^2 at 1: the cotangent of the root is 0, the second derivative is not.
    x = tensor(np.array([1.0]))
    with GradientTape() as outer:
        outer.watch(x)
        with GradientTape() as inner:
            inner.watch(x)
            y = tf.square(tf.sqrt(x) - 1.0)
        first = inner.gradient(y, x)
    assert first.numpy() == [0.0]
    assert outer.gradient(first, x).numpy() == [0.5]


@pytest.mark.parametrize("name", ["tf.math.erf", "tf.math.erfc"])
def test_the_error_function_is_as_accurate_as_the_one_of_c(name: str) -> None:
    x = np.concatenate([np.linspace(-6, 6, 20001), np.linspace(-1.01, 1.01, 20001), np.logspace(-300, 0, 301)])
    found = find_op(name)(tensor(x)).numpy()
    exact = np.array([getattr(math, name.rpartition(".")[2])(each) for each in x])
    steps = np.abs(found - exact) / np.spacing(np.abs(exact))
    assert steps.max() <= (1.5 if name == "tf.math.erf" else 8)


def test_the_error_function_at_its_ends() -> None:
    ends = tensor(np.array([-INF, -30.0, -0.0, 26.0, 28.0, INF, NAN]))
    np.testing.assert_array_equal(tf.math.erf(ends).numpy(), [-1, -1, -0.0, 1, 1, 1, NAN])
    far = tf.math.erfc(ends).numpy()
    np.testing.assert_allclose(far, [2, 2, 1, 5.663192408856143e-296, 0, 0, NAN], rtol=1e-14)


def test_published_values() -> None:
    # Abramowitz and Stegun, tables 7.1 and 4.2.
    np.testing.assert_allclose(
        tf.math.erf(tensor(np.array([0.5, 1.0, 2.0]))).numpy(), [0.5204998778, 0.8427007929, 0.9953222650]
    )
    np.testing.assert_allclose(
        tf.math.log(tensor(np.array([2.0, 10.0]))).numpy(), [0.6931471805599453, 2.302585092994046]
    )


@pytest.mark.parametrize(
    ("name", "operands", "message"),
    [
        (
            "tf.clip_by_value",
            ([1.0], [[0.0]], 1.0),
            r"shape \[1\]: `clip_value_min` of shape \[1, 1\] would make it larger",
        ),
        ("tf.clip_by_value", (1.0, 0.0, [1.0]), r"shape \[\]: `clip_value_max` of shape \[1\] would make it larger"),
        ("tf.atan2", ([1.0, 2.0], [1.0, 2.0, 3.0]), r"shapes \[2\] and \[3\] do not broadcast"),
        ("tf.sqrt", ([1, 4],), "does not take int32 as `x`"),
        ("tf.bitwise.invert", ([1.5],), "does not take float32 as `x`"),
        ("tf.abs", (np.array([1], np.uint8),), "does not take uint8 as `x`"),
    ],
)
def test_refused(name: str, operands: tuple, message: str) -> None:
    with pytest.raises(OpError, match=message):
        find_op(name)(*operands)


def test_integers_divided_by_zero_are_refused_when_it_happens() -> None:
    with pytest.raises(ZeroDivisionError, match="integer division by zero"):
        tf.truncatediv([7], [0])


def test_small_integers_are_divided_as_float32() -> None:
    for name, dtype in (("int8", "float32"), ("uint16", "float32"), ("int32", "float64"), ("uint64", "float64")):
        for op in (tf.divide, tf.math.divide_no_nan):
            quotient = op(tensor(np.array([7], DTYPES[name])), tensor(np.array([2], DTYPES[name])))
            assert (quotient.dtype.name, quotient.numpy().tolist()) == (dtype, [3.5])
