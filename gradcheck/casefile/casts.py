"""Changing the dtype of an array without changing what it says."""

from typing import Any

import ml_dtypes
import numpy as np

from gradcheck.casefile.errors import CaseError
from gradcheck.dtypes import BOOL, NARROW, Array, DType, complex_of, is_complex, is_float, is_integer, real_of


def cast(array: Array, dtype: DType) -> Array:
    """`array` in `dtype`, rounded to it where it is floating.

    Raises `CaseError`, with the index of the first element that does not fit: one that overflows, that is not whole
    under an integer dtype or not 0 or 1 under bool. Infinities and NaN stay what they are.
    """
    if array.dtype == dtype:
        return array
    if array.dtype == BOOL:
        raise CaseError("wrong-type", f"true and false do not go with `dtype: {dtype.name}`", "say `dtype: bool`")
    if is_complex(array.dtype) and not is_complex(dtype):
        hint = f"say `dtype: {complex_of(dtype).name}`" if is_complex(complex_of(dtype)) else None
        raise CaseError("wrong-type", f"complex numbers do not go with `dtype: {dtype.name}`", hint)
    with np.errstate(all="ignore"):
        cast = array.astype(dtype)
        if dtype == BOOL:
            _require((array == 0) | (array == 1), array, "is neither 0 nor 1, as `dtype: bool` needs")
        elif is_integer(dtype):
            _require_whole(array, dtype)
        else:
            top = float(ml_dtypes.finfo(real_of(dtype)).max)  # type: ignore[no-untyped-call]
            _require(
                np.isfinite(cast) | ~np.isfinite(array), array, f"overflows `{dtype.name}`, which ends at {top:.6g}"
            )
    return cast


def check_integer(value: int, dtype: DType) -> None:
    """Raise `CaseError` if `value` is outside of the integer `dtype`."""
    info = np.iinfo(dtype)
    if not info.min <= value <= info.max:
        raise CaseError("out-of-range", f"{value} does not fit `{dtype.name}` ({info.min} to {info.max})")


def complex_in(dtype: DType) -> DType:
    """The complex dtype of the width of a case's `dtype`. Raises `CaseError` for 16 bits: there is none."""
    if dtype in NARROW:
        hint = "say `dtype: complex64` here"
        raise CaseError(
            "wrong-type", f"there are no complex numbers of the width of the case's dtype, {dtype.name}", hint
        )
    return complex_of(dtype)


def _require_whole(array: Array, dtype: DType) -> None:
    info = np.iinfo(dtype)
    if is_float(array.dtype):
        wide = array.astype(np.float64)
        _require(np.floor(wide) == wide, array, f"is not a whole number, as `{dtype.name}` needs")
        # `info.max` may round up as a float; one more is a power of two, which does not.
        inside = (wide >= float(info.min)) & (wide < float(info.max + 1))
    else:
        inside = (array >= info.min) & (array <= info.max)
    _require(inside, array, f"does not fit `{dtype.name}` ({info.min} to {info.max})")


def _require(good: Any, array: Array, words: str) -> None:
    """Raise `CaseError` for the first element that is not `good`, which is shaped like `array`."""
    if not np.all(good):
        at = int(np.argmin(good))
        raise CaseError("out-of-range", f"{array.reshape(-1)[at].item()} {words}", at=at)
