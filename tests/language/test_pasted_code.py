"""Tape code as it is pasted: Python itself runs the text of shipped cases on TensorFlow, and the program must agree.

The comparison of a case runs the same program on both sides; that the program means what the text says is shown here.
The texts are ours, and trusted.
"""

import ast
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from gradcheck.casefile.case import Case
from gradcheck.casefile.limits import Limits
from gradcheck.casefile.load import load_file
from gradcheck.engine.evaluate import evaluate
from gradcheck.language import Lowered, lower
from gradcheck.language.structures import leaves

CASES = Path(__file__).parents[2] / "cases"
NAMES = ("tapes", "variables", "control_flow", "custom_gradients", "tensors", "graphs", "linear_operators")
FILES = tuple(f"{name}.yaml" for name in NAMES)
Read = Callable[..., Lowered]

TEXTS = [
    "f = lambda a, b=2.0: a * b + s\nf(x) + f(v, b=3.0)",
    "def f(a, *more, k=2.0, **rest):\n  return a * k + more[0] * rest['z']\nf(x, v, z=3.0)",
    "both = {'a': x, 'b': [v, s]}\nboth['a'] * both['b'][1] + both['b'][0]",
    "d = {'one': v, 'two': s}\nsum([each * 2.0 for each in d.values()])",
    "def outer(a):\n  def inner(b):\n    return a * b\n  return inner\nouter(s)(v)",
    "tf.nest.map_structure(lambda a: a * 2.0, {'u': v, 'w': (s, x)})['w'][1]",
    "v = tf.Variable([1.0, 2.0])\nv.assign_add([1.0, 1.0])\nv.assign_sub([0.5, 0.0])\nv * s",
    "with tf.GradientTape() as t:\n  t.watch(v)\n  y = tf.reduce_sum(v ** 3)\nt.gradient(y, v)",
    (
        "with tf.GradientTape() as a, tf.GradientTape() as b:\n  a.watch(v)\n  b.watch(v)\n"
        "  y = tf.reduce_sum(v ** 3)\n[a.gradient(y, v), b.gradient(y, v)]"
    ),
    "tf.while_loop(lambda a, n: n < 3, lambda a, n: (a * a, n + 1), (v, 0))[0]",
    "tf.scan(lambda a, b: (a[0] + b, a[1] * b), v, initializer=(0.0, 1.0))[1]",
    "tf.scan(lambda a, b: a * b, v, reverse=True)",
    "tf.case([(s > 5.0, lambda: v), (s > 1.0, lambda: -v)], default=lambda: v * v)",
    "tf.switch_case(i[1], [lambda: v, lambda: v * 2.0])",
    "tf.foldr(lambda a, b: a / b, v)",
]


def shipped() -> Iterator[Case]:
    for name in FILES:
        yield from load_file(CASES / name, Limits()).cases


def run_by_python(case: Case) -> list[Any]:
    """What the text gives when Python runs it, leaf by leaf."""
    names: dict[str, Any] = {"tf": tf, "math": math}
    for name, given in case.inputs.items():
        make = tf.Variable if given.variable else tf.constant
        value = given.value
        names[name] = [make(each) for each in value] if isinstance(value, tuple) else make(value)
    tree = ast.parse(case.expr.text)
    last = tree.body.pop()
    assert isinstance(last, ast.Expr)
    exec(compile(tree, "case", "exec"), names)
    return leaves(eval(compile(ast.Expression(last.value), "case", "eval"), names))


def same(lowered: Lowered) -> None:
    theirs = run_by_python(lowered.case)
    ours = evaluate(lowered.program, lowered.inputs)
    assert len(ours) == len(theirs)
    for mine, other in zip(ours, theirs, strict=True):
        if other is None or mine is None:
            assert mine is other
        else:
            np.testing.assert_allclose(mine, np.asarray(tf.convert_to_tensor(other)), rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("case", list(shipped()), ids=lambda case: case.id.rpartition("/")[2])
def test_a_shipped_case_means_what_its_text_means(case: Case) -> None:
    same(lower(case))


@pytest.mark.parametrize("text", TEXTS)
def test_means_what_python_means(read: Read, text: str) -> None:
    same(read(text))
