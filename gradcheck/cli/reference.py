"""Who answers for TensorFlow in a comparison: its process, the answers that are kept, or those recorded."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import click

from gradcheck.cli.options import Command, with_options

if TYPE_CHECKING:
    from gradcheck.casefile.case import Case
    from gradcheck.reference.answers import Reference
    from gradcheck.reference.kept import KeptReference
    from gradcheck.reference.worker import ReferenceWorker


def referring(command: Command) -> Command:
    """The options that say who answers for TensorFlow."""
    return with_options(
        command,
        click.option("--no-cache", is_flag=True, help="Ask TensorFlow, whatever it answered before."),
        click.option("--offline", is_flag=True, help="Compare with what `gradcheck record` wrote, without TensorFlow."),
    )


@contextmanager
def reference(timeout: float, *, no_cache: bool, offline: bool) -> "Iterator[Callable[[Iterable[Case]], Reference]]":
    """Who is asked about given cases. TensorFlow is started at once where it will be needed for certain."""
    if offline:
        from gradcheck.reference.recorded import RecordedReference

        yield RecordedReference
    elif no_cache or (made := _kept(timeout)) is None:
        with _worker(timeout) as worker:
            yield lambda _cases: worker
    else:
        with made as kept:
            yield lambda _cases: kept
        if kept.trouble:
            click.echo(f"warning: TensorFlow's answers could not be kept: {kept.trouble}", err=True)


def _kept(timeout: float) -> "KeptReference | None":
    from gradcheck.reference.kept import kept_reference

    return kept_reference(partial(_worker, timeout))


def _worker(timeout: float) -> "ReferenceWorker":
    from gradcheck.reference.worker import ReferenceWorker

    return ReferenceWorker(timeout)
