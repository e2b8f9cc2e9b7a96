"""Coarse grids, which differences cannot see: every number and every gradient is TensorFlow's, to the last bit."""

from typing import Any

import numpy as np
import pytest
import tensorflow

from gradcheck import GradientTape, tensor
from gradcheck.dtypes import Array
from gradcheck.ops import tf
from gradcheck.ops.declaration import OpError
from gradcheck.reference.tensorflow import REFUSALS

X = np.random.default_rng(0).uniform(-2, 2, (40, 3))


def _gradients(tf: Any, tape: Any, sources: list[Any], call: Any) -> list[Array | None]:
    with tape() as recording:
        recording.watch(sources)
        value = call(tf, *sources)
    found = recording.gradient(value, sources)
    return [value.numpy(), *(None if each is None else each.numpy() for each in found)]


def assert_same(call: Any, *arrays: Array) -> None:
    ours = _gradients(tf, GradientTape, [tensor(each) for each in arrays], call)
    theirs = _gradients(tensorflow, tensorflow.GradientTape, [tensorflow.constant(each) for each in arrays], call)
    for one, other in zip(ours, theirs, strict=True):
        assert (one is None) == (other is None)
        if one is not None:
            np.testing.assert_array_equal(one, other)


ENDS = ((-1.0, 1.0), (-0.3, 1.7), (0.5, 1.5), (-1.5, -0.5), (0.0, 0.0), (1.0, -1.0))


@pytest.mark.parametrize("ends", ENDS)
@pytest.mark.parametrize(("bits", "narrow"), [(2, True), (4, False), (8, True), (16, False)])
def test_fake_quantization_is_tensorflows(ends: tuple[float, float], bits: int, narrow: bool) -> None:
    low, high = (np.array(each, np.float32) for each in ends)
    assert_same(
        lambda tf, x, low, high: tf.quantization.fake_quant_with_min_max_vars(x, low, high, bits, narrow),
        X[:, 0].astype(np.float32),
        low,
        high,
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("function", ["quantize_and_dequantize", "quantize_and_dequantize_v2"])
@pytest.mark.parametrize(("signed", "narrow"), [(True, False), (True, True), (False, False)])
@pytest.mark.parametrize("mode", ["HALF_TO_EVEN", "HALF_UP"])
@pytest.mark.parametrize("ends", [None, (-1.0, 1.0), (-1.0, 0.5), (0.0, 1.0), (0.0, 0.0)])
def test_quantizing_and_back_is_tensorflows(
    dtype: str, function: str, signed: bool, narrow: bool, mode: str, ends: tuple[float, float] | None
) -> None:
    for bits in (2, 3, 8):
        call = {"signed_input": signed, "num_bits": bits, "range_given": ends is not None, "round_mode": mode}
        assert_same(
            lambda tf, x, low, high, call=call: getattr(tf.quantization, function)(
                x, low, high, narrow_range=narrow, **call
            ),
            X.astype(dtype),
            *(np.array(each, dtype) for each in ends or (-1.0, 1.0)),
        )


@pytest.mark.parametrize("given", [True, False])
@pytest.mark.parametrize("axis", [0, 1])
def test_a_range_for_every_entry_of_an_axis(axis: int, given: bool) -> None:
    count = X.shape[axis]
    low, high = np.linspace(-1.5, -0.1, count), np.linspace(0.2, 1.0, count)

    def call(tf: Any, x: Any, low: Any, high: Any) -> Any:
        return tf.raw_ops.QuantizeAndDequantizeV3(
            input=x, input_min=low, input_max=high, num_bits=4, range_given=given, axis=axis
        )

    assert_same(call, X, low, high)


REFUSED = {
    "bits": lambda tf, x: tf.quantization.fake_quant_with_min_max_args(x, num_bits=1),
    "many bits": lambda tf, x: tf.quantization.fake_quant_with_min_max_vars(x, -1.0, 1.0, 17),
    "order": lambda tf, x: tf.quantization.fake_quant_with_min_max_args(x, 1.0, 1.0),
    "rank": lambda tf, x: tf.quantization.fake_quant_with_min_max_vars(x, [-1.0], [1.0]),
    "channels": lambda tf, x: tf.quantization.fake_quant_with_min_max_vars_per_channel(x, [-1.0], [1.0]),
    "cotangent": lambda tf, x: tf.quantization.fake_quant_with_min_max_args_gradient(x[0], x),
    "62 bits": lambda tf, x: tf.quantization.quantize_and_dequantize(x, -1.0, 1.0, num_bits=62),
    "no bits": lambda tf, x: tf.quantization.quantize_and_dequantize(x, -1.0, 1.0, num_bits=0),
    "mode": lambda tf, x: tf.quantization.quantize_and_dequantize(x, -1.0, 1.0, round_mode="UP"),
    "axis": lambda tf, x: tf.quantization.quantize_and_dequantize(x, -1.0, 1.0, axis=2),
    "axis and range": lambda tf, x: tf.quantization.quantize_and_dequantize(
        x, [-1.0] * 3, [1.0] * 3, range_given=True, axis=1
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_tensorflow_refuses_is_refused(name: str) -> None:
    x = X.astype(np.float32)
    with pytest.raises(OpError):
        REFUSED[name](tf, tensor(x))
    with pytest.raises((*REFUSALS, ZeroDivisionError)):
        REFUSED[name](tensorflow, tensorflow.constant(x))


def test_a_range_in_the_wrong_order_is_refused_when_it_runs() -> None:
    with pytest.raises(ValueError, match="`input_min` is larger than `input_max`"):
        tf.quantization.quantize_and_dequantize(tensor(X), 1.0, -1.0, range_given=True)


def test_the_second_derivative_is_that_of_the_straight_line() -> None:
    """x q(x) has the slope q(x) + x straight through, and that the slope 2; TensorFlow has none."""
    point = tensor(np.array([-2.0, 0.3, 0.5, 2.0], np.float32))
    with GradientTape() as outer:
        outer.watch(point)
        with GradientTape() as inner:
            inner.watch(point)
            value = point * tf.quantization.fake_quant_with_min_max_args(point, -1.0, 1.0)
        slope = inner.gradient(value, point)
    np.testing.assert_array_equal(outer.gradient(slope, point).numpy(), [0, 2, 2, 0])
