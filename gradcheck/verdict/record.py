"""What a comparison found: the record that reporters show and that the exit status is read from.

It is plain: words, numbers, arrays and places in the case file, nothing that runs. So it can be kept, and come from
another process or machine.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Literal

from gradcheck.casefile.case import Case, Expect, Expression, Positions
from gradcheck.diagnostics import Diagnostic, Span
from gradcheck.dtypes import Array
from gradcheck.engines import Failure, Remark


class Verdict(StrEnum):
    """The outcome of one comparison, or of a case: the gravest of its comparisons."""

    AGREE = "agree"
    TIE = "tie"
    UNDEFINED = "undefined"
    DISCONNECTED = "disconnected"
    MISMATCH = "mismatch"
    UNSUPPORTED = "unsupported"
    ERROR = "error"
    TIMEOUT = "timeout"
    CRASHED = "crashed"


class Status(StrEnum):
    """What a case counts as."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_RUN = "could not run"
    UNSUPPORTED = "unsupported"
    SKIPPED = "skipped"


COUNTS_AS = {
    Verdict.AGREE: Status.PASSED,
    Verdict.TIE: Status.PASSED,
    Verdict.UNDEFINED: Status.PASSED,
    Verdict.DISCONNECTED: Status.FAILED,
    Verdict.MISMATCH: Status.FAILED,
    Verdict.UNSUPPORTED: Status.UNSUPPORTED,
    Verdict.ERROR: Status.NOT_RUN,
    Verdict.TIMEOUT: Status.NOT_RUN,
    Verdict.CRASHED: Status.NOT_RUN,
}
GRAVITY = list(Verdict)
"""The verdicts from the lightest to the gravest."""


Quantity = Literal["output", "gradient", "jacobian", "hessian", "jvp", "hvp"]


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a comparison: both values, how far apart they are and how far they may be."""

    index: tuple[int, ...]
    left: complex
    right: complex
    difference: float
    allowed: float

    @property
    def used(self) -> float:
        """The difference as a share of what is allowed."""
        if self.difference == 0:
            return 0.0
        return self.difference / self.allowed if self.allowed > 0 else float("inf")


@dataclass(frozen=True, eq=False, slots=True)
class Comparison:
    """Two answers to one question, element by element."""

    quantity: Quantity
    variable: str
    """The source of a gradient; for an output `output`, or `output[1]` if there are several; of a Hessian `x/y`."""
    cotangent: Literal["ones", "given", "seeded"] | None
    """What the targets were weighted with; None for an output."""
    sides: tuple[str, str]
    """Who gave `left` and `right`: engine names, or `expect` for a pinned value."""
    verdict: Verdict
    left: Array | None
    right: Array | None
    worst: Element | None = None
    """The element that uses most of what is allowed; None where shapes differ or nothing could be compared."""
    beyond: int = 0
    """How many elements differ by more than is allowed."""
    note: str = ""
    limits: Array | None = None
    """The difference that is allowed at each element; None where there is nothing to compare with."""


@dataclass(frozen=True, slots=True)
class CrossCheck:
    """One identity that a right derivative satisfies, tried on what one side gave: no second opinion is needed."""

    name: Literal["reverse against forward", "Taylor remainder", "symmetry", "complex step"]
    side: str
    """An engine's name; empty where the check does not apply to either side."""
    passed: bool | None
    """None where it does not apply."""
    sentence: str
    """What was found and what was expected, or why it does not apply."""
    expected: float | None = None
    found: float | None = None
    """What the side gave; for a Taylor remainder its order, None where rounding leaves nothing of it."""
    allowed: float | None = None
    """How far both may be apart; for a Taylor remainder the least order."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A derivative, an honest bound on its distance from the true one, and why it is inconclusive, in words."""

    value: complex
    """TensorFlow's convention for a complex source, df/dx + i df/dy; for a real one its imaginary part is 0."""
    error: float
    """Infinite if nothing converged."""
    note: str = ""


class Ruling(StrEnum):
    """What the referee says of two answers."""

    SUBJECT_WRONG = "subject-wrong"
    REFERENCE_WRONG = "reference-wrong"
    BOTH_WRONG = "both-wrong"
    BOTH_RIGHT = "both-right"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, eq=False, slots=True)
