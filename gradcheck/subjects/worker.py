"""The subject in a process of its own: a stranger's code, asked twice about everything."""

import sys
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from os import fstat
from pathlib import Path

import numpy as np
from ml_dtypes import finfo

from gradcheck.configuration import NotFound
from gradcheck.dtypes import Array, is_complex, is_differentiable
from gradcheck.engines import Engine, Failure, Outcome, Remark, Request
from gradcheck.subjects.audit import audit
from gradcheck.subjects.find import Located
from gradcheck.subjects.findings import failure
from gradcheck.subjects.tensor_engine import TensorEngine
from gradcheck.workers import DEFAULT_TIMEOUT, Worker

_CHANCE = 64
"""How many units of roundoff, at the largest element, two runs may differ by: threads may add in any order."""


@dataclass(frozen=True)
class Profile:
    """What is known of an engine before it has run anything."""

    name: str
    """What it calls itself, or else what it was named by."""
    conventions: Mapping[str, str] = field(default_factory=dict)
    """Where it differs from TensorFlow by choice: by operation, in words."""


class SubjectWorker(Worker):
    """A user's engine whose answers come later."""

    def __init__(self, text: str, timeout: float = DEFAULT_TIMEOUT, folder: Path | None = None) -> None:
        located = Located(text, str(folder or Path.cwd()))
        super().__init__(located.name, _Loader(located), timeout)

    def audit(self, request: Request) -> tuple[Remark, ...]:
        """What the engine changes in place while it answers, as far as that can be seen."""
        found = self._ask("audit", request).result()
        return () if isinstance(found, Failure) else found

    def seconds(self, request: Request) -> float | Failure:
        """How long one run of a request takes, without any waiting."""
        return self._ask("seconds", request).result()

    def profile(self) -> Profile:
        """Wait until the engine is loaded; raises `NotFound` with what kept it from being so."""
        answer = self._ask("profile").result()
        if isinstance(answer, Failure):
            raise NotFound(f"the engine {self.name} cannot be loaded: {answer.message}")
        if isinstance(answer, str):
            raise NotFound(answer)
        profile: Profile = answer
        self.name = self._called = profile.name
        return profile


@dataclass(frozen=True)
class _Loader:
    located: Located

    def __call__(self) -> "Watched | Absent":
        try:
            return Watched(self.located(), self.located.name)
        except NotFound as error:
            return Absent(str(error), self.located.name)


@dataclass(frozen=True)
class Absent:
    """Stands for an engine that could not be loaded."""

    message: str
    name: str

    def profile(self) -> str:
        return self.message

    def run(self, _request: Request) -> Failure:
        return Failure("error", self.message)


@dataclass(frozen=True)
class Watched:
    """An engine that is asked twice, with its inputs looked at afterwards and what it prints noticed."""

    engine: Engine
    name: str

    def profile(self) -> Profile:
        return Profile(getattr(self.engine, "name", "") or self.name, dict(getattr(self.engine, "conventions", {})))

    def run(self, request: Request) -> Outcome | Failure:
        """The first answer, with remarks on what else was seen."""
        printed = _printed()
        given = _copied(request)
        outcome = self._once(given)
        if isinstance(outcome, Failure):
            return outcome
        remarks = [*outcome.remarks, *_changed(request, given), *self._asked_again(request, outcome)]
        if _printed() > printed:
            remarks.append(Remark("print", "it prints while it runs"))
        return replace(outcome, remarks=tuple(remarks))

    def audit(self, request: Request) -> tuple[Remark, ...]:
        """See `gradcheck.subjects.audit`; nothing for engines that fail, or whose values are not theirs to keep."""
        try:
            return audit(self.engine, request) if isinstance(self.engine, TensorEngine) else ()
        except (Exception, SystemExit):
            return ()

    def seconds(self, request: Request) -> float | Failure:
        """How long one run takes; its failure if it has no outcome."""
        since = time.perf_counter()
        outcome = self._once(request)
        return outcome if isinstance(outcome, Failure) else time.perf_counter() - since

    def _once(self, request: Request) -> Outcome | Failure:
        """One answer. Warnings, as NumPy's at singular points, are not printed; nor does `sys.exit` end the process."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                return self.engine.run(request)
            except BaseException as error:  # Ctrl-C is left to the parent, so that this is the engine's own doing
                return failure(error)

    def _asked_again(self, request: Request, first: Outcome) -> list[Remark]:
        """What differs when the same is asked once more, with the cotangents in the other order."""
        other_order = replace(_copied(request), cotangents=request.cotangents[::-1])
        second = self._once(other_order)
        if isinstance(second, Failure):
            return [Remark("state", f"the same program fails when it runs again: {second.message}")]
        if not all(map(_alike, first.outputs, second.outputs)):
            return [Remark("state", "the same program gives other outputs when it runs again")]
        rows = zip(first.gradients, second.gradients[::-1], strict=True)
        other = {
            source
            for before, after in rows
            for source, one, two in zip(request.sources, before, after, strict=True)
            if not _alike(one, two)
        }
        names = ", ".join(f"`{each}`" for each in request.sources if each in other)
        return (
            [Remark("state", f"the gradient with respect to {names} is another when the same runs again")]
            if other
            else []
        )


def _copied(request: Request) -> Request:
    cotangents = tuple(tuple(None if each is None else each.copy() for each in row) for row in request.cotangents)
    return replace(request, inputs={name: each.copy() for name, each in request.inputs.items()}, cotangents=cotangents)


def _changed(request: Request, given: Request) -> list[Remark]:
    names = [name for name, before in request.inputs.items() if not _identical(before, given.inputs[name])]
    found = [Remark("mutation", f"it changes its input `{name}` in place") for name in names]
    pairs = zip(sum(request.cotangents, ()), sum(given.cotangents, ()), strict=True)
    if any(before is not None and after is not None and not _identical(before, after) for before, after in pairs):
        found.append(Remark("mutation", "it changes the cotangent that it is given in place"))
    return found


def _identical(before: Array, after: Array) -> bool:
    return before.tobytes() == after.tobytes()


def _alike(one: Array | None, two: Array | None) -> bool:
    """Whether two answers are the same but for an order of summation that is left to chance."""
    if one is None or two is None:
        return one is two
    if one.shape != two.shape:
        return False
    if not is_differentiable(one.dtype):
        return bool(np.array_equal(one, two))
    wide = np.complex128 if is_complex(one.dtype) else np.float64
    a, b = one.astype(wide), two.astype(wide)
    with np.errstate(all="ignore"):
        scale = np.max(np.abs(a[np.isfinite(a)]), initial=0.0)
        unit = float(finfo(one.dtype).eps)  # type: ignore[no-untyped-call]
        close = np.abs(a - b) <= _CHANCE * unit * scale
    return bool(np.all(close | (a == b) | (np.isnan(a) & np.isnan(b))))


def _printed() -> int:
    """How much this process has written to the file that its output goes to."""
    sys.stdout.flush()
    sys.stderr.flush()
    return fstat(1).st_size
