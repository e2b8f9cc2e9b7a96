"""Complex arguments: conventions at 0 and on the axes, and where TensorFlow's gradient is not the derivative."""

import numpy as np
import pytest
import tensorflow

from gradcheck import GradientTape, tensor
from gradcheck.dtypes import COMPLEX64
from gradcheck.ops import OPS, OpError, tf
from tests.ops.points import assert_same_orders, ours, theirs

PLANE = np.array([3 + 4j, -3 + 4j, -3 - 4j, 3 - 4j, 2, -2, 2j, -2j, 0.5 + 0.25j])
EVERYWHERE = ["tf.abs", "tf.sign", "tf.square", "tf.sqrt", "tf.math.rsqrt", "tf.math.reciprocal", "tf.exp"]
EVERYWHERE += ["tf.math.expm1", "tf.math.log", "tf.math.log1p", "tf.sin", "tf.cos", "tf.tan", "tf.sinh", "tf.cosh"]
EVERYWHERE += ["tf.tanh", "tf.asinh", "tf.sigmoid", "tf.math.conj", "tf.math.real", "tf.math.imag", "tf.math.angle"]
EVERYWHERE += ["tf.identity", "tf.math.reciprocal_no_nan"]


@pytest.mark.parametrize("name", EVERYWHERE)
def test_the_whole_plane(name: str) -> None:
    assert_same_orders(name, PLANE, order=1)


@pytest.mark.parametrize("name", ["tf.asin", "tf.acos", "tf.atan", "tf.acosh", "tf.atanh"])
def test_inverse_functions_away_from_their_branch_cuts(name: str) -> None:
    assert_same_orders(name, PLANE[PLANE.imag != 0] / 3, order=1)


@pytest.mark.parametrize("name", ["tf.abs", "tf.sign", "tf.square", "tf.math.reciprocal_no_nan", "tf.exp", "tf.tanh"])
def test_zero(name: str) -> None:
    assert_same_orders(name, np.array([0j]), order=1)


@pytest.mark.parametrize("name", ["tf.sqrt", "tf.math.rsqrt", "tf.math.reciprocal"])
def test_zero_with_a_cotangent_of_zero(name: str) -> None:
    (gradient,) = ours(name, [np.array([0j])], 0.0, {}).first
    (expected,) = theirs(name, [np.array([0j])], 0.0, {}).first
    assert gradient == expected == 0


def test_modulus_and_argument_by_hand() -> None:
    z = tensor(np.array([3 + 4j]))
    for op, expected in ((tf.abs, 0.6 + 0.8j), (tf.math.angle, -0.16 + 0.12j), (tf.math.real, 1), (tf.math.imag, 1j)):
        with GradientTape() as tape:
            tape.watch(z)
            y = op(z)
        np.testing.assert_allclose(tape.gradient(y, z).numpy(), [expected], rtol=1e-15)


@pytest.mark.parametrize("name", ["tf.math.conj", "tf.math.real", "tf.math.imag", "tf.math.angle"])
def test_real_numbers(name: str) -> None:
    assert_same_orders(name, [-2.0, -0.0, 0.0, 3.0, np.nan])


def test_parts_that_are_not_finite_do_not_touch_each_other() -> None:
    found = tf.complex([np.inf, 1.0], [2.0, np.nan]).numpy()
    assert found.dtype == COMPLEX64
    np.testing.assert_array_equal(found.real, [np.inf, 1])
    np.testing.assert_array_equal(found.imag, [2, np.nan])


def test_parts_of_half_precision_are_refused() -> None:
    with pytest.raises(OpError, match=r"`tf.complex` does not take float16 as `real`"):
        tf.complex(np.array([1], np.float16), np.array([1], np.float16))


MISSING_CONJUGATE = {
    "tf.math.multiply_no_nan": "x * y",
    "tf.math.xlogy": "x * log(y)",
    "tf.math.xlog1py": "x * log(1 + y)",
    "tf.math.xdivy": "x / y",
    "tf.nn.silu": "x * sigmoid(y x)",
}


@pytest.mark.parametrize("name", MISSING_CONJUGATE)
def test_tensorflow_leaves_out_a_conjugate_and_we_do_not(name: str) -> None:
    x, y = np.array(0.3 + 0.4j), np.array(1.2 - 0.7j)
    assert "complex" in OPS[name].errata
    mine, other = ours(name, [x, y], 1.0, {}), theirs(name, [x, y], 1.0, {})
    np.testing.assert_allclose(mine.value, other.value, rtol=1e-14)
    for a, b in zip(mine.first, other.first, strict=True):
        np.testing.assert_allclose(a, np.conj(b), rtol=1e-12)
        assert abs(a - b) > 0.1


def test_of_a_squared_difference_tensorflow_lets_the_imaginary_cotangent_through() -> None:
    x, y = np.array(3 + 4j), np.array(0j)
    assert "complex" in OPS["tf.math.squared_difference"].errata
    np.testing.assert_allclose(ours("tf.math.squared_difference", [x, y], 1.0, {}).first[0], 6 + 8j)
    np.testing.assert_allclose(theirs("tf.math.squared_difference", [x, y], 1.0, {}).first[0], 6 + 8j)
    z = tensor(x)
    with GradientTape() as tape:
        tape.watch(z)
        imaginary = tf.math.imag(tf.math.squared_difference(z, 0j))
    assert imaginary.numpy() == 0
    assert tape.gradient(imaginary, z).numpy() == 0
    w = tensorflow.constant(x)
    with tensorflow.GradientTape() as recorded:
        recorded.watch(w)
        imaginary = tensorflow.math.imag(tensorflow.math.squared_difference(w, 0j))
    assert recorded.gradient(imaginary, w).numpy() == -8 + 6j
