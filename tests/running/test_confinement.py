"""What one case may take, in processes of their own: they are ended by it."""

import subprocess
import sys

import pytest

from gradcheck.running.confinement import TIMED_OUT

HEAD = """\
import time
import numpy as np
from gradcheck.running.confinement import Confinement

def loop():
    while True:
        pass

def fits(size):
    try:
        return np.ones(size, np.uint8).size == size
    except MemoryError:
        return False
"""


def run(text: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-c", HEAD + text], capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize(
    "text",
    [
        "with Confinement(0.2)(): loop()",
        "with Confinement(0.2)(): sum(range(10**18))",  # in C, with the lock of the interpreter
        "with (confinement := Confinement(0.2))():\n    with confinement.lifted(): pass\n    loop()",
        "with (confinement := Confinement(0.5))():\n    time.sleep(1)\n    with confinement.lifted(): pass",
        "limit = Confinement(0.2)\nwith limit(): pass\nwith limit(): loop()",
    ],
    ids=["a loop", "native code", "lifted before", "over before it is lifted", "the second time"],
)
def test_a_case_that_has_had_its_time_ends_the_process_and_says_where(text: str) -> None:
    done = run(text)
    assert done.returncode == 1
    first, thread, innermost, *_ = done.stderr.splitlines()
    assert TIMED_OUT.fullmatch(first)
    assert thread.startswith("Thread 0x")
    assert 'File "<string>", line ' in innermost


@pytest.mark.parametrize(
    "text",
    [
        "with Confinement(0.5)(): pass\ntime.sleep(1)",
        "try:\n    with Confinement(0.5)(): raise ValueError\nexcept ValueError: time.sleep(1)",
        "with (confinement := Confinement(0.5))():\n    with confinement.lifted(): time.sleep(1)",
        "with Confinement(0.5).lifted(): time.sleep(1)",
        "confinement = Confinement(0.5)\nwith confinement(): pass\nwith confinement.lifted(): pass\ntime.sleep(1)",
    ],
    ids=["after it", "after an exception", "lifted", "without a case", "lifted after it"],
)
def test_no_clock_runs_but_a_cases(text: str) -> None:
    done = run(text)
    assert (done.returncode, done.stderr) == (0, "")


def test_memory_beyond_the_limit_is_refused_and_free_again_afterwards() -> None:
    done = run("""\
confinement = Confinement(60, 100 * 2**20)
LARGE = 200 * 2**20
print(fits(LARGE))
for _ in range(2):
    with confinement():
        print(fits(50 * 2**20), fits(LARGE))
        with confinement.lifted():
            print(fits(LARGE))
        print(fits(LARGE))
print(fits(LARGE))
""")
    within = ["True False", "True", "False"]
    assert done.stdout.splitlines() == ["True", *within, *within, "True"], done.stderr


def test_the_limit_counts_from_what_the_process_holds() -> None:
    done = run("""\
held = np.ones(300 * 2**20, np.uint8)
with Confinement(60, 100 * 2**20)():
    print(fits(50 * 2**20), fits(200 * 2**20))
""")
    assert done.stdout == "True False\n", done.stderr


def test_what_threads_reserve_and_never_write_to_does_not_count() -> None:
    done = run("""\
import mmap
with Confinement(60, 100 * 2**20)():
    reserved = [mmap.mmap(-1, 2**26, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, prot=mmap.PROT_READ) for _ in range(4)]
    print(fits(50 * 2**20), fits(200 * 2**20))
""")
    assert done.stdout == "True False\n", done.stderr
