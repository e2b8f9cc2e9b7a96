"""The JSON report and its lines, against the schema that is published."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from gradcheck.report.json import render
from gradcheck.report.jsonl import line
from gradcheck.report.run import Run
from gradcheck.report.schema import json_schema


def closed(schema: Any) -> Any:
    """The schema, refusing what it does not name: readers may meet fields of later versions, our tests may not."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: closed(each) for name, each in schema.items()}
    return {"additionalProperties": False, **made} if isinstance(made.get("properties"), dict) else made


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    schema = closed(json_schema())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def test_the_document_fulfils_its_schema(run: Run, validator: Draft202012Validator) -> None:
    document = json.loads(render(run))
    validator.validate(document)
    assert document["summary"] == {"passed": 4, "failed": 3, "could not run": 2, "unsupported": 1, "skipped": 1}
    assert [each["code"] for each in document["diagnostics"]] == ["unknown-key"]
    assert document["selected"] == len(document["cases"]) == 11
    turned = next(each for each in document["cases"] if each["id"].endswith("turned"))
    assert [(each["slip"], each["line"]) for each in turned["diagnosis"]["accused"]] == [("sign", 6)]


def test_every_line_fulfils_the_schema_and_is_one_line(run: Run, validator: Draft202012Validator) -> None:
    document = json.loads(render(run))
    for result, case in zip(run.results, document["cases"], strict=True):
        text = line(result)
        assert "\n" not in text
        record = json.loads(text)
        validator.validate(record)
        assert record == {"version": document["version"], **case}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda document: document.pop("version"),
        lambda document: document.update(version=2),
        lambda document: document["cases"][0].pop("id"),
        lambda document: document["cases"][0].update(verdict="fine"),
        lambda document: document["cases"][0]["comparisons"][0]["values"][0].update(elements=[None]),
    ],
)
def test_the_schema_refuses_what_is_not_a_report(run: Run, validator: Draft202012Validator, spoil: Any) -> None:
    document = json.loads(render(run))
    spoil(document)
    assert not validator.is_valid(document)
