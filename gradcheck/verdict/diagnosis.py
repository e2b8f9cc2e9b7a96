"""Two sides differ: who is right, which operation is to blame, and what kind of slip it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from gradcheck.diagnostics import Span
from gradcheck.engines import Engine, Failure, Request
from gradcheck.verdict.blame import Blame, blame
from gradcheck.verdict.kinks import is_subgradient, kinks, undefined_cause
from gradcheck.verdict.record import COUNTS_AS, Comparison, Element, Result, Status, Verdict, gravest
from gradcheck.verdict.referee import Estimate, Referee, Ruling, ruling
from gradcheck.verdict.slips import explain

if TYPE_CHECKING:
    from gradcheck.reference.worker import ReferenceWorker

BUDGET = 1.0
"""Seconds that the referee may take for one case."""
FEW = 8
"""Up to how many elements of a variable are all looked at for a tie."""
MOST = 3
"""How many variables the referee looks at, those that differ most first."""

ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")


@dataclass(frozen=True, eq=False)
class Judged:
    """What the referee says of the worst element of one comparison."""

    comparison: Comparison
    element: Element
    estimate: Estimate
    ruling: Ruling


@dataclass(frozen=True, eq=False)
class Accused:
    """One thing that is wrong by itself, in words."""

    blame: Blame
    sentence: str
    slip: str | None
    """The identifier of the kind of slip; None if no usual slip explains it."""

    @property
    def span(self) -> Span | None:
        """The operation's place in the case file."""
        return self.blame.instruction.span


@dataclass(frozen=True, eq=False)
class Diagnosis:
    """Everything that was found about a disagreement."""

    judged: tuple[Judged, ...]
    accused: tuple[Accused, ...]
    sentence: str
    note: str = ""


