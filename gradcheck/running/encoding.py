"""Results without their cases, as bytes, and back."""

from collections.abc import Sequence
from dataclasses import MISSING, Field, field, fields, make_dataclass, replace
from typing import Any, get_type_hints

from gradcheck.casefile.case import Case
from gradcheck.keeping.packing import pack, unpack
from gradcheck.verdict.record import Comparison, Diagnosis, Result


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
    return pack(found, result.case.span.source)


def decode(data: bytes, case: Case) -> Result:
    """The result of `encode` for the same case. Raises `ValueError`."""
    found = unpack(data, _FOUND, case.span.source)
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
