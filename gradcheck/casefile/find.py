"""Case files found, and their text read."""

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from gradcheck.casefile.errors import printable, quoted, visible
from gradcheck.casefile.limits import Limits, too_large
from gradcheck.diagnostics import Diagnostic, Refused, Source, Span

SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True)
class Found:
    """The case files that paths lead to, as the user would type them, and what is wrong with the paths."""

    files: tuple[Path, ...]
    diagnostics: tuple[Diagnostic, ...]
    folders: tuple[Path, ...]
    """The folders that were searched."""


def find(paths: Iterable[str | Path]) -> Found:
    """The case files under `paths`, which are files, or folders to search: sorted in each, none twice.

    In folders every .yaml and .yml file counts, except in hidden folders. A path that is missing and a folder without
    case files are errors.
    """
    files: dict[Path, Path] = {}
    folders: list[Path] = []
    wrong: list[Diagnostic] = []
    for path in map(Path, paths):
        name = quoted(path.as_posix())
        try:
            found = list(_walk(path, folders)) if path.is_dir() else [path]
            if not path.exists():
                wrong.append(Diagnostic("not-found", f"there is no file or folder {name}"))
                continue
            if not found:
                wrong.append(Diagnostic("no-cases", f"the folder {name} has no .yaml or .yml files in it"))
            for file in found:
                files.setdefault(file.resolve(), file)
        except (OSError, RuntimeError, ValueError) as error:  # no permission, a loop of links, a NUL in the path
            wrong.append(Diagnostic("unreadable", f"{name} cannot be read: {_reason(error)}"))
    return Found(tuple(files.values()), tuple(wrong), tuple(folders))


def read_source(path: Path, limits: Limits) -> Source:
    """The text of a case file, with line ends as `\\n`. Raises `Refused` if it is no file of UTF-8 text."""
    name = path.as_posix()
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            kind = "a folder" if stat.S_ISDIR(mode) else "not a regular file"
            raise Refused([Diagnostic("unreadable", f"{quoted(name)} is {kind}")])
        with path.open("rb") as file:
            data = file.read(limits.file_bytes + 1)
    except FileNotFoundError:
        raise Refused([Diagnostic("not-found", f"there is no file {quoted(name)}")]) from None
    except (OSError, RuntimeError, ValueError) as error:
        raise Refused([Diagnostic("unreadable", f"{quoted(name)} cannot be read: {_reason(error)}")]) from None
    if len(data) > limits.file_bytes:
        raise Refused([too_large(limits, "file_bytes", f"the file {quoted(name)} has too many bytes")])
    try:
        return Source(visible(name), _lines(data.decode("utf-8-sig")))
    except UnicodeDecodeError as error:
        good = _lines(data[: error.start].decode("utf-8-sig", "replace"))
        source = Source(visible(name), printable(_lines(data.decode("utf-8-sig", "replace"))))
        line, column = good.count("\n") + 1, len(good) - good.rfind("\n")
        message = f"the file is not UTF-8 text: byte 0x{data[error.start]:02x}"
        raise Refused([Diagnostic("encoding", message, Span(source, line, column, column + 1))]) from None


def _walk(folder: Path, searched: list[Path]) -> Iterator[Path]:
    """The case files in `folder` and below, in the order of their paths; links to folders are followed once.

    Every folder that is looked into is added to `searched`.
    """
    seen = set()
    for here, folders, files in os.walk(folder, onerror=_raise, followlinks=True):
        place = os.path.realpath(here)
        folders[:] = sorted(name for name in folders if not name.startswith(".")) if place not in seen else []
        if place not in seen:
            searched.append(Path(here))
            yield from (Path(here, name) for name in sorted(files) if name.endswith(SUFFIXES))
        seen.add(place)


def _raise(error: OSError) -> None:
    raise error


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or "not a usable path"
