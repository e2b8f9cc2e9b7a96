"""Tapes, variables and functions in an expression: what is refused, and what is a gradient that is not there.

That they mean what TensorFlow means is for the cases in `cases/tapes.yaml` and its neighbours to show.
"""

from collections.abc import Callable

import pytest

from gradcheck.casefile.limits import Limits
from gradcheck.diagnostics import Diagnostic
from gradcheck.language import Lowered

Read = Callable[..., Lowered]
Refused = Callable[..., list[Diagnostic]]

TAPED = "with tf.GradientTape() as t:\n  t.watch([x, v])\n  y = x * x\n"

REFUSED = {
    "a second gradient of a tape that is not persistent": (
        TAPED + "t.gradient(y, x)\nt.gradient(y, x)",
        "a tape gives one set of gradients; `tf.GradientTape(persistent=True)` gives any number",
    ),
    "None in arithmetic": (
        TAPED + "t.gradient(y, v) * 2.0",
        "this gradient is None: no path leads to its source",
    ),
    "None as an argument": (
        TAPED + "tf.exp(t.gradient(y, v))",
        "this gradient is None: no path leads to its source",
    ),
    "None as a target": (
        "with tf.GradientTape(persistent=True) as t:\n  t.watch(x)\n  y = x * x\nt.gradient(t.gradient(y, v), x)",
        "the target is None: a gradient that is not connected",
    ),
    "too few cotangents": (
        TAPED + "t.gradient([y, y], x, output_gradients=[y])",
        "2 targets need as many output_gradients, not 1",
    ),
    "a number as a source": (TAPED + "t.gradient(y, 2.0)", "a source must be a tensor or a variable, not 2.0"),
    "what to do with what is not connected": (
        TAPED + "t.gradient(y, x, unconnected_gradients='nil')",
        "unconnected_gradients is 'none' or 'zero', not 'nil'",
    ),
    "an attribute that tapes do not have": (TAPED + "t.gradients(y, x)", "a tape has no attribute `gradients`"),
    "a tensor after with": ("with x as y:\n  z = x\nz", "a tensor cannot stand after `with`"),
    "a return outside": ("return x", "`return` stands outside a function"),
    "an endless recursion": ("f = lambda a: f(a)\nf(x)", "calls of functions nest deeper than 40"),
    "too few arguments": ("f = lambda a, b: a + b\nf(x)", "`lambda`: missing a required argument: 'b'"),
    "a deleted name": ("y = x\ndel y\ny", "`y` is not an input or a variable"),
    "a name of a function's inside": (
        "def f(a):\n  inner = a\n  return a\nf(x)\ninner",
        "`inner` is not an input or a variable",
    ),
    "a loop that does not end": (
        "tf.while_loop(lambda a: True, lambda a: (a,), [x])",
        "the loop does not end within 100000 rounds",
    ),
    "a map over a scalar": ("tf.map_fn(tf.exp, tf.reduce_sum(x))", "the elements must be tensors with one first axis"),
    "structures of different sizes": (
        "tf.nest.map_structure(lambda a, b: a + b, [x, x], [x])",
        "the structures differ in their number of leaves",
    ),
    "a custom gradient that is missing": (
        "f = tf.custom_gradient(lambda a: a * 2.0)\nf(x)",
        "a function with a custom gradient gives its value and a function: `return y, grad`",
    ),
    "a custom gradient of another shape": (
        "f = tf.custom_gradient(lambda a: (a * 2.0, lambda g: tf.reduce_sum(g)))\nf(x)",
        "the custom gradient of an argument float32[2, 3] cannot be float32[]",
    ),
    "a variable of another shape": (
        "v = tf.Variable([1.0, 2.0])\nv.assign([1.0, 2.0, 3.0])\nv + 0.0",
        "`assign`: a variable float32[2] cannot take float32[3]",
    ),
}


@pytest.mark.parametrize(("expression", "message"), REFUSED.values(), ids=REFUSED)
def test_what_tensorflow_refuses_is_refused_with_its_place(refused: Refused, expression: str, message: str) -> None:
    found = refused(expression)
    assert found[0].message == message
    assert found[0].span is not None


def test_a_gradient_that_is_not_connected_is_none_and_can_be_asked_about(read: Read) -> None:
    lowered = read(TAPED + "g = t.gradient(y, [x, v])\n[each for each in g if each is not None]")
    assert len(lowered.program.outputs) == 1


def test_a_gradient_that_is_not_connected_is_false(read: Read) -> None:
    lowered = read(TAPED + "g = t.gradient(y, v)\nx * 2.0 if g is None else x")
    assert lowered.program.instructions[-1].op.name == "tf.multiply"


def test_a_variable_is_read_as_a_step_only_where_it_matters(read: Read) -> None:
    assert "variable.read" not in str(read("v = tf.Variable(2.0)\nx * x").program)


def test_functions_see_what_is_defined_later(read: Read) -> None:
    lowered = read("def f(a):\n  return g(a) + 1.0\ndef g(a):\n  return a * 2.0\nf(x)")
    assert [each.op.name for each in lowered.program.instructions] == ["tf.multiply", "tf.add"]


def test_defaults_and_keywords_and_stars(read: Read) -> None:
    lowered = read("def f(a, *more, k=2.0, **rest):\n  return a * k + more[0] * rest['z']\nf(x, x, z=3.0)")
    assert len(lowered.program.instructions) == 3


def test_many_gradients_take_time_in_proportion(read: Read) -> None:
    """Each of a growing program, which is not walked again from its start."""
    body = "  with tf.GradientTape() as t:\n    t.watch(p)\n    y = p * p\n  p = p - t.gradient(y, p)\n"
    assert len(read(f"p = x\nfor i in range(200):\n{body}p").program.instructions) == 200 * 4


@pytest.mark.parametrize(
    "expression",
    [
        "f = lambda n: f(n) + f(n)\nf(x)",
        "def f(a):\n  for i in range(1000):\n    a = a + a\n  return a\nfor i in range(1000):\n  x = f(x)\nx",
        "def f(*a): return f(*a, *a)\nf(x)",
    ],
)
def test_functions_cannot_be_made_to_run_for_long(refused: Refused, expression: str) -> None:
    assert {each.code for each in refused(expression, Limits(instructions=20_000))} <= {"too-deep", "too-long"}
