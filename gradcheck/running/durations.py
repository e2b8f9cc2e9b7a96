"""How long each case took: a file to review and commit, by which a suite is divided.

The file names each case by its id as seen from the file's own folder, so that it holds wherever a run starts.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gradcheck.casefile.errors import visible
from gradcheck.casefile.ids import seen_from
from gradcheck.keeping.store import write_whole
from gradcheck.verdict.record import Result

MOST_BYTES = 16 * 2**20
"""How large a file is read at most: a hundred thousand cases."""
MOST_SECONDS = 1e6
LONGEST_PLACE = 300
"""How many characters of an entry's name a message repeats."""
DIGITS = 3
"""How many significant digits are written, so that a change in the file is a change in the case."""


class NotDurations(Exception):
    """A file that is there and holds no durations; the message says why."""


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    format: Literal["gradcheck durations"]
    version: Literal[1]
    seconds: dict[str, Annotated[float, Field(ge=0, le=MOST_SECONDS, allow_inf_nan=False)]]


@dataclass(frozen=True)
class Durations:
    """The seconds that each case took, by its id as seen from `folder`."""

    folder: Path
    seconds: Mapping[str, float]

    def name(self, case_id: str) -> str:
        """What a case is called here."""
        return seen_from(case_id, self.folder)

    def updated(self, results: Iterable[Result], ids: Iterable[str]) -> "Durations":
        """With the times of `results`, and of the other cases only those with these `ids`, sorted by name."""
        new = {self.name(each.case.id): _rounded(each.seconds) for each in results}
        there = set(map(self.name, ids))
        kept = {name: seconds for name, seconds in self.seconds.items() if name in there}
        return replace(self, seconds=dict(sorted({**kept, **new}.items())))


def read(path: Path) -> Durations:
    """The durations in the file `path`; raises `OSError` if it cannot be read, and `NotDurations`."""
    with path.open("rb") as file:
        text = file.read(MOST_BYTES + 1)
    if len(text) > MOST_BYTES:
        raise NotDurations(f"it has more than {MOST_BYTES:,} bytes")
    try:
        return Durations(path.parent, _File.model_validate_json(text).seconds)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = visible(".".join(map(str, first["loc"]))[:LONGEST_PLACE])
        raise NotDurations(f"{f'`{place}`: ' if place else ''}{first['msg']}") from None


def write(durations: Durations, path: Path) -> None:
    """Write one line for each case; raises `OSError`."""
    file = _File(format="gradcheck durations", version=1, seconds=dict(durations.seconds))
    text = json.dumps(file.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n"
    write_whole(path, text.encode())


def _rounded(seconds: float) -> float:
    return float(f"{min(seconds, MOST_SECONDS):.{DIGITS}g}")
