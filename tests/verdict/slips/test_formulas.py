"""Slopes of another function: a simple one of operands and output, another operation's."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gradcheck.dtypes import Array
from gradcheck.ops import tf
from tests.verdict.slips.calls import SQUARE, call, drawn, g, said


@pytest.mark.parametrize(
    ("function", "value", "sentence"),
    [
        (tf.sigmoid, lambda g, x, y: g * (1 - y), "is the incoming cotangent times 1 - y"),
        (tf.sigmoid, lambda g, x, y: g * (1 - y * y), "is the incoming cotangent times 1 - y * y"),
        (tf.tanh, lambda g, x, y: g * y * (1 - y), "is the incoming cotangent times y * (1 - y)"),
        (tf.math.log, lambda g, x, y: -g / (x * x), "is minus the incoming cotangent times 1 / (x * x)"),
        (tf.sqrt, lambda g, x, y: g / x, "is the incoming cotangent times 1 / x"),
    ],
)
def test_simple_slopes(function: Any, value: Callable[..., Array], sentence: str) -> None:
    wrong = call(function, drawn(6))
    expected = ("slope", f"{sentence}, where x is the operand and y the output")
    assert said(wrong, value(g(wrong), wrong.inputs[0], wrong.outputs[0])) == expected


def test_an_output_of_integers_has_no_slope() -> None:
    counted = replace(SQUARE, outputs=(np.ones((2, 3), np.uint8),))
    assert said(counted, drawn(2, 3, seed=5)) is None


def test_slopes_of_two_operands() -> None:
    wrong = call(tf.truediv, drawn(3, 4), drawn(4, seed=1), argument=1)
    x, y = wrong.inputs
    value = (-g(wrong) * x / y).sum(0)
    sentence = "is minus the incoming cotangent times z, where x and y are the operands and z the output"
    assert said(wrong, value) == ("slope", sentence)
    product = call(tf.multiply, drawn(5), drawn(5, seed=1))
    assert said(product, g(product) * product.inputs[0]) == (
        "exchanged",
        "is the gradient with respect to the second argument",
    )
    quotient = call(tf.truediv, drawn(5), drawn(5, seed=1))
    assert said(quotient, g(quotient) / quotient.inputs[0]) == (
        "exchanged-operands",
        "is computed with the two operands exchanged",
    )


@pytest.mark.parametrize(
    ("function", "slope", "name"),
    [
        (tf.sin, np.sinh, "tf.cosh"),
        (tf.cosh, np.cos, "tf.sin"),
        (tf.math.erf, lambda x: 1 / (1 + x * x), "tf.atan"),
        (tf.math.softplus, lambda x: np.exp(x), "tf.exp"),
        (tf.math.log1p, lambda x: 1 / (1 + np.exp(-x)), "tf.nn.softplus"),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_gradient_of_another_operation(function: Any, slope: Any, name: str, dtype: Any) -> None:
    wrong = call(function, drawn(2, 3, dtype=dtype))
    value = g(wrong).astype(np.float64) * slope(wrong.inputs[0].astype(np.float64))
    assert said(wrong, value) == ("other-operation", f"is that of `{name}`")
