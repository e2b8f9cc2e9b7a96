"""`gradcheck check`: is the file well formed?"""

import sys
from typing import Any

import click

from gradcheck.cli.options import coloured, complain, problems, select, selecting


@click.command(short_help="Check that case files are well formed.")
@selecting
@coloured
def check(
    color: str,
    **selected: Any,
) -> None:
    """Check that the case files in PATH… are well formed, without running anything.

    \b
    gradcheck check cases/
    """
    selection = select(**selected)
    found = [*selection.diagnostics]
    for case in selection.cases:
        found += problems(case)
    complain(found, color)
    errors = len({each.render() for each in found if each.severity == "error"})
    if not selection.cases and not errors:
        raise click.UsageError("no case is selected")
    if errors:
        click.echo(f"{errors} error{'s' if errors > 1 else ''}", err=True)
        sys.exit(2)
    count = len(selection.cases)
    click.echo(f"{count} case{'s' if count != 1 else ''} well formed")
