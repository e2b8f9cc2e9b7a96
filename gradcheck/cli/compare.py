"""`gradcheck compare`: the main job."""

import sys
import time
from collections.abc import Generator, Iterable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gradcheck.cli.baseline import baselined, known_failures
from gradcheck.cli.options import coloured, complain, console, select, selecting
from gradcheck.cli.reference import reference, referring
from gradcheck.cli.reports import Reports, Wanted, reporting, wanted
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
@reporting
@click.option("--fail-fast", is_flag=True, help="Stop at the first case that does not pass.")
@click.option("--blame", is_flag=True, help="Try every operation by itself, also where all agrees.")
@click.option("--referee", is_flag=True, help="Ask the referee, also where all agrees.")
@click.option("--evidence", is_flag=True, help="Make the cross-checks that need no reference, also where all agrees.")
@click.option("--rtol", type=float, help="Relative tolerance, instead of the default of each dtype.")
@click.option("--atol", type=float, help="Absolute tolerance, instead of the default of each dtype.")
@click.option("--timeout", type=float, default=60.0, help="Seconds that an engine may take for one case.")
@click.option("--engine", metavar="ENGINE", help="An engine in the place of ours: FILE.py[:NAME], module:NAME, …")
@click.option("--strict", is_flag=True, help="Operations that the engine lacks fail the run.")
@baselined
@referring
@coloured
def compare(
    show: "Show | None",
    reports: tuple[Wanted, ...],
    fail_fast: bool,
    blame: bool,
    referee: bool,
    evidence: bool,
    rtol: float | None,
    atol: float | None,
    timeout: float,
    engine: str | None,
    strict: bool,
    baseline: Path | None,
    write_baseline: bool,
    no_cache: bool,
    offline: bool,
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
    gradcheck compare cases/ --report junit=results.xml --report markdown=results.md
    """
    from gradcheck.cli.status import exit_status

    started = time.perf_counter()
    places = wanted(reports)
    named = named_engine(engine)
    answering = reference(timeout, no_cache=no_cache, offline=offline)
    with answering as refer, subject(named, timeout) as (tested, conventions):
        selection = select(**selected)  # after the workers, which take longest to be ready
        complain(selection.diagnostics, color)
        if not selection.cases and not selection.refused:
            raise click.UsageError("no case is selected")
        from gradcheck.report.formats import WITH_NUMBERS
        from gradcheck.report.run import Run
        from gradcheck.session import compare_cases
        from gradcheck.verdict.diagnosis import Inquiry

        known = known_failures(baseline, write_baseline)
        cases = [known.applied(_with_tolerance(case, rtol, atol)) for case in selection.cases]
        shown = show or _default_show(cases)
        numbers = shown != "none" or any(each.format in WITH_NUMBERS for each in places)
        inquiry = Inquiry(blame, referee, evidence, numbers, conventions())
        results = compare_cases(cases, tested, refer(cases), selection.limits, fail_fast=fail_fast, inquiry=inquiry)
        written = Reports(places, shown, named, color)
        done: list[Result] = []
        try:
            with closing(_followed(results, color, len(cases))) as stream:
                for result in stream:
                    done.append(result)
                    written.add(result)
        finally:  # whatever ends the run, what is finished is reported
            seconds = time.perf_counter() - started
            written.close(Run(done, len(cases), seconds, selection.diagnostics, named))
    if written.fault is not None:
        raise written.fault
    done = known.settled(done)
    sys.exit(exit_status(done, refused=selection.refused, strict=strict, unreported=written.failed))


def _default_show(cases: "list[Case]") -> "Show":
    return "values" if len(cases) == 1 else "none"


def _with_tolerance(case: "Case", rtol: float | None, atol: float | None) -> "Case":
    own = case.tolerance
    given = replace(own, rtol=own.rtol if rtol is None else rtol, atol=own.atol if atol is None else atol)
    return replace(case, tolerance=given)


def _followed(results: "Iterable[Result]", color: str, total: int) -> "Generator[Result]":
    """The results, with progress on a terminal."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    errors = console(color, stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as progress:
        task = progress.add_task("loading TensorFlow", total=total)
        for result in results:
            progress.update(task, advance=1, description="comparing")
            yield result
