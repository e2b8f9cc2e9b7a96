"""`gradcheck schema`: the case format, for editors."""

import click


@click.command(short_help="Print the JSON Schema of case files.")
def schema() -> None:
    """Print the JSON Schema of case files.

    Editors complete and check case files with it: save it, and name it in the first line of a case.

    \b
    gradcheck schema > gradcheck.schema.json
    # yaml-language-server: $schema=gradcheck.schema.json
    """
    import json

    from gradcheck.casefile.schema import json_schema

    click.echo(json.dumps(json_schema(), indent=2))
