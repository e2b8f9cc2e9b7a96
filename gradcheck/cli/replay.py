"""`gradcheck replay`: cases of the last run again, with everything shown."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gradcheck.cli import candidates
from gradcheck.cli.compare import compare
from gradcheck.cli.options import as_ids, coloured, complain, no_case

if TYPE_CHECKING:
    from gradcheck.running.last_run import LastRun

EVERYTHING = ("--show", "values", "--blame", "--referee", "--evidence")


@click.command(short_help="Run again what did not pass, with everything shown.")
@click.argument("ids", nargs=-1, callback=as_ids, metavar="[ID]…", shell_complete=candidates.case_ids)
@coloured
def replay(ids: tuple[str, ...], color: str) -> None:
    """Compare again what did not pass in the last run in this folder, or the cases ID…, with everything shown.

    An ID is as a report has it, `cases/many.yaml::name[float32]`, which shells want in quotes; without the dtype for
    all of its dtypes; the name alone; or the file for all its cases. The comparison is the same as in that run: its
    engine, tolerances, limits, baseline and so on.

    \b
    gradcheck compare cases/ --engine my_engine.py
    gradcheck replay
    gradcheck replay cases/many.yaml::attention
    """
    from gradcheck.running import last_run

    last = last_run.read()
    if not ids and last is None:
        raise click.UsageError("no run of `compare` in this folder is known; name a case: gradcheck replay ID")
    wanted = ids or tuple(last.failed if last else ())
    if not wanted:
        click.echo("nothing to run again: no case failed in the last run in this folder", err=True)
        return
    files = {each: _files(each, last) for each in wanted}
    strangers = [no_case(each, last.cases if last else ()) for each, found in files.items() if not found]
    if strangers:
        complain(strangers, color)
        sys.exit(2)
    options = [*(last.options if last else ()), *EVERYTHING, f"--color={color}", *(f"--case={each}" for each in wanted)]
    paths = dict.fromkeys(file for found in files.values() for file in found)
    parent = click.get_current_context().parent
    with compare.make_context("compare", [*options, "--", *paths], parent) as context:
        compare.invoke(context)


def _files(named: str, last: "LastRun | None") -> list[str]:
    """Where to look for what a person calls so: the files of such cases in the last run, or that which is named."""
    from gradcheck.casefile.ids import addresses, file_of

    found = [file_of(each) for each in last.cases if named in addresses(each)] if last else []
    return found or [each for each in (file_of(named),) if Path(each).is_file()]
