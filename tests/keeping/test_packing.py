"""Records as bytes: they come back as they were, or not at all."""

from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import pytest

from gradcheck.casefile.case import Arrays, Positions
from gradcheck.diagnostics import Source, Span
from gradcheck.dtypes import DTYPES
from gradcheck.keeping.packing import NotPlain, pack, unpack

HERE = Source("here.yaml", "a text")
PAIRS = [(1, 3), (1, 4), (1, 9), (2, 1), (2, 2), (7, 7)]


@dataclass(frozen=True, slots=True)
class Record:
    value: Arrays
    number: complex
    span: Span
    positions: Positions


def record(value: Any) -> Record:
    return Record(value, 1 + 2j, Span(HERE, 1, 2, 3), Positions(PAIRS))


def back(value: Any) -> Any:
    return unpack(pack(record(value), HERE), Record, HERE).value


@pytest.mark.parametrize("dtype", DTYPES.values(), ids=str)
@pytest.mark.parametrize("shape", [(), (0, 3), (2, 3)], ids=str)
def test_arrays_of_every_dtype_and_shape(dtype: "np.dtype[Any]", shape: tuple[int, ...]) -> None:
    value = np.asarray(np.resize(np.arange(6), shape), dtype)
    again = back(value)
    assert (again.dtype, again.shape, again.tobytes()) == (value.dtype, value.shape, value.tobytes())
    assert again.flags.writeable


def test_an_array_that_is_not_in_rows_is_the_same_array() -> None:
    value = np.arange(6.0).reshape(2, 3).T
    assert np.array_equal(back(value), value)


def test_infinities_and_what_is_no_number_stay_what_they_are() -> None:
    value = np.array([np.inf, -np.inf, np.nan, -0.0])
    assert back(value).tobytes() == value.tobytes()


def test_several_arrays_are_a_tuple() -> None:
    again = back((np.ones(2), np.zeros((1, 1))))
    assert isinstance(again, tuple)
    assert [each.shape for each in again] == [(2,), (1, 1)]


def test_all_else_comes_back_with_the_source_of_whoever_reads() -> None:
    again = unpack(pack(record(np.ones(1)), HERE), Record, there := Source("there.yaml", "a text"))
    assert again.number == 1 + 2j
    assert again.span.source is there
    assert (again.span.line, again.span.column, again.span.end) == (1, 2, 3)
    assert list(again.positions) == PAIRS


def test_a_place_in_another_file_is_refused() -> None:
    with pytest.raises(NotPlain, match=r"here\.yaml"):
        pack(record(np.ones(1)), Source("there.yaml", "a text"))


@pytest.mark.parametrize(
    "data", [b"", b"\xc1", msgspec.msgpack.encode({"value": 1}), msgspec.msgpack.encode([1, 2])], ids=repr
)
def test_what_is_no_such_record_is_told(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        unpack(data, Record, HERE)
