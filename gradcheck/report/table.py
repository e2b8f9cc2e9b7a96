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
from gradcheck.verdict.findings import Finding, Findings
from gradcheck.verdict.record import (
    COUNTS_AS,
    Comparison,
    CrossCheck,
    Diagnosis,
    Element,
    Judged,
    Quantity,
    Result,
    Ruling,
    Status,
    Verdict,
    gravest,
)

Show = Literal["values", "worst", "none"]

TABLE_DIGITS = 9
"""So that a row fits into 80 columns; the sentences have all digits."""
STYLES = {
    Status.PASSED: "green",
    Status.FAILED: "bold red",
    Status.NOT_RUN: "yellow",
    Status.UNSUPPORTED: "yellow",
    Status.SKIPPED: "dim",
}


def case_report(result: Result, show: Show, engine: str = "") -> RenderableType:
    """One case: its verdict, and what `show` asks for; what failed or could not run is always explained.

    `engine` is what the command line called the subject, if it did.
    """
    if result.status is Status.UNSUPPORTED:
        return _missing(result)
    parts: list[RenderableType] = [_headline(result)]
    brief = show == "none" and (result.diagnosis is None or result.known or result.case.known_mismatch is not None)
    if brief and result.status is Status.PASSED:
        asked = result.evidence and not result.case.known_mismatch
        return Group(*parts, *_notes(result), *([_indent(_evidence(result.evidence))] if asked else []))
    diagnosis = result.diagnosis
    if diagnosis is not None:
        parts.append(_indent(Text(diagnosis.sentence, style="bold")))
    parts += map(_indent, disagreements(result.comparisons, diagnosis.judged if diagnosis else ()))
    if diagnosis is not None:
        parts += [_indent(_confirmed(each)) for each in diagnosis.judged if not _failed(each.comparison)]
        parts += map(_indent, _accused(diagnosis))
    for name, failure in result.failures:
        parts.append(_indent(Text(f"{name}: {failure.message}")))
        if failure.details:
            parts.append(Padding(Text(failure.details, style="dim"), (0, 0, 0, 4)))
    parts += _notes(result)
    if result.status is Status.FAILED:
        parts.append(Text(f"  run again: {run_again(result, engine)}", style="dim", no_wrap=True, overflow="ignore"))
    if result.comparisons and (show != "none" or any(map(_failed, result.comparisons))):
        parts.append(_indent(_table(result.comparisons)))
    if result.evidence:
        parts.append(_indent(_evidence(result.evidence)))
    if show == "values":
        parts += [_indent(each) for each in _values(result.comparisons)]
    return Group(*parts)


def _notes(result: Result) -> Iterator[RenderableType]:
    if result.note:
        yield _indent(Text(result.note))
    if result.known:
        yield _indent(Text(f"{result.verdict}, as the baseline says"))
    if result.convention:
        yield _indent(Text(f"a stated convention, {result.convention}"))
    yield from (_indent(Text(each.message)) for each in result.remarks if each.kind != "state")
    yield from (Text(each.render()) for each in result.diagnostics)


def _missing(result: Result) -> RenderableType:
    """What an engine lacks, in one line."""
    line = _headline(result)
    line.append(f"  {'; '.join(failure.message for _, failure in result.failures)}", style="dim")
    return line


def known_report(result: Result, findings: Findings) -> RenderableType:
    """One case of which all that is wrong has been shown before, with an earlier one."""
    if result.status is Status.UNSUPPORTED:
        return _missing(result)
    earlier = dict.fromkeys(each.witness.case.id for each in findings.known(result))
    return Group(_headline(result), _indent(Text(f"the same as in {', '.join(earlier)}", style="dim")))


def run_again(result: Result, engine: str = "") -> str:
    """A command that runs this one case in this one dtype."""
    case = result.case
    command = ["gradcheck", "compare", case.span.source.name]
    if engine:
        command += ["--engine", engine]
    if "::" in case.id:
        command += ["-k", case.name]
    if case.id.endswith("]"):
        command += ["--dtype", case.dtype]
    return shlex.join([*command, "--show", "values"])


def word(result: Result) -> str:
    """The verdict in one word; a mismatch that is marked as known, and a failure in the baseline, is `known`."""
    if result.verdict is None:
        return "skipped"
    if result.convention and result.status is Status.PASSED:
        return "by choice"
    excused = result.known or (result.case.known_mismatch and result.status is Status.PASSED)
    return "known" if excused else str(result.verdict)


