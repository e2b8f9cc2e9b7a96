"""Arrays, and the dtypes a case can use: TensorFlow's names on NumPy dtypes."""

from typing import Any

import ml_dtypes
import numpy as np

Array = np.ndarray[Any, Any]
DType = np.dtype

BFLOAT16: DType = np.dtype(ml_dtypes.bfloat16)
FLOAT16: DType = np.dtype(np.float16)
FLOAT32: DType = np.dtype(np.float32)
FLOAT64: DType = np.dtype(np.float64)
COMPLEX64: DType = np.dtype(np.complex64)
COMPLEX128: DType = np.dtype(np.complex128)
LONG: DType = np.dtype(np.longdouble)
LONG_COMPLEX: DType = np.dtype(np.clongdouble)
"""What programs in float64 and complex128 are run in to see their rounding; no case has these dtypes."""
BOOL: DType = np.dtype(np.bool_)
INT32: DType = np.dtype(np.int32)
INT64: DType = np.dtype(np.int64)

NARROW = (FLOAT16, BFLOAT16)
FLOATS = (FLOAT16, BFLOAT16, FLOAT32, FLOAT64)
COMPLEXES = (COMPLEX64, COMPLEX128)
INTEGERS = tuple(np.dtype(name) for name in ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"))

DTYPES: dict[str, DType] = {dtype.name: dtype for dtype in (*FLOATS, *COMPLEXES, *INTEGERS, BOOL)}
"""Every dtype of the language by its TensorFlow name; `tf.float32` and `float32` both find it."""


def is_float(dtype: DType) -> bool:
    """Whether `dtype` is a real floating dtype (bfloat16 is one, though NumPy files it under void)."""
    return dtype in FLOATS


def is_complex(dtype: DType) -> bool:
    """Whether `dtype` is complex, also in the parts wider than float64 that a program may be run in."""
    return dtype.kind == "c"


def is_integer(dtype: DType) -> bool:
    return dtype in INTEGERS


def is_differentiable(dtype: DType) -> bool:
    """Whether a tape can take a gradient with respect to a tensor of this dtype."""
    return is_float(dtype) or is_complex(dtype)


def complex_of(dtype: DType) -> DType:
    """The complex dtype whose parts are `dtype`: float32 gives complex64, float64 complex128."""
    return {LONG: LONG_COMPLEX, FLOAT32: COMPLEX64, FLOAT64: COMPLEX128}.get(dtype, dtype)


def real_of(dtype: DType) -> DType:
    """The dtype of the real part: complex64 gives float32; a real dtype gives itself."""
    return {COMPLEX64: FLOAT32, COMPLEX128: FLOAT64}.get(dtype, dtype)
