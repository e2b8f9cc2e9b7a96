"""What a scorecard has to say in words: all that differs or fails, said once for all that it holds for."""

from collections.abc import Iterator
from dataclasses import dataclass

from gradcheck.score.card import GRAVITY, LACKING, ORDERS, RIGHT, Cell, Mark, Scorecard


@dataclass(frozen=True)
class Finding:
    """The same thing, found of one engine in one or several operations."""

    engine: str
    mark: Mark
    where: str
    """To which order, in which dtype if there are several, and in how many of the samples if not in all."""
    note: str
    operations: tuple[str, ...]


def findings(card: Scorecard) -> list[Finding]:
    """Engine by engine, the gravest first; what is right or only lacking is left out."""
    groups: dict[tuple[str, Mark, str, str], list[str]] = {}
    for cell, orders in _told(card):
        key = (cell.engine, cell.mark, _where(cell, orders, card), " ".join(cell.note.split()))
        groups.setdefault(key, []).append(cell.row.operation)
    found = [Finding(*key, tuple(operations)) for key, operations in groups.items()]
    return sorted(found, key=lambda each: (card.engines.index(each.engine), -GRAVITY.index(each.mark)))


def _told(card: Scorecard) -> Iterator[tuple[Cell, str]]:
    """The cells to tell of, and of which orders; what is as wrong at second order follows from the first."""
    for row in card.rows:
        for engine in card.engines:
            first, second = (card.of(row)[engine, order] for order in ORDERS)
            alike = first.mark is second.mark
            if first.mark not in (*RIGHT, *LACKING):
                yield first, "both orders" if alike else "first order"
            if not alike and second.mark not in (*RIGHT, *LACKING):
                yield second, "second order"


def _where(cell: Cell, orders: str, card: Scorecard) -> str:
    parts = [orders]
    if len(card.dtypes) > 1:
        parts.append(cell.row.dtype)
    if len(cell.counts) > 1:
        parts.append(f"{cell.counts[cell.mark]} of {cell.samples} samples")
    return ", ".join(parts)
