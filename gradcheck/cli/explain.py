"""`gradcheck explain`: the backward pass, step by step."""

import sys
from typing import Any

import click

from gradcheck.cli.options import coloured, complain, console, select, selecting


@click.command(short_help="Print the backward pass, step by step.")
@selecting
@click.option("--values", is_flag=True, help="Show the arrays too.")
@coloured
def explain(
    values: bool,
    color: str,
    **selected: Any,
) -> None:
    """Print the program of each case in PATH… and its backward pass, step by step.

    In reverse topological order: for each node the contributions that reached it, their sum, and what its rule hands
    to each input.

    \b
    gradcheck explain cases/matmul_chain.yaml --values
    """
    from gradcheck.diagnostics import Refused
    from gradcheck.language import lower
    from gradcheck.report.backward import backward_report

    selection = select(**selected)
    complain(selection.diagnostics, color)
    if not selection.cases and not selection.refused:
        raise click.UsageError("no case is selected")
    bad = selection.refused
    for case in selection.cases:
        try:
            lowered = lower(case, selection.limits)
        except Refused as refused:
            complain(refused.diagnostics, color)
            bad = True
        else:
            complain(lowered.warnings, color)
            console(color).print(backward_report(lowered, values=values))
    sys.exit(2 if bad else 0)
