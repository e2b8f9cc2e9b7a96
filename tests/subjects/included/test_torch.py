"""torch as the subject: its table on every declared sample, its choices, and its tensors bit by bit."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch

from gradcheck.dtypes import COMPLEXES, DTYPES, FLOATS, Array
from gradcheck.engine.tracing import trace
from gradcheck.engines import Engine, Outcome, Request
from gradcheck.ops import tf
from gradcheck.ops.declaration import Op, find_op
from gradcheck.reference.tensorflow import TensorFlowEngine
from gradcheck.subjects.find import Located
from gradcheck.subjects.included.torch import engine
from gradcheck.subjects.included.torch.tensors import array, constant
from tests.subjects.included.trying import known, tried

DIFFERS = {
    "tf.linalg.cholesky": {"complex64"},  # an imaginary part of the diagonal's cotangent is let through
    "tf.nn.gelu": {"float64"},
    "tf.nn.leaky_relu": {"float64"},
    "tf.raw_ops.LeakyReluGrad": {"float64"},
}
"""The dtypes in which an operation differs from TensorFlow on some sample."""

LACKS = {
    "tf.linalg.diag": "one diagonal at a time",
    "tf.linalg.diag_part": "one diagonal at a time",
    "tf.linalg.set_diag": "one diagonal at a time",
    "tf.math.xlog1py": "not implemented for 'Complex",
    "tf.math.xlogy": "not implemented for 'Complex",
    "tf.nn.pool": "no mean of dilated windows",
    "tf.pad": "symmetric",
    "tf.reduce_max": "of no elements",
    "tf.reduce_min": "of no elements",
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


def asked(side: Engine, call: Callable[..., Any], inputs: dict[str, Any], **more: Any) -> Outcome:
    arrays = {name: np.asarray(each) for name, each in inputs.items()}
    program = trace(call, arrays)
    found = side.run(Request(program, arrays, tuple(arrays), ((None,) * len(program.outputs),), **more))
    assert isinstance(found, Outcome), found
    return found


def gelu_slope(x: float, factor: float) -> float:
    """Of `0.5 x erfc(-factor x)`."""
    bell = math.exp(-((factor * x) ** 2)) / math.sqrt(math.pi)
    return 0.5 * math.erfc(-factor * x) + factor * x * bell


class Choice(NamedTuple):
    """A point where torch differs by a stated choice: what it gives for the first input, and what TensorFlow does."""

    op: str
    call: Callable[..., Any]
    inputs: dict[str, Any]
    chosen: Any
    other: Any


E = math.e
CHOICES = (
    Choice("tf.maximum", lambda x, y: tf.maximum(x, y), {"x": 2.0, "y": 2.0}, 0.5, 1.0),
    Choice("tf.minimum", lambda x, y: tf.minimum(x, y), {"x": 2.0, "y": 2.0}, 0.5, 1.0),
    Choice("tf.clip_by_value", lambda low, x: tf.clip_by_value(x, low, 1.0), {"low": 2.0, "x": 1.5}, 0.0, 1.0),
    Choice("tf.math.pow", lambda x, y: x**y, {"x": 0.0, "y": 0.0}, 0.0, math.nan),
    Choice("tf.math.pow", lambda y, x: x**y, {"y": 2.0, "x": -1.0}, math.nan, 0.0),
    Choice("tf.atan2", lambda y, x: tf.atan2(y, x), {"y": 0.0, "x": 0.0}, 0.0, math.nan),
    Choice("tf.math.angle", lambda x: tf.math.angle(x), {"x": 0j}, 0.0, complex(-math.inf, math.nan)),
    Choice("tf.norm", lambda x: tf.norm(x), {"x": [0.0, 0.0]}, 0.0, math.nan),
    Choice("tf.norm", lambda x: tf.norm(x, ord=3), {"x": [0.0, 0.0]}, 0.0, math.nan),
    Choice("tf.linalg.global_norm", lambda x: tf.linalg.global_norm([x]), {"x": [0.0]}, 0.0, math.nan),
    Choice("tf.math.reduce_euclidean_norm", lambda x: tf.math.reduce_euclidean_norm(x), {"x": [0.0]}, 0.0, math.nan),
    Choice("tf.math.reduce_std", lambda x: tf.math.reduce_std(x), {"x": [3.0, 3.0]}, 0.0, math.nan),
    Choice("tf.nn.leaky_relu", lambda x: tf.nn.leaky_relu(x, 0.1), {"x": -1.0}, 0.1, float(np.float32(0.1))),
    Choice(
        "tf.raw_ops.LeakyReluGrad",
        lambda g, x: tf.raw_ops.LeakyReluGrad(gradients=g, features=x, alpha=0.1),
        {"g": 1.0, "x": -1.0},
        0.1,
        float(np.float32(0.1)),
    ),
    Choice(
        "tf.nn.gelu",
        lambda x: tf.nn.gelu(x),
        {"x": -0.15},
        gelu_slope(-0.15, math.sqrt(0.5)),
        gelu_slope(-0.15, float(np.float32(math.sqrt(0.5)))),
    ),
    Choice("tf.nn.softplus", lambda x: tf.nn.softplus(x), {"x": 21.0}, 1.0, 1 / (1 + math.exp(-21))),
    Choice(
        "tf.nn.max_pool3d",
        lambda x: tf.nn.max_pool3d(x, [1, 1, 2], 1, "VALID"),
        {"x": np.full((1, 1, 1, 2, 1), 3.0, np.float32)},
        [[1.0], [0.0]],
        1.0,
    ),
    Choice(
        "tf.nn.softmax_cross_entropy_with_logits",
        lambda x: tf.nn.softmax_cross_entropy_with_logits(labels=np.array([1.0, 1.0]), logits=x),
        {"x": [0.0, 1.0]},
        [2 / (1 + E) - 1, 2 * E / (1 + E) - 1],
        [1 / (1 + E) - 1, E / (1 + E) - 1],
    ),
)


@pytest.mark.parametrize("choice", CHOICES, ids=lambda each: each.op)
def test_torch_differs_as_its_conventions_say(choice: Choice) -> None:
    for side, right in ((engine, choice.chosen), (TensorFlowEngine(), choice.other)):
        first = asked(side, choice.call, choice.inputs).gradients[0][0]
        assert first is not None
        np.testing.assert_allclose(first, np.broadcast_to(right, first.shape), rtol=1e-14)


def test_every_convention_has_its_point() -> None:
    assert engine.conventions.keys() == {"unconnected", *(each.op for each in CHOICES)}


def test_a_function_with_steps_is_connected_in_torch_and_not_in_tensorflow() -> None:
    assert "unconnected" in engine.conventions
    (mine,) = asked(engine, lambda x: tf.floor(x), {"x": [1.5]}).gradients[0]
    assert mine == [0.0]
    assert asked(TensorFlowEngine(), lambda x: tf.floor(x), {"x": [1.5]}).gradients[0] == (None,)


@pytest.mark.parametrize("unconnected", ["none", "zero"])
def test_what_is_not_connected_is_none_unless_zeros_are_asked_for(unconnected: str) -> None:
    inputs = {"x": [2.0], "y": [3.0, 4.0]}
    found = asked(engine, lambda x, y: x * x + tf.stop_gradient(y), inputs, unconnected=unconnected)
    left, right = found.gradients[0]
    np.testing.assert_array_equal(left, [8.0])  # one for each element of y
    if unconnected == "none":
        assert right is None
    else:
        np.testing.assert_array_equal(right, [0.0, 0.0])


def test_second_derivatives_take_the_directions_as_cotangents_of_the_first() -> None:
    x, y = np.array([1.0, 2.0]), np.array([3.0, -1.0])
    v, w = np.array([0.5, 2.0]), np.array([-1.0, 4.0])
    found = asked(engine, lambda x, y: x**3 * y, {"x": x, "y": y}, directions=(v, w))
    of_x, of_y = found.gradients[0]
    np.testing.assert_allclose(of_x, 6 * x * y * v + 3 * x**2 * w)
    np.testing.assert_allclose(of_y, 3 * x**2 * v)


def test_a_direction_that_is_left_out_adds_nothing() -> None:
    inputs = {"x": [2.0], "y": [3.0]}
    found = asked(engine, lambda x, y: x * x * y, inputs, directions=(None, np.array([5.0])))
    of_x, of_y = found.gradients[0]
    np.testing.assert_array_equal(of_x, [20.0])
    assert of_y is None


@pytest.mark.parametrize("dtype", [*FLOATS, *COMPLEXES], ids=lambda dtype: dtype.name)
def test_numbers_come_through_bit_by_bit(dtype: np.dtype) -> None:
    bits = np.arange(2**16, dtype=np.uint16).reshape(2, -1)  # every number of 16 bits, NaNs and infinities too
    value = bits.view(dtype) if dtype.itemsize == 2 else np.random.default_rng(3).bytes(960)
    value = np.frombuffer(value, dtype).reshape(2, -1) if isinstance(value, bytes) else value
    for each in (value, value[:, ::-1], value.T, value[0, 1], value[:0]):
        given = np.asarray(each)
        there = constant(given)
        assert there.dtype == getattr(torch, dtype.name)
        assert_identical(array(there), given)


def test_conjugates_that_torch_puts_off_are_carried_out() -> None:
    conjugate = torch.conj(constant(np.array([1 + 2j])))
    assert_identical(array(conjugate), np.array([1 - 2j]))
    assert_identical(array(torch.imag(conjugate)), np.array([-2.0]))


def test_an_array_and_its_tensor_share_no_memory() -> None:
    given = np.ones(2)
    there = constant(given)
    back = array(there)
    given[0], back[1] = 5.0, 7.0
    assert there.tolist() == [1.0, 1.0]


def test_it_is_found_by_its_name(tmp_path: Any) -> None:
    assert Located("torch", str(tmp_path))() is engine


def test_it_has_most_of_the_operations() -> None:
    assert len(engine.functions) >= 180
    assert {each.name for each in known(engine)} <= {find_op(name).name for name in engine.functions}


def assert_identical(found: Array, right: Array) -> None:
    assert (found.shape, found.dtype) == (right.shape, right.dtype)
    assert found.tobytes() == right.tobytes()


def test_every_dtype_of_cases_is_one_of_torch() -> None:
    assert all(isinstance(getattr(torch, name), torch.dtype) for name in DTYPES)
