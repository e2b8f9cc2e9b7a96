"""The command line: options in, exit status out. Only this package imports click."""

from gradcheck.cli.main import main

__all__ = ["main"]
