"""Arrays in the page: all of them while there is room, and what stands for them where there is none."""

import json
from base64 import b64decode
from typing import Any

import numpy as np
import pytest

from gradcheck.dtypes import DTYPES
from gradcheck.report.html.arrays import MOST, WORST, Arrays
from gradcheck.verdict.compare import compare_values
from gradcheck.verdict.record import Comparison


def compared(left: Any, right: Any, allowed: float = 1e-3) -> Comparison:
    limits = None if right is None else np.full(right.shape, allowed)
    return compare_values("gradient", "x", "ones", ("numpy", "tensorflow"), left, right, limits)


def unpacked(text: str, dtype: str = "float32") -> Any:
    return np.frombuffer(b64decode(text), np.dtype(dtype).newbyteorder("<"))


@pytest.mark.parametrize("dtype", DTYPES)
def test_values_are_kept_to_the_last_bit(dtype: str) -> None:
    right = np.arange(6).reshape(2, 3).astype(DTYPES[dtype])
    left = right.copy()
    left[1, 2] = 0
    whole = Arrays().packed(compared(left, right))["whole"]
    for side, value in (("left", left), ("right", right)):
        assert np.array_equal(unpacked(whole[side], whole["type"]).astype(DTYPES[dtype]), value.ravel())


def test_a_side_that_is_equal_is_there_once_and_shares_that_are_all_zero_not_at_all() -> None:
    value = np.ones((2, 2), np.float32)
    packed = Arrays().packed(compared(value, value.copy()))
    assert packed["whole"]["left"] is None
    assert packed["whole"]["used"] is None
    assert packed["worst"] == []


def test_minus_zero_is_not_zero() -> None:
    packed = Arrays().packed(compared(np.float64([-0.0]), np.float64([0.0])))
    assert np.signbit(unpacked(packed["whole"]["left"], "float64"))


def test_the_share_of_each_element() -> None:
    left, right = np.float64([1.0, 1.001, np.nan, np.nan, 3.0]), np.float64([1.0, 1.0, np.nan, 0.0, 1.0])
    used = unpacked(Arrays().packed(compared(left, right, 2e-3))["whole"]["used"])
    assert np.isnan(used[2])
    assert np.allclose(used[[0, 1, 3, 4]], [0.0, 0.5, np.inf, 1000.0])


def test_the_worst_elements_come_first_with_all_that_is_known_of_them() -> None:
    right = np.zeros((3, 4))
    left = np.arange(12.0).reshape(3, 4)
    worst = Arrays().packed(compared(left, right, 2.0))["worst"]
    assert len(worst) == WORST
    assert worst[0] == ["[2, 3]", "11", "0", "11", "2", "5.5x"]
    assert [row[3] for row in worst] == ["11", "10", "9", "8", "7"]


@pytest.mark.parametrize("shape", [(MOST + 1,), (67, 101), (5, 33, 41), (2, 3, 31, 37)])
def test_a_large_array_is_shown_in_blocks_by_the_worst_of_each(shape: tuple[int, ...]) -> None:
    left = np.random.default_rng(0).random(shape)
    packed = Arrays().packed(compared(left, np.zeros(shape), 1.0))
    coarse = packed["coarse"]
    used = unpacked(coarse["used"]).reshape(coarse["shape"])
    assert used.size <= MOST
    assert "whole" not in packed
    for cell in np.ndindex(used.shape):
        block = tuple(slice(at * length, (at + 1) * length) for at, length in zip(cell, coarse["block"], strict=True))
        assert used[cell] == np.float32(left[block].max())


def test_what_there_is_no_room_for_is_left_out_but_for_its_worst_elements() -> None:
    arrays = Arrays(room=100)
    large, small = np.zeros((8, 8)), np.zeros(2)
    assert arrays.packed(compared(large + 1, large)).keys() == {"worst"}
    assert "whole" in arrays.packed(compared(small + 1, small))
    assert "whole" not in arrays.packed(compared(small + 1, small)), "the room is spent"


@pytest.mark.parametrize(
    ("left", "right", "texts"),
    [
        (None, np.float32([1.0]), ["not connected", "[1]"]),
        (np.float32([1.0]), np.float32([1.0, 2.0]), ["[1]", "[1, 2]"]),
        (None, None, ["not connected", "not connected"]),
    ],
)
def test_what_cannot_be_set_against_each_other_is_there_as_text(left: Any, right: Any, texts: list[str]) -> None:
    assert Arrays().packed(compared(left, right)) == {"texts": texts}


def test_an_empty_array_has_nothing_to_show() -> None:
    assert Arrays().packed(compared(np.zeros((0, 2)), np.zeros((0, 2)))) == {"worst": []}


def test_everything_is_json() -> None:
    value = np.float64([np.nan, np.inf, 1e308])
    json.dumps(Arrays().packed(compared(-value, value, 0.0)), allow_nan=False)
