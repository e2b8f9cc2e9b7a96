"""Functions with a hand-written backward, in the many ways in which people write them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradcheck import trace
from gradcheck.asking import request
from gradcheck.casefile.load import load_file
from gradcheck.dtypes import Array
from gradcheck.engines import Failure, Outcome, Request
from gradcheck.language import lower
from gradcheck.subjects import RuleEngine

Write = Callable[[str], Path]
Function = Callable[..., Any]

PRODUCT = """\
inputs:
  x: [[1.0, 2.0], [3.0, -1.0]]
  w: [[0.5, -1.0], [2.0, 1.0]]
expr: x @ w
"""
X, W = np.array([[1.0, 2.0], [3.0, -1.0]], np.float32), np.array([[0.5, -1.0], [2.0, 1.0]], np.float32)
ONES = np.ones((2, 2), np.float32)


def asked(write: Write, text: str) -> Request:
    loaded = load_file(write(text))
    assert not loaded.errors
    (case,) = loaded.cases
    return request(lower(case))


def found(write: Write, text: str, forward: Function, backward: Function) -> Outcome:
    outcome = RuleEngine(forward=forward, backward=backward).run(asked(write, text))
    assert isinstance(outcome, Outcome), outcome
    return outcome


def refused(write: Write, text: str, forward: Function, backward: Function) -> Failure:
    outcome = RuleEngine(forward=forward, backward=backward).run(asked(write, text))
    assert isinstance(outcome, Failure)
    return outcome


def product(x: Array, w: Array) -> Any:
    return x @ w


def in_order(x: Array, w: Array, dy: Array) -> Any:
    return dy @ w.T, x.T @ dy


def in_a_dictionary(x: Array, w: Array, dy: Array) -> Any:
    return {"w": x.T @ dy, "x": dy @ w.T}


def cotangent_first(dy: Array, x: Array, w: Array) -> Any:
    return dy @ w.T, x.T @ dy


def other_names(a: Array, b: Array, g: Array) -> Any:
    return g @ b.T, a.T @ g


def with_keywords(dy: Array, *, w: Array, x: Array) -> Any:
    return dy @ w.T, x.T @ dy


def with_a_default(x: Array, w: Array, dy: Array, scale: float = 1.0) -> Any:
    return scale * (dy @ w.T), x.T @ dy


def by_position(x: Array, w: Array, dy: Array, /) -> Any:
    return dy @ w.T, x.T @ dy


def from_what_was_saved(dy: Array) -> Any:
    return dy @ W.T, X.T @ dy


@pytest.mark.parametrize(
    "backward",
    [
        in_order,
        in_a_dictionary,
        cotangent_first,
        other_names,
        with_keywords,
        with_a_default,
        by_position,
        from_what_was_saved,
    ],
)
def test_a_backward_is_given_what_it_names(write: Write, backward: Function) -> None:
    outcome = found(write, PRODUCT, product, backward)
    np.testing.assert_array_equal(outcome.outputs[0], X @ W)
    dx, dw = outcome.gradients[0]
    np.testing.assert_array_equal(dx, ONES @ W.T)
    np.testing.assert_array_equal(dw, X.T @ ONES)


def test_every_set_of_cotangents_has_gradients(write: Write) -> None:
    given = asked(write, PRODUCT)
    outcome = RuleEngine(forward=product, backward=in_order).run(given)
    assert isinstance(outcome, Outcome)
    (seeded,) = given.cotangents[1]
    assert seeded is not None
    np.testing.assert_array_equal(outcome.gradients[1][0], seeded @ W.T)


GATHERED = """\
inputs:
  table: [1.0, 2.0, 3.0]
  index: {value: [2, 0, 2], dtype: int32}
