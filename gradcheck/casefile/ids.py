"""The ids of cases: what they say, and what people call a case for short."""

import os
import re
from pathlib import Path

_ID = re.compile(r"(?P<file>.*?)(?:::(?P<name>[\w.-]+))?(?P<dtype>\[\w+\])?", re.DOTALL)


def seen_from(case_id: str, folder: Path) -> str:
    """The id of a case as it is seen from `folder`, wherever the run that gave it started."""
    return Path(os.path.relpath(case_id, folder)).as_posix()


def file_of(case_id: str) -> str:
    """The file that a case is in."""
    return _parts(case_id)[0]


def name_of(case_id: str) -> str:
    """What a case is called in its file; the only case of a file goes by the name of the file."""
    return _parts(case_id)[1]


def dtype_of(case_id: str) -> str:
    """The dtype of one of several, in brackets; nothing for a case in one dtype alone."""
    return _parts(case_id)[2]


def without_dtype(case_id: str) -> str:
    """What the ids of a case in all of its dtypes have in common."""
    return case_id.removesuffix(dtype_of(case_id))


def addresses(case_id: str) -> frozenset[str]:
    """What a person may call a case: its file (with all its cases), its name, or both; with the dtype or without.

    With `cases/mlp.yaml::mlp`, as pytest calls it, for the only case of a file.
    """
    file, name, dtype = _parts(case_id)
    short = (file, name, f"{file}::{name}")
    return frozenset((*short, *(each + dtype for each in short)))


def _parts(case_id: str) -> tuple[str, str, str]:
    found = _ID.fullmatch(case_id)
    assert found is not None  # every text is at least a file
    return found["file"], found["name"] or Path(found["file"]).stem, found["dtype"] or ""
