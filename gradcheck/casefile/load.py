"""Case files in, checked cases and everything that is wrong with the files out."""

from pathlib import Path

from gradcheck.casefile.case import Loaded
from gradcheck.casefile.find import read_source
from gradcheck.casefile.limits import Limits
from gradcheck.diagnostics import Refused, Source


def load_file(path: str | Path, limits: Limits | None = None) -> Loaded:
    """Read the cases of one file, each in each of its dtypes. Raises nothing: what is wrong is in the result."""
    limits = limits or Limits()
    try:
        return load_source(read_source(Path(path), limits), Path(path), limits)
    except Refused as refused:
        return Loaded((), refused.diagnostics)


def load_source(source: Source, path: Path, limits: Limits) -> Loaded:
    """Read the cases of a text as those of a file at `path`, which need not be there. Raises nothing."""
    from gradcheck.casefile.reader import Reader  # only here: of files that are kept, nothing has to be parsed
    from gradcheck.casefile.yaml import parse

    try:
        return Reader(parse(source, limits), path, limits).load()
    except Refused as refused:
        return Loaded((), refused.diagnostics)
