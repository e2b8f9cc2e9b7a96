"""Evaluation: the declared types are kept, values are dropped after their last reader."""

import gc
import tracemalloc
import weakref

import numpy as np
import pytest

from gradcheck import evaluate, tf, trace
from gradcheck.dtypes import BFLOAT16


def test_an_input_of_another_type_is_refused() -> None:
    program = trace(lambda x: x + 1.0, {"x": np.zeros((2, 3))})
    with pytest.raises(ValueError, match=r"^input x is float32\[2, 3\], not float64\[2, 3\]$"):
        evaluate(program, {"x": np.zeros((2, 3), np.float32)})
    with pytest.raises(ValueError, match=r"^input x is float64\[3\], not float64\[2, 3\]$"):
        evaluate(program, {"x": np.zeros(3)})


def test_a_value_is_dropped_after_its_last_reader() -> None:
    size = 1_000_000

    def chain(x: object) -> object:
        for _ in range(20):
            x = x + 1.0  # type: ignore[operator]
        return x

    program = trace(chain, {"x": np.zeros(size)})
    x = np.zeros(size)
    evaluate(program, {"x": x})
    tracemalloc.start()
    evaluate(program, {"x": x})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3 * x.nbytes  # twenty live values would take twenty


def test_inputs_and_constants_are_not_written_to() -> None:
    x = np.arange(3.0)
    x.setflags(write=False)
    program = trace(lambda x: tf.exp(-x) * x, {"x": x})
    first = evaluate(program, {"x": x})[0]
    second = evaluate(program, {"x": x})[0]
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(("dtype", "total"), [(np.dtype(np.float16), 5000), (BFLOAT16, 4992)])
def test_sums_in_16_bits_are_accumulated_in_float32(dtype: np.dtype, total: float) -> None:
    """TensorFlow 2.21 gives 5000 and 4992 for five thousand ones; adding in the dtype would stop at 2048 and 256."""
    ones = np.ones(5000, dtype)
    assert float(evaluate(trace(tf.reduce_sum, {"input_tensor": ones}), {"input_tensor": ones})[0]) == total


def test_a_scalar_result_is_an_array_of_the_declared_dtype() -> None:
    x = np.float32(2.0)
    program = trace(lambda x: x * x, {"x": np.asarray(x)})
    (found,) = evaluate(program, {"x": np.asarray(x)})
    assert isinstance(found, np.ndarray)
    assert (found.shape, found.dtype) == ((), np.float32)


def test_a_program_that_is_no_longer_used_is_not_held() -> None:
    """Thousands of cases go through one process."""
    program = trace(lambda x: x * x, {"x": np.ones(2, np.float32)})
    evaluate(program, {"x": np.ones(2, np.float32)})
    gone = weakref.ref(program)
    del program
    gc.collect()
    assert gone() is None
