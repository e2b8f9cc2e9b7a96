"""Who is wrong, which operation, what slip: through the whole command, with planted faults."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from gradcheck.engine import reverse
from gradcheck.ops import find_op, tf
from gradcheck.ops.declaration import substituted
from gradcheck.tensors import Tensor
from tests.verdict.test_planted_faults import (
    DIAMOND,
    FAN_OUT,
    MATMUL_CHAIN,
    SQUARES,
    breadth_first,
    full_transpose_a,
    full_transpose_b,
    rules,
)

Command = Callable[..., Result]
Write = Callable[[str], Path]


def diagnosed(result: Result) -> dict[str, Any]:
    (case,) = json.loads(result.stdout)["cases"]
    found: dict[str, Any] = case["diagnosis"]
    return found


def accused(result: Result) -> list[tuple[str, str, int | None, int | None, str | None]]:
    """What is accused: kind, operation, argument, column, slip."""
    keys = ("kind", "operation", "argument", "column", "slip")
    return [tuple(each[key] for key in keys) for each in diagnosed(result)["accused"]]  # type: ignore[misc]


def rulings(result: Result) -> set[str]:
    return {each["ruling"] for each in diagnosed(result)["referee"]}


def test_a_full_transpose_is_blamed_named_and_ruled(command: Command, write: Write) -> None:
    with rules("tf.matmul", full_transpose_a, full_transpose_b):
        result = command("compare", write(MATMUL_CHAIN), "--report", "json")
    assert rulings(result) == {"subject-wrong"}
    assert diagnosed(result)["sentence"] == (
        "numpy is wrong: the gradient of `tf.matmul` (line 5) with respect to its second argument uses a full "
        "transpose; only the last two axes should be swapped"
    )
    assert {each[:3] for each in accused(result)} == {
        ("gradient", "tf.matmul", 1),  # x @ y: x is batched
        ("gradient", "tf.matmul", 0),  # (x @ y) @ z: both are
    }
    assert all(each[4] == "full-transpose" for each in accused(result))


TWO_FAULTS = """\
inputs:
  x: [[0.5, -1.0], [2.0, 0.3]]
expr: |
  a = tf.sin(x)
  b = tf.exp(a @ a)
  tf.tanh(b * 0.1) + tf.sin(b)
"""


def test_of_several_wrong_operations_all_are_named_and_nothing_else(command: Command, write: Write) -> None:
    sine, tanh = find_op("tf.sin"), find_op("tf.tanh")
    with (
        substituted(replace(sine, vjp=(lambda g, y, x: -g * tf.cos(x),))),
        substituted(replace(tanh, vjp=(lambda g, y, x: 2 * g * (1 - y * y),))),
    ):
        result = command("compare", write(TWO_FAULTS), "--report", "json")
    assert accused(result) == [
        ("gradient", "tf.sin", 0, 7, "sign"),
        ("gradient", "tf.tanh", 0, 3, "factor"),
        ("gradient", "tf.sin", 0, 22, "sign"),
    ]
    assert diagnosed(result)["note"] == "2 more of its parts are wrong"


def test_a_sum_at_a_fan_out_is_its_own_finding(command: Command, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    def overwrite(cotangents: dict[int, Tensor], tensor: Tensor, part: Tensor, _trail: object) -> None:
        cotangents[tensor.key] = part

    monkeypatch.setattr(reverse, "_contribute", overwrite)
    result = command("compare", write(FAN_OUT), "--report", "json")
    assert [each[:2] for each in accused(result)] == [("fan-out", "tf.multiply")]
    assert "what the readers of x hand back is not summed" in diagnosed(result)["sentence"]


def test_a_wrong_walk_accuses_no_operation(command: Command, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradcheck.engine.differentiate.walk", breadth_first)
    result = command("compare", write(DIAMOND), "--report", "json")
    assert accused(result) == []
    assert diagnosed(result)["sentence"] == (
        "numpy is wrong: in its walk a value hands on its gradient before all of it has arrived; with `a = x + y` it "
        "says that the gradient of `a + (a + y)` with respect to `x` is 1, not 2"
    )
    assert diagnosed(result)["note"].startswith("every operation and every sum at a fan-out is right by itself")


def test_a_wrong_value_is_blamed_on_the_forward(command: Command, write: Write) -> None:
    with substituted(replace(find_op("tf.square"), forward=lambda x: x * x + 1)):
        result = command("compare", write(SQUARES), "--report", "json")
    assert [each[:2] for each in accused(result)] == [("forward", "tf.square")]


def test_blame_on_request_where_all_agrees(command: Command, write: Write) -> None:
    result = command("compare", write(MATMUL_CHAIN), "--blame", "--report", "json")
    assert result.exit_code == 0
    assert diagnosed(result)["sentence"] == "every operation and every sum at a fan-out is right by itself"


def test_the_referee_on_request_where_all_agrees(command: Command, write: Write) -> None:
    result = command("compare", write(MATMUL_CHAIN), "--referee", "--report", "json")
    assert result.exit_code == 0
    assert diagnosed(result)["sentence"] == "both are right"
    assert rulings(result) == {"both-right"}
    assert {each["variable"]: each["value"] for each in diagnosed(result)["referee"]}["y"] in (66, -8, 80)


def test_the_reference_can_be_wrong(command: Command, write: Write) -> None:
    text = 'inputs: {z: ["1+1j", "2j"]}\nexpr: tf.math.cumprod(z)\ndtype: complex128\n'
    result = command("compare", write(text), "--report", "json")
    assert result.exit_code == 1
    assert rulings(result) == {"reference-wrong"}
    assert diagnosed(result)["sentence"].startswith("tensorflow is wrong: the gradient of `tf.math.cumprod` (line 2)")


TIE = """\
inputs:
  x: [1.0, 2.0, 3.0]
  y: [3.0, 2.0, 1.0]