class Judged:
    """What the referee says of the worst element of one comparison."""

    comparison: Comparison
    element: Element
    estimate: Estimate
    ruling: Ruling


@dataclass(frozen=True, slots=True)
class Call:
    """An operation of the case, by its name and by where it is called; None if the file does not say."""

    operation: str
    span: Span | None


Wrongness = Literal["forward", "gradient", "fan-out", "mutation"]
"""What is wrong by itself: the value of an operation, what its rule hands to one of its inputs, the sum of what the
readers of a value hand back to it, or that an operation changes what others still read."""


@dataclass(frozen=True, eq=False, slots=True)
class Accused:
    """One thing that is wrong by itself, in words."""

    kind: Wrongness
    call: Call
    """For a fan-out, the first of the readers."""
    argument: int | None
    """For a gradient, the position of the input that it is for."""
    sentence: str
    slip: str | None
    """The identifier of the kind of slip; None if no usual slip explains it."""
    comparison: Comparison | None = None
    """What the operation gave by itself beside what is right; None for a mutation, which shows elsewhere."""

    @property
    def span(self) -> Span | None:
        """The operation's place in the case file."""
        return self.call.span


@dataclass(frozen=True, eq=False, slots=True)
class Diagnosis:
    """Everything that was found about a disagreement."""

    judged: Sequence[Judged]
    accused: Sequence[Accused]
    sentence: str
    note: str = ""
    tried: Sequence[Call] = ()
    """The operations that were tried by themselves: those that are not accused are right."""


_NOWHERE, _UNPINNED = Positions(), Expect()
_NONE: Mapping[str, Any] = MappingProxyType({})
"""What is left of thousands of cases, once for all of them."""


@dataclass(frozen=True, eq=False, slots=True)
class Result:
    """A case and everything that was found about it."""

    case: Case
    verdict: Verdict | None
    """None for a case that was skipped."""
    comparisons: Sequence[Comparison] = ()
    failures: Sequence[tuple[str, Failure]] = ()
    """Engines that gave no answer, by name."""
    diagnostics: Sequence[Diagnostic] = ()
    diagnosis: Diagnosis | None = None
    """Who is wrong and what is to blame, where something differs or it was asked for."""
    evidence: Sequence[CrossCheck] = ()
    """Checks that need no second opinion, of each side by itself; made where something differs or on request."""
    note: str = ""
    remarks: Sequence[Remark] = ()
    """What the subject did besides answering."""
    convention: str = ""
    """Why the subject differs by its own choice, where everything that differs is explained so."""
    seconds: float = 0.0
    kept: bool = False
    """Whether it was found in an earlier run, and nothing that it depends on has changed."""

    def lean(self) -> "Result":
        """Without its numbers, if it has passed: of thousands of cases that have, only what they are counted as is told
        at the end."""
        if self.status is not Status.PASSED:
            return self
        case = replace(
            self.case,
            expr=Expression("", self.case.span.source, _NOWHERE),
            inputs=_NONE,
            tangents=_NONE,
            output_gradients=None,
            expect=_UNPINNED,
        )
        return replace(self, case=case, comparisons=())

    @property
    def status(self) -> Status:
        """What the case counts as: a failure that a baseline knows passes."""
        return Status.PASSED if self.known else self.found

    @property
    def known(self) -> bool:
        """Whether it fails, and a baseline knows that it fails by this verdict."""
        return self.found in (Status.FAILED, Status.NOT_RUN) and self.verdict == self.case.known_failure

    @property
    def found(self) -> Status:
        """What the case counts as by itself; a `known_mismatch` passes while it mismatches, and fails when it stops."""
        if self.verdict is None:
            return Status.SKIPPED
        status = COUNTS_AS[self.verdict]
        if self.convention and status is Status.FAILED:
            return Status.PASSED
        if self.case.known_mismatch and status in (Status.PASSED, Status.FAILED):
            return Status.PASSED if status is Status.FAILED else Status.FAILED
        return status


def gravest(verdicts: Sequence[Verdict]) -> Verdict:
    """The gravest of `verdicts`; agreement if there are none."""
    return max(verdicts, key=GRAVITY.index, default=Verdict.AGREE)
