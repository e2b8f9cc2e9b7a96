"""What has changed of the files that a command has read: case files, arrays beside them, the modules of an engine."""

import shlex
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from modulefinder import ModuleFinder
from pathlib import Path
from typing import Any, Literal

import numpy as np

from gradcheck.casefile.case import Case, Expression, Loaded
from gradcheck.casefile.find import find
from gradcheck.casefile.limits import Limits
from gradcheck.casefile.load import load_file
from gradcheck.diagnostics import Span

Change = Literal["new", "changed", "gone"]
Stamp = tuple[int, int, int]
Stamps = Mapping[Path, Stamp | None]
"""By what a file is told from what it was before; None for one that is not there."""


def stamp(path: Path) -> Stamp | None:
    """The stamp of a file as it is now."""
    try:
        found = path.stat()
    except (OSError, ValueError):  # or a name that no file can have
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def changes(before: Stamps) -> dict[Path, Change]:
    """What became of the files that were as their stamps say, without those that are so still."""
    found: dict[Path, Change] = {}
    for path, earlier in before.items():
        now = stamp(path)
        if now != earlier:
            found[path] = "new" if earlier is None else "gone" if now is None else "changed"
    return found


@dataclass(frozen=True)
class _Read:
    loaded: Loaded
    stamps: Stamps


class CaseFiles:
    """The case files that `paths` lead to; a file is read again only when it, or an array that it names, has changed.

    So the cases of a file that has not changed are the very same objects.
    """

    def __init__(self, paths: Sequence[str]) -> None:
        self._paths = paths
        self._read: dict[Path, _Read] = {}

    @property
    def files(self) -> set[Path]:
        """Everything that has been read, or should have been."""
        return {path for read in self._read.values() for path in read.stamps}

    def load(self, path: Path, limits: Limits) -> Loaded:
        """What the case file gave, as `load_file` does."""
        known = self._read.get(path)
        if known is not None and not changes(known.stamps):
            return known.loaded
        likely = known.stamps if known is not None else ()
        stamps = {each: stamp(each) for each in (path, *likely)}  # first: what is written meanwhile is a change
        loaded = load_file(path, limits)
        stamps = {each: stamps[each] if each in stamps else stamp(each) for each in (path, *loaded.arrays)}
        self._read[path] = _Read(loaded, stamps)
        return loaded

    def changes(self) -> dict[Path, Change]:
        """What has changed since it was read; a case file that is nowhere to be found is gone."""
        found = dict.fromkeys(find(self._paths).files)
        changed: dict[Path, Change] = {path: "new" for path in found if path not in self._read}
        for path, read in self._read.items():
            changed |= changes(read.stamps) if path in found else {path: "gone"}
        return changed

    def forget(self, paths: Iterable[Path]) -> None:
        """Leave out files that are gone."""
        for path in paths:
            self._read.pop(path, None)

    def folders(self) -> set[Path]:
        """Where a change would show: folders that are there."""
        wanted = {*find(self._paths).folders, *(each.parent for each in self.files)}
        wanted |= {path if path.is_dir() else path.parent for path in map(Path, self._paths)}
        return {_there(each) for each in wanted}


class EngineFiles:
    """The files of the engine that `text` names, as `--engine` does from `folder`; none for our own."""

    def __init__(self, text: str, folder: Path) -> None:
        self._text = text
        self._folder = folder
        self.stamps: dict[Path, Stamp | None] = {}

    def look(self) -> None:
        """See which these are, and how they are now. One that was seen before stays, as it may only be broken."""
        found = _engine_files(self._text, self._folder) if self._text else ()
        self.stamps = {each: stamp(each) for each in (*self.stamps, *found)}

    def changes(self) -> dict[Path, Change]:
        """What has changed since it was looked at."""
        return changes(self.stamps)

    def folders(self) -> set[Path]:
        """Where a change would show."""
        return {_there(each.parent) for each in self.stamps}


def _there(folder: Path) -> Path:
    """The folder, or the nearest above it that is there."""
    return folder if folder.is_dir() or folder == folder.parent else _there(folder.parent)


def _engine_files(text: str, folder: Path) -> Iterator[Path]:
    """The files of an engine: those named by its command, or its module and those beside it that this imports."""
    if text.startswith("command:"):
        try:
            words = shlex.split(text.removeprefix("command:"))
        except ValueError:
            return
        yield from (path for path in (folder / each for each in words) if path.is_file())
        return
    place, _, _ = text.partition(":")
    path = (folder / place).resolve()
    script = place.endswith(".py")
    if script:
        yield path
    finder = ModuleFinder([str(path.parent if script else folder)])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the compiler, on a user's code
            if script:
                finder.run_script(str(path))
            else:
                finder.import_hook(place)
    except Exception:  # code that anyone may have written, perhaps by half: what was found until then is all
        pass
    files = (getattr(each, "__file__", None) for each in finder.modules.values())
    yield from (Path(each) for each in files if each)


def alike(one: Case, other: Case) -> bool:
    """Whether two cases differ in nothing but where the file has them."""
    return bool(_plain(one) == _plain(other))


def _plain(value: Any) -> Any:
    """A value of a case without its places in the file, in a form in which equal ones are equal."""
    match value:
        case np.ndarray():
            return value.dtype.name, value.shape, value.tobytes()
        case Span():
            return None
        case Expression():
            return value.text
        case Mapping():
            return [(name, _plain(each)) for name, each in value.items()]
        case tuple():
            return [_plain(each) for each in value]
        case _ if is_dataclass(value):
            return [_plain(getattr(value, each.name)) for each in fields(value)]
        case _:
            return value
