"""Ties, which the table stays away from; and the shapes for which TensorFlow's gradient is not the derivative."""

import numpy as np
import pytest
import tensorflow

from gradcheck import tensor
from gradcheck.engine.evaluate import evaluate
from gradcheck.engine.tracing import trace
from gradcheck.ops import tf
from tests.ops.support import differences, gradient_program


@pytest.mark.parametrize("decreasing", [True, False])
@pytest.mark.parametrize("width", [1, 2, 5, 8])
def test_values_and_blocks_are_tensorflows_at_ties(width: int, decreasing: bool) -> None:
    x = np.random.default_rng(width).integers(0, 4, (300, width)).astype(float)
    values, blocks = tf.nn.isotonic_regression(tensor(x), decreasing)
    theirs = tensorflow.nn.isotonic_regression(x, decreasing)
    np.testing.assert_allclose(values.numpy(), theirs[0].numpy(), rtol=1e-14)
    np.testing.assert_array_equal(blocks.numpy(), theirs[1].numpy(), strict=True)


@pytest.mark.parametrize(
    ("shape", "axis"), [((6,), 0), ((2, 5, 3), 1), ((2, 3, 4), -1), ((), -1), ((0, 3), 1), ((2, 0), 1)]
)
def test_the_gradient_is_the_derivative_for_every_rank(shape: tuple[int, ...], axis: int) -> None:
    rng = np.random.default_rng(3)
    inputs, seed = {"x": rng.normal(size=shape)}, rng.normal(size=shape)
    program = trace(lambda x: tf.nn.isotonic_regression(x, axis=axis)[0], inputs)
    gradients, seeds = gradient_program(program, ["x"])
    (found,) = evaluate(gradients, {**inputs, **seeds([seed])})
    (estimate,) = differences(program, inputs, ["x"], [seed])
    np.testing.assert_allclose(found, estimate, atol=1e-10, strict=True)
