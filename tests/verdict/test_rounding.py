"""The rounding bounds: never below what correct arithmetic does, and tight enough to show a small slip."""

from typing import Any

import numpy as np
import pytest

from gradcheck import differentiate, evaluate, tf, trace
from gradcheck.dtypes import BFLOAT16
from gradcheck.engine.wide import WideExecutable
from gradcheck.verdict.rounding import bounds, unit_roundoff


def test_the_units_are_those_of_the_dtypes() -> None:
    for dtype in (np.float16, np.float32, np.float64, np.complex64):
        assert unit_roundoff(np.dtype(dtype)) == np.finfo(dtype).eps / 2
    assert unit_roundoff(BFLOAT16) == 2.0**-8


def test_what_is_exact_is_allowed_no_more_than_its_last_place() -> None:
    x = np.array([1.0, -2.0, 3.0], np.float32)
    program = differentiate(trace(lambda x: x * x - 4.0 * x, {"x": x}), ["x"])
    output, gradient = bounds(program, {"x": x, "cotangent": np.ones(3, np.float32)})
    u = 2.0**-24
    np.testing.assert_allclose(output, 4 * u * np.abs(x * x - 4 * x), rtol=1e-6)
    np.testing.assert_allclose(gradient, 4 * u * np.abs(2 * x - 4), rtol=1e-6, atol=1e-30)


@pytest.mark.parametrize("terms", [8, 64, 512])
def test_a_product_of_matrices_follows_the_root_of_the_number_of_terms(terms: int) -> None:
    """Higham and Mary 2019: sqrt(k) u |A||B|; the bound is a moderate multiple of it for every k."""
    rng = np.random.default_rng(terms)
    a, b = (rng.standard_normal(shape).astype(np.float32) for shape in ((16, terms), (terms, 16)))
    (bound,) = bounds(trace(lambda a, b: a @ b, {"a": a, "b": b}), {"a": a, "b": b})
    model = np.sqrt(terms) * 2.0**-24 * (np.abs(a) @ np.abs(b))
    assert bound is not None
    assert np.all(bound > 4 * model)
    assert np.all(bound < 20 * model)
    wide = a.astype(np.float64) @ b.astype(np.float64)
    assert np.all(np.abs(a @ b - wide) < bound)


def test_cancellation_is_seen() -> None:
    """1 + tanh(-3) keeps the absolute error of tanh, hundreds of times the last place of the result."""
    x = np.array([-3.0, 0.5], np.float32)
    (bound,) = bounds(trace(lambda x: 1 + tf.tanh(x), {"x": x}), {"x": x})
    assert bound is not None
    assert bound[0] > 2.0**-24
    assert bound[0] > 100 * 4 * 2.0**-24 * (1 + np.tanh(-3.0))


def test_the_condition_of_a_solve_is_seen() -> None:
    nearly_singular = np.array([[1.0, 1.0], [1.0, 1.0001]])
    (bound,) = bounds(trace(tf.linalg.inv, {"input": nearly_singular}), {"input": nearly_singular})
    exact = np.linalg.inv(nearly_singular)
    assert bound is not None
    relative = bound / np.abs(exact)
    assert np.all(relative > 1e4 * 2.0**-53)  # the condition number is 4e4
    assert np.all(relative < 1e7 * 2.0**-53)


def test_integers_are_exact_and_the_unconnected_has_no_bound() -> None:
    x = np.array([1.5], np.float32)
    program = differentiate(trace(lambda x: [tf.cast(x, tf.argmax(x).dtype), tf.floor(x)], {"x": x}), ["x"])
    found = bounds(program, {"x": x, "cotangent_1": np.ones(1, np.float32)})
    assert found[0] is not None
    assert found[0].tolist() == [0.0]
    assert found[2] is None


def test_a_power_of_a_negative_number_has_a_bound_for_its_gradient() -> None:
    x = np.array([-3.0, -0.7], np.float32)
    program = differentiate(trace(lambda x: tf.tanh(x**3.0), {"x": x}), ["x"])
    _, gradient = bounds(program, {"x": x, "cotangent": np.ones(2, np.float32)})
    assert gradient is not None
    assert np.all(np.isfinite(gradient))
    assert gradient[1] > 6 * 2.0**-24 * 0.1


PROGRAMS: dict[str, Any] = {
    "layer norm": lambda x: (
        (x - tf.reduce_mean(x, axis=-1, keepdims=True))
        * tf.math.rsqrt(tf.math.reduce_variance(x, axis=-1, keepdims=True) + 1e-3)
    ),
    "softmax of products": lambda x: tf.nn.softmax(x @ tf.transpose(x)),
    "chain": lambda x: tf.exp(-tf.square(tf.sin(x))) / (1 + tf.sigmoid(x)),
    "norm": lambda x: tf.norm(x, axis=0),
}


SLIPS = [(np.float32, 1e-4), (np.float64, 1e-10), (np.float16, 1e-1)]


@pytest.mark.parametrize(
    ("name", "dtype", "slip"),
    [("chain", np.complex64, 1e-4), *((name, *slip) for name in PROGRAMS for slip in SLIPS)],
)
def test_a_slip_in_one_element_is_beyond_the_bound_and_rounding_is_not(name: str, dtype: Any, slip: float) -> None:
    """Rounding is the difference between this dtype and a wider one: an answer that the bound knows nothing of."""
    rng = np.random.default_rng(1)
    drawn = rng.standard_normal((4, 6)) + (1j * rng.standard_normal((4, 6)) if dtype is np.complex64 else 0)
    x = (drawn / 2).astype(dtype)
    wide_dtype = {np.float64: np.longdouble, np.complex64: np.complex128}.get(dtype, np.float64)
    program = differentiate(trace(PROGRAMS[name], {"x": x}), ["x"])
    shape = program.types[program.inputs["cotangent"]].shape
    cotangent = rng.uniform(0.5, 1.5, shape).astype(dtype)
    _, gradient = evaluate(program, {"x": x, "cotangent": cotangent})
    _, bound = bounds(program, {"x": x, "cotangent": cotangent})
    assert gradient is not None
    assert bound is not None
    real = np.dtype(np.longdouble) if dtype is np.float64 else np.dtype(np.float64)
    truth = WideExecutable(program, real).run({"x": x, "cotangent": cotangent})[1]
    assert truth is not None
    assert truth.dtype == wide_dtype
    assert np.all(np.abs(gradient.astype(truth.dtype) - truth) <= bound)
    size = np.abs(truth)
    comparable = size >= 0.3 * size.max()
    flagged = slip * size[comparable] > bound[comparable]
    assert flagged.mean() >= (0.9 if dtype is np.float16 else 1.0)  # some sums cancel to what 11 bits cannot tell
