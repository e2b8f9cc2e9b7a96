"""Engines with the defects that people really have: the right operation is blamed, for the right slip, and no other."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.subjects.conftest import ENGINES, Command, Compared, inputs

Write = Callable[..., Path]


class Flaw(NamedTuple):
    """A planted defect, a case that shows it, and what has to be found."""

    engine: str
    case: str
    accused: set[tuple[str, str | None]]
    """Operations and slips, exactly."""
    verdict: str = "mismatch"
    words: str = ""
    """What the finding says, among other things."""


SQUARE = [[3.0, -7.0], [-1.0, 5.0]]
COMPLEX = "dtype: complex64\n" + inputs(
    "x @ y", x=[["1+2j", "0.5-1j"], ["-1+1j", "2-1j"]], y=[["1j", "1-1j"], ["2+1j", "-1+3j"]]
)
THREE = [0.5, -1.0, 2.0]
ROWS = [[1.0, 2.0, -1.0], [0.5, 3.0, 1.5]]

FLAWS = {
    "full transpose": Flaw(
        "closures_defects.py:full_transpose",
        inputs(
            "tf.exp(x @ y)", x=[[[0.1, 0.2], [0.3, 0.4]], [[0.5, 0.6], [0.7, 0.8]]], y=[[[1.0, 2.0], [0.5, 1.5]]] * 2
        ),
        {("tf.matmul", "full-transpose")},
        words="uses a full transpose; only the last two axes should be swapped",
    ),
    "axes of size 1 summed away": Flaw(
        "closures_defects.py:drops_axes",
        inputs("tf.reduce_sum(tf.exp(x) * c)", x=ROWS, c=[[0.5], [2.0]]),
        {("tf.multiply", "lost-axes")},
    ),
    "axes of size 1 not summed": Flaw(
        "closures_defects.py:keeps_axes",
        inputs("tf.reduce_sum(tf.exp(x) * c)", x=ROWS, c=[[0.5], [2.0]]),
        {("tf.multiply", "missing-sum")},
    ),
    "subtraction from the right adds": Flaw(
        "closures_defects.py:adds_from_the_right",
        inputs("tf.exp(3.0 - x)", x=THREE),
        {("tf.subtract", "other-operation"), ("tf.subtract", "sign")},
        words="the value of `tf.subtract` (line 4) is that of `tf.add`",
    ),
    "subtraction from the right exchanges": Flaw(
        "closures_defects.py:exchanges_from_the_right",
        inputs("tf.exp(3.0 - x)", x=THREE),
        {("tf.subtract", "exchanged-operands"), ("tf.subtract", "sign")},
        words="the value of `tf.subtract` (line 4) is computed with the two operands exchanged",
    ),
    "negative axis": Flaw(
        "closures_defects.py:negative_axis",
        inputs("tf.exp(tf.reduce_sum(x * y, axis=-1))", x=SQUARE, y=[[0.1, 0.2], [0.3, 0.4]]),
        {("tf.reduce_sum", "wrong-axis")},
    ),
    "last contribution": Flaw(
        "nodes_defects.py:last_contribution",
        inputs("tf.exp(x) * y + tf.tanh(x)", x=THREE, y=[1.0, 2.0, 3.0]),
        {("tf.exp", "fan-out")},
        words="what the readers of x hand back is not summed; the first of them is `tf.exp` (line 5)",
    ),
    "None for placeholders": Flaw(
        "nodes_defects.py:no_placeholders",
        inputs("tf.exp(x) * y", x=THREE, y=[1.0, 2.0, 3.0]),
        set(),
        "disconnected",
        'it says "not connected" of every input, whatever the operation',
    ),
    "breadth first": Flaw(
        "flow_defects.py:breadth_first",
        inputs("a = x * x\nb = a * y\nc = b + a\nc * a", x=3.0, y=5.0),
        set(),
        words="in its walk a value hands on its gradient before all of it has arrived",
    ),
    "gather overwrites": Flaw(
        "closures_defects.py:overwrites",
        inputs("tf.gather(tf.exp(x), [0, 2, 0]) * y", x=THREE, y=[1.0, 2.0, 3.0]),
        {("tf.gather", "overwritten")},
        words="keeps only the last contribution where an index repeats; they should be summed",
    ),
    "softmax elementwise": Flaw(
        "closures_defects.py:elementwise_softmax",
        inputs("tf.nn.softmax(x * y, axis=-1)", x=ROWS, y=[1.0, 2.0, 0.5]),
        {("tf.nn.softmax", "diagonal")},
    ),
    "no conjugate": Flaw(
        "closures_defects.py:no_conjugate", COMPLEX, {("tf.matmul", "conjugate-operand")}, words="conjugate"
    ),
    "mean divides twice": Flaw(
        "closures_defects.py:divides_twice",
        inputs("tf.reduce_mean(tf.exp(x), axis=1)", x=ROWS),
        {("tf.reduce_mean", "divided-twice")},
        words="is n = 3 times too small: it is divided by n twice",
    ),
    "layer norm with a constant variance": Flaw(
        "closures_defects.py:constant_variance",
        inputs(
            "mean, var = tf.nn.moments(x, [-1], keepdims=True)\n(x - mean) * (var + 0.1) ** -0.5 * gamma",
            x=ROWS,
            gamma=[1.0, 2.0, 0.5],
        ),
        {("tf.nn.moments", "missing-output")},
        words="leaves out what comes in from the second output",
    ),
    "relu passes at zero": Flaw(
        "closures_defects.py:passes_at_zero",
        inputs("tf.nn.relu(x) * y", x=[-1.0, 0.0, 2.0], y=[1.0, 2.0, 3.0]),
        set(),
        "tie",
        "at a kink of `tf.nn.relu` (line 5): both gradients are subgradients",
    ),
    "equal numbers merged": Flaw(
        "closures_defects.py:merges",
        inputs("tf.exp(x) * y", x=THREE, y=THREE),
        set(),
        words="it takes `x` and `y` for one value, because their numbers are equal",
    ),
    "an input merged with a constant": Flaw(
        "closures_defects.py:merges",
        inputs("(x + y) * 2.0", x=2.0, y=3.0),
        set(),
        words="it takes `x` for the constant of the same numbers in the expression",
    ),
    "relu in place": Flaw(
        "closures_defects.py:in_place_relu",
        inputs("a = x * y\nb = a * a\nb + tf.nn.relu(a)", x=THREE, y=[1.0, 2.0, 3.0]),
        {("tf.nn.relu", "in-place")},
        words="`tf.nn.relu` (line 7) changes its operand in place",
    ),
    "backward in place": Flaw(
        "closures_defects.py:in_place_backward",
        inputs("a = tf.exp(x)\na * y + tf.tanh(a)", x=THREE, y=[1.0, 2.0, 3.0]),
        {("tf.tanh", "in-place")},
        words="the backward pass of `tf.tanh` (line 6) changes a value in place",
    ),
    "gradients kept": Flaw(
        "closures_defects.py:keeps",
        inputs("tf.exp(x) * y", x=THREE, y=[1.0, 2.0, 3.0]),
        set(),
        words="keeps something from one run to the next",
    ),
    "a wrong product": Flaw(
        "closures_defects.py:twice_the_product",
        inputs("tf.exp(x) * y", x=THREE, y=[1.0, 2.0, 3.0]),
        {("tf.multiply", "factor")},
        words="is 2 times too large",
    ),
    "a wrong product that is not in the case": Flaw(
        "closures_defects.py:twice_the_product",
        inputs("tf.tanh(tf.exp(x))", x=THREE),
        {("tf.multiply", "factor")},
        words="the gradient of `tf.multiply` with respect to its first argument is 2 times",
    ),
}


@pytest.mark.parametrize("flaw", FLAWS.values(), ids=FLAWS)
def test_a_defect_is_found_and_nothing_else_accused(compared: Compared, write: Write, flaw: Flaw) -> None:
    (record,), status = compared(write(flaw.case), flaw.engine)
    diagnosis = record["diagnosis"] or {"accused": [], "sentence": ""}
    assert record["verdict"] == flaw.verdict
    assert {(each["operation"], each["slip"]) for each in diagnosis["accused"]} == flaw.accused
    assert flaw.words in record["note"] + diagnosis["sentence"]
    assert status == (0 if flaw.verdict == "tie" else 1)


def test_a_walk_over_a_queue_with_full_transposes_prints_what_people_see(compared: Compared) -> None:
    """The numbers that are reported of such engines for this case."""
    (record,), status = compared("cases/matmul_chain.yaml", "flow_defects.py:as_found")
    found = {
        each["variable"]: each["values"][0]["elements"]
        for each in record["comparisons"]
        if each["cotangent"] == "ones" and each["sides"] == ["as_found", "tensorflow"]
    }
    assert status == 1
    assert found == {
        "x": [[[-5, 7], [-5, 7]], [[-5, 7], [-5, 7]]],
        "y": [[33, 22], [54, 36]],
        "z": [[[9, 9], [14, 14]], [[-5, -5], [-6, -6]]],
    }
    accused = {(each["operation"], each["slip"]) for each in record["diagnosis"]["accused"]}
    assert accused == {("tf.matmul", "full-transpose")}


def test_an_operator_that_is_missing_on_the_right_is_named_with_its_line(compared: Compared, write: Write) -> None:
    case = inputs("y = tf.exp(x)\n2.0 * y", x=THREE)
    (record,), status = compared(write(case), "closures_defects.py:not_from_the_right")
    (failure,) = record["failures"]
    assert (record["verdict"], status) == ("error", 2)
    assert failure["message"] == (
        "`tf.multiply` (line 5) raised TypeError: unsupported operand type(s) for *: 'float' and 'NotFromTheRight'"
    )


def test_a_walk_once_for_every_path_runs_out_of_time_on_a_ladder(command: Command, write: Write) -> None:
    ladder = inputs("for _ in range(60):\n  x = x + x\nx", x=0.5)
    engine = f"{ENGINES}/closures_defects.py:once_per_path"
    result = command("compare", write(ladder), "--engine", engine, "--timeout", "3", "--report", "json")
    (record,) = json.loads(result.stdout)["cases"]
    assert (record["verdict"], result.exit_code) == ("timeout", 3)
    assert record["failures"][0]["message"] == "once_per_path did not answer within 3 s"
    assert record["note"].startswith("its time ")
    assert record["note"].endswith("its walk visits a value once for every path")


def test_what_else_is_wrong_waits_for_a_right_product(compared: Compared, write: Write) -> None:
    (record,), _ = compared(
        write(inputs("tf.exp(x) * y", x=THREE, y=THREE[::-1])), "closures_defects.py:twice_the_product"
    )
    assert record["diagnosis"]["note"] == (
        "it brings cotangents in by that product: what else is wrong can be told once that is right"
    )
