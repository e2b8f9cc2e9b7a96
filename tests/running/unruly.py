"""Our own engine, but for what the names of the cases ask it to do first."""

import ctypes
import os
import signal
import time
from pathlib import Path

import numpy as np

from gradcheck.engine.numpy_engine import NumpyEngine


def prints():
    os.write(2, b"words of another case\n")


def hangs():
    os.write(2, b"about to hang\n")
    while True:
        time.sleep(0.1)


def hangs_deaf():
    """As native code may, which no signal reaches that Python handles."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    hangs()


def segfaults():
    os.write(2, b"about to read address 0\n")
    ctypes.string_at(0)


def aborts():
    os.write(2, b"Check failed: 0 == 1\n")
    os.abort()


def leaves():
    os._exit(5)


def takes_memory():
    np.ones(2**40)


def takes_memory_bit_by_bit():
    held = []
    while True:
        held.append(b"1" * 2**24)


def is_killed():
    os.kill(os.getpid(), signal.SIGKILL)


def is_killed_once():
    mark = Path(os.environ["UNRULY_MARK"])
    if not mark.exists():
        mark.touch()
        is_killed()


def marks():
    Path(os.environ["UNRULY_MARK"]).touch()


def behaves():
    pass


class Unruly:
    name = "unruly"

    def run(self, request):
        globals().get(request.about.rpartition("::")[2], behaves)()
        return NumpyEngine().run(request)


engine = Unruly()
