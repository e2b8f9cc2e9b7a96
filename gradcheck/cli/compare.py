"""`gradcheck compare`: the main job."""

import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from gradcheck.cli.options import coloured, complain, console, select, selecting

if TYPE_CHECKING:
    from gradcheck.casefile.case import Case
    from gradcheck.casefile.limits import Limits
    from gradcheck.reference.worker import ReferenceWorker
    from gradcheck.report.table import Show
    from gradcheck.verdict.diagnosis import Inquiry
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
@click.option("--rtol", type=float, help="Relative tolerance, instead of the default of each dtype.")
@click.option("--atol", type=float, help="Absolute tolerance, instead of the default of each dtype.")
@click.option("--timeout", type=float, default=300.0, help="Seconds that TensorFlow may take for one case.")
@coloured
def compare(
    show: "Show | None",
    report: str,
    fail_fast: bool,
    blame: bool,
    referee: bool,
    rtol: float | None,
    atol: float | None,
    timeout: float,
    color: str,
    **selected: Any,
) -> None:
    """Compare the gradients of the cases in PATH… with TensorFlow's.

    Each case is run by gradcheck's own engine and by TensorFlow under a GradientTape. The outputs, the gradients and
    the pinned numbers are compared element by element, under the case's own cotangents and under seeded ones.

    \b
    gradcheck compare cases/matmul_chain.yaml
    gradcheck compare cases/ --dtype float64 --show worst
    """
    from gradcheck.cli.status import Exit, exit_status
    from gradcheck.reference.worker import ReferenceWorker

    started = time.perf_counter()
    with ReferenceWorker(timeout) as reference:  # first of all: it takes longest to be ready
        selection = select(**selected)
        complain(selection.diagnostics, color)
        if not selection.cases and not selection.refused:
            raise click.UsageError("no case is selected")
        if not selection.cases:
            sys.exit(Exit.NOT_RUN)
        from gradcheck.verdict.diagnosis import Inquiry

        cases = [_with_tolerance(case, rtol, atol) for case in selection.cases]
        inquiry = Inquiry(blame, referee)
        shown = show or _default_show(cases)
        results = _run(cases, reference, selection.limits, shown, report, fail_fast, inquiry, color)
        _conclude(results, report, time.perf_counter() - started, color)
    sys.exit(exit_status(results, refused=selection.refused))


def _default_show(cases: "list[Case]") -> "Show":
    return "values" if len(cases) == 1 else "none"


def _with_tolerance(case: "Case", rtol: float | None, atol: float | None) -> "Case":
    own = case.tolerance
    given = replace(own, rtol=own.rtol if rtol is None else rtol, atol=own.atol if atol is None else atol)
    return replace(case, tolerance=given)


def _run(
    cases: "list[Case]",
    reference: "ReferenceWorker",
    limits: "Limits",
    show: "Show",
    report: str,
    fail_fast: bool,
    inquiry: "Inquiry",
    color: str,
) -> "list[Result]":
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from gradcheck.engine.numpy_engine import NumpyEngine
    from gradcheck.report.table import case_report
    from gradcheck.session import compare_cases

    out = console(color)
    errors = console(color, stderr=True)
    results: list[Result] = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as progress:
        task = progress.add_task("loading TensorFlow", total=len(cases))
        for result in compare_cases(cases, NumpyEngine(), reference, limits, fail_fast=fail_fast, inquiry=inquiry):
            results.append(result)
            progress.update(task, advance=1, description="comparing")
            if report == "table":
                out.print(case_report(result, show))
    return results


def _conclude(results: "list[Result]", report: str, seconds: float, color: str) -> None:
    if report == "json":
        from gradcheck.cli.output import emit
        from gradcheck.report.json import render

        emit(render(results, seconds))
    else:
        from gradcheck.report.table import Summary

        console(color).print(Summary(results, seconds))
