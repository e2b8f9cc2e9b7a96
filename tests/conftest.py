"""What several tests share: one TensorFlow process, and the command line run in this one."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy: for small matrices threads only wait for each other

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, settings

from gradcheck.cli.main import cli
from gradcheck.keeping.store import FOLDER
from gradcheck.reference.worker import ReferenceWorker

# How long an example takes, or takes to draw, tells of the machine and of what else it does.
# In CI the examples are the same every time: a change is judged by what it changes; new ones are looked for at home.
settings.register_profile(
    "unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize="CI" in os.environ
)
settings.load_profile("unhurried")

# A shell lets what it runs in the background ignore Ctrl-C, and so would every command that a test interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda each: each.get_closest_marker("long") is None)


@pytest.fixture(autouse=True)
def _outside_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    """In GitHub Actions `compare` says more, and adds to the summary of the job."""
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session", autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test reads or writes the user's own cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(FOLDER, str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def reference() -> Iterator[ReferenceWorker]:
    """TensorFlow, loaded once for the whole run."""
    with ReferenceWorker() as worker:
        yield worker


class Shared:
    """Stands for a `ReferenceWorker` that a command starts and stops: it hands out the shared one."""

    def __init__(self, worker: ReferenceWorker) -> None:
        self._worker = worker

    def __call__(self, _timeout: float = 0.0) -> "Shared":
        return self

    def __enter__(self) -> ReferenceWorker:
        return self._worker

    def __exit__(self, *_: object) -> None:
        return None


@pytest.fixture
def command(
    reference: ReferenceWorker, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Result]:
    """Run `gradcheck` with the given arguments in this process, with faults that were planted here; no answer is kept
    from one test to the next."""
    monkeypatch.setenv(FOLDER, str(tmp_path_factory.mktemp("cache")))
    monkeypatch.setattr("gradcheck.reference.worker.ReferenceWorker", Shared(reference))

    def run(*arguments: str | Path) -> Result:
        return CliRunner().invoke(cli, [str(each) for each in arguments], prog_name="gradcheck")

    return run


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    """Write a case file and give its path."""

    def make(text: str, name: str = "case.yaml") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return make
