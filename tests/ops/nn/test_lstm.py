"""The layer's gradient, for which TensorFlow registers the wrong kernel: against the right one, and by differences."""

from typing import Any

import numpy as np
import pytest
import tensorflow

from gradcheck import GradientTape, tensor
from gradcheck.dtypes import Array
from gradcheck.ops import tf
from gradcheck.ops.declaration import OpError

NAMES = ("x", "cs_prev", "h_prev", "w", "wci", "wcf", "wco", "b")
OUTPUTS = ("i", "cs", "f", "o", "ci", "co", "h")


def _arguments() -> list[Array]:
    rng = np.random.default_rng(0)
    shapes = ((4, 2, 3), (2, 2), (2, 2), (5, 8), (2,), (2,), (2,), (8,))
    return [rng.normal(size=each).astype(np.float32) for each in shapes]


@pytest.mark.parametrize("peepholes", [False, True])
def test_the_gradient_is_that_of_tensorflows_second_kernel(peepholes: bool) -> None:
    """`BlockLSTMGradV2` knows the order of the gates; TensorFlow's own gradient calls `BlockLSTMGrad`."""
    arrays = _arguments()
    rng = np.random.default_rng(1)
    seeds = [rng.normal(size=(4, 2, 2)).astype(np.float32) for _ in range(2)]
    named: dict[str, Any] = dict(zip(NAMES, arrays, strict=True))
    values = tensorflow.raw_ops.BlockLSTMV2(seq_len_max=4, use_peephole=peepholes, **named)
    expected = tensorflow.raw_ops.BlockLSTMGradV2(
        seq_len_max=4,
        use_peephole=peepholes,
        cs_grad=seeds[0],
        h_grad=seeds[1],
        **named,
        **dict(zip(OUTPUTS, values, strict=True)),
    )
    sources = [tensor(each) for each in arrays]
    with GradientTape() as tape:
        tape.watch(sources)
        outputs = tf.raw_ops.BlockLSTMV2(4, *sources, use_peephole=peepholes)
    found = tape.gradient([outputs[1], outputs[6]], sources, output_gradients=[tensor(each) for each in seeds])
    for name, one, other in zip(NAMES, found, expected, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-5, atol=5e-6, err_msg=name)


def test_frames_behind_the_last_are_nothing() -> None:
    x, *others = (tensor(each) for each in _arguments())
    short = tf.raw_ops.BlockLSTMV2(2, x, *others)
    for one, other in zip(short, tf.raw_ops.BlockLSTMV2(4, x, *others), strict=True):
        np.testing.assert_array_equal(one.numpy()[:2], other.numpy()[:2])
        assert not one.numpy()[2:].any()


@pytest.mark.parametrize(
    ("name", "shape"), [("w", (4, 8)), ("b", (4,)), ("wco", (3,)), ("h_prev", (2, 3)), ("x", (4, 2))]
)
def test_shapes_that_do_not_fit_are_refused(name: str, shape: tuple[int, ...]) -> None:
    named: dict[str, Any] = dict(zip(NAMES, map(tensor, _arguments()), strict=True))
    named[name] = tensor(np.zeros(shape, np.float32))
    with pytest.raises(OpError):
        tf.raw_ops.BlockLSTMV2(4, **named)
