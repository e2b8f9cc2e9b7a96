"""A whole comparison in one process: our engine or a user's, TensorFlow, and the verdict."""

import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Literal

from gradcheck.casefile.case import Case
from gradcheck.engines import Engine, Failure, Outcome, Request, Trace
from gradcheck.reference.answers import Known, Reference
from gradcheck.running.confinement import Confinement
from gradcheck.session import compare_cases
from gradcheck.verdict.inquiry import Inquiry
from gradcheck.verdict.record import Result, Verdict
from gradcheck.workers import forget

if TYPE_CHECKING:
    from gradcheck.reference.tensorflow import TensorFlowEngine

OUT_OF_MEMORY = re.compile(r"ResourceExhaustedError|MemoryError|not enough memory|bad_alloc")
"""How TensorFlow, NumPy, our engine and C++ say that they were refused memory."""


@dataclass(frozen=True)
class Setting:
    """What cases are compared with, in a form that any process can take; it can be pickled and hashed."""

    engine: str = ""
    """What names the subject; empty for our own engine."""
    folder: str = "."
    """Where that is found from."""
    answers: Literal["asked", "kept", "recorded"] = "kept"
    """Whether TensorFlow is always asked, only for what it did not answer before, or never."""
    timeout: float = 60.0
    """Seconds that one case may take, without the loading of engines."""
    memory: int | None = None
    """Bytes that one case may take; see `Confinement`."""


@dataclass(frozen=True)
class Task:
    """A case, and what is to be found out about it."""

    case: Case
    inquiry: Inquiry


def examine(setting: Setting, task: Task) -> Result:
    """The result of one case, in any process: what an executor is given to run.

    Ends the process if the case takes more than its time. Where a process has several threads, one case waits for the
    other, because both limits are the process's.
    """
    with _ONE_BY_ONE:
        return _examiner(setting).examine(task)


_ONE_BY_ONE = threading.Lock()


@cache
def _examiner(setting: Setting) -> "Examiner":
    return Examiner(setting)


class Examiner:
    """Compares cases one after the other; what they share is loaded once, TensorFlow when it is first needed.

    Raises `gradcheck.configuration.NotFound` if there is no such engine as the setting names.
    """

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._confinement = Confinement(setting.timeout, setting.memory)
        self._stack = ExitStack()  # left open until the process ends
        self._subject, self._conventions = _subject(setting)
        self._answers = self._reference()

    def examine(self, task: Task) -> Result:
        """The result of one case."""
        inquiry = replace(task.inquiry, conventions=self._conventions)
        forget()
        with self._confinement():
            try:
                (result,) = compare_cases([task.case], self._subject, self._answers, inquiry=inquiry)
            except MemoryError:
                return self._refused(task.case, self._subject.name)
        for name, failure in result.failures:
            if self._setting.memory is not None and OUT_OF_MEMORY.search(failure.message):
                return self._refused(task.case, name)
        return result

    def _refused(self, case: Case, name: str) -> Result:
        size = "" if self._setting.memory is None else f" of {self._setting.memory / 2**20:,.0f} MiB"
        failure = Failure("crashed", f"{name} needs more memory than the limit{size}")
        return Result(case, Verdict.CRASHED, failures=[(name, failure)])

    def _reference(self) -> Reference:
        if self._setting.answers == "recorded":
            from gradcheck.reference.recorded import RecordedReference

            return RecordedReference()
        if self._setting.answers == "kept":
            from gradcheck.reference.kept import kept_reference

            if (kept := kept_reference(self._started)) is not None:
                return self._stack.enter_context(kept)
        return self._stack.enter_context(self._started())

    @contextmanager
    def _started(self) -> Iterator[Reference]:
        with self._confinement.lifted():
            from gradcheck.reference.tensorflow import TensorFlowEngine

            engine = TensorFlowEngine()
            forget()
        yield Here(engine)


def _subject(setting: Setting) -> tuple[Engine, Mapping[str, str]]:
    """The engine and its conventions."""
    if not setting.engine:
        from gradcheck.engine.numpy_engine import NumpyEngine

        return NumpyEngine(), {}
    from gradcheck.subjects.find import Located
    from gradcheck.subjects.worker import Watched

    located = Located(setting.engine, setting.folder)
    watched = Watched(located(), located.name)
    profile = watched.profile()
    return replace(watched, name=profile.name), profile.conventions


@dataclass(frozen=True, eq=False)
class Here:
    """TensorFlow in this very process, asked as if it were elsewhere."""

    engine: "TensorFlowEngine"
    name: str = "tensorflow"

    def submit(self, request: Request) -> Known[Outcome]:
        """The answer, which is there at once."""
        return Known(self.run(request))

    def run(self, request: Request) -> Outcome | Failure:
        """The answer."""
        return self.engine.run(request)

    def trace(self, request: Request, position: int) -> Trace | Failure:
        """All values of a run."""
        return self.engine.trace(request, position)
