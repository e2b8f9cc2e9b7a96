"""How large a case file and what it asks for may be."""

from dataclasses import dataclass

from gradcheck.diagnostics import Diagnostic, Span


@dataclass(frozen=True)
class Limits:
    """The largest sizes that are accepted; a field's name is the NAME of `--limit NAME=VALUE`."""

    file_bytes: int = 1_000_000
    """Length of a case file, in bytes."""
    nodes: int = 100_000
    """Scalars, lists and mappings in a case file, every use of an alias counted in full."""
    depth: int = 100
    """Levels of nesting, in a case file and in an expression."""
    elements: int = 10_000_000
    """Elements of one array."""
    file_elements: int = 50_000_000
    """Elements of all the arrays that one case file makes."""
    instructions: int = 20_000
    """Instructions of one program."""


def too_large(limits: Limits, name: str, what: str, span: Span | None = None) -> Diagnostic:
    """The refusal of `what` ("the file has 3,000,000 bytes") because it exceeds the limit called `name`."""
    return Diagnostic("too-large", f"{what}; the limit is {getattr(limits, name):,}", span, raise_limit(name))


def raise_limit(name: str) -> str:
    """How to raise the limit called `name`, in words for the user."""
    return f"raise the limit with `--limit {name}=VALUE`"
