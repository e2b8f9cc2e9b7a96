"""One pass over cases: each is compared and shown, and the reports are written."""

import time
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from gradcheck.cli.again import keep
from gradcheck.cli.options import console
from gradcheck.cli.reports import Reports, Wanted

if TYPE_CHECKING:
    from collections import deque

    from gradcheck.casefile.case import Case
    from gradcheck.cli.options import Selection
    from gradcheck.cli.running import Runner
    from gradcheck.report.table import Show
    from gradcheck.verdict.inquiry import Inquiry
    from gradcheck.verdict.record import Result

NOTHING: "Mapping[str, Result]" = MappingProxyType({})


@dataclass(frozen=True)
class Manner:
    """What a command line says of every pass: what to look into, and how to show it."""

    reports: Sequence[Wanted]
    show: "Show | None"
    """None leaves it to the number of cases."""
    engine: str
    """What names the subject; empty for our own engine."""
    color: str
    blame: bool = False
    referee: bool = False
    evidence: bool = False
    most: int | None = None
    """With how many cases that do not pass it ends."""

    def shown(self, count: int) -> "Show":
        """How much of each of so many results is shown."""
        return self.show or ("values" if count == 1 else "none")

    def inquiry(self, show: "Show") -> "Inquiry":
        """What there is to find out."""
        from gradcheck.report.formats import WITH_NUMBERS
        from gradcheck.verdict.inquiry import Inquiry

        numbers = show != "none" or any(each.format in WITH_NUMBERS for each in self.reports)
        return Inquiry(self.blame, self.referee, self.evidence, numbers)


def one_pass(
    run: "Runner",
    cases: "deque[Case]",
    selection: "Selection",
    manner: Manner,
    since: float,
    held: "Mapping[str, Result]" = NOTHING,
) -> "tuple[list[Result], bool]":
    """The results of `cases`, in order, and whether every report could be written.

    It empties `cases`, as thousands need not be held until the last is compared. Those that are `held`, by the id of
    their case, still hold since the last pass and have been shown. `since` is when the pass began, by
    `time.perf_counter`. Whatever ends it, what is finished is reported, and kept for `replay`.
    """
    from gradcheck.report.formats import ALL_NUMBERS
    from gradcheck.report.run import Run

    show = manner.shown(len(cases))
    order = [case.id for case in cases]
    new = sum(each not in held for each in order)
    results = run((case for case in _taken(cases) if case.id not in held), manner.inquiry(show))
    written = Reports(manner.reports, show, manner.engine, manner.color)
    whole = any(each.format in ALL_NUMBERS for each in manner.reports)
    done: list[Result] = []
    try:
        with closing(_followed(_until(manner.most, results), manner.color, new)) as stream:
            for result in _together(order, held, stream):
                done.append(result if whole else result.lean())
                written.add(result, shown=result.case.id in held)
    finally:
        seconds = time.perf_counter() - since
        written.close(Run(done, len(order), seconds, selection.diagnostics, manner.engine))
        keep(done, selection.diagnostics, manner.color)
    if written.fault is not None:
        raise written.fault
    return done, not written.failed


def _taken(cases: "deque[Case]") -> "Iterator[Case]":
    while cases:
        yield cases.popleft()


def _together(order: "Iterable[str]", held: "Mapping[str, Result]", results: "Generator[Result]") -> "Iterator[Result]":
    """What is held and what comes, in the order of the ids of the cases."""
    for each in order:
        if each in held:
            yield held[each]
        elif (result := next(results, None)) is not None:
            yield result
        else:
            return
    yield from results  # there are no more, and whoever gives them may have something to put away


def _until(most: int | None, results: "Iterable[Result]") -> "Iterator[Result]":
    """The results up to that with which `most` cases did not pass."""
    from gradcheck.verdict.record import Status

    failures = 0
    for result in results:
        yield result
        failures += result.status in (Status.FAILED, Status.NOT_RUN)
        if failures == most:
            return


def _followed(results: "Iterable[Result]", color: str, total: int) -> "Generator[Result]":
    """The results, with progress on a terminal."""
    errors = console(color, stderr=True)
    if not errors.is_terminal:
        yield from results
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=errors, transient=True) as progress:
        task = progress.add_task("loading TensorFlow", total=total)
        for result in results:
            progress.update(task, advance=1, description="comparing")
            yield result
