"""`gradcheck schema`: the case format, for editors; the protocol, for engines in other languages; the JSON report."""

import click


@click.command(short_help="Print the JSON Schema of case files.")
@click.option("--protocol", is_flag=True, help="Print that of the lines exchanged with `--engine command:…` instead.")
@click.option("--report", is_flag=True, help="Print that of `compare --report json` and of a line of `jsonl` instead.")
def schema(protocol: bool, report: bool) -> None:
    """Print the JSON Schema of case files.

    Editors complete and check case files with it: save it, and name it in the first line of a case.

    \b
    gradcheck schema > gradcheck.schema.json
    # yaml-language-server: $schema=gradcheck.schema.json
    """
    import json

    if protocol and report:
        raise click.UsageError("--protocol and --report are two schemas: ask for one at a time")
    if report:
        from gradcheck.report.schema import json_schema
    elif protocol:
        from gradcheck.subjects.protocol import json_schema
    else:
        from gradcheck.casefile.schema import json_schema

    click.echo(json.dumps(json_schema(), indent=2))
