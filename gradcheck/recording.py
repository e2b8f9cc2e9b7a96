"""The loop of `gradcheck record`: cases in, what TensorFlow answers about them and what that changes out, by file."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gradcheck.asking import request
from gradcheck.casefile.case import Case
from gradcheck.diagnostics import Diagnostic, Refused
from gradcheck.dtypes import Array
from gradcheck.engines import Failure, Outcome, Request
from gradcheck.language import lower
from gradcheck.program import TensorType
from gradcheck.reference.answers import Awaited, Reference, lasting
from gradcheck.reference.fingerprint import fingerprint
from gradcheck.reference.lockfile import Lock, Recorded, entry_name, exactly, lock_path, read


@dataclass(frozen=True)
class Recording:
    """What is to become of one lock file."""

    path: Path
    old: Lock
    new: Lock
    changed: Mapping[str, Sequence[str]]
    """By the names of the cases whose recorded answer is no longer TensorFlow's: in what it differs."""
    failures: Sequence[tuple[str, Failure]] = ()
    """Cases that TensorFlow did not answer, by their ids."""
    diagnostics: Sequence[Diagnostic] = ()
    """Why expressions cannot be read."""

    @property
    def added(self) -> int:
        """How many cases are recorded for the first time."""
        return len(self.new.cases.keys() - self.old.cases.keys())

    @property
    def same(self) -> int:
        """How many cases have the answer that is recorded."""
        return len(self.new.cases) - self.added - len(self.changed.keys() & self.new.cases.keys())

    @property
    def complete(self) -> bool:
        """Whether every case has its answer."""
        return not self.failures and not self.diagnostics


def record_cases(cases: Iterable[Case], reference: Reference, environment: Mapping[str, str]) -> Iterator[Recording]:
    """One recording for each file that the cases are from, which have to be all of that file.

    Cases that are skipped keep what is recorded of them. Raises `NotALock` for a lock file that cannot be read.
    """
    files: dict[Path, list[Case]] = {}
    for case in cases:
        files.setdefault(lock_path(case.id), []).append(case)
    for path, group in files.items():
        yield _record(path, group, reference, environment)


def _record(path: Path, cases: Sequence[Case], reference: Reference, environment: Mapping[str, str]) -> Recording:
    old = read(path)
    asked: list[tuple[Case, Request, Awaited[Outcome]]] = []
    diagnostics: list[Diagnostic] = []
    for case in cases:
        if case.skip is None:
            try:
                question = request(lower(case))
            except Refused as refused:
                expected = case.expect.error
                if expected is None or not any(expected in each.message for each in refused.diagnostics):
                    diagnostics += refused.diagnostics
            else:
                asked.append((case, question, reference.submit(question)))
    skipped = {entry_name(case.id) for case in cases if case.skip is not None}
    recorded = {name: each for name, each in old.cases.items() if name in skipped}
    failures: list[tuple[str, Failure]] = []
    for case, question, awaited in asked:
        answer = awaited.result()
        if isinstance(answer, Failure) and not lasting(answer):
            failures.append((case.id, answer))
        else:
            recorded[entry_name(case.id)] = Recorded(fingerprint(question), answer, question.sources)
    changed = {
        name: lines
        for name, before in old.cases.items()
        if (lines := differences(before, recorded[name]) if name in recorded else ["no such case is compared any more"])
    }
    order = {entry_name(case.id): None for case in cases}
    new = Lock(environment, {name: recorded[name] for name in order if name in recorded})
    return Recording(path, old, new, changed, failures, diagnostics)


def differences(before: Recorded, now: Recorded) -> list[str]:
    """In what two recorded answers differ, a line for each quantity; nothing if they are the same to the last bit."""
    if isinstance(before.answer, Failure) or isinstance(now.answer, Failure):
        texts = [each.message if isinstance(each, Failure) else "an answer" for each in (before.answer, now.answer)]
        return [] if texts[0] == texts[1] else [f"{texts[0]} -> {texts[1]}"]
    left, right = _quantities(before, before.answer), _quantities(now, now.answer)
    lines = []
    for name in {**left, **right}:
        if name not in left or name not in right:
            lines.append(f"{name}: {'new' if name in right else 'gone'}")
        elif exactly(left[name]) != exactly(right[name]):
            lines.append(f"{name}: {_difference(left[name], right[name])}")
    return lines


def _quantities(recorded: Recorded, answer: Outcome) -> dict[str, Array | None]:
    """Everything in an answer by the name that it has in tables."""
    several = len(answer.outputs) > 1
    found = {f"output[{place}]" if several else "output": each for place, each in enumerate(answer.outputs)}
    for suffix, row in zip(("", " under seeded cotangents"), answer.gradients, strict=False):
        found |= {f"d/d{source}{suffix}": each for source, each in zip(recorded.sources, row, strict=True)}
    return found


def _difference(before: Array | None, now: Array | None) -> str:
    if before is None or now is None or (before.shape, before.dtype) != (now.shape, now.dtype):
        return f"{_type(before)} -> {_type(now)}"
    apart = np.array([exactly(left) != exactly(right) for left, right in zip(before.flat, now.flat, strict=True)])
    with np.errstate(all="ignore"):
        wide = np.abs(now.astype(complex) - before.astype(complex)).ravel()
    place = int(np.argmax(np.where(apart, np.nan_to_num(wide, nan=np.inf, posinf=np.inf), -1.0)))
    index = [int(each) for each in np.unravel_index(place, now.shape)]
    where = f"{apart.sum()} of {now.size} elements, most at {index}: " if now.ndim else ""
    return f"{where}{before.flat[place]!s} -> {now.flat[place]!s}"


def _type(value: Array | None) -> str:
    return "not connected" if value is None else str(TensorType(value.shape, value.dtype))
