"""`gradcheck compare`: the main job."""

import sys
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gradcheck.cli import candidates
from gradcheck.cli.again import keep
from gradcheck.cli.baseline import baselined, known_failures
from gradcheck.cli.options import coloured, complain, console, select, selecting
from gradcheck.cli.reference import referring
from gradcheck.cli.reports import Reports, Wanted, reporting, wanted
from gradcheck.cli.running import Where, remembering, runner, running
from gradcheck.cli.sharding import sharded, share
from gradcheck.cli.subject import named_engine

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
@click.option("--fail-fast", "most", flag_value=1, type=int, help="Stop at the first case that does not pass.")
@click.option("--max-failures", "most", type=click.IntRange(min=1), metavar="N", help="Stop when N cases did not pass.")
@click.option("--blame", is_flag=True, help="Try every operation by itself, also where all agrees.")
@click.option("--referee", is_flag=True, help="Ask the referee, also where all agrees.")
@click.option("--evidence", is_flag=True, help="Make the cross-checks that need no reference, also where all agrees.")
@click.option("--rtol", type=float, help="Relative tolerance, instead of the default of each dtype.")
@click.option("--atol", type=float, help="Absolute tolerance, instead of the default of each dtype.")
@click.option(
    "--engine",
    metavar="ENGINE",
    shell_complete=candidates.engines,
    help="An engine in the place of ours: FILE.py[:NAME], module:NAME, …",
)
@click.option("--strict", is_flag=True, help="Operations that the engine lacks fail the run.")
@baselined
@sharded
@referring
@running
@coloured
def compare(
    show: "Show | None",
    reports: tuple[Wanted, ...],
    most: int | None,
    blame: bool,
    referee: bool,
    evidence: bool,
    rtol: float | None,
    atol: float | None,
    engine: str | None,
    strict: bool,
    baseline: Path | None,
    write_baseline: bool,
    shard: tuple[int, int] | None,
    durations: Path | None,
    write_durations: bool,
    no_cache: bool,
    offline: bool,
    jobs: int,
    timeout: float,
    memory: int | None,
    executor: str | None,
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
    with runner(Where(jobs, memory, timeout, executor), named, no_cache=no_cache, offline=offline) as run:
        selection = select(**selected)  # after the processes are started, which take longest to be ready
        complain(selection.diagnostics, color)
        if not selection.cases and not selection.refused:
            raise click.UsageError("no case is selected")
        from gradcheck.report.formats import WITH_NUMBERS
        from gradcheck.report.run import Run
        from gradcheck.verdict.inquiry import Inquiry

        known = known_failures(baseline, write_baseline)
        part = share(shard, durations, write_durations)
        cases = [known.applied(_with_tolerance(case, rtol, atol)) for case in part.taken(selection.cases)]
        shown = show or _default_show(cases)
        numbers = shown != "none" or any(each.format in WITH_NUMBERS for each in places)
        inquiry = Inquiry(blame, referee, evidence, numbers)
        if not (named or no_cache or offline):
            run = remembering(run)
        results = run(cases, selection.limits, inquiry)
        written = Reports(places, shown, named, color)
        done: list[Result] = []
        try:
            with closing(_followed(_until(most, results), color, len(cases))) as stream:
                for result in stream:
                    done.append(result)
                    written.add(result)
        finally:  # whatever ends the run, what is finished is reported
            seconds = time.perf_counter() - started
            written.close(Run(done, len(cases), seconds, selection.diagnostics, named))
            keep(done, selection.diagnostics, color)
    if written.fault is not None:
        raise written.fault
    unwritten = not part.kept(done, selection) or written.failed
    done = known.settled(done)
    sys.exit(exit_status(done, refused=selection.refused, strict=strict, unreported=unwritten, idle=not cases))


def _default_show(cases: "list[Case]") -> "Show":
    return "values" if len(cases) == 1 else "none"


def _with_tolerance(case: "Case", rtol: float | None, atol: float | None) -> "Case":
    own = case.tolerance
    given = replace(own, rtol=own.rtol if rtol is None else rtol, atol=own.atol if atol is None else atol)
    return replace(case, tolerance=given)


def _until(most: int | None, results: "Iterable[Result]") -> "Iterator[Result]":
    """The results up to that with which `most` cases did not pass."""
    from gradcheck.verdict.record import Status

    failures = 0
    for result in results:
        yield result
        failures += result.status in (Status.FAILED, Status.NOT_RUN)
        if failures == most:
            return


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
