"""Operations that TensorFlow has in float32 alone: their rules, of both orders, in float64 against differences."""

import numpy as np
import pytest

from gradcheck.dtypes import FLOAT32, FLOAT64
from gradcheck.engine.wide import WideExecutable
from gradcheck.ops import find_op
from gradcheck.ops.sampling import Trial, trials
from gradcheck.program import Program
from tests.ops.support import assert_near, differences, drawn_like, gradient_program

NAMES = ("tf.raw_ops.ScaleAndTranslate", "tf.image.crop_and_resize", "tf.raw_ops.ImageProjectiveTransformV3")


def _trials() -> list[object]:
    found = [(name, at, each) for name in NAMES for at, each in enumerate(trials(find_op(name), FLOAT32))]
    return [pytest.param(_smooth(each), id=f"{name}-{at}") for name, at, each in found]


def _smooth(trial: Trial) -> Trial:
    """Without the boxes where their gradient is not the derivative: a convention."""
    (instruction,) = trial.program.instructions
    return trial._replace(sources=trial.sources[:1]) if instruction.attributes.get("method") == "nearest" else trial


def _wide(arrays: dict) -> dict:
    return {name: each.astype(np.float64) if each.dtype == FLOAT32 else each for name, each in arrays.items()}


@pytest.mark.parametrize("trial", _trials())
def test_both_orders(trial: Trial) -> None:
    inputs = _wide(trial.inputs)
    cotangents = [each.astype(np.float64) for each in drawn_like(trial.program, 1)]
    gradients, seeds = gradient_program(trial.program, trial.sources)
    _check(trial.program, gradients, trial, inputs, cotangents, seeds)
    weights = [None if each is None else each.astype(np.float64) for each in drawn_like(gradients, 2)]
    inputs |= seeds(cotangents)
    second, weigh = gradient_program(gradients, trial.sources)
    _check(gradients, second, trial, inputs, weights, weigh)


def _check(program: Program, gradients: Program, trial: Trial, inputs: dict, cotangents: list, seeds: object) -> None:
    found = WideExecutable(gradients, FLOAT64).run({**inputs, **seeds(cotangents)})
    for name, ours, estimate in zip(
        trial.sources, found, differences(program, inputs, trial.sources, cotangents), strict=True
    ):
        assert_near(np.zeros_like(estimate) if ours is None else ours, estimate, name, 1e-7)
