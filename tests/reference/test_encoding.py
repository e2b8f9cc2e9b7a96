"""Answers as bytes, and back."""

import json

import numpy as np
import pytest

from gradcheck.dtypes import DTYPES, DType
from gradcheck.engines import Failure, Outcome, Trace
from gradcheck.reference.encoding import decode, encode
from gradcheck.reference.lockfile import exactly


def arrays(dtype: DType) -> list[np.ndarray]:  # type: ignore[type-arg]
    row = np.array([0, 1, 0, 1, 1, 0], dtype)
    if dtype.kind not in "iub":
        with np.errstate(all="ignore"):
            row = np.array([-0.0, 1 / 3, np.nan, -np.inf, 1e-7, 7e4]).astype(dtype)
    if dtype.kind == "c":
        row = row * dtype.type(1 - 0.1j)
    return [row, row.reshape(2, 3).T, row[0], row[:0].reshape(0, 3)]


@pytest.mark.parametrize("dtype", DTYPES.values(), ids=str)
@pytest.mark.filterwarnings("ignore:invalid value encountered")
def test_arrays_come_back_to_the_last_bit(dtype: DType) -> None:
    given = tuple(map(np.asarray, arrays(dtype)))
    found = decode(encode(Outcome((*given, None), (given, (None,)))))
    assert isinstance(found, Outcome)
    assert [exactly(each) for each in found.outputs] == [exactly(each) for each in (*given, None)]
    assert [[exactly(each) for each in row] for row in found.gradients] == [[exactly(each) for each in given], [None]]


def test_traces_and_failures_come_back() -> None:
    found = decode(encode(Trace({0: np.float32([1, 2]), 7: np.int32(3)}, {0: None, 7: np.float64([[1]])})))  # type: ignore[arg-type]
    assert isinstance(found, Trace)
    assert {index: each.tolist() for index, each in found.values.items()} == {0: [1, 2], 7: 3}
    assert {index: each is not None and each.tolist() for index, each in found.cotangents.items()} == {
        0: False,
        7: [[1]],
    }
    assert decode(encode(Failure("error", "ValueError: ö"))) == Failure("error", "ValueError: ö")


def test_nothing_in_it_is_executed() -> None:
    """The bytes are a length, JSON and numbers."""
    data = encode(Outcome((np.float32([1, 2]),), ()))  # type: ignore[arg-type]
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    assert {each["dtype"] for each in header.values()} == {"U8"}
