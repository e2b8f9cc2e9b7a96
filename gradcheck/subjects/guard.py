"""Run beside a user's program: ends it, and what it started, when the process that reads its answers is gone.

A process that is killed cannot clean up after itself, but the system closes its pipes. So this one, started with the
program's id as its argument, waits on its standard input: one byte says that the program has ended in good order, and
the end of the input without it that nobody is left who could end it.
"""

import os
import signal
import sys
from contextlib import suppress


def end(pid: int) -> None:
    """Kill the process and, where there are process groups, those that it started."""
    with suppress(ProcessLookupError, PermissionError):
        if os.name == "posix":
            os.killpg(pid, signal.SIGKILL)
        else:
            os.kill(pid, signal.SIGTERM)


if __name__ == "__main__" and not sys.stdin.buffer.read(1):
    end(int(sys.argv[1]))
