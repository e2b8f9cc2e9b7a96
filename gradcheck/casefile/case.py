"""What a case file says, checked and with every array made: the record that the later stages take."""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Literal, overload

import numpy as np

from gradcheck.casefile.limits import Limits
from gradcheck.diagnostics import Source, Span

Array = np.ndarray[Any, Any]
Arrays = Array | tuple[Array, ...]
Derivative = Literal["gradient", "jacobian", "hessian", "jvp", "hvp"]


@dataclass(frozen=True)
class Input:
    """One named input: `value` is an array, or a tuple of arrays for `nest`."""

    value: Arrays
    span: Span
    variable: bool = False


class Positions(Sequence[tuple[int, int]]):
    """Lines and columns, in the little room that is left for them where there are thousands of cases."""

    def __init__(self, pairs: Iterable[tuple[int, int]] = ()) -> None:
        self._flat = array("I", chain.from_iterable(pairs))

    def __len__(self) -> int:
        return len(self._flat) // 2

    @overload
    def __getitem__(self, at: int) -> tuple[int, int]: ...
    @overload
    def __getitem__(self, at: slice) -> list[tuple[int, int]]: ...
    def __getitem__(self, at: int | slice) -> tuple[int, int] | list[tuple[int, int]]:
        if isinstance(at, slice):
            return [self[each] for each in range(*at.indices(len(self)))]
        place = range(len(self))[at]
        return self._flat[2 * place], self._flat[2 * place + 1]


@dataclass(frozen=True)
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


@dataclass(frozen=True)
class Tolerance:
    """What the case allows: an element may differ by `atol + rtol * abs(reference)`; None keeps the default."""

    rtol: float | None = None
    atol: float | None = None


@dataclass(frozen=True)
class Expect:
    """Numbers pinned by the author; a gradient of None means not connected.

    `output` is in the case's dtype, a gradient has the dtype and shape of its input: a tuple for a `nest`.
    """

    output: Arrays | None = None
    gradients: Mapping[str, Arrays | None] = field(default_factory=dict)
    derivatives: Mapping[str, Arrays | None] = field(default_factory=dict)
    """The Jacobians, the blocks of the Hessian and so on, as `derivative` says, by the names that these have."""
    error: str | None = None


@dataclass(frozen=True)
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
    """How large its program may be."""
