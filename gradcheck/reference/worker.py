"""The reference in a process of its own, which starts importing TensorFlow before anything else happens.

What TensorFlow prints goes to a file, so that none of it reaches the terminal and the last lines can be shown if the
process ends. The process is pebble's: it restarts after a crash and is stopped when a run takes too long.
"""

import multiprocessing
import os
import signal
import tempfile
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Generic, Self, TypeVar

from pebble import ProcessExpired, ProcessPool

from gradcheck.engines import Failure, Outcome, Request, Trace

DEFAULT_TIMEOUT = 300.0
"""Seconds that one request may take, the import of TensorFlow included."""
_LAST_LINES = 8


class ReferenceWorker:
    """TensorFlow as an engine whose answers come later: `submit` gives a `Pending`."""

    name = "tensorflow"

    def __init__(self, timeout: float = DEFAULT_TIMEOUT) -> None:
        self._timeout = timeout
        descriptor, name = tempfile.mkstemp(prefix="gradcheck-", suffix=".log")
        os.close(descriptor)
        self._log = Path(name)
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPool(max_workers=1, initializer=_silence, initargs=(name,), context=context)
        self._ready = self._pool.schedule(_load)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.stop()  # type: ignore[no-untyped-call]
        self._pool.join()
        self._log.unlink(missing_ok=True)

    @property
    def ready(self) -> bool:
        """Whether TensorFlow has been imported."""
        return self._ready.done()

    def submit(self, request: Request) -> "Pending[Outcome]":
        """Hand over a request; requests are answered in order."""
        future = self._pool.schedule(_run, args=(request,), timeout=self._timeout)
        return Pending(future, self._timeout, self._log)

    def trace(self, request: Request, position: int) -> Trace | Failure:
        """All values of a run, and all cotangents under the set of cotangents at `position`; see `Trace`."""
        future = self._pool.schedule(_trace, args=(request, position), timeout=self._timeout)
        return Pending(future, self._timeout, self._log).result()


Answer = TypeVar("Answer")


class Pending(Generic[Answer]):
    """An answer that is being computed."""

    def __init__(self, future: "Future[Answer | Failure]", timeout: float, log: Path) -> None:
        self._future = future
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
            return Failure("timeout", f"TensorFlow did not answer within {self._timeout:g} s", self._last_lines())
        except ProcessExpired as error:
            return Failure("crashed", f"the TensorFlow process ended by {_cause(error.exitcode)}", self._last_lines())
        except ImportError as error:
            return Failure("error", f"TensorFlow cannot be imported: {error}", self._last_lines())

    def _last_lines(self) -> str:
        try:
            lines = self._log.read_text(errors="replace").splitlines()
        except OSError:
            return ""
        return "\n".join(lines[-_LAST_LINES:])


def _cause(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        return f"signal {-exit_code} ({signal.Signals(-exit_code).name})"
    return f"itself with status {exit_code}"


def _silence(log: str) -> None:
    """Send everything that this process prints, native code included, to the file `log`; leave Ctrl-C to the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)


def _load() -> None:
    import gradcheck.reference.tensorflow  # noqa: F401


def _trace(request: Request, position: int) -> Trace | Failure:
    from gradcheck.reference.tensorflow import TensorFlowEngine

    return TensorFlowEngine().trace(request, position)


def _run(request: Request) -> Outcome | Failure:
    from gradcheck.reference.tensorflow import TensorFlowEngine

    return TensorFlowEngine().run(request)
