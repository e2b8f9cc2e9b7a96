"""Jacobians against TensorFlow's: their shapes, batches, and what is not connected."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradcheck.dtypes import Array
from gradcheck.engine.evaluate import evaluate
from gradcheck.engine.tracing import trace
from gradcheck.ops import tf
from tests.engine.jacobians import jacobian_program, tensorflow_jacobians

Function = Callable[..., Any]

RNG = np.random.default_rng(3)
X = RNG.standard_normal((3, 4))
W = RNG.standard_normal((4, 4))
Z = X + 1j * RNG.standard_normal((3, 4))

FUNCTIONS: dict[str, tuple[Function, list[Array]]] = {
    "a perceptron": (lambda tf, x, w: tf.nn.softmax(tf.tanh(x @ w) @ w), [X, W]),
    "attention": (lambda tf, x, w: tf.nn.softmax(tf.matmul(x @ w, x, transpose_b=True)) @ x, [X, W]),
    "layer normalization": (
        lambda tf, x, w: (x - tf.reduce_mean(x, 1, True)) * tf.math.rsqrt(tf.math.reduce_variance(x, 1, True)) + w[0],
        [X, W],
    ),
    "a broadcast source": (lambda tf, x, b: tf.exp(x) * b, [X, W[0, 0]]),
    "a convolution": (
        lambda tf, x, w: tf.nn.conv1d(tf.reshape(x, [3, 4, 1]), tf.reshape(w[:2], [2, 1, 4]), 1, "SAME"),
        [X, W],
    ),
    "gathered rows": (lambda tf, x: tf.gather(x, [2, 0, 2]) * tf.reduce_logsumexp(x), [X]),
    "a solve": (lambda tf, x, w: tf.linalg.solve(w, tf.transpose(x)), [X, W]),
    "a complex target": (lambda tf, z: tf.exp(z) * tf.math.conj(z), [Z]),
    "a complex target of real sources": (lambda tf, x: tf.complex(x, tf.sin(x)) * (1 + 2j), [X[0]]),
    "a real target of complex sources": (lambda tf, z: tf.abs(z) + tf.math.imag(z), [Z]),
    "a scalar target": (lambda tf, x, w: tf.reduce_sum(x @ w), [X, W]),
    "a target of one element": (lambda tf, x: tf.reshape(tf.reduce_sum(x**2), [1, 1]), [X]),
    "a scalar source": (lambda tf, x: tf.stack([x, x * x, 1 / x]), [np.array(2.0)]),
    "the source itself": (lambda tf, x: x, [X[0]]),
    "an empty target": (lambda tf, x: x[:0] * 3.0, [X]),
    "an empty target that is not connected": (lambda tf, x: tf.zeros([0, 2], x.dtype), [X]),
    "an empty source": (lambda tf, x: tf.stack([tf.reduce_sum(x), 1.0]), [X[:0]]),
    "a source that no path leads to": (lambda tf, x, w: tf.exp(x), [X, W]),
    "an integer source": (lambda tf, x, i: x * tf.cast(i, x.dtype), [X[0], np.array([1, 2, 3, 4], np.int32)]),
    "an integer target": (lambda tf, x: tf.cast(x, np.dtype(np.int32)), [X]),
}

BATCHES: dict[str, tuple[Function, list[Array]]] = {
    "a perceptron": (lambda tf, x: tf.nn.softmax(tf.tanh(x @ W)), [X]),
    "rows of matrices": (lambda tf, x: x[:, :, None] * tf.tanh(x)[:, None, :], [X]),
    "one number for each row": (lambda tf, x: tf.reduce_sum(x**2, axis=1, keepdims=True), [X]),
    "rows without elements": (lambda tf, x: x[:, :0], [X]),
    "complex rows": (lambda tf, z: tf.exp(z), [Z]),
}


def _ours(function: Function, arrays: list[Array], **options: bool) -> list[Array | None]:
    names = [f"x{position}" for position in range(len(arrays))]
    inputs = dict(zip(names, arrays, strict=True))
    program = trace(lambda **values: function(tf, *values.values()), inputs)
    return evaluate(jacobian_program(program, names, **options), inputs)


def _assert_same(mine: list[Array | None], theirs: list[Array | None]) -> None:
    for left, right in zip(mine, theirs, strict=True):
        assert (left is None) == (right is None)
        if left is not None:
            np.testing.assert_allclose(left, right, rtol=1e-12, atol=1e-14, strict=True)


@pytest.mark.parametrize(("function", "arrays"), FUNCTIONS.values(), ids=FUNCTIONS)
def test_is_that_of_tensorflow(function: Function, arrays: list[Array]) -> None:
    _assert_same(_ours(function, arrays), tensorflow_jacobians(function, arrays))


@pytest.mark.parametrize(("function", "arrays"), BATCHES.values(), ids=BATCHES)
def test_with_a_batch_is_that_of_tensorflow(function: Function, arrays: list[Array]) -> None:
    _assert_same(_ours(function, arrays, batch=True), tensorflow_jacobians(function, arrays, batch=True))


def test_of_a_jacobian_is_that_of_tensorflow() -> None:
    """Every second derivative of every element: what is written for many rows is written for many rows again."""

    def function(tf: Any, x: Any) -> Any:
        return tf.nn.softmax(tf.tanh(x @ W))[:, 1] * tf.reduce_prod(x)

    def first(tf: Any, x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = function(tf, x)
        return tape.jacobian(value, x)

    program = trace(lambda x: function(tf, x), {"x": X})
    second = jacobian_program(jacobian_program(program, ["x"]), ["x"])
    _assert_same(evaluate(second, {"x": X}), tensorflow_jacobians(first, [X]))
