"""`gradcheck replay`, and `--case`: single cases again, as the last run compared them."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from gradcheck.cli.again import REPEATED
from gradcheck.cli.compare import compare
from gradcheck.keeping.store import default_folder
from gradcheck.running import last_run

Command = Callable[..., Result]

GOOD = "  good: {inputs: {x: 1.0}, expr: x * x}\n"
BAD = "  bad: {inputs: {x: 1.0}, expr: x * x, dtype: [float32, float64], expect: {output: 3.0}}\n"
BAD2 = "  bad2: {inputs: {x: 1.0}, expr: x + x, expect: {output: 3.0}}\n"
BROKEN = "  broken: {inputs: {x: 1.0}, expr: tf.reduce_sun(x)}\n"
ID = "cases/many.yaml::"
ENGINE = """\
from gradcheck.engine.numpy_engine import NumpyEngine

class Engine(NumpyEngine):
    name = "mine"

engine = Engine()
"""


@pytest.fixture(autouse=True)
def cases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Write a case file, in a folder below that in which the commands run."""
    monkeypatch.chdir(tmp_path)
    Path("cases").mkdir()

    def write(*texts: str, name: str = "many") -> None:
        Path(f"cases/{name}.yaml").write_text(f"cases:\n{''.join(texts)}", encoding="utf-8")

    write(GOOD, BAD, BAD2)
    return write


def verdicts(result: Result) -> dict[str, str]:
    """What the table says of each case."""
    lines = [line.split() for line in result.stdout.splitlines() if line.partition(" ")[0] in WORDS]
    return {line[1].partition("::")[2] or line[1]: line[0] for line in lines}


WORDS = ("agree", "mismatch", "error", "known")


def test_what_did_not_pass_is_run_again_with_everything_shown(command: Command, cases: Callable[..., None]) -> None:
    cases(GOOD, BAD, BROKEN)
    first = command("compare", "cases", "--show", "none", "--fail-fast", "--report", "json")
    assert len(json.loads(first.stdout)["cases"]) == 2
    assert first.stderr == ""
    assert command("compare", "cases", "-k", "good or float64 or broken", "--report", "json=all.json").exit_code == 1
    Path("all.json").unlink()
    result = command("replay")
    assert result.exit_code == 1
    assert verdicts(result) == {"bad[float64]": "mismatch", "broken": "error"}
    for shown in ("d/dx = 2", "referee 2", "Taylor remainder", "every operation and every sum at a fan-out is right"):
        assert shown in result.stdout
    assert not Path("all.json").exists()


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ([ID + "bad[float64]"], ["bad[float64]"]),
        (["./" + ID + "bad"], ["bad[float32]", "bad[float64]"]),
        (["bad[float32]", "good"], ["good", "bad[float32]"]),
        (["cases/many.yaml"], ["good", "bad[float32]", "bad[float64]", "bad2"]),
        (["cases/one.yaml::one[float64]"], ["cases/one.yaml[float64]"]),
        (["one", "cases/one.yaml[float64]"], ["cases/one.yaml[float32]", "cases/one.yaml[float64]"]),
    ],
)
def test_cases_by_what_people_call_them(
    command: Command, cases: Callable[..., None], given: list[str], names: list[str]
) -> None:
    text = "inputs: {x: 1.0}\nexpr: x\ndtype: [float32, float64]\n"
    Path("cases/one.yaml").write_text(text, encoding="utf-8")
    command("compare", "cases")
    assert list(verdicts(command("replay", *given))) == names
    assert list(verdicts(command("compare", "cases", *(f"--case={each}" for each in given)))) == names


def test_without_a_last_run_an_id_says_where_its_case_is(command: Command) -> None:
    result = command("replay")
    assert result.exit_code == 2
    assert "no run of `compare` in this folder is known; name a case: gradcheck replay ID" in result.stderr
    assert verdicts(command("replay", ID + "bad[float64]")) == {"bad[float64]": "mismatch"}


