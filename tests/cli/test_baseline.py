"""`compare --baseline`: known failures pass, new ones fail, fixed ones are told."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from gradcheck.engines import Failure
from tests.cli.test_compare import Crashing

Command = Callable[..., Result]
Write = Callable[..., Path]

GOOD = "  good: {inputs: {x: 1.0}, expr: x * x}\n"
BAD = "  bad: {inputs: {x: 1.0}, expr: x * x, dtype: [float32, float64], expect: {output: 3.0}}\n"
BROKEN = "  broken: {inputs: {x: [1.0], i: {value: [3], dtype: int32}}, expr: 'tf.gather(x, i)'}\n"
WORSE = "  worse: {inputs: {x: 1.0}, expr: x + x, expect: {gradients: {x: null}}}\n"


@pytest.fixture
def cases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Write the case file, in a folder below that in which the commands run."""
    monkeypatch.chdir(tmp_path)
    Path("cases").mkdir()

    def write(*texts: str) -> None:
        Path("cases/many.yaml").write_text(f"cases:\n{''.join(texts)}", encoding="utf-8")

    return write


def test_known_failures_pass_and_are_one_line_each_in_the_file(command: Command, cases: Callable[..., None]) -> None:
    cases(GOOD, BROKEN, BAD)
    assert command("compare", "cases").exit_code == 1
    written = command("compare", "cases", "--baseline", "known.json", "--write-baseline")
    assert written.exit_code == 0
    assert written.stderr == "known.json: 3 known failures written\n"
    assert Path("known.json").read_text(encoding="utf-8") == (
        '{\n  "format": "gradcheck baseline",\n  "version": 1,\n  "failures": {\n'
        '    "cases/many.yaml::bad[float32]": "mismatch",\n'
        '    "cases/many.yaml::bad[float64]": "mismatch",\n'
        '    "cases/many.yaml::broken": "error"\n  }\n}\n'
    )
    result = command("compare", "cases", "--baseline", "known.json")
    assert result.exit_code == 0
    assert result.stderr == ""
    assert "known        cases/many.yaml::bad[float32]\n  mismatch, as the baseline says\n" in result.stdout
    assert "run again" not in result.stdout
    assert "4 cases: 1 agree, 3 known" in result.stdout


def test_a_new_failure_fails_and_so_does_one_that_became_another(command: Command, cases: Callable[..., None]) -> None:
    cases(GOOD, BAD)
    command("compare", "cases", "--baseline", "known.json", "--write-baseline")
    cases(GOOD, BAD, WORSE)
    result = command("compare", "cases", "--baseline", "known.json", "--fail-fast", "--report", "json")
    assert result.exit_code == 1
    found = {each["id"].partition("::")[2]: each["status"] for each in json.loads(result.stdout)["cases"]}
    assert found == {"good": "passed", "bad[float32]": "passed", "bad[float64]": "passed", "worse": "failed"}
    cases(BAD.replace("output: 3.0", "gradients: {x: null}"))
    assert command("compare", "cases", "--baseline", "known.json").exit_code == 1


def test_a_run_of_nothing_but_known_failures_passes(command: Command, cases: Callable[..., None]) -> None:
    cases(BROKEN)
    assert command("compare", "cases").exit_code == 2
    command("compare", "cases", "--baseline", "known.json", "--write-baseline")
    assert command("compare", "cases", "--baseline", "known.json").exit_code == 0


def test_what_is_fixed_is_told_and_goes_when_the_file_is_written(command: Command, cases: Callable[..., None]) -> None:
    cases(BAD, BROKEN)
    command("compare", "cases", "--baseline", "known.json", "--write-baseline")
    cases(BAD.replace("3.0", "1.0"), BROKEN)
    fixed = (
        "fixed: cases/many.yaml::bad[float32] was mismatch, is agree\n"
        "fixed: cases/many.yaml::bad[float64] was mismatch, is agree\n"
    )
    result = command("compare", "cases", "--baseline", "known.json")
    assert result.exit_code == 0
    assert result.stderr == fixed + "these fail no more: take them out of known.json, or add --write-baseline\n"
    result = command("compare", "cases", "--baseline", "known.json", "--write-baseline")
    assert result.stderr == fixed + "known.json: 1 known failure written\n"
    assert command("compare", "cases", "--baseline", "known.json").stderr == ""


def test_the_file_holds_from_wherever_a_run_starts(
    command: Command, cases: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases(BAD)
    command("compare", "cases", "--baseline", "known.json", "--write-baseline")
    assert command("compare", tmp_path / "cases", "--baseline", tmp_path / "known.json").exit_code == 0
    monkeypatch.chdir("cases")
    assert command("compare", "many.yaml", "--baseline", "../known.json").exit_code == 0


def test_a_known_crash_does_not_end_with_three(
    command: Command, cases: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    cases(GOOD.replace("1.0", "1.25"))  # which nobody has been asked about
    crash = Crashing(Failure("crashed", "the process ended"))
    monkeypatch.setattr("gradcheck.reference.worker.ReferenceWorker", crash)
    options = ("--baseline", "known.json")
    assert command("compare", "cases").exit_code == 3
    assert command("compare", "cases", *options, "--write-baseline").exit_code == 0
    assert command("compare", "cases", *options).exit_code == 0


def test_a_file_that_cannot_be_read_is_never_known(command: Command, cases: Callable[..., None]) -> None:
    cases(BAD)
    Path("cases/other.yaml").write_text("inputs: {x: 1.0}\n", encoding="utf-8")
    result = command("compare", "cases", "--baseline", "known.json", "--write-baseline")
    assert result.exit_code == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--baseline", "none.json"],
            "to take the failures of today as known: gradcheck compare cases --baseline none.json --write-baseline",
        ),
        (["--baseline", "text.json"], "text.json is not a baseline: Invalid JSON"),
        (["--baseline", "other.json"], "other.json is not a baseline: `failures.a`: Input should be 'agree', 'tie'"),
        (["--write-baseline"], "--write-baseline needs the file: --baseline FILE"),
        (
            ["--baseline", "new.json", "--write-baseline", "-k", "good", "--fail-fast"],
            "a baseline is written of all cases: leave out -k, --fail-fast",
        ),
        (["--baseline", "none/new.json", "--write-baseline"], "none/new.json cannot be written: No such file"),
    ],
)
def test_bad_options(command: Command, cases: Callable[..., None], options: list[str], message: str) -> None:
    cases(GOOD)
    Path("text.json").write_text("not JSON", encoding="utf-8")
    Path("other.json").write_text('{"failures": {"a": "good"}}', encoding="utf-8")
    result = command("compare", "cases", *options)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not Path("new.json").exists()
