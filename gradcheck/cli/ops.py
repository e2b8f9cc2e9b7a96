"""`gradcheck ops`: what is supported, and each convention."""

import click

from gradcheck.cli.options import coloured, console


@click.command(short_help="List the operations, or show all about one.")
@click.argument("names", nargs=-1, metavar="[NAME]…")
@coloured
def ops(names: tuple[str, ...], color: str) -> None:
    """List the operations, or show all about those called NAME.

    \b
    gradcheck ops
    gradcheck ops tf.maximum
    """
    from gradcheck.diagnostics import did_you_mean
    from gradcheck.ops import OPS, find_op
    from gradcheck.ops.declaration import all_names
    from gradcheck.report.operations import op_report, table_report

    out = console(color)
    if not names:
        out.print(table_report(list(OPS.values())))
    for name in names:
        try:
            out.print(op_report(find_op(name)))
        except KeyError:
            hint = did_you_mean(name, all_names())
            raise click.UsageError(f"`{name}` is not an operation in the table{f'; {hint}' if hint else ''}") from None
