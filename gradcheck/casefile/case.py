"""What a case file says, checked and with every array made: the record that the later stages take."""

from abc import ABC
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self, overload

import numpy as np

from gradcheck.casefile.limits import Limits
from gradcheck.diagnostics import Diagnostic, Source, Span
from gradcheck.dtypes import Array

if TYPE_CHECKING:
    Arrays = Array | tuple[Array, ...]
else:

    class Arrays(ABC):  # noqa: B024  # whose members are registered
        """An array, or a tuple of arrays: a class where values are restored by the types of their fields."""

    Arrays.register(np.ndarray)
    Arrays.register(tuple)


Derivative = Literal["gradient", "jacobian", "hessian", "jvp", "hvp"]

RUN = 3
"""How many numbers describe a run of positions."""


@dataclass(frozen=True, slots=True)
class Input:
    """One named input: `value` is an array, or a tuple of arrays for `nest`."""

    value: Arrays
    span: Span
    variable: bool = False


class Positions(Sequence[tuple[int, int]]):
    """Lines and columns of the characters of a text, as runs of neighbours: most of a line of it is one run."""

    __slots__ = ("_length", "_runs")

    def __init__(self, pairs: Iterable[tuple[int, int]] = ()) -> None:
        self._runs = array("I")  # for each run the place in the text where it starts, its line and its first column
        self._length = 0
        for line, column in pairs:
            start, same, first = self._runs[-RUN:] or (0, 0, 0)
            if (line, column) != (same, first + self._length - start):
                self._runs.extend((self._length, line, column))
            self._length += 1

    @classmethod
    def unpacked(cls, data: bytes) -> Self:
        """The positions that were `packed`."""
        made = cls()
        made._length, *runs = array("I", data)
        made._runs.extend(runs)
        return made

    @property
    def packed(self) -> bytes:
        """All of them, for the same machine."""
        return array("I", [self._length, *self._runs]).tobytes()

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, at: int) -> tuple[int, int]: ...
    @overload
    def __getitem__(self, at: slice) -> list[tuple[int, int]]: ...
    def __getitem__(self, at: int | slice) -> tuple[int, int] | list[tuple[int, int]]:
        if isinstance(at, slice):
            return [self[each] for each in range(*at.indices(self._length))]
        place = range(self._length)[at]
        run = RUN * (bisect_right(self._runs[::RUN], place) - 1)
        start, line, column = self._runs[run : run + RUN]
        return line, column + place - start


@dataclass(frozen=True, slots=True)
class Expression:
    """The text of `expr`, and for each of its characters the line and column (from 1) where the file has it."""

    text: str
    source: Source
    positions: Positions

    def span(self, start: int, end: int) -> Span:
        """The place in the file of `text[start:end]`, cut at the end of its first line."""
        line, column = self.positions[min(start, len(self.positions) - 1)]
        last = column
        for at in range(start, min(end, len(self.positions))):
            if self.positions[at][0] != line:
                break
            last = self.positions[at][1]
        return Span(self.source, line, column, last + 1)


@dataclass(frozen=True, slots=True)
class Tolerance:
    """What the case allows: an element may differ by `atol + rtol * abs(reference)`; None keeps the default."""

    rtol: float | None = None
    atol: float | None = None


@dataclass(frozen=True, slots=True)
class Expect:
    """Numbers pinned by the author; a gradient of None means not connected.

    `output` is in the case's dtype, a gradient has the dtype and shape of its input: a tuple for a `nest`.
    """

    output: Arrays | None = None
    gradients: Mapping[str, Arrays | None] = field(default_factory=dict)
    derivatives: Mapping[str, Arrays | None] = field(default_factory=dict)
    """The Jacobians, the blocks of the Hessian and so on, as `derivative` says, by the names that these have."""
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One checked thing in one dtype."""

    id: str
    """`cases/mlp.yaml` for the only case of a file, `cases/many.yaml::name` for one of several; with a list of dtypes
    `[float32]` is appended."""
    name: str
    span: Span
    inputs: Mapping[str, Input]
    expr: Expression
    dtype: str
    description: str = ""
    wrt: Mapping[str, Span] | None = None
    """Names of the sources in the author's order, each with the place that says it; None for every input that can."""
    output_gradients: tuple[Array, ...] | None = None
    """One cotangent per target, in the order of the targets."""
    unconnected_gradients: Literal["none", "zero"] = "none"
    derivative: Derivative = "gradient"
    tangents: Mapping[str, Arrays] = field(default_factory=dict)
    """The direction of a `jvp` or `hvp`, by input; those that are left out are drawn."""
    expect: Expect = field(default_factory=Expect)
    tags: tuple[str, ...] = ()
    skip: str | None = None
    known_mismatch: str | None = None
    tolerance: Tolerance = field(default_factory=Tolerance)
    known_failure: str | None = None
    """The verdict by which a baseline knows the case to fail; no case file says it."""
    limits: Limits = Limits()  # noqa: RUF009  # frozen
    """How large its program may be, as whoever loads it says."""


@dataclass(frozen=True)
class Loaded:
    """What a case file gave: the cases without errors, and all errors and warnings.

    `flawed` are cases with an error whose expression can be read all the same, to find the errors in it too.
    """

    cases: tuple[Case, ...]
    diagnostics: tuple[Diagnostic, ...] = ()
    flawed: tuple[Case, ...] = ()
    arrays: tuple[Path, ...] = ()
    """The files that its arrays are in, as far as they could be told; some may be missing."""

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        return tuple(each for each in self.diagnostics if each.severity == "error")

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        return tuple(each for each in self.diagnostics if each.severity == "warning")
