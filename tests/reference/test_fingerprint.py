"""Two questions have one fingerprint exactly if they are the same question."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gradcheck.asking import request
from gradcheck.casefile.case import Case
from gradcheck.casefile.find import find
from gradcheck.casefile.load import load_file
from gradcheck.diagnostics import Refused
from gradcheck.engines import Request
from gradcheck.language import lower
from gradcheck.program import Instruction
from gradcheck.reference.fingerprint import Unnamed, fingerprint

Write = Callable[..., Path]
ROOT = Path(__file__).parents[2]
CASE = """\
inputs:
  x: [[1.0, 2.0], [3.0, 4.0]]
  n: {value: [1, 0], dtype: int32}
expr: |
  y = tf.gather(x, n, axis=1)
  tf.reduce_sum(y * 0.5, axis=1)
"""


def asked(case: Case) -> Request:
    return request(lower(case))


@pytest.fixture
def question(write: Write) -> Callable[[str], Request]:
    def make(text: str) -> Request:
        (case,) = load_file(write(text)).cases
        return asked(case)

    return make


Question = Callable[[str], Request]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("inputs:", "description: other words\ninputs:"),
        ("y = tf", "\n  y = tf"),
        ("y = tf.gather(x, n, axis=1)\n  tf.reduce_sum(y", "other = tf.gather(x, n, axis=1)\n  tf.reduce_sum(other"),
        ("expr:", "expect: {output: [3.0, 7.0]}\nexpr:"),
        ("expr:", "tolerance: {rtol: 1.0}\ntags: [some]\nexpr:"),
        ("axis=1)\n", "axis=-1)\n"),
    ],
)
def test_what_does_not_matter_to_the_answer_is_left_out(question: Question, old: str, new: str) -> None:
    assert old in CASE
    assert fingerprint(question(CASE)) == fingerprint(question(CASE.replace(old, new)))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("4.0", "4.000001"),
        ("1.0,", "-1.0,"),
        ("[1, 0]", "[1, 1]"),
        ("int32", "int64"),
        ("0.5", "0.25"),
        ("axis=1)\n  tf", "axis=0)\n  tf"),
        ("0.5, axis=1)", "0.5, axis=1, keepdims=True)"),
        ("reduce_sum", "reduce_mean"),
        ("inputs:", "dtype: float64\ninputs:"),
        ("inputs:", "unconnected_gradients: zero\ninputs:"),
        ("inputs:", "output_gradients: [1.0, 2.0]\ninputs:"),
        ("[[1.0, 2.0], [3.0, 4.0]]", "{value: [[1.0, 2.0], [3.0, 4.0]], variable: true}"),
    ],
)
def test_what_matters_is_in_it(question: Question, old: str, new: str) -> None:
    assert old in CASE
    assert fingerprint(question(CASE)) != fingerprint(question(CASE.replace(old, new)))


def test_zeros_of_either_sign_are_two_inputs(question: Question) -> None:
    zero, negative = (question(f"inputs: {{x: {each}}}\nexpr: tf.sqrt(x)\n") for each in ("0.0", "-0.0"))
    assert fingerprint(zero) != fingerprint(negative)


def test_a_trace_is_another_question(question: Question) -> None:
    asked = question(CASE)
    assert len({fingerprint(asked), fingerprint(asked, 0), fingerprint(asked, 1)}) == 3


def test_directions_are_in_it(question: Question) -> None:
    asked = question(CASE)
    twice = [replace(asked, directions=(np.full((2, 2), each, np.float32),)) for each in (1, 2)]
    assert len({fingerprint(each) for each in (asked, *twice)}) == 3


def test_a_seed_is_what_it_draws(question: Question) -> None:
    """The second call with a seed draws what comes next, though it is written like the first."""
    asked = question(
        "inputs: {x: [1.0, 2.0]}\nexpr: x * tf.random.normal([2], seed=3) + tf.random.normal([2], seed=3)\n"
    )
    first, second = (each for each in asked.program.instructions if "seed" in each.attributes)
    assert first.attributes == second.attributes

    def with_seed_of(step: Instruction) -> str:
        changed = replace(first, attributes=step.attributes)
        return fingerprint(replace(asked, program=replace(asked.program, instructions=(changed,))))

    assert with_seed_of(first) != with_seed_of(second)


def test_what_has_no_form_has_no_fingerprint(question: Question) -> None:
    asked = question(CASE)
    step = replace(asked.program.instructions[0], attributes={"axis": object()})
    program = replace(asked.program, instructions=(step,))
    with pytest.raises(Unnamed, match="a object"):
        fingerprint(replace(asked, program=program))
    with pytest.raises(Unnamed, match="an array of object"):
        fingerprint(replace(asked, inputs={**asked.inputs, "x": np.array([None])}))


def test_every_shipped_case_has_one() -> None:
    found: dict[str, str] = {}
    for file in find([ROOT / "cases"]).files:
        for case in load_file(file).cases:
            try:
                lowered = lower(case)
            except Refused:
                continue
            found[case.id] = fingerprint(request(lowered))
    assert len(found) > 1000
    assert all(len(each) == 64 for each in found.values())
