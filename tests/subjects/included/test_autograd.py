"""autograd as the subject: its table on every declared sample, and the adapter around `make_vjp`."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradcheck.engines import Engine
from gradcheck.ops import tf
from gradcheck.ops.declaration import Op
from gradcheck.reference.tensorflow import TensorFlowEngine
from gradcheck.subjects.included.autograd import engine
from tests.subjects.included import transforming
from tests.subjects.included.trying import known, tried

DIFFERS = {
    "tf.linalg.cholesky": {"complex64"},  # conjugates are missing
    "tf.linalg.normalize": {"complex64", "float64"},  # NaN for the largest magnitude
    "tf.linalg.slogdet": {"complex64"},  # the sign counts as constant
    "tf.nn.gelu": {"float64"},
    "tf.nn.leaky_relu": {"float64"},
    "tf.norm": {"complex64", "float64"},  # NaN for the largest magnitude
    "tf.sign": {"complex64"},  # it counts as constant
}
"""The dtypes in which an operation differs from TensorFlow on some sample."""

LACKS = {
    "tf.einsum": "repeated within a term",
    "tf.linalg.diag": "bands of diagonals",
    "tf.linalg.diag_part": "bands of diagonals",
    "tf.linalg.normalize": "not implemented for ord=1",
    "tf.linalg.set_diag": "bands of diagonals",
    "tf.nn.silu": "none of complex numbers",
    "tf.norm": "not implemented for ord=",
    "tf.pad": "`mode`",
    "tf.repeat": "`repeats` has several numbers",
    "tf.sigmoid": "none of complex numbers",
    "tf.sort": "multi-dimensional",
    "tf.tile": "zero times",
}
"""Why some sample of an operation cannot be run."""


@pytest.mark.parametrize("op", known(engine), ids=lambda op: op.name)
def test_every_sample_agrees_with_tensorflow(op: Op) -> None:
    found = tried(engine, op)
    wrong = found.wrong(engine)
    assert found.compared
    assert {each.split()[1] for each in wrong} == DIFFERS.get(op.name, set()), "\n".join(wrong)
    assert bool(found.lacking) == (op.name in LACKS), found.lacking
    assert all(LACKS[op.name] in why for _, why in found.lacking), found.lacking


@pytest.mark.parametrize(
    "check", [each for name, each in vars(transforming).items() if name.startswith("assert_")], ids=lambda f: f.__name__
)
def test_the_adapter(check: Callable[[Engine], None]) -> None:
    check(engine)


@pytest.mark.parametrize(
    ("call", "inputs", "chosen", "other"),
    [
        (lambda x, y: tf.maximum(x, y), {"x": 2.0, "y": 2.0}, 0.5, 1.0),
        (lambda x, y: tf.minimum(x, y), {"x": 2.0, "y": 2.0}, 0.5, 1.0),
        (lambda x: tf.nn.relu(x), {"x": 0.0}, 0.5, 0.0),
        (lambda x: tf.clip_by_value(x, -1.0, 1.0), {"x": 1.0}, 0.0, 1.0),
    ],
    ids=["maximum", "minimum", "relu", "clip_by_value"],
)
def test_where_it_differs_by_choice(call: Any, inputs: dict[str, Any], chosen: float, other: float) -> None:
    for side, right in ((engine, chosen), (TensorFlowEngine(), other)):
        np.testing.assert_array_equal(transforming.gradients(side, call, inputs)[0], right)


def test_of_repeated_positions_the_last_update_stays() -> None:
    found = transforming.asked(
        engine, lambda x, u: tf.tensor_scatter_nd_update(x, [[0], [0]], u), {"x": [1.0, 2.0], "u": [5.0, 6.0]}
    )
    np.testing.assert_array_equal(found.outputs[0], [6.0, 2.0])
    np.testing.assert_array_equal(found.gradients[0][0], [0.0, 1.0])
    np.testing.assert_array_equal(found.gradients[0][1], [0.0, 1.0])


def test_it_has_at_least_120_operations() -> None:
    assert len(known(engine)) >= 120
