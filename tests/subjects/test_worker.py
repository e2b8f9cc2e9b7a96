"""A stranger's code in a process of its own: whatever it does, there is a clear finding, and the other cases go on."""

import json
from pathlib import Path
from typing import Any

import pytest

from gradcheck.verdict.growth import growth, ladder
from tests.subjects.conftest import ENGINES, Command, Compared, inputs


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """A folder of two cases, of which only the first has the operation that misbehaves."""
    for name, expr in (("a", "tf.tanh(x) * 2.0"), ("b", "tf.exp(x)")):
        (tmp_path / f"{name}.yaml").write_text(inputs(expr, x=[0.5, 1.0]), encoding="utf-8")
    return tmp_path


def first_of(records: list[dict[str, Any]]) -> dict[str, Any]:
    """The record of the first case; the second one agrees."""
    first, second = records
    assert second["verdict"] == "agree"
    assert second["remarks"] == []
    return first


@pytest.mark.parametrize(
    ("way", "message"),
    [
        ("raises", "`tf.tanh` (line 4) raised ValueError: tanh is not ready (misbehaving.py:14, in raises)"),
        (
            "raises_backward",
            "the backward pass raised ZeroDivisionError: no slope (misbehaving.py:19, in backward)",
        ),
        ("text", "`tf.tanh` (line 4) gives 'tanh', not a tensor"),
        ("nothing", "`tf.tanh` (line 4) gives None, not a tensor"),
        ("exits", "`tf.tanh` (line 4) raised SystemExit: enough (misbehaving.py:56, in exits)"),
        ("interrupts", "it raised KeyboardInterrupt (misbehaving.py:64, in interrupts)"),
        (
            "gradient_is_text",
            "its gradient with respect to `x` is 'one minus the square', not an array of numbers",
        ),
    ],
)
def test_what_is_no_answer_is_an_error_in_the_engines_own_words(
    compared: Compared, two: Path, way: str, message: str
) -> None:
    records, status = compared(two, f"misbehaving.py:{way}")
    record = first_of(records)
    assert (record["verdict"], status) == ("error", 2)
    assert record["failures"] == [{"engine": way, "kind": "error", "message": message, "details": ""}]


def test_a_wrong_shape_is_a_wrong_value(compared: Compared, two: Path) -> None:
    records, status = compared(two, "misbehaving.py:wrong_shape")
    (accused,) = first_of(records)["diagnosis"]["accused"]
    assert status == 1
    assert accused["sentence"] == "the value of `tf.tanh` (line 4) has shape [1, 2], not [2]"
    assert accused["slip"] == "shape"


def test_inputs_that_are_changed_are_named(compared: Compared, write: Any) -> None:
    (record,), _ = compared(write(inputs("tf.tanh(x)", x=[0.5, 1.0])), "misbehaving.py:mutates")
    assert {"kind": "mutation", "message": "it changes its input `x` in place"} in record["remarks"]
    assert {each["operation"] for each in record["diagnosis"]["accused"]} == {"tf.tanh"}


@pytest.mark.parametrize(
    ("way", "verdict", "status", "message", "details"),
    [
        ("hangs", "timeout", 3, "hangs did not answer within 3 s", ""),
        ("aborts", "crashed", 3, "the aborts process ended by signal 6 (SIGABRT)", "about to abort"),
        ("leaves", "crashed", 3, "the leaves process ended by itself with status 5", ""),
    ],
)
def test_a_process_that_ends_or_hangs_is_started_again(
    command: Command, two: Path, way: str, verdict: str, status: int, message: str, details: str
) -> None:
    engine = f"{ENGINES}/misbehaving.py:{way}"
    result = command("compare", two, "--engine", engine, "--timeout", "3", "--report", "json")
    record = first_of(json.loads(result.stdout)["cases"])
    assert (record["verdict"], result.exit_code) == (verdict, status)
    (failure,) = record["failures"]
    assert failure["message"] == message
    assert details in failure["details"]


def test_printing_is_noticed_and_does_not_reach_the_terminal(command: Command, two: Path) -> None:
    result = command("compare", two, "--engine", f"{ENGINES}/misbehaving.py:prints", "--report", "json")
    record = first_of(json.loads(result.stdout)["cases"])
    assert (record["verdict"], result.exit_code) == ("agree", 0)
    assert record["remarks"] == [{"kind": "print", "message": "it prints while it runs"}]


def test_warnings_of_numpy_are_no_printing(command: Command, write: Any) -> None:
    case = write(inputs("tf.math.log(x)", x=[0.0, 1.0]))
    result = command("compare", case, "--engine", f"{ENGINES}/closures_adapter.py", "--report", "json")
    (record,) = json.loads(result.stdout)["cases"]
    assert (record["verdict"], record["remarks"]) == ("undefined", [])


class Clock:
    """Takes a given time for a ladder of so many diamonds."""

    def __init__(self, seconds: Any) -> None:
        self._seconds = seconds

    def seconds(self, request: Any) -> Any:
        return self._seconds(len(request.program.instructions))


def test_growth_is_told_from_two_ladders() -> None:
    assert growth(Clock(lambda diamonds: 1e-6 * 2**diamonds)) == (
        "its time doubles with every diamond: 16 times `x = x + x` take 0.066 s, 20 take 1 s; "
        "its walk visits a value once for every path"
    )


@pytest.mark.parametrize("seconds", [lambda diamonds: 1e-4 * diamonds, lambda diamonds: 0.5])
def test_a_walk_that_does_not_grow_is_not_accused(seconds: Any) -> None:
    assert growth(Clock(seconds)) == ""


def test_a_ladder_has_as_many_sums_as_diamonds() -> None:
    assert [each.op.name for each in ladder(7).program.instructions] == ["tf.add"] * 7
