"""Tensors that are computed at once."""

import numpy as np
import tensorflow

from gradcheck import tensor


def test_a_tensor_takes_a_copy_of_its_array() -> None:
    array = np.ones(2)
    x = tensor(array)
    array[:] = 7.0
    np.testing.assert_array_equal(x.numpy(), [1.0, 1.0])


def test_python_literals_take_the_dtypes_of_tensorflow() -> None:
    for literal in (1, 1.5, True, 1j, [1, 2], [1.0, 2]):
        assert tensor(literal).dtype.name == tensorflow.constant(literal).dtype.name
