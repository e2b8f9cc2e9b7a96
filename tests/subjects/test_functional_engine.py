"""Engines that transform functions."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from gradcheck.dtypes import Array
from gradcheck.engines import Failure, Outcome, Request
from gradcheck.subjects import FunctionalEngine
from tests.verdict.asking import ask

X, Y = np.array([0.5, -1.0, 2.0]), np.array([1.0, 2.0, 3.0])
STEP = 1e-6


def vjp(function: Callable[..., list[Array]], point: Sequence[Array]) -> tuple[list[Array], Any]:
    """A pullback by central differences, which asks nothing of the functions that it differentiates."""

    def pullback(cotangents: Sequence[Array]) -> list[Array]:
        return [_gradient(function, point, at, cotangents) for at in range(len(point))]

    return function(*point), pullback


def _gradient(function: Callable[..., list[Array]], point: Sequence[Array], at: int, cotangents: Any) -> Array:
    gradient = np.zeros_like(point[at])
    for index in np.ndindex(gradient.shape):
        moved = []
        for step in (STEP, -STEP):
            places = [np.array(each) for each in point]
            places[at][index] += step
            outputs = function(*places)
            moved.append(sum(float(np.sum(c * y)) for c, y in zip(cotangents, outputs, strict=True)))
        gradient[index] = (moved[0] - moved[1]) / (2 * STEP)
    return gradient


ENGINE = FunctionalEngine(vjp=vjp, functions={"tf.exp": np.exp, "tf.reduce_sum": np.sum})


def outcome(request: Request) -> Outcome:
    found = ENGINE.run(request)
    assert isinstance(found, Outcome), found
    return found


def test_outputs_and_gradients_under_every_set_of_cotangents() -> None:
    request = ask(lambda x, y: 2.0 * x * y, x=X, y=Y)
    request = Request(request.program, request.inputs, ("x", "y"), ((None,), (np.array([1.0, 0.0, -3.0]),)))
    found = outcome(request)
    np.testing.assert_array_equal(found.outputs[0], 2 * X * Y)
    np.testing.assert_allclose(found.gradients[0], [2 * Y, 2 * X], rtol=1e-8)
    np.testing.assert_allclose(found.gradients[1], [2 * Y * [1, 0, -3], 2 * X * [1, 0, -3]], rtol=1e-8)


def test_all_targets_are_pulled_back_at_once() -> None:
    request = ask(lambda x: [x * 3.0, x * x], x=X, cotangents=[None, np.array([1.0, 2.0, 3.0])])
    np.testing.assert_allclose(outcome(request).gradients[0][0], 3 + 2 * X * [1, 2, 3], rtol=1e-8)


def test_inputs_that_are_no_sources_are_held() -> None:
    request = ask(lambda x, y: x * y, x=X, y=Y)
    found = outcome(Request(request.program, request.inputs, ("y",), ((None,),)))
    np.testing.assert_allclose(found.gradients[0], [X], rtol=1e-8)


def test_the_gradients_of_gradients_under_directions() -> None:
    request = ask(lambda x: x * x * x, x=np.array([0.5, 2.0]))
    directions = (np.array([1.0, -1.0]),)
    found = outcome(Request(request.program, request.inputs, ("x",), ((None,),), directions=directions))
    np.testing.assert_allclose(found.gradients[0][0], [3.0, -12.0], rtol=1e-2)


def test_what_a_pullback_raises_is_an_error() -> None:
    def broken(function: Any, point: Any) -> Any:
        return function(*point), lambda cotangents: cotangents["x"]

    failed = FunctionalEngine(vjp=broken).run(ask(lambda x: x * 2.0, x=X))
    assert isinstance(failed, Failure)
    assert failed.message.startswith("the backward pass raised TypeError: list indices must be integers")
    assert "test_functional_engine.py" in failed.message


@pytest.mark.parametrize("twice", [True, False])
def test_second_derivatives_need_pullbacks_that_can_be_differentiated(twice: bool) -> None:
    request = ask(lambda x: x * x, x=X)
    again = Request(request.program, request.inputs, ("x",), ((None,),), directions=(np.ones(3),))
    found = FunctionalEngine(vjp=vjp, twice=twice).run(again)
    assert isinstance(found, Outcome if twice else Failure)
