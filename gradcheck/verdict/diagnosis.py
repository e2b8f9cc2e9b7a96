"""Two sides differ: who is right, which operation is to blame, and what kind of slip it is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from gradcheck.dtypes import FLOAT32
from gradcheck.engines import Engine, Failure, Remark, Request
from gradcheck.program import Instruction
from gradcheck.verdict.blame import Blame, blame
from gradcheck.verdict.crosschecks import cross_checks, wrong_side
from gradcheck.verdict.growth import Timed, growth
from gradcheck.verdict.habits import early, merged, unreached
from gradcheck.verdict.inquiry import Inquiry
from gradcheck.verdict.kinks import is_subgradient, kinks, undefined_cause
from gradcheck.verdict.record import (
    COUNTS_AS,
    Accused,
    Call,
    Comparison,
    Diagnosis,
    Judged,
    Result,
    Ruling,
    Status,
    Verdict,
    gravest,
)
from gradcheck.verdict.referee import Referee, ruling
from gradcheck.verdict.slips import Slip, explain
from gradcheck.verdict.slips.forward import explain_value
from gradcheck.verdict.whole import Explanation, explain_whole

if TYPE_CHECKING:
    from gradcheck.reference.answers import Reference

BUDGET = 1.0
"""Seconds that the referee may take for one case."""
FEW = 8
"""Up to how many elements of a variable are all looked at for a tie."""
MOST = 3
"""How many variables the referee looks at, those that differ most first."""

OF_A_WALK = ("left-out", "fan-out", "missing-chain", "exchanged")
"""The slips of a whole program that may be made although each of its operations is right by itself."""
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")


@runtime_checkable
class Audited(Protocol):
    """An engine that can be watched while it runs."""

    def audit(self, request: Request) -> Sequence[Remark]:
        """What it changes in place that others may still read, with the operation that does it where that is known."""
        ...


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
    return [_like_its_tie(each, settled) for each in settled]


def _like_its_tie(comparison: Comparison, settled: Sequence[Comparison]) -> Comparison:
    """What the subject gives against a pinned number is a tie where it is one against the reference."""
    if comparison.sides[1] != "expect" or comparison.verdict is not Verdict.MISMATCH:
        return comparison
    for each in settled:
        same = (each.sides[0], each.quantity, each.variable, each.cotangent) == (
            comparison.sides[0],
            comparison.quantity,
            comparison.variable,
            comparison.cotangent,
        )
        if same and each.verdict is Verdict.TIE:
            return replace(comparison, verdict=Verdict.TIE, note=each.note)
    return comparison


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


def explained(result: Result, request: Request, subject: Engine, reference: "Reference", inquiry: Inquiry) -> Result:
    """`result` with its ties settled, and with what can be said about what differs or is undefined in it."""
    if not result.comparisons:
        late = any(name == subject.name and each.kind == "timeout" for name, each in result.failures)
        return replace(result, note=growth(subject)) if late and isinstance(subject, Timed) else result
    comparisons = settle_ties(request, result.comparisons)
    if "unconnected" in inquiry.conventions:
        comparisons = [zero_for_none(each, inquiry.conventions["unconnected"]) for each in comparisons]
    verdict = gravest([each.verdict for each in comparisons])
    state = [each.message for each in result.remarks if each.kind == "state"]
    if state:  # what an operation does by itself says nothing as long as one run changes the next
        kept = Diagnosis((), (), f"{subject.name} keeps something from one run to the next: {state[0]}")
        verdict = gravest([verdict, Verdict.MISMATCH])
        return replace(result, comparisons=comparisons, verdict=verdict, diagnosis=kept)
    wrong = engines_differ(comparisons)
    evidence = cross_checks(request, comparisons) if wrong or inquiry.evidence else ()
    diagnosis = None
    if wrong or inquiry.blame or inquiry.referee:
        asked = comparisons if inquiry.referee else wrong
        judged = tuple(_judged(request, [each for each in asked if each.sides[1] != "expect"]))
        diagnosis = _who_alone(judged, subject.name, reference.name)
        if wrong or inquiry.blame:
            whole = partial(explain_whole, request, comparisons, result.case.tolerance)
            diagnosis = diagnose(request, judged, subject, reference, whole, wrong_side(evidence))
    note = result.note
    if verdict is Verdict.UNDEFINED and not note:
        note = _cause(request)
    if verdict is Verdict.TIE and not note:
        note = _tied(request)
    convention = _convention(diagnosis, inquiry.conventions)
    if convention and diagnosis is not None:  # it is not wrong, then, whatever the referee thinks of it
        diagnosis = replace(diagnosis, sentence=diagnosis.accused[0].sentence)
    return replace(
        result,
        comparisons=comparisons,
        verdict=verdict,
        diagnosis=diagnosis,
        evidence=evidence,
        note=note,
        convention=convention,
    )


def zero_for_none(comparison: Comparison, convention: str) -> Comparison:
    """A comparison in which "not connected" met nothing but zeros agrees where the subject does so by choice."""
    value = comparison.left if comparison.right is None else comparison.right
    if comparison.verdict is not Verdict.DISCONNECTED or value is None or np.any(value):
        return comparison
    return replace(comparison, verdict=Verdict.AGREE, note=convention)


def _convention(diagnosis: Diagnosis | None, conventions: Mapping[str, str]) -> str:
    """The words for everything that is accused, if the subject states each as its choice."""
    if diagnosis is None or not diagnosis.accused:
        return ""
    names = dict.fromkeys(each.call.operation for each in diagnosis.accused)
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
    where = f" at {list(index)}" if index else ""
    return f"{_named(instruction)} is not finite{where}{f': {sentence}' if sentence else ''}"


def _tied(request: Request) -> str:
    """The operations at whose kinks the two sides differ, each by choice."""
    names = dict.fromkeys(_named(each.instruction) for each in kinks(request))
    return f"at a kink of {' and '.join(names)}: both gradients are subgradients"


def _named(instruction: Instruction) -> str:
    return f"`{instruction.op.name}`{f' (line {instruction.span.line})' if instruction.span else ''}"


def diagnose(
    request: Request,
    judged: tuple[Judged, ...],
    subject: Engine,
    reference: "Reference",
    whole: Callable[[], Explanation],
    by_checks: str = "",
) -> Diagnosis:
    """Who is wrong and what is to blame, with what the referee says of the elements in question.

    `whole` explains the gradients of the case as a whole, where its operations by themselves explain nothing.
    `by_checks` is who is wrong by the cross-checks; it is heard where the referee cannot tell.
    """
    who = _who(judged, subject.name, reference.name)
    reference_wrong = any(each.ruling is Ruling.REFERENCE_WRONG for each in judged)
    if not who and by_checks:
        who, reference_wrong = f"{by_checks} is wrong by the cross-checks: ", by_checks == reference.name
    seeded = 1 if len(request.cotangents) > 1 else 0  # under non-uniform cotangents nothing cancels
    trace = reference.trace(request, seeded)
    if isinstance(trace, Failure):
        return _untraced(judged, who, None if reference_wrong else whole(), f"no blame: {trace.message}")
    if habit := merged(request, subject):  # operations on equal numbers would be accused
        return Diagnosis(judged, (), who + habit, _LATER)
    changed = _changed(request, subject)
    trial = blame(request, trace, subject, reference, [instruction for instruction, _ in changed])
    if trial is None:
        return _as_a_whole(judged, who, None if reference_wrong else whole())
    dtype = request.inputs[request.sources[0]].dtype if request.sources else FLOAT32
    accused = (
        *(Accused("mutation", _call(instruction), None, message, "in-place") for instruction, message in changed),
        *(_accused(each, reference_wrong=reference_wrong) for each in trial.wrong),
    )
    tried = tuple(dict.fromkeys(map(_call, trial.tried)))
    if accused and all(each.slip == "not-connected" for each in accused) and unreached(subject, dtype):
        return Diagnosis(judged, (), f'{who}it says "not connected" of every input, whatever the operation', _LATER)
    if not accused:
        nothing = "every operation and every sum at a fan-out is right by itself"
        accounts = () if reference_wrong else whole().accounts
        note = "; ".join(each.sentence for each in accounts if each.slip in OF_A_WALK)
        if who and (habit := early(subject, dtype)):
            return Diagnosis(judged, (), f"{who}{habit}", "; ".join(filter(None, [nothing, note])), tried)
        cause = "; the order of the walk, or state kept between operations, is at fault" if who else ""
        return Diagnosis(judged, (), f"{who}{nothing}{cause}", note, tried)
    sentence = who + accused[0].sentence
    if any(each.weighs for each in trial.wrong):
        return Diagnosis(judged, accused, sentence, f"it brings cotangents in by that product: {_LATER}", tried)
    rest = f"{len(accused) - 1} more of its parts are wrong" if len(accused) > 1 else "nothing else is wrong"
    return Diagnosis(judged, accused, sentence, rest, tried)


_LATER = "what else is wrong can be told once that is right"


def _changed(request: Request, subject: Engine) -> list[tuple[Instruction, str]]:
    """The operations that change in place what others may still read, and how, if the subject can be watched."""
    if not isinstance(subject, Audited):
        return []
    instructions = request.program.instructions
    return [
        (instructions[each.instruction], each.message)
        for each in subject.audit(request)
        if each.instruction is not None
    ]


def _as_a_whole(judged: tuple[Judged, ...], who: str, found: Explanation | None) -> Diagnosis:
    """What is wrong with a program whose operations the subject cannot run by themselves."""
    if found is None or not found.accounts:
        return Diagnosis(judged, (), who.removesuffix(": ") or "it runs this program as a whole, and that is right")
    accused = tuple(_charge(each.blame, each.sentence, each.slip) for each in found.accounts if each.blame is not None)
    others = "; ".join(each.sentence for each in found.accounts if each.blame is None)
    if not accused:
        return Diagnosis(judged, (), who + others, found.note)
    return Diagnosis(judged, accused, who + accused[0].sentence, "; ".join(filter(None, [others, found.note])))


def _untraced(judged: tuple[Judged, ...], who: str, found: Explanation | None, why: str) -> Diagnosis:
    """What can be told without the reference's values in between, and `why` it is not more."""
    if found is None or not found.accounts:
        return Diagnosis(judged, (), who.removesuffix(": "), why)
    told = _as_a_whole(judged, who, found)
    return replace(told, note="; ".join(filter(None, [why, told.note])))


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
        plain = replace(estimate, value=complex(estimate.value))
        found.append(Judged(each, each.worst, plain, verdict))
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


