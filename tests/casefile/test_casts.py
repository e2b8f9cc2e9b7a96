import numpy as np
import pytest

from gradcheck.casefile.casts import cast, complex_in
from gradcheck.casefile.errors import CaseError
from gradcheck.dtypes import BFLOAT16, BOOL, COMPLEX64, COMPLEX128, DTYPES, FLOAT16, FLOAT32, FLOAT64, INTEGERS


@pytest.mark.parametrize("dtype", [each for each in DTYPES.values() if each != BOOL], ids=str)
def test_small_whole_numbers_fit_every_dtype(dtype: np.dtype) -> None:
    for start in (np.array([0, 1, 7]), np.array([0.0, 1.0, 7.0]), np.array([0, 1, 7], BFLOAT16)):
        made = cast(start, dtype)
        assert made.dtype == dtype
        assert made.astype(complex).tolist() == [0, 1, 7]


def test_nan_and_infinity_stay_in_every_floating_dtype() -> None:
    for dtype in (FLOAT16, BFLOAT16, FLOAT32, COMPLEX64):
        made = cast(np.array([np.nan, np.inf, -np.inf]), dtype).astype(complex).real
        assert np.isnan(made[0])
        assert made[1:].tolist() == [np.inf, -np.inf]


@pytest.mark.parametrize(
    ("values", "dtype", "at", "message"),
    [
        ([1.0, 70000.0], "float16", 1, "70000.0 overflows `float16`, which ends at 65504"),
        ([1e39], "float32", 0, "1e+39 overflows `float32`, which ends at 3.40282e+38"),
        ([1e39], "bfloat16", 0, "1e+39 overflows `bfloat16`, which ends at 3.38953e+38"),
        ([1 + 1e39j], "complex64", 0, "(1+1e+39j) overflows `complex64`, which ends at 3.40282e+38"),
        ([0.0, 1.0, 2.5], "int32", 2, "2.5 is not a whole number, as `int32` needs"),
        ([np.nan], "int32", 0, "nan is not a whole number, as `int32` needs"),
        ([np.inf], "int64", 0, "inf does not fit `int64` (-9223372036854775808 to 9223372036854775807)"),
        (
            [2.0**63],
            "int64",
            0,
            "9.223372036854776e+18 does not fit `int64` (-9223372036854775808 to 9223372036854775807)",
        ),
        ([-1.0], "uint8", 0, "-1.0 does not fit `uint8` (0 to 255)"),
        ([[1, 2], [300, 4]], "int8", 2, "300 does not fit `int8` (-128 to 127)"),
        (np.array([2**63], np.uint64), "int64", 0, "9223372036854775808 does not fit"),
        (np.array([-1], np.int64), "uint64", 0, "-1 does not fit `uint64` (0 to 18446744073709551615)"),
        ([0, 2], "bool", 1, "2 is neither 0 nor 1, as `dtype: bool` needs"),
        ([1j], "float32", None, "complex numbers do not go with `dtype: float32`"),
        ([1j], "bool", None, "complex numbers do not go with `dtype: bool`"),
        ([True], "float32", None, "true and false do not go with `dtype: float32`"),
    ],
)
def test_what_does_not_fit_is_named(values: object, dtype: str, at: int | None, message: str) -> None:
    with pytest.raises(CaseError) as caught:
        cast(np.asarray(values), DTYPES[dtype])
    assert caught.value.message.startswith(message)
    assert caught.value.at == at


@pytest.mark.parametrize("dtype", INTEGERS, ids=str)
def test_the_ends_of_an_integer_dtype_fit_it(dtype: np.dtype) -> None:
    info = np.iinfo(dtype)
    start = np.array([info.min, info.max], np.uint64 if info.min == 0 else np.int64)
    assert cast(start, dtype).tolist() == [info.min, info.max]


def test_the_complex_dtype_of_a_width() -> None:
    widths = (FLOAT32, FLOAT64, COMPLEX64, COMPLEX128)
    assert [complex_in(each) for each in widths] == [COMPLEX64, COMPLEX128, COMPLEX64, COMPLEX128]
    for narrow in (FLOAT16, BFLOAT16):
        with pytest.raises(CaseError, match="no complex numbers of the width"):
            complex_in(narrow)
