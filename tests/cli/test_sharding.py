"""`compare --shard K/N`: parts that together are the suite, and the durations by which they are made."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Command = Callable[..., Result]

CASES = """\
cases:
  a: {inputs: {x: 1.0}, expr: x * x, dtype: [float32, float64]}
  b: {inputs: {x: 1.0}, expr: x + x}
  c: {inputs: {x: 1.0}, expr: x - x}
"""
IDS = ["a[float32]", "a[float64]", "b", "c"]


@pytest.fixture(autouse=True)
def _cases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The case file, in a folder below that in which the commands run."""
    monkeypatch.chdir(tmp_path)
    for folder in ("cases", "ci"):
        Path(folder).mkdir()
    Path("cases/many.yaml").write_text(CASES, encoding="utf-8")


def known(**seconds: float) -> None:
    """Write the file of durations."""
    named = {f"../cases/many.yaml::{name}": time for name, time in seconds.items()}
    text = json.dumps({"format": "gradcheck durations", "version": 1, "seconds": named})
    Path("ci/times.json").write_text(text, encoding="utf-8")


def times() -> dict[str, float]:
    """What the file of durations has, by name."""
    seconds = json.loads(Path("ci/times.json").read_text(encoding="utf-8"))["seconds"]
    return {name.removeprefix("../cases/many.yaml::"): time for name, time in seconds.items()}


def ran(result: Result) -> list[str]:
    return [each["id"].partition("::")[2] for each in json.loads(result.stdout)["cases"]]


@pytest.mark.parametrize(
    ("seconds", "parts"),
    [
        (None, [["a[float32]", "b"], ["a[float64]", "c"]]),
        ({"b": 9.0, "c": 1.0, "a[float32]": 2.0, "a[float64]": 3.0}, [["b"], ["a[float32]", "a[float64]", "c"]]),
        ({"b": 9.0, "gone": 99.0}, [["a[float32]", "b"], ["a[float64]", "c"]]),
        ({}, [["a[float32]", "b"], ["a[float64]", "c"]]),
    ],
)
def test_each_case_is_run_by_one_shard(
    command: Command, seconds: dict[str, float] | None, parts: list[list[str]]
) -> None:
    options = []
    if seconds is not None:
        known(**seconds)
        options = ["--durations", "ci/times.json"]
    for number, part in enumerate(parts, 1):
        result = command("compare", "cases", "--shard", f"{number}/2", "--report", "json", *options)
        assert result.exit_code == 0
        assert ran(result) == part
        assert result.stderr == f"shard {number}/2: {len(part)} of 4 cases\n"


def test_a_shard_divides_what_is_selected(command: Command) -> None:
    result = command("compare", "cases", "--shard", "2/2", "--dtype", "float32", "--report", "json")
    assert ran(result) == ["b"]
    assert result.stderr == "shard 2/2: 1 of 3 cases\n"


def test_a_shard_with_nothing_to_do_passes_and_writes_its_reports(command: Command) -> None:
    result = command("compare", "cases", "--shard", "5/5", "--report", "junit=report.xml")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "shard 5/5: none of 4 cases\n")
    assert 'tests="0"' in Path("report.xml").read_text(encoding="utf-8")
    assert command("compare", "cases", "--shard", "5/5", "-k", "nothing").exit_code == 2
    Path("cases/broken.yaml").write_text("inputs: {}\n", encoding="utf-8")
    assert command("compare", "cases", "--shard", "5/5").exit_code == 2


def test_durations_are_written_and_a_shard_writes_its_own(command: Command) -> None:
    options = ("--durations", "ci/times.json", "--write-durations")
    result = command("compare", "cases", *options)
    assert (result.exit_code, result.stderr) == (0, "ci/times.json: 4 of 4 durations are new\n")
    assert list(times()) == IDS
    assert all(0 < time < 60 for time in times().values())
    known(**{"b": 900.0, "a[float32]": 400.0, "a[float64]": 600.0, "gone": 1.0})  # c counts 600
    result = command("compare", "cases", "--shard", "1/2", *options)
    told = "ci/times.json: 2 of 3 durations are new, 1 dropped of cases that are no more\n"
    assert result.stderr == f"shard 1/2: 2 of 4 cases\n{told}"
    new = times()
    assert list(new) == ["a[float32]", "a[float64]", "b"]
    assert new["a[float64]"] == 600.0
    assert new["a[float32]"] < 60
    assert new["b"] < 60


def test_the_file_holds_from_wherever_a_run_starts(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known(**{"b": 9.0, "c": 1.0, "a[float32]": 2.0, "a[float64]": 3.0})
    monkeypatch.chdir("ci")
    for cases in (Path("../cases"), tmp_path / "cases"):
        result = command("compare", cases, "--durations", "times.json", "--shard", "1/2", "--report", "json")
        assert ran(result) == ["b"]


def test_what_cannot_be_written_does_not_hide_the_verdict(command: Command) -> None:
    options = ("--durations", "none/times.json", "--write-durations")
    result = command("compare", "cases", *options)
    assert result.exit_code == 3
    assert result.stderr == "none/times.json cannot be written: No such file or directory\n"
    Path("cases/bad.yaml").write_text("inputs: {x: 1.0}\nexpr: x\nexpect: {output: 3.0}\n", encoding="utf-8")
    assert command("compare", "cases", *options).exit_code == 1


def test_nothing_is_forgotten_because_a_file_cannot_be_read(command: Command) -> None:
    known(a=1.0)
    Path("cases/many.yaml").write_text("cases: {a: {}}\n", encoding="utf-8")
    result = command("compare", "cases", "--durations", "ci/times.json", "--write-durations")
    assert result.exit_code == 2
    assert "ci/times.json is not written: not all cases could be read\n" in result.stderr
    assert times() == {"a": 1.0}


@pytest.mark.parametrize("given", ["0/2", "3/2", "2", "1/0", "-1/2", "1/2/3", "a/b", "1/99999999", "1/²"])
def test_shards_that_there_are_not(command: Command, given: str) -> None:
    result = command("compare", "cases", f"--shard={given}")
    assert result.exit_code == 2
    assert f"Invalid value for '--shard': '{given}' is not K/N with K from 1 to N, as in 2/5" in result.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--shard", "1/2", "--durations", "none.json"],
            "durations none.json; to write it: gradcheck compare cases --durations none.json --write-durations",
        ),
        (["--durations", "ci/times.json"], "--durations is for --shard K/N, or comes with --write-durations"),
        (["--write-durations"], "--write-durations needs the file: --durations FILE"),
        (
            ["--durations", "new.json", "--write-durations", "-k", "a", "--dtype", "float32", "--case=a"],
            "durations are written of all cases: leave out -k, --dtype, --case",
        ),
        (["--durations", "cases/many.yaml", "--write-durations"], "cases/many.yaml holds no durations: Invalid JSON"),
        (["--baseline", "new.json", "--write-baseline", "--shard", "1/2"], "of all cases: leave out --shard"),
    ],
)
def test_bad_options(command: Command, options: list[str], message: str) -> None:
    result = command("compare", "cases", *options)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not Path("new.json").exists()
