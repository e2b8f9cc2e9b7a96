"""`gradcheck compare`: the main job."""

import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from gradcheck.cli.options import coloured, complain, console, select, selecting
from gradcheck.cli.subject import named_engine, subject

if TYPE_CHECKING:
    from gradcheck.casefile.case import Case
    from gradcheck.report.table import Show
    from gradcheck.verdict.record import Result


@click.command(short_help="Compare gradients with TensorFlow: the main job.")
@selecting
@click.option(
    "--show", type=click.Choice(["values", "worst", "none"]), help="Arrays, the worst elements, or failures only."
)
@click.option("--report", type=click.Choice(["table", "json"]), default="table", help="A table to read, or JSON.")
@click.option("--fail-fast", is_flag=True, help="Stop at the first case that does not pass.")
@click.option("--blame", is_flag=True, help="Try every operation by itself, also where all agrees.")
@click.option("--referee", is_flag=True, help="Ask the referee, also where all agrees.")
@click.option("--evidence", is_flag=True, help="Make the cross-checks that need no reference, also where all agrees.")
@click.option("--rtol", type=float, help="Relative tolerance, instead of the default of each dtype.")
@click.option("--atol", type=float, help="Absolute tolerance, instead of the default of each dtype.")
@click.option("--timeout", type=float, default=60.0, help="Seconds that an engine may take for one case.")
@click.option("--engine", metavar="ENGINE", help="An engine in the place of ours: FILE.py[:NAME], module:NAME, …")
@click.option("--strict", is_flag=True, help="Operations that the engine lacks fail the run.")
@coloured
def compare(
    show: "Show | None",
    report: str,
    fail_fast: bool,
    blame: bool,
    referee: bool,
    evidence: bool,
    rtol: float | None,
    atol: float | None,
    timeout: float,
    engine: str | None,
    strict: bool,
    color: str,
    **selected: Any,
) -> None:
    """Compare the gradients of the cases in PATH… with TensorFlow's.

    Each case is run by gradcheck's own engine and by TensorFlow under a GradientTape. The outputs, the gradients and
    the pinned numbers are compared element by element, under the case's own cotangents and under seeded ones.

    \b
    gradcheck compare cases/matmul_chain.yaml
    gradcheck compare cases/ --dtype float64 --show worst
    gradcheck compare cases/ --engine my_engine.py
    """
    from gradcheck.cli.status import Exit, exit_status
    from gradcheck.reference.worker import ReferenceWorker

    started = time.perf_counter()
    named = named_engine(engine)
    with ReferenceWorker(timeout) as reference, subject(named, timeout) as (tested, conventions):
        selection = select(**selected)  # after the workers, which take longest to be ready
        complain(selection.diagnostics, color)
        if not selection.cases and not selection.refused:
            raise click.UsageError("no case is selected")
        if not selection.cases:
            sys.exit(Exit.NOT_RUN)
        from gradcheck.session import compare_cases
        from gradcheck.verdict.diagnosis import Inquiry

        cases = [_with_tolerance(case, rtol, atol) for case in selection.cases]
        inquiry = Inquiry(blame, referee, evidence, conventions())
        results = compare_cases(cases, tested, reference, selection.limits, fail_fast=fail_fast, inquiry=inquiry)
        if report == "json":
            done = _collected(results, started, color, len(cases))
        else:
            done = _shown(results, show or _default_show(cases), named, started, color, len(cases))
    sys.exit(exit_status(done, refused=selection.refused, strict=strict))


def _default_show(cases: "list[Case]") -> "Show":
    return "values" if len(cases) == 1 else "none"


def _with_tolerance(case: "Case", rtol: float | None, atol: float | None) -> "Case":
    own = case.tolerance
    given = replace(own, rtol=own.rtol if rtol is None else rtol, atol=own.atol if atol is None else atol)
    return replace(case, tolerance=given)


def _shown(
    results: "Iterable[Result]", show: "Show", engine: str, started: float, color: str, total: int
) -> "list[Result]":
    """Print each result when it is there, and the summary; what was wrong before is named, not shown again."""
    from gradcheck.report.table import Summary, case_report, known_report
    from gradcheck.verdict.findings import Findings

    out = console(color)
    findings = Findings()
    done: list[Result] = []
    for result in _followed(results, color, total):
        done.append(result)
        new = findings.add(result)
        out.print(case_report(result, show, engine) if new else known_report(result, findings))
    out.print(Summary(done, findings, time.perf_counter() - started))
    return done


def _collected(results: "Iterable[Result]", started: float, color: str, total: int) -> "list[Result]":
    """Print all results as one JSON document."""
    from gradcheck.cli.output import emit
    from gradcheck.report.json import render

    done = list(_followed(results, color, total))
    emit(render(done, time.perf_counter() - started))
    return done


def _followed(results: "Iterable[Result]", color: str, total: int) -> "Iterator[Result]":
    """The results, with progress on a terminal."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    errors = console(color, stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as progress:
        task = progress.add_task("loading TensorFlow", total=total)
        for result in results:
            progress.update(task, advance=1, description="comparing")
            yield result
