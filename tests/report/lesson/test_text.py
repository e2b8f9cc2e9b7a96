"""The lesson as text, in full for a small diamond, worked out and written by hand."""

from collections.abc import Callable
from pathlib import Path

from rich.text import Text

from gradcheck.report.lesson.text import lesson
from tests.explanation.support import explained, shipped

Write = Callable[..., Path]
DIAMOND = """\
description: One path is x * x, the other x itself.
inputs: {x: 3.0}
expr: |
  a = x * x
  y = a + x
  y
"""
LESSON = """\
One path is x * x, the other x itself.
inputs
  x  float32[]  3
forward, line by line
  4 | a = x * x
      a = x * x  float32[]  9
  5 | y = a + x
      y = a + x  float32[]  12
  6 | y
  target: y
backward, in reverse topological order
  d(v) is the sum of all that reached v
  y = a + x
    receives    ones_like(y)  1
    rule        tf.add: d(x + y) = dx + dy
    hands       a  d(y)  1
                x  d(y)  1
  a = x * x
    receives    ones_like(y)  from y  1
    rule        tf.multiply: d(x y) = y dx + x dy
    hands       x  (d(a) * x)  3
                x  (d(a) * x)  3
gradients
  d/dx  float32[]
      ones_like(y)        from y  1
    + (ones_like(y) * x)  from a  3
    + (ones_like(y) * x)  from a  3
    = d(x)                        7"""


def shown(text: Text) -> list[str]:
    return text.plain.split("\n")


def test_a_diamond_in_full(write: Write) -> None:
    assert shown(lesson(explained(write(DIAMOND), values=True)))[1:] == LESSON.split("\n")


def test_values_of_the_way_back_are_shown_on_request(write: Write) -> None:
    lines = shown(lesson(explained(write(DIAMOND))))
    assert "      a = x * x  float32[]  9" in lines
    assert "    = d(x)" in lines


def test_what_is_not_connected_is_said(write: Write) -> None:
    text = "inputs: {x: 3.0, y: 1.0}\nexpr: x * tf.floor(y)\n"
    assert shown(lesson(explained(write(text))))[-1] == "    not connected: no path leads to it"
    zeros = f"{text}unconnected_gradients: zero\n"
    assert shown(lesson(explained(write(zeros))))[-1].endswith("; zeros, as the case asks")


def test_a_target_that_is_no_gradient_is_said_to_be_none(write: Write) -> None:
    tape = "with tf.GradientTape() as t:\n      t.watch(x)\n      y = tf.floor(x)\n  t.gradient(y, x)\n"
    lines = shown(lesson(explained(write(f"inputs: {{x: 3.5}}\nexpr: |\n  {tape}"))))
    assert "  target: not connected" in lines
    assert "  no operation lies between the target and a variable" in lines


def test_a_convention_is_told_once(write: Write) -> None:
    path = write("inputs: {x: [3.0, 1.0]}\nexpr: tf.maximum(tf.maximum(x, 1.0), 2.0)\n")
    lines = shown(lesson(explained(path)))
    assert sum(line.startswith("    convention") for line in lines) == 1
    assert sum(line.startswith("    rule") for line in lines) == 2


def test_several_outputs_have_a_line_each(write: Write) -> None:
    path = write("inputs: {x: [1.0, 2.0]}\nexpr: |\n  a, b = tf.unstack(x)\n  a * b\n")
    lines = shown(lesson(explained(path, values=True)))
    assert "      a, b = unstack(x)" in lines
    assert [line.split() for line in lines if line.startswith("        ")][:2] == [
        ["a", "float32[]", "1"],
        ["b", "float32[]", "2"],
    ]
    assert "    a receives  (ones_like(output) * b)  from output  2" in lines


def test_an_array_that_does_not_fit_beside_its_formula_stands_below(write: Write) -> None:
    path = write("inputs: {x: {shape: [4, 7], random: normal, seed: 1}}\nexpr: -x\n")
    lines = shown(lesson(explained(path, values=True)))
    at = lines.index("    receives    ones_like(output)")
    assert lines[at + 1] == " " * 20 + "[[1, 1, 1, 1, 1, 1, 1],"


def test_why_there_are_no_values_is_said(write: Write) -> None:
    path = write("inputs:\n  x: [[1.0, 1.0], [1.0, 1.0]]\nexpr: tf.linalg.inv(x)\n")
    assert shown(lesson(explained(path)))[1].startswith("no values: ")


def test_no_line_of_a_shipped_case_ends_in_blanks() -> None:
    for each in shipped():
        assert [line for line in shown(lesson(each)) if line != line.rstrip()] == [], each.case.id
