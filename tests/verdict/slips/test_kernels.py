"""Flipped kernels, by themselves and along one axis, and what is not one."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradcheck.ops import tf
from tests.verdict.slips.calls import call, drawn, right, said

IMAGE, KERNEL = drawn(2, 5, 4, 2), drawn(3, 2, 2, 3, seed=1)
CALLS: dict[str, tuple[Callable[..., Any], Any, Any]] = {
    "conv1d": (lambda x, w: tf.nn.conv1d(x, w, 1, "SAME"), drawn(2, 5, 2), drawn(3, 2, 2, seed=1)),
    "conv2d": (lambda x, w: tf.nn.conv2d(x, w, 1, "VALID"), IMAGE, KERNEL),
    "strided": (lambda x, w: tf.nn.conv2d(x, w, [2, 1], "SAME"), IMAGE, KERNEL),
    "depthwise": (lambda x, w: tf.nn.depthwise_conv2d(x, w, [1] * 4, "SAME"), IMAGE, KERNEL),
    "conv3d": (lambda x, w: tf.nn.conv3d(x, w, [1] * 5, "SAME"), drawn(1, 3, 4, 2, 2), drawn(2, 2, 2, 2, 1, seed=1)),
    "transposed": (
        lambda x, w: tf.nn.conv2d_transpose(x, w, [2, 10, 8, 3], 2),
        IMAGE,
        drawn(3, 2, 3, 2, seed=1),
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_flipped_kernel(name: str) -> None:
    function, x, w = CALLS[name]
    axes = tuple(range(w.ndim - 2))
    words = {1: "axis 0", 2: "axes 0 and 1", 3: "axes 0, 1 and 2"}[len(axes)]
    image, kernel = call(function, x, w), call(function, x, w, argument=1)
    other = right(call(function, x, np.flip(w, axes)))
    assert said(image, other) == ("flipped-kernel", f"uses the kernel the other way round, flipped along {words}")
    assert said(kernel, np.flip(right(kernel), axes)) == ("flipped-kernel", f"is flipped along {words}")


def test_one_axis_alone() -> None:
    function, x, w = CALLS["conv2d"]
    image, kernel = call(function, x, w), call(function, x, w, argument=1)
    other = right(call(function, x, w[:, ::-1]))
    assert said(image, other) == ("flipped-kernel", "uses the kernel the other way round, flipped along axis 1")
    assert said(kernel, right(kernel)[::-1]) == ("flipped-kernel", "is flipped along axis 0")


def test_a_kernel_that_looks_the_same_both_ways_is_no_explanation() -> None:
    function, x, w = CALLS["conv2d"]
    even = w + w[::-1, ::-1]
    assert said(call(function, x, even), -right(call(function, x, even))) == ("sign", "has the wrong sign")
    wrong = call(function, x, even)
    assert said(wrong, right(wrong) + drawn(*x.shape, seed=9)) is None
