"""Recorded answers of TensorFlow as a text that is reviewed and kept with the cases: values exact, a row in a line.

The file stands beside the case file: `cases/mlp.yaml` has `cases/mlp.lock.json`, `cases/mlp.yml` has
`cases/mlp.yml.lock.json`. Nothing in it is ever executed.
"""

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from gradcheck.casefile.ids import dtype_of, file_of, name_of
from gradcheck.dtypes import DTYPES, Array, DType, is_complex, is_float
from gradcheck.engines import Failure, Outcome
from gradcheck.keeping.store import write_whole
from gradcheck.program import TensorType

VERSION = 1
"""The version of the format."""
SUFFIX = ".lock.json"
WIDTH = 110
"""How long a line may be before a list is broken into its parts; a row of numbers is never broken."""
_TYPE = re.compile(r"(\w+)\[((?:\d+(?:, \d+)*)?)\]")


class NotALock(Exception):
    """The file is no lock file that can be read; the message names it and says why."""


class _Wrong(Exception):
    """Something in a lock file that is not as `render` writes it."""


@dataclass(frozen=True, eq=False)
class Recorded:
    """What TensorFlow answered to the question with the fingerprint `question`; gradients are by source."""

    question: str
    answer: Outcome | Failure
    sources: tuple[str, ...] = ()


@dataclass(frozen=True)
class Lock:
    """The recorded answers of one case file by the names of its cases, and where they were recorded."""

    environment: Mapping[str, str] = field(default_factory=dict)
    cases: Mapping[str, Recorded] = field(default_factory=dict)


def lock_path(case_id: str) -> Path:
    """The lock file beside the file that a case is in."""
    path = Path(file_of(case_id))
    return path.with_suffix(SUFFIX) if path.suffix == ".yaml" else path.with_name(path.name + SUFFIX)


def entry_name(case_id: str) -> str:
    """What a case is called in the lock file: `name`, or `name[float32]` if it is run in several dtypes."""
    return name_of(case_id) + dtype_of(case_id)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Numbers(_Strict):
    type: str
    values: Any


class _Entry(_Strict):
    question: str
    error: str | None = None
    outputs: list[_Numbers | None] = []
    gradients: dict[str, _Numbers | None] = {}
    seeded_gradients: dict[str, _Numbers | None] | None = None


class _File(_Strict):
    version: int
    recorded_with: dict[str, str]
    cases: dict[str, _Entry]


