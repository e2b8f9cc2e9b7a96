"""Numbers and arrays as people read them."""

import ml_dtypes
import numpy as np
import pytest

from gradcheck.report import text
from gradcheck.verdict.record import Element


@pytest.mark.parametrize(
    ("value", "dtype", "expected"),
    [
        (-22.0, "float32", "-22"),
        (1 / 3, "float32", "0.33333333"),
        (1 / 3, "float64", "0.333333333333333"),
        (1 / 3, "float16", "0.3333"),
        (1 / 3, "bfloat16", "0.333"),
        (1.5 - 0.5j, "complex64", "1.5-0.5j"),
        (1e-30, "float32", "1e-30"),
        (float("nan"), "float32", "nan"),
        (float("-inf"), "float64", "-inf"),
        (3.0, "int32", "3"),
        (1.0, "bool", "True"),
    ],
)
def test_a_number_has_the_digits_of_its_dtype(value: complex, dtype: str, expected: str) -> None:
    assert text.number(complex(value), dtype) == expected


def test_an_array_is_one_line_if_it_fits() -> None:
    assert text.array(np.array([[1.0, 2.5]], np.float32), 40) == "[[1, 2.5]]"
    assert text.array(np.zeros((0, 3)), 40) == "[] of shape [0, 3]"
    assert text.array(None, 40) == "not connected"
    assert text.array(np.array([1.5], ml_dtypes.bfloat16), 40) == "[1.5]"


def test_further_lines_stand_under_the_first() -> None:
    lines = text.labelled("d/dx", np.arange(20.0).reshape(4, 5), width=30).split("\n")
    assert lines[0] == "d/dx = [[0, 1, 2, 3, 4],"
    assert lines[1] == "        [5, 6, 7, 8, 9],"


def test_a_large_array_is_cut_in_the_middle() -> None:
    assert text.array(np.arange(1000.0), 60) == "[0, 1, 2, ..., 997, 998, 999]"


@pytest.mark.parametrize(
    ("difference", "allowed", "expected"), [(0.0, 1.0, "0"), (0.5, 1.0, "50%"), (3.0, 1.0, "3x"), (1.0, 0.0, "infx")]
)
def test_the_share_of_what_is_allowed(difference: float, allowed: float, expected: str) -> None:
    assert text.share(Element((), 0, 0, difference, allowed)) == expected