def _headline(result: Result) -> Text:
    line = Text.assemble(
        (f"{word(result):<12}", STYLES[result.status]), " ", result.case.id, no_wrap=True, overflow="ignore"
    )
    if result.verdict is Verdict.AGREE and result.comparisons:
        worst = max(result.comparisons, key=_used)
        line.append(f"  {text.share(worst.worst) or '0'} of allowed", style="dim")
    return line


def _accused(diagnosis: Diagnosis) -> Iterator[RenderableType]:
    """The lines that are to blame; what is wrong besides the first, which the finding names."""
    for accused in diagnosis.accused:
        if accused is not diagnosis.accused[0]:
            yield Text(accused.sentence)
        if accused.span is not None:
            yield Text(accused.span.quoted(), no_wrap=True, overflow="ignore")
    if diagnosis.note:
        yield Text(diagnosis.note)


def _ruled(judged: Judged) -> str:
    """What the referee says of an element, to go beside the two values."""
    estimate, right = judged.estimate, judged.comparison.right
    if judged.ruling is Ruling.INCONCLUSIVE or right is None:
        return f", referee inconclusive{f' ({estimate.note})' if estimate.note else ''}"
    dtype = "complex128" if right.dtype.kind == "c" else "float64"
    return f", referee {text.number(estimate.value, dtype, TABLE_DIGITS)}"


def disagreements(comparisons: Sequence[Comparison], judged: Sequence[Judged]) -> Iterator[Text]:
    """A sentence for each variable on which there is disagreement, worst first."""
    referee = {id(each.comparison): _ruled(each) for each in judged}
    groups = [[each for each in group if _failed(each)] for group in _by_variable(comparisons)]
    for group in sorted(filter(None, groups), key=lambda group: -max(map(_used, group))):
        first, *others = group
        also = [_circumstance(each) for each in others]
        yield Text(_sentence(first, referee.get(id(first), "")) + (f"; also {', '.join(also)}" if also else ""))


def _sentence(comparison: Comparison, referee: str) -> str:
    """Where the two sides differ most, what the referee says, by how much, and how many elements are wrong."""
    subject, reference = comparison.sides
    named = _NAMED[comparison.quantity].format(comparison.variable).replace("`output`", "output")
    if comparison.cotangent == "seeded":
        named += " under seeded cotangents"
    worst = comparison.worst
    if worst is None or comparison.left is None or comparison.right is None:
        return f"{named}: {comparison.note}"
    name = comparison.right.dtype.name
    left, right = text.number(worst.left, name), text.number(worst.right, name)
    where = _where(worst)
    times = f"{worst.used:.3g} times the allowed {text.small(worst.allowed)}" if worst.allowed > 0 else "none allowed"
    apart = f"off by {text.small(worst.difference)}, {times}"
    count = f"{comparison.beyond} of {comparison.right.size} elements are wrong"
    return f"{named}{where}: {subject} {left}, {reference} {right}{referee}; {apart}; {count}"


_NAMED: dict[Quantity, str] = {
    "output": "the `{}`",
    "gradient": "the gradient with respect to `{}`",
    "jacobian": "the Jacobian with respect to `{}`",
    "hessian": "the block `{}` of the Hessian",
    "jvp": "the tangent of `{}`",
    "hvp": "the Hessian-vector product by `{}`",
}


def _confirmed(judged: Judged) -> Text:
    """What the referee says where the two sides agree."""
    return Text(f"d/d{judged.comparison.variable}{_where(judged.element)}{_ruled(judged)}")


def _where(element: Element) -> str:
    return f" at {text.index(element.index)}" if element.index else ""


def _circumstance(comparison: Comparison) -> str:
    if comparison.sides[1] == "expect":
        return f"{comparison.sides[0]} against the pinned numbers"
    return "under seeded cotangents"


def _failed(comparison: Comparison) -> bool:
    return COUNTS_AS[comparison.verdict] is Status.FAILED


def _by_variable(comparisons: Sequence[Comparison]) -> list[list[Comparison]]:
    groups: dict[tuple[str, str], list[Comparison]] = {}
    for each in comparisons:
        groups.setdefault((each.quantity, each.variable), []).append(each)
    return list(groups.values())


def _used(comparison: Comparison) -> float:
    return comparison.worst.used if comparison.worst else 0.0