def read(path: Path) -> Lock:
    """The lock in the file; an empty one if there is no file. Raises `NotALock`."""
    try:
        return _read(path.read_bytes())
    except FileNotFoundError:
        return Lock()
    except OSError as error:
        raise NotALock(f"{path.as_posix()} cannot be read: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = "".join(f"`{each}`: " for each in first["loc"][-1:])
        raise NotALock(f"{path.as_posix()} is no lock file: {where}{first['msg']}") from None
    except _Wrong as error:
        raise NotALock(f"{path.as_posix()} is no lock file: {error}") from None


def _read(text: bytes) -> Lock:
    file = _File.model_validate_json(text)
    if file.version != VERSION:
        raise _Wrong(f"it has version {file.version} of the format, and {VERSION} is known")
    return Lock(file.recorded_with, {name: _recorded(each) for name, each in file.cases.items()})


def write(lock: Lock, path: Path) -> None:
    """Write the lock. Raises `OSError`."""
    write_whole(path, render(lock).encode())


def render(lock: Lock) -> str:
    """The lock as text."""
    cases = {name: _entry(each) for name, each in lock.cases.items()}
    document = {"version": VERSION, "recorded_with": dict(lock.environment), "cases": cases}
    return f"{_laid_out(document)}\n"


def _recorded(entry: _Entry) -> Recorded:
    if entry.error is not None:
        return Recorded(entry.question, Failure("error", entry.error))
    sets = [entry.gradients] + ([] if entry.seeded_gradients is None else [entry.seeded_gradients])
    outputs = tuple(map(_array, entry.outputs))
    gradients = tuple(tuple(map(_array, each.values())) for each in sets)
    return Recorded(entry.question, Outcome(outputs, gradients), tuple(entry.gradients))


def _entry(recorded: Recorded) -> dict[str, Any]:
    answer = recorded.answer
    if isinstance(answer, Failure):
        return {"question": recorded.question, "error": answer.message}
    entry: dict[str, Any] = {"question": recorded.question, "outputs": [_numbers(each) for each in answer.outputs]}
    for name, row in zip(("gradients", "seeded_gradients"), answer.gradients, strict=False):
        entry[name] = {source: _numbers(each) for source, each in zip(recorded.sources, row, strict=True)}
    return entry


def _numbers(value: Array | None) -> dict[str, Any] | None:
    """An array as text; short decimal numbers where they mean the same element, as they nearly always do."""
    if value is None:
        return None
    type_ = str(TensorType(value.shape, value.dtype))
    short = _Numbers(type=type_, values=_nested(value, [_short(each) for each in value.ravel()]))
    if exactly(_array(short)) != exactly(value):
        wide = value.astype(np.complex128 if is_complex(value.dtype) else np.float64)
        short = _Numbers(type=type_, values=_nested(value, [_short(each) for each in wide.ravel()]))
    return short.model_dump()


def _short(element: Any) -> Any:
    """One element: the shortest number that its dtype reads back, a text where JSON has no such number."""
    dtype = element.dtype
    if is_complex(dtype):
        return str(element).strip("()")
    if is_float(dtype):
        number = float(str(element))
        return number if math.isfinite(number) else str(number)
    return element.item()


def _nested(value: Array, flat: list[Any]) -> Any:
    """The elements of `value`, which `flat` has in a row, in lists as the shape says."""
    cells = np.empty(value.size, object)
    cells[:] = flat
    return cells.reshape(value.shape).tolist()


def _array(numbers: _Numbers | None) -> Array | None:
    """The array of a text. Raises `_Wrong`."""
    if numbers is None:
        return None
    found = _TYPE.fullmatch(numbers.type)
    dtype = DTYPES.get(found[1]) if found else None
    if not found or dtype is None:
        raise _Wrong(f"{numbers.type!r} is no type")
    shape = tuple(int(size) for size in found[2].split(", ") if size)
    try:
        made: Array = np.array([_element(each, dtype) for each in _leaves(numbers.values)], dtype).reshape(shape)
    except (TypeError, ValueError, OverflowError):
        raise _Wrong(f"there are values that do not fill {numbers.type}") from None
    return made


def _element(text: Any, dtype: DType) -> Any:
    if isinstance(text, str):
        return complex(text) if is_complex(dtype) else float(text)
    return text


def _leaves(values: Any) -> Iterable[Any]:
    """The elements of nested lists, in a row."""
    rows = [values]
    while any(isinstance(each, list) for each in rows):
        rows = [part for each in rows for part in (each if isinstance(each, list) else [each])]
    return rows


def exactly(value: Array | None) -> Any:
    """What two arrays share if they are the same to the last bit, all NaNs being one."""
    if value is None:
        return None
    parts = np.array(value, order="C")
    if is_complex(value.dtype):
        parts = parts.reshape(-1).view(value.real.dtype)
    if parts.dtype.kind not in "iub":
        with np.errstate(invalid="ignore"):  # a signalling NaN is one, too
            parts[np.isnan(parts)] = np.nan
    return value.dtype.name, value.shape, parts.tobytes()


def _laid_out(value: Any, indent: str = "", before: int = 0) -> str:
    """JSON in lines: what fits takes one, beside the `before` columns of its key, and so does a row of numbers."""
    text = json.dumps(value, ensure_ascii=False)
    inner = indent + "  "
    if len(indent) + before + len(text) > WIDTH and isinstance(value, dict):
        keys = [f"{json.dumps(key, ensure_ascii=False)}: " for key in value]
        parts = [key + _laid_out(each, inner, len(key)) for key, each in zip(keys, value.values(), strict=True)]
        return f"{{\n{inner}" + f",\n{inner}".join(parts) + f"\n{indent}}}"
    if len(indent) + before + len(text) > WIDTH and any(isinstance(each, (dict, list)) for each in value):
        return f"[\n{inner}" + f",\n{inner}".join(_laid_out(each, inner) for each in value) + f"\n{indent}]"
    return text
