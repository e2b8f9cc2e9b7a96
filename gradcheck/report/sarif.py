"""Results as SARIF 2.1.0, for code scanning and editors: each thing that is wrong, on its line of the case file."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

from gradcheck.diagnostics import Span
from gradcheck.installed import version
from gradcheck.report.run import Problem, Run, problems

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def render(run: Run) -> str:
    """One SARIF run. A result's rule is the kind of slip where that is known, or else the verdict or diagnostic."""
    found = list(problems(run))
    rules = list(dict.fromkeys(each.rule for each in found))
    driver = {
        "name": "gradcheck",
        "version": version("gradcheck"),
        "rules": [{"id": each, "shortDescription": {"text": each.replace("-", " ")}} for each in rules],
    }
    document = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "columnKind": "unicodeCodePoints",
                "invocations": [{"executionSuccessful": run.complete}],
                "results": [_result(each, rules) for each in found],
            }
        ],
    }
    return json.dumps(document, indent=2)


def _result(problem: Problem, rules: list[str]) -> dict[str, Any]:
    location: dict[str, Any] = {}
    if problem.span is not None:
        location["physicalLocation"] = _place(problem.span)
    if problem.case:
        location["logicalLocations"] = [{"fullyQualifiedName": problem.case, "kind": "member"}]
    return {
        "ruleId": problem.rule,
        "ruleIndex": rules.index(problem.rule),
        "level": problem.level,
        "message": {"text": problem.sentence},
        **({"locations": [location]} if location else {}),
        **({"partialFingerprints": {"caseAndRule/v1": f"{problem.case} {problem.rule}"}} if problem.case else {}),
    }


def _place(span: Span) -> dict[str, Any]:
    return {
        "artifactLocation": {"uri": _uri(span.source.name)},
        "region": {"startLine": span.line, "startColumn": span.column, "endColumn": max(span.end, span.column)},
    }


def _uri(name: str) -> str:
    path = Path(name)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())
