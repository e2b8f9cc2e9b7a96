"""Cases in processes of this machine: whatever one does, the others have their results."""

import multiprocessing
import os
import signal
from concurrent.futures import CancelledError

import pytest

from gradcheck.configuration import NotFound
from gradcheck.running import processes as module
from gradcheck.running.examiner import Setting
from gradcheck.running.processes import Processes
from gradcheck.running.stream import Lost, streamed
from tests.running.conftest import TIMEOUT, Tasks, name_of, told, unruly

pytestmark = pytest.mark.usefixtures("nothing_left")
LIMIT = 300 * 2**20


def test_what_a_case_does_to_its_process_is_told_and_all_others_have_their_results(tasks: Tasks) -> None:
    names = ["one", "prints", "segfaults", "two", "hangs", "aborts", "three", "leaves", "four"]
    with Processes(2, unruly()) as running:
        results = list(streamed(tasks(*names), running.submit))
    assert [name_of(each) for each in results] == names
    found = told(results)
    for name in ("one", "prints", "two", "three", "four"):
        assert found.pop(name) == ("agree", "", "")
    verdict, message, stack = found.pop("hangs")
    assert (verdict, message) == ("timeout", f"it did not end within {TIMEOUT:g} s")
    words, *calls = stack.splitlines()
    assert words == "about to hang"
    assert calls[0].startswith("Thread 0x")
    assert "unruly.py" in calls[1]
    assert calls[1].endswith(" in hangs")
    assert found == {
        "segfaults": ("crashed", "its process ended by signal 11 (SIGSEGV)", "about to read address 0"),
        "aborts": ("crashed", "its process ended by signal 6 (SIGABRT)", "Check failed: 0 == 1"),
        "leaves": ("crashed", "its process ended by itself with status 5", ""),
    }


def test_only_what_the_case_itself_printed_is_shown(tasks: Tasks) -> None:
    with Processes(1, unruly()) as running:
        results = list(streamed(tasks("prints", "aborts", "one", "segfaults"), running.submit))
    assert [details for _, _, details in told(results).values()] == [
        "",
        "Check failed: 0 == 1",
        "",
        "about to read address 0",
    ]


def test_a_case_that_needs_more_memory_than_the_limit_ends_no_process(tasks: Tasks) -> None:
    with Processes(1, unruly(memory=LIMIT)) as running:
        cases = tasks("takes_memory", "one", "takes_memory_bit_by_bit", "two")
        results = [running.submit(cases[0]).result()]
        before = multiprocessing.active_children()
        results += streamed(cases[1:], running.submit)
        assert multiprocessing.active_children() == before
    refused = ("crashed", "unruly needs more memory than the limit of 300 MiB", "")
    fine = ("agree", "", "")
    assert told(results) == {
        "takes_memory": refused,
        "one": fine,
        "takes_memory_bit_by_bit": refused,
        "two": fine,
    }


LARGE = """\
cases:
  large: {inputs: {x: {shape: [3000], random: normal, seed: 1}}, expr: "tf.reduce_sum(tf.sin(x[:, None] * x))"}
  one: {inputs: {x: [1.0]}, expr: tf.reduce_sum(x)}
"""


def test_so_does_our_own_engine(tasks: Tasks) -> None:
    with Processes(1, Setting(memory=50 * 2**20)) as running:
        results = list(streamed(tasks(text=LARGE), running.submit))
    refused = ("crashed", "numpy needs more memory than the limit of 50 MiB", "")
    assert told(results) == {"large": refused, "one": ("agree", "", "")}


def test_a_lost_process_costs_a_case_nothing_but_the_second_time(tasks: Tasks) -> None:
    with Processes(2, unruly()) as running:
        results = list(streamed(tasks("one", "is_killed_once", "is_killed", "two"), running.submit))
    again = "its process ended by signal 9 (SIGKILL), and so again at the second attempt"
    assert told(results) == {
        "one": ("agree", "", ""),
        "is_killed_once": ("agree", "", ""),
        "is_killed": ("crashed", again, ""),
        "two": ("agree", "", ""),
    }


def test_a_process_that_is_lost_while_it_is_idle_is_no_cases_matter(tasks: Tasks) -> None:
    first, *others = tasks(*"abcdefgh")
    strangers = set(multiprocessing.active_children())
    with Processes(1, Setting()) as running:
        running.submit(first).result()
        for place, each in enumerate(others):
            (worker,) = set(multiprocessing.active_children()) - strangers
            assert worker.pid is not None
            os.kill(worker.pid, signal.SIGKILL)
            if place % 2:  # now and then the next case is there before anybody noticed
                worker.join()
            (result,) = streamed([each], running.submit)
            assert result.verdict == "agree"


def test_a_process_that_cannot_be_started_is_lost(tasks: Tasks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("multiprocessing.context.SpawnProcess.start", _refused)
    with Processes(1, Setting()) as running, pytest.raises(Lost, match="could not be started: no more processes"):
        running.submit(tasks("one")[0]).result()


def _refused(_process: object) -> None:
    raise OSError("no more processes")


@pytest.mark.parametrize("way", ["hangs", "hangs_deaf"])
def test_what_is_left_unfinished_is_ended(tasks: Tasks, way: str) -> None:
    with Processes(2, unruly(timeout=600.0)) as running:
        first, *others = [running.submit(each) for each in tasks("one", way, "two", *"abcdefgh")]
        assert first.result().verdict == "agree"
    assert all(each.done() for each in others)


def test_nothing_is_begun_after_the_end(tasks: Tasks) -> None:
    (task,) = tasks("hangs")
    with Processes(1, unruly(timeout=600.0)) as running:
        future = running.submit(task)
    with pytest.raises(CancelledError):
        future.result()


def test_a_process_that_cannot_end_itself_is_given_up(tasks: Tasks, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where its own clock does not run: loading an engine is not limited by it."""
    monkeypatch.setattr(module, "GRACE", -598.0)
    with Processes(1, unruly(timeout=600.0)) as running:
        (result,) = streamed(tasks("hangs"), running.submit)
    assert told([result]) == {"hangs": ("timeout", "nothing was heard of its process for 2 s", "about to hang")}


def test_what_is_no_cases_matter_is_raised(tasks: Tasks) -> None:
    with (
        Processes(1, Setting("nothing.py")) as running,
        pytest.raises(NotFound, match=r"there is no file .*nothing.py"),
    ):
        list(streamed(tasks("one"), running.submit))
