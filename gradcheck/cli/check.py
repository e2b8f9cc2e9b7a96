"""`gradcheck check`: is the file well formed?"""

import sys

import click

from gradcheck.cli.options import coloured, complain, select, selecting


@click.command()
@selecting
@coloured
def check(
    paths: tuple[str, ...],
    keyword: str | None,
    tags: tuple[str, ...],
    dtypes: tuple[str, ...],
    limits: tuple[str, ...],
    color: str,
) -> None:
    """Check that the case files in PATH… are well formed, without running anything.

    \b
    gradcheck check cases/
    """
    from gradcheck.diagnostics import Diagnostic, Refused
    from gradcheck.language import lower

    selection = select(paths, keyword, tags, dtypes, limits)
    found: list[Diagnostic] = list(selection.diagnostics)
    for case in selection.cases:
        try:
            found += lower(case, selection.limits).warnings
        except Refused as refused:
            if case.expect.error is None or not any(case.expect.error in each.message for each in refused.diagnostics):
                found += refused.diagnostics
    once = tuple({each.render(): each for each in found}.values())  # a case in several dtypes says a thing once
    complain(once, color)
    errors = sum(each.severity == "error" for each in once)
    if not selection.cases and not errors:
        raise click.UsageError("no case is selected")
    if errors:
        click.echo(f"{errors} error{'s' if errors > 1 else ''}", err=True)
        sys.exit(2)
    count = len(selection.cases)
    click.echo(f"{count} case{'s' if count != 1 else ''} well formed")
