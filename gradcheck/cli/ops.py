"""`gradcheck ops`: what is supported, and each convention."""

from typing import TYPE_CHECKING

import click

from gradcheck.cli.new import shipped_cases
from gradcheck.cli.options import coloured, console, select

if TYPE_CHECKING:
    from rich.console import RenderableType


@click.command(short_help="List the operations, or show all about one.")
@click.argument("names", nargs=-1, metavar="[NAME]…")
@click.option("--coverage", is_flag=True, help="Measure how much of what TensorFlow differentiates is covered.")
@coloured
def ops(names: tuple[str, ...], coverage: bool, color: str) -> None:
    """List the operations, or show all about those called NAME.

    With --coverage every sample and every case that comes with gradcheck is run on both sides, and what agrees is
    counted against TensorFlow's own registry of gradients and its public names; it takes about a minute.

    \b
    gradcheck ops
    gradcheck ops tf.maximum
    gradcheck ops --coverage
    """
    from gradcheck.diagnostics import did_you_mean
    from gradcheck.ops import OPS, find_op
    from gradcheck.ops.declaration import all_names
    from gradcheck.report.operations import op_report, table_report

    out = console(color)
    if coverage:
        if names:
            raise click.UsageError("--coverage is measured for all operations: leave the names out")
        out.print(_measured())
        return
    if not names:
        out.print(table_report(list(OPS.values())))
    for name in names:
        try:
            out.print(op_report(find_op(name)))
        except KeyError:
            hint = did_you_mean(name, all_names())
            raise click.UsageError(f"`{name}` is not an operation in the table{f'; {hint}' if hint else ''}") from None


def _measured() -> "RenderableType":
    from gradcheck.coverage.measure import coverage
    from gradcheck.reference.worker import SurveyWorker
    from gradcheck.report.coverage import coverage_report

    with SurveyWorker() as tensorflow:
        selection = select((str(shipped_cases()),), keyword=None, tags=(), dtypes=(), limits=())
        return coverage_report(coverage(selection.cases, selection.limits, tensorflow))
