"""Errors and warnings that point into the user's own text."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

TAB = 4
"""How many columns a tab takes where a source line is quoted."""


class Source:
    """A file's text under the name that the user typed for it."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text

    def __repr__(self) -> str:
        return f"Source({self.name!r})"

    @property
    def lines(self) -> Sequence[str]:
        """The text, line by line; made anew each time, as it is long and seldom asked for."""
        return self.text.split("\n")


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of one line of a source: lines and columns count from 1, `end` is the column after the last."""

    source: Source
    line: int
    column: int
    end: int

    def __str__(self) -> str:
        return f"{self.source.name}:{self.line}:{self.column}"

    def quoted(self) -> str:
        """The user's line with a caret under the place."""
        lines = self.source.lines
        line = lines[self.line - 1].rstrip("\r") if self.line <= len(lines) else ""
        before = len(line[: self.column - 1].expandtabs(TAB))
        width = max(1, len(line[: self.end - 1].expandtabs(TAB)) - before)
        number = str(self.line)
        bar = " " * len(number) + " |"
        return f"{bar}\n{number} | {line.expandtabs(TAB)}\n{bar} {' ' * before}{'^' * width}"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding about the user's text: a code to look up, a sentence, the place, and what to try instead."""

    code: str
    message: str
    span: Span | None = None
    help: str | None = None
    severity: Literal["error", "warning"] = "error"

    def render(self) -> str:
        """The finding as plain text, with the user's line and a caret under the place."""
        place = f"{self.span}: " if self.span else ""
        text = f"{place}{self.severity}[{self.code}]: {self.message}"
        if self.span:
            text += "\n" + self.span.quoted()
        if self.help:
            text += f"\n  = help: {self.help}"
        return text


class Refused(Exception):
    """The user's text cannot be run; `diagnostics` say why, every one of them."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__("\n".join(each.message for each in self.diagnostics))


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """A suggestion for a misspelt `word`, or None if nothing known is near."""
    from difflib import get_close_matches  # seldom needed, and slow to load

    near = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"did you mean `{near[0]}`?" if near else None
