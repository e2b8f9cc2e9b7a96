"""The dtypes that TensorFlow's NumPy functions take, and how NumPy names them."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.dtypes import BOOL, COMPLEXES, FLOAT16, FLOAT32, FLOAT64, INT64, DType, is_integer
from gradcheck.ops.arrays.shaping import as_dtype
from gradcheck.ops.declaration import OpError
from gradcheck.ops.vocabulary import tf
from gradcheck.tensors import Tensor

WIDER = (FLOAT16, FLOAT32, FLOAT64)
"""The real dtypes of the functions that first make floats of what is not: TensorFlow takes bfloat16 for none."""
PLAIN = (*WIDER, *COMPLEXES)

PYTHON = {float: FLOAT64, int: INT64, bool: BOOL, complex: np.dtype(np.complex128)}


def numpy_dtype(value: Any) -> DType:
    """A static dtype argument, where Python's own types stand for NumPy's."""
    return as_dtype(PYTHON.get(value, value) if isinstance(value, type) else value)


def cast(a: Tensor, dtype: Any) -> Tensor:
    """`a` in `dtype`, which may be None: as it is."""
    target = a.dtype if dtype is None else numpy_dtype(dtype)
    converted: Tensor = a if target == a.dtype else tf.cast(a, target)
    return converted


def floating(a: Tensor) -> Tensor:
    """`a`, integers as float64."""
    return cast(a, FLOAT64 if is_integer(a.dtype) else None)


def whole(a: Tensor) -> Tensor:
    """`a`, integers as those of 64 bits."""
    wide = np.uint64 if a.dtype.kind == "u" else np.int64
    return cast(a, np.dtype(wide) if is_integer(a.dtype) else None)


def nothing(argument: Any, name: str) -> None:
    """Refuse what TensorFlow has the parameter for, but no meaning."""
    if argument is not None:
        raise OpError(f"`{name}` is not supported, in TensorFlow either", argument=name)
