"""`gradcheck run`: our engine alone."""

import sys
from typing import Any

import click

from gradcheck.cli.options import coloured, complain, console, select, selecting


@click.command(short_help="Evaluate cases with gradcheck's engine alone.")
@selecting
@coloured
def run(
    color: str,
    **selected: Any,
) -> None:
    """Evaluate the cases in PATH… with gradcheck's own engine and print outputs and gradients; no TensorFlow.

    \b
    gradcheck run cases/matmul_chain.yaml
    """
    from gradcheck.engine.numpy_engine import NumpyEngine
    from gradcheck.evaluation import evaluate_cases
    from gradcheck.report.values import outcome_report

    selection = select(**selected)
    complain(selection.diagnostics, color)
    if not selection.cases and not selection.refused:
        raise click.UsageError("no case is selected")
    out = console(color)
    bad = selection.refused
    for evaluated in evaluate_cases(selection.cases, NumpyEngine()):
        complain(tuple(evaluated.diagnostics), color)
        bad = bad or not evaluated.ran
        out.print(outcome_report(evaluated))
    sys.exit(2 if bad else 0)
