"""What a dtype can hold, and refused calls."""

import numpy as np
import pytest
import tensorflow

from gradcheck import tensor
from gradcheck.dtypes import DTYPES, Array
from gradcheck.ops import OpError, tf

TARGETS = ("float16", "bfloat16", "float32", "float64", "int8", "uint8", "int16", "uint16", "int32")


@pytest.mark.parametrize("source", ["float16", "bfloat16", "float32", "float64", "int8", "uint8", "int32"])
@pytest.mark.parametrize("target", TARGETS)
def test_numbers_beyond_a_dtype_are_cast_as_by_tensorflow(source: str, target: str) -> None:
    everywhere = tensorflow.constant([-1e30, -1e6, -300, -1, 0, 1, 300, 1e6, 1e30], "float64")
    with np.errstate(over="ignore"):  # inside TensorFlow, where it makes its limits
        x = tensorflow.saturate_cast(everywhere, source)
        expected: Array = tensorflow.saturate_cast(x, target).numpy()
    found = tf.saturate_cast(tensor(x.numpy()), DTYPES[target]).numpy()
    np.testing.assert_array_equal(found, expected, strict=True)


@pytest.mark.parametrize(
    ("value", "dtype", "message"),
    [(1.0, "bool", "cannot make booleans"), (1j, "complex64", "cannot narrow complex"), (True, "float32", "bool")],
)
def test_refused_casts(value: complex, dtype: str, message: str) -> None:
    with pytest.raises(OpError, match=message):
        tf.saturate_cast(tensor(np.array(value)), DTYPES[dtype])
