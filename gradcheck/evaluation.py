"""The loop of `gradcheck run`: what one engine alone makes of cases."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from gradcheck.asking import request
from gradcheck.casefile.case import Case
from gradcheck.diagnostics import Diagnostic, Refused
from gradcheck.engines import Engine, Failure, Outcome
from gradcheck.language import Lowered, lower


@dataclass(frozen=True)
class Evaluated:
    """What one engine made of a case: an outcome, or the reasons why there is none."""

    case: Case
    lowered: Lowered | None = None
    outcome: Outcome | Failure | None = None
    diagnostics: Sequence[Diagnostic] = ()

    @property
    def ran(self) -> bool:
        return self.case.skip is not None or isinstance(self.outcome, Outcome)


def evaluate_cases(cases: Iterable[Case], engine: Engine) -> Iterator[Evaluated]:
    """What `engine` alone makes of each case, under the case's own cotangents."""
    for case in cases:
        if case.skip is not None:
            yield Evaluated(case)
            continue
        try:
            lowered = lower(case)
        except Refused as refused:
            yield Evaluated(case, diagnostics=refused.diagnostics)
        else:
            yield Evaluated(case, lowered, engine.run(request(lowered)), lowered.warnings)
