"""What an explanation says of small programs whose backward passes were worked out by hand."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gradcheck.asking import request
from gradcheck.casefile.find import find
from gradcheck.casefile.limits import Limits
from gradcheck.casefile.load import load_file
from gradcheck.diagnostics import Refused
from gradcheck.engine.numpy_engine import NumpyEngine
from gradcheck.engines import Outcome
from gradcheck.explanation import Explanation, explain
from gradcheck.language import lower
from tests.explanation.support import explained

Write = Callable[..., Path]
CASES = Path(__file__).parents[2] / "cases"
DIAMOND = "inputs: {x: 3.0}\nexpr: |\n  a = x * x\n  y = a + x\n  y\n"


def way(explanation: Explanation) -> list[tuple[str, list[str], list[tuple[str, str]]]]:
    """Each step: what it made, the contributions that reached this, and what it hands to whom."""
    return [
        (
            step.made.outputs[0].name,
            [each.formula for received in step.received for each in received.contributions],
            [(each.to, each.formula) for each in step.handed],
        )
        for step in explanation.steps
    ]


def test_at_a_diamond_both_paths_are_summed(write: Write) -> None:
    explanation = explained(write(DIAMOND), values=True)
    assert way(explanation) == [
        ("y", ["ones_like(y)"], [("a", "d(y)"), ("x", "d(y)")]),
        ("a", ["ones_like(y)"], [("x", "(d(a) * x)"), ("x", "(d(a) * x)")]),
    ]
    (x,) = explanation.gradients
    assert [each.formula for each in x.contributions] == [
        "ones_like(y)",
        "(ones_like(y) * x)",
        "(ones_like(y) * x)",
    ]
    assert [each.source for each in x.contributions] == [0, 1, 1]
    assert [float(each.value) for each in x.contributions if each.value is not None] == [1.0, 3.0, 3.0]
    assert x.value == 7.0


def test_where_paths_meet_the_sum_has_a_name(write: Write) -> None:
    explanation = explained(write("inputs: {x: 2.0}\nexpr: |\n  a = tf.exp(x)\n  y = a * a\n  y\n"))
    first, second = explanation.steps
    assert [each.formula for each in second.received[0].contributions] == ["(ones_like(y) * a)"] * 2
    assert second.handed[0].formula == "(d(a) * a)"
    assert explanation.gradients[0].contributions[0].formula == "(d(a) * a)"  # not twice (ones_like(y) * a)
    assert first.made.op.name == "tf.multiply"


def test_each_line_has_what_it_gives(write: Write) -> None:
    lines = explained(write(DIAMOND)).lines
    assert [(each.number, each.text) for each in lines] == [(3, "a = x * x"), (4, "y = a + x"), (5, "y")]
    assert [[made.formula for made in each.made] for each in lines] == [["x * x"], ["a + x"], []]
    assert [[float(made.outputs[0].value) for made in each.made] for each in lines] == [[9.0], [12.0], []]  # type: ignore[arg-type]


def test_a_loop_comes_back_to_its_lines(write: Write) -> None:
    loop = "inputs: {x: 3.0}\nexpr: |\n  y = x\n  for k in range(2):\n      z = y * x\n      y = z + y\n  y\n"
    explanation = explained(write(loop))
    assert [each.number for each in explanation.lines] == [3, 4, 5, 6, 5, 6, 7]
    names = [made.outputs[0].name for line in explanation.lines for made in line.made]
    assert names == ["z#1", "y#1", "z#2", "y#2"]
    assert explanation.targets == ("y#2",)


def test_a_statement_over_several_lines_has_its_operations_below_the_last(write: Write) -> None:
    lines = explained(write("inputs: {x: 3.0}\nexpr: |\n  y = (\n      x * x\n      + x\n  )\n  y\n")).lines
    assert [(each.number, len(each.made)) for each in lines] == [(3, 0), (4, 0), (5, 0), (6, 2), (7, 0)]


def test_a_custom_gradient_happens_where_it_is_called(write: Write) -> None:
    text = (
        "inputs: {x: 3.0}\nexpr: |\n  @tf.custom_gradient\n  def f(x):\n      y = x * x\n"
        "      return y, lambda g: g * 7.0\n  f(x)\n"
    )
    explanation = explained(write(text))
    assert [(line.number, made.op.name) for line in explanation.lines for made in line.made] == [
        (5, "tf.multiply"),
        (7, "tf.custom_gradient"),
    ]
    assert explanation.steps[0].handed[0].formula == "(d(output) * 7.)"


def test_one_variable_is_followed_along_its_paths(write: Write) -> None:
    path = write("inputs: {x: 3.0, w: 2.0}\nexpr: |\n  a = tf.exp(w)\n  b = tf.sin(x)\n  a * b\n")
    followed = explained(path, variable="w")
    assert [step.made.outputs[0].name for step in followed.steps] == ["output", "a"]
    assert [each.to for step in followed.steps for each in step.handed] == ["a", "w"]
    assert [each.name for each in followed.gradients] == ["w"]


def test_a_nested_input_is_followed_as_a_whole_or_in_part(write: Write) -> None:
    path = write("inputs: {x: {nest: [1.0, 2.0]}, xs: 3.0}\nexpr: x[0] * x[1] * xs\n")
    assert [each.name for each in explained(path, variable="x").gradients] == ["x[0]", "x[1]"]
    assert [each.name for each in explained(path, variable="x[1]").gradients] == ["x[1]"]


def test_an_unknown_variable_is_refused_with_the_nearest_name(write: Write) -> None:
    with pytest.raises(Refused) as refused:
        explained(write("inputs: {weight: 3.0}\nexpr: weight * 2.0\n"), variable="wieght")
    (diagnostic,) = refused.value.diagnostics
    assert "`wieght`" in diagnostic.message
    assert diagnostic.help == "did you mean `weight`?"


def test_what_no_path_leads_to_has_no_contributions(write: Write) -> None:
    explanation = explained(write("inputs: {x: 3.0, y: 1.0}\nexpr: x * tf.floor(y)\n"))
    assert [len(each.contributions) for each in explanation.gradients] == [1, 0]


def test_a_target_that_is_the_source_receives_its_own_cotangent(write: Write) -> None:
    explanation = explained(write("inputs: {x: [1.0, 2.0]}\nexpr: x\n"), values=True)
    assert explanation.steps == ()
    (contribution,) = explanation.gradients[0].contributions
    assert (contribution.source, contribution.formula) == (None, "ones_like(x)")
    np.testing.assert_array_equal(explanation.gradients[0].value, [1.0, 1.0])  # type: ignore[arg-type]


def test_a_given_cotangent_takes_the_place_of_ones(write: Write) -> None:
    explanation = explained(write("inputs: {x: 3.0}\nexpr: x * x\noutput_gradients: 5.0\n"), values=True)
    assert [each.formula for each in explanation.gradients[0].contributions] == ["(output_gradient * x)"] * 2
    assert explanation.gradients[0].value == 30.0


@pytest.mark.parametrize(
    ("expr", "formula"),
    [
        ("x[0]", "x[0]"),
        ("x[::-2]", "x[::-2]"),
        ("x[1:, tf.newaxis]", "x[1:, newaxis]"),
        ("-x", "-x"),
        ("x @ x", "x @ x"),
        ("tf.matmul(x, x, transpose_b=True)", "matmul(x, x, transpose_b=True)"),
        ("x >= 1.0", "x >= 1."),
    ],
)
def test_formulas_are_written_as_one_writes_them(write: Write, expr: str, formula: str) -> None:
    explanation = explained(write(f"inputs:\n  x: [[1.0, 2.0], [3.0, 4.0]]\nexpr: {expr}\n"))
    assert [made.formula for line in explanation.lines for made in line.made] == [formula]


def test_what_is_too_long_is_said_in_steps(write: Write) -> None:
    path = write("inputs: {x: [1.0, 2.0]}\nexpr: tf.stack([x, x])\n")
    (step,) = explained(path).steps
    assert not step.spelled
    assert step.rule == ("%3, %4 = unstack(d(output))",)
    assert [each.formula for each in step.handed] == ["%3", "%4"]


def test_a_jacobian_is_shown_beside_the_pass_of_its_target(write: Write) -> None:
    path = write("derivative: jacobian\ninputs: {x: [1.0, 2.0], y: 3.0}\nexpr: x * x\nwrt: [x, y]\n")
    explanation = explained(path)
    assert [each.name for each in explanation.gradients] == ["x", "y"]
    assert [(each.kind, each.name) for each in explanation.parts] == [("jacobian", "x"), ("jacobian", "y")]
    assert explanation.parts[1].value is None
    np.testing.assert_array_equal(explanation.parts[0].value, [[2.0, 0.0], [0.0, 4.0]])  # type: ignore[arg-type]
    assert [each.name for each in explained(path, variable="y").parts] == ["y"]


def test_what_cannot_be_computed_is_explained_without_values(write: Write) -> None:
    explanation = explained(write("inputs:\n  x: [[1.0, 1.0], [1.0, 1.0]]\nexpr: tf.linalg.inv(x)\n"), values=True)
    assert explanation.fault is not None
    assert explanation.steps[0].made.outputs[0].value is None


FILES = sorted(find([CASES]).files)


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)
def test_every_shipped_case_ends_in_the_gradients_of_the_engine(file: Path) -> None:
    for case in load_file(file, Limits()).cases:
        if case.expect.error is not None:
            continue
        read = lower(case)
        explanation = explain(read, values=True)
        assert explanation.fault is None, case.id
        outcome = NumpyEngine().run(request(read))
        assert isinstance(outcome, Outcome)
        if case.derivative != "gradient":
            count = len(read.program.outputs) - len(explanation.parts)
            found = [each.value for each in explanation.parts]
            expected = list(outcome.outputs[count:])
        else:
            found = [each.value if each.contributions else None for each in explanation.gradients]
            zeros = case.unconnected_gradients == "zero"
            connected = [bool(each.contributions) for each in explanation.gradients]
            expected = [
                value if is_connected or not zeros else None
                for value, is_connected in zip(outcome.gradients[0], connected, strict=True)
            ]
        for ours, theirs in zip(found, expected, strict=True):
            np.testing.assert_array_equal(ours, theirs, err_msg=case.id)  # type: ignore[arg-type]
        for received in (*(each for step in explanation.steps for each in step.received), *explanation.gradients):
            if received.contributions and received.value is not None:
                with np.errstate(invalid="ignore"):  # infinities of both signs
                    total = sum((each.value for each in received.contributions[1:]), received.contributions[0].value)  # type: ignore[arg-type]
                np.testing.assert_array_equal(total, received.value, err_msg=f"{case.id}: {received.name}")
