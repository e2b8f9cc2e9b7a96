"""What the self-test found: the shares, and what a suite of cases would not protect."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from gradcheck.installed import version
from gradcheck.report.json import VERSION
from gradcheck.selftest.faults import AnyFault
from gradcheck.selftest.run import Finding, Selftest


def selftest_report(result: Selftest, seconds: float) -> RenderableType:
    """The figures, and a table of what went wrong if anything did."""
    parts: list[RenderableType] = [_figures(result, seconds)]
    alarms = [Text(f"false alarm  {each.case.id}: {each.verdict}", style="bold red") for each in result.suite.alarms]
    unused = dict.fromkeys(each.fault.op for each in result.findings if not each.candidates)
    missed = [each for each in result.findings if not each.named and each.candidates]
    if missed:
        parts += [Text(""), _table(missed)]
    if unused:
        parts += [Text(""), Text(f"not covered, because no case uses them: {', '.join(unused)}", style="yellow")]
    if result.suite.not_run:
        parts.append(Text(f"could not run: {', '.join(each.id for each in result.suite.not_run)}", style="yellow"))
    return Group(*parts, *alarms)


def _figures(result: Selftest, seconds: float) -> RenderableType:
    covered = result.covered
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(justify="right", no_wrap=True)
    grid.add_column(no_wrap=True)
    grid.add_row("faults planted", str(len(result.findings)), f"{len(result.findings) - len(covered)} not covered")
    rows = (
        ("caught", result.caught),
        ("blamed on the right operation", result.blamed),
        ("slip named", result.named),
    )
    for title, found in rows:
        grid.add_row(title, str(len(found)), _share(len(found), len(covered)))
    count = result.suite.count
    grid.add_row("false alarms", str(len(result.suite.alarms)), f"in {count} case{'' if count == 1 else 's'}")
    grid.add_row("seconds", f"{seconds:.1f}", "")
    return grid


def _share(found: int, covered: int) -> str:
    return f"of {covered} covered, {100 * found / covered:.3g} %" if covered else "of 0 covered"


def _table(missed: Sequence[Finding]) -> Table:
    """The gravest first; within an outcome in the order of the catalogue."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("", no_wrap=True)
    table.add_column("operation", no_wrap=True)
    table.add_column("fault of its gradient")
    table.add_column("", overflow="fold")
    for each in sorted(missed, key=lambda finding: list(STYLES).index(outcome(finding))):
        kind = outcome(each)
        table.add_row(
            Text(kind, style=STYLES[kind]), each.fault.op, _fault(each.fault), Text(detail(each), style="dim")
        )
    return table


def _fault(fault: AnyFault) -> str:
    return f"{fault.name} (argument {fault.argument + 1})" if fault.argument else fault.name


STYLES = {"not caught": "bold red", "not covered": "yellow", "not blamed": "yellow", "not named": "", "named": "green"}


def outcome(finding: Finding) -> str:
    """How far it went with a fault, in two words."""
    if not finding.covered:
        return "not covered"
    if finding.caught is None:
        return "not caught"
    if not finding.blamed:
        return "not blamed"
    return "named" if finding.named else "not named"


def detail(finding: Finding) -> str:
    """Why it went no further."""
    kind = outcome(finding)
    if kind == "not covered":
        return "no case gets there" if finding.candidates else "no case uses it"
    if kind == "not caught":
        return f"{finding.candidates} case{'s use' if finding.candidates != 1 else ' uses'} it"
    assert finding.caught is not None
    if kind == "not blamed":
        return f"{finding.caught.id}: {', '.join(finding.accused) or 'nothing'} accused"
    return f"{finding.caught.id}: {finding.slip or 'no slip'}, not {finding.fault.kind}" if kind == "not named" else ""


def render(result: Selftest, seconds: float) -> str:
    """The complete record as one JSON document."""
    document = {
        "format": "gradcheck selftest",
        "version": VERSION,
        "gradcheck": version("gradcheck"),
        "seconds": round(seconds, 3),
        "cases": result.suite.count,
        "not_run": [each.id for each in result.suite.not_run],
        "false_alarms": [each.case.id for each in result.suite.alarms],
        "summary": {
            "faults": len(result.findings),
            "covered": len(result.covered),
            "caught": len(result.caught),
            "blamed": len(result.blamed),
            "named": len(result.named),
        },
        "families": dict(Counter(each.fault.family for each in result.findings)),
        "faults": list(_findings(result.findings)),
    }
    return json.dumps(document, indent=2)


def _findings(findings: Sequence[Finding]) -> Iterator[dict[str, Any]]:
    for each in findings:
        yield {
            "operation": each.fault.op,
            "family": each.fault.family,
            "argument": each.fault.argument,
            "fault": each.fault.name,
            "kind": each.fault.kind,
            "outcome": outcome(each),
            "detail": detail(each),
            "case": None if each.caught is None else each.caught.id,
            "accused": list(each.accused),
            "slip": each.slip,
        }
