"""A wrong rule inside a program that takes gradients itself is blamed, though it shows in other numbers."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import Result

from gradcheck.ops.declaration import find_op, substituted

Command = Callable[..., Result]

CASES = Path(__file__).parents[2] / "cases"
TAPED = {
    "tapes.yaml": ("gradient_penalty", "inconclusive"),
    "graphs.yaml": ("loop_that_prints", "subject-wrong"),  # what is in a graph is written out for the referee
    "derivatives.yaml": ("pushed_through_an_mlp and float64", "inconclusive"),
}


@pytest.mark.parametrize("file", TAPED)
def test_the_operation_with_the_wrong_rule_is_blamed(command: Command, file: str) -> None:
    keyword, ruling = TAPED[file]
    wrong = replace(find_op("tf.tanh"), vjp=(lambda g, y, x: g * (1 - y),))
    with substituted(wrong):
        result = command("compare", CASES / file, "-k", keyword, "--report", "json")
    assert result.exit_code == 1
    (case,) = json.loads(result.stdout)["cases"]
    assert {each["operation"] for each in case["diagnosis"]["accused"]} == {"tf.tanh"}
    assert {each["ruling"] for each in case["diagnosis"]["referee"]} <= {ruling}


def test_a_custom_gradient_that_is_no_derivative_is_not_held_against_either_side(command: Command) -> None:
    result = command("compare", CASES / "custom_gradients.yaml", "-k", "clip", "--referee", "--blame")
    assert result.exit_code == 0, result.stdout
    assert "wrong" not in result.stdout.replace("nothing else is wrong", "")
