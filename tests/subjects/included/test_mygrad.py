"""mygrad as the subject: its table on every declared sample, and its choices."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

from gradcheck.engine.tracing import trace
from gradcheck.engines import Engine, Failure, Outcome, Request
from gradcheck.ops import tf
from gradcheck.ops.declaration import Op
from gradcheck.reference.tensorflow import TensorFlowEngine
from gradcheck.subjects.included.mygrad import engine
from tests.subjects.included.trying import known, tried

LACKS = {
    "tf.cast": "complex128",
    "tf.linalg.diag": "bands of diagonals",
    "tf.linalg.diag_part": "bands of diagonals",
    "tf.linalg.normalize": "norms of matrices",
    "tf.linalg.set_diag": "bands of diagonals",
    "tf.linspace": "no step between",
    "tf.nn.gelu": "no error function",
    "tf.norm": "norms of matrices",
    "tf.repeat": "a tensor without elements",
}
"""Why some sample of an operation cannot be run."""


@pytest.mark.parametrize("op", known(engine), ids=lambda op: op.name)
def test_every_sample_agrees_with_tensorflow(op: Op) -> None:
    found = tried(engine, op)
    wrong = found.wrong(engine)
    assert found.compared
    assert bool(wrong) == (op.name == "tf.cast"), "\n".join(wrong)
    assert bool(found.lacking) == (op.name in LACKS), found.lacking
    assert all(LACKS[op.name] in why for _, why in found.lacking), found.lacking


def asked(side: Engine, call: Callable[..., Any], inputs: dict[str, Any]) -> Outcome | Failure:
    arrays = {name: np.asarray(each) for name, each in inputs.items()}
    program = trace(call, arrays)
    return side.run(Request(program, arrays, tuple(arrays), ((None,) * len(program.outputs),)))


class Choice(NamedTuple):
    """Where mygrad differs by a stated choice: its gradient by the first input, and TensorFlow's."""

    op: str
    call: Callable[..., Any]
    inputs: dict[str, Any]
    chosen: Any
    other: Any


CHOICES = (
    Choice("unconnected", lambda x: tf.sign(x), {"x": 2.0}, None, 0.0),
    Choice("tf.cast", lambda x: tf.cast(x, "float32"), {"x": 2.0}, None, 1.0),
    Choice("tf.maximum", lambda x, y: tf.maximum(x, y), {"x": 2.0, "y": 2.0}, 0.0, 1.0),
    Choice("tf.minimum", lambda x, y: tf.minimum(x, y), {"x": 2.0, "y": 2.0}, 0.0, 1.0),
    Choice("tf.clip_by_value", lambda x: tf.clip_by_value(x, 0.0, 2.0), {"x": 2.0}, 0.0, 1.0),
    Choice("tf.reduce_max", lambda x: tf.reduce_max(x), {"x": [3.0, 3.0]}, [1.0, 0.0], [0.5, 0.5]),
    Choice("tf.reduce_min", lambda x: tf.reduce_min(x), {"x": [3.0, 3.0]}, [1.0, 0.0], [0.5, 0.5]),
)


@pytest.mark.parametrize("choice", CHOICES, ids=lambda each: each.op)
def test_mygrad_differs_as_its_conventions_say(choice: Choice) -> None:
    for side, right in ((engine, choice.chosen), (TensorFlowEngine(), choice.other)):
        found = asked(side, choice.call, choice.inputs)
        assert isinstance(found, Outcome), found
        first = found.gradients[0][0]
        assert (first is None) == (right is None)
        if first is not None:
            np.testing.assert_array_equal(first, right)


def test_every_convention_has_its_point() -> None:
    assert engine.conventions.keys() == {each.op for each in CHOICES}


def test_gradients_of_gradients_are_lacking() -> None:
    array = np.asarray(2.0)
    program = trace(lambda x: x * x, {"x": array})
    found = engine.run(Request(program, {"x": array}, ("x",), ((None,),), directions=(np.asarray(1.0),)))
    assert isinstance(found, Failure)
    assert (found.kind, found.message) == ("unsupported", "it has no second derivatives")


def test_what_is_not_finite_is_no_matter_for_a_warning() -> None:
    """pytest makes an error of every warning that reaches it, so the filter is tried where a user would run it."""
    code = (
        "import numpy as np; from gradcheck.subjects.included.mygrad import engine;"
        "x = engine.variable(np.zeros(2)); engine.functions['tf.math.log'](x).backward(); print(x.grad)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("[inf inf]\n", "")
