"""The lesson as JSON."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema

from gradcheck.report.lesson.record import render
from tests.explanation.support import explained, shipped

Write = Callable[..., Path]


def fields(**properties: Any) -> dict[str, Any]:
    """The schema of an object with exactly these fields."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def many(items: Any) -> dict[str, Any]:
    return {"type": "array", "items": items}


WORDS = {"type": "string"}
MAYBE = {"type": ["string", "null"]}
SHAPE = many({"type": "integer"})
ARRAY = {"anyOf": [{"type": "null"}, fields(dtype=WORDS, shape=SHAPE, elements={})]}
NAMED = fields(name=WORDS, dtype=WORDS, shape=SHAPE, value=ARRAY)
MADE = fields(operation=WORDS, formula=WORDS, operands=many(WORDS), outputs=many(NAMED))
RECEIVED = fields(
    name=WORDS,
    dtype=WORDS,
    shape=SHAPE,
    connected={"type": "boolean"},
    contributions=many(fields(**{"from": {"type": ["integer", "null"]}}, formula=WORDS, value=ARRAY)),
    value=ARRAY,
)
STEP = fields(
    operation=WORDS,
    formula=WORDS,
    outputs=many(WORDS),
    received=many(RECEIVED),
    rule=fields(source=WORDS, convention=WORDS, operations=many(WORDS)),
    hands=many(fields(to=WORDS, formula=WORDS, value=ARRAY)),
)
CASE = fields(
    id=WORDS,
    file=WORDS,
    line={"type": "integer"},
    description=WORDS,
    derivative={"enum": ["gradient", "jacobian", "hessian", "jvp", "hvp"]},
    variable=MAYBE,
    fault=MAYBE,
    inputs=many(NAMED),
    lines=many(fields(line={"type": "integer"}, text=WORDS, operations=many(MADE))),
    targets=many(WORDS),
    backward=many(STEP),
    gradients=many(RECEIVED),
    parts=many(fields(kind=WORDS, name=WORDS, connected={"type": "boolean"}, value=ARRAY)),
)
DOCUMENT = fields(format={"const": "gradcheck explanation"}, version={"const": 1}, gradcheck=WORDS, cases=many(CASE))


def test_every_shipped_case_has_the_fields_that_are_promised() -> None:
    explanations = list(shipped())
    document = json.loads(render(explanations))
    jsonschema.Draft202012Validator(DOCUMENT).validate(document)
    assert len(document["cases"]) == len(explanations)


def test_a_diamond_says_who_gave_what(write: Write) -> None:
    path = write("inputs: {x: 3.0}\nexpr: |\n  a = x * x\n  y = a + x\n  y\n")
    (case,) = json.loads(render([explained(path, values=True)]))["cases"]
    assert [line["text"] for line in case["lines"]] == ["a = x * x", "y = a + x", "y"]
    assert case["lines"][0]["operations"][0]["operands"] == ["x", "x"]
    assert [step["outputs"] for step in case["backward"]] == [["y"], ["a"]]
    (x,) = case["gradients"]
    assert [each["from"] for each in x["contributions"]] == [0, 1, 1]
    assert [each["value"]["elements"] for each in x["contributions"]] == [1.0, 3.0, 3.0]
    assert x["value"] == {"dtype": "float32", "shape": [], "elements": 7.0}


def test_infinities_are_strings(write: Write) -> None:
    (case,) = json.loads(render([explained(write("inputs: {x: 0.0}\nexpr: tf.math.log(x)\n"), values=True)]))["cases"]
    assert case["gradients"][0]["value"]["elements"] == "inf"