@pytest.mark.parametrize(
    ("given", "near"),
    [
        ("cases/mny.yaml::bad2", ID + "bad2"),
        (ID + "bda2", ID + "bad2"),
        (ID + "bad[float16]", ID + "bad[float64]"),
        ("god", "good"),
        ("\x1b[2J", None),
    ],
)
def test_a_case_that_there_is_not(command: Command, given: str, near: str | None) -> None:
    command("compare", "cases")
    help_ = f"\n  = help: did you mean `{near}`?" if near else ""
    shown = given.replace("\x1b", "\\x1b")
    expected = f"error[not-found]: there is no case `{shown}`{help_}\n"
    for result in (command("replay", given), command("compare", "cases", "--case", given)):
        assert (result.exit_code, result.stdout, result.stderr) == (2, "", expected)


def test_the_comparison_is_the_same(command: Command, cases: Callable[..., None]) -> None:
    """With the options that make it what it is, and without those that select, show and write."""
    cases(GOOD, BAD, BAD2)
    Path("mine.py").write_text(ENGINE)
    baseline = ("--baseline", "known.json")
    command("compare", "cases", *baseline, "--write-baseline", "--engine=mine.py")
    cases(GOOD, BAD, BAD2.replace("3.0", "2.1"))
    result = command("compare", "cases", *baseline, "--rtol", "0.1", "--limit", "depth=20", "--engine", "mine.py")
    assert result.exit_code == 0
    result = command("replay", ID + "bad", ID + "bad2")
    assert verdicts(result) == {"bad[float32]": "known", "bad[float64]": "known", "bad2": "agree"}
    assert "mine" in result.stdout
    kept = last_run.read()
    assert kept is not None
    assert sorted(kept.options) == ["--baseline=known.json", "--engine=mine.py", "--limit=depth=20", "--rtol=0.1"]


def test_each_option_of_compare_is_repeated_or_is_not() -> None:
    """A new one belongs here, or into `REPEATED`."""
    others = {"paths", "keyword", "tags", "dtypes", "ids", "shard", "durations", "write_durations", "write_baseline"}
    others |= {"show", "reports", "color", "most", "blame", "referee", "evidence", "executor", "watch"}
    assert {each.name for each in compare.params} == others | REPEATED


def test_a_replay_brings_the_last_run_up_to_date(command: Command, cases: Callable[..., None]) -> None:
    assert command("compare", "cases").exit_code == 1
    cases(GOOD, BAD.replace("3.0", "1.0"), BAD2)
    assert command("replay", ID + "bad").exit_code == 0
    assert verdicts(command("replay")) == {"bad2": "mismatch"}
    cases(GOOD, BAD, BAD2.replace("3.0", "2.0"))
    assert command("replay").exit_code == 0
    result = command("replay")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "nothing to run again: no case failed in the last run in this folder\n"
    assert command("compare", "cases", "--case", "good", "--rtol", "0.1").exit_code == 0  # another comparison
    kept = last_run.read()
    assert kept is not None
    assert (kept.options, list(kept.cases)) == (("--rtol=0.1",), [ID + "good"])


def test_what_is_gone_is_told_once(command: Command, cases: Callable[..., None]) -> None:
    command("compare", "cases")
    cases(GOOD, BAD)
    result = command("replay")
    assert verdicts(result) == {"bad[float32]": "mismatch", "bad[float64]": "mismatch"}
    assert result.stderr.startswith(f"error[not-found]: there is no case `{ID}bad2`\n")
    assert command("replay").stderr == ""
    Path("cases/many.yaml").rename("cases/other.yaml")
    result = command("replay")
    assert result.exit_code == 2
    assert result.stderr == "error[not-found]: there is no file or folder `cases/many.yaml`\n"


