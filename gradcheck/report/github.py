"""Results as workflow commands: GitHub Actions shows each as an annotation on its line of the case file."""

import os
from pathlib import Path

from gradcheck.report.run import Problem, Run, problems

COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}
TITLE = "gradcheck"


def render(run: Run) -> str:
    """One command a line; first one of each kind, because GitHub shows ten annotations of a step and no more."""
    kinds: set[str] = set()
    first: list[str] = []
    others: list[str] = []
    for each in problems(run):
        (others if each.rule in kinds else first).append(_command(each))
        kinds.add(each.rule)
    return "\n".join([*first, *others])


def _command(problem: Problem) -> str:
    properties = {"title": f"{TITLE}: {problem.rule}"}
    if problem.span is not None:
        span = problem.span
        properties |= {
            "file": in_repository(span.source.name),
            "line": str(span.line),
            "col": str(span.column),
            "endColumn": str(span.end),
        }
    listed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    about = f"{problem.case}: " if problem.case else ""
    return f"::{COMMANDS[problem.level]} {listed}::{_data(about + problem.sentence)}"


def in_repository(name: str) -> str:
    """The path of a file as GitHub names it: from the root of the repository, if it lies there."""
    root = os.environ.get("GITHUB_WORKSPACE")
    if not root:
        return name
    path = Path(name).resolve()
    return path.relative_to(Path(root).resolve()).as_posix() if path.is_relative_to(Path(root).resolve()) else name


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
