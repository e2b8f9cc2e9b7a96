"""Results for people: a line for each case, a table where there is something to see."""

import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Literal

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from gradcheck.report import text
from gradcheck.verdict.record import COUNTS_AS, Comparison, Result, Status, Verdict

Show = Literal["values", "worst", "none"]

STYLES = {
    Status.PASSED: "green",
    Status.FAILED: "bold red",
    Status.NOT_RUN: "yellow",
    Status.SKIPPED: "dim",
}


def case_report(result: Result, show: Show) -> RenderableType:
    """One case: its verdict, and what `show` asks for; what failed or could not run is always explained."""
    parts: list[RenderableType] = [_headline(result)]
    bad = [each for each in result.comparisons if COUNTS_AS[each.verdict] is Status.FAILED]
    parts += [_indent(_finding(each)) for each in bad]
    for name, failure in result.failures:
        parts.append(_indent(Text(f"{name}: {failure.message}")))
        if failure.details:
            parts.append(Padding(Text(failure.details, style="dim"), (0, 0, 0, 4)))
    if result.note:
        parts.append(_indent(Text(result.note)))
    parts += [Text(each.render()) for each in result.diagnostics]
    if result.comparisons and (show != "none" or bad):
        parts.append(_indent(_table(result.comparisons)))
    if show == "values":
        parts += [_indent(each) for each in _values(result.comparisons)]
    if result.status is Status.FAILED:
        parts.append(_indent(Text(f"run again: {run_again(result)}", style="dim")))
    return Group(*parts)


def run_again(result: Result) -> str:
    """A command that runs this one case in this one dtype."""
    case = result.case
    command = ["gradcheck", "compare", case.span.source.name]
    if "::" in case.id:
        command += ["-k", case.name]
    if case.id.endswith("]"):
        command += ["--dtype", case.dtype]
    return shlex.join([*command, "--show", "values"])


def _headline(result: Result) -> Text:
    word = "skipped" if result.verdict is None else str(result.verdict)
    if result.case.known_mismatch and result.status is Status.PASSED:
        word = "known"
    line = Text.assemble((f"{word:<12}", STYLES[result.status]), " ", result.case.id)
    if result.verdict is Verdict.AGREE and result.comparisons:
        worst = max(result.comparisons, key=_used)
        line.append(f"  {text.share(worst.worst) or '0'} of allowed", style="dim")
    return line


def _finding(comparison: Comparison) -> Text:
    """A disagreement in one sentence."""
    subject, reference = comparison.sides
    subject_of = (
        "the output" if comparison.quantity == "output" else f"the gradient with respect to `{comparison.variable}`"
    )
    if comparison.quantity == "output" and comparison.variable != "output":
        subject_of = f"`{comparison.variable}`"
    under = " under seeded cotangents" if comparison.cotangent == "seeded" else ""
    worst = comparison.worst
    if worst is None or comparison.left is None or comparison.right is None:
        return Text(f"{subject_of}{under}: {comparison.note}")
    name = comparison.right.dtype.name
    left, right = text.number(worst.left, name), text.number(worst.right, name)
    where = f" at {text.index(worst.index)}" if worst.index else ""
    times = f"{worst.used:.3g} times the allowed" if worst.allowed > 0 else "where equality is required, not"
    return Text(
        f"{subject_of}{under}{where}: {subject} {left}, {reference} {right}; off by {text.small(worst.difference)}, "
        f"{times} {text.small(worst.allowed)}; {comparison.beyond} of {comparison.right.size} elements are wrong"
    )


def _table(comparisons: Sequence[Comparison]) -> Table:
    """A row for each variable: the element that uses most of what is allowed, in whatever it was compared with.

    What disagrees has a row of its own, worst first.
    """
    left, right = next(each.sides for each in comparisons)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("", no_wrap=True)
    table.add_column("shape", style="dim", no_wrap=True)
    table.add_column("worst at", no_wrap=True)
    table.add_column(left, justify="right", overflow="fold")
    table.add_column(right, justify="right", overflow="fold")
    table.add_column("used", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for each in sorted(_rows(comparisons), key=_order):
        table.add_row(*_row(each))
    return table


def _rows(comparisons: Sequence[Comparison]) -> Iterator[Comparison]:
    groups: dict[tuple[str, str], list[Comparison]] = {}
    for each in comparisons:
        groups.setdefault((each.quantity, each.variable), []).append(each)
    for group in groups.values():
        bad = [each for each in group if each.verdict is not Verdict.AGREE]
        yield from bad or [max(group, key=_used)]


def _used(comparison: Comparison) -> float:
    return comparison.worst.used if comparison.worst else 0.0


def _order(comparison: Comparison) -> tuple[bool, float]:
    failed = COUNTS_AS[comparison.verdict] is Status.FAILED
    return not failed, -_used(comparison) if failed else 0.0


def _row(comparison: Comparison) -> list[RenderableType]:
    known = comparison.right if comparison.right is not None else comparison.left
    shape = "" if known is None else escape(str(list(known.shape)))
    verdict = Text(str(comparison.verdict), style=STYLES[COUNTS_AS[comparison.verdict]])
    name = escape(text.what(comparison))
    worst = comparison.worst
    if worst is None or known is None:
        return [name, shape, "", *map(_connection, (comparison.left, comparison.right)), "", verdict]
    values = [text.number(value, known.dtype.name) for value in (worst.left, worst.right)]
    return [name, shape, escape(text.index(worst.index)), *values, text.share(worst), verdict]


def _connection(value: object) -> str:
    return "not connected" if value is None else ""


def _values(comparisons: Sequence[Comparison]) -> Iterator[Text]:
    """The reference's arrays, and the subject's where they disagree; those under seeded cotangents are left out."""
    for each in comparisons:
        if each.cotangent == "seeded" or each.sides[1] == "expect":
            continue
        name = text.what(each)
        if COUNTS_AS[each.verdict] is Status.PASSED:
            yield Text(text.labelled(name, each.right))
        else:
            for side, value in zip(each.sides, (each.left, each.right), strict=True):
                yield Text(text.labelled(f"{name} {side}", value))


def _indent(part: RenderableType) -> Padding:
    return Padding(part, (0, 0, 0, 2), expand=False)


class Summary:
    """The last line: how many cases, and what became of them."""

    def __init__(self, results: Sequence[Result], seconds: float) -> None:
        self._results = results
        self._seconds = seconds

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        counts = Counter("skipped" if each.verdict is None else str(each.verdict) for each in self._results)
        total = len(self._results)
        parts = [f"{count} {word}" for word, count in counts.items()]
        failed = sum(each.status is Status.FAILED for each in self._results)
        passed = all(each.status in (Status.PASSED, Status.SKIPPED) for each in self._results)
        line = f"{total} case{'' if total == 1 else 's'}: {', '.join(parts)} in {self._seconds:.1f} s"
        yield Text(line, style="green" if passed else "bold red" if failed else "yellow")
