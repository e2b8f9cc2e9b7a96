"""The coverage figures, what is missing, and what is left out and why."""

from collections.abc import Iterator, Mapping

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from gradcheck.coverage.tally import Coverage, Tally


def coverage_report(coverage: Coverage) -> RenderableType:
    """The figures, each with what it is out of; then names, so that nothing can be overlooked."""
    parts: list[RenderableType] = [_figures(coverage)]
    parts += _against(coverage)
    parts += _missing({"operation types": coverage.types, **coverage.functions})
    parts += [_left_out("operation types", coverage.types), _left_out("functions", *coverage.functions.values())]
    return Group(*parts)


def _figures(coverage: Coverage) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(f"of TensorFlow {coverage.version}", no_wrap=True)
    table.add_column("covered", justify="right", no_wrap=True)
    table.add_column("left out", justify="right", style="dim", no_wrap=True)
    groups = list(coverage.functions.values())
    table.add_row("operation types with a gradient", _share([coverage.types]), _count_left_out(coverage.types))
    table.add_row("public functions with a gradient", _share(groups), _count_left_out(*groups))
    for name, tally in coverage.functions.items():
        table.add_row(f"  {name}", _share([tally]), _count_left_out(tally), style="dim")
    return table


def _share(tallies: list[Tally]) -> str:
    return f"{sum(len(each.covered) for each in tallies)} of {sum(each.total for each in tallies)}"


def _count_left_out(*tallies: Tally) -> str:
    return str(sum(len(names) for each in tallies for names in each.beyond.values()))


def _against(coverage: Coverage) -> Iterator[RenderableType]:
    names = [name for each in (coverage.types, *coverage.functions.values()) for name in each.against]
    if names:
        yield Text("of these by a case in which TensorFlow's gradient is wrong, and ours the true one:", style="bold")
        yield Padding(Text(", ".join(names)), (0, 0, 1, 2))


def _missing(tallies: Mapping[str, Tally]) -> Iterator[RenderableType]:
    for name, tally in tallies.items():
        if tally.missing:
            yield Text(f"not covered, {name}:", style="bold")
            yield Padding(Text(", ".join(tally.missing)), (0, 0, 1, 2))


def _left_out(name: str, *tallies: Tally) -> Table:
    counts: dict[str, int] = {}
    for tally in tallies:
        for reason, names in tally.beyond.items():
            counts[reason] = counts.get(reason, 0) + len(names)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, style="dim")
    table.add_column(f"{name} left out, because it …")
    table.add_column("", justify="right", no_wrap=True)
    for reason, count in sorted(counts.items(), key=lambda each: -each[1]):
        if count:
            table.add_row(reason, str(count))
    return table