def _table(comparisons: Sequence[Comparison]) -> Table:
    """A row for each variable, what disagrees first.

    It shows the worst element between the two engines; `used` and the verdict are the gravest that were found for the
    variable, under any cotangent and against the pinned numbers.
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
    groups = sorted(_by_variable(comparisons), key=lambda group: not any(map(_failed, group)))
    for group in groups:
        table.add_row(*_row(group))
    return table


def _row(group: Sequence[Comparison]) -> list[RenderableType]:
    engines = [each for each in group if each.sides[1] != "expect"]
    shown = next(filter(_failed, engines), max(engines, key=_used))
    known = shown.right if shown.right is not None else shown.left
    verdict = gravest([each.verdict for each in group])
    cell = Text(str(verdict), style=STYLES[COUNTS_AS[verdict]])
    name = escape(text.label(shown))
    shape = "" if known is None else escape(str(list(known.shape)))
    if shown.worst is None or known is None:
        return [name, shape, "", *map(_connection, (shown.left, shown.right)), "", cell]
    values = [
        text.number(value, known.dtype.name, most=TABLE_DIGITS) for value in (shown.worst.left, shown.worst.right)
    ]
    used = text.share(max((each.worst for each in group if each.worst), key=lambda worst: worst.used))
    return [name, shape, escape(text.index(shown.worst.index)), *values, used, cell]


def _evidence(checks: Sequence[CrossCheck]) -> Table:
    """A row for each cross-check and side."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row(Text("evidence", style="dim"))
    for each in checks:
        style = {True: "green", False: "bold red", None: "dim"}[each.passed]
        table.add_row(each.name, escape(each.side), Text(each.sentence, style=style))
    return table


def _connection(value: object) -> str:
    return "not connected" if value is None else ""


def _values(comparisons: Sequence[Comparison]) -> Iterator[Text]:
    """The reference's arrays, and the subject's where they disagree; those under seeded cotangents are left out."""
    for each in comparisons:
        if each.cotangent == "seeded" or each.sides[1] == "expect":
            continue
        name = text.label(each)
        if COUNTS_AS[each.verdict] is Status.PASSED:
            yield Text(text.labelled(name, each.right))
        else:
            for side, value in zip(each.sides, (each.left, each.right), strict=True):
                yield Text(text.labelled(f"{name} {side}", value))


def _indent(part: RenderableType) -> Padding:
    return Padding(part, (0, 0, 0, 2), expand=False)


NAMED = 12
"""How many of the cases that one finding spoils are listed at most."""


class Summary:
    """The end: what shows in several cases, once; then how many cases, and what became of them."""

    def __init__(self, results: Sequence[Result], findings: Findings, seconds: float) -> None:
        self._results = results
        self._findings = findings
        self._seconds = seconds

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        by_count = sorted(self._findings, key=lambda each: -len(each.results))
        yield from (
            _finding(each) for each in by_count if each.status is not Status.UNSUPPORTED and len(each.results) > 1
        )
        lacking = [each for each in by_count if each.status is Status.UNSUPPORTED]
        if lacking and len(self._results) > 1:
            rows = (f"{each.lacks or each.sentence} ({len(each.results)})" for each in lacking)
            yield Text(f"not supported, with the number of cases: {', '.join(rows)}", style="dim")
        failed = sum(each.status is Status.FAILED for each in self._results)
        passed = all(each.status in (Status.PASSED, Status.SKIPPED, Status.UNSUPPORTED) for each in self._results)
        line = counted(self._results, self._seconds)
        yield Text(line, style="green" if passed else "bold red" if failed else "yellow")


def counted(results: Sequence[Result], seconds: float) -> str:
    """How many cases, what became of them, and in what time: `3 cases: 2 agree, 1 mismatch in 2.8 s`."""
    total, kept = len(results), sum(each.kept for each in results)
    parts = [f"{count} {each}" for each, count in Counter(map(word, results)).items()]
    line = f"{total} case{'' if total == 1 else 's'}: {', '.join(parts) or 'none was compared'} in {seconds:.1f} s"
    return f"{line}, {'all' if kept == total else kept} found unchanged since an earlier run" if kept else line


def _finding(finding: Finding) -> RenderableType:
    count = len(finding.results)
    cases = "1 case" if count == 1 else f"{count} cases"
    text = Text.assemble((f"{finding.sentence}: ", STYLES[finding.status]), f"{cases}")
    names = [each.case.id for each in finding.results]
    rest = f" and {count - NAMED} more" if count > NAMED else ""
    return Group(text, Padding(Text(f"{', '.join(names[:NAMED])}{rest}", style="dim"), (0, 0, 0, 2)))
