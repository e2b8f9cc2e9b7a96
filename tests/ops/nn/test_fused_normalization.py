"""Fused batch normalisation beyond the first order, which the table tries in float64 only, and refused calls."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradcheck import GradientTape, tensor
from gradcheck.dtypes import FLOAT32, FLOAT64
from gradcheck.engine.evaluate import evaluate
from gradcheck.ops import OpError, find_op, tf
from gradcheck.ops.sampling import Trial, trials
from tests.ops.support import assert_near, drawn_like, gradient_program, tensorflow_orders

IMAGE, ROW = tensor(np.ones((1, 2, 2, 3), FLOAT32)), tensor(np.ones(3, FLOAT32))
SHORT, WIDE, NOTHING = (tensor(np.ones(*each)) for each in ((2, FLOAT32), (3, FLOAT64), (0, FLOAT32)))
GIVEN = {"x": IMAGE, "scale": ROW, "offset": ROW, "mean": NOTHING, "variance": NOTHING}


@pytest.mark.parametrize(("data_format", "axes"), [("NHWC", (0, 1, 2)), ("NCHW", (0, 2, 3))])
@pytest.mark.parametrize("is_training", [True, False])
def test_the_gradient_as_an_operation_is_the_gradient_and_so_are_its_derivatives(
    data_format: str, axes: tuple[int, ...], is_training: bool
) -> None:
    rng = np.random.default_rng(3)
    x, g, *weights = (tensor(rng.normal(size=(2, 2, 1, 2)).astype(FLOAT32)) for _ in range(4))
    scale, mean, variance = (tensor(rng.uniform(0.5, 1.5, 2).astype(FLOAT32)) for _ in range(3))
    given = {"epsilon": 0.1, "data_format": data_format, "is_training": is_training}
    sources = [x, g, scale]

    def as_gradient() -> list[Any]:
        with GradientTape() as tape:
            tape.watch([x, scale])
            y = tf.raw_ops.FusedBatchNormV3(x, scale, scale, mean, variance, **given)[0]
        found: list[Any] = tape.gradient(y, [x, scale], output_gradients=g)
        return found

    def as_operation() -> list[Any]:
        used = tf.nn.moments(tf.stop_gradient(x), axes) if is_training else [mean, variance]
        toward_x, toward_scale, toward_offset, *_ = tf.raw_ops.FusedBatchNormGradV3(
            g, x, scale, *used, NOTHING, **given
        )
        return [toward_x, toward_scale + toward_offset]

    def orders(function: Callable[[], list[Any]]) -> list[Any]:
        with GradientTape(persistent=True) as outer:
            outer.watch(sources)
            with GradientTape() as inner:
                inner.watch(sources)
                zeroth = function()
                total = tf.reduce_sum(zeroth[0] * weights[0]) + tf.reduce_sum(zeroth[1] ** 2)
            first = inner.gradient(total, sources)
            again = sum(tf.reduce_sum(each**2) for each in first)
        return [*zeroth, *first, *outer.gradient(again, sources)]

    for found, exact in zip(orders(as_operation), orders(as_gradient), strict=True):
        np.testing.assert_allclose(found.numpy(), exact.numpy(), rtol=2e-4, atol=2e-4)


@pytest.mark.parametrize("trial", list(trials(find_op("tf.raw_ops.FusedBatchNormV3"), FLOAT32)))
def test_the_second_order_is_that_of_tensorflow(trial: Trial) -> None:
    cotangents = drawn_like(trial.program, 1)
    gradients, seeds = gradient_program(trial.program, trial.sources)
    weights = drawn_like(gradients, 2)
    _, _, second = tensorflow_orders(trial, cotangents, weights)
    assert not isinstance(second, str), second
    again, weighted = gradient_program(gradients, trial.sources)
    found = evaluate(again, {**trial.inputs, **seeds(cotangents), **weighted(weights)})
    for name, ours, theirs in zip(trial.sources, found, second, strict=True):
        zeros = np.zeros_like(trial.inputs[name])
        assert_near(zeros if ours is None else ours, zeros if theirs is None else theirs, f"gradient of {name}", 2e-5)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"x": ROW}, "rank 4 or 5"),
        ({"data_format": "NDHWC"}, "`NHWC` or `NCHW` for rank 4"),
        ({"scale": SHORT}, r"`scale` must have shape \[3\]"),
        ({"offset": WIDE}, "`offset` must be float32"),
        ({"is_training": False}, r"`mean` must have shape \[3\]"),
        ({"exponential_avg_factor": 0.5}, r"`mean` must have shape \[3\]"),
        ({"variance": tensor(np.ones((1, 3), FLOAT32))}, "`variance` must be a row"),
    ],
)
def test_refused_calls(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(OpError, match=message):
        tf.raw_ops.FusedBatchNormV3(**{**GIVEN, **changed})


def test_a_cotangent_of_another_shape_is_refused() -> None:
    with pytest.raises(OpError, match=r"`y_backprop` must have shape \[1, 2, 2, 3\]"):
        tf.raw_ops.FusedBatchNormGradV3(ROW, IMAGE, ROW, ROW, ROW, NOTHING)
