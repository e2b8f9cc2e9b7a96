"""`gradcheck explain`: the backward pass, step by step."""

import sys
from typing import TYPE_CHECKING, Any

import click

from gradcheck.cli.options import coloured, complain, console, select, selecting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradcheck.explanation import Explanation

FORMATS = ("text", "json", "dot", "mermaid", "svg")


@click.command(short_help="Print the backward pass, step by step.")
@selecting
@click.option("--variable", metavar="NAME", help="Follow this input only: what lies on the paths to it.")
@click.option("--values", is_flag=True, help="Show the arrays of the backward pass too.")
@click.option("--format", "format_", type=click.Choice(FORMATS), default="text", help="What to print.")
@coloured
def explain(
    variable: str | None,
    values: bool,
    format_: str,
    color: str,
    **selected: Any,
) -> None:
    """Explain the gradients of each case in PATH…: its lines one by one, then the way back.

    In reverse topological order: for each operation the contributions that reached it, their sum, the rule, and what
    that hands to each input.

    \b
    gradcheck explain cases/matmul_chain.yaml --values
    gradcheck explain my_case.yaml --variable w
    gradcheck explain my_case.yaml --format svg > graph.svg

    `dot`, `mermaid` and `svg` draw the graph of one case.
    """
    from gradcheck.diagnostics import Refused
    from gradcheck.explanation import explain as explained
    from gradcheck.language import lower

    selection = select(**selected)
    complain(selection.diagnostics, color)
    if not selection.cases and not selection.refused:
        raise click.UsageError("no case is selected")
    if format_ in ("dot", "mermaid", "svg") and len(selection.cases) > 1:
        count = len(selection.cases)
        raise click.UsageError(f"--format {format_} draws one case, and {count} are selected; choose one with -k")
    bad = selection.refused
    explanations: list[Explanation] = []
    for case in selection.cases:
        try:
            lowered = lower(case)
            explanations.append(explained(lowered, variable=variable, values=values))
        except Refused as refused:
            complain(refused.diagnostics, color)
            bad = True
        else:
            complain(lowered.warnings, color)
    if format_ == "text":
        _print(explanations, color)
    elif format_ == "json" or explanations:
        _emit(explanations, format_)
    sys.exit(2 if bad else 0)


def _print(explanations: "Sequence[Explanation]", color: str) -> None:
    from gradcheck.report.lesson.text import lesson

    out = console(color)
    for position, each in enumerate(explanations):
        if position:
            out.print()
        out.print(lesson(each), soft_wrap=True)


def _emit(explanations: "Sequence[Explanation]", format_: str) -> None:
    """Print a document for programs: of all explanations in JSON, of the only one as a graph."""
    from gradcheck.cli.output import emit
    from gradcheck.report.lesson.drawing import drawing
    from gradcheck.report.lesson.graph import graph
    from gradcheck.report.lesson.markup import dot, mermaid
    from gradcheck.report.lesson.record import render

    if format_ == "json":
        emit(render(explanations))
        return
    draw = {"dot": dot, "mermaid": mermaid, "svg": drawing}[format_]
    emit(draw(graph(explanations[0])))
