"""Answers of the reference as bytes, and back: arrays exactly, in the safetensors format, which loads no code."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from gradcheck.dtypes import DTYPES, Array
from gradcheck.engines import Failure, Outcome, Trace

Answer = Outcome | Failure | Trace
ANSWER = "answer"
"""The name of the JSON text that says what the arrays are."""


def encode(answer: Answer) -> bytes:
    """`answer` as the bytes of a safetensors file; of a failure its message."""
    from safetensors.numpy import save  # only where something is kept

    arrays = _Arrays()
    said: dict[str, Any]
    match answer:
        case Outcome():
            gradients = [arrays.row(each) for each in answer.gradients]
            said = {"kind": "outcome", "outputs": arrays.row(answer.outputs), "gradients": gradients}
        case Trace():
            values, cotangents = arrays.table(answer.values), arrays.table(answer.cotangents)
            said = {"kind": "trace", "values": values, "cotangents": cotangents}
        case Failure():
            said = {"kind": answer.kind, "message": answer.message}
    text = np.frombuffer(json.dumps(said).encode(), np.uint8)
    return save({ANSWER: text, **arrays.held})


def decode(data: bytes) -> Answer:
    """The answer of `encode`, in arrays that cannot be written to."""
    from safetensors.numpy import load

    held = load(data)
    said = json.loads(held[ANSWER].tobytes())

    def row(given: Iterable[Any]) -> tuple[Any, ...]:
        return tuple(None if each is None else _array(held, each) for each in given)

    def table(given: Mapping[str, Any]) -> dict[int, Any]:
        return dict(zip(map(int, given), row(given.values()), strict=True))

    match said["kind"]:
        case "outcome":
            return Outcome(row(said["outputs"]), tuple(row(each) for each in said["gradients"]))
        case "trace":
            return Trace(table(said["values"]), table(said["cotangents"]))
        case kind:
            return Failure(kind, said["message"])


class _Arrays:
    """Arrays put aside as bytes, because safetensors has no complex128 and its NumPy side reads no bfloat16."""

    def __init__(self) -> None:
        self.held: dict[str, Array] = {}

    def row(self, values: Iterable[Array | None]) -> list[Any]:
        return [None if each is None else self._put(each) for each in values]

    def table(self, values: Mapping[int, Array | None]) -> dict[int, Any]:
        return dict(zip(values, self.row(values.values()), strict=True))

    def _put(self, value: Array) -> dict[str, Any]:
        name = str(len(self.held))
        self.held[name] = np.frombuffer(value.tobytes(), np.uint8)
        return {"array": name, "dtype": value.dtype.name, "shape": value.shape}


def _array(held: Mapping[str, Array], given: Mapping[str, Any]) -> Array:
    return np.frombuffer(held[given["array"]], DTYPES[given["dtype"]]).reshape(given["shape"])
