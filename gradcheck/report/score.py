"""A scorecard as text: a table to read, markdown for a README, JSON for programs."""

import json
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from gradcheck.installed import version
from gradcheck.report.json import VERSION
from gradcheck.score.card import ORDERS, RIGHT, Cell, Mark, Order, Scorecard
from gradcheck.score.findings import Finding, findings

SIGNS = {
    Mark.AGREE: ("✓", "green"),
    Mark.TIE: ("~", "green"),
    Mark.CHOICE: ("c", "cyan"),
    Mark.NO_REFERENCE: ("?", "green"),
    Mark.PARTLY: ("◐", "yellow"),
    Mark.UNSUPPORTED: ("·", "dim"),
    Mark.MISMATCH: ("✗", "bold red"),
    Mark.ERROR: ("!", "bold red"),
    Mark.TIMEOUT: ("T", "bold red"),
    Mark.CRASHED: ("X", "bold red"),
}
"""How a mark is shown, in the order of the legend and of the totals."""
MEANING = {
    Mark.CHOICE: "differs by its own convention",
    Mark.NO_REFERENCE: "TensorFlow has no answer, or a wrong one",
    Mark.PARTLY: "lacks some arguments",
}
"""What does not explain itself."""
MOST = 5
"""How many operations are listed that have the same thing wrong with them."""


def score_report(card: Scorecard, seconds: float) -> RenderableType:
    """One row for each operation, two marks for each engine; what differs, in words; the totals."""
    parts: list[RenderableType] = [_operations(card), _legend(card), Text("")]
    parts += map(_sentence, findings(card))
    count = len({each.operation for each in card.rows})
    size = f"{count} operation{'' if count == 1 else 's'} in {', '.join(card.dtypes)}, {seconds:.1f} s"
    return Group(*parts, _totals(card), Text(size, style="dim"))


def _operations(card: Scorecard) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    table.add_column("operation", no_wrap=True)
    several = len(card.dtypes) > 1
    if several:
        table.add_column("dtype", no_wrap=True, style="dim")
    for engine in card.engines:
        table.add_column(engine, justify="center", no_wrap=True)
    family = operation = ""
    for row in sorted(card.rows, key=lambda each: each.family):
        if row.family != family:
            family = row.family
            table.add_row(Text(family, style="bold"))
        cells = card.of(row)
        shown = [_signs([cells[engine, order].mark for order in ORDERS]) for engine in card.engines]
        name = "" if row.operation == operation else f"  {row.operation}"
        operation = row.operation
        table.add_row(name, *([row.dtype] if several else []), *shown)
    return table


def _signs(marks: Sequence[Mark]) -> Text:
    return Text(" ").join(Text(*SIGNS[mark]) for mark in marks)


def _legend(card: Scorecard) -> Text:
    """What the signs mean that are in the table."""
    present = {each.mark for each in card.cells}
    parts = [
        f"{sign} {mark}{f' ({MEANING[mark]})' if mark in MEANING else ''}"
        for mark, (sign, _) in SIGNS.items()
        if mark in present
    ]
    return Text(f"first and second order: {', '.join(parts)}", style="dim")


def _sentence(finding: Finding) -> Text:
    sign, style = SIGNS[finding.mark]
    listed = ", ".join(finding.operations[:MOST])
    if len(finding.operations) > MOST:
        listed += f" and {len(finding.operations) - MOST} more"
    return Text.assemble((f"{sign} {finding.engine}  {listed}", style), f" ({finding.where}): {finding.note}")


def _totals(card: Scorecard) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("first / second order", no_wrap=True)
    for engine in card.engines:
        table.add_column(engine, justify="right", no_wrap=True)
    for mark, totals in _marked(card):
        sign, style = SIGNS[mark]
        table.add_row(Text(f"{sign} {mark}", style=style), *totals)
    return table


def _marked(card: Scorecard) -> Iterator[tuple[Mark, list[str]]]:
    """For each mark that occurs, how often each engine got it, at first and at second order."""
    for mark in SIGNS:
        counts = [[card.totals(engine, order)[mark] for order in ORDERS] for engine in card.engines]
        if any(map(any, counts)):
            yield mark, [" / ".join(map(str, each)) for each in counts]


def markdown(card: Scorecard) -> str:
    """Totals, how much is right by family, all that differs, and what each engine lacks."""
    tables = [
        _markdown_table(["first / second order", *card.engines], ([mark, *totals] for mark, totals in _marked(card))),
        _markdown_table(["right, by family", "of", *card.engines], map(partial(_family, card), card.families)),
    ]
    told = [[each.engine, _names(each.operations), each.where, each.mark, each.note] for each in findings(card)]
    if told:
        tables.append(_markdown_table(["engine", "operation", "where", "mark", "what was found"], told))
    lacking = [[engine, *_lacking(card, engine)] for engine in card.engines]
    if any(any(names) for _, *names in lacking):
        tables.append(_markdown_table(["engine", "lacks", "lacks in part", "lacks at second order alone"], lacking))
    return "\n\n".join(tables)


def _family(card: Scorecard, family: str) -> list[str]:
    """How many cells there are, and how many of each engine leave nothing to be said against it."""
    totals = [[card.totals(engine, order, family) for order in ORDERS] for engine in card.engines]
    right = [" / ".join(str(sum(each[mark] for mark in RIGHT)) for each in orders) for orders in totals]
    return [family, str(totals[0][0].total()), *right]


def _lacking(card: Scorecard, engine: str) -> list[str]:
    """The operations that an engine lacks, has only in part, and lacks only at second order, for a table's cells."""
    marks = {order: _by_mark(card, engine, order) for order in ORDERS}
    first, second = (marks[order].get(Mark.UNSUPPORTED, []) for order in ORDERS)
    partly = marks["first"].get(Mark.PARTLY, [])
    alone = [name for name in second if name not in first]
    everything = len(second) == len(dict.fromkeys(each.operation for each in card.rows))
    return [_counted(first), _counted(partly), "everything" if everything and alone else _counted(alone)]


def _by_mark(card: Scorecard, engine: str, order: Order) -> dict[Mark, list[str]]:
    """The operations by what became of them, each once."""
    found: dict[Mark, list[str]] = {}
    for each in card.cells:
        if (each.engine, each.order) == (engine, order) and each.row.operation not in found.setdefault(each.mark, []):
            found[each.mark].append(each.row.operation)
    return found


def _counted(operations: Sequence[str]) -> str:
    return f"{len(operations)}: {_names(operations)}" if operations else ""


def _names(operations: Sequence[str]) -> str:
    return ", ".join(f"`{each}`" for each in operations)


def _markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(each.replace('|', chr(92) + '|') for each in line)} |" for line in lines)


def render(card: Scorecard, seconds: float) -> str:
    """All cells as one JSON document."""
    document = {
        "format": "gradcheck score",
        "version": VERSION,
        "gradcheck": version("gradcheck"),
        "seconds": round(seconds, 3),
        "dtypes": list(card.dtypes),
        "engines": [
            {"name": engine, "totals": {order: dict(card.totals(engine, order)) for order in ORDERS}}
            for engine in card.engines
        ],
        "cells": [_cell(each) for each in card.cells],
    }
    return json.dumps(document, indent=2)


def _cell(cell: Cell) -> dict[str, Any]:
    return {
        "operation": cell.row.operation,
        "family": cell.row.family,
        "dtype": cell.row.dtype,
        "engine": cell.engine,
        "order": cell.order,
        "mark": cell.mark,
        "samples": dict(cell.counts),
        "note": cell.note,
    }
