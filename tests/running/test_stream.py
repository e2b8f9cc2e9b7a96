"""One result for each case, in order, from whatever runs them."""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from multiprocessing import get_context

import pytest

from gradcheck.running.examiner import Setting, Task, examine
from gradcheck.running.stream import WIDTH, Lost, streamed
from gradcheck.verdict.record import Result, Verdict
from tests.running.conftest import Tasks, name_of, told

NAMES = ["one", "two", "three", "four"]


class Scripted:
    """Finishes each future as it is asked: with the exceptions that are foreseen for a case, and then with a result."""

    def __init__(self, **foreseen: list[BaseException]) -> None:
        self.asked: list[str] = []
        self._foreseen = foreseen

    def submit(self, task: Task) -> "Future[Result]":
        future: Future[Result] = Future()
        self.asked.append(task.case.id.rpartition("::")[2])
        exceptions = self._foreseen.get(self.asked[-1])
        if exceptions:
            future.set_exception(exceptions.pop(0))
        else:
            future.set_result(agreement(task))
        return future


def agreement(task: Task) -> Result:
    return Result(task.case, Verdict.AGREE)


def test_results_come_in_the_order_of_the_cases(tasks: Tasks) -> None:
    cases = tasks(*NAMES)
    futures: list[Future[Result]] = []

    def submit(_task: Task) -> "Future[Result]":
        futures.append(Future())
        if len(futures) == len(cases):
            for future, task in reversed(list(zip(futures, cases, strict=True))):
                future.set_result(agreement(task))
        return futures[-1]

    assert [name_of(each) for each in streamed(cases, submit)] == NAMES
    assert len(futures) == len(cases)


def test_cases_are_read_as_they_are_needed(tasks: Tasks) -> None:
    (case,) = tasks("one")
    read = 0

    def endless() -> Iterator[Task]:
        nonlocal read
        while True:
            read += 1
            yield case

    stream = streamed(endless(), Scripted().submit)
    next(stream)
    assert read == WIDTH
    next(stream)
    assert read == WIDTH + 1


def test_what_is_lost_is_handed_over_once_more(tasks: Tasks) -> None:
    executor = Scripted(two=[Lost("the cable was cut")], three=[Lost("it was switched off"), Lost("it burnt")])
    results = list(streamed(tasks(*NAMES), executor.submit))
    assert executor.asked == [*NAMES, "two", "three"]
    assert told(results) == {
        "one": ("agree", "", ""),
        "two": ("agree", "", ""),
        "three": ("crashed", "it burnt, and so again at the second attempt", ""),
        "four": ("agree", "", ""),
    }


def test_an_executor_says_by_what_it_tells_a_loss(tasks: Tasks) -> None:
    executor = Scripted(two=[ConnectionError()], three=[ConnectionError(), ConnectionError()])
    results = list(streamed(tasks(*NAMES), executor.submit, (ConnectionError,)))
    assert [str(each.verdict) for each in results] == ["agree", "agree", "crashed", "agree"]
    assert told(results)["three"][1] == "ConnectionError, and so again at the second attempt"


@pytest.mark.parametrize("error", [ValueError("a fault"), ConnectionError()], ids=["fault", "no loss here"])
def test_other_exceptions_are_raised(tasks: Tasks, error: Exception) -> None:
    executor = Scripted(two=[error])
    stream = streamed(tasks(*NAMES), executor.submit)
    assert name_of(next(stream)) == "one"
    with pytest.raises(type(error)):
        next(stream)


def test_after_ctrl_c_what_is_finished_comes_first(tasks: Tasks) -> None:
    """Whatever it has not waited for: a case that takes long hides nothing."""
    executor = Scripted(two=[KeyboardInterrupt()], three=[Lost()])  # as if it came while `two` is waited for
    found: list[Result] = []
    with pytest.raises(KeyboardInterrupt):
        found.extend(streamed(tasks(*NAMES), executor.submit))
    assert [name_of(each) for each in found] == ["one", "four"]


@pytest.mark.parametrize(
    "start",
    [partial(ThreadPoolExecutor, 3), partial(ProcessPoolExecutor, 2, mp_context=get_context("spawn"))],
    ids=["threads", "processes"],
)
def test_any_executor_runs_them(tasks: Tasks, start: Callable[[], Executor]) -> None:
    with start() as executor:
        results = list(streamed(tasks(*NAMES), partial(executor.submit, examine, Setting())))
    assert told(results) == dict.fromkeys(NAMES, ("agree", "", ""))
    assert [name_of(each) for each in results] == NAMES
