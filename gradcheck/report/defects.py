"""What the cases that come with gradcheck hold against TensorFlow, each with its evidence."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from gradcheck.casefile.case import Case


def defects_report(cases: Sequence[Case]) -> RenderableType:
    """Every `known_mismatch`, once for all dtypes: what it is, the expression, and what the true value follows from."""
    found = {(case.span.source.name, case.name): case for case in cases if case.known_mismatch is not None}
    parts: list[RenderableType] = []
    for (file, name), case in found.items():
        dtypes = [each.dtype for each in cases if (each.span.source.name, each.name) == (file, name)]
        parts.append(Text(f"{case.known_mismatch}", style="bold"))
        lines = [case.expr.text.strip(), f"{file}::{name}, {', '.join(dtypes)}"]
        parts.append(Padding(Text("\n".join([*filter(None, [case.description]), *lines])), (0, 0, 1, 4)))
    return Group(*parts, Text(f"{len(found)} defects; each turns its case red when it is mended"))
