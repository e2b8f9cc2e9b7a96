"""Results for programs: the complete record of what was compared, found and allowed."""

import json
from collections import Counter
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from gradcheck.diagnostics import Diagnostic
from gradcheck.dtypes import is_complex
from gradcheck.program import Array
from gradcheck.verdict.diagnosis import Diagnosis
from gradcheck.verdict.record import Comparison, CrossCheck, Element, Result

VERSION = 1
"""The version of this format; it changes when a field changes its meaning or goes away."""


def render(results: Sequence[Result], seconds: float) -> str:
    """All results as one JSON document; NaN and infinities are the strings `nan`, `inf` and `-inf`."""
    document = {
        "format": "gradcheck",
        "version": VERSION,
        "gradcheck": version("gradcheck"),
        "seconds": round(seconds, 3),
        "summary": dict(Counter(str(each.status) for each in results)),
        "cases": [_case(each) for each in results],
    }
    return json.dumps(document, indent=2, allow_nan=False)


def _case(result: Result) -> dict[str, Any]:
    case = result.case
    return {
        "id": case.id,
        "file": case.span.source.name,
        "line": case.span.line,
        "dtype": case.dtype,
        "tags": list(case.tags),
        "verdict": None if result.verdict is None else str(result.verdict),
        "status": str(result.status),
        "note": result.note,
        "convention": result.convention,
        "remarks": [{"kind": each.kind, "message": each.message} for each in result.remarks],
        "diagnosis": None if result.diagnosis is None else _diagnosis(result.diagnosis),
        "evidence": [_check(each) for each in result.evidence],
        "seconds": round(result.seconds, 4),
        "expression": case.expr.text,
        "program": None if result.program is None else str(result.program).splitlines(),
        "comparisons": [_comparison(each) for each in result.comparisons],
        "failures": [
            {"engine": name, "kind": each.kind, "message": each.message, "details": each.details}
            for name, each in result.failures
        ],
        "diagnostics": [diagnostic(each) for each in result.diagnostics],
    }


def _diagnosis(diagnosis: Diagnosis) -> dict[str, Any]:
    return {
        "sentence": diagnosis.sentence,
        "note": diagnosis.note,
        "referee": [
            {
                "variable": each.comparison.variable,
                "cotangent": each.comparison.cotangent,
                "index": list(each.element.index),
                "value": _number(each.estimate.value),
                "error": _number(each.estimate.error),
                "ruling": str(each.ruling),
                "note": each.estimate.note,
            }
            for each in diagnosis.judged
        ],
        "accused": [
            {
                "kind": each.blame.kind,
                "operation": each.blame.instruction.op.name,
                "argument": each.blame.argument,
                "line": each.span.line if each.span else None,
                "column": each.span.column if each.span else None,
                "slip": each.slip,
                "sentence": each.sentence,
                "comparison": None if each.blame.comparison is None else _comparison(each.blame.comparison),
            }
            for each in diagnosis.accused
        ],
    }


def _check(check: CrossCheck) -> dict[str, Any]:
    return {
        "name": check.name,
        "side": check.side or None,
        "passed": check.passed,
        "sentence": check.sentence,
        **{
            key: None if (each := getattr(check, key)) is None else _number(each)
            for key in ("expected", "found", "allowed")
        },
    }


def _comparison(comparison: Comparison) -> dict[str, Any]:
    left, right = comparison.sides
    return {
        "quantity": comparison.quantity,
        "variable": comparison.variable,
        "cotangent": comparison.cotangent,
        "sides": [left, right],
        "verdict": str(comparison.verdict),
        "note": comparison.note,
        "beyond": comparison.beyond,
        "worst": _element(comparison.worst, comparison),
        "values": [array(comparison.left), array(comparison.right)],
    }


def _element(element: Element | None, comparison: Comparison) -> dict[str, Any] | None:
    if element is None:
        return None
    known = comparison.right if comparison.right is not None else comparison.left
    pair = known is not None and is_complex(known.dtype)
    return {
        "index": list(element.index),
        "values": [_number(value) if pair else _number(value.real) for value in (element.left, element.right)],
        "difference": _number(element.difference),
        "allowed": _number(element.allowed),
        "used": _number(element.used),
    }


def array(value: Array | None) -> dict[str, Any] | None:
    if value is None:
        return None
    return {"dtype": value.dtype.name, "shape": list(value.shape), "elements": _nested(value.tolist())}


def _nested(value: Any) -> Any:
    return [_nested(each) for each in value] if isinstance(value, list) else _number(value)


def _number(value: Any) -> Any:
    """A JSON number; what JSON lacks is a string that Python's `float` or `complex` reads."""
    if isinstance(value, complex):
        return str(value).strip("()")
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return str(value)
    return value if isinstance(value, (bool, int)) else float(value)


def diagnostic(found: Diagnostic) -> dict[str, Any]:
    """A finding about the user's text."""
    span = found.span
    return {
        "severity": found.severity,
        "code": found.code,
        "message": found.message,
        "help": found.help,
        "file": span.source.name if span else None,
        "line": span.line if span else None,
        "column": span.column if span else None,
        "end_column": span.end if span else None,
    }
