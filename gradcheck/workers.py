"""Engines in processes of their own, so that what they print, break or never finish touches nothing else.

What a worker prints goes to a file, so that none of it reaches the terminal and the last lines can be shown if the
process ends. The process is pebble's: it restarts after a crash and is stopped when a run takes too long.
"""

import multiprocessing
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from functools import cache
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
_LAST_LINES = 8

Loader = Callable[[], Engine]


class Log:
    """A file that takes what a process prints."""

    def __init__(self) -> None:
        descriptor, name = tempfile.mkstemp(prefix="gradcheck-", suffix=".log")
        os.close(descriptor)
        self._path = Path(name)

    def take(self) -> None:
        """Send everything that this process prints here, native code included; leave Ctrl-C to the parent."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND)
        os.dup2(descriptor, 1)
        os.dup2(descriptor, 2)
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
        """Drop the file."""
        self._path.unlink(missing_ok=True)


_taken = False


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
        context = multiprocessing.get_context("spawn")
        loaded = context.Event()
        arguments = (self._log, load, loaded)
        self._pool = ProcessPool(max_workers=1, initializer=_prepare, initargs=arguments, context=context)
        self._ready = self._pool.schedule(_warm, args=(load,))

        def note(ready: "Future[None]") -> None:
            if not ready.cancelled() and ready.exception() is None:
                loaded.set()

        self._ready.add_done_callback(note)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.stop()  # type: ignore[no-untyped-call]
        self._pool.join()
        self._log.remove()

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
        future = self._pool.schedule(_answer, args=(self._load, method, arguments), timeout=self._timeout)
        return Pending(future, self._called, self._timeout, self._log)


Answer = TypeVar("Answer")


class Pending(Generic[Answer]):
    """An answer that is being computed."""

    def __init__(self, future: "Future[Answer | Failure]", called: str, timeout: float | None, log: Log) -> None:
        self._future = future
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
            return self._future.result()
        except TimeoutError:
            return Failure("timeout", f"{self._called} did not answer within {self._timeout:g} s", self._last_lines())
        except ProcessExpired as error:
            message = f"the {self._called} process ended by {cause(error.exitcode)}"
            return Failure("crashed", message, self._last_lines())
        except BrokenProcessPool:
            return Failure("crashed", f"the {self._called} process cannot be started", self._last_lines())
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
