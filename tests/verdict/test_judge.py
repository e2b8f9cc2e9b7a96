"""Judging by bounds that rise: a later one is asked for only where an earlier one does not suffice."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from gradcheck.asking import request
from gradcheck.casefile.limits import Limits
from gradcheck.casefile.load import load_file
from gradcheck.engine.numpy_engine import NumpyEngine
from gradcheck.engines import Outcome
from gradcheck.language import Lowered, lower
from gradcheck.verdict.judge import judge
from gradcheck.verdict.record import Verdict
from gradcheck.verdict.tolerance import Allowance, allowance, allowances

CASE = "inputs: {x: [0.5, 2.0]}\nexpr: tf.reduce_sum(tf.exp(x) - 1)\n"
SIDES = ("one", "other")


def _lowered(path: Path, text: str = CASE) -> Lowered:
    path.write_text(text)
    (case,) = load_file(str(path), Limits()).cases
    return lower(case)


def _asked_for(lowered: Lowered, units: float) -> tuple[Verdict | None, int]:
    """The verdict where one gradient is `units` units of round-off away, and how many bounds that took."""
    asked = request(lowered)
    outcome = NumpyEngine().run(asked)
    assert isinstance(outcome, Outcome)
    ((found,), *others) = outcome.gradients
    assert found is not None
    near = replace(outcome, gradients=((found * np.float32(1 + units * 2.0**-24),), *others))
    taken: list[Allowance] = []

    def counted() -> Iterator[Allowance]:
        for each in allowances(asked):
            taken.append(each)
            yield each

    return judge(lowered, SIDES, near, outcome, counted()).verdict, len(taken)


def test_bounds_rise_to_the_whole_and_never_fall(tmp_path: Path) -> None:
    asked = request(_lowered(tmp_path / "case.yaml"))
    rising = [each.gradients[1][0] for each in allowances(asked)]
    whole = allowance(asked).gradients[1][0]
    assert rising[0] is None
    known = [each for each in rising if each is not None]
    assert all(np.all(low <= high) for low, high in pairwise(known))
    assert np.any(known[0] < known[-1])
    np.testing.assert_array_equal(known[-1], whole)


@pytest.mark.parametrize(
    ("units", "verdict", "bounds"),
    [(0, Verdict.AGREE, 1), (2, Verdict.AGREE, 1), (6, Verdict.AGREE, 3), (1000, Verdict.MISMATCH, 5)],
)
def test_no_more_bounds_are_worked_out_than_the_verdict_needs(
    tmp_path: Path, units: float, verdict: Verdict, bounds: int
) -> None:
    assert _asked_for(_lowered(tmp_path / "case.yaml"), units) == (verdict, bounds)


def test_a_tolerance_of_the_case_needs_no_bounds(tmp_path: Path) -> None:
    lowered = _lowered(tmp_path / "case.yaml", CASE + "tolerance: {rtol: 1.0e-6}\n")
    assert _asked_for(lowered, 1000) == (Verdict.MISMATCH, 1)
