"""A case, run on both sides and judged."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

import numpy as np

from gradcheck.casefile.case import Arrays, Case, Tolerance
from gradcheck.dtypes import Array, is_complex
from gradcheck.engines import Failure, Outcome
from gradcheck.language import Lowered
from gradcheck.verdict.compare import compare_values
from gradcheck.verdict.record import Comparison, Result, Verdict, gravest
from gradcheck.verdict.tolerance import Allowance, limits

CotangentName = Literal["ones", "given", "seeded"]


def judge(
    lowered: Lowered,
    sides: tuple[str, str],
    subject: Outcome | Failure,
    reference: Outcome | Failure,
    roundings: Iterable[Allowance],
) -> Result:
    """Compare the two outcomes of a case and what it pins.

    `roundings` are by how much they may differ, none below an earlier one: the first in which they do not differ is
    good enough, and so the later ones, which cost time, are not asked for.
    """
    case = lowered.case
    failures = [
        (name, each) for name, each in zip(sides, (subject, reference), strict=True) if isinstance(each, Failure)
    ]
    if case.expect.error is not None:
        return _judge_error(lowered, case.expect.error, failures)
    if isinstance(subject, Failure) or isinstance(reference, Failure):
        verdict = gravest([Verdict(each.kind) for _, each in failures])
        return Result(case, verdict, failures=failures, diagnostics=lowered.warnings)
    comparisons: list[Comparison] = []
    for rounding in roundings:
        comparisons = [
            *_between(lowered, sides, subject, reference, rounding),
            *_pinned(lowered, sides, (subject, reference), rounding),
        ]
        if case.tolerance != Tolerance() or not any(each.beyond for each in comparisons):
            break
    verdict = gravest([each.verdict for each in comparisons])
    if any(each.kind == "state" for each in subject.remarks):
        verdict = gravest([verdict, Verdict.MISMATCH])
    return Result(
        case,
        verdict,
        comparisons,
        diagnostics=lowered.warnings,
        note=_known(case, verdict),
        remarks=subject.remarks,
    )


def _known(case: Case, verdict: Verdict) -> str:
    if case.known_mismatch is None:
        return ""
    if verdict in (Verdict.MISMATCH, Verdict.DISCONNECTED):
        return f"known mismatch: {case.known_mismatch}"
    return "the case is marked `known_mismatch` but no longer mismatches: remove the mark"


def _judge_error(lowered: Lowered, expected: str, failures: Sequence[tuple[str, Failure]]) -> Result:
    """A case that expects an error passes if both sides fail and the reference says the expected words."""
    case = lowered.case
    if len(failures) == 2 and expected in failures[1][1].message:
        return Result(case, Verdict.AGREE, failures=failures, note=f"fails as expected: {expected}")
    note = f"an error with the words {expected!r} is expected"
    verdict = gravest([Verdict(each.kind) for _, each in failures]) if failures else Verdict.MISMATCH
    return Result(case, verdict, failures=failures, note=note)


def _between(
    lowered: Lowered, sides: tuple[str, str], subject: Outcome, reference: Outcome, rounding: Allowance
) -> Iterator[Comparison]:
    tolerance = lowered.case.tolerance
    outputs = zip(lowered.quantities, subject.outputs, reference.outputs, rounding.outputs, strict=True)
    for quantity, left, right, bound in outputs:
        margin = None if right is None else limits(right, bound, tolerance)
        yield compare_values(quantity.kind, quantity.name, None, sides, left, right, margin)
    own: CotangentName = "ones" if lowered.case.output_gradients is None else "given"
    kinds: tuple[CotangentName, ...] = (own, "seeded")
    sets = zip(subject.gradients, reference.gradients, rounding.gradients, strict=True)
    for cotangent, rows in zip(kinds, sets, strict=False):  # there is one set only where no gradient is wanted
        for source, mine, theirs, bound in zip(lowered.sources, *rows, strict=True):
            allowed = None if theirs is None else limits(theirs, bound, tolerance)
            yield compare_values("gradient", source, cotangent, sides, mine, theirs, allowed)


def _pinned(
    lowered: Lowered, sides: tuple[str, str], outcomes: tuple[Outcome, Outcome], rounding: Allowance
) -> Iterator[Comparison]:
    case = lowered.case
    own: CotangentName = "ones" if case.output_gradients is None else "given"
    outputs = case.expect.output if isinstance(case.expect.output, tuple) else (case.expect.output,)
    gradients = _leaves(case.expect.gradients)
    for side, outcome in zip(sides, outcomes, strict=True):
        against = (side, "expect")
        if case.expect.output is not None:
            rows = zip(lowered.quantities, outcome.outputs, outputs, rounding.outputs, strict=False)
            for (_, name), found, given, bound in rows:
                value = _like(given, found)
                allowed = limits(value, bound, case.tolerance, pinned=True)
                yield compare_values("output", name, None, against, found, value, allowed)
        yield from _derivatives(lowered, against, outcome, rounding)
        bounds = zip(lowered.sources, outcome.gradients[0], rounding.gradients[0], strict=True)
        for source, gradient, share in bounds:
            if source in gradients:
                wanted = gradients[source]
                margin = None if wanted is None else limits(wanted, share, case.tolerance, pinned=True)
                yield compare_values("gradient", source, own, against, gradient, wanted, margin)


def _derivatives(
    lowered: Lowered, against: tuple[str, str], outcome: Outcome, rounding: Allowance
) -> Iterator[Comparison]:
    """What is pinned of a derivative that is not the gradient."""
    pinned = _leaves(lowered.case.expect.derivatives)
    for (kind, name), found, bound in zip(lowered.quantities, outcome.outputs, rounding.outputs, strict=True):
        if kind != "output" and name in pinned:
            given = pinned[name]
            wanted = None if given is None else _like(given, found)
            margin = None if wanted is None else limits(wanted, bound, lowered.case.tolerance, pinned=True)
            yield compare_values(kind, name, None, against, found, wanted, margin)


def _like(given: Any, found: Array | None) -> Array:
    """What is pinned in the dtype of what was found, unless that would drop imaginary parts."""
    value = np.asarray(given)
    if found is None:
        return value
    if is_complex(value.dtype) and not is_complex(found.dtype):
        return value if value.imag.any() else value.real.astype(found.dtype)
    return value.astype(found.dtype)


def _leaves(gradients: Mapping[str, Arrays | None]) -> dict[str, Array | None]:
    """Pinned gradients by the names that a program has for its inputs: a nested `x` has `x[0]`, `x[1]`."""
    leaves: dict[str, Array | None] = {}
    for name, value in gradients.items():
        if isinstance(value, tuple):
            leaves |= {f"{name}[{position}]": each for position, each in enumerate(value)}
        else:
            leaves[name] = value
    return leaves
