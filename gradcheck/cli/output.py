"""Where commands print, and what becomes of it when nobody reads any more."""

import os
import sys
from typing import Any

import click
from rich.console import Console


class Output(Console):
    """A console that never cuts a line, and falls silent when its reader goes away.

    That happens in `gradcheck compare … | head`; the exit status still says what was found.
    """

    def print(self, *parts: Any, **how: Any) -> None:
        """Print; a line that is too long and must not be folded (a path, a command to copy) is not cut either."""
        super().print(*parts, **{"crop": False, **how})

    def on_broken_pipe(self) -> None:
        self.quiet = True
        discard()


def emit(text: str) -> None:
    """Print `text` to standard output, if it is still read."""
    try:
        click.echo(text)
    except BrokenPipeError:
        discard()


def discard() -> None:
    """Let whatever is still written to standard output vanish."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