def _call(instruction: Instruction) -> Call:
    return Call(instruction.op.name, instruction.span)


def _charge(found: Blame, sentence: str, slip: str | None) -> Accused:
    return Accused(found.kind, _call(found.instruction), found.argument, sentence, slip, found.comparison)


def _accused(found: Blame, *, reference_wrong: bool) -> Accused:
    name = _named(found.instruction)
    if found.kind == "forward":
        wrong_value = _value_slip(found)
        if wrong_value is None:
            return _charge(found, f"the value of {name} is wrong", None)
        return _charge(found, f"the value of {name} {wrong_value.sentence}", wrong_value.kind)
    if found.kind == "fan-out":
        sentence = f"what the readers of {found.value} hand back is not summed; the first of them is {name}"
        return _charge(found, sentence, "fan-out")
    assert found.argument is not None
    assert found.wrong is not None
    wrong = found.wrong
    if reference_wrong:
        wrong = replace(wrong, found=wrong.right, right=wrong.found)
    which = ORDINALS[found.argument] if found.argument < len(ORDINALS) else f"{found.argument + 1}th"
    beginning = f"the gradient of {name} with respect to its {which} argument"
    if len(found.instruction.inputs) == 1:
        beginning = f"the gradient of {name}"
    slip = explain(wrong)
    if slip is None:
        return _charge(found, f"{beginning} is wrong; no usual slip explains it", None)
    return _charge(found, f"{beginning} {slip.sentence}", slip.kind)


def _value_slip(found: Blame) -> Slip | None:
    wrong = found.wrong
    if wrong is None or wrong.found is None or wrong.right is None or wrong.allowed is None:
        return None
    if wrong.found.shape != wrong.right.shape:
        return Slip("shape", f"has shape {list(wrong.found.shape)}, not {list(wrong.right.shape)}")
    return explain_value(wrong.op, wrong.inputs, wrong.found, wrong.allowed)
