"""Limits that a process sets itself, so that they hold on whatever machine it runs: the time and memory of one case.

The clock is faulthandler's: a thread of its own that needs no lock of Python's, so that it ends the process out of any
loop, and writes first where that was. Memory is bounded by the operating system: what goes beyond it is refused.
"""

import faulthandler
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TIMED_OUT = re.compile(r"Timeout \(\d+:\d\d:\d\d(\.\d+)?\)!")
"""The line that a process writes before its stack when a case has had its time."""
_STATM = Path("/proc/self/statm")
_DATA = 5
"""The place in that file of the pages that the process can write to (proc(5): "data + stack")."""


class Confinement:
    """What one case may take: `seconds`, and `memory` in bytes beyond what the process holds when it begins."""

    def __init__(self, seconds: float, memory: int | None = None) -> None:
        self._seconds = seconds
        self._memory = memory
        self._until: float | None = None

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Within this, the process ends when the time is over, and memory beyond the limit is refused."""
        self._until = time.monotonic() + self._seconds
        try:
            with self._limited():
                yield
        finally:
            self._until = None

    @contextmanager
    def lifted(self) -> Iterator[None]:
        """Within this, for loading what is no case's own, no clock runs and memory is free."""
        if self._until is None:
            yield
            return
        faulthandler.cancel_dump_traceback_later()
        left = self._until - time.monotonic()
        _limit_memory(None)
        try:
            yield
        finally:
            self._until = time.monotonic() + left
            self._set(left)

    @contextmanager
    def _limited(self) -> Iterator[None]:
        self._set(self._seconds)
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()
            _limit_memory(None)

    def _set(self, seconds: float) -> None:
        faulthandler.dump_traceback_later(max(seconds, 0.001), exit=True, file=sys.__stderr__ or 2)
        if self._memory is not None:
            _limit_memory(_held() + self._memory)


def can_limit_memory() -> bool:
    """Whether this machine lets a process bound its memory, and tells how much it holds."""
    return _STATM.exists()


def _held() -> int:
    """The memory that this process can write to, in bytes."""
    import resource

    return int(_STATM.read_text(encoding="ascii").split()[_DATA]) * resource.getpagesize()


def _limit_memory(size: int | None) -> None:
    """Let the memory that this process can write to grow to `size` bytes, or as far as it might when it was started.

    Not its address space, of which the C library reserves 64 MiB for any new thread that may never write to them.
    """
    if not can_limit_memory():
        return
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (most if size is None else size, most))
