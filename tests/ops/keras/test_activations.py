"""The activations of Keras at kinks and far out, and where they refuse."""

import math

import numpy as np
import pytest

from gradcheck import GradientTape, tensor
from gradcheck.ops import OpError, find_op, tf
from tests.ops.points import assert_same_orders

NAN, INF = math.nan, math.inf
EVERYWHERE = [-INF, -1000.0, -3.0, -1.0, -0.5, -0.0, 0.0, 1e-9, 0.5, 1.0, 3.0, 6.0, 1000.0, INF, NAN]
ACTIVATIONS = {
    "elu": {"alpha": 0.5},
    "exponential": {},
    "gelu": {},
    "hard_shrink": {},
    "hard_sigmoid": {},
    "hard_silu": {},
    "hard_tanh": {},
    "leaky_relu": {"negative_slope": 0.25},
    "linear": {},
    "log_sigmoid": {},
    "mish": {},
    "relu": {"negative_slope": 0.25, "max_value": 3.0, "threshold": -1.0},
    "relu6": {},
    "selu": {},
    "sigmoid": {},
    "silu": {},
    "soft_shrink": {},
    "softplus": {},
    "sparse_plus": {},
    "sparse_sigmoid": {},
    "squareplus": {"b": 2},
    "tanh": {},
    "tanh_shrink": {},
    "threshold": {"threshold": 0.5, "default_value": -2.0},
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_special_points(name: str) -> None:
    for point in EVERYWHERE:
        assert_same_orders(f"tf.keras.activations.{name}", [point], **ACTIVATIONS[name])


@pytest.mark.parametrize("options", [{}, {"max_value": 6.0}, {"max_value": 2}, {"threshold": 1.0, "max_value": 6.0}])
def test_rectifiers(options: dict) -> None:
    for point in EVERYWHERE:
        assert_same_orders("tf.keras.activations.relu", [point], **options)


@pytest.mark.parametrize("alpha", [0.5, 1.0, 2.0])
def test_celu_is_smooth(alpha: float) -> None:
    x = tensor(np.array([-INF, -1e-12, 0.0, 1e-12, 1000.0]))
    with GradientTape() as tape:
        tape.watch(x)
        y = tf.keras.activations.celu(x, alpha)
    np.testing.assert_allclose(y.numpy(), [-alpha, -1e-12, 0, 1e-12, 1000], rtol=1e-11)
    np.testing.assert_allclose(tape.gradient(y, x).numpy(), [0, 1, 1, 1, 1], rtol=1e-11)


@pytest.mark.parametrize(
    ("name", "arguments", "word"),
    [
        ("celu", ([1.0], 0), "alpha"),
        ("gelu", ([1.0], 1), "approximate"),
        ("glu", ([1.0, 2.0, 3.0],), "odd"),
        ("glu", ([1.0, 2.0], 1), "axis"),
        ("relu", ([1.0], "a"), "negative_slope"),
        ("softmax", ([1.0], [0]), "axis"),
        ("softmax", (1.0,), "axis"),
        ("sparsemax", ([1.0], 2), "axis"),
        ("threshold", ([1.0], None, 0.0), "threshold"),
    ],
)
def test_refusals(name: str, arguments: tuple, word: str) -> None:
    with pytest.raises(OpError, match=word):
        find_op(f"tf.keras.activations.{name}")(*arguments)
