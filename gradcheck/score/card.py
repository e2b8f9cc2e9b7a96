"""The record of a scorecard: one cell for each operation, dtype, engine and order of derivative."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Literal

Order = Literal["first", "second"]
ORDERS: tuple[Order, ...] = ("first", "second")


class Mark(StrEnum):
    """What became of an engine's answer, from the lightest to the gravest."""

    AGREE = "agree"
    TIE = "tie"
    CHOICE = "by choice"
    """The engine differs, and states that as its convention."""
    NO_REFERENCE = "no reference"
    """TensorFlow has no answer, or one that the referee finds wrong where the engine's is right."""
    PARTLY = "partly"
    """Of a cell: some samples are unsupported, and none of the others differs."""
    UNSUPPORTED = "unsupported"
    MISMATCH = "mismatch"
    ERROR = "error"
    TIMEOUT = "timeout"
    CRASHED = "crashed"


GRAVITY = list(Mark)
RIGHT = (Mark.AGREE, Mark.TIE, Mark.NO_REFERENCE)
"""The marks that leave nothing to be said against an engine."""
LACKING = (Mark.PARTLY, Mark.UNSUPPORTED)


@dataclass(frozen=True)
class Row:
    """What the samples of a cell have in common, apart from the engine."""

    operation: str
    family: str
    dtype: str


@dataclass(frozen=True)
class Cell:
    """What one engine made of the samples of one operation; `order` is that of the derivatives."""

    row: Row
    engine: str
    order: Order
    counts: Mapping[Mark, int]
    """How many samples got each mark."""
    note: str = ""
    """In words, the first of the gravest things that were found."""

    @property
    def mark(self) -> Mark:
        """The gravest mark of the samples; one that only lacks some of them is right in part."""
        gravest = max(self.counts, key=GRAVITY.index)
        return Mark.PARTLY if gravest is Mark.UNSUPPORTED and len(self.counts) > 1 else gravest

    @property
    def samples(self) -> int:
        return sum(self.counts.values())


@dataclass(frozen=True)
class Scorecard:
    """All cells, in the order of the table of operations."""

    engines: tuple[str, ...]
    dtypes: tuple[str, ...]
    cells: tuple[Cell, ...]

    @cached_property
    def _by_row(self) -> dict[Row, dict[tuple[str, Order], Cell]]:
        found: dict[Row, dict[tuple[str, Order], Cell]] = {}
        for each in self.cells:
            found.setdefault(each.row, {})[each.engine, each.order] = each
        return found

    @property
    def rows(self) -> list[Row]:
        """What there are cells for, in order."""
        return list(self._by_row)

    def of(self, row: Row) -> dict[tuple[str, Order], Cell]:
        """The cells of one row by engine and order."""
        return self._by_row[row]

    def totals(self, engine: str, order: Order, family: str | None = None) -> Counter[Mark]:
        """How many cells of an engine have each mark, of all families or of one."""
        column = (each for each in self.cells if each.engine == engine and each.order == order)
        return Counter(each.mark for each in column if family in (None, each.row.family))

    @property
    def families(self) -> list[str]:
        return sorted({each.row.family for each in self.cells})


def cell(row: Row, engine: str, order: Order, found: Iterable[tuple[Mark, str]]) -> Cell:
    """The cell for the marks of all samples, each with what there is to say about it."""
    listed: Sequence[tuple[Mark, str]] = list(found)
    gravest = max((mark for mark, _ in listed), key=GRAVITY.index)
    note = next(note for mark, note in listed if mark is gravest)
    return Cell(row, engine, order, Counter(mark for mark, _ in listed), note)
