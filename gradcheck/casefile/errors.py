"""Words for what is wrong with a case file."""

from collections.abc import Collection, Iterable

from gradcheck.diagnostics import Diagnostic, Span, did_you_mean

LONGEST = 60
"""How many characters of the user's text a message repeats."""


MOST_NAMES = 500
"""Among how many names a suggestion is looked for: the search is slow."""


class CaseError(Exception):
    """Something wrong that is found where its place in the file is not known.

    `at` is the flat index of the element at error, if one is.
    """

    def __init__(self, code: str, message: str, hint: str | None = None, at: int | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.hint, self.at = code, message, hint, at

    def diagnostic(self, span: Span) -> Diagnostic:
        return Diagnostic(self.code, self.message, span, self.hint)


def suggestion(word: str, known: Collection[str]) -> str | None:
    """The known name that a misspelt one may have meant, as a sentence; None if there are too many to compare."""
    return did_you_mean(word, known) if len(known) <= MOST_NAMES else None


def quoted(text: str) -> str:
    """`text` between backquotes, cut if it is long, with control characters as escapes."""
    if len(text) > LONGEST:
        text = text[: LONGEST - 1] + "…"
    return f"`{visible(text)}`"


def visible(text: str) -> str:
    """`text` with what a terminal would not print, or would obey, as escapes."""
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def printable(text: str) -> str:
    """`text` with control characters, other than line ends and tabs, as one placeholder each."""
    return "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in text)


def described(value: object) -> str:
    """What the user wrote instead: "the text `abc`", "the number 3", "a list"."""
    match value:
        case None:
            return "nothing"
        case bool():
            return f"`{str(value).lower()}`"
        case int() | float():
            return f"the number {str(value)[:LONGEST]}"
        case str():
            return f"the text {quoted(value)}"
        case list():
            return "a list"
        case _:
            return "a mapping"


def listed(words: Iterable[str], last: str = "or") -> str:
    """`a`, `b` or `c`."""
    *front, back = (quoted(word) for word in words)
    return f"{', '.join(front)} {last} {back}" if front else back


def sized(shape: Iterable[int]) -> str:
    """A shape as NumPy and TensorFlow print it."""
    return str(tuple(shape))
