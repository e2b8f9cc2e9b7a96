"""`--shard K/N`: the part of the cases that a run takes, and the file by which the parts are made equal."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gradcheck.cli.options import Command, same_run, with_options

if TYPE_CHECKING:
    from gradcheck.casefile.case import Case
    from gradcheck.running.durations import Durations
    from gradcheck.verdict.record import Result

PARTIAL = {"keyword": "-k", "tags": "--tag", "dtypes": "--dtype", "ids": "--case"}
"""The options by which a run leaves out cases whose durations the file would lose, by the names of their parameters."""


def _parsed(_context: click.Context, _option: click.Parameter, value: str | None) -> tuple[int, int] | None:
    if value is None:
        return None
    found = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", value)
    number, count = (int(each) for each in found.groups()) if found else (0, 0)
    if not 1 <= number <= count:
        raise click.BadParameter(f"{value!r} is not K/N with K from 1 to N, as in 2/5")
    return number, count


def sharded(command: Command) -> Command:
    """The options that divide the cases between several runs."""
    return with_options(
        command,
        click.option("--shard", callback=_parsed, metavar="K/N", help="The K-th of N equally long parts of the cases."),
        click.option(
            "--durations",
            type=click.Path(dir_okay=False, path_type=Path),
            metavar="FILE",
            help="How long each case takes, for --shard.",
        ),
        click.option("--write-durations", is_flag=True, help="Keep the times of this run in the --durations file."),
    )


@dataclass(frozen=True)
class Share:
    """What a run takes of the cases: part `number` of `count` by these durations; without, all of them.

    `written` is the file in which the times of the run are to be kept, if they are.
    """

    part: tuple[int, int] | None = None
    durations: "Durations | None" = None
    written: Path | None = None

    def taken(self, cases: "Sequence[Case]") -> "Sequence[Case]":
        """The cases of this part, in order. Tells how many these are."""
        if self.part is None or self.durations is None:
            return cases
        from gradcheck.running.sharding import shard

        number, count = self.part
        places = shard([self.durations.name(each.id) for each in cases], self.durations.seconds, number, count)
        click.echo(f"shard {number}/{count}: {len(places) or 'none'} of {len(cases)} cases", err=True)
        return [cases[place] for place in places]

    def kept(self, results: "Sequence[Result]", ids: "Iterable[str]", *, complete: bool) -> bool:
        """Keep the times of this run if that is asked for, and tell so; whether nothing stood in the way.

        Of the cases with these `ids` that were left to other parts the file keeps what it had; of others nothing. So
        it is not written where they are not `complete`.
        """
        if self.written is None or self.durations is None:
            return True
        if not complete:
            click.echo(f"{self.written} is not written: not all cases could be read", err=True)
            return True  # which the exit status says already
        from gradcheck.running.durations import write

        new = self.durations.updated(results, ids)
        try:
            write(new, self.written)
        except OSError as error:
            click.echo(f"{self.written} cannot be written: {error.strerror}", err=True)
            return False
        gone = len(self.durations.seconds.keys() - new.seconds.keys())
        dropped = f", {gone} dropped of cases that are no more" if gone else ""
        click.echo(f"{self.written}: {len(results)} of {len(new.seconds)} durations are new{dropped}", err=True)
        return True


def share(part: tuple[int, int] | None, path: Path | None, write: bool) -> Share:
    """What the command that runs takes of its cases.

    Raises `click.UsageError` for a file that is missing or holds no durations, for one that serves nothing, and where
    those of a part of the cases would be lost.
    """
    if path is None and write:
        raise click.UsageError("--write-durations needs the file: --durations FILE")
    if path is None and part is None:
        return Share()
    from gradcheck.running.durations import Durations, NotDurations, read

    if path is None:
        return Share(part, Durations(Path(), {}))
    if part is None and not write:
        raise click.UsageError("--durations is for --shard K/N, or comes with --write-durations")
    given = click.get_current_context().params
    parts = [option for name, option in PARTIAL.items() if given.get(name)]
    if write and parts:
        raise click.UsageError(f"durations are written of all cases: leave out {', '.join(parts)}")
    written = path if write else None
    if write and not path.exists():
        return Share(part, Durations(path.parent, {}), written)
    try:
        return Share(part, read(path), written)
    except FileNotFoundError:
        command = same_run("--durations", str(path), "--write-durations")
        raise click.UsageError(f"there is no file of durations {path}; to write it: {command}") from None
    except OSError as error:
        raise click.UsageError(f"{path} cannot be read: {error.strerror}") from None
    except NotDurations as error:
        raise click.UsageError(f"{path} holds no durations: {error}") from None
