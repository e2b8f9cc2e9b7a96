"""Bytes kept in files under the address of what they answer: safe with several runs at once, without locks.

A file appears whole or not at all, because it is written beside its place and then moved there; and it begins with a
checksum, so that one which is damaged counts as missing and is written anew. The total size is bounded: where it is
exceeded, what was not used for the longest time is dropped.
"""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

FOLDER = "GRADCHECK_CACHE"
"""The environment variable that names another folder than the user's cache folder."""
KINDS = {"reference": "answers", "results": "results", "files": "files"}
"""What is kept in folders of these names: TensorFlow's answers, what was found with them, and cases as they were read;
each with what people are told that it is."""
LIMIT = 512 * 2**20
"""How many bytes are kept at most, from one run to the next."""
AFTERWARDS = 0.75
"""To what share of the limit it is brought down when it is exceeded, so that this is not done in every run."""
_SEAL = sha256().digest_size
_ENTRY = re.compile(r"[0-9a-f]{64}")
_PART = ".part"


@dataclass(frozen=True)
class Entry:
    """One file that is kept: `size` in bytes, `used` as a time in nanoseconds."""

    path: Path
    size: int
    used: int


def kept_folder(kind: str) -> Path:
    """Where what is called `kind` is kept: under `$GRADCHECK_CACHE`, or else in the user's cache folder."""
    given = os.environ.get(FOLDER)
    if given:
        return Path(given) / kind
    from platformdirs import user_cache_path

    return user_cache_path("gradcheck", appauthor=False) / kind


def default_folder() -> Path:
    """Where reference outcomes are kept."""
    return kept_folder("reference")


def nothing_kept() -> bool:
    """Whether there is no answer and no result, so that TensorFlow will be asked for certain."""
    return all(Store(kept_folder(kind)).empty for kind in ("reference", "results"))


class Store:
    """Answers by address, an address being 64 hexadecimal digits."""

    def __init__(self, folder: Path, limit: int = LIMIT) -> None:
        self.folder = folder
        self.limit = limit
        self._grown = False

    def get(self, address: str) -> bytes | None:
        """What is kept under `address`; None if there is nothing, or nothing that is whole."""
        path = self._path(address)
        try:
            sealed = path.read_bytes()
        except OSError:
            return None
        data = sealed[_SEAL:]
        if sealed[:_SEAL] != _seal(address, data):
            return None
        with suppress(OSError):  # a folder that cannot be written to is good enough to read from
            os.utime(path)
        return data

    def put(self, address: str, data: bytes) -> None:
        """Keep `data` under `address`. Raises `OSError`: no room, no permission."""
        path = self._path(address)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, _seal(address, data) + data)
        self._grown = True

    def entries(self) -> list[Entry]:
        """Everything that is kept."""
        return [each for each in self._files() if _ENTRY.fullmatch(each.path.name)]

    @property
    def empty(self) -> bool:
        """Whether nothing is kept."""
        return not any(_ENTRY.fullmatch(each.path.name) for each in self._files())

    def trim(self) -> None:
        """Drop what was not used for the longest time, if something was put and there is more than the limit allows."""
        if not self._grown:
            return
        files = sorted(self._files(), key=lambda each: each.used)
        total = sum(each.size for each in files)
        if total <= self.limit:
            return
        for each in files:
            if total <= self.limit * AFTERWARDS:
                break
            with suppress(OSError):  # another run may drop it at the same time
                each.path.unlink()
            total -= each.size

    def clear(self) -> int:
        """Drop everything; gives how many answers that were. Raises `OSError` for one that cannot be dropped."""
        kept = len(self.entries())
        for each in self._files():
            each.path.unlink(missing_ok=True)
        return kept

    def _path(self, address: str) -> Path:
        return self.folder / address[:2] / address

    def _files(self) -> Iterator[Entry]:
        """The files that were written here, those of runs that ended while writing among them; no others."""
        for path in self.folder.glob("[0-9a-f][0-9a-f]/*"):
            if not _ENTRY.fullmatch(path.name) and path.suffix != _PART:
                continue
            with suppress(OSError):
                found = path.stat()
                yield Entry(path, found.st_size, found.st_mtime_ns)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that nobody ever sees in part. Raises `OSError`, and leaves nothing behind."""
    part = path.with_name(f".{os.urandom(16).hex()}{_PART}")
    try:
        part.write_bytes(data)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _seal(address: str, data: bytes) -> bytes:
    """The checksum of what is kept under `address`: what was put elsewhere does not fit."""
    return sha256(address.encode() + data).digest()
