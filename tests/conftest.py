"""What several tests share: one TensorFlow process, and the command line run in this one."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, settings

from gradcheck.cli.main import cli
from gradcheck.reference.worker import ReferenceWorker

# How long an example takes, or takes to draw, tells of the machine and of what else it does.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


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
def command(reference: ReferenceWorker, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run `gradcheck` with the given arguments in this process, with faults that were planted here."""
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
