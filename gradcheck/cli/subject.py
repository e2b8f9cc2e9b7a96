"""The engine that a command line names, as the subject of a comparison."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from gradcheck.engines import Engine
    from gradcheck.subjects.worker import SubjectWorker

OURS = "numpy"


def named_engine(given: str | None) -> str:
    """What `--engine` names, or else the project's configuration; empty for our own engine."""
    if given is None and not any((each / "pyproject.toml").is_file() for each in (Path.cwd(), *Path.cwd().parents)):
        return ""
    from gradcheck.configuration import NotFound, configured

    try:
        named = given or configured(Path.cwd()) or ""
    except NotFound as error:
        raise click.UsageError(str(error)) from None
    return "" if named == OURS else named


def loadable(named: str, timeout: float) -> None:
    """Try whether the engine can be loaded; raises `click.UsageError` if not."""
    with subject(named, timeout) as (_, conventions):
        conventions()


@contextmanager
def subject(named: str, timeout: float) -> "Iterator[tuple[Engine | SubjectWorker, Callable[[], Mapping[str, str]]]]":
    """The engine, which may still be loading, and its conventions, for which its loading is waited for.

    Raises `click.UsageError`, when the conventions are asked for, if there is no such engine.
    """
    if not named:
        from gradcheck.engine.numpy_engine import NumpyEngine

        yield NumpyEngine(), dict
        return
    from gradcheck.configuration import NotFound
    from gradcheck.subjects.worker import SubjectWorker

    with SubjectWorker(named, timeout) as worker:

        def conventions() -> Mapping[str, str]:
            try:
                return worker.profile().conventions
            except NotFound as error:
                raise click.UsageError(str(error)) from None

        yield worker, conventions
