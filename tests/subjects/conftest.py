"""Engines written as test subjects, put in the subject's place."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from gradcheck.subjects.find import Located
from gradcheck.subjects.worker import Watched

Command = Callable[..., Result]
Compared = Callable[[str | Path, str], tuple[list[dict[str, Any]], int]]

ENGINES = Path(__file__).parent / "engines"


def inputs(expr: str, **values: Any) -> str:
    """A case in YAML."""
    text = "".join(f"  {name}: {json.dumps(value)}\n" for name, value in values.items())
    lines = "".join(f"  {line}\n" for line in expr.splitlines())
    return f"inputs:\n{text}expr: |\n{lines}"


class Here(Watched):
    """Stands for a `SubjectWorker`: the same engine, watched in the same way, but in this process."""

    def __enter__(self) -> "Here":
        return self

    def __exit__(self, *_: object) -> None:
        return None


@pytest.fixture(autouse=True)
def _paths(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loading a file puts its folder on the path for good, as a process of its own may."""
    monkeypatch.setattr(sys, "path", sys.path.copy())


@pytest.fixture
def compared(command: Command, monkeypatch: pytest.MonkeyPatch) -> Compared:
    """What `gradcheck compare --report json` says of cases with an engine of that folder, and its exit status."""

    def here(text: str, _timeout: float) -> Here:
        located = Located(text, str(ENGINES))
        return Here(located(), located.name)

    monkeypatch.setattr("gradcheck.subjects.worker.SubjectWorker", here)

    def run(cases: str | Path | list[str], engine: str) -> tuple[list[dict[str, Any]], int]:
        result = command(
            "compare", *(cases if isinstance(cases, list) else [cases]), "--engine", engine, "--report", "json"
        )
        return json.loads(result.stdout)["cases"], result.exit_code

    return run
