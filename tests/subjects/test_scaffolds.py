"""The starters that `gradcheck new --engine` writes: each works as it is written."""

import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from gradcheck.cli.new import ENGINES, TEMPLATES

Command = Callable[..., Result]
RUNNABLE = [kind for kind in ENGINES if kind != "node" or shutil.which("node")]
SUFFIXES = {kind: Path(template).suffix for kind, (template, _) in ENGINES.items()}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is written to an empty folder, by relative paths."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("kind", RUNNABLE)
def test_a_starter_agrees_by_the_command_that_is_printed(command: Command, kind: str) -> None:
    result = command("new", "--engine", kind, f"my own/{kind}{SUFFIXES[kind]}")
    assert result.exit_code == 0, result.output
    wrote, _, then = result.stdout.partition("; now: ")
    assert wrote == f"wrote my own/{kind}{SUFFIXES[kind]} and my own/{kind}.yaml"
    program, *arguments = shlex.split(then)
    assert program == "gradcheck"
    compared = command(*arguments, "--strict")
    assert compared.exit_code == 0, compared.output
    assert "1 case: 1 agree" in compared.stdout


WRONG = {
    "rule": ("dz.sum(axis=0)", "dz.sum(axis=0) / len(x)", "mine is wrong"),
    "tensor": (
        "lambda g: g * (1 - y * y)",
        "lambda g: g * (1 - y)",
        "mine is wrong: the gradient of `tf.tanh` (line 7)",
    ),
    "graph": ("dy * (1 - y * y)", "dy * (1 - y)", "mine is wrong: the gradient of `tf.tanh` (line 7)"),
    "functional": (
        "lambda g: g * (1 - y * y)",
        "lambda g: g * (1 - y)",
        "mine is wrong: the gradient of `tf.tanh` (line 7)",
    ),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_mistake_in_a_starter_is_found(command: Command, kind: str) -> None:
    command("new", "--engine", kind, "mine.py")
    path = Path("mine.py")
    right, wrong, blamed = WRONG[kind]
    source = path.read_text(encoding="utf-8")
    assert source.count(right) == 1
    path.write_text(source.replace(right, wrong), encoding="utf-8")
    result = command("compare", "mine.yaml", "--engine", "mine.py")
    assert result.exit_code == 1
    assert blamed in result.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--engine", "tensor", "mine.js"], "an engine of this kind ends in .py: mine.js.py?"),
        (["--engine", "node", "mine"], "an engine of this kind ends in .js: mine.js?"),
        (["--engine", "rule", "--shipped", "mine.py"], "give one of them"),
        (["--engine", "course", "mine.py"], "'course' is not one of 'rule', 'tensor', 'graph', 'functional', 'node'"),
    ],
)
def test_what_cannot_be_written_is_refused(command: Command, tmp_path: Path, arguments: list[str], words: str) -> None:
    result = command("new", *arguments)
    assert result.exit_code == 2
    assert words in result.stderr
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["mine.py", "mine.yaml"])
def test_what_exists_is_left_alone(command: Command, tmp_path: Path, name: str) -> None:
    Path(name).write_text("mine")
    result = command("new", "--engine", "tensor", "mine.py")
    assert result.exit_code == 2
    assert f"{name} exists already" in result.stderr
    assert [each.name for each in tmp_path.iterdir()] == [name]
    assert Path(name).read_text() == "mine"


def test_every_template_is_written_by_some_kind() -> None:
    files = {file for pair in ENGINES.values() for file in pair}
    assert files == {path.name for path in TEMPLATES.iterdir() if path.is_file()}
