"""tinygrad as the subject: its table on declared samples, where it is less exact than its dtype, and its choices."""

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

from gradcheck.dtypes import DTYPES, Array
from gradcheck.engine.tracing import trace
from gradcheck.engines import Engine, Outcome, Request
from gradcheck.ops import tf
from gradcheck.ops.declaration import Op, find_op
from gradcheck.reference.tensorflow import TensorFlowEngine
from gradcheck.subjects.included.tinygrad import engine
from tests.subjects.included.trying import known, tried

DIFFERS = {"tf.math.erf": "float32"}
"""What tinygrad computes less exactly than its dtype."""

LACKS = {
    "tf.gather": "`batch_dims` is another axis than `axis`",
    "tf.linalg.diag_part": "bands of diagonals",
    "tf.linalg.set_diag": "bands of diagonals",
}
"""Why the sample with the most arguments cannot be run."""

INEXACT = ("tf.asin", "tf.acos", "tf.atan", "tf.math.erf", "tf.nn.gelu")
"""What it computes by a polynomial that is good to seven or eight digits, also in float64."""


@pytest.mark.parametrize("op", known(engine), ids=lambda op: op.name)
def test_samples_agree_with_tensorflow(op: Op) -> None:
    found = tried(engine, op, ("float32",), one=True)
    wrong = found.wrong(engine)
    assert found.compared
    assert bool(wrong) == (op.name in DIFFERS), "\n".join(wrong)
    assert bool(found.lacking) == (op.name in LACKS), found.lacking
    assert all(LACKS[op.name] in why for _, why in found.lacking), found.lacking


@pytest.mark.parametrize("name", INEXACT)
def test_what_is_less_exact_than_float64_is_not_taken_for_right(name: str) -> None:
    assert tried(engine, find_op(name), ("float64",), one=True).wrong(engine)


def asked(side: Engine, call: Callable[..., Any], inputs: dict[str, Any], **more: Any) -> tuple[Array | None, ...]:
    arrays = {name: np.asarray(each) for name, each in inputs.items()}
    program = trace(call, arrays)
    found = side.run(Request(program, arrays, tuple(arrays), ((None,) * len(program.outputs),), **more))
    assert isinstance(found, Outcome), found
    return found.gradients[0]


class Choice(NamedTuple):
    """Where tinygrad differs by a stated choice: its gradient by the first input, and TensorFlow's."""

    op: str
    call: Callable[..., Any]
    inputs: dict[str, Any]
    chosen: Any
    other: Any


CHOICES = (
    Choice("unconnected", lambda x, y: y * y, {"x": 2.0, "y": 2.0}, 0.0, None),
    Choice("tf.maximum", lambda x, y: tf.maximum(x, y), {"x": 2.0, "y": 2.0}, 0.5, 1.0),
    Choice("tf.minimum", lambda x, y: tf.minimum(x, y), {"x": 2.0, "y": 2.0}, 0.5, 1.0),
    Choice(
        "tf.sort",
        lambda x: tf.sort(x) * np.array([1.0, 3.0]),
        {"x": [2.0, 2.0]},
        [2.0, 2.0],
        [1.0, 3.0],
    ),
    Choice(
        "tf.nn.softmax_cross_entropy_with_logits",
        lambda x: tf.nn.softmax_cross_entropy_with_logits(labels=np.array([1.0, 1.0]), logits=x),
        {"x": [0.0, 0.0]},
        [0.0, 0.0],
        [-0.5, -0.5],
    ),
    Choice(
        "tf.tensor_scatter_nd_update",
        lambda u, x: tf.tensor_scatter_nd_update(x, [[0], [0]], u),
        {"u": [5.0, 6.0], "x": [1.0, 2.0]},
        [0.0, 1.0],
        [1.0, 1.0],
    ),
)


@pytest.mark.parametrize("choice", CHOICES, ids=lambda each: each.op)
def test_tinygrad_differs_as_its_conventions_say(choice: Choice) -> None:
    for side, right in ((engine, choice.chosen), (TensorFlowEngine(), choice.other)):
        first = asked(side, choice.call, choice.inputs)[0]
        assert (first is None) == (right is None)
        if first is not None:
            np.testing.assert_array_equal(first, right)


def test_every_convention_has_its_point() -> None:
    assert engine.conventions.keys() == {each.op for each in CHOICES}


def test_inputs_with_the_same_number_are_not_one() -> None:
    """d(x y y)/dx is y y and d/dy is 2 x y."""
    assert asked(engine, lambda x, y: x * y * y, {"x": 3.0, "y": 3.0}) == (9.0, 18.0)


def test_a_second_derivative() -> None:
    """Of x cubed it is 6 x, along a direction of 2."""
    (found,) = asked(engine, lambda x: x * x * x, {"x": [1.5, -2.0]}, directions=(np.array([2.0, 2.0]),))
    np.testing.assert_allclose(found, [18.0, -24.0], rtol=1e-12)


@pytest.mark.parametrize("name", ["float16", "bfloat16", "float32", "float64"])
def test_every_dtype_comes_back_as_it_is(name: str) -> None:
    x = np.asarray([0.5, -3.0], DTYPES[name])
    (found,) = asked(engine, lambda x: x * x, {"x": x})
    assert found is not None
    assert found.dtype == x.dtype
    np.testing.assert_array_equal(found.astype(np.float64), [1.0, -6.0])


@pytest.mark.parametrize(("given", "used"), [({}, "PYTHON"), ({"DEV": "NULL"}, "NULL")])
def test_it_needs_no_compiler_unless_the_user_names_a_device(given: dict[str, str], used: str) -> None:
    code = "from gradcheck.subjects.included import tinygrad; import tinygrad; print(tinygrad.Device.DEFAULT)"
    rest = {name: value for name, value in os.environ.items() if name != "DEV"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=rest | given)
    assert done.stdout == f"{used}\n"
