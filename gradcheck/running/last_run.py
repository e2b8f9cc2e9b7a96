"""What the last run in a folder was, so that a part of it can be run again.

It is kept in the user's cache folder, beside TensorFlow's answers, and is worth no more than these: what cannot be read
counts as none.
"""

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Literal

import msgspec

from gradcheck.casefile.ids import addresses
from gradcheck.keeping.store import default_folder, write_whole
from gradcheck.verdict.record import Status

MOST_BYTES = 64 * 2**20
MOST_FOLDERS = 200
"""Of how many folders the last run is kept."""


class _File(msgspec.Struct, forbid_unknown_fields=True):
    format: Literal["gradcheck last run"]
    version: Literal[1]
    folder: str
    options: tuple[str, ...]
    cases: dict[str, Status]


@dataclass(frozen=True)
class LastRun:
    """How it was started, and what became of the cases, by id; of a file that could not be read, by its name."""

    options: tuple[str, ...]
    """Those by which the comparison would be another without them, as a command line has them."""
    cases: Mapping[str, Status]

    @property
    def failed(self) -> list[str]:
        """What kept the run from passing, in its order."""
        bad = {Status.FAILED, Status.NOT_RUN, *([Status.UNSUPPORTED] if "--strict" in self.options else [])}
        return [each for each, status in self.cases.items() if status in bad]

    def updated(self, part: "LastRun", named: Iterable[str]) -> "LastRun":
        """This run, after what is called by one of the names was run again, which gave `part`."""
        names = set(named)
        others = {each: status for each, status in self.cases.items() if not names & addresses(each)}
        return replace(self, cases={**others, **part.cases})


def read() -> LastRun | None:
    """The last run in the working directory; None if none is known."""
    try:
        folder, path = _place()
        with path.open("rb") as file:
            text = file.read(MOST_BYTES + 1)
        kept = msgspec.json.decode(text, type=_File)
    except (OSError, msgspec.DecodeError):
        return None
    return LastRun(kept.options, kept.cases) if kept.folder == folder and len(text) <= MOST_BYTES else None


def write(run: LastRun) -> None:
    """Keep this as the last run in the working directory. Raises `OSError`."""
    folder, path = _place()
    kept = _File(format="gradcheck last run", version=1, folder=folder, options=run.options, cases=dict(run.cases))
    text = json.dumps(msgspec.to_builtins(kept), indent=1, ensure_ascii=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, text.encode(errors="replace"))
    for old in _newest_first()[MOST_FOLDERS:]:
        with suppress(OSError):  # another run may drop it at the same time
            old.unlink()


def clear() -> int:
    """Forget the last runs in all folders; gives of how many. Raises `OSError` for one that cannot be dropped."""
    paths = _newest_first()
    for each in paths:
        each.unlink(missing_ok=True)
    return len(paths)


def _folder() -> Path:
    return default_folder().parent / "runs"


def _place() -> tuple[str, Path]:
    """The working directory, and the file in which its last run is kept. Raises `OSError` if it is there no more."""
    here = Path.cwd().as_posix().encode(errors="replace")
    return here.decode(), _folder() / f"{sha256(here).hexdigest()[:32]}.json"


def _newest_first() -> list[Path]:
    return sorted(_folder().glob("*.json"), key=_time, reverse=True)


def _time(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:  # another run dropped it
        return 0.0
