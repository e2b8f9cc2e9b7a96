"""A mistake that is made after the last operation or before the first: in what is handed over, or in all of it."""

from collections.abc import Collection, Iterator

import numpy as np

from gradcheck.dtypes import Array
from gradcheck.verdict.slips import values
from gradcheck.verdict.slips.scene import FAR, USUAL, Guess, Scene, Wrong
from gradcheck.verdict.whole.evidence import Evidence
from gradcheck.verdict.whole.flow import Effect, Flow
from gradcheck.verdict.whole.hypothesis import FITTED, OF_ALL, Hypothesis, listed, rank


def handed_over(flow: Flow, evidence: Evidence) -> Iterator[Hypothesis]:
    """Mistakes in the gradients as a whole that explain those of some sources and spoil none."""
    yield from _ignored(flow, evidence)
    yield from _exchanged(evidence)
    yield from _zero(evidence)
    if len(evidence.wrong) > 1 and evidence.wrong == evidence.connected:
        yield from _scaled(flow, evidence, evidence.wrong)
    for source in sorted(evidence.wrong):
        readers = [each for each in flow.edges if each.value == flow.program.inputs[evidence.sources[source]]]
        if len(readers) > 1:  # where it is one operation, its own slips say more
            yield from _scaled(flow, evidence, {source})
            yield from _moved(flow, evidence, source)


def with_respect_to(evidence: Evidence, sources: Collection[int]) -> str:
    """ "its gradient with respect to `x` is", or the same of several."""
    names = listed([f"`{evidence.sources[each]}`" for each in sorted(sources)])
    return (
        f"its gradients with respect to {names} are" if len(sources) > 1 else f"its gradient with respect to {names} is"
    )


def _ignored(flow: Flow, evidence: Evidence) -> Iterator[Hypothesis]:
    ones = flow.under_ones
    effect = tuple(
        tuple(_minus(each, right, evidence, at) for at, (each, right) in enumerate(zip(ones, row, strict=True)))
        for row in flow.gradients
    )
    covers = evidence.covered(effect, USUAL)
    if covers:
        clause = f"the incoming cotangent is ignored: {with_respect_to(evidence, covers)} the same for every cotangent"
        yield Hypothesis("missing-chain", clause, covers, rank("missing-chain"))


def _minus(one: Array | None, other: Array | None, evidence: Evidence, source: int) -> Array:
    if one is None or other is None:
        return np.zeros(evidence.shape(source))
    return one - other


def _exchanged(evidence: Evidence) -> Iterator[Hypothesis]:
    """The gradient of one source given for another."""
    given_for: dict[int, int] = {}
    for source in sorted(evidence.wrong):
        for other in sorted(evidence.usable - {source}):
            if evidence.shape(source) == evidence.shape(other):
                effect = tuple(
                    tuple(
                        evidence.right_of(at, other) - evidence.right_of(at, source)
                        if position == source
                        else np.zeros(evidence.shape(position))
                        for position in range(len(evidence.sources))
                    )
                    for at in range(evidence.sets)
                )
                if evidence.covered(effect, USUAL):
                    given_for.setdefault(source, other)
    for source, other in given_for.items():
        if given_for.get(other) == source:
            if source < other:
                covers = frozenset([source, other])
                yield Hypothesis("exchanged", f"{with_respect_to(evidence, covers)} exchanged", covers, 0)
        else:
            clause = f"{with_respect_to(evidence, [source])} that with respect to `{evidence.sources[other]}`"
            yield Hypothesis("exchanged", clause, frozenset([source]), 0)


def _zero(evidence: Evidence) -> Iterator[Hypothesis]:
    for source in sorted(evidence.wrong):
        if evidence.is_zero(source):
            clause = f"{with_respect_to(evidence, [source])} zero everywhere"
            yield Hypothesis("zeros", clause, frozenset([source]), -1)


def _scaled(flow: Flow, evidence: Evidence, sources: Collection[int]) -> Iterator[Hypothesis]:
    """One factor in the gradients of `sources`."""
    several = len(sources) > 1
    beginning = with_respect_to(evidence, sources)
    usual = [
        (-1.0, "sign", "of the wrong sign"),
        (2.0, "factor", "2 times too large"),
        (0.5, "factor", "2 times too small"),
    ]
    for n in sorted({size for each in flow.shapes for size in each if size > 2}):
        usual.append((float(n), "factor", f"n = {n} times too large, n being the size of an axis"))
        usual.append((1.0 / n, "factor", f"n = {n} times too small, n being the size of an axis"))
    for factor, kind, words in usual:
        covers = evidence.covered(_times(evidence, factor - 1, sources), USUAL)
        if covers:
            yield Hypothesis(kind, f"{beginning} {words}", covers, OF_ALL if several else rank(kind))
            return
    fitted = evidence.fitted_factor(sources)
    covers = evidence.covered(_times(evidence, fitted - 1, sources), FAR, fitted=True)
    if covers:
        should = "they should be" if several else "it should be"
        yield Hypothesis("factor", f"{beginning} {values.number(fitted)} times what {should}", covers, FITTED)


def _times(evidence: Evidence, factor: float, sources: Collection[int]) -> Effect:
    return tuple(
        tuple(
            factor * evidence.right_of(at, source) if source in sources else np.zeros(evidence.shape(source))
            for source in range(len(evidence.sources))
        )
        for at in range(evidence.sets)
    )


def _moved(flow: Flow, evidence: Evidence, source: int) -> Iterator[Hypothesis]:
    """The right numbers in the wrong places."""
    rows = [list(_guesses(flow, evidence, at, source)) for at in range(evidence.sets)]
    for guesses in zip(*rows, strict=False):
        if len({each.sentence for each in guesses}) == 1:
            effect = tuple(
                tuple(
                    np.asarray(guesses[at].value) - evidence.right_of(at, source)
                    if position == source
                    else np.zeros(evidence.shape(position))
                    for position in range(len(evidence.sources))
                )
                for at in range(evidence.sets)
            )
            covers = evidence.covered(effect, USUAL)
            if covers:
                clause = f"its gradient with respect to `{evidence.sources[source]}` {guesses[0].sentence}"
                yield Hypothesis(guesses[0].kind, clause, covers, rank(guesses[0].kind))


def _guesses(flow: Flow, evidence: Evidence, position: int, source: int) -> Iterator[Guess]:
    right = evidence.right_of(position, source)
    nothing = Wrong(flow.program.instructions[0].op, {}, (right,), (), (), 0, right, right, (right,), None)
    scene = Scene(nothing, right, right)
    for suspect in (values.complex_parts, values.moved):
        yield from (each for each in suspect(scene) if isinstance(each, Guess))
