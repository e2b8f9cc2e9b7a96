"""Engines in processes of their own, so that what they print, break or never finish touches nothing else.

What a worker prints goes to a file, so that none of it reaches the terminal and the last lines can be shown if the
process ends. The process is pebble's: it restarts after a crash and is stopped when a run takes too long.
"""

import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import weakref
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import cache
from multiprocessing.resource_tracker import ensure_running
from multiprocessing.synchronize import Event
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from pebble import ProcessExpired, ProcessPool

from gradcheck.engines import Engine, Failure, Outcome, Request

DEFAULT_TIMEOUT = 60.0
"""Seconds that one request may take, after the engine has been loaded."""
KILLED = -9
"""The exit status of a process that was killed: by a person, or by a machine that ran out of memory."""
UNSTARTED = "process cannot be started"
_LAST_LINES = 8

_TICK = 1.0
"""Seconds between two looks whether a task that has no result is still cared for."""

Answer = TypeVar("Answer")
Loader = Callable[[], Engine]


class Log:
    """A file that takes what a process prints, in a folder for all its temporary files.

    TensorFlow has some, which would stay when it is ended.
    """

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="gradcheck-"))
        weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)  # where Ctrl-C comes before `remove`
        self._path = self._folder / "printed.log"
        self._path.touch()

    def take(self) -> None:
        """Send everything that this process prints here, native code included; leave Ctrl-C to the parent."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND)
        os.dup2(descriptor, 1)
        os.dup2(descriptor, 2)
        os.environ["TMPDIR"] = tempfile.tempdir = str(self._folder)
        global _taken  # as the two descriptors are, it is the process's
        _taken = True

    @property
    def lines(self) -> list[str]:
        """What has been printed since it was forgotten last; nothing if that cannot be read."""
        try:
            return self._path.read_text(errors="replace").splitlines()
        except OSError:
            return []

    def remove(self) -> None:
        """Drop the folder."""
        shutil.rmtree(self._folder, ignore_errors=True)


_taken = False


@contextmanager
def deaf() -> Iterator[None]:
    """Within this, processes are started that Ctrl-C never reaches, and threads that start such: it is the parent's.

    A terminal sends it to all of them, and until Python is ready a process would print a traceback.
    """
    if not hasattr(signal, "pthread_sigmask"):  # on Windows
        yield
        return
    ensure_running()  # multiprocessing's own process, whose start would end this
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def forget() -> None:
    """Drop what this process has printed, if that goes to a log: it is no concern of what comes now."""
    if _taken:
        sys.stdout.flush()
        sys.stderr.flush()
        os.ftruncate(1, 0)


def last(lines: Sequence[str]) -> str:
    """As much of what was printed as is shown."""
    return "\n".join(lines[-_LAST_LINES:])


class Worker:
    """An engine that answers later: `submit` gives a `Pending`.

    `load` makes the engine inside the process; it can be pickled and hashed. Without a `timeout` it has all the time.
    `called` is how messages name the engine.
    """

    def __init__(self, name: str, load: Loader, timeout: float | None = DEFAULT_TIMEOUT, *, called: str = "") -> None:
        self.name = name
        self._called = called or name
        self._load = load
        self._timeout = timeout
        self._log = Log()
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        loaded = context.Event()
        arguments = (self._log, self._load, loaded)
        self._pool = ProcessPool(max_workers=1, initializer=_prepare, initargs=arguments, context=context)
        with deaf():
            self._ready = self._pool.schedule(_warm, args=(self._load,))

        def note(ready: "Future[None]") -> None:
            if not ready.cancelled() and ready.exception() is None:
                loaded.set()

        self._ready.add_done_callback(note)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()
        self._log.remove()

    def _stop(self) -> None:
        self._pool.stop()  # type: ignore[no-untyped-call]
        self._pool.join()

    @property
    def ready(self) -> bool:
        """Whether the engine has been loaded."""
        return self._ready.done()

    def submit(self, request: Request) -> "Pending[Outcome]":
        """Hand over a request; requests are answered in order."""
        return self._ask("run", request)

    def run(self, request: Request) -> Outcome | Failure:
        """The answer to a request, waited for."""
        return self.submit(request).result()

    def _ask(self, method: str, *arguments: Any) -> "Pending[Any]":
        return self._asked(method, arguments, again=lambda: self._asked(method, arguments))

    def _asked(
        self, method: str, arguments: tuple[Any, ...], again: "Callable[[], Pending[Any]] | None" = None
    ) -> "Pending[Any]":
        with deaf():  # in the midst of it Ctrl-C would leave a queue whose reader is never woken
            if not self._pool.active:  # its process ended while it had nothing to do
                self._stop()
                self._start()
            future = self._pool.schedule(_answer, args=(self._load, method, arguments), timeout=self._timeout)
        return Pending(future, self._pool, self._called, self._timeout, self._log, again)


def awaited(future: "Future[Answer]", pool: ProcessPool) -> "Answer":
    """What comes of a task of `pool`. Raises `BrokenProcessPool` as well where the pool breaks without telling it."""
    while True:
        try:
            return future.result(_TICK)
        except TimeoutError:
            if future.done():
                return future.result()
            if not pool.active:
                raise BrokenProcessPool from None


class Pending(Generic[Answer]):
    """An answer that is being computed; `again` asks anew if the process ends before it has come to it."""

    def __init__(
        self,
        future: "Future[Answer | Failure]",
        pool: ProcessPool,
        called: str,
        timeout: float | None,
        log: Log,
        again: "Callable[[], Pending[Answer]] | None" = None,
    ) -> None:
        self._future = future
        self._pool = pool
        self._again = again
        self._called = called
        self._timeout = timeout
        self._log = log

    @property
    def done(self) -> bool:
        """Whether the answer is there."""
        return self._future.done()

    def result(self) -> Answer | Failure:
        """Wait for the answer; a process that ends or takes too long gives a `Failure` that says so."""
        try:
            return awaited(self._future, self._pool)
        except TimeoutError:
            return Failure("timeout", f"{self._called} did not answer within {self._timeout:g} s", self._last_lines())
        except ProcessExpired as error:
            message = f"the {self._called} process ended by {cause(error.exitcode)}"
            return Failure("crashed", message, self._last_lines())
        except BrokenProcessPool:
            if self._again is not None:
                return self._again().result()
            return Failure("crashed", f"the {self._called} {UNSTARTED}", self._last_lines())
        except ImportError as error:
            return Failure("error", f"{self._called} cannot be imported: {error}", self._last_lines())

    def _last_lines(self) -> str:
        return last(self._log.lines)


def cause(code: int | None) -> str:
    """What ended a process, from its exit status: "signal 9 (SIGKILL)"."""
    if code is not None and code < 0:
        return f"signal {-code} ({signal.Signals(-code).name})"
    return f"itself with status {code}"


def _prepare(log: Log, load: Loader, loaded: Event) -> None:
    """Silence the process. In the place of one that ended, load the engine again: no request's time is for that."""
    log.take()
    if loaded.is_set():
        _engine(load)


@cache
def _engine(load: Loader) -> Engine:
    """The engine of this process, loaded again only if the process had to be started again."""
    return load()


def _warm(load: Loader) -> None:
    _engine(load)


def _answer(load: Loader, method: str, arguments: tuple[Any, ...]) -> Any:
    return getattr(_engine(load), method)(*arguments)
