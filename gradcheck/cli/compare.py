"""`gradcheck compare`: the main job."""

import sys
import time
from collections import deque
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gradcheck.cli import candidates
from gradcheck.cli.baseline import baselined, known_failures
from gradcheck.cli.comparing import Manner, one_pass
from gradcheck.cli.options import coloured, complain, select, selecting
from gradcheck.cli.reference import referring
from gradcheck.cli.reports import Wanted, reporting, wanted
from gradcheck.cli.running import Where, remembering, runner, running
from gradcheck.cli.sharding import sharded, share
from gradcheck.cli.subject import named_engine

if TYPE_CHECKING:
    from gradcheck.casefile.case import Case
    from gradcheck.cli.options import Selection
    from gradcheck.report.table import Show


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
@click.option("--watch", is_flag=True, help="Stay, and compare again what changes; TensorFlow stays loaded.")
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
    watch: bool,
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
    gradcheck compare cases/ --engine my_engine.py --watch
    gradcheck compare cases/ --report junit=results.xml --report markdown=results.md
    """
    from gradcheck.cli.status import exit_status

    started = time.perf_counter()
    named = named_engine(engine)
    manner = Manner(wanted(reports), show, named, color, blame, referee, evidence, most)
    if watch:
        from gradcheck.cli.watching import refuse_others, watched

        refuse_others()
        known = known_failures(baseline, write_baseline)
        watched(selected, lambda case: known.applied(_with_tolerance(case, rtol, atol)), manner, timeout, no_cache)
    with runner(Where(jobs, memory, timeout, executor), named, no_cache=no_cache, offline=offline) as run:
        selection = _selection(selected, no_cache)  # after TensorFlow is started, which takes longest to be ready
        complain(selection.diagnostics, color)
        if not selection.cases and not selection.refused:
            raise click.UsageError("no case is selected")
        known = known_failures(baseline, write_baseline)
        part = share(shard, durations, write_durations)
        cases = deque(known.applied(_with_tolerance(case, rtol, atol)) for case in part.taken(selection.cases))
        ids, idle = [case.id for case in selection.cases], not cases
        selection = replace(selection, cases=())  # which are released as they are compared
        if not (named or no_cache or offline):
            run = remembering(run)
        done, reported = one_pass(run, cases, selection, manner, started)
    unwritten = not part.kept(done, ids, complete=not selection.refused) or not reported
    done = known.settled(done)
    sys.exit(exit_status(done, refused=selection.refused, strict=strict, unreported=unwritten, idle=idle))


def _selection(selected: dict[str, Any], no_cache: bool) -> "Selection":
    if no_cache:
        return select(**selected)
    from gradcheck.casefile.kept import kept_files

    files = kept_files()
    selection = select(**selected, load=files.load)
    files.close()
    return selection


def _with_tolerance(case: "Case", rtol: float | None, atol: float | None) -> "Case":
    if rtol is None and atol is None:
        return case
    own = case.tolerance
    given = replace(own, rtol=own.rtol if rtol is None else rtol, atol=own.atol if atol is None else atol)
    return replace(case, tolerance=given)
