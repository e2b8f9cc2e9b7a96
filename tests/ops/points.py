"""One operation at chosen points, in our engine and in TensorFlow: values, gradients and second gradients."""

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from gradcheck import GradientTape, tensor
from gradcheck.dtypes import Array, is_differentiable
from gradcheck.ops import find_op
from gradcheck.reference.tensorflow import function


class Orders(NamedTuple):
    """The value at some points, the gradient of each input, and the gradient of the sum of the gradients."""

    value: Array
    first: list[Array | None]
    second: list[Array | None]


def ours(name: str, inputs: list[Array], cotangent: float, attributes: dict[str, Any]) -> Orders:
    sources = [tensor(each) for each in inputs]
    with GradientTape() as outer:
        outer.watch(sources)
        with GradientTape() as inner:
            inner.watch(sources)
            value = find_op(name)(*sources, **attributes)
        seed = tensor(np.full(value.shape, cotangent).astype(value.dtype)) if is_differentiable(value.dtype) else None
        first = inner.gradient(value, sources, output_gradients=seed)
    connected = [each for each in first if each is not None]
    second = outer.gradient(connected, sources) if connected else [None] * len(sources)
    return Orders(value.numpy(), [_array(each) for each in first], [_array(each) for each in second])


def theirs(name: str, inputs: list[Array], cotangent: float, attributes: dict[str, Any]) -> Orders:
    sources = [tf.constant(each) for each in inputs]
    with tf.GradientTape() as outer:
        outer.watch(sources)
        with tf.GradientTape() as inner:
            inner.watch(sources)
            value = function(name)(*sources, **attributes)
        seed = tf.cast(tf.fill(value.shape, cotangent), value.dtype) if is_differentiable(value.numpy().dtype) else None
        first = inner.gradient(value, sources, output_gradients=seed)
    connected = [each for each in first if each is not None]
    second = outer.gradient(connected, sources) if connected else [None] * len(sources)
    return Orders(value.numpy(), [_array(each) for each in first], [_array(each) for each in second])


def assert_same_orders(name: str, *points: Any, cotangent: float = 1.0, order: int = 2, **attributes: Any) -> Orders:
    """Check that both engines answer alike, not-a-number and not-connected included; gives our answer.

    Values and gradients are compared relatively, second gradients, where terms cancel, to 1e-15 as well.
    """
    inputs = [each if isinstance(each, np.ndarray) else np.asarray(each, np.float64) for each in points]
    mine, other = ours(name, inputs, cotangent, attributes), theirs(name, inputs, cotangent, attributes)
    _assert_same(mine.value, other.value, f"{name}: value")
    rows = [("gradient", mine.first, other.first, 1e-300), ("second gradient", mine.second, other.second, 1e-15)]
    for what, left, right, floor in rows[:order]:
        for position, (a, b) in enumerate(zip(left, right, strict=True)):
            _assert_same(a, b, f"{name}: {what} of input {position} at {inputs}", floor)
    return mine


def _assert_same(left: Array | None, right: Array | None, what: str, floor: float = 1e-300) -> None:
    if left is None or right is None:
        assert left is right, f"{what}: {left} and {right}: only one is connected"
        return
    assert (left.shape, left.dtype) == (right.shape, right.dtype), what
    np.testing.assert_allclose(left, right, rtol=1e-12, atol=floor, equal_nan=True, err_msg=what)


def _array(value: Any) -> Array | None:
    return None if value is None else value.numpy()
