"""Gradients of gradients, from our engine and from TensorFlow: against values derived by hand, and each other."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gradcheck import tf
from gradcheck.engine.numpy_engine import NumpyEngine
from gradcheck.engines import Engine, Outcome, Request
from gradcheck.reference.tensorflow import TensorFlowEngine
from tests.verdict.asking import ask

ENGINES = pytest.mark.parametrize("engine", [NumpyEngine(), TensorFlowEngine()], ids=lambda each: each.name)


def second(engine: Engine, request: Request, *directions: Any, **changes: Any) -> tuple[Any, ...]:
    """The gradients of the gradients, weighted with `directions`."""
    given = tuple(None if each is None else np.asarray(each, np.float64) for each in directions)
    found = engine.run(replace(request, directions=given, **changes))
    assert isinstance(found, Outcome), found
    return found.gradients[0]


@ENGINES
def test_a_cube_bends_by_six_times_its_argument(engine: Engine) -> None:
    request = ask(lambda x: x**3.0, x=[1.0, -2.0])
    outcome = engine.run(replace(request, directions=(np.array([1.0, 10.0]),)))
    assert isinstance(outcome, Outcome)
    np.testing.assert_allclose(outcome.outputs[0], [1, -8], rtol=1e-15)
    np.testing.assert_allclose(outcome.gradients[0][0], [6, -120], rtol=1e-14)


@ENGINES
def test_every_set_of_cotangents_weights_the_second_derivatives(engine: Engine) -> None:
    request = ask(lambda x: x * x * x, x=[1.0, -2.0])
    sets = ((np.array([1.0, 1.0]),), (np.array([5.0, 7.0]),), (None,))
    outcome = engine.run(replace(request, cotangents=sets, directions=(np.ones(2),)))
    assert isinstance(outcome, Outcome)
    for found, wanted in zip(outcome.gradients, ([6, -12], [30, -84], [6, -12]), strict=True):
        np.testing.assert_allclose(found[0], wanted, rtol=1e-14)


@ENGINES
def test_a_quadratic_form_gives_the_product_of_its_hessian_and_the_direction(engine: Engine) -> None:
    """x'Ax has the Hessian A + A'."""
    a = np.array([[1.0, 2.0], [4.0, 8.0]])
    request = ask(lambda x: tf.reduce_sum(x * tf.linalg.matvec(a, x)), x=[3.0, -1.0])
    np.testing.assert_allclose(second(engine, request, [1.0, -2.0])[0], (a + a.T) @ [1, -2], rtol=1e-14)


@ENGINES
def test_a_mixed_derivative_is_shared_out_to_both_arguments(engine: Engine) -> None:
    """Of f = x y the gradients are y and x: along (p, q) the derivative of p y + q x is q in x and p in y."""
    request = ask(lambda x, y: x * y, x=3.0, y=5.0)
    np.testing.assert_array_equal(second(engine, request, 2.0, 7.0), [7, 2])


@ENGINES
def test_a_gradient_without_a_direction_is_left_out(engine: Engine) -> None:
    request = ask(lambda x, y: x * x * y, x=3.0, y=5.0)
    assert second(engine, request, 1.0, None) == (10.0, 6.0)  # of 2 x y
    assert second(engine, request, None, 1.0) == (6.0, None)  # of x**2, which has no y
    assert second(engine, request, None, 1.0, unconnected="zero") == (6.0, 0.0)
    assert second(engine, request, None, None) == (None, None)


@ENGINES
def test_a_source_that_is_not_connected_stays_so(engine: Engine) -> None:
    request = ask(lambda x, y: tf.exp(x), x=0.0, y=5.0)
    assert second(engine, request, 1.0, 1.0) == (1.0, None)
    assert second(engine, request, 1.0, 1.0, unconnected="zero") == (1.0, 0.0)


@ENGINES
def test_slices_are_summed(engine: Engine) -> None:
    """The first gradient of a gather is sparse in TensorFlow; row 0 is read twice."""
    positions = np.array([0, 0, 2], np.int32)
    request = ask(lambda x, i: tf.gather(x, i) ** 3.0, x=[1.0, 2.0, 3.0], i=positions)
    np.testing.assert_allclose(second(engine, request, [1.0, 1.0, 1.0])[0], [12, 0, 18], rtol=1e-14)
    variable = second(engine, request, [1.0, 1.0, 1.0], variables=frozenset({"x"}))
    np.testing.assert_allclose(variable[0], [12, 0, 18], rtol=1e-14)


def test_both_say_the_same_of_a_network() -> None:
    rng = np.random.default_rng(0)
    request = ask(
        lambda x, w, b: tf.nn.softmax(tf.tanh(x @ w + b)),
        x=rng.standard_normal((4, 3)),
        w=rng.standard_normal((3, 2)),
        b=rng.standard_normal(2),
        cotangents=[rng.standard_normal((4, 2))],
    )
    directions = [rng.standard_normal(each.shape) for each in request.inputs.values()]
    ours, theirs = (second(engine, request, *directions) for engine in (NumpyEngine(), TensorFlowEngine()))
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-11)
