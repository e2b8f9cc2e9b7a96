"""Sums and products that are refused."""

from typing import Any

import numpy as np
import pytest

from gradcheck import tensor
from gradcheck.dtypes import DTYPES
from gradcheck.ops import OpError, find_op

ONE, PAIR = tensor(np.array(1.0)), tensor(np.array([1.0, 2.0]))


@pytest.mark.parametrize(
    ("name", "arguments", "options", "message"),
    [
        ("tf.realdiv", [tensor(np.array(1)), tensor(np.array(2))], {}, "does not take int64"),
        ("tf.math.scalar_mul", [PAIR, PAIR], {}, "must be a scalar"),
        ("tf.math.accumulate_n", [[PAIR, ONE]], {}, "needs equal shapes"),
        ("tf.math.accumulate_n", [[PAIR]], {"shape": [3]}, r"not that of the tensors, \[2\]"),
        ("tf.math.accumulate_n", [[PAIR]], {"shape": [2, None]}, r"not that of the tensors, \[2\]"),
        ("tf.math.accumulate_n", [[PAIR]], {"tensor_dtype": DTYPES["float32"]}, "not that of the tensors, float64"),
        ("tf.math.polyval", [[PAIR], tensor(np.float32(1))], {}, "TensorFlow never promotes"),
    ],
)
def test_refused(name: str, arguments: list[Any], options: dict[str, Any], message: str) -> None:
    with pytest.raises(OpError, match=message):
        find_op(name)(*arguments, **options)
