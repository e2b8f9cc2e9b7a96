"""Results for programs: the complete record of what was compared, found and allowed."""

import json
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from gradcheck.diagnostics import Diagnostic
from gradcheck.dtypes import Array, is_complex
from gradcheck.installed import version
from gradcheck.report.program import program_of
from gradcheck.report.run import Run
from gradcheck.verdict.record import Comparison, CrossCheck, Diagnosis, Element, Result

if TYPE_CHECKING:
    from gradcheck.report.schema import (
        CaseRecord,
        Checked,
        Compared,
        Diagnosed,
        Document,
        Elements,
        Number,
        Told,
        Values,
        WorstElement,
    )

VERSION: Final = 1
"""The version of this format; it changes when a field changes its meaning or goes away."""


def render(run: Run) -> str:
    """All results as one JSON document, as `schema.Document` says."""
    document: Document = {
        "format": "gradcheck",
        "version": VERSION,
        "gradcheck": version("gradcheck"),
        "seconds": round(run.seconds, 3),
        "selected": run.selected,
        "summary": dict(Counter(str(each.status) for each in run.results)),
        "diagnostics": [diagnostic(each) for each in run.diagnostics],
        "cases": [case_record(each) for each in run.results],
    }
    return json.dumps(document, indent=2, allow_nan=False)


def case_record(result: Result) -> "CaseRecord":
    """One case and everything that was found about it; NaN and infinities are the strings `nan`, `inf` and `-inf`."""
    case, program = result.case, program_of(result.case)
    return {
        "id": case.id,
        "file": case.span.source.name,
        "line": case.span.line,
        "dtype": case.dtype,
        "tags": list(case.tags),
        "verdict": result.verdict,
        "status": result.status,
        "note": result.note,
        "convention": result.convention,
        "remarks": [{"kind": each.kind, "message": each.message} for each in result.remarks],
        "diagnosis": None if result.diagnosis is None else _diagnosis(result.diagnosis),
        "evidence": [_check(each) for each in result.evidence],
        "seconds": round(result.seconds, 4),
        "kept": result.kept,
        "expression": case.expr.text,
        "program": None if program is None else str(program).splitlines(),
        "comparisons": [_comparison(each) for each in result.comparisons],
        "failures": [
            {"engine": name, "kind": each.kind, "message": each.message, "details": each.details}
            for name, each in result.failures
        ],
        "diagnostics": [diagnostic(each) for each in result.diagnostics],
    }


def _diagnosis(diagnosis: Diagnosis) -> "Diagnosed":
    return {
        "sentence": diagnosis.sentence,
        "note": diagnosis.note,
        "referee": [
            {
                "variable": each.comparison.variable,
                "cotangent": each.comparison.cotangent,
                "index": list(each.element.index),
                "value": _scalar(each.estimate.value, each.comparison),
                "error": _number(each.estimate.error),
                "ruling": each.ruling,
                "note": each.estimate.note,
            }
            for each in diagnosis.judged
        ],
        "accused": [
            {
                "kind": each.kind,
                "operation": each.call.operation,
                "argument": each.argument,
                "line": each.span.line if each.span else None,
                "column": each.span.column if each.span else None,
                "slip": each.slip,
                "sentence": each.sentence,
                "comparison": None if each.comparison is None else _comparison(each.comparison),
            }
            for each in diagnosis.accused
        ],
    }


def _check(check: CrossCheck) -> "Checked":
    return {
        "name": check.name,
        "side": check.side or None,
        "passed": check.passed,
        "sentence": check.sentence,
        "expected": None if check.expected is None else _number(check.expected),
        "found": None if check.found is None else _number(check.found),
        "allowed": None if check.allowed is None else _number(check.allowed),
    }


def _comparison(comparison: Comparison) -> "Compared":
    left, right = comparison.sides
    return {
        "quantity": comparison.quantity,
        "variable": comparison.variable,
        "cotangent": comparison.cotangent,
        "sides": [left, right],
        "verdict": comparison.verdict,
        "note": comparison.note,
        "beyond": comparison.beyond,
        "worst": _element(comparison.worst, comparison),
        "values": [array(comparison.left), array(comparison.right)],
    }


def _element(element: Element | None, comparison: Comparison) -> "WorstElement | None":
    if element is None:
        return None
    return {
        "index": list(element.index),
        "values": [_scalar(element.left, comparison), _scalar(element.right, comparison)],
        "difference": _number(element.difference),
        "allowed": _number(element.allowed),
        "used": _number(element.used),
    }


def _scalar(value: complex, comparison: Comparison) -> "Number":
    """One number of what was compared: of real arrays a real one."""
    known = comparison.right if comparison.right is not None else comparison.left
    return _number(value if known is not None and is_complex(known.dtype) else value.real)


def array(value: Array | None) -> "Values | None":
    if value is None:
        return None
    return {"dtype": value.dtype.name, "shape": list(value.shape), "elements": _nested(value.tolist())}


def _nested(value: Any) -> "Elements":
    return [_nested(each) for each in value] if isinstance(value, list) else _number(value)


def _number(value: Any) -> "Number":
    """A JSON number; what JSON lacks is a string that Python's `float` or `complex` reads."""
    if isinstance(value, complex):
        return str(value).strip("()")
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return str(value)
    return value if isinstance(value, (bool, int)) else float(value)


def diagnostic(found: Diagnostic) -> "Told":
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
