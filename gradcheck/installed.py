"""What is installed: versions, and the engines that packages offer; light enough for every start of a command."""

import os
import re
import sys
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from importlib.metadata import EntryPoint

GROUP = "gradcheck.engines"
"""The group of entry points by which an installed package offers an engine."""
_FOLDER = re.compile(r"(.+)-([^-]+)\.dist-info")


def engines() -> "dict[str, EntryPoint]":
    """The engines that are installed, by name in alphabetical order."""
    from importlib.metadata import entry_points

    return {each.name: each for each in sorted(entry_points(group=GROUP), key=lambda each: each.name)}


def version(library: str) -> str:
    """The version of an installed library. Raises `importlib.metadata.PackageNotFoundError`.

    It is in the name of the folder that describes the library; what else is in there takes ten times as long to read.
    """
    found = _versions().get(_normal(library))
    if found is None:  # installed in another way than pip and its like do
        from importlib.metadata import version

        return version(library)
    return found


@cache
def _versions() -> "Mapping[str, str]":
    """The versions of what is installed, by name; of two with one name that which would be imported."""
    found: dict[str, str] = {}
    for place in reversed(sys.path):
        with suppress(OSError):  # no folder: a part of Python's own library in a .zip file
            folders = filter(None, map(_FOLDER.fullmatch, os.listdir(place or ".")))  # noqa: PTH208
            found.update((_normal(each[1]), each[2]) for each in folders)
    return found


def _normal(library: str) -> str:
    """A library's name in the one form of all that mean the same (PEP 503)."""
    return re.sub(r"[-_.]+", "-", library).lower()
