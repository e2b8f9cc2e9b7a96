"""The command: what it says of faults that are caught, that are not, and that no case can catch."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from gradcheck.selftest.catalogue import CATALOGUE
from gradcheck.selftest.changes import after, instead, negated, scaled
from gradcheck.selftest.faults import AnyFault, Fault
from gradcheck.selftest.walk import WALK

Command = Callable[..., Result]
Write = Callable[[str], Path]
Planted = Callable[..., tuple[int, dict[str, Any]]]

UNSPOILED = Fault("is as it should be", "tf.square", 0, "sign", after(lambda part: part))
TURNED = Fault("is turned", "tf.square", 0, "sign", negated)
MISNAMED = Fault("is doubled", "tf.square", 0, "sign", scaled(2))
UNFIT = Fault("has another rank", "tf.square", 0, "shape", instead(lambda g, y, x: g[0]))
BROKEN = Fault("fails", "tf.square", 0, "shape", instead(lambda g, y, x: g.nothing))

CASES = Path(__file__).parents[2] / "cases"
SQUARES = """\
inputs: {x: [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]}
expr: tf.square(x) * 2.0
"""


@pytest.fixture
def planted(command: Command, write: Write, monkeypatch: pytest.MonkeyPatch) -> Planted:
    """Run the self-test with these faults on a case; gives the exit status and the record."""

    def run(text: str, *faults: AnyFault) -> tuple[int, dict[str, Any]]:
        monkeypatch.setattr("gradcheck.selftest.catalogue.CATALOGUE", faults)
        result = command("selftest", write(text), "--report", "json")
        return result.exit_code, json.loads(result.stdout)

    return run


def outcomes(record: dict[str, Any]) -> list[str]:
    return [each["outcome"] for each in record["faults"]]


@pytest.mark.long
def test_the_shipped_cases_catch_all_that_is_planted(command: Command) -> None:
    result = command("selftest", *sorted(CASES.glob("*.yaml")), CASES / "conventions" / "ties.yaml", "--report", "json")
    record = json.loads(result.stdout)
    summary, count = record["summary"], len(CATALOGUE)
    missed = [each for each in record["faults"] if each["outcome"] not in ("named", "not named")]
    assert missed == []
    assert (summary["faults"], summary["covered"], summary["caught"], summary["blamed"]) == (count,) * 4
    assert summary["named"] >= 0.9 * count
    assert record["false_alarms"] == []
    assert record["not_run"] == []
    assert result.exit_code == 0


def test_a_fault_is_caught_blamed_and_named(planted: Planted) -> None:
    status, record = planted(SQUARES, TURNED)
    assert status == 0
    assert outcomes(record) == ["named"]
    assert record["faults"][0]["accused"] == ["tf.square"]


def test_a_rule_that_is_not_wrong_is_not_caught(planted: Planted) -> None:
    status, record = planted(SQUARES, UNSPOILED, TURNED)
    assert status == 1
    assert outcomes(record) == ["not caught", "named"]


def test_another_kind_of_slip_than_was_planted_is_not_named(planted: Planted) -> None:
    status, record = planted(SQUARES, MISNAMED)
    assert status == 0
    assert outcomes(record) == ["not named"]
    assert record["faults"][0]["slip"] == "factor"


def test_an_operation_that_no_case_uses_is_not_covered(planted: Planted) -> None:
    sine = Fault("is turned", "tf.sin", 0, "sign", negated)
    status, record = planted(SQUARES, sine, TURNED)
    assert status == 0
    assert outcomes(record) == ["not covered", "named"]
    assert record["faults"][0]["detail"] == "no case uses it"


def test_a_gradient_that_no_case_needs_is_not_covered(planted: Planted) -> None:
    base = Fault("is turned", "tf.math.pow", 0, "sign", negated)
    exponent = Fault("is turned", "tf.math.pow", 1, "sign", negated)
    _, record = planted("inputs: {x: [1.5, 2.5]}\nexpr: x ** 3.0\n", base, exponent)
    assert outcomes(record) == ["named", "not covered"]
    assert record["faults"][1]["detail"] == "no case gets there"


def test_nothing_covered_is_no_success(planted: Planted) -> None:
    status, _ = planted("inputs: {x: [1.0]}\nexpr: tf.sin(x)\n", TURNED)
    assert status == 2


@pytest.mark.parametrize("fault", [UNFIT, BROKEN], ids=["unfit", "broken"])
def test_a_rule_that_cannot_run_is_caught_but_nothing_is_named(planted: Planted, fault: Fault) -> None:
    status, record = planted("inputs: {x: [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]}\nexpr: tf.square(tf.sin(x))\n", fault)
    assert status == 0
    assert record["summary"]["caught"] == 1
    assert record["summary"]["named"] == 0


def test_the_composition_that_the_user_wrote_is_blamed(planted: Planted) -> None:
    bell = Fault("is turned", "tf.math.erfc", 0, "sign", negated)
    _, record = planted("inputs: {x: [0.5, -1.5, 2.0]}\nexpr: tf.sin(tf.nn.gelu(x))\n", bell)
    assert record["faults"][0]["accused"] == ["tf.nn.gelu"]
    assert record["summary"]["blamed"] == 1


BROADCAST = """\
inputs:
  x: {shape: [3, 4], random: normal, seed: 1}
  row: {shape: [4], random: normal, seed: 2}
  column: {shape: [3, 1], random: normal, seed: 3}
expr: x * row + column + tf.sin(x)
"""


def test_faults_of_the_walk_are_blamed_on_a_fan_out_or_on_what_was_broadcast(planted: Planted) -> None:
    status, record = planted(BROADCAST, *WALK)
    assert status == 0
    assert outcomes(record) == ["named"] * len(WALK)
    assert {tuple(each["accused"]) for each in record["faults"] if each["kind"] != "fan-out"} <= {
        ("tf.multiply",),
        ("tf.add",),
        ("tf.multiply", "tf.add"),
    }


def test_a_case_that_fails_without_a_fault_is_a_false_alarm_and_catches_nothing(planted: Planted) -> None:
    status, record = planted(SQUARES + "expect: {gradients: {x: [[0, 0, 0], [0, 0, 0]]}}\n", TURNED)
    assert status == 1
    assert len(record["false_alarms"]) == 1
    assert outcomes(record) == ["not covered"]


def test_a_case_that_cannot_run_is_said_to_be_so(planted: Planted) -> None:
    cases = """\
cases:
  fine:
    inputs: {x: [1.0, 2.0, 3.0]}
    expr: tf.square(x) * 2.0
  singular:
    inputs: {x: [[1.0, 1.0], [1.0, 1.0]]}
    expr: tf.linalg.inv(x)
"""
    status, record = planted(cases, TURNED)
    assert status == 2
    assert [each.rpartition("::")[2] for each in record["not_run"]] == ["singular"]
    assert outcomes(record) == ["named"]


def test_the_table_shows_what_was_missed(command: Command, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    faults: Sequence[AnyFault] = (UNSPOILED, TURNED, Fault("is turned", "tf.sin", 0, "sign", negated))
    monkeypatch.setattr("gradcheck.selftest.catalogue.CATALOGUE", faults)
    result = command("selftest", write(SQUARES))
    lines = result.stdout.splitlines()
    assert "50 %" in next(line for line in lines if line.startswith("caught"))
    assert any(line.split()[:3] == ["not", "caught", "tf.square"] for line in lines)
    assert "not covered, because no case uses them: tf.sin" in result.stdout


def test_no_case_is_a_wrong_call(command: Command, tmp_path: Path) -> None:
    assert command("selftest", tmp_path).exit_code == 2
