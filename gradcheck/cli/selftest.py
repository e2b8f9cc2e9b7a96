"""`gradcheck selftest`: does the checker find faults that are planted on purpose?"""

import sys
import time
from typing import TYPE_CHECKING

import click

from gradcheck.cli import candidates
from gradcheck.cli.new import shipped_folder
from gradcheck.cli.options import coloured, complain, console, select

if TYPE_CHECKING:
    from gradcheck.cli.options import Selection
    from gradcheck.reference.worker import ReferenceWorker
    from gradcheck.selftest.run import Selftest


@click.command(short_help="Plant wrong rules and see whether they are caught.")
@click.argument("paths", nargs=-1, type=click.Path(), metavar="[PATH]…", shell_complete=candidates.case_files)
@click.option("--report", type=click.Choice(["table", "json"]), default="table", help="A table to read, or JSON.")
@click.option("--timeout", type=float, default=300.0, help="Seconds that TensorFlow may take for one case.")
@coloured
def selftest(paths: tuple[str, ...], report: str, timeout: float, color: str) -> None:
    """Plant wrong gradient rules in gradcheck's own engine, one at a time, and run the cases in PATH… on it.

    Without PATH the cases are those that come with gradcheck. Shown are the share of the faults that were caught, the
    share blamed on the right operation, the share whose kind of slip was named, and false alarms without any fault;
    then which operations the cases would not protect.

    \b
    gradcheck selftest
    gradcheck selftest my_cases/
    """
    from gradcheck.cli.status import Exit
    from gradcheck.reference.worker import ReferenceWorker

    started = time.perf_counter()
    with ReferenceWorker(timeout) as reference:  # first of all: it takes longest to be ready
        selection = select(paths or (shipped_folder(),), keyword=None, tags=(), dtypes=(), limits=())
        complain(selection.diagnostics, color)
        if not selection.cases and not selection.refused:
            raise click.UsageError("no case is selected")
        if not selection.cases:
            sys.exit(Exit.NOT_RUN)
        result = _run(selection, reference, color)
    _conclude(result, report, time.perf_counter() - started, color)
    unsure = selection.refused or result.suite.not_run or not result.covered
    sys.exit(Exit.DISAGREE if not result.passed else Exit.NOT_RUN if unsure else Exit.AGREE)


def _run(selection: "Selection", reference: "ReferenceWorker", color: str) -> "Selftest":
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from gradcheck.selftest.catalogue import CATALOGUE
    from gradcheck.selftest.run import Selftest, prepare, try_faults

    errors = console(color, stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as progress:
        task = progress.add_task("running without a fault", total=len(CATALOGUE))
        suite = prepare(selection.cases, reference)
        findings = []
        for finding in try_faults(CATALOGUE, suite, reference):
            findings.append(finding)
            progress.update(task, advance=1, description="planting faults")
    return Selftest(suite, tuple(findings))


def _conclude(result: "Selftest", report: str, seconds: float, color: str) -> None:
    from gradcheck.report.selftest import render, selftest_report

    if report == "json":
        from gradcheck.cli.output import emit

        emit(render(result, seconds))
    else:
        console(color).print(selftest_report(result, seconds))
