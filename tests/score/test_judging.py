"""One answer at a time: which mark it gets, and with which words."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gradcheck import tf
from gradcheck.engine.numpy_engine import NumpyEngine
from gradcheck.engines import Failure, Outcome, Remark, Request
from gradcheck.score.card import Mark
from gradcheck.score.judging import Judge
from tests.verdict.asking import ask

SIN = ask(tf.sin, dtype=np.float32, x=[0.5, 0.0])
TWICE = replace(SIN, directions=(np.ones(2, np.float32),))


def right(request: Request) -> Outcome:
    outcome = NumpyEngine().run(request)
    assert isinstance(outcome, Outcome)
    return outcome


def gradient(outcome: Outcome, *values: Any) -> Outcome:
    """The outcome with other gradients."""
    return replace(outcome, gradients=(tuple(None if each is None else np.asarray(each) for each in values),))


def off(request: Request, by: float) -> Outcome:
    """The right answer with its gradient off by a share."""
    outcome = right(request)
    (found,) = outcome.gradients[0]
    assert found is not None
    return gradient(outcome, found * np.asarray(1 + by, found.dtype))


@pytest.mark.parametrize("request_", [SIN, TWICE], ids=["first", "second"])
@pytest.mark.parametrize(("by", "mark"), [(0.0, Mark.AGREE), (3e-7, Mark.AGREE), (1e-4, Mark.MISMATCH)])
def test_what_rounding_explains_agrees(request_: Request, by: float, mark: Mark) -> None:
    assert Judge(request_, right(request_)).judge("mine", off(request_, by), {})[0] is mark


def test_a_wrong_output_is_a_mismatch_with_the_place_in_words() -> None:
    outcome = right(SIN)
    wrong = replace(outcome, outputs=(np.array([outcome.outputs[0][0], 7], np.float32),))
    mark, note = Judge(SIN, outcome).judge("mine", wrong, {})
    assert mark is Mark.MISMATCH
    assert note == "the output at [1]: mine 7, tensorflow 0; 1 of 2 elements are wrong"


@pytest.mark.parametrize("kind", ["unsupported", "error", "timeout", "crashed"])
def test_no_answer_is_marked_with_its_kind(kind: Any) -> None:
    assert Judge(SIN, right(SIN)).judge("mine", Failure(kind, "why"), {}) == (Mark(kind), "why")


@pytest.mark.parametrize(
    ("answer", "mark"),
    [
        (right(SIN), Mark.NO_REFERENCE),
        (Failure("error", "mine"), Mark.NO_REFERENCE),
        (Failure("unsupported", "mine"), Mark.UNSUPPORTED),
        (Failure("crashed", "mine"), Mark.CRASHED),
    ],
)
def test_nothing_is_held_against_an_engine_where_tensorflow_has_no_answer(answer: Any, mark: Mark) -> None:
    assert Judge(SIN, Failure("error", "no gradient defined")).judge("mine", answer, {})[0] is mark


@pytest.mark.parametrize("request_", [SIN, TWICE], ids=["first", "second"])
def test_where_the_referee_finds_tensorflow_wrong_it_is_no_reference(request_: Request) -> None:
    mark, note = Judge(request_, off(request_, -2)).judge("mine", right(request_), {})
    assert mark is Mark.NO_REFERENCE
    assert note.startswith("TensorFlow is wrong: the gradient with respect to `x`")
    assert Judge(request_, off(request_, -2)).judge("mine", off(request_, 1), {})[0] is Mark.MISMATCH


def test_a_stated_convention_excuses_its_operation_alone() -> None:
    judge = Judge(SIN, right(SIN))
    assert judge.judge("mine", off(SIN, 1), {"tf.sin": "in degrees"}) == (Mark.CHOICE, "in degrees")
    assert judge.judge("mine", off(SIN, 1), {"tf.cos": "in degrees"})[0] is Mark.MISMATCH
    assert judge.judge("mine", off(SIN, 0), {"tf.sin": "in degrees"})[0] is Mark.AGREE


@pytest.mark.parametrize(
    ("value", "conventions", "mark"),
    [
        ([0.0], {"unconnected": "zeros"}, Mark.AGREE),
        ([1.0], {"unconnected": "zeros"}, Mark.MISMATCH),
        ([0.0], {}, Mark.MISMATCH),
    ],
)
def test_zeros_may_stand_for_what_is_not_connected(value: list[float], conventions: dict, mark: Mark) -> None:
    request = ask(lambda x, y: tf.zeros_like(x) + y, x=[1.0], y=[2.0])
    answer = gradient(right(request), value, [1.0])
    assert Judge(request, right(request)).judge("mine", answer, conventions)[0] is mark


@pytest.mark.parametrize(("slope", "mark"), [(0.5, Mark.TIE), (1.5, Mark.MISMATCH)])
def test_at_a_kink_every_subgradient_will_do(slope: float, mark: Mark) -> None:
    request = ask(tf.nn.relu, features=[0.0, 1.0])
    assert Judge(request, right(request)).judge("mine", gradient(right(request), [slope, 1.0]), {})[0] is mark


def test_an_engine_that_answers_otherwise_when_asked_again_is_wrong() -> None:
    forgetful = replace(right(SIN), remarks=(Remark("state", "the gradient is another"),))
    mark, note = Judge(SIN, right(SIN)).judge("mine", forgetful, {})
    assert (mark, note) == (
        Mark.MISMATCH,
        "mine keeps something from one run to the next: the gradient is another",
    )
