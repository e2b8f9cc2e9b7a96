"""Results in the order of the cases, from whatever runs them at the same time."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass

from gradcheck.engines import Failure
from gradcheck.running.examiner import Task
from gradcheck.verdict.record import Result, Verdict

WIDTH = 256
"""How many cases are handed over at most before the first of them has its result."""

Submit = Callable[[Task], "Future[Result]"]
"""Hands over a case; what any executor of `concurrent.futures` does with `examine`."""


class Lost(Exception):
    """What ran a case was ended from outside, or is not to be reached: the case may have no part in that."""


@dataclass
class _UnderWay:
    task: Task
    future: "Future[Result]"
    again: bool = False


def streamed(tasks: Iterable[Task], submit: Submit, lost: tuple[type[Exception], ...] = (Lost,)) -> Iterator[Result]:
    """One result for each task, in order.

    A task whose runner is `lost` is handed over once more, and counts as crashed if that is lost as well. Other
    exceptions are faults of this program, and are raised. After Ctrl-C what is finished comes before it is raised.
    """
    under_way: deque[_UnderWay] = deque()
    coming = iter(tasks)
    while True:
        while len(under_way) < WIDTH and (task := next(coming, None)) is not None:
            under_way.append(_UnderWay(task, submit(task)))
        if not under_way:
            return
        first = under_way[0]
        try:
            result = first.future.result()
        except lost as error:
            if not first.again:
                first.future, first.again = submit(first.task), True
                continue
            failure = Failure("crashed", f"{str(error) or type(error).__name__}, and so again at the second attempt")
            result = Result(first.task.case, Verdict.CRASHED, failures=[("gradcheck", failure)])
        except KeyboardInterrupt:
            yield from (each.future.result() for each in under_way if _finished(each.future))
            raise
        under_way.popleft()
        yield result


def _finished(future: "Future[Result]") -> bool:
    return future.done() and not future.cancelled() and future.exception() is None
