"""`gradcheck new`: a case to start from."""

from pathlib import Path

import click

STARTER = """\
# yaml-language-server: $schema=gradcheck.schema.json
description: What this case protects, in one sentence.
inputs:
  x: [[1.0, 2.0], [3.0, 4.0]]
  w: {shape: [2, 3], random: normal, seed: 1}
expr: |
  h = tf.nn.softmax(x @ w, axis=-1)
  tf.reduce_sum(h * tf.math.log(h))
"""


@click.command()
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False))
def new(path: Path) -> None:
    """Write a starter case to PATH; a file that exists is left alone.

    \b
    gradcheck new cases/entropy.yaml
    """
    if path.suffix not in (".yaml", ".yml"):
        raise click.UsageError(f"a case file ends in .yaml: {path}.yaml?")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(STARTER)
    except FileExistsError:
        raise click.UsageError(f"{path} exists already") from None
    except OSError as error:
        raise click.ClickException(f"cannot write {path}: {error.strerror}") from None
    click.echo(f"wrote {path}; now: gradcheck compare {path}")
