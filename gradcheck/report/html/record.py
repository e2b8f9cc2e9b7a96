"""What the page tells about one case, from its result: text that is ready to be read, and packed arrays."""

from collections.abc import Sequence
from typing import Any

from gradcheck.program import Program
from gradcheck.report import text
from gradcheck.report.html.arrays import Arrays
from gradcheck.report.html.source import Mark, marked_lines
from gradcheck.report.table import disagreements, run_again, word
from gradcheck.verdict.record import (
    COUNTS_AS,
    Accused,
    Comparison,
    CrossCheck,
    Diagnosis,
    Judged,
    Quantity,
    Result,
    Status,
    Verdict,
    gravest,
)

FULL = 1e9
"""A share for which a bar is full: JSON has no infinity."""
CIRCUMSTANCES = {
    None: "as computed",
    "ones": "with cotangents of one",
    "given": "with the cotangents of the case",
    "seeded": "with seeded cotangents",
}


def case_record(
    result: Result, program: Program | None, found: Sequence[Mark], arrays: Arrays, engine: str
) -> dict[str, Any]:
    """Everything about a case, but for its program, which other cases may share."""
    case = result.case
    return {
        "id": case.id,
        "word": word(result),
        "status": result.status,
        "file": case.span.source.name,
        "line": case.span.line,
        "dtype": case.dtype,
        "tags": case.tags,
        "seconds": f"{result.seconds:.3g} s" if result.seconds else "",
        "description": case.description,
        "notes": list(_notes(result)),
        "again": "" if result.status is Status.SKIPPED else run_again(result, engine),
        "diagnosis": None if result.diagnosis is None else _diagnosis(result.diagnosis, arrays),
        "differ": [each.plain for each in _differ(result)],
        "failures": [[name, each.kind, each.message, each.details] for name, each in result.failures],
        "diagnostics": [each.render() for each in result.diagnostics],
        "lines": marked_lines(result, program, found),
        "variables": [_variable(group, arrays) for group in _by_variable(result.comparisons)],
        "evidence": [_checked(each) for each in result.evidence],
    }


def _notes(result: Result) -> list[str]:
    """What there is to say besides who is wrong."""
    case = result.case
    notes = [result.note]
    if result.verdict is None and case.skip:
        notes = [f"skipped: {case.skip}"]
    if case.known_mismatch:
        notes.append(f"marked as a known mismatch: {case.known_mismatch}")
    if result.known:
        notes.append(f"{result.verdict}, as the baseline says")
    if result.convention:
        notes.append(f"a stated convention, {result.convention}")
    notes += [each.message for each in result.remarks]
    return list(dict.fromkeys(filter(None, notes)))


def _differ(result: Result) -> Any:
    return disagreements(result.comparisons, result.diagnosis.judged if result.diagnosis else ())


def _diagnosis(diagnosis: Diagnosis, arrays: Arrays) -> dict[str, Any]:
    return {
        "sentence": diagnosis.sentence,
        "note": diagnosis.note,
        "accused": [_accused(each, arrays) for each in diagnosis.accused],
        "referee": [_judged(each) for each in diagnosis.judged],
    }


def _accused(accused: Accused, arrays: Arrays) -> dict[str, Any]:
    """An accusation, and what the operation gave by itself beside what is right."""
    comparison = accused.comparison
    return {
        "sentence": accused.sentence,
        "line": accused.span.line if accused.span else None,
        "operation": accused.call.operation,
        "alone": None if comparison is None else _compared(comparison, "by itself", arrays),
    }


def _judged(judged: Judged) -> list[str]:
    """Of which variable, where, what it says, its error, and who is right by that."""
    known = judged.comparison.right
    dtype = "complex128" if known is not None and known.dtype.kind == "c" else "float64"
    estimate = judged.estimate
    return [
        text.label(judged.comparison),
        text.index(judged.element.index),
        text.number(estimate.value, dtype, 12),
        text.small(estimate.error),
        "; ".join(filter(None, [str(judged.ruling), estimate.note])),
    ]


def _checked(check: CrossCheck) -> list[str]:
    outcome = {True: "passed", False: "failed", None: "does not apply"}[check.passed]
    return [check.name, check.side, outcome, check.sentence]


def _by_variable(comparisons: Sequence[Comparison]) -> list[list[Comparison]]:
    """The comparisons of each variable, in each what is gravest first; the variables that fail before the others."""
    groups: dict[tuple[Quantity, str], list[Comparison]] = {}
    for each in comparisons:
        groups.setdefault((each.quantity, each.variable), []).append(each)
    ranked = [sorted(group, key=_rank) for group in groups.values()]
    return sorted(ranked, key=lambda group: not _fails(group[0].verdict))


def _rank(comparison: Comparison) -> tuple[bool, bool, float]:
    """What fails, then what one engine says against the other, then what uses most of what is allowed."""
    used = comparison.worst.used if comparison.worst else 0.0
    return not _fails(comparison.verdict), comparison.sides[1] == "expect", -used


def _fails(verdict: Verdict) -> bool:
    return COUNTS_AS[verdict] is Status.FAILED


def _variable(group: Sequence[Comparison], arrays: Arrays) -> dict[str, Any]:
    verdict = gravest([each.verdict for each in group])
    return {
        "name": text.label(group[0]),
        "verdict": verdict,
        "status": COUNTS_AS[verdict],
        "comparisons": [_compared(each, _circumstance(each), arrays) for each in group],
    }


def _circumstance(comparison: Comparison) -> str:
    if comparison.sides[1] == "expect":
        return f"{comparison.sides[0]} against the pinned numbers"
    return CIRCUMSTANCES[comparison.cotangent]


def _compared(comparison: Comparison, circumstance: str, arrays: Arrays) -> dict[str, Any]:
    """One comparison; `row` is its worst element: where, both values, and the share of what is allowed."""
    known = comparison.right if comparison.right is not None else comparison.left
    worst = comparison.worst
    row = ["", *("not connected" if each is None else "" for each in (comparison.left, comparison.right)), ""]
    if worst is not None and known is not None:
        values = [text.number(each, known.dtype.name) for each in (worst.left, worst.right)]
        row = [text.index(worst.index), *values, text.share(worst)]
    return {
        "circumstance": circumstance,
        "sides": comparison.sides,
        "verdict": comparison.verdict,
        "status": COUNTS_AS[comparison.verdict],
        "note": comparison.note,
        "beyond": comparison.beyond,
        "dtype": known.dtype.name if known is not None else "",
        "shape": None if known is None else known.shape,
        "used": None if worst is None else min(worst.used, FULL) if worst.used == worst.used else FULL,
        "row": row,
        **arrays.packed(comparison),
    }
