"""Wrong values of arithmetic on two operands: what was done to them instead, if it was one thing."""

import numpy as np
import pytest

from gradcheck.dtypes import Array
from gradcheck.ops import find_op
from gradcheck.verdict.slips import Slip
from gradcheck.verdict.slips.forward import explain_value
from tests.verdict.slips.calls import drawn

X, Y = drawn(2, 2), drawn(2, 2, seed=1)


@pytest.mark.parametrize(
    ("op", "value", "kind", "sentence"),
    [
        ("tf.subtract", Y - X, "exchanged-operands", "is computed with the two operands exchanged"),
        ("tf.truediv", Y / X, "exchanged-operands", "is computed with the two operands exchanged"),
        ("tf.matmul", Y @ X, "exchanged-operands", "is computed with the two operands exchanged"),
        ("tf.subtract", X + Y, "other-operation", "is that of `tf.add`"),
        ("tf.truediv", X // Y, "other-operation", "is that of `tf.math.floordiv`"),
        ("tf.matmul", X * Y, "other-operation", "is that of `tf.multiply`"),
    ],
)
def test_another_thing_was_done(op: str, value: Array, kind: str, sentence: str) -> None:
    near = value + 1e-9 * drawn(2, 2, seed=2, low=-0.5, high=0.5)
    assert explain_value(find_op(op), (X, Y), near, np.full((2, 2), 1e-9)) == Slip(kind, sentence)
    assert explain_value(find_op(op), (X, Y), near, np.full((2, 2), 1e-12)) is None


def test_two_things_that_give_the_same_explain_nothing() -> None:
    twos = np.full(3, 2.0)
    assert explain_value(find_op("tf.subtract"), (twos, twos), twos + twos, np.zeros(3)) is None  # 2 + 2, 2 * 2, 2 ** 2


def test_other_operations_are_not_tried() -> None:
    assert explain_value(find_op("tf.maximum"), (X, Y), X + Y, np.zeros((2, 2))) is None
