"""Who answers for TensorFlow in a comparison: its process, the answers that are kept, or those recorded."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache, partial
from typing import TYPE_CHECKING

import click

from gradcheck.cli.options import Command, with_options
from gradcheck.keeping.store import nothing_kept

if TYPE_CHECKING:
    from gradcheck.reference.answers import Reference
    from gradcheck.reference.worker import ReferenceWorker


def referring(command: Command) -> Command:
    """The options that say who answers for TensorFlow."""
    return with_options(
        command,
        click.option("--no-cache", is_flag=True, help="Ask TensorFlow, whatever it answered before."),
        click.option("--offline", is_flag=True, help="Compare with what `gradcheck record` wrote, without TensorFlow."),
    )


@contextmanager
def reference(timeout: float, *, no_cache: bool, offline: bool) -> "Iterator[Callable[[], Reference]]":
    """Who is asked, made when it is called. TensorFlow is started at once where it will be needed for certain."""
    if offline:
        from gradcheck.reference.recorded import RecordedReference

        yield RecordedReference
    elif no_cache:
        with _worker(timeout) as worker:
            yield lambda: worker
    else:
        with ExitStack() as stack:
            made = cache(lambda: _kept(timeout, stack))
            if nothing_kept():
                start(made())  # TensorFlow loads while the cases are read
            yield made


def start(reference: "Reference") -> None:
    """Let TensorFlow be loaded, if it is not, for questions to come."""
    from gradcheck.reference.kept import KeptReference

    if isinstance(reference, KeptReference):
        reference.start()


def _kept(timeout: float, stack: ExitStack) -> "Reference":
    """TensorFlow with the answers that are kept; they are closed with `stack`, which tells if they could not be."""
    from gradcheck.reference.kept import kept_reference

    kept = kept_reference(partial(_worker, timeout))
    if kept is None:
        return stack.enter_context(_worker(timeout))
    stack.callback(lambda: _tell(kept.trouble))
    return stack.enter_context(kept)


def _tell(trouble: str) -> None:
    if trouble:
        click.echo(f"warning: TensorFlow's answers could not be kept: {trouble}", err=True)


def _worker(timeout: float) -> "ReferenceWorker":
    from gradcheck.reference.worker import ReferenceWorker

    return ReferenceWorker(timeout)
