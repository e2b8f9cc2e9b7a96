"""Case files that were read before: one that has not changed is not parsed again."""

import hashlib
from contextlib import suppress
from dataclasses import astuple
from functools import cache
from pathlib import Path

from gradcheck.casefile.case import Case, Loaded
from gradcheck.casefile.find import read_source
from gradcheck.casefile.limits import Limits
from gradcheck.casefile.load import load_source
from gradcheck.diagnostics import Refused, Source
from gradcheck.keeping.packing import pack, unpack
from gradcheck.keeping.store import Store, kept_folder
from gradcheck.keeping.surroundings import surroundings

LIBRARIES = ("numpy", "ml-dtypes", "pydantic", "pyyaml", "yamlcore")
"""With what files are read and arrays made."""


class KeptFiles:
    """The cases of files that were read before, from `store`, and of others as `load_file` gives them."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def load(self, path: Path, limits: Limits) -> Loaded:
        """What the case file gave, as `load_file` does."""
        try:
            source = read_source(path, limits)
        except Refused as refused:
            return Loaded((), refused.diagnostics)
        address = _address(source, path, limits)
        return self._find(address, source) or self._keep(address, source, load_source(source, path, limits))

    def close(self) -> None:
        """Keep to the size that all of it may have."""
        self._store.trim()

    def _find(self, address: str, source: Source) -> Loaded | None:
        data = self._store.get(address)
        try:
            return None if data is None else Loaded(unpack(data, tuple[Case, ...], source))
        except ValueError:  # whole, and yet not what is written now: it is written anew
            return None

    def _keep(self, address: str, source: Source, loaded: Loaded) -> Loaded:
        """Keep what depends on the text alone, and has nothing that would have to be told again."""
        if loaded.cases and not (loaded.diagnostics or loaded.flawed or loaded.arrays):
            with suppress(OSError):  # no room, no permission: the same is told of results, and parsing costs little
                self._store.put(address, pack(loaded.cases, source))
        return loaded


def kept_files() -> KeptFiles:
    """The files that are kept in the user's folder."""
    return KeptFiles(Store(kept_folder("files")))


def _address(source: Source, path: Path, limits: Limits) -> str:
    digest = hashlib.sha256(_surroundings())
    for part in (path.as_posix(), repr(astuple(limits)), source.text):
        digest.update(f"{len(part)}:{part}".encode(errors="surrogatepass"))
    return digest.hexdigest()


@cache
def _surroundings() -> bytes:
    return surroundings(LIBRARIES)
