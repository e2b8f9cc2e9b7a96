"""Cases compared in several processes of this machine, each of which a case may end without harm to the others."""

import multiprocessing
import threading
from collections.abc import Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from queue import SimpleQueue
from types import TracebackType
from typing import Self

from pebble import ProcessExpired, ProcessPool

from gradcheck.engines import Failure
from gradcheck.running.confinement import TIMED_OUT
from gradcheck.running.examiner import Setting, Task, examine
from gradcheck.running.stream import Lost
from gradcheck.verdict.record import Result, Verdict
from gradcheck.workers import KILLED, Log, awaited, cause, deaf, last

GRACE = 60.0
"""Seconds beyond a case's time after which a process is given up that did not end itself."""
CALLS = 8
"""How many of the innermost calls are shown of a stack."""


class Processes:
    """`count` processes that compare cases; `submit` takes any number of them and hands each to the next that is free.

    A process that ended is replaced by a new one before the next case.
    """

    def __init__(self, count: int, setting: Setting) -> None:
        self._all = [_Process(setting) for _ in range(count)]
        self._free: SimpleQueue[_Process] = SimpleQueue()
        for each in self._all:
            self._free.put(each)
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="gradcheck")  # each waits for one process

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        for each in self._all:
            each.give_up()
        self._threads.shutdown()
        for each in self._all:
            each.close()

    def submit(self, task: Task) -> "Future[Result]":
        """The result of a case, later; its `result` raises `Lost` if the process was ended from outside."""
        return self._threads.submit(self._examined, task)

    def _examined(self, task: Task) -> Result:
        process = self._free.get()
        try:
            return process.examine(task)
        finally:
            self._free.put(process)


class _Process:
    """One process, and the next in its place when it ends: of the old one nothing is used again."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._asked: Future[Result] | None = None
        self._given_up = False
        self._guard = threading.Lock()  # of these two: nothing is begun after `give_up`
        self._start()

    def _start(self) -> None:
        self._log = Log()
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPool(max_workers=1, initializer=self._log.take, context=context)

    def close(self) -> None:
        self._pool.stop()  # type: ignore[no-untyped-call]
        self._pool.join()
        self._log.remove()

    def give_up(self) -> None:
        """Stop what is going on, for good; who waits for it gets a `CancelledError`."""
        with self._guard:
            self._given_up = True
            if self._asked is not None:
                self._asked.cancel()

    def examine(self, task: Task) -> Result:
        """The result, or what became of the process. Raises `Lost`."""
        try:
            return awaited(self._ask(task), self._pool)
        except (TimeoutError, ProcessExpired, BrokenProcessPool) as error:
            printed = self._log.lines
            self._replace()
            return _ended(task, error, printed, self._setting.timeout)
        finally:
            self._asked = None

    def _replace(self) -> None:
        self.close()
        self._start()

    def _ask(self, task: Task) -> "Future[Result]":
        limit = self._setting.timeout + GRACE
        with self._guard:
            if self._given_up:
                raise CancelledError
            with deaf():
                if not self._pool.active:  # it ended while it had nothing to do
                    self._replace()
                try:
                    self._asked = self._pool.schedule(examine, args=(self._setting, task), timeout=limit)
                except RuntimeError as error:  # it has just ended
                    raise BrokenProcessPool from error
            return self._asked


def _ended(task: Task, error: Exception, printed: Sequence[str], timeout: float) -> Result:
    """What is told of a case that ended its process, which printed these lines at last. Raises `Lost`."""
    stack = next((place for place, line in enumerate(printed) if TIMED_OUT.fullmatch(line)), None)
    if stack is not None:
        where = "\n".join([*filter(None, [last(printed[:stack])]), *printed[stack + 1 : stack + 1 + CALLS]])
        failure = Failure("timeout", f"it did not end within {timeout:g} s", where)
    elif isinstance(error, TimeoutError):
        failure = Failure("timeout", f"nothing was heard of its process for {timeout + GRACE:g} s", last(printed))
    elif isinstance(error, ProcessExpired) and error.exitcode != KILLED:
        failure = Failure("crashed", f"its process ended by {cause(error.exitcode)}", last(printed))
    else:
        raise Lost(_loss(error))
    return Result(task.case, Verdict(failure.kind), failures=[("gradcheck", failure)])


def _loss(error: Exception) -> str:
    """What became of a process from outside, in words."""
    if isinstance(error, ProcessExpired):
        return f"its process ended by {cause(KILLED)}"
    if isinstance(error.__cause__, OSError):
        return f"its process could not be started: {error.__cause__.strerror or error.__cause__}"
    return "its process ended before it began"
