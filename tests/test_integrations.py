"""The pre-commit hook and the GitHub Action: that what they call is there, and that what they select is right."""

import re
import shlex
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from gradcheck.cli.main import cli
from gradcheck.cli.reports import wanted

ROOT = Path(__file__).parents[1]
HOOKS = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))


def parsed(command: str) -> dict[str, Any]:
    """The parameters of a `gradcheck …` command; raises `click.UsageError` if there is no such command or option."""
    program, name, *arguments = shlex.split(command)
    assert program == "gradcheck"
    called = cli.get_command(click.Context(cli), name)
    assert called is not None, f"there is no command {name}"
    return called.make_context(name, arguments).params


def script(variables: dict[str, str]) -> str:
    """The last step of the action, with the variables that it reads."""
    command: str = ACTION["runs"]["steps"][-1]["run"]
    return re.sub(r"\$(\w+)", lambda found: variables[found[1]], command)


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])
def test_a_hook_calls_a_command_that_takes_files(hook: dict[str, Any]) -> None:
    assert parsed(f"{hook['entry']} cases/a.yaml cases/b.yml")["paths"] == ("cases/a.yaml", "cases/b.yml")


@pytest.mark.parametrize(
    ("name", "checked"),
    [("cases/a.yaml", True), ("src/cases/deep/a.yml", True), ("showcases/a.yaml", False), ("cases/a.npz", False)],
)
def test_the_hook_is_given_case_files(name: str, checked: bool) -> None:
    (hook,) = HOOKS
    assert bool(re.search(hook["files"], name)) is checked


def test_the_action_calls_compare_with_its_inputs() -> None:
    found = parsed(script({"PATHS": "cases more", "ARGS": "--tag slow --strict"}))
    assert found["paths"] == ("cases", "more")
    assert (found["tags"], found["strict"]) == (("slow",), True)
    assert parsed(script({"PATHS": ACTION["inputs"]["paths"]["default"], "ARGS": ""}))["paths"] == ("cases",)


def test_the_action_reports_to_github_and_in_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "summary.md")
    reports = wanted(parsed(script({"PATHS": "cases", "ARGS": "--report junit=results.xml"}))["reports"])
    assert {(each.format, each.file) for each in reports} == {
        ("junit", "results.xml"),
        ("table", None),
        ("github", None),
        ("markdown", "summary.md"),
    }


def test_every_input_of_the_action_is_read_and_every_one_read_is_an_input() -> None:
    read = set(re.findall(r"\$\{\{ inputs\.([\w-]+) \}\}", str(ACTION["runs"]["steps"])))
    assert read == set(ACTION["inputs"])


def test_no_input_is_put_into_a_script_as_text() -> None:
    assert all("${{" not in step.get("run", "") for step in ACTION["runs"]["steps"])
