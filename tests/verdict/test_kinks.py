"""Ties and the ends of domains: where they are found, what is a subgradient there, and what to write instead."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradcheck import tf
from gradcheck.engines import Request
from gradcheck.ops import OPS, find_op
from gradcheck.verdict.kinks import is_subgradient, kinks, undefined_cause
from gradcheck.verdict.referee import Referee
from tests.verdict.asking import ask


def tied(request: Request) -> list[tuple[str, tuple[int, ...]]]:
    return [(each.instruction.op.name, each.index) for each in kinks(request)]


@pytest.mark.parametrize(
    ("function", "x", "expected"),
    [
        (lambda x: tf.abs(x), [0.0, 1e-3, -2.0], [("tf.abs", (0,))]),
        (lambda x: tf.nn.relu(x - 1.0), [1.0, 2.0], [("tf.nn.relu", (0,))]),
        (lambda x: tf.nn.relu6(x), [6.0, 1.0], [("tf.nn.relu6", (0,))]),
        (lambda x: tf.nn.leaky_relu(x), [1.0, 0.0], [("tf.nn.leaky_relu", (1,))]),
        (lambda x: tf.sign(x), [0.0, 1.0], [("tf.sign", (0,))]),
        (lambda x: tf.maximum(x, 2.0 * x), [0.0, 1.0], [("tf.maximum", (0,))]),
        (lambda x: tf.reduce_max(x), [3.0, 1.0, 1.0, 3.0], [("tf.reduce_max", (0, 0))]),
        (lambda x: tf.reduce_max(x), [3.0, 1.0, 1.0, 2.0], []),  # others than the largest may be equal
        (lambda x: tf.reduce_min(x), [3.0, 1.0, 1.0, 2.0], [("tf.reduce_min", (0, 0))]),
        (lambda x: tf.sort(x), [3.0, 1.0, 2.0, 1.0], [("tf.sort", (0,))]),
        (lambda x: tf.math.top_k(x, 2)[0], [3.0, 1.0, 1.0, 2.0], []),
        (lambda x: tf.math.top_k(x, 2)[0], [3.0, 1.0, 2.0, 2.0], [("tf.math.top_k", (0,))]),
        (lambda x: tf.clip_by_value(x, -1.0, 1.0), [1.0, 0.5, 3.0], [("tf.clip_by_value", (0,))]),
        (lambda x: tf.clip_by_norm(x, 5.0), [3.0, 4.0], [("tf.clip_by_norm", (0,))]),
        (lambda x: tf.norm(x), [0.0, 0.0], [("tf.sqrt", (0,))]),
        (lambda x: tf.norm(x, ord=1), [0.0, 2.0], [("tf.abs", (0,))]),
        (lambda x: tf.math.reduce_euclidean_norm(x), [0.0, 0.0], [("tf.math.reduce_euclidean_norm", ())]),
        (lambda x: tf.pow(x, 0.5), [0.0, 2.0], [("tf.math.pow", (0,))]),
        (lambda x: tf.pow(x, 2.0), [0.0, 2.0], []),
        (lambda x: tf.where(x > 1.0, x * x, x), [1.0, 2.0], [("tf.math.greater", (0,))]),
        (lambda x: tf.gather(x, tf.argmax(x)), [1.0, 2.0, 2.0], [("tf.argmax", (0, 0))]),
        (lambda x: tf.exp(x), [0.0, 1.0], []),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_ties_are_found(dtype: Any, function: Callable[..., Any], x: list[float], expected: list[Any]) -> None:
    assert tied(ask(function, dtype=dtype, x=x)) == expected


def test_a_tie_that_rounding_hides() -> None:
    """0.1 + 0.2 and 0.3 differ in float64 by one unit, and a sum in another order would not have told them apart."""
    request = ask(lambda x, y: tf.maximum(x + y, 0.3), x=0.1, y=0.2)
    (kink,) = kinks(request)
    assert 0 < kink.margin < 1e-15
    assert kinks(ask(lambda x, y: tf.maximum(x + y, 0.3), x=0.1, y=0.2 + 1e-12)) == []
    cancelled = ask(lambda x: tf.nn.relu((x + 1e4) - 1e4), dtype=np.float32, x=1e-4)
    assert tied(cancelled) == [("tf.nn.relu", ())]
    assert tied(ask(lambda x: tf.nn.relu(x), dtype=np.float32, x=1e-4)) == []


def test_ties_that_no_gradient_meets_do_not_count() -> None:
    assert tied(ask(lambda x: tf.abs(tf.stop_gradient(x)) * x, x=0.0)) == []
    assert tied(ask(lambda x: [tf.abs(x), x][1], x=0.0)) == []
    assert tied(ask(lambda x: tf.abs(tf.zeros([2])) + x, dtype=np.float32, x=0.0)) == []


def test_every_operation_with_ties_declares_them() -> None:
    names = """tf.maximum tf.minimum tf.abs tf.sign tf.nn.relu tf.nn.relu6 tf.nn.leaky_relu tf.nn.elu tf.nn.selu
        tf.nn.crelu tf.nn.softsign tf.reduce_max tf.reduce_min tf.math.reduce_euclidean_norm tf.sort tf.math.top_k
        tf.argsort tf.argmax tf.argmin tf.clip_by_value tf.clip_by_norm tf.math.floormod tf.sqrt tf.math.pow
        tf.tensor_scatter_nd_max tf.tensor_scatter_nd_min tf.math.less tf.math.less_equal tf.math.greater
        tf.math.greater_equal tf.math.equal tf.math.not_equal"""
    assert [name for name in names.split() if OPS[name].kink is None] == []


def judged(request: Request, **gradients: Any) -> bool | None:
    """Whether these gradients, all elements of which are in question, are those of a subgradient."""
    arrays = {
        name: None if each is None else np.asarray(each, request.inputs[name].dtype) for name, each in gradients.items()
    }
    elements = {name: list(np.ndindex(request.inputs[name].shape)) for name in gradients}
    return is_subgradient(Referee(request, budget=60), request, arrays, request.cotangents[0], elements)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_one_variable_in_both_arguments_of_a_maximum(dtype: Any) -> None:
    request = ask(lambda x: tf.maximum(x, x), dtype=dtype, x=[1.5, -2.0])
    assert judged(request, x=[1, 1]) is True
    assert judged(request, x=[2, 1]) is False
    assert judged(request, x=[1, 0]) is False


@pytest.mark.parametrize(
    ("x", "y", "expected"),
    [(1, 0, True), (0, 1, True), (0.5, 0.5, True), (1, None, True), (1, 1, False), (0, 0, False), (-1, 2, False)],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_two_variables_that_tie(dtype: Any, x: float, y: float | None, expected: bool) -> None:
    for choose in (tf.maximum, tf.minimum):
        assert judged(ask(choose, dtype=dtype, x=0.7, y=0.7), x=x, y=y) is expected


def test_largest_elements_that_tie() -> None:
    request = ask(tf.reduce_max, dtype=np.float32, x=[3.0, 3.0, 1.0])
    assert judged(request, x=[1, 0, 0]) is True
    assert judged(request, x=[0.5, 0.5, 0]) is True
    assert judged(request, x=[1, 1, 0]) is False
    assert judged(request, x=[0.5, 0.5, 0.1]) is False
    assert judged(request, x=[np.nan, 0, 0]) is False


def test_a_norm_at_zero_has_the_unit_ball() -> None:
    request = ask(tf.norm, x=[0.0, 0.0])
    assert judged(request, x=[0, 0]) is True
    assert judged(request, x=[0.6, 0.6]) is True
    assert judged(request, x=[0.9, 0.9]) is False
    modulus = ask(tf.abs, z=np.array(0j))
    assert judged(modulus, z=0.5 + 0.5j) is True
    assert judged(modulus, z=1 + 1j) is False


def test_a_concave_kink_has_its_slopes_the_other_way_round() -> None:
    request = ask(lambda x: -tf.abs(x), x=0.0)
    assert [judged(request, x=each) for each in (-1, 0, 1, 1.5)] == [True, True, True, False]


def test_away_from_a_kink_only_the_derivative_is_one() -> None:
    request = ask(lambda x: tf.sort(x) * [1.0, 10.0, 100.0], x=[3.0, 1.0, 2.0])
    assert judged(request, x=[100, 1, 10]) is True
    assert judged(request, x=[100, 10, 1]) is False


def test_where_there_is_no_slope_nothing_is_said() -> None:
    assert judged(ask(tf.sqrt, x=0.0), x=0.0) is None
    request = ask(tf.abs, x=0.0)
    spent = Referee(request, budget=0.0)
    assert is_subgradient(spent, request, {"x": np.array(0.0)}, (None,), {"x": [()]}) is None


@pytest.mark.parametrize(
    ("function", "x", "name", "index", "words"),
    [
        (
            lambda x: tf.where(x > 0.0, tf.math.log(x), 0.0),
            [2.0, 0.0],
            "tf.math.log",
            (1,),
            "guard the argument too: `tf.math.log(tf.where(x > 0, x, 1.0))`",
        ),
        (
            lambda x: tf.sqrt(x),
            [2.0, -1.0],
            "tf.sqrt",
            (1,),
            "guard the argument too: `tf.sqrt(tf.where(x > 0, x, 1.0))`",
        ),
        (
            lambda x: tf.sqrt(x),
            [2.0, 0.0],  # the value is 0, the slope is infinite
            "tf.sqrt",
            (1,),
            "the gradient of `tf.sqrt` is not finite here",
        ),
        (lambda x: tf.math.rsqrt(x), [0.0], "tf.math.rsqrt", (0,), "tf.math.rsqrt(tf.where(x > 0, x, 1.0))"),
        (lambda x: 1.0 / x, [1.0, 0.0], "tf.truediv", (1,), "`tf.math.divide_no_nan(x, y)`"),
        (lambda x: tf.math.reciprocal(x), [0.0], "tf.math.reciprocal", (0,), "tf.where(x != 0, x, 1.0)"),
        (lambda x: tf.pow(x, 0.5), [4.0, 0.0], "tf.math.pow", (1,), "tf.pow(tf.where(x > 0, x, 1.0), y)"),
        (lambda x: tf.norm(x), [0.0, 0.0], "tf.sqrt", (0,), "tf.sqrt(tf.where(x > 0, x, 1.0))"),
        (
            lambda x: tf.math.reduce_euclidean_norm(x),
            [0.0, 0.0],
            "tf.math.reduce_euclidean_norm",
            (0,),
            "the norm has a kink at 0",
        ),
        (lambda x: tf.acos(x), [0.5, 1.0], "tf.acos", (1,), "infinite at -1 and 1"),
        (lambda x: tf.exp(x * 1e3), [1.0], "tf.exp", (0,), "`tf.exp` is not finite here"),
    ],
)
def test_what_is_undefined_has_a_cause(
    function: Callable[..., Any], x: list[float], name: str, index: tuple[int, ...], words: str
) -> None:
    found = undefined_cause(ask(function, x=x))
    assert found is not None
    instruction, at, sentence = found
    assert (instruction.op.name, at) == (name, index)
    assert words in sentence


def test_the_advice_of_a_guard_helps() -> None:
    request = ask(lambda x: tf.where(x > 0.0, tf.math.log(tf.where(x > 0.0, x, 1.0)), 0.0), x=[2.0, 0.0])
    assert undefined_cause(request) is None
    assert undefined_cause(ask(lambda x: tf.math.divide_no_nan(1.0, x), x=[0.0])) is None


def test_the_first_cause_is_named_and_not_what_follows_from_it() -> None:
    found = undefined_cause(ask(lambda x: tf.exp(tf.math.log(x) * 2.0) + tf.sqrt(x), x=[-1.0]))
    assert found is not None
    assert found[0].op is find_op("tf.math.log")


def test_an_input_that_is_not_finite_is_its_own_cause() -> None:
    assert undefined_cause(ask(lambda x: x * x, x=[np.nan, 1.0])) is None
    assert undefined_cause(ask(lambda x: x * x, x=[3.0, 1.0])) is None
