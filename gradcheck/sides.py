"""The two sides of a comparison in a process that compares one thing now and then, as a test run does.

TensorFlow is started for the first question that it has not answered before, serves the whole process, and is stopped
at its end.
"""

import atexit
from collections.abc import Mapping
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from gradcheck.casefile.case import Case
from gradcheck.configuration import NotFound
from gradcheck.engine.numpy_engine import NumpyEngine
from gradcheck.engines import Engine
from gradcheck.language import Lowered
from gradcheck.reference.answers import Reference
from gradcheck.session import compare_cases, compare_lowered
from gradcheck.verdict.inquiry import Inquiry
from gradcheck.verdict.record import Result

if TYPE_CHECKING:
    from gradcheck.subjects.worker import SubjectWorker

_running = ExitStack()


def compare_case(case: Case, engine: str = "", folder: Path | None = None) -> Result:
    """The result of one case, with our engine, or `engine`, to be found from `folder`, in its place.

    Raises `NotFound` if there is no such engine.
    """
    found = _subject(engine, folder)
    if isinstance(found, NotFound):
        raise found
    subject, conventions = found
    (result,) = compare_cases([case], subject, _reference(), inquiry=Inquiry(conventions=conventions))
    return result


def compare_traced(lowered: Lowered) -> Result:
    """The result of a program that no case file was read for, with our engine as the subject."""
    return compare_lowered(lowered, NumpyEngine(), _reference())


def stop() -> None:
    """Stop what runs; what is compared after that starts it again."""
    _running.close()
    _reference.cache_clear()
    _subject.cache_clear()


@cache
def _reference() -> Reference:
    from gradcheck.reference.kept import kept_reference
    from gradcheck.reference.worker import ReferenceWorker

    if (kept := kept_reference(ReferenceWorker)) is not None:
        return _running.enter_context(kept)
    return _running.enter_context(ReferenceWorker())


@cache
def _subject(engine: str, folder: Path | None) -> "tuple[Engine | SubjectWorker, Mapping[str, str]] | NotFound":
    """The engine and its conventions; or why there is none, so that it is not looked for again."""
    if not engine:
        return NumpyEngine(), {}
    from gradcheck.subjects.worker import SubjectWorker

    with ExitStack() as starting:
        worker = starting.enter_context(SubjectWorker(engine, folder=folder))
        try:
            conventions = worker.profile().conventions
        except NotFound as error:
            return error
        _running.push(starting.pop_all())
        return worker, conventions


atexit.register(stop)
