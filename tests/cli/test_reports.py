"""`--report FORMAT[=FILE]`: what goes where, also when a run is stopped or a report cannot be written."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import Result

from gradcheck import session
from gradcheck.cli.main import main
from gradcheck.cli.reports import Wanted, wanted
from gradcheck.report.formats import FORMATS
from gradcheck.verdict.record import Result as Found

Command = Callable[..., Result]
Write = Callable[..., Path]

RIGHT = "inputs: {x: [1.0, 2.0]}\nexpr: x * x\n"
WRONG = RIGHT + "expect: {gradients: {x: [2.0, 5.0]}}\n"
SEVERAL = """\
cases:
  one: {inputs: {x: 1.0}, expr: x * x}
  bad: {inputs: {x: 1.0}, expr: x * x, expect: {output: 3.0}}
  two: {inputs: {x: 1.0}, expr: x + x}
"""
UNREADABLE = "inputs: {x: 1.0}\nexprr: x\n"
BEGINS = {
    "table": "mismatch",
    "jsonl": "{",
    "json": "{",
    "junit": "<?xml",
    "github": "::error ",
    "sarif": "{",
    "html": "<!doctype html>",
}


def test_all_formats_at_once_and_the_table_stays(command: Command, write: Write, tmp_path: Path) -> None:
    files = {name: tmp_path / f"report.{name}" for name in FORMATS if name != "table"}
    options = [f"--report={name}={file}" for name, file in files.items()]
    result = command("compare", write(WRONG), *options)
    assert result.exit_code == 1, result.output
    assert "run again: gradcheck compare" in result.stdout
    assert result.stderr == ""
    for name, file in files.items():
        text = file.read_text(encoding="utf-8")
        assert text.startswith(BEGINS.get(name, "**gradcheck:**"))
        assert "the gradient with respect to" in text or name in ("json", "jsonl")


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_alone_takes_standard_output(command: Command, write: Write, name: str) -> None:
    result = command("compare", write(WRONG), "--report", name)
    assert result.stdout.startswith(BEGINS.get(name, "**gradcheck:**"))
    assert ("run again" in result.stdout) == (name in ("table", "junit"))


def test_a_table_in_a_file_leaves_the_terminal_alone(command: Command, write: Write, tmp_path: Path) -> None:
    file = tmp_path / "table.txt"
    result = command("compare", write(WRONG), "--report", f"table={file}")
    assert result.stdout == ""
    text = file.read_text(encoding="utf-8")
    assert text.startswith("mismatch")
    assert text.splitlines()[-1].startswith("1 case: 1 mismatch in ")
    assert "\x1b" not in text


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["xml"], "'xml' is not one of table, jsonl, json, junit, github, markdown, sarif"),
        (["jsn=a"], "did you mean `json`?"),
        (["json="], "'json=' names no file"),
        (["json", "table"], "json and table would both go to standard output; give all but one a file"),
        (["json=a", "junit=./a"], "json and junit would both go to "),
    ],
)
def test_what_is_not_a_report(
    command: Command, write: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, given: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = command("compare", write(RIGHT), *(f"--report={each}" for each in given))
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split())
    assert not (tmp_path / "a").exists()


TO_FILE, ALONE, TABLE, GITHUB = Wanted("json", "a"), Wanted("json"), Wanted("table"), Wanted("github")
SUMMARY = Wanted("markdown", "summary", appended=True)


@pytest.mark.parametrize(
    ("given", "plain", "in_actions"),
    [
        ([], [TABLE], [TABLE, GITHUB, SUMMARY]),
        ([TO_FILE], [TO_FILE, TABLE], [TO_FILE, TABLE, GITHUB, SUMMARY]),
        ([ALONE], [ALONE], [ALONE]),
        ([TABLE], [TABLE], [TABLE]),
        ([GITHUB], [GITHUB], [GITHUB, SUMMARY]),
        ([Wanted("github", "a")], [Wanted("github", "a"), TABLE], [Wanted("github", "a"), TABLE, SUMMARY]),
    ],
)
def test_annotations_by_themselves_in_github_actions(
    monkeypatch: pytest.MonkeyPatch, given: list[Wanted], plain: list[Wanted], in_actions: list[Wanted]
) -> None:
    assert wanted(given) == plain
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "summary")
    assert wanted(given) == in_actions


def test_in_github_actions_the_commands_follow_the_table(
    command: Command, write: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("of the step before\n", encoding="utf-8")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    result = command("compare", write(WRONG))
    *table, last = result.stdout.splitlines()
    assert table[-1].startswith("1 case: 1 mismatch in ")
    assert last.startswith("::error title=gradcheck%3A mismatch,file=")
    assert summary.read_text(encoding="utf-8").startswith("of the step before\n**gradcheck:** 1 case: 1 mismatch in ")


@pytest.mark.parametrize(("text", "status"), [(RIGHT, 3), (WRONG, 1), (UNREADABLE, 2)])
def test_a_report_that_cannot_be_written_hides_nothing(
    command: Command, write: Write, tmp_path: Path, text: str, status: int
) -> None:
    lost, kept = tmp_path / "missing" / "out.xml", tmp_path / "kept.json"
    result = command("compare", write(text), "--report", f"junit={lost}", "--report", f"json={kept}")
    assert result.exit_code == status
    sentence = f"the junit report for {lost} cannot be written: No such file or directory"
    assert result.stderr.splitlines().count(sentence) == 1
    assert len(json.loads(kept.read_text(encoding="utf-8"))["cases"]) == (text is not UNREADABLE)
    assert ("1 case: " in result.stdout) == (text is not UNREADABLE)


@pytest.mark.parametrize("name", FORMATS)
def test_a_full_disk_is_told_once(command: Command, write: Write, name: str) -> None:
    kept = [] if name == "table" else ["1 case: 1 mismatch in "]
    result = command("compare", write(WRONG), "--report", f"{name}=/dev/full")
    assert result.exit_code == 1
    assert result.stderr == f"the {name} report for /dev/full cannot be written: No space left on device\n"
    assert all(each in result.stdout for each in kept)


@pytest.mark.parametrize("name", ["table", "json"])
def test_a_full_standard_output_is_told_too(write: Write, name: str) -> None:
    command = [sys.executable, "-m", "gradcheck", "compare", str(write(RIGHT)), "--report", name]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.stderr == f"the {name} report for standard output cannot be written: No space left on device\n"
    assert done.returncode == 3


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    """The exit status of the program, which is `main`'s to decide."""
    monkeypatch.setattr(sys, "argv", ["gradcheck", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(str(ended.value.code))


@pytest.mark.usefixtures("command")
def test_a_case_is_a_line_as_soon_as_it_is_judged_and_ctrl_c_keeps_what_is_there(
    write: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines, whole, junit = tmp_path / "out.jsonl", tmp_path / "out.json", tmp_path / "out.xml"
    original = session.compare_cases
    seen: list[int] = []

    def interrupted(*arguments: Any, **options: Any) -> Iterator[Found]:
        for result in original(*arguments, **options):
            if len(seen) == 2:
                raise KeyboardInterrupt
            yield result
            seen.append(len(lines.read_text(encoding="utf-8").splitlines()))

    monkeypatch.setattr(session, "compare_cases", interrupted)
    reports = [f"--report={name}={file}" for name, file in (("jsonl", lines), ("json", whole), ("junit", junit))]
    assert run(monkeypatch, "compare", write(SEVERAL), *reports) == 130
    assert seen == [1, 2]
    document = json.loads(whole.read_text(encoding="utf-8"))
    assert (document["selected"], len(document["cases"])) == (3, 2)
    assert 'tests="2"' in junit.read_text(encoding="utf-8")
    printed = capsys.readouterr()
    assert "2 cases: 1 agree, 1 mismatch in " in printed.out
    assert printed.err.strip() == "interrupted"


@pytest.mark.usefixtures("command")
def test_a_fault_of_one_report_hides_no_other(
    write: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_: object) -> str:
        raise ZeroDivisionError("of the test")

    kept = tmp_path / "out.sarif"
    monkeypatch.setattr("gradcheck.report.junit.render", broken)
    reports = [f"--report=junit={tmp_path / 'out.xml'}", f"--report=sarif={kept}"]
    assert run(monkeypatch, "compare", write(WRONG), *reports) == 3
    assert json.loads(kept.read_text(encoding="utf-8"))["version"] == "2.1.0"
    printed = capsys.readouterr()
    assert "1 case: 1 mismatch in " in printed.out
    assert printed.err.startswith("gradcheck itself is at fault: ZeroDivisionError: of the test\n")


def test_fail_fast_reports_what_it_compared(command: Command, write: Write, tmp_path: Path) -> None:
    file = tmp_path / "out.json"
    assert command("compare", write(SEVERAL), "--fail-fast", "--report", f"json={file}").exit_code == 1
    document = json.loads(file.read_text(encoding="utf-8"))
    assert (document["selected"], len(document["cases"])) == (3, 2)


def test_a_file_that_cannot_be_read_is_in_every_report(command: Command, write: Write, tmp_path: Path) -> None:
    names = [name for name in FORMATS if name not in ("table", "jsonl")]
    files = [tmp_path / name for name in names]
    path = write(UNREADABLE)
    result = command("compare", path, *(f"--report={name}={file}" for name, file in zip(names, files, strict=True)))
    assert result.exit_code == 2
    assert result.stdout == ""
    for file in files:
        text = file.read_text(encoding="utf-8")
        assert "unknown-key" in text
        assert path.name in text


def test_the_schema_of_the_report_is_published(command: Command, write: Write) -> None:
    schema = json.loads(command("schema", "--report").stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    validator.validate(json.loads(command("compare", write(WRONG), "--report", "json").stdout))
    assert not validator.is_valid({"format": "gradcheck"})
    assert command("schema", "--report", "--protocol").exit_code == 2
