"""`gradcheck score`, as a user runs it, on engines with planted faults."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import Result

from gradcheck.dtypes import FLOAT32
from gradcheck.ops import OPS
from gradcheck.score.questions import questions

Command = Callable[..., Result]

ENGINE = """
import os
import numpy as np
from gradcheck.subjects import TensorEngine

class Tensor:
    def __init__(self, data, parent=None, slope=None):
        self.data, self.parent, self.slope, self.grad = data, parent, slope, None

    def backward(self, grad):
        self.grad = grad
        if self.parent is not None:
            self.parent.backward(Tensor(grad.data * self.slope))

def unary(value, slope):
    return lambda x: Tensor(value(x.data), x, slope(x.data))

functions = {
    "tf.sin": unary(np.sin, np.cos),
    "tf.cos": unary(np.cos, np.sin),  # the sign
    "tf.tan": unary(np.tan, lambda x: 1 + np.tan(x) ** 2),
    "tf.atan": unary(np.arctan, lambda x: 1 / 0),
    "tf.cosh": unary(np.cosh, lambda x: np.sinh(x) + (x + x.dtype.type(1e4)) - x.dtype.type(1e4) - x),  # cancels
    "tf.asinh": unary(np.arcsinh, lambda x: (1 + x.dtype.type(1e-4)) / np.sqrt(1 + x * x)),
    "tf.sinh": lambda x: os._exit(7),
    "tf.reduce_sum": lambda x: Tensor(np.sum(x.data), x, np.ones(x.data.shape, x.data.dtype)),
}
engine = TensorEngine(variable=Tensor, functions=functions)
excused = TensorEngine(variable=Tensor, functions=functions, conventions={"tf.cos": "its cosine is turned round"})
empty = TensorEngine(variable=Tensor)
"""


@pytest.fixture
def engine(tmp_path: Path) -> str:
    path = tmp_path / "planted.py"
    path.write_text(ENGINE, encoding="utf-8")
    return str(path)


def cells(result: Result, order: str = "first") -> dict[str, Any]:
    """The cells of one engine by operation."""
    assert result.exit_code == 0, result.output
    return {each["operation"]: each for each in json.loads(result.stdout)["cells"] if each["order"] == order}


def test_exactly_the_planted_faults_are_found(command: Command, engine: str) -> None:
    result = command("score", engine, "-k", "trigonometric or tf.reduce_sum", "--report", "json")
    found = cells(result)
    planted = {
        "tf.sin": "agree",
        "tf.tan": "agree",
        "tf.cosh": "agree",
        "tf.cos": "mismatch",
        "tf.asinh": "mismatch",
        "tf.atan": "error",
        "tf.sinh": "crashed",
        "tf.reduce_sum": "partly",
    }
    assert {name: each["mark"] for name, each in found.items()} == dict.fromkeys(found, "unsupported") | planted
    assert len(found) > len(planted)
    assert found["tf.cosh"]["note"] == "the difference is rounding: it goes away in a wider dtype"
    assert "ZeroDivisionError: division by zero (planted.py:" in found["tf.atan"]["note"]
    assert "ended by itself with status 7" in found["tf.sinh"]["note"]
    second = {each["mark"] for each in cells(result, "second").values()}
    assert second == {"unsupported"}


def test_an_engine_that_lacks_everything_is_not_wrong(command: Command, engine: str) -> None:
    result = command("score", f"{engine}:empty", "-k", "trigonometric", "--report", "json")
    assert {each["mark"] for each in cells(result).values()} == {"unsupported"}


def test_a_convention_is_told_in_the_words_of_the_engine(command: Command, engine: str) -> None:
    result = command("score", f"{engine}:excused", "-k", "tf.cos and not tf.cosh")
    assert "c excused  tf.cos (first order, 2 of 3 samples): its cosine is turned round" in result.stdout


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16", "complex64"])
def test_ours_agrees_to_both_orders(command: Command, dtype: str) -> None:
    names = ("tf.tanh", "tf.matmul", "tf.gather", "tf.reduce_mean", "tf.linalg.inv", "tf.where")
    result = command("score", "numpy", "-k", " or ".join(names), "--dtype", dtype, "--report", "json")
    for order in ("first", "second"):
        found = cells(result, order)
        assert found.keys() >= {name for name in names if any(each.name == dtype for each in OPS[name].dtypes)}
        assert {each["mark"] for each in found.values()} == {"agree"}


def test_where_tensorflow_has_no_second_derivative_the_cell_says_so(command: Command) -> None:
    found = cells(command("score", "numpy", "-k", "tf.nn.softsign", "--report", "json"), "second")
    assert found["tf.nn.softsign"]["mark"] == "no reference"
    assert "SoftsignGrad" in found["tf.nn.softsign"]["note"]


COUNTS = {"type": "object", "additionalProperties": {"type": "integer", "minimum": 1}}
SHAPE = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "format": {"const": "gradcheck score"},
        "version": {"const": 1},
        "gradcheck": {"type": "string"},
        "seconds": {"type": "number"},
        "dtypes": {"const": ["float32", "float64"]},
        "engines": {
            "type": "array",
            "minItems": 2,
            "items": {
                "type": "object",
                "properties": {
                    "name": {"enum": ["numpy", "planted"]},
                    "totals": {"type": "object", "properties": {"first": COUNTS, "second": COUNTS}},
                },
                "required": ["name", "totals"],
            },
        },
        "cells": {
            "type": "array",
            "minItems": 8,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "operation": {"const": "tf.sin"},
                    "family": {"const": "trigonometric"},
                    "dtype": {"enum": ["float32", "float64"]},
                    "engine": {"enum": ["numpy", "planted"]},
                    "order": {"enum": ["first", "second"]},
                    "mark": {"enum": ["agree", "unsupported"]},
                    "samples": COUNTS,
                    "note": {"type": "string"},
                },
                "required": ["operation", "family", "dtype", "engine", "order", "mark", "samples", "note"],
            },
        },
    },
    "required": ["format", "version", "gradcheck", "seconds", "dtypes", "engines", "cells"],
}


def test_the_json_has_a_cell_for_each_operation_dtype_engine_and_order(command: Command, engine: str) -> None:
    options = ("-k", "tf.sin and not tf.sinh", "--dtype", "float32", "--dtype", "float64", "--report", "json")
    document = json.loads(command("score", "numpy", engine, *options).stdout)
    jsonschema.validate(document, SHAPE)
    keys = ("operation", "dtype", "engine", "order")
    assert len({tuple(each[key] for key in keys) for each in document["cells"]}) == len(document["cells"]) == 8


def test_two_engines_of_one_name_are_told_apart_by_what_was_typed(command: Command, engine: str) -> None:
    result = command("score", engine, f"{engine}:engine", "-k", "tf.sin and not tf.sinh", "--report", "json")
    assert [each["name"] for each in json.loads(result.stdout)["engines"]] == [engine, f"{engine}:engine"]


def test_the_table_has_a_row_for_each_operation_and_the_totals(command: Command, engine: str) -> None:
    lines = command("score", "numpy", engine, "-k", "tf.cos or tf.sin and not tf.sinh").stdout.splitlines()
    rows = {tuple(line.split()) for line in lines}
    assert {
        ("operation", "numpy", "planted"),
        ("tf.sin", "✓", "✓", "✓", "·"),
        ("tf.cos", "✓", "✓", "✗", "·"),
        ("tf.cosh", "✓", "✓", "✓", "·"),
        ("✓", "agree", "3", "/", "3", "2", "/", "0"),
        ("✗", "mismatch", "0", "/", "0", "1", "/", "0"),
    } <= rows
    assert any(line.startswith("✗ planted  tf.cos (first order") for line in lines)


def test_the_markdown_has_totals_families_differences_and_what_is_lacking(command: Command, engine: str) -> None:
    output = command(
        "score",
        "numpy",
        engine,
        "-k",
        "tf.cos or tf.acos and not tf.acosh or tf.sin and not tf.sinh",
        "--report",
        "markdown",
    ).stdout
    lines = output.splitlines()
    assert "| agree | 4 / 4 | 2 / 0 |" in lines
    assert "| trigonometric | 4 | 4 / 4 | 2 / 0 |" in lines
    assert any(line.startswith("| planted | `tf.cos` | first order, 2 of 3 samples | mismatch |") for line in lines)
    assert "| planted | 1: `tf.acos` |  | everything |" in lines
    for table in output.strip().split("\n\n"):
        assert len({line.count(" | ") for line in table.splitlines()}) == 1, table


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("numpy", "-k", "nothing_like_it"), "no operation is selected that has a gradient"),
        (("numpy", "-k", "tf.zeros and not tf.zeros_like"), "no operation is selected that has a gradient"),
        (("numpy", "--dtype", "int32"), "--dtype takes one of float16, bfloat16,"),
        (("nowhere.py", "-k", "tf.sin"), "there is no file"),
    ],
)
def test_what_cannot_be_run(command: Command, arguments: tuple[str, ...], words: str) -> None:
    result = command("score", *arguments)
    assert result.exit_code == 2, result.output
    assert words in " ".join(result.stderr.split())


def test_without_names_what_is_not_installed_is_left_out(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradcheck.installed.engines", lambda: {"absent": None})
    result = command("score", "-k", "tf.sin and not tf.sinh", "--report", "json")
    assert {each["engine"] for each in cells(result).values()} == {"numpy"}
    assert "left out: there is no engine `absent`" in result.stderr


def test_every_operation_that_takes_something_to_differentiate_by_is_asked_about() -> None:
    asked = {each.row.operation for each in questions(OPS.values(), [FLOAT32])}
    assert asked == {op.name for op in OPS.values() if op.differentiable and op.domains and FLOAT32 in op.dtypes}
