"""Cases lowered and explained: written on the spot, or shipped."""

from collections.abc import Iterator
from pathlib import Path

from gradcheck.casefile.find import find
from gradcheck.casefile.ids import file_of, name_of
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
            named = file_of(case.id), name_of(case.id)
            if case.expect.error is None and named not in seen:
                seen.add(named)
                yield explain(lower(case), values=True)
