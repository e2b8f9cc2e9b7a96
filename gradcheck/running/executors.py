"""From what follows `--executor` to something that compares cases elsewhere."""

from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Protocol
from urllib.parse import urlsplit

from gradcheck.running.examiner import Setting, Task
from gradcheck.verdict.record import Result

FORM = "dask://HOST:PORT"
"""How the executor that there is, is written."""


class Unusable(Exception):
    """No case can be compared by what was named; the message says why."""


class Executor(Protocol):
    """Compares cases, several at the same time."""

    def submit(self, task: Task) -> "Future[Result]":
        """The result of a case, later; its `result` raises `gradcheck.running.stream.Lost` if what ran it was ended."""
        ...


@contextmanager
def executor(text: str, setting: Setting) -> Iterator[Executor]:
    """The executor that `text` names, which was asked whether it can do what is wanted. Raises `Unusable`."""
    address = _address(text)
    try:
        from gradcheck.running.cluster import cluster
    except ModuleNotFoundError as error:
        raise Unusable(f"{text}: {error.name} is not installed: pip install 'gradcheck[dask]'") from None
    with cluster(address, setting) as made:
        yield made


def _address(text: str) -> str:
    """`HOST:PORT` of `dask://HOST:PORT`."""
    parts = urlsplit(text)
    try:
        complete = bool(parts.hostname and parts.port) and not (parts.path or parts.query or parts.fragment)
    except ValueError:  # that is no port
        complete = False
    if parts.scheme != "dask" or not complete:
        raise Unusable(f"{text!r} is not an executor: there is {FORM}")
    return parts.netloc
