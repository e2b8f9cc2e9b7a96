"""The dtypes that operands of different ones promote to, and what is refused."""

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest
import tensorflow

from gradcheck import GradientTape, tensor
from gradcheck.dtypes import DTYPES
from gradcheck.ops import OpError, tf
from tests.ops.calls import assert_same
from tests.ops.positions import X

NAMES = ("float16", "bfloat16", "float32", "float64", "complex64", "int32", "int64", "uint8")


def _same_type(call: Callable[[Any], Any]) -> None:
    """Check that a call gives the value and dtype of TensorFlow's, or is refused by both."""
    try:
        expected = call(tensorflow).numpy()
    except (TypeError, ValueError, tensorflow.errors.OpError):
        with pytest.raises(OpError):
            call(tf)
        return
    np.testing.assert_array_equal(call(tf).numpy(), expected, strict=True)


@pytest.mark.parametrize(("left", "right"), list(product(NAMES, NAMES)))
def test_tensors_promote_as_arrays_do(left: str, right: str) -> None:
    one, other = np.ones(2, DTYPES[left]), np.ones(2, DTYPES[right])
    _same_type(lambda tf: tf.experimental.numpy.add(tf.constant(one), tf.constant(other)))
    _same_type(lambda tf: tf.experimental.numpy.concatenate([tf.constant(one), tf.constant(other)]))


@pytest.mark.parametrize(("name", "number"), list(product(NAMES, (2, 2.5, [1, 2], [0.5, 2.0]))))
def test_numbers_go_along(name: str, number: Any) -> None:
    _same_type(lambda tf: tf.experimental.numpy.multiply(tf.constant(np.ones(2, DTYPES[name])), number))


@pytest.mark.parametrize("number", [2, 2.5, [1, 2], [0.5, 2.0]])
def test_numbers_alone_are_those_of_numpy(number: Any) -> None:
    _same_type(lambda tf: tf.experimental.numpy.square(number))


def test_a_gradient_goes_back_through_the_promotion() -> None:
    assert_same(lambda tf, x, y: tf.experimental.numpy.dot(x, y), np.ones(2, np.float32), np.ones(2))


def test_sums_of_two_powers_that_are_infinite() -> None:
    inf = np.inf
    x, y = np.array([inf, -inf, -inf, 0.0, 1e4]), np.array([0.0, -inf, 1.0, inf, -1e4])
    for name in ("logaddexp", "logaddexp2"):
        found = getattr(tf.experimental.numpy, name)(tensor(x), tensor(y)).numpy()
        np.testing.assert_array_equal(found, [inf, -inf, 1, inf, 1e4])
    left, right = tensor(x[2:]), tensor(y[2:])
    with GradientTape() as tape:
        tape.watch([left, right])
        total = tf.experimental.numpy.logaddexp(left, right)
    slopes = [each.numpy() for each in tape.gradient(total, [left, right])]
    np.testing.assert_array_equal(slopes, [[0, 0, 1], [1, 1, 0]])


REFUSED: dict[str, Callable[..., Any]] = {
    "an integer is no float": lambda tnp, x: tnp.exp(2),
    "dtypes that do not promote": lambda tnp, x: tnp.hypot(x, tnp.asarray(x, "float32")),
    "neither bound": lambda tnp, x: tnp.clip(x, None, None),
    "an order": lambda tnp, x: tnp.reshape(x, [24], order="A"),
    "a kind of sorting": lambda tnp, x: tnp.sort(x, kind="stable"),
    "a mode of padding": lambda tnp, x: tnp.pad(x, [[1, 1]] * 3, "edge"),
    "a mode of taking": lambda tnp, x: tnp.take(x, [0], mode="raise"),
    "an output": lambda tnp, x: tnp.mean(x, out=x),
    "an unequal division": lambda tnp, x: tnp.vsplit(x, 3),
    "parts that overlap": lambda tnp, x: tnp.split(x, [2, 1], axis=1),
    "a flag too many": lambda tnp, x: tnp.compress([True, False, True], x, axis=0),
    "weights": lambda tnp, x: tnp.average(x, axis=1, weights=[1.0, 2.0]),
    "degrees of freedom": lambda tnp, x: tnp.var(x, ddof=1),
    "a matrix of powers": lambda tnp, x: tnp.vander(x),
    "a triangle of a vector": lambda tnp, x: tnp.tril(x[0, 0]),
    "coordinates": lambda tnp, x: tnp.cross(x, x),
    "choices": lambda tnp, x: tnp.select([x > 1.0], [x, x]),
    "a number of points": lambda tnp, x: tnp.linspace(0.5, 1.5, -1),
    "a sum of scalars": lambda tnp, x: tnp.matmul(2.0, x),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_tensorflow_refuses_is_refused(name: str) -> None:
    call = REFUSED[name]
    with pytest.raises(OpError):
        call(tf.experimental.numpy, tensor(X))
    with pytest.raises((ValueError, TypeError, AttributeError, AssertionError, tensorflow.errors.OpError)):
        call(tensorflow.experimental.numpy, tensorflow.constant(X))
