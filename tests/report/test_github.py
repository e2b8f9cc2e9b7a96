"""Workflow commands, escaped as GitHub's runner unescapes them."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from gradcheck.diagnostics import Source, Span
from gradcheck.report import github
from gradcheck.report.run import Problem, Run

Rendered = Callable[..., list[str]]

COMMAND = re.compile(r"::(?P<command>error|warning|notice) (?P<properties>[^:]*)::(?P<message>.*)")
ESCAPES = {"%0D": "\r", "%0A": "\n", "%3A": ":", "%2C": ",", "%25": "%"}


def unescaped(text: str) -> str:
    return re.sub("|".join(ESCAPES), lambda found: ESCAPES[found[0]], text)


def read(line: str) -> tuple[str, dict[str, str], str]:
    """A command as the runner reads it."""
    found = COMMAND.fullmatch(line)
    assert found is not None, line
    properties = dict(each.split("=", 1) for each in found["properties"].split(","))
    return found["command"], {name: unescaped(value) for name, value in properties.items()}, unescaped(found["message"])


def test_each_problem_is_one_command(run: Run) -> None:
    commands = [read(line) for line in github.render(run).splitlines()]
    assert [(command, properties["title"], properties["line"]) for command, properties, _ in commands] == [
        ("error", "gradcheck: unknown-key", "3"),
        ("error", "gradcheck: sign", "6"),
        ("error", "gradcheck: mismatch", "8"),
        ("error", "gradcheck: known_mismatch", "9"),
        ("error", "gradcheck: refused", "10"),
        ("error", "gradcheck: crashed", "11"),
        ("notice", "gradcheck: unsupported", "12"),
    ]
    _, properties, message = commands[1]
    case = run.results[2].case
    assert properties["file"] == case.span.source.name
    assert message.startswith(f"{case.id}: numpy is wrong: ")


@pytest.fixture
def rendered(run: Run, monkeypatch: pytest.MonkeyPatch) -> Rendered:
    """The commands for these problems."""

    def of(*found: Problem) -> list[str]:
        monkeypatch.setattr(github, "problems", lambda _: found)
        return github.render(run).splitlines()

    return of


def test_text_that_would_end_a_command_is_escaped(rendered: Rendered) -> None:
    span = Span(Source("a,b::c.yaml", "x\n"), 1, 1, 2)
    (line,) = rendered(Problem("50%", "warning", "100 %25,\r\nof a::b", span, "c"))
    assert line == (
        "::warning title=gradcheck%3A 50%25,file=a%2Cb%3A%3Ac.yaml,line=1,col=1,endColumn=2::c: 100 %2525,%0D%0Aof a::b"
    )
    assert read(line)[2] == "c: 100 %25,\r\nof a::b"


def test_one_of_each_kind_comes_first(rendered: Rendered) -> None:
    """GitHub shows ten annotations of a step."""
    lines = rendered(*(Problem(rule, "error", str(at), None) for at, rule in enumerate("aabab")))
    assert [read(line)[2] for line in lines] == ["0", "2", "1", "3", "4"]


def test_files_are_named_from_the_root_of_the_repository(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)
    assert github.in_repository("x.yaml") == "x.yaml"
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    assert github.in_repository("x.yaml") == "sub/x.yaml"
    assert github.in_repository("../x.yaml") == "x.yaml"
    assert github.in_repository("/elsewhere/x.yaml") == "/elsewhere/x.yaml"
