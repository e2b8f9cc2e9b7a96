"""Cases lowered and explained: written on the spot, or shipped."""

from collections.abc import Iterator
from pathlib import Path

from gradcheck.casefile.find import find
from gradcheck.casefile.ids import without_dtype
from gradcheck.casefile.limits import Limits
from gradcheck.casefile.load import load_file
from gradcheck.cli.new import shipped_cases
from gradcheck.explanation import Explanation, explain
from gradcheck.language import Lowered, lower


def lowered(path: Path) -> Lowered:
    """The only case of the file."""
    (case,) = load_file(path, Limits()).cases
    return lower(case)


def explained(path: Path, *, variable: str | None = None, values: bool = False) -> Explanation:
    return explain(lowered(path), variable=variable, values=values)


def shipped() -> Iterator[Explanation]:
    """Every shipped case that runs, in the first of its dtypes: the others are explained in the same words."""
    seen = set()
    for file in find([shipped_cases()]).files:
        for case in load_file(file).cases:
            if case.expect.error is None and without_dtype(case.id) not in seen:
                seen.add(without_dtype(case.id))
                yield explain(lower(case), values=True)
