"""The text of recorded answers: exact, and laid out for people."""

import json
from pathlib import Path

import numpy as np
import pytest

from gradcheck.casefile.load import load_file
from gradcheck.dtypes import BFLOAT16, DTYPES, FLOAT16, DType
from gradcheck.engines import Failure, Outcome
from gradcheck.reference.lockfile import WIDTH, Lock, Recorded, entry_name, exactly, lock_path, read, render, write
from tests.reference.test_encoding import arrays


def recorded(*values: object) -> Recorded:
    return Recorded("0" * 64, Outcome(tuple(map(np.asarray, values)), ()))


@pytest.mark.parametrize("dtype", DTYPES.values(), ids=str)
@pytest.mark.filterwarnings("ignore:invalid value encountered")
def test_values_are_read_as_they_were_written(tmp_path: Path, dtype: DType) -> None:
    given = tuple(map(np.asarray, arrays(dtype)))
    lock = Lock({"tensorflow": "2"}, {"a": Recorded("q", Outcome(given, (given, (*given[:3], None))), tuple("wxyz"))})
    write(lock, tmp_path / "a.lock.json")
    found = read(tmp_path / "a.lock.json")
    answer = found.cases["a"].answer
    assert isinstance(answer, Outcome)
    assert [exactly(each) for each in answer.outputs] == [exactly(each) for each in given]
    assert [exactly(each) for each in answer.gradients[1]] == [exactly(each) for each in (*given[:3], None)]
    assert (found.cases["a"].question, found.cases["a"].sources) == ("q", tuple("wxyz"))
    assert render(found) == render(lock)
    assert "NaN" not in render(lock)
    assert "Infinity" not in render(lock)


@pytest.mark.parametrize("dtype", [FLOAT16, BFLOAT16], ids=str)
def test_every_number_of_sixteen_bits_is_exact(tmp_path: Path, dtype: DType) -> None:
    everything = np.arange(2**16, dtype=np.uint16).view(dtype)
    write(Lock({}, {"a": recorded(everything)}), tmp_path / "a.lock.json")
    answer = read(tmp_path / "a.lock.json").cases["a"].answer
    assert isinstance(answer, Outcome)
    assert exactly(answer.outputs[0]) == exactly(everything)


def test_numbers_are_as_short_as_their_dtype_allows() -> None:
    text = render(Lock({}, {"a": recorded(np.float32(0.1), np.float64(0.1), np.complex64(0.1 - 2j))}))
    values = [each["values"] for each in json.loads(text)["cases"]["a"]["outputs"]]
    assert values == [0.1, 0.1, "0.1-2j"]


def test_a_short_number_that_would_be_read_as_its_neighbour_is_written_longer(tmp_path: Path) -> None:
    """Read as float64 and then rounded, 7.038531e-26 is not the float32 that it is the shortest name of."""
    value = np.array([0x15AE43FD], np.uint32).view(np.float32)
    assert np.float32(float(str(value[0]))) != value[0]
    write(Lock({}, {"a": recorded(value)}), tmp_path / "a.lock.json")
    answer = read(tmp_path / "a.lock.json").cases["a"].answer
    assert isinstance(answer, Outcome)
    assert exactly(answer.outputs[0]) == exactly(value)


def test_a_row_of_numbers_takes_a_line(tmp_path: Path) -> None:
    before = np.arange(200.0).reshape(4, 50)
    after = before.copy()
    after[2, 7] = -1
    lines = [render(Lock({}, {"a": recorded(each), "b": recorded(1.0)})).splitlines() for each in (before, after)]
    changed = [left for left, right in zip(*lines, strict=True) if left != right]
    assert len(changed) == 1
    assert changed[0].strip().startswith("[100.0, 101.0")
    assert all(len(each) <= WIDTH for each in lines[0] if not each.strip().startswith("["))


def test_failures_are_their_messages(tmp_path: Path) -> None:
    lock = Lock({}, {"a": Recorded("q", Failure("error", "ValueError: ö"))})
    write(lock, tmp_path / "a.lock.json")
    assert read(tmp_path / "a.lock.json").cases["a"].answer == Failure("error", "ValueError: ö")
    assert "ö" in (tmp_path / "a.lock.json").read_text(encoding="utf-8")


def test_no_file_is_an_empty_lock(tmp_path: Path) -> None:
    assert read(tmp_path / "a.lock.json") == Lock()


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("inputs: {x: 1.0}\nexpr: x\n", ["my.case"]),
        ("inputs: {x: 1.0}\nexpr: x\ndtype: [float32, float64]\n", ["my.case[float32]", "my.case[float64]"]),
        ("cases: {one: {inputs: {x: 1.0}, expr: x}, two: {inputs: {x: 1.0}, expr: x}}\n", ["one", "two"]),
    ],
)
def test_where_a_case_is_recorded(tmp_path: Path, text: str, names: list[str]) -> None:
    path = tmp_path / "my.case.yaml"
    path.write_text(text)
    cases = load_file(path).cases
    assert [entry_name(each.id) for each in cases] == names
    assert {lock_path(each.id) for each in cases} == {tmp_path / "my.case.lock.json"}


def test_two_files_of_one_stem_have_two_lock_files(tmp_path: Path) -> None:
    paths = [tmp_path / "a.yaml", tmp_path / "a.yml"]
    for each in paths:
        each.write_text("inputs: {x: 1.0}\nexpr: x\n")
    locks = [lock_path(load_file(each).cases[0].id) for each in paths]
    assert locks == [tmp_path / "a.lock.json", tmp_path / "a.yml.lock.json"]
