"""What the reports of a whole run are made of: the results, and the problems that they point at."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from gradcheck.diagnostics import Diagnostic, Span
from gradcheck.report.table import disagreements
from gradcheck.verdict.record import Result, Status

Level = Literal["error", "warning", "note"]


@dataclass(frozen=True, eq=False)
class Run:
    """A run of `compare`: what was found, in order, and how far it came."""

    results: Sequence[Result]
    selected: int
    """How many cases were to be compared; more than there are results if the run was stopped."""
    seconds: float
    diagnostics: Sequence[Diagnostic] = ()
    """What is wrong with the files, of whose cases there are no results."""
    engine: str = ""
    """What the command line called the subject, if it did."""

    @property
    def complete(self) -> bool:
        """Whether every case that was selected has a result."""
        return len(self.results) == self.selected


@dataclass(frozen=True)
class Problem:
    """One thing that a person has to look at, and the place in the case file where."""

    rule: str
    """The kind of slip where that is known, the code of a diagnostic, or else the verdict; `known_mismatch` where one
    has been mended."""
    level: Level
    sentence: str
    span: Span | None
    case: str = ""
    """The case's id; empty for what is wrong with a file."""


def problems(run: Run) -> Iterator[Problem]:
    """Everything in a run that keeps it from being right: of the files first, then of the cases."""
    for each in run.diagnostics:
        yield _of_text(each)
    for result in run.results:
        yield from of_case(result)


def of_case(result: Result) -> Iterator[Problem]:
    """What is wrong with one case: nothing if it passed or was skipped."""
    case = result.case
    if result.status is Status.FAILED:
        accused = result.diagnosis.accused if result.diagnosis else ()
        for each in accused:
            rule = each.slip or each.kind
            yield Problem(rule, "error", _sentence(result, each.sentence), each.span or case.span, case.id)
        if not accused:
            rule = "known_mismatch" if result.case.known_mismatch else str(result.verdict)
            yield Problem(rule, "error", _sentence(result), case.span, case.id)
    elif result.status in (Status.NOT_RUN, Status.UNSUPPORTED):
        level: Level = "error" if result.status is Status.NOT_RUN else "note"
        if result.failures or not result.diagnostics:
            said = "; ".join(f"{name}: {failure.message}" for name, failure in result.failures)
            yield Problem(str(result.verdict), level, said or _sentence(result), case.span, case.id)
        yield from (_of_text(each, case.id) for each in result.diagnostics)


def _of_text(diagnostic: Diagnostic, case: str = "") -> Problem:
    advice = f" ({diagnostic.help})" if diagnostic.help else ""
    return Problem(diagnostic.code, diagnostic.severity, diagnostic.message + advice, diagnostic.span, case)


def _sentence(result: Result, accusation: str = "") -> str:
    """Who is wrong and how, then where the two sides differ most."""
    diagnosis = result.diagnosis
    first = accusation or (diagnosis.sentence if diagnosis else "")
    if diagnosis and diagnosis.accused and accusation == diagnosis.accused[0].sentence:
        first = diagnosis.sentence  # which is this accusation, after who is wrong
    differ = [each.plain for each in disagreements(result.comparisons, diagnosis.judged if diagnosis else ())]
    parts = [first, differ[0] if differ else "", result.note]
    return "; ".join(filter(None, parts)) or f"the verdict is {result.verdict}"
