"""Cases that do what their names say to the process they run in, with the reference's answers kept beforehand."""

import multiprocessing
import tempfile
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from gradcheck.casefile.case import Case
from gradcheck.casefile.load import load_file
from gradcheck.engine.numpy_engine import NumpyEngine
from gradcheck.engines import Failure, Request
from gradcheck.keeping.store import FOLDER
from gradcheck.reference.answers import Known
from gradcheck.reference.kept import kept_reference
from gradcheck.running.examiner import Setting, Task
from gradcheck.session import compare_cases
from gradcheck.verdict.inquiry import Inquiry
from gradcheck.verdict.record import Result

UNRULY = str(Path(__file__).parent / "unruly.py")
Tasks = Callable[..., list[Task]]
TIMEOUT = 8.0


class Likewise(NumpyEngine):
    """Our engine in the place of TensorFlow, so that its answers can be kept."""

    name = "tensorflow"

    def submit(self, request: Request) -> Known[Any]:
        return Known(self.run(request))


def suite(*names: str) -> str:
    """A case file with a case of each name."""
    lines = [f"  {name}: {{inputs: {{x: [{at}.0, 1.5]}}, expr: x * x}}\n" for at, name in enumerate(names)]
    return f"cases:\n{''.join(lines)}"


def keep(cases: list[Case]) -> None:
    """Answer for TensorFlow, so that what is compared from now on does not import it."""
    kept = kept_reference(lambda: nullcontext(Likewise()))
    assert kept is not None
    with kept:
        assert all(each.verdict == "agree" for each in compare_cases(cases, NumpyEngine(), kept))


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Write a file with a case of each name, or that text, and keep answers; temporary files are the test's own."""
    monkeypatch.setenv(FOLDER, str(tmp_path / "cache"))
    monkeypatch.setenv("UNRULY_MARK", str(tmp_path / "mark"))
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))

    def write(*names: str, text: str = "") -> Path:
        path = tmp_path / "many.yaml"
        path.write_text(text or suite(*names), encoding="utf-8")
        loaded = load_file(path)
        assert loaded.errors == ()
        keep(list(loaded.cases))
        return path

    return write


@pytest.fixture
def tasks(written: Callable[..., Path]) -> Tasks:
    """A task for a case of each name, or for those of that text."""

    def make(*names: str, text: str = "") -> list[Task]:
        return [Task(case, Inquiry()) for case in load_file(written(*names, text=text)).cases]

    return make


@pytest.fixture
def nothing_left(tmp_path: Path) -> Iterator[None]:
    """No process and no temporary file is left behind."""
    before = set(multiprocessing.active_children())
    yield
    assert set(multiprocessing.active_children()) <= before
    assert list((tmp_path / "temporary").iterdir()) == []


def unruly(memory: int | None = None, timeout: float = TIMEOUT) -> Setting:
    return Setting(UNRULY, timeout=timeout, memory=memory)


def name_of(result: Result) -> str:
    return result.case.id.rpartition("::")[2]


def told(results: list[Result]) -> dict[str, tuple[str, str, str]]:
    """Verdict, message and details by the name of the case."""
    found = {}
    for each in results:
        failure = each.failures[0][1] if each.failures else Failure("error", "")
        found[name_of(each)] = (str(each.verdict), failure.message, failure.details)
    return found
