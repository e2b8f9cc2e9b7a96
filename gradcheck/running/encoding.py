"""Results as bytes, and back: in MessagePack, which loads no code, by the types of the record's own fields."""

from collections.abc import Sequence
from dataclasses import MISSING, Field, field, fields, make_dataclass, replace
from functools import partial
from typing import Any, get_type_hints

import msgspec
import numpy as np

from gradcheck.casefile.case import Case
from gradcheck.diagnostics import Source
from gradcheck.dtypes import DTYPES
from gradcheck.program import Array
from gradcheck.verdict.record import Comparison, Diagnosis, Result

ARRAY = 1
"""The MessagePack extension that arrays are: dtype, shape and bytes."""


class NotPlain(Exception):
    """A result has something in it that cannot be kept: a place in another file than its case's."""


def _default(each: Field[Any]) -> Any:
    return field() if each.default is MISSING else field(default=each.default)


_FOUND = make_dataclass(
    "_FOUND",
    [(each.name, get_type_hints(Result)[each.name], _default(each)) for each in fields(Result) if each.name != "case"],
)
"""A result without its case, which whoever reads it has."""


def encode(result: Result) -> bytes:
    """`result` without its case. Raises `NotPlain`."""
    found = _FOUND(**{each.name: getattr(result, each.name) for each in fields(_FOUND)})
    return msgspec.msgpack.encode(found, enc_hook=partial(_plain, result.case.span.source))


def decode(data: bytes, case: Case) -> Result:
    """The result of `encode` for the same case, in arrays that cannot be written to. Raises `ValueError`."""
    found: Any = msgspec.msgpack.decode(
        data, type=_FOUND, dec_hook=partial(_restored, case.span.source), ext_hook=_array
    )
    if found.diagnosis is not None:
        found.diagnosis = _linked(found.diagnosis, found.comparisons)
    return Result(case, **{each.name: getattr(found, each.name) for each in fields(_FOUND)})


def _linked(diagnosis: Diagnosis, comparisons: Sequence[Comparison]) -> Diagnosis:
    """What was judged are comparisons of the result themselves, not others that are like them."""
    own = {_key(each): each for each in comparisons}
    judged = [replace(each, comparison=own.get(_key(each.comparison), each.comparison)) for each in diagnosis.judged]
    return replace(diagnosis, judged=judged)


def _key(comparison: Comparison) -> tuple[object, ...]:
    return comparison.quantity, comparison.variable, comparison.cotangent, tuple(comparison.sides)


def _plain(source: Source, value: Any) -> Any:
    match value:
        case np.ndarray():
            return msgspec.msgpack.Ext(ARRAY, msgspec.msgpack.encode((value.dtype.name, value.shape, value.tobytes())))
        case np.generic():
            return value.item()
        case complex():
            return (value.real, value.imag)
        case Source() if value is source:
            return None
    raise NotPlain(f"{value!r}")


def _restored(source: Source, kind: Any, value: Any) -> Any:
    if kind is complex:
        return complex(*value)
    return source if kind is Source else value


def _array(_code: int, data: memoryview) -> Array:
    dtype, shape, content = msgspec.msgpack.decode(data, type=tuple[str, tuple[int, ...], bytes])
    return np.frombuffer(content, DTYPES[dtype]).reshape(shape)
