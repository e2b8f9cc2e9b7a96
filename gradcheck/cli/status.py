"""The exit status, decided here and nowhere else."""

from collections.abc import Iterable
from enum import IntEnum

from gradcheck.verdict.record import Result, Status, Verdict


class Exit(IntEnum):
    """What the exit status means."""

    AGREE = 0
    DISAGREE = 1
    NOT_RUN = 2
    FAULT = 3
    INTERRUPTED = 130


def exit_status(
    results: Iterable[Result],
    *,
    refused: bool = False,
    strict: bool = False,
    unreported: bool = False,
    idle: bool = False,
) -> Exit:
    """The status of a run: a crash or time-out before a disagreement, that before what could not run.

    `refused` says that a file among those asked for could not be read. What the subject lacks counts only if `strict`;
    but a run that compared nothing could not run. `unreported` says that a report could not be written: what was found
    comes before that, but where all agrees the run has not done what it was asked for. `idle` says that this run had
    nothing to do, as the others of its kind do everything.
    """
    results = list(results)
    if any(each.verdict in (Verdict.CRASHED, Verdict.TIMEOUT) and each.status is Status.NOT_RUN for each in results):
        return Exit.FAULT
    if any(each.status is Status.FAILED for each in results):
        return Exit.DISAGREE
    missing = [each.status is Status.UNSUPPORTED for each in results]
    lacking = any(missing) if strict else all(missing) and not idle
    if refused or lacking or any(each.status is Status.NOT_RUN for each in results):
        return Exit.NOT_RUN
    return Exit.FAULT if unreported else Exit.AGREE
