"""`gradcheck new`: a case to start from."""

import shutil
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

PACKAGE = Path(__file__).parents[1]


@click.command(short_help="Write a starter case.")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--shipped", is_flag=True, help="Copy the cases that come with gradcheck into the new folder PATH.")
def new(path: Path, shipped: bool) -> None:
    """Write a starter case to PATH; what exists is left alone.

    \b
    gradcheck new cases/entropy.yaml
    gradcheck new --shipped examples/
    """
    try:
        if shipped:
            shutil.copytree(shipped_cases(), path)
        else:
            _write(path)
    except FileExistsError:
        raise click.UsageError(f"{path} exists already") from None
    except OSError as error:
        raise click.ClickException(f"cannot write {path}: {error.strerror}") from None
    click.echo(f"wrote {path}; now: gradcheck compare {path}")


def _write(path: Path) -> None:
    if path.suffix not in (".yaml", ".yml"):
        raise click.UsageError(f"a case file ends in .yaml: {path}.yaml?")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("x", encoding="utf-8") as file:
        file.write(STARTER)


def shipped_cases() -> Path:
    """The folder of the cases that come with gradcheck: inside an installed package, beside it in a checkout."""
    installed = PACKAGE / "shipped_cases"
    return installed if installed.is_dir() else PACKAGE.parent / "cases"
