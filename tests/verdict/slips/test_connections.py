"""What shows before any number is read: not connected, of another shape, of another dtype."""

from dataclasses import replace

import numpy as np
import pytest

from gradcheck.dtypes import Array
from gradcheck.verdict.slips import Slip, Wrong, explain
from tests.verdict.slips.calls import BFLOAT16, COLUMN, COMPLEX, EXP, OUTER, ROW, found, g, right, said


def test_connection() -> None:
    assert explain(replace(EXP, found=None)) == Slip("not-connected", "is not connected, where a value belongs")
    slip = explain(replace(EXP, right=None, allowed=None))
    assert slip == Slip("connected", "has a value, where nothing should be connected")
    slip = explain(replace(EXP, right=None, allowed=None, found=np.zeros((2, 3))))
    assert slip == Slip("zero-for-none", "is zero, where nothing should be connected")
    assert explain(replace(EXP, right=None, found=None, allowed=None)) is None


@pytest.mark.parametrize(
    ("wrong", "value", "kind", "sentence"),
    [
        (ROW, g(ROW) * ROW.inputs[1], "missing-sum", "is not summed over axis 0: shape [3, 4], not [4]"),
        (
            OUTER,
            (g(OUTER) * OUTER.inputs[1]),
            "missing-sum",
            "is not summed over axes 0 and 2: shape [2, 3, 4], not [3, 1]",
        ),
        (
            OUTER,
            (g(OUTER) * OUTER.inputs[1]).sum(2, keepdims=True),
            "missing-sum",
            "is not summed over axis 0: shape [2, 3, 1], not [3, 1]",
        ),
        (
            COLUMN,
            right(COLUMN)[:, 0],
            "lost-axes",
            "has the right numbers but other axes of size 1: shape [3], not [3, 1]",
        ),
        (EXP, right(EXP).sum(0), "extra-sum", "is summed over axis 0, which it should not be: shape [3], not [2, 3]"),
        (EXP, right(EXP).T, "transposed", "is transposed: shape [3, 2], not [2, 3]"),
        (EXP, right(EXP).ravel(), "not-reshaped", "has the right numbers in another shape: shape [6], not [2, 3]"),
        (ROW, ROW.rights[1], "exchanged", "is the gradient with respect to the second argument"),
        (EXP, np.ones((7, 2)), "shape", "has shape [7, 2], not [2, 3]"),
        (EXP, np.zeros((2, 0)), "shape", "has shape [2, 0], not [2, 3]"),
        (found(EXP, 0 * right(EXP)), np.zeros(3), "shape", "has shape [3], not [2, 3]"),
    ],
)
def test_shape(wrong: Wrong, value: Array, kind: str, sentence: str) -> None:
    # An answer that is not the sum itself does not become one by its shape.
    assert said(wrong, value) == (kind, sentence)


def test_dtype() -> None:
    narrow = replace(EXP, found=right(EXP).astype(np.float32))
    assert explain(narrow) == Slip("dtype", "has dtype float32, not float64")
    narrow = replace(EXP, found=right(EXP).astype(BFLOAT16))
    assert explain(narrow) == Slip("dtype", "has dtype bfloat16, not float64")
    assert explain(replace(EXP, found=np.full((2, 3), "1"))) == Slip("dtype", "has dtype str32, not float64")
    objects = replace(COMPLEX, right=right(COMPLEX).astype(object))
    assert explain(objects) == Slip("dtype", "has dtype complex128, not object")
    assert explain(replace(EXP, found=-right(EXP).astype(np.float32))) is None  # a narrow -right is not -right
    turned = replace(EXP, found=-right(EXP).astype(np.float32).astype(np.float64).astype(np.float32))
    assert explain(turned) is None