def engines_differ(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """The comparisons between the two engines that failed; what is pinned is another matter."""
    return [each for each in comparisons if each.sides[1] != "expect" and COUNTS_AS[each.verdict] is Status.FAILED]


def settle_ties(request: Request, comparisons: Sequence[Comparison]) -> list[Comparison]:
    """The comparisons, with `tie` instead of `mismatch` where the case lies on a kink and both are subgradients.

    All gradients under one cotangent are looked at together: at a tie of `maximum(x, y)` one each is not a subgradient.
    """
    settled = list(comparisons)
    if not any(each.verdict is Verdict.MISMATCH and each.quantity == "gradient" for each in engines_differ(settled)):
        return settled
    if not kinks(request):
        return settled
    referee = Referee(request, BUDGET)
    for position, cotangents in enumerate(request.cotangents):
        group = [each for each in settled if _under(each, position)]
        wrong = [each for each in group if each.verdict is Verdict.MISMATCH and each.worst is not None]
        if not wrong:
            continue
        elements = _questioned(group, wrong)
        sides = ({each.variable: each.left for each in group}, {each.variable: each.right for each in group})
        answers = [is_subgradient(referee, request, side, cotangents, elements) for side in sides]
        if answers == [True, True]:
            note = "a kink: both are subgradients"
            settled = [replace(each, verdict=Verdict.TIE, note=note) if each in wrong else each for each in settled]
    return settled


def _questioned(group: Sequence[Comparison], wrong: Sequence[Comparison]) -> dict[str, list[tuple[int, ...]]]:
    """The elements along which slopes are compared: the worst ones, and all where there are few.

    Those of other variables belong to it, because they may share in the same tie.
    """
    elements = {each.variable: [each.worst.index] for each in wrong if each.worst}
    for each in group:
        if each.right is not None and 0 < each.right.size <= FEW:
            elements[each.variable] = list(np.ndindex(each.right.shape))
    return elements


def _under(comparison: Comparison, position: int) -> bool:
    seeded = comparison.cotangent == "seeded"
    return comparison.quantity == "gradient" and comparison.sides[1] != "expect" and seeded == (position == 1)


@dataclass(frozen=True)
class Inquiry:
    """What to look into where nothing differs, what differs always being looked into, and what excuses a difference."""

    blame: bool = False
    """Try every operation by itself."""
    referee: bool = False
    """Ask the referee about the worst element of each variable."""
    conventions: Mapping[str, str] = field(default_factory=dict)
    """Where the subject differs from the reference by choice, in words by operation; `unconnected` for None or zero."""


def explained(
    result: Result, request: Request, subject: Engine, reference: "ReferenceWorker", inquiry: Inquiry
) -> Result:
    """`result` with its ties settled, and with what can be said about what differs or is undefined in it."""
    if not result.comparisons:
        return result
    comparisons = settle_ties(request, result.comparisons)
    if "unconnected" in inquiry.conventions:
        comparisons = [_zero_for_none(each, inquiry.conventions["unconnected"]) for each in comparisons]
    verdict = gravest([each.verdict for each in comparisons])
    state = [each.message for each in result.remarks if each.kind == "state"]
    if state:  # what an operation does by itself says nothing as long as one run changes the next
        kept = Diagnosis((), (), f"{subject.name} keeps something from one run to the next: {state[0]}")
        verdict = gravest([verdict, Verdict.MISMATCH])
        return replace(result, comparisons=comparisons, verdict=verdict, diagnosis=kept)
    wrong = engines_differ(comparisons)
    diagnosis = None
    if wrong or inquiry.blame or inquiry.referee:
        asked = comparisons if inquiry.referee else wrong
        judged = tuple(_judged(request, [each for each in asked if each.sides[1] != "expect"]))
        diagnosis = _who_alone(judged, subject.name, reference.name)
        if wrong or inquiry.blame:
            diagnosis = diagnose(request, judged, subject, reference)
    note = result.note
    if verdict is Verdict.UNDEFINED and not note:
        note = _cause(request)
    convention = _convention(diagnosis, inquiry.conventions)
    return replace(
        result, comparisons=comparisons, verdict=verdict, diagnosis=diagnosis, note=note, convention=convention
    )


def _zero_for_none(comparison: Comparison, convention: str) -> Comparison:
    """A comparison in which "not connected" met nothing but zeros agrees where the subject does so by choice."""
    value = comparison.left if comparison.right is None else comparison.right
    if comparison.verdict is not Verdict.DISCONNECTED or value is None or np.any(value):
        return comparison
    return replace(comparison, verdict=Verdict.AGREE, note=convention)


def _convention(diagnosis: Diagnosis | None, conventions: Mapping[str, str]) -> str:
    """The words for everything that is accused, if the subject states each as its choice."""
    if diagnosis is None or not diagnosis.accused:
        return ""
    names = dict.fromkeys(each.blame.instruction.op.name for each in diagnosis.accused)
    if not all(name in conventions for name in names):
        return ""
    return "; ".join(f"`{name}`: {conventions[name]}" for name in names)


def _who_alone(judged: tuple[Judged, ...], subject: str, reference: str) -> Diagnosis:
    """The referee's word where nothing differs and no blame is asked for."""
    if any(each.ruling is Ruling.INCONCLUSIVE for each in judged):
        return Diagnosis(judged, (), "the referee cannot tell for every variable")
    return Diagnosis(judged, (), f"{_who(judged, subject, reference) or 'both are right'}".removesuffix(": "))


def _cause(request: Request) -> str:
    """The operation that leaves the finite numbers first, and what to write instead where that is known."""
    found = undefined_cause(request)
    if found is None:
        return ""
    instruction, index, sentence = found
    line = f" (line {instruction.span.line})" if instruction.span else ""
    where = f" at {list(index)}" if index else ""
    return f"`{instruction.op.name}`{line} is not finite{where}{f': {sentence}' if sentence else ''}"


def diagnose(request: Request, judged: tuple[Judged, ...], subject: Engine, reference: "ReferenceWorker") -> Diagnosis:
    """Who is wrong and what is to blame, with what the referee says of the elements in question."""
    seeded = 1 if len(request.cotangents) > 1 else 0  # under non-uniform cotangents nothing cancels
    trace = reference.trace(request, seeded)
    if isinstance(trace, Failure):
        return Diagnosis(judged, (), _who(judged, subject.name, reference.name), f"no blame: {trace.message}")
    found = blame(request, trace, subject, reference)
    reference_wrong = any(each.ruling is Ruling.REFERENCE_WRONG for each in judged)
    accused = tuple(_accused(each, reference_wrong=reference_wrong) for each in found)
    who = _who(judged, subject.name, reference.name)
    if not accused:
        nothing = "every operation and every sum at a fan-out is right by itself"
        cause = "; the order of the walk, or state kept between operations, is at fault" if who else ""
        return Diagnosis(judged, (), f"{who}{nothing}{cause}")
    sentence = who + accused[0].sentence
    rest = f"{len(accused) - 1} more of its parts are wrong" if len(accused) > 1 else "nothing else is wrong"
    return Diagnosis(judged, accused, sentence, rest)


def _judged(request: Request, asked: Sequence[Comparison]) -> list[Judged]:
    referee = Referee(request, BUDGET)
    gradients: dict[str, Comparison] = {}
    for each in asked:
        if each.quantity == "gradient" and each.worst is not None:
            gradients.setdefault(each.variable, each)  # under the case's own cotangents, if it differs there
    found: list[Judged] = []
    for each in sorted(gradients.values(), key=lambda each: -(each.worst.used if each.worst else 0.0))[:MOST]:
        assert each.worst is not None
        cotangents = request.cotangents[1 if each.cotangent == "seeded" else 0]
        estimate = referee.derivative(each.variable, each.worst.index, cotangents)
        verdict = ruling(each.worst.left, each.worst.right, estimate, each.worst.allowed)
        found.append(Judged(each, each.worst, estimate, verdict))
    return found


def _who(judged: Sequence[Judged], subject: str, reference: str) -> str:
    """The beginning of the finding: which side is wrong, if the referee can tell."""
    rulings = {each.ruling for each in judged} - {Ruling.INCONCLUSIVE, Ruling.BOTH_RIGHT}
    if rulings == {Ruling.SUBJECT_WRONG}:
        return f"{subject} is wrong: "
    if rulings == {Ruling.REFERENCE_WRONG}:
        return f"{reference} is wrong: "
    if rulings:
        return f"{subject} and {reference} are both wrong: "
    return ""


def _accused(found: Blame, *, reference_wrong: bool) -> Accused:
    name = found.instruction.op.name
    line = f" (line {found.instruction.span.line})" if found.instruction.span else ""
    if found.kind == "forward":
        return Accused(found, f"the value of `{name}`{line} is wrong", None)
    if found.kind == "fan-out":
        sentence = f"what the readers of {found.value} hand back is not summed; the first of them is `{name}`{line}"
        return Accused(found, sentence, "fan-out")
    assert found.argument is not None
    assert found.wrong is not None
    wrong = found.wrong
    if reference_wrong:
        wrong = replace(wrong, found=wrong.right, right=wrong.found)
    which = ORDINALS[found.argument] if found.argument < len(ORDINALS) else f"{found.argument + 1}th"
    beginning = f"the gradient of `{name}`{line} with respect to its {which} argument"
    if len(found.instruction.inputs) == 1:
        beginning = f"the gradient of `{name}`{line}"
    slip = explain(wrong)
    if slip is None:
        return Accused(found, f"{beginning} is wrong; no usual slip explains it", None)
    return Accused(found, f"{beginning} {slip.sentence}", slip.kind)
