"""`gradcheck cache`: the kept answers of TensorFlow."""

import click


@click.group(short_help="Show or drop the kept answers of TensorFlow.")
def cache() -> None:
    """Show or drop the kept answers of TensorFlow.

    `gradcheck compare` keeps what TensorFlow answers, so that it need not be started for cases that have not changed.
    """


@cache.command()
def info() -> None:
    """Show where the answers are kept, how many there are, and how much room they take."""
    from gradcheck.reference.store import Store, default_folder

    store = Store(default_folder())
    kept = store.entries()
    click.echo(f"folder   {store.folder}")
    click.echo(f"answers  {len(kept)}")
    click.echo(f"size     {_megabytes(sum(each.size for each in kept))} of {_megabytes(store.limit)} MB at most")


@cache.command()
def clear() -> None:
    """Drop all kept answers, and what `gradcheck replay` knows of earlier runs."""
    from gradcheck import last_run
    from gradcheck.reference.store import Store, default_folder

    store = Store(default_folder())
    try:
        dropped = store.clear()
        runs = last_run.clear()
    except OSError as error:
        raise click.ClickException(f"cannot drop {error.filename}: {error.strerror}") from None
    click.echo(f"dropped {dropped} answer{'' if dropped == 1 else 's'} from {store.folder}")
    if runs:
        click.echo(f"dropped the last run{'' if runs == 1 else f's in {runs} folders'}")


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f}"
