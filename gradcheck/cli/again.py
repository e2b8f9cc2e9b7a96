"""What `gradcheck compare` keeps of a run for `gradcheck replay`."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from gradcheck.cli.options import console

if TYPE_CHECKING:
    from gradcheck.diagnostics import Diagnostic
    from gradcheck.verdict.record import Result

REPEATED = frozenset(
    {"limits", "rtol", "atol", "engine", "strict", "baseline", "no_cache", "offline", "jobs", "timeout", "memory"}
)
"""The parameters of `compare` that make the comparison what it is; the others select cases, show and write."""


def keep(results: "Sequence[Result]", diagnostics: "Iterable[Diagnostic]", color: str) -> None:
    """Keep the run that ends as the last one, and say on a terminal how to run again what did not pass.

    A run of single cases (`--case`) brings the last one up to date, if it is the same comparison.
    """
    from gradcheck.running import last_run
    from gradcheck.verdict.record import Status

    bad = [each.span.source.name for each in diagnostics if each.severity == "error" and each.span]
    cases = {**dict.fromkeys(bad, Status.NOT_RUN), **{each.case.id: each.status for each in results}}
    run = last_run.LastRun(tuple(_repeated()), cases)
    named = click.get_current_context().params["ids"]
    earlier = last_run.read() if named else None
    if earlier is not None and earlier.options == run.options:
        run = earlier.updated(run, named)
    try:
        last_run.write(run)
    except OSError as error:
        if run.failed:
            place = error.filename or "the working directory"
            click.echo(f"warning: not kept for `gradcheck replay`: {place}: {error.strerror}", err=True)
        return
    errors = console(color, stderr=True)
    if run.failed and errors.is_terminal:
        errors.print("again: gradcheck replay", style="dim")


def _repeated() -> Iterator[str]:
    """The options of the running command that make the comparison what it is, as they were given."""
    context = click.get_current_context()
    for option in context.command.params:
        if option.name not in REPEATED or context.get_parameter_source(option.name) is ParameterSource.DEFAULT:
            continue
        value = context.params[option.name]
        if isinstance(option, click.Option) and option.is_flag:
            yield option.opts[0]
        else:
            yield from (f"{option.opts[0]}={each}" for each in (value if option.multiple else [value]))
