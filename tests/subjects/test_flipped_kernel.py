"""A convolution written by hand, as an engine of tensors: right, and with its kernel flipped where it should not be."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

ENGINE = '''
import numpy as np

from gradcheck.subjects import TensorEngine


class Tensor:
    def __init__(self, data, parents=()):
        self.data, self.grad, self.parents = data, None, parents

    def backward(self, g=1.0):
        g = np.broadcast_to(g, self.data.shape)
        self.grad = g if self.grad is None else self.grad + g
        for parent, pull in self.parents:
            parent.backward(pull(g))


def slid(image, kernel):
    """The sum of an image's windows under a kernel, without padding: (h, w, c) and (kh, kw, c, f)."""
    kh, kw = kernel.shape[:2]
    windows = np.lib.stride_tricks.sliding_window_view(image, (kh, kw), axis=(0, 1))
    return np.einsum("yxcij,ijcf->yxf", windows, kernel)


def to_image(g, kernel):
    """Every pixel looks back through the kernel at the windows that it was in: the kernel turned round."""
    kh, kw = kernel.shape[:2]
    wide = np.pad(g, [(kh - 1, kh - 1), (kw - 1, kw - 1), (0, 0)])
    return slid(wide, kernel[::-1, ::-1].swapaxes(2, 3))


def to_image_unflipped(g, kernel):
    return to_image(g, kernel[::-1, ::-1])


def to_kernel(image, g):
    windows = np.lib.stride_tricks.sliding_window_view(image, g.shape[:2], axis=(0, 1))
    return np.einsum("ijcyx,yxf->ijcf", windows, g)


def to_kernel_flipped(image, g):
    return to_kernel(image, g)[::-1, ::-1]


def engine_of(image_rule, kernel_rule):
    def conv2d(x, w, strides, padding):
        assert (strides, padding) == (1, "VALID")
        return Tensor(
            np.stack([slid(each, w.data) for each in x.data]),
            [
                (x, lambda g: np.stack([image_rule(each, w.data) for each in g])),
                (w, lambda g: sum(map(kernel_rule, x.data, g))),
            ],
        )

    return TensorEngine(variable=Tensor, functions={"tf.nn.conv2d": conv2d})


right = engine_of(to_image, to_kernel)
unflipped = engine_of(to_image_unflipped, to_kernel)
flipped = engine_of(to_image, to_kernel_flipped)
'''

CASE = """
inputs:
  x: {shape: [2, 5, 4, 2], random: normal, seed: 1}
  kernel: {shape: [3, 2, 2, 3], random: normal, seed: 2}
expr: tf.nn.conv2d(x, kernel, 1, "VALID")
"""


@pytest.fixture
def judged(command: Callable[..., Result], write: Callable[..., Path]) -> Callable[[str], tuple[int, dict[str, Any]]]:
    """The exit status and the record of the case with one of the engines."""

    def run(name: str) -> tuple[int, dict[str, Any]]:
        engine = write(ENGINE, "convolution_by_hand.py")
        result = command("compare", write(CASE), "--engine", f"{engine}:{name}", "--report", "json")
        (record,) = json.loads(result.stdout)["cases"]
        return result.exit_code, record

    return run


def test_a_convolution_by_hand_agrees(judged: Callable[[str], tuple[int, dict[str, Any]]]) -> None:
    status, record = judged("right")
    assert (status, record["verdict"]) == (0, "agree")


@pytest.mark.parametrize(
    ("name", "argument", "sentence"),
    [
        ("unflipped", 0, "uses the kernel the other way round, flipped along axes 0 and 1"),
        ("flipped", 1, "is flipped along axes 0 and 1"),
    ],
)
def test_a_flipped_kernel_is_named(
    judged: Callable[[str], tuple[int, dict[str, Any]]], name: str, argument: int, sentence: str
) -> None:
    status, record = judged(name)
    assert (status, record["verdict"]) == (1, "mismatch")
    (accused,) = record["diagnosis"]["accused"]
    assert (accused["operation"], accused["argument"]) == ("tf.nn.conv2d", argument)
    assert accused["slip"] == "flipped-kernel"
    assert accused["sentence"].endswith(sentence)
    assert record["diagnosis"]["note"] == "nothing else is wrong"
