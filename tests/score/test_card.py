"""Cells, totals, and what is said of them in words."""

import numpy as np
import pytest

from gradcheck.engines import Outcome
from gradcheck.score.card import Mark, Row, Scorecard, cell
from gradcheck.score.findings import findings
from gradcheck.score.run import narrowed

ROW = Row("tf.sin", "trigonometric", "float32")


@pytest.mark.parametrize(
    ("marks", "mark"),
    [
        (["agree", "agree"], "agree"),
        (["agree", "tie"], "tie"),
        (["agree", "no reference"], "no reference"),
        (["agree", "unsupported"], "partly"),
        (["unsupported", "unsupported"], "unsupported"),
        (["unsupported", "mismatch", "agree"], "mismatch"),
        (["mismatch", "crashed", "timeout"], "crashed"),
    ],
)
def test_a_cell_has_the_gravest_mark_of_its_samples(marks: list[str], mark: str) -> None:
    made = cell(ROW, "mine", "first", [(Mark(each), f"a word about {each}") for each in marks])
    assert made.mark == mark
    assert made.samples == len(marks)
    assert made.note == f"a word about {mark if mark != 'partly' else 'unsupported'}"


def card(*cells: tuple[str, str, str, str]) -> Scorecard:
    """A scorecard of one engine from operation, first and second mark, and a note."""
    made = []
    for operation, first, second, note in cells:
        row = Row(operation, operation.rpartition(".")[0], "float32")
        made.append(cell(row, "mine", "first", [(Mark(first), note), (Mark.AGREE, "")]))
        made.append(cell(row, "mine", "second", [(Mark(second), note)]))
    return Scorecard(("mine",), ("float32",), tuple(made))


def test_totals_are_of_all_families_or_of_one() -> None:
    made = card(
        ("tf.sin", "agree", "agree", ""), ("tf.nn.relu", "mismatch", "agree", ""), ("tf.nn.elu", "agree", "tie", "")
    )
    assert made.totals("mine", "first") == {Mark.AGREE: 2, Mark.MISMATCH: 1}
    assert made.totals("mine", "second", "tf.nn") == {Mark.AGREE: 1, Mark.TIE: 1}
    assert made.families == ["tf", "tf.nn"]


def test_what_is_the_same_is_said_once() -> None:
    made = card(
        ("tf.sin", "mismatch", "mismatch", "off"),
        ("tf.cos", "mismatch", "mismatch", "off"),
        ("tf.tan", "agree", "error", "it raised\nan error"),
        ("tf.exp", "unsupported", "unsupported", "not there"),
    )
    found = [(each.mark, each.where, each.note, each.operations) for each in findings(made)]
    assert found == [
        (Mark.ERROR, "second order", "it raised an error", ("tf.tan",)),
        (Mark.MISMATCH, "both orders, 1 of 2 samples", "off", ("tf.sin", "tf.cos")),
    ]


def test_what_a_cancellation_left_is_nothing_in_a_wider_dtype() -> None:
    """6e-8 and 1.1e-16 are the units of round-off; a slip of 1e-5 has the same size in both dtypes."""
    wide = Outcome((), ((np.array([1.1e-16, 1e-17, 1e-5, 2.0]), None),))
    narrow = Outcome((), ((np.array([-6e-8, 0, 1e-5, 2.0], np.float32), None),))
    found, absent = narrowed(wide, narrow).gradients[0]
    assert absent is None
    np.testing.assert_array_equal(found, np.array([0, 0, 1e-5, 2], np.float32), strict=True)