expr: tf.gather(table, index)
"""


def gathered(table: Array, index: Array) -> Any:
    return table[index]


def scattered(table: Array, index: Array, dy: Array) -> Any:
    total = np.zeros_like(table)
    np.add.at(total, index, dy)
    return total


@pytest.mark.parametrize(
    "given",
    [lambda d: d, lambda d: (d,), lambda d: (d, None), lambda d: {"table": d}, lambda d: {"table": d, "index": None}],
)
def test_an_integer_input_needs_no_gradient(write: Write, given: Function) -> None:
    outcome = found(write, GATHERED, gathered, lambda table, index, dy: given(scattered(table, index, dy)))
    np.testing.assert_array_equal(outcome.gradients[0][0], [1, 0, 2])


def test_an_input_that_is_not_differentiated_may_be_left_out(write: Write) -> None:
    outcome = found(write, PRODUCT + "wrt: [w]\n", product, lambda x, w, dy: x.T @ dy)
    np.testing.assert_array_equal(outcome.gradients[0][0], X.T @ ONES)


def test_none_says_not_connected(write: Write) -> None:
    outcome = found(write, PRODUCT, product, lambda x, w, dy: (dy @ w.T, None))
    assert outcome.gradients[0][1] is None
    zeros = found(write, PRODUCT + "unconnected_gradients: zero\n", product, lambda x, w, dy: (dy @ w.T, None))
    np.testing.assert_array_equal(zeros.gradients[0][1], np.zeros((2, 2)))


def test_several_targets_have_a_cotangent_each(write: Write) -> None:
    text = (
        "inputs: {x: [1.0, 2.0]}\nexpr: '[tf.square(x), tf.reduce_sum(x)]'\n"
        "output_gradients: {nest: [[1.0, 10.0], 100.0]}\n"
    )
    outcome = found(write, text, lambda x: (x * x, x.sum()), lambda x, d, e: 2 * x * d + e)
    np.testing.assert_array_equal(outcome.outputs[0], [1, 4])
    np.testing.assert_array_equal(outcome.gradients[0][0], [102, 140])


def test_an_integer_target_has_no_cotangent(write: Write) -> None:
    text = "inputs: {x: [1.0, 2.0]}\nexpr: '[x * 2.0, tf.argmax(x)]'\n"
    outcome = found(write, text, lambda x: (2 * x, x.argmax()), lambda x, dy: 2 * dy)
    np.testing.assert_array_equal(outcome.gradients[0][0], [2, 2])


def test_a_nested_input_is_a_list(write: Write) -> None:
    text = "inputs: {x: {nest: [[1.0, 2.0], [3.0]]}, c: 2.0}\nexpr: tf.reduce_sum(x[0]) * tf.reduce_sum(x[1]) * c\n"

    def backward(x: list[Array], c: Array, dy: Array) -> Any:
        first, second = x
        dx = [dy * c * second.sum() * np.ones_like(first), dy * c * first.sum() * np.ones_like(second)]
        return dx, dy * first.sum() * second.sum()

    outcome = found(write, text, lambda x, c: x[0].sum() * x[1].sum() * c, backward)
    first, second, third = outcome.gradients[0]
    np.testing.assert_array_equal(first, [6, 6])
    np.testing.assert_array_equal(second, [6])
    np.testing.assert_array_equal(third, 9)


def test_a_parameter_with_a_default_may_be_missing_from_the_case(write: Write) -> None:
    def forward(x: Array, w: Array, scale: float = 2.0) -> Any:
        return scale * (x @ w)

    outcome = found(write, PRODUCT, forward, lambda x, w, dy, scale=2.0: (scale * dy @ w.T, scale * x.T @ dy))
    np.testing.assert_array_equal(outcome.outputs[0], 2 * (X @ W))
    np.testing.assert_array_equal(outcome.gradients[0][0], 2 * ONES @ W.T)


def test_it_may_compute_in_another_precision(write: Write) -> None:
    outcome = found(write, PRODUCT, lambda x, w: x.astype(float) @ w, in_order)
    assert outcome.outputs[0] is not None
    assert outcome.outputs[0].dtype == np.float32


def test_what_it_changes_in_place_is_remarked_on_and_harms_nothing(write: Write) -> None:
    def backward(x: Array, w: Array, dy: Array) -> Any:
        dw = x.T @ dy
        dy *= 2
        w -= dw
        return dy @ W.T / 2, dw

    outcome = found(write, PRODUCT, product, backward)
    assert {each.message for each in outcome.remarks} == {
        "it changes its input `w` in place",
        "it changes the cotangent that it is given in place",
    }
    np.testing.assert_array_equal(outcome.gradients[0][0], ONES @ W.T)


OTHER_CASES = {
    "other inputs": (lambda x, weights: x, "forward(x, weights) is for other cases: this one has the inputs x, w"),
    "a default says nothing of what is missing": (
        lambda weights, scale=1.0: weights,
        "forward(weights, scale=1.0) is for other cases: this one has the inputs x, w",
    ),
}


@pytest.mark.parametrize(("forward", "message"), OTHER_CASES.values(), ids=OTHER_CASES)
def test_a_case_with_other_inputs_is_not_for_it(write: Write, forward: Function, message: str) -> None:
    assert refused(write, PRODUCT, forward, in_order) == Failure("unsupported", message)


def test_a_program_that_is_no_case_is_not_for_it() -> None:
    inputs = {"x": X, "w": W}
    part = Request(trace(lambda x, w: x - w, inputs), inputs, ("x", "w"), ((None,),))
    outcome = RuleEngine(forward=product, backward=in_order).run(part)
    assert outcome == Failure("unsupported", "it runs the expressions of whole cases, no other programs")


def test_it_has_no_second_derivatives(write: Write) -> None:
    second = replace(asked(write, PRODUCT), directions=(X, W))
    outcome = RuleEngine(forward=product, backward=in_order).run(second)
    assert outcome == Failure("unsupported", "it has no second derivatives")


def raising(x: Array, w: Array, dy: Array) -> Any:
    raise ArithmeticError("not today")


WRONG = {
    "too few gradients": (product, lambda x, w, dy: (dy,), "backward gives 1 array where gradients for x, w belong"),
    "a lone gradient": (product, lambda x, w, dy: dy, "backward gives 1 array where gradients for x, w belong"),
    "nothing": (product, lambda x, w, dy: None, "backward gives None where gradients for x, w belong"),
    "an unknown name": (
        product,
        lambda x, w, dy: {"weights": dy},
        "backward gives a gradient for 'weights', which is no parameter of forward",
    ),
    "a text": (product, lambda x, w, dy: ("no", dy), "its gradient with respect to `x` is 'no', not an array"),
    "no output": (lambda x, w: None, in_order, "what forward gives is None, not an array"),
    "what was saved besides": (lambda x, w: (x @ w, x), in_order, "forward gives 2 arrays where the case has 1 target"),
    "one parameter too many": (
        product,
        lambda x, w, y, dy: (dy, dy),
        "backward(x, w, y, dy) takes `y` and `dy` besides the inputs of forward(x, w), where 1 cotangent belongs",
    ),
    "no cotangent": (
        product,
        lambda x, w: (x, w),
        "backward(x, w) takes nothing besides the inputs of forward(x, w), where 1 cotangent belongs",
    ),
    "no names": (
        lambda *inputs: inputs[0],
        in_order,
        "forward(*inputs) does not name its inputs: write them out instead of `*inputs`",
    ),
    "no signature": (max, in_order, "forward does not say what parameters it has"),
    "an exception": (product, raising, "backward raised ArithmeticError: not today (test_rule_engine.py:"),
    "an exception forwards": (
        lambda x, w: x @ w[:1],
        in_order,
        "forward raised ValueError: matmul: Input operand 1 has a mismatch in its core dimension 0",
    ),
}


@pytest.mark.parametrize(("forward", "backward", "message"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_used_is_said(write: Write, forward: Function, backward: Function, message: str) -> None:
    failure = refused(write, PRODUCT, forward, backward)
    assert failure.kind == "error"
    assert failure.message.startswith(message)


def test_a_rule_may_be_about_an_expression_with_a_tape(write: Callable[..., Path], command: Function) -> None:
    """It runs nothing but itself, so that what the expression does is TensorFlow's affair."""
    write("def forward(x):\n    return 3 * x ** 2\n\n\ndef backward(x, dy):\n    return 6 * x * dy\n", "cube.py")
    case = write(
        "inputs: {x: [1.0, 2.0]}\nexpr: |\n  with tf.GradientTape() as t:\n    t.watch(x)\n    y = x ** 3\n"
        "  t.gradient(y, x)\n"
    )
    result = command("compare", case, "--engine", case.parent / "cube.py")
    assert result.exit_code == 0, result.stdout
