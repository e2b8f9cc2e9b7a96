"""Frames: other axes, numbers of frames, and arguments that would take more memory than their result."""

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradcheck.ops import OpError, tf
from tests.ops.calls import assert_same

SIGNAL = np.arange(24.0).reshape(2, 6, 2)


@pytest.mark.parametrize("pad_end", [False, True])
@pytest.mark.parametrize("step", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("length", [0, 1, 2, 4, 7])
def test_every_length_and_step(length: int, step: int, pad_end: bool) -> None:
    for axis in range(3):
        assert_same(lambda tf, x, axis=axis: tf.signal.frame(x, length, step, pad_end, 3, axis), SIGNAL)


@pytest.mark.parametrize("step", [1, 2, 3, 4, 6])
@pytest.mark.parametrize("shape", [(1, 4), (2, 4), (5, 3), (2, 3, 4), (0, 3, 4), (3, 1)])
def test_frames_added_up(shape: tuple[int, ...], step: int) -> None:
    assert_same(lambda tf, x: tf.signal.overlap_and_add(x, step), np.arange(float(np.prod(shape))).reshape(shape))


def test_no_frames_leave_what_sticks_out_of_the_last() -> None:
    assert tf.signal.overlap_and_add(np.zeros((0, 5)), 2).shape == (3,)
    assert tf.signal.overlap_and_add(np.zeros((0, 2)), 5).shape == (0,)


@pytest.mark.parametrize(
    "call",
    [
        lambda x: tf.signal.overlap_and_add(x[np.newaxis], 10**9),
        lambda x: tf.signal.frame(x, 2, 10**9, pad_end=True),
        lambda x: tf.signal.frame(x, 2, 10**9),
    ],
)
def test_a_wide_step_takes_no_memory(call: Callable[[Any], Any]) -> None:
    tracemalloc.start()
    call(np.ones(4))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 10**6


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "scalar": (lambda: tf.signal.frame(1.0, 2, 1), "a scalar has none"),
    "length": (lambda: tf.signal.frame([1.0], -1, 1), "`frame_length` is negative: -1"),
    "no step": (lambda: tf.signal.frame([1.0], 2, 0), "`frame_step` must be positive, not 0"),
    "axis": (lambda: tf.signal.frame([1.0], 2, 1, axis=1), "`axis` 1 is outside a tensor of rank 1"),
    "list of borders": (lambda: tf.signal.frame([1.0], 2, 1, True, [1.0]), "`pad_value` must be one number"),
    "border of another kind": (lambda: tf.signal.frame([1], 2, 1, True, 0.5), "`pad_value`: a float cannot become"),
    "vector of frames": (lambda: tf.signal.overlap_and_add([1.0], 1), r"needs an axis of frames .* not shape \[1\]"),
    "overlap without step": (lambda: tf.signal.overlap_and_add([[1.0]], 0), "`frame_step` must be positive, not 0"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    call, message = REFUSED[name]
    with pytest.raises(OpError, match=message):
        call()
