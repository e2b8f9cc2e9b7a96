"""Results of earlier runs: what has not changed since is not compared again.

A result depends on the case, on what is asked about it, on TensorFlow, and on our own code and what that computes with.
The address of a kept one is a digest of all of these.
"""

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import astuple, fields, replace
from functools import cache
from itertools import chain
from typing import Any

import numpy as np

from gradcheck.casefile.case import Case
from gradcheck.diagnostics import Source
from gradcheck.keeping.packing import NotPlain
from gradcheck.keeping.store import Store, kept_folder
from gradcheck.keeping.surroundings import surroundings
from gradcheck.reference.environment import NoTensorFlow, environment
from gradcheck.running.encoding import decode, encode
from gradcheck.verdict.inquiry import Inquiry
from gradcheck.verdict.record import Result, Ruling, Status

LIBRARIES = ("scipy", "ml-dtypes")
"""With what our engine and the referee compute, beside what TensorFlow computes with."""
NOT_OF_THE_CASE = ("span", "expr", "known_failure")
"""Fields that say nothing beyond the text of the file, and what a baseline says, which no comparison depends on."""


class KeptResults:
    """What was found before, with our engine as the subject, about what `inquiry` asks."""

    def __init__(self, store: Store, inquiry: Inquiry) -> None:
        self.trouble = ""
        """Why results could not be kept; empty if they could."""
        self._store = store
        self._inquiry = inquiry
        self._texts: dict[Source, bytes] = {}

    def find(self, case: Case) -> Result | None:
        """The result of `case` in an earlier run, if nothing that it depends on is another."""
        data = None if case.skip is not None else self._store.get(self._address(case))
        try:
            return None if data is None else replace(decode(data, case), kept=True)
        except ValueError:  # whole, and yet not what is written now: it is written anew
            return None

    def keep(self, result: Result) -> None:
        """Keep a result that would be the same in the next run."""
        if not _lasts(result):
            return
        try:
            self._store.put(self._address(result.case), encode(result))
        except NotPlain:
            return
        except OSError as error:  # no room, no permission: that costs time in the next run, nothing else
            self.trouble = f"{self._store.folder}: {error.strerror or error}"

    def close(self) -> None:
        """Keep to the size that all of it may have."""
        self._store.trim()

    def _address(self, case: Case) -> str:
        digest = hashlib.sha256()
        for part in (_surroundings(), repr(astuple(self._inquiry)).encode(), self._text(case.span.source)):
            digest.update(part)
        for each in fields(case):
            if each.name not in NOT_OF_THE_CASE:
                _feed(digest, getattr(case, each.name))
        return digest.hexdigest()

    def _text(self, source: Source) -> bytes:
        if source not in self._texts:
            self._texts[source] = hashlib.sha256(f"{source.name}\n{source.text}".encode()).digest()
        return self._texts[source]


def kept_results(inquiry: Inquiry) -> KeptResults | None:
    """The results that are kept in the user's folder; None if TensorFlow does not tell its version."""
    try:
        _surroundings()
    except NoTensorFlow:
        return None
    return KeptResults(Store(kept_folder("results")), inquiry)


def remembered(
    cases: Iterable[Case], kept: KeptResults, compare: Callable[[Iterable[Case]], Iterator[Result]]
) -> Iterator[Result]:
    """One result for each case, in order; `compare` is given those of which none is kept, if there are any."""
    known: deque[Result | None] = deque()

    def unknown() -> Iterator[Case]:
        for case in coming:
            known.append(kept.find(case))
            if known[-1] is None:
                yield case

    coming = iter(cases)
    for case in coming:
        result = kept.find(case)
        if result is None:
            known.append(None)
            for fresh in compare(chain([case], unknown())):
                while (earlier := known.popleft()) is not None:
                    yield earlier
                kept.keep(fresh)
                yield fresh
            yield from filter(None, known)
            return
        yield result


def _lasts(result: Result) -> bool:
    """Whether the next run would find the same: what could not run, and a referee out of time, may do better."""
    judged = result.diagnosis.judged if result.diagnosis else ()
    unsettled = any(each.ruling is Ruling.INCONCLUSIVE for each in judged)
    return result.found is Status.PASSED or (result.found is Status.FAILED and not unsettled)


@cache
def _surroundings() -> bytes:
    """What every result depends on beside its case. Raises `NoTensorFlow`."""
    return environment().encode() + surroundings(LIBRARIES)


def _feed(digest: "hashlib._Hash", value: Any) -> None:
    """Add a value of a case, with its kind, so that no two values are the same bytes."""
    match value:
        case np.ndarray():
            digest.update(f"{value.dtype.name}{value.shape}".encode())
            digest.update(value.tobytes())
        case Mapping():
            digest.update(b"{")
            for name, each in value.items():
                digest.update(f"{name!r}:".encode())
                _feed(digest, each)
            digest.update(b"}")
        case tuple():
            digest.update(b"(")
            for each in value:
                _feed(digest, each)
            digest.update(b")")
        case Source():
            pass
        case _ if hasattr(value, "__dataclass_fields__"):
            _feed(digest, tuple(getattr(value, each.name) for each in fields(value)))
        case _:
            digest.update(f"{value!r};".encode())
