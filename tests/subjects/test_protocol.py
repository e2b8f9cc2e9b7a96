"""The messages: arrays bit by bit, arguments, and the schema that describes them."""

import base64
import json
import struct
from collections.abc import Callable
from typing import Any

import jsonschema
import ml_dtypes
import numpy as np
import pytest
from click.testing import Result

from gradcheck.dtypes import DTYPES, Array
from gradcheck.subjects.arrays import Unusable
from gradcheck.subjects.protocol import Numbers, attribute, decoded, encoded


@pytest.mark.parametrize(
    ("value", "data"),
    [
        (np.array([1.0, -2.5], np.float32), struct.pack("<2f", 1.0, -2.5)),
        (np.array(0.1), struct.pack("<d", 0.1)),
        (np.array([1.5], np.float16), struct.pack("<e", 1.5)),
        (np.array([1.0, -2.0], ml_dtypes.bfloat16), b"\x80\x3f\x00\xc0"),
        (np.array([1 - 2j], np.complex64), struct.pack("<2f", 1.0, -2.0)),
        (np.array([[True, False]]), b"\x01\x00"),
        (np.array([-2, 2**53 + 1]), struct.pack("<2q", -2, 2**53 + 1)),
        (np.array([[1, 2], [3, 4]], np.int32).T, struct.pack("<4i", 1, 3, 2, 4)),
        (np.array([1.0, 2.0], ">f4"), struct.pack("<2f", 1.0, 2.0)),
    ],
)
def test_arrays_are_little_endian_and_row_major(value: Array, data: bytes) -> None:
    message = encoded(value)
    assert base64.b64decode(message.data) == data
    assert (message.dtype, message.shape) == (value.dtype.name, list(value.shape))


@pytest.mark.parametrize("dtype", DTYPES.values(), ids=str)
@pytest.mark.parametrize("shape", [(), (0, 2), (3,), (2, 1, 3)])
def test_arrays_survive_bit_by_bit(dtype: Any, shape: tuple[int, ...]) -> None:
    count = int(np.prod(shape)) * dtype.itemsize
    high = 2 if dtype.kind == "b" else 256  # all other bits mean something, if only one of many kinds of NaN
    bits = np.random.default_rng(1).integers(0, high, count, np.uint8).tobytes()
    value = np.frombuffer(bits, dtype).reshape(shape)
    found = decoded(Numbers.model_validate_json(encoded(value).model_dump_json()), "it")
    assert (found.dtype, found.shape, found.tobytes()) == (dtype, shape, bits)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("AACAPw==", "its output has 4 bytes where float32[2] takes 8"),
        ("AACAPw", "its output is not written in base64"),
        ("ünlikely", "its output is not written in base64"),
    ],
)
def test_data_that_is_no_array_is_refused(data: str, words: str) -> None:
    with pytest.raises(Unusable) as refused:
        decoded(Numbers(dtype="float32", shape=[2], data=data), "its output")
    assert str(refused.value) == words


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, None),
        (True, True),
        (-1, -1),
        (0.5, 0.5),
        ((1, (2, None)), [1, [2, None]]),
        ("SAME", "SAME"),
        (np.dtype(np.float32), "float32"),
        (np.dtype(ml_dtypes.bfloat16), "bfloat16"),
        (np.int64(3), 3),
        (float("inf"), {"float": "inf"}),
        (float("-inf"), {"float": "-inf"}),
        (float("nan"), {"float": "nan"}),
        (1 - 2j, {"complex": [1.0, -2.0]}),
        (complex(0, float("inf")), {"complex": [0.0, {"float": "inf"}]}),
        ({"optimize": "greedy"}, {"optimize": "greedy"}),
    ],
)
def test_arguments_are_written_explicitly(value: Any, written: Any) -> None:
    found = attribute(value)
    found = found.model_dump() if hasattr(found, "model_dump") else found
    assert json.dumps(found, allow_nan=False) == json.dumps(written)


def test_an_argument_without_a_form_is_refused() -> None:
    with pytest.raises(TypeError, match="a function has no form in JSON"):
        attribute(lambda: None)


@pytest.fixture
def schema(command: Callable[..., Result]) -> jsonschema.Draft202012Validator:
    printed = json.loads(command("schema", "--protocol").stdout)
    jsonschema.Draft202012Validator.check_schema(printed)
    return jsonschema.Draft202012Validator(printed)


NUMBERS = {"dtype": "float64", "shape": [], "data": "AAAAAAAA8D8="}
OUTCOME = {"type": "outcome", "id": 1, "outputs": [NUMBERS], "gradients": [[NUMBERS, None]]}
FAILURE = {"type": "failure", "id": 1, "kind": "error", "message": "no"}
INTRODUCTION = {"type": "hello", "protocol": 1, "name": "mine"}


@pytest.mark.parametrize("message", [OUTCOME, FAILURE, {**FAILURE, "operation": None}, INTRODUCTION])
def test_the_schema_accepts_what_is_well_formed(schema: jsonschema.Draft202012Validator, message: Any) -> None:
    schema.validate(message)


@pytest.mark.parametrize(
    "message",
    [
        {**OUTCOME, "id": "1"},
        {**OUTCOME, "gradients": [NUMBERS]},
        {**OUTCOME, "outputs": [{**NUMBERS, "dtype": "float8"}]},
        {**OUTCOME, "outputs": [{**NUMBERS, "shape": [-1]}]},
        {**OUTCOME, "output": []},
        {**FAILURE, "kind": "crashed"},
        {**FAILURE, "message": ""},
        {"type": "hello", "name": "mine"},
        {},
    ],
)
def test_the_schema_refuses_what_is_not(schema: jsonschema.Draft202012Validator, message: Any) -> None:
    assert not schema.is_valid(message)
