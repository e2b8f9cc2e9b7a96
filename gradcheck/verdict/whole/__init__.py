"""What is wrong with the gradient of a whole program, where its operations cannot be tried one by one.

A function with a hand-written backward runs nothing but itself. So hypotheses are tried instead: exactly one mistake,
at one place of the case's expression, whose consequences are carried to the sources by our own rules. One counts if it
gives the subject's gradients, element by element, under every set of cotangents.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gradcheck.casefile.case import Tolerance
from gradcheck.engines import Request
from gradcheck.verdict.blame import Blame
from gradcheck.verdict.record import Comparison
from gradcheck.verdict.slips import Wrong, explain
from gradcheck.verdict.whole.edges import Search
from gradcheck.verdict.whole.evidence import Evidence
from gradcheck.verdict.whole.flow import Flow
from gradcheck.verdict.whole.forward import wrong_outputs
from gradcheck.verdict.whole.gradients import handed_over, with_respect_to
from gradcheck.verdict.whole.hypothesis import Hypothesis, Names, listed, rank

__all__ = ["Account", "Explanation", "explain_whole"]

MOST_SEARCHED = 400
"""In a program with more contributions than these no place is searched for."""
MOST_NAMED = 2
"""How many other places are named at most from which the same numbers would come."""


@dataclass(frozen=True, eq=False)
class Account:
    """One thing that is wrong with a whole program, in words."""

    sentence: str
    slip: str | None
    """The identifier of the kind of slip; None if no usual slip explains it."""
    blame: Blame | None = None
    """The operation at which the mistake was made; None where it is none of them, or not known."""


@dataclass(frozen=True, eq=False)
class Explanation:
    """Everything that was found, what is plain to see first; `note` says from where else the numbers may come."""

    accounts: tuple[Account, ...]
    note: str = ""


def explain_whole(request: Request, comparisons: Sequence[Comparison], tolerance: Tolerance) -> Explanation:
    """What explains the differences in `comparisons`, which are all that were made of one case, as `judge` makes them.

    A hypothesis has to give every gradient under every set of cotangents. Where none explains them all, several may do
    so together if no gradient is explained by two of them. "No usual slip explains it" is an account too.
    """
    if request.directions is not None or not request.sources:
        return Explanation(())  # second derivatives, and derivatives that the program itself gives, do not flow here
    evidence = Evidence(request, comparisons, tolerance)
    if not request.program.instructions or not request.sources:
        return Explanation(tuple(_unexplained(evidence, evidence.wrong)))
    flow = Flow(request)
    names = Names(flow.program, request.program)
    accounts: list[Account] = []
    for each in wrong_outputs(request, evidence.outputs, evidence.output_limits, names):
        accused = None if each.instruction is None else Blame("forward", each.instruction, each.comparison)
        accounts.append(Account(each.sentence, each.slip, accused))
    with np.errstate(all="ignore"):
        accounts += _plain(flow, evidence)
        chosen, others = _chosen(flow, evidence, names)
    accounts += [_account(each, evidence) for each in chosen]
    if chosen or not evidence.wrong:
        return Explanation(tuple(accounts), _elsewhere(others))
    searched = len(flow.edges) <= MOST_SEARCHED
    note = "" if searched else "the expression is too long to try a mistake at each of its operations"
    return Explanation((*accounts, *_unexplained(evidence, evidence.wrong)), note)


def _chosen(flow: Flow, evidence: Evidence, names: Names) -> tuple[list[Hypothesis], list[Hypothesis]]:
    """The fewest hypotheses that explain all that is wrong, and what is as simple as a single one of them."""
    if not evidence.wrong:
        return [], []
    tried = [*handed_over(flow, evidence)]
    if len(flow.edges) <= MOST_SEARCHED:
        search = Search(flow, evidence, names)
        tried += search.hypotheses()
        if frozenset().union(*(each.covers for each in tried)) != evidence.wrong:
            tried += search.pairs()
    tried.sort(key=lambda each: (-len(each.covers), each.rank, each.position))
    chosen: list[Hypothesis] = []
    for each in tried:
        if not any(each.covers & other.covers for other in chosen):
            chosen.append(each)
    if frozenset().union(*(each.covers for each in chosen)) != evidence.wrong:
        return [], []
    chosen = [_plainer(each, tried) for each in chosen]
    if len(chosen) > 1 or chosen[0].instruction is None:
        return chosen, []
    (first,) = chosen
    beside = [
        each
        for each in tried
        if each.covers == first.covers
        and (each.rank == first.rank or each.kind == first.kind)
        and (each.instruction, each.argument) != (first.instruction, first.argument)
    ]
    return chosen, list({(id(each.instruction), each.argument): each for each in reversed(beside)}.values())[::-1]


def _plainer(hypothesis: Hypothesis, tried: Sequence[Hypothesis]) -> Hypothesis:
    """The same mistake as a sign or a usual factor, if it is one: a slope tells where it is made, not what it is."""
    if hypothesis.kind != "slope":
        return hypothesis
    at = (hypothesis.covers, hypothesis.instruction, hypothesis.argument)
    same = [each for each in tried if (each.covers, each.instruction, each.argument) == at]
    usual = [each for each in same if each.rank in (rank("sign"), rank("factor"))]
    return replace(usual[0], rank=hypothesis.rank) if usual else hypothesis


def _account(hypothesis: Hypothesis, evidence: Evidence) -> Account:
    if hypothesis.instruction is None:
        return Account(hypothesis.clause, hypothesis.kind)
    comparison = max(map(evidence.comparison, hypothesis.covers), key=lambda each: each.worst.used if each.worst else 0)
    accused = Blame("gradient", hypothesis.instruction, comparison, hypothesis.argument)
    sentence = f"{with_respect_to(evidence, hypothesis.covers)} what comes out if {hypothesis.clause}"
    return Account(sentence, hypothesis.kind, accused)


def _elsewhere(others: Sequence[Hypothesis]) -> str:
    if not others:
        return ""
    clauses = [each.clause for each in others[:MOST_NAMED]]
    if len(others) > MOST_NAMED:
        clauses.append(f"in {len(others) - MOST_NAMED} more ways")
    return f"the same numbers come out if {listed(clauses, 'or')}"


def _unexplained(evidence: Evidence, sources: frozenset[int]) -> Iterator[Account]:
    if sources:
        words = "explains them" if len(sources) > 1 else "explains it"
        yield Account(f"{with_respect_to(evidence, sources)} wrong; no usual slip {words}", None)


def _plain(flow: Flow, evidence: Evidence) -> Iterator[Account]:
    """What is seen before a number is read: a gradient that is missing, has another shape, or is not finite."""
    failed = {
        source: comparison
        for source in range(len(evidence.sources))
        if source not in evidence.usable and (comparison := evidence.failure(source)) is not None
    }
    given_for = {source: evidence.belongs_to(source) for source in failed}
    for source, comparison in failed.items():
        other = given_for[source]
        if other is not None and given_for.get(other) == source:
            if source < other:
                yield Account(f"{with_respect_to(evidence, [source, other])} exchanged", "exchanged")
        elif other is not None:
            name = f"`{evidence.sources[other]}`"
            yield Account(f"{with_respect_to(evidence, [source])} that with respect to {name}", "exchanged")
        else:
            yield _misshapen(flow, evidence, source, comparison)


def _misshapen(flow: Flow, evidence: Evidence, source: int, comparison: Comparison) -> Account:
    """What is wrong with a gradient that no hypothesis about numbers can be held against."""
    name = f"its gradient with respect to `{evidence.sources[source]}`"
    edges = [each for each in flow.edges if each.value == flow.program.inputs[evidence.sources[source]]]
    if not edges:
        return Account(f"{name} has a value, where nothing should be connected", "connected")
    right = comparison.right
    operand = np.zeros(evidence.shape(source)) if right is None else right
    instruction = edges[0].instruction
    allowed = evidence.allowed_in(comparison)
    wrong = Wrong(
        instruction.op, instruction.attributes, (operand,), (), (), 0, comparison.left, right, (right,), allowed
    )
    slip = explain(wrong)
    if slip is None:
        return Account(f"{name} is wrong; no usual slip explains it", None)
    accused = None
    if len(edges) == 1:
        accused = Blame("gradient", instruction, comparison, edges[0].argument)
    return Account(f"{name} {slip.sentence}", slip.kind, accused)
