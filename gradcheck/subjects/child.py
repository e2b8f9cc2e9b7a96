"""A program that answers lines with lines, and never outlives the process that asks."""

import subprocess
import sys
import threading
from collections import deque
from collections.abc import Sequence
from contextlib import suppress

from gradcheck.subjects import guard
from gradcheck.workers import cause

_LAST_LINES = 20
"""How much of what the program wrote to standard error is shown: with Node.js, the reason stands above the stack."""
_GRACE = 5.0
"""Seconds that a program which has closed its output may take to end."""


class Ended(Exception):
    """The program gives no more answers: the message says why, and `details` what it last wrote to standard error."""

    def __init__(self, message: str, details: str) -> None:
        super().__init__(message)
        self.details = details


class Child:
    """The program `command`, started in `folder`; raises `OSError` if it cannot be."""

    def __init__(self, command: Sequence[str], folder: str) -> None:
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            command, cwd=folder, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
        )
        watching = [sys.executable, "-I", "-S", guard.__file__, str(self._process.pid)]
        self._guard = subprocess.Popen(watching, stdin=pipe, start_new_session=True)
        self._last_lines: deque[str] = deque(maxlen=_LAST_LINES)
        self._reader = threading.Thread(target=self._read_errors, daemon=True)
        self._reader.start()

    def ask(self, line: str, patience: float = threading.TIMEOUT_MAX) -> str:
        """The line that the program answers `line` with; raises `Ended`.

        A program that takes longer than `patience` seconds is ended.
        """
        timer = threading.Timer(patience, guard.end, [self._process.pid])
        timer.daemon = True
        timer.start()
        answer = self._exchange(line.encode() + b"\n")
        late = timer.finished.is_set()
        timer.cancel()
        if answer.endswith(b"\n"):
            return answer.decode(errors="replace").rstrip("\r\n")
        message = self._stopped()
        if late:
            message = f"the program did not answer within {patience:g} s"
        raise Ended(message, "\n".join(self._last_lines))

    def stop(self) -> None:
        """End the program with all that it started, and what watches it."""
        guard.end(self._process.pid)
        self._process.wait()
        self._guard.communicate(b".")
        self._reader.join(_GRACE)
        for stream in (self._process.stdin, self._process.stdout):
            with suppress(OSError):  # what was left to write has no reader
                assert stream is not None
                stream.close()

    def _exchange(self, line: bytes) -> bytes:
        """What the program writes after `line`; without the end of a line if it ends, or closes its output, first."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(OSError):  # a program that no longer reads may still have written
            self._process.stdin.write(line)
            self._process.stdin.flush()
        return self._process.stdout.readline()

    def _stopped(self) -> str:
        """Why there is no more output; the program has ended afterwards."""
        try:
            return f"the program ended by {cause(self._process.wait(_GRACE))}"
        except subprocess.TimeoutExpired:
            return "the program closed its standard output"
        finally:
            self.stop()

    def _read_errors(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as lines:
            self._last_lines.extend(line.decode(errors="replace").rstrip() for line in lines)
