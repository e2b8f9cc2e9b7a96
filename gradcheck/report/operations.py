"""The table of operations, and all about one of them, read off its declaration."""

from collections.abc import Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from gradcheck.dtypes import COMPLEXES, DTYPES, FLOATS, INTEGERS, DType
from gradcheck.engine.differentiate import differentiate
from gradcheck.ops.declaration import Op
from gradcheck.ops.sampling import trials


def table_report(ops: Sequence[Op]) -> RenderableType:
    """All operations by family: what they are called with, whether a gradient flows, in which dtypes."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("operation", no_wrap=True)
    table.add_column("gradient", no_wrap=True)
    table.add_column("dtypes")
    table.add_column("family", style="dim", no_wrap=True)
    for op in sorted(ops, key=lambda each: (each.family, each.name)):
        table.add_row(op.name, _kind(op), _dtypes(op.dtypes), op.family)
    ours = sum(op.differentiable for op in ops)
    return Group(table, Text(f"{len(ops)} operations, {ours} of them with a gradient"))


def _kind(op: Op) -> str:
    if op.composite:
        return "composed"
    return "rule" if op.differentiable else "none"


def _dtypes(dtypes: Sequence[DType]) -> str:
    groups = {"float": FLOATS, "complex": COMPLEXES, "int": INTEGERS, "bool": (DTYPES["bool"],)}
    parts: list[str] = []
    for name, members in groups.items():
        present = [each.name for each in members if each in dtypes]
        parts += [name] if len(present) == len(members) else present
    return ", ".join(parts)


def op_report(op: Op) -> RenderableType:
    """One operation: how it is called, what is known of its gradient, and its rule at work on its first sample."""
    parts: list[RenderableType] = [Text(f"{op.name}{op.usage}", style="bold")]
    rows = {
        "also called": ", ".join(op.aliases),
        "dtypes": _dtypes(op.dtypes),
        "gradient": _kind(op),
        "formula": op.source,
        "convention": op.convention,
        "domain": ", ".join(f"{each.low:g} to {each.high:g}" for each in op.domains),
    }
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column()
    for name, value in rows.items():
        if value:
            grid.add_row(name, value)
    parts.append(Padding(grid, (0, 0, 0, 2), expand=False))
    if op.differentiable:
        dtype = DTYPES["float32"] if DTYPES["float32"] in op.dtypes else op.dtypes[0]
        trial = next(trials(op, dtype), None)
        if trial is not None:
            program = differentiate(trial.program, trial.sources)
            parts.append(Padding(Text(str(program)), (1, 0, 1, 4), expand=False))
    return Group(*parts)
