"""`gradcheck record`: TensorFlow's answers, to be kept with the cases."""

import sys
from typing import TYPE_CHECKING

import click

from gradcheck.cli import candidates
from gradcheck.cli.options import coloured, complain, select

if TYPE_CHECKING:
    from gradcheck.cli.status import Exit
    from gradcheck.recording import Recording


@click.command(short_help="Record TensorFlow's answers, for `compare --offline`.")
@click.argument(
    "paths", nargs=-1, required=True, type=click.Path(), metavar="PATH…", shell_complete=candidates.case_files
)
@click.option("--update", is_flag=True, help="Write also what differs from what is recorded.")
@click.option("--limit", "limits", multiple=True, metavar="NAME=N", help="Raise a limit on the size of cases.")
@click.option("--timeout", type=float, default=60.0, help="Seconds that TensorFlow may take for one case.")
@coloured
def record(paths: tuple[str, ...], update: bool, limits: tuple[str, ...], timeout: float, color: str) -> None:
    """Record what TensorFlow answers about the cases in PATH…, for machines without it.

    Beside each case file a lock file is written, to be looked at and committed: `cases/mlp.lock.json` for
    `cases/mlp.yaml`. Where TensorFlow answers otherwise than is recorded, the difference is shown, the file is left
    alone and the exit status is 1, until `--update` is given.

    \b
    gradcheck record cases/
    gradcheck compare cases/ --offline
    """
    from gradcheck.cli.status import Exit
    from gradcheck.reference.environment import NoTensorFlow, named
    from gradcheck.reference.worker import ReferenceWorker

    try:
        environment = named()
    except NoTensorFlow as error:
        raise click.ClickException(f"TensorFlow is needed to record its answers: {error}") from None
    with ReferenceWorker(timeout) as reference:
        selection = select(paths, None, (), (), limits)  # after the worker, which takes longest to be ready
        complain(selection.diagnostics, color)
        if selection.refused:
            sys.exit(Exit.NOT_RUN)
        from gradcheck.recording import record_cases
        from gradcheck.reference.lockfile import NotALock

        recordings = record_cases(selection.cases, reference, environment)
        try:
            statuses = [_settled(each, update, color) for each in recordings]
        except NotALock as error:
            raise click.ClickException(str(error)) from None
    sys.exit(min(statuses, default=Exit.AGREE, key=[Exit.FAULT, Exit.DISAGREE, Exit.NOT_RUN, Exit.AGREE].index))


def _settled(recording: "Recording", update: bool, color: str) -> "Exit":
    """Write one lock file, if it may be written, and say what is new in it."""
    from gradcheck.cli.status import Exit
    from gradcheck.reference.lockfile import write

    complain(recording.diagnostics, color)
    for case_id, failure in recording.failures:
        click.echo(f"{case_id}: {failure.message}", err=True)
    counts = {"new": recording.added, "changed": len(recording.changed), "as before": recording.same}
    said = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    refused = not recording.complete or (recording.changed and not update)
    click.echo(f"{recording.path}: {said or 'nothing to record'}{'; not written' if refused else ''}")
    for name, lines in recording.changed.items():
        click.echo(f"  {name}")
        for line in lines:
            click.echo(f"    {line}")
    if any(failure.kind in ("crashed", "timeout") for _, failure in recording.failures):
        return Exit.FAULT
    if not recording.complete:
        return Exit.NOT_RUN
    if refused:
        click.echo("  to record what changed, add --update")
        return Exit.DISAGREE
    if recording.new.cases or recording.old.cases:
        try:
            write(recording.new, recording.path)
        except OSError as error:
            raise click.ClickException(f"cannot write {recording.path}: {error.strerror}") from None
    return Exit.AGREE
