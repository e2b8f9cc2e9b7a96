"""`--baseline`: what a command line makes of the failures that a team knows of."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gradcheck.cli.options import Command, same_run, with_options

if TYPE_CHECKING:
    from gradcheck.casefile.case import Case
    from gradcheck.verdict.baseline import Baseline
    from gradcheck.verdict.record import Result

PARTIAL = {
    "keyword": "-k",
    "tags": "--tag",
    "dtypes": "--dtype",
    "ids": "--case",
    "shard": "--shard",
    "most": "--fail-fast or --max-failures",
}
"""The options by which a run leaves out cases, by the names of their parameters."""


def baselined(command: Command) -> Command:
    """The options that name the known failures, and write them."""
    return with_options(
        command,
        click.option(
            "--baseline",
            type=click.Path(dir_okay=False, path_type=Path),
            metavar="FILE",
            help="Failures listed in this file do not fail the run.",
        ),
        click.option("--write-baseline", is_flag=True, help="List the failures of this run in the --baseline file."),
    )


@dataclass(frozen=True)
class Known:
    """The known failures of a run, the file that they are in, and whether it is to be written anew; or none."""

    baseline: "Baseline | None" = None
    path: Path | None = None
    write: bool = False

    def applied(self, case: "Case") -> "Case":
        """`case`, knowing by which verdict it may fail."""
        return case if self.baseline is None else self.baseline.applied(case)

    def settled(self, results: "list[Result]") -> "list[Result]":
        """The results as they count: all failures are known once they are written. Tells what is fixed."""
        if self.baseline is None or self.path is None:
            return results
        fixed = self.baseline.fixed(results)
        for each in fixed:
            click.echo(f"fixed: {each.case.id} was {each.case.known_failure}, is {each.verdict}", err=True)
        if not self.write:
            if fixed:
                click.echo(f"these fail no more: take them out of {self.path}, or add --write-baseline", err=True)
            return results
        from gradcheck.verdict.baseline import write

        new = self.baseline.holding(results)
        try:
            write(new, self.path)
        except OSError as error:
            raise click.UsageError(f"{self.path} cannot be written: {error.strerror}") from None
        count = len(new.failures)
        click.echo(f"{self.path}: {count} known failure{'' if count == 1 else 's'} written", err=True)
        return [replace(each, case=new.applied(each.case)) for each in results]


def known_failures(path: Path | None, write: bool) -> Known:
    """The known failures in the file `path`, none without one, as the command that runs wants them.

    Raises `click.UsageError` for a file that is missing or no baseline, and where a part of the cases would be written.
    """
    if path is None:
        if write:
            raise click.UsageError("--write-baseline needs the file: --baseline FILE")
        return Known()
    from gradcheck.verdict.baseline import Baseline, NotABaseline, read

    given = click.get_current_context().params
    parts = [option for name, option in PARTIAL.items() if given.get(name)]
    if write and parts:
        raise click.UsageError(f"a baseline is written of all cases: leave out {', '.join(parts)}")
    if write and not path.exists():
        return Known(Baseline(path.parent, {}), path, write)
    try:
        return Known(read(path), path, write)
    except FileNotFoundError:
        command = same_run("--baseline", str(path), "--write-baseline")
        message = f"there is no baseline {path}; to take the failures of today as known: {command}"
        raise click.UsageError(message) from None
    except OSError as error:
        raise click.UsageError(f"{path} cannot be read: {error.strerror}") from None
    except NotABaseline as error:
        raise click.UsageError(f"{path} is not a baseline: {error}") from None