expr: tf.maximum(x, y) * 2.0
"""


def test_at_a_tie_another_subgradient_is_a_tie(command: Command, write: Write) -> None:
    second = (lambda g, z, x, y: tf.where(x > y, g, 0.0), lambda g, z, x, y: tf.where(x > y, 0.0, g))
    with rules("tf.maximum", *second):
        result = command("compare", write(TIE), "--report", "json")
    assert result.exit_code == 0, result.stdout
    (case,) = json.loads(result.stdout)["cases"]
    assert case["verdict"] == "tie"


def test_at_a_tie_one_each_is_not_a_subgradient(command: Command, write: Write) -> None:
    both = (lambda g, z, x, y: tf.where(x >= y, g, 0.0), lambda g, z, x, y: tf.where(y >= x, g, 0.0))
    with rules("tf.maximum", *both):
        result = command("compare", write(TIE), "--report", "json")
    assert result.exit_code == 1
    (case,) = json.loads(result.stdout)["cases"]
    assert case["verdict"] == "mismatch"


def test_the_finding_comes_first_then_values_line_command_and_table(command: Command, write: Write) -> None:
    path = write(SQUARES)
    with rules("tf.square", lambda g, y, x: g * x):
        lines = [line.strip() for line in command("compare", path, "--show", "worst").stdout.splitlines()]
    marks = [
        "numpy is wrong: the gradient of `tf.square` (line 3)",
        "the gradient with respect to `x` at",
        "3 | expr: tf.square(x)",
        "|       ^^^^^^^^^^^^",
        "nothing else is wrong",
        "run again: gradcheck compare",
        "shape",
    ]
    places = [next(at for at, line in enumerate(lines) if line.startswith(mark)) for mark in marks]
    assert places == sorted(places)
    assert "referee" in " ".join(lines)


def test_what_is_undefined_names_the_operation_and_what_to_write(command: Command, write: Write) -> None:
    text = "inputs: {x: [0.0, 1.0]}\nexpr: tf.where(x > 0.0, tf.math.log(x), x)\n"
    out = " ".join(command("compare", write(text)).stdout.split())
    assert "`tf.math.log` (line 2) is not finite at [0]" in out
    assert "guard the argument too: `tf.math.log(tf.where(x > 0, x, 1.0))`" in out
