"""Gradients computed anew: by the table's rule, and by differences where that rule is at fault or is none."""

from dataclasses import replace

import numpy as np
import pytest

from gradcheck.dtypes import Array
from gradcheck.ops import find_op, tf
from gradcheck.ops.declaration import substituted
from gradcheck.verdict.slips import Wrong
from gradcheck.verdict.slips.replay import by_differences, by_rule
from tests.verdict.slips.calls import (
    COMPLEX,
    CUMSUM,
    EDGES,
    EXP,
    GATHER,
    MATMUL,
    PARTS,
    ROW,
    SOFTMAX,
    SUM,
    call,
    drawn,
    g,
    said,
)


def test_every_replay_by_differences_gives_what_the_rule_gives() -> None:
    for wrong in (EXP, SUM, MATMUL, ROW, SOFTMAX, COMPLEX, GATHER, CUMSUM):
        arguments = (wrong.op, wrong.attributes, wrong.inputs, wrong.outputs, wrong.argument)
        exact, _ = by_rule(*arguments)(wrong.cotangents)
        near, slack = by_differences(*arguments)(wrong.cotangents)
        np.testing.assert_array_less(np.abs(near - exact), slack + 1e-300)
        np.testing.assert_array_less(slack, 1e-7 * np.maximum(np.abs(exact), 1))


def test_a_rule_that_is_at_fault_is_not_used_to_explain_itself() -> None:
    """The table's own rule has the slip; differences of the forward stand in for it."""
    wrong = call(tf.nn.softplus, drawn(2, 3))
    slope = 1 / (1 + np.exp(-wrong.inputs[0]))
    twice = (lambda g, y, x: g * g * tf.sigmoid(x),)
    with substituted(replace(find_op("tf.nn.softplus"), vjp=twice)):
        faulty = replace(wrong, op=find_op("tf.nn.softplus"))
        assert said(faulty, g(wrong) ** 2 * slope) == ("chain-twice", "has the incoming cotangent as a factor twice")
        assert said(faulty, slope) == ("missing-chain", "ignores the incoming cotangent")


@pytest.mark.parametrize(
    ("wrong", "value", "kind"),
    [
        (SOFTMAX, g(SOFTMAX) * SOFTMAX.outputs[0] * (1 - SOFTMAX.outputs[0]), "diagonal"),
        (EDGES, PARTS.sum(1), "wrong-axis"),
        (MATMUL, np.ones((3, 3)) @ MATMUL.inputs[1].T, "missing-chain"),
        (CUMSUM, np.cumsum(g(CUMSUM)) - g(CUMSUM), "flag"),
        (COMPLEX, g(COMPLEX) * COMPLEX.inputs[1], "conjugate-operand"),
    ],
)
def test_explanations_without_any_rule(wrong: Wrong, value: Array, kind: str) -> None:
    """By differences alone, in float64, where they are far less exact than what they explain."""
    nothing = replace(wrong, op=replace(wrong.op, vjp=tuple(None for _ in wrong.inputs), joint_vjp=None))
    answer = said(nothing, value)
    assert answer is not None
    assert answer == said(wrong, value)
    assert answer[0] == kind
