"""`gradcheck ops`: what is supported, and each convention."""

from typing import TYPE_CHECKING

import click

from gradcheck.cli import candidates
from gradcheck.cli.new import shipped_folder
from gradcheck.cli.options import coloured, console, select

if TYPE_CHECKING:
    from rich.console import RenderableType

    from gradcheck.cli.options import Selection


@click.command(short_help="List the operations, or show all about one.")
@click.argument("names", nargs=-1, metavar="[NAME]…", shell_complete=candidates.operations)
@click.option("--coverage", is_flag=True, help="Measure how much of what TensorFlow differentiates is covered.")
@click.option("--defects", is_flag=True, help="List where TensorFlow's own gradient is wrong, each with its evidence.")
@coloured
def ops(names: tuple[str, ...], coverage: bool, defects: bool, color: str) -> None:
    """List the operations, or show all about those called NAME.

    With --coverage every sample and every case that comes with gradcheck is run on both sides, and what agrees is
    counted against TensorFlow's own registry of gradients and its public names; it takes about a minute.

    \b
    gradcheck ops
    gradcheck ops tf.maximum
    gradcheck ops --coverage
    gradcheck ops --defects
    """
    from gradcheck.diagnostics import did_you_mean
    from gradcheck.ops import OPS, find_op
    from gradcheck.ops.declaration import all_names
    from gradcheck.report.operations import op_report, table_report

    out = console(color)
    if sum((bool(names), coverage, defects)) > 1:
        raise click.UsageError("--coverage and --defects are about all operations: give one of them, without names")
    if coverage or defects:
        out.print(_measured() if coverage else _defects())
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
        shipped = _shipped()
        return coverage_report(coverage(shipped.cases, tensorflow))


def _defects() -> "RenderableType":
    from gradcheck.report.defects import defects_report

    return defects_report(_shipped().cases)


def _shipped() -> "Selection":
    return select((shipped_folder(),), keyword=None, tags=(), dtypes=(), limits=())
