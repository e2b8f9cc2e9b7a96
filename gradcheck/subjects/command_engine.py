"""A program in any language as an engine: newline-delimited JSON over its standard input and output."""

from dataclasses import dataclass

from gradcheck.engines import Failure, Outcome, Request


@dataclass
class CommandEngine:
    """A program that is started once and answers one line of JSON for each that it reads; see `protocol`."""

    name: str
    command: tuple[str, ...]
    folder: str

    def run(self, request: Request) -> Outcome | Failure:
        """The program's answer."""
        raise NotImplementedError