def test_a_file_that_could_not_be_read_is_run_again(command: Command, cases: Callable[..., None]) -> None:
    cases("  one: {inputs: {x: 1.0}}\n", name="broken")
    cases(GOOD)
    assert command("compare", "cases").exit_code == 2
    cases(BAD2, name="broken")
    result = command("replay")
    assert verdicts(result) == {"bad2": "mismatch"}


def test_what_the_engine_lacks_is_run_again_if_it_fails_the_run(command: Command, cases: Callable[..., None]) -> None:
    lacking = "from gradcheck.engines import Failure\nEngine.run = lambda *_: Failure('unsupported', 'no products')\n"
    Path("mine.py").write_text(ENGINE + lacking)
    cases(GOOD)
    assert command("compare", "cases", "--engine", "mine.py").exit_code == 2  # nothing was compared
    assert command("replay").exit_code == 0
    assert command("compare", "cases", "--engine", "mine.py", "--strict").exit_code == 2
    assert command("replay").exit_code == 2


def test_what_is_interrupted_is_kept_as_far_as_it_came(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    shown: list[object] = []
    monkeypatch.setattr(
        "gradcheck.cli.reports._Table.add", lambda _, result: stopped() if shown else shown.append(result)
    )
    assert command("compare", "cases").exit_code != 0
    kept = last_run.read()
    assert kept is not None
    assert kept.failed == [ID + "bad[float32]"]


def test_a_terminal_says_how_to_run_it_again(command: Command) -> None:
    hint = "again: gradcheck replay"
    assert hint in command("compare", "cases", "--color", "always").stderr
    assert hint not in command("compare", "cases", "--color", "always").stdout
    assert hint not in command("compare", "cases").stderr
    assert hint not in command("compare", "cases", "--color", "always", "-k", "good").stderr


@pytest.mark.parametrize("text", [b"", b"\xff", b"[]", b'{"format": "gradcheck last run", "version": 2}'])
def test_a_damaged_file_is_none(command: Command, text: bytes) -> None:
    command("compare", "cases")
    (path,) = (default_folder().parent / "runs").iterdir()
    path.write_bytes(text)
    assert last_run.read() is None
    assert "no run of `compare` in this folder is known" in command("replay").stderr


def test_each_folder_has_its_own_and_a_file_of_another_is_none(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    command("compare", "cases")
    (path,) = (default_folder().parent / "runs").iterdir()
    monkeypatch.chdir("cases")
    assert last_run.read() is None
    command("compare", "many.yaml", "-k", "bad2")
    (other,) = set((default_folder().parent / "runs").iterdir()) - {path}
    assert verdicts(command("replay")) == {"bad2": "mismatch"}
    other.write_bytes(path.read_bytes())
    assert last_run.read() is None


def test_of_so_many_folders_the_oldest_goes(monkeypatch: pytest.MonkeyPatch, command: Command, tmp_path: Path) -> None:
    monkeypatch.setattr(last_run, "MOST_FOLDERS", 2)
    runs = default_folder().parent / "runs"
    for age, name in enumerate(("a", "b", "c")):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        before = set(runs.glob("*"))
        last_run.write(last_run.LastRun((), {}))
        (new,) = set(runs.glob("*")) - before
        os.utime(new, (1e9 + age, 1e9 + age))
    kept = {json.loads(each.read_bytes())["folder"] for each in runs.iterdir()}
    assert kept == {f"{tmp_path}/b", f"{tmp_path}/c"}


def test_a_run_that_cannot_be_kept_says_so_if_there_is_something_to_run_again(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GRADCHECK_CACHE", str(tmp_path / "file"))
    told = f"warning: not kept for `gradcheck replay`: {tmp_path}/file/runs: Not a directory\n"
    result = command("compare", "cases", "--no-cache", "--color", "always")
    assert result.exit_code == 1
    assert told in result.stderr
    assert "again:" not in result.stderr
    assert told not in command("compare", "cases", "-k", "good", "--no-cache").stderr
