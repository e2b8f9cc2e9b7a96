"""What all that is computed here depends on beside its input: our own code, and what it computes with."""

import hashlib
import os
import platform
from collections.abc import Iterable
from functools import cache

import gradcheck
from gradcheck.installed import version


def surroundings(libraries: Iterable[str]) -> bytes:
    """A digest of our own code, of the versions of these libraries and of Python's, and of the kind of machine.

    Raises `importlib.metadata.PackageNotFoundError` for a library that is not installed.
    """
    digest = hashlib.sha256(_own_code())
    for part in (platform.python_version(), platform.machine(), *map(version, libraries)):
        digest.update(f"{part}\n".encode())
    return digest.digest()


@cache
def _own_code() -> bytes:
    digest = hashlib.sha256()
    for folder, folders, files in os.walk(os.path.dirname(gradcheck.__file__)):  # noqa: PTH120  # hundreds: Path is slow
        folders.sort()
        for name in sorted(files):
            if name.endswith(".py"):
                with open(f"{folder}/{name}", "rb", buffering=0) as file:  # noqa: PTH123
                    digest.update(file.read())
    return digest.digest()
