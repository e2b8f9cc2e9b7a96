"""One answer of one engine to one question: right, wrong, or why there is none."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

from gradcheck.casefile.case import Tolerance
from gradcheck.engine.numpy_engine import about_gradients
from gradcheck.engines import Failure, Outcome, Request
from gradcheck.report import text
from gradcheck.score.card import Mark
from gradcheck.verdict.compare import compare_values
from gradcheck.verdict.diagnosis import BUDGET, settle_ties, zero_for_none
from gradcheck.verdict.record import COUNTS_AS, Comparison, Ruling, Status, Verdict, gravest
from gradcheck.verdict.referee import Referee, ruling
from gradcheck.verdict.tolerance import Allowance, allowance, limits

Found = tuple[Mark, str]
"""A mark, and what there is to say about it."""

_PASSED = {Verdict.AGREE: Mark.AGREE, Verdict.UNDEFINED: Mark.AGREE, Verdict.TIE: Mark.TIE}


class Judge:
    """Knows the reference's answer to one request, and by how much others may differ from it."""

    def __init__(self, request: Request, reference: Outcome | Failure) -> None:
        self._operation = request.program.instructions[0].op.name
        self._reference = reference
        self._request = request

    def judge(self, engine: str, answer: Outcome | Failure, conventions: Mapping[str, str]) -> Found:
        """What to make of an engine's answer; `conventions` are those that it states."""
        if isinstance(answer, Failure) and (answer.kind != "error" or isinstance(self._reference, Outcome)):
            return Mark(answer.kind), answer.message
        if isinstance(self._reference, Failure):
            return Mark.NO_REFERENCE, self._reference.message
        assert isinstance(answer, Outcome)
        kept = next((each.message for each in answer.remarks if each.kind == "state"), None)
        if kept is not None:
            return Mark.MISMATCH, f"{engine} keeps something from one run to the next: {kept}"
        comparisons = settle_ties(self._derived, list(self._compared(engine, answer, self._reference)))
        comparisons = [_excused(each, conventions) for each in comparisons]
        verdict = gravest([each.verdict for each in comparisons])
        worst = next(each for each in comparisons if each.verdict is verdict)
        if verdict in _PASSED:
            return _PASSED[verdict], worst.note
        if self._operation in conventions:
            return Mark.CHOICE, conventions[self._operation]
        if self._reference_wrong(comparisons):
            return Mark.NO_REFERENCE, f"TensorFlow is wrong: {difference(worst)}"
        return Mark.MISMATCH, difference(worst)

    @cached_property
    def _derived(self) -> Request:
        """Second derivatives are the first ones of the gradient program, for the bounds and for the referee as well."""
        return about_gradients(self._request)[0] if self._twice else self._request

    @property
    def _twice(self) -> bool:
        return self._request.directions is not None

    def _compared(self, engine: str, answer: Outcome, reference: Outcome) -> Iterator[Comparison]:
        sides = (engine, "tensorflow")
        if not self._twice:
            values = zip(answer.outputs, reference.outputs, self._bounds.outputs, strict=True)
            for position, (found, right, bound) in enumerate(values):
                name = "output" if len(reference.outputs) == 1 else f"output[{position}]"
                yield compare_values("output", name, None, sides, found, right, bound)
        bounds = self._bounds.gradients[0]
        rows = zip(self._request.sources, answer.gradients[0], reference.gradients[0], bounds, strict=True)
        for source, mine, theirs, bound in rows:
            allowed = None if theirs is None else limits(theirs, bound, Tolerance())
            yield compare_values("gradient", source, "given", sides, mine, theirs, allowed)

    @cached_property
    def _bounds(self) -> Allowance:
        return allowance(self._derived)

    def _reference_wrong(self, comparisons: Iterable[Comparison]) -> bool:
        """Whether the referee finds the engine right, and TensorFlow wrong, wherever they differ most."""
        wrong = [each for each in comparisons if COUNTS_AS[each.verdict] is Status.FAILED]
        return all(self._ruling(each) is Ruling.REFERENCE_WRONG for each in wrong)

    def _ruling(self, comparison: Comparison) -> Ruling:
        if comparison.quantity == "output" or comparison.worst is None:
            return Ruling.INCONCLUSIVE
        worst = comparison.worst
        referee = Referee(self._derived, BUDGET)
        estimate = referee.derivative(comparison.variable, worst.index, self._derived.cotangents[0])
        return ruling(worst.left, worst.right, estimate, worst.allowed)


def _excused(comparison: Comparison, conventions: Mapping[str, str]) -> Comparison:
    """The comparison, in which "not connected" may stand for zeros if that is the engine's convention."""
    return zero_for_none(comparison, conventions["unconnected"]) if "unconnected" in conventions else comparison


def difference(comparison: Comparison) -> str:
    """Where two answers differ most, and by how much, in one sentence."""
    named = f"the gradient with respect to `{comparison.variable}`"
    if comparison.quantity == "output":
        named = "the output" if comparison.variable == "output" else f"`{comparison.variable}`"
    worst = comparison.worst
    if worst is None or comparison.right is None:
        return f"{named}: {comparison.note}"
    dtype = comparison.right.dtype.name
    values = (
        f"{name} {text.number(value, dtype)}"
        for name, value in zip(comparison.sides, (worst.left, worst.right), strict=True)
    )
    place = f" at {text.index(worst.index)}" if worst.index else ""
    return f"{named}{place}: {', '.join(values)}; {comparison.beyond} of {comparison.right.size} elements are wrong"
