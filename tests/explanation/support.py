"""Cases written on the spot, lowered and explained."""

from pathlib import Path

from gradcheck.casefile.limits import Limits
from gradcheck.casefile.load import load_file
from gradcheck.explanation import Explanation, explain
from gradcheck.language import Lowered, lower


def lowered(path: Path) -> Lowered:
    """The only case of the file."""
    (case,) = load_file(path, Limits()).cases
    return lower(case, Limits())


def explained(path: Path, *, variable: str | None = None, values: bool = False) -> Explanation:
    return explain(lowered(path), variable=variable, values=values)
