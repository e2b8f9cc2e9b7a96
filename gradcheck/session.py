"""The loop of `gradcheck compare`: cases in, results out, in order."""

import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gradcheck.asking import request
from gradcheck.casefile.case import Case
from gradcheck.diagnostics import Refused
from gradcheck.engine.expand import written_out
from gradcheck.engines import Engine, Failure, Outcome, Request
from gradcheck.language import Lowered, lower
from gradcheck.verdict.diagnosis import explained
from gradcheck.verdict.inquiry import Inquiry
from gradcheck.verdict.judge import judge
from gradcheck.verdict.record import Result, Verdict
from gradcheck.verdict.tolerance import allowance, allowances

if TYPE_CHECKING:
    from gradcheck.reference.answers import Awaited, Reference
    from gradcheck.workers import Pending, Worker

AHEAD = 256
"""How many cases are handed to the reference at most before the first of them is judged, so that neither side waits."""
AHEAD_ELEMENTS = 4_000_000
"""How many elements their inputs may have together."""


@dataclass(frozen=True)
class _Waiting:
    """A case that both sides have been asked about."""

    lowered: Lowered
    subject: "Outcome | Failure | Pending[Outcome]"
    reference: "Awaited[Outcome]"
    asked: Request
    seconds: float
    """What it took to ask."""


def compare_cases(
    cases: Iterable[Case],
    subject: "Engine | Worker",
    reference: "Reference",
    *,
    inquiry: Inquiry = Inquiry(),  # noqa: B008  # frozen
) -> Iterator[Result]:
    """One result for each case, in order.

    What differs is diagnosed; `inquiry` says what to look into where nothing does.

    An engine as subject runs here, a worker in its own process, and the reference in another.
    """
    waiting: deque[_Waiting | Result] = deque()
    stream = iter(cases)
    exhausted = False
    while waiting or not exhausted:
        while not exhausted and _room(waiting):
            case = next(stream, None)
            if case is None:
                exhausted = True
            else:
                waiting.append(_start(case, subject, reference))
        if waiting:
            yield _finish(waiting.popleft(), subject, reference, inquiry)


def _room(waiting: "deque[_Waiting | Result]") -> bool:
    """Whether to prepare another case before the first of those that wait is judged.

    While TensorFlow is being loaded there is time for many; once the first has its answer, it is shown.
    """
    held = [each for each in waiting if isinstance(each, _Waiting)]
    if held and held[0] is waiting[0] and held[0].reference.done:
        return False
    elements = sum(array.size for each in held for array in each.asked.inputs.values())
    return len(waiting) < AHEAD and elements < AHEAD_ELEMENTS


def _start(case: Case, subject: "Engine | Worker", reference: "Reference") -> "_Waiting | Result":
    if case.skip is not None:
        return Result(case, None, note=case.skip)
    since = time.perf_counter()
    try:
        lowered = lower(case)
    except Refused as refused:
        return _refused(case, refused)
    return _submitted(lowered, subject, reference, since)


def compare_lowered(lowered: Lowered, subject: "Engine | Worker", reference: "Reference") -> Result:
    """The result of a program, however it was written."""
    return _finish(_submitted(lowered, subject, reference, time.perf_counter()), subject, reference, Inquiry())


def _submitted(lowered: Lowered, subject: "Engine | Worker", reference: "Reference", since: float) -> _Waiting:
    asked = request(lowered)
    pending = reference.submit(asked)
    asked = replace(asked, program=written_out(asked.program))  # graphs are TensorFlow's; what is in them is everyone's
    submit = getattr(subject, "submit", subject.run)
    outcome = submit(asked)
    return _Waiting(lowered, outcome, pending, asked, time.perf_counter() - since)


def _refused(case: Case, refused: Refused) -> Result:
    """A case whose expression cannot be read; it passes if that is what it expects."""
    expected = case.expect.error
    if expected is not None and any(expected in each.message for each in refused.diagnostics):
        return Result(case, Verdict.AGREE, note=f"refused as expected: {expected}")
    return Result(case, Verdict.ERROR, diagnostics=refused.diagnostics)


def _finish(
    waiting: "_Waiting | Result", subject: "Engine | Worker", reference: "Reference", inquiry: Inquiry
) -> Result:
    if isinstance(waiting, Result):
        return waiting
    since = time.perf_counter() - waiting.seconds
    sides = (subject.name, reference.name)
    answer = waiting.subject if isinstance(waiting.subject, (Outcome, Failure)) else waiting.subject.result()
    asked = waiting.asked
    bounds = (allowance(each) for each in [asked]) if inquiry.thorough else allowances(asked)
    result = judge(waiting.lowered, sides, answer, waiting.reference.result(), bounds)
    result = explained(result, asked, subject, reference, inquiry)
    return replace(result, seconds=time.perf_counter() - since)
