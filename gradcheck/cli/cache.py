"""`gradcheck cache`: what is kept from one run to the next."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from gradcheck.keeping.store import Store


@click.group(short_help="Show or drop what is kept from one run to the next.")
def cache() -> None:
    """Show or drop what is kept from one run to the next.

    `gradcheck compare` keeps the answers of TensorFlow, so that it need not be started for cases that have not changed,
    what it found, so that these need not be compared again, and the case files as it read them.
    """


@cache.command()
def info() -> None:
    """Show where it is kept, how much there is, and how much room it takes."""
    stores = _stores()
    click.echo(f"folder   {stores['answers'].folder.parent}")
    for name, store in stores.items():
        kept = store.entries()
        size = f"{_megabytes(sum(each.size for each in kept))} of {_megabytes(store.limit)} MB at most"
        click.echo(f"{name:<8} {len(kept):>7}  {size}")


@cache.command()
def clear() -> None:
    """Drop all of it, and what `gradcheck replay` knows of earlier runs."""
    from gradcheck.running import last_run

    stores = _stores()
    try:
        dropped = {name: store.clear() for name, store in stores.items()}
        runs = last_run.clear()
    except OSError as error:
        raise click.ClickException(f"cannot drop {error.filename}: {error.strerror}") from None
    *most, last = (f"{count} {name if count != 1 else name[:-1]}" for name, count in dropped.items())
    what = f"{', '.join(most)} and {last}"
    click.echo(f"dropped {what} from {stores['answers'].folder.parent}")
    if runs:
        click.echo(f"dropped the last run{'' if runs == 1 else f's in {runs} folders'}")


def _stores() -> "dict[str, Store]":
    """What is kept, by what it is called."""
    from gradcheck.keeping.store import KINDS, Store, kept_folder

    return {name: Store(kept_folder(kind)) for kind, name in KINDS.items()}


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f}"
