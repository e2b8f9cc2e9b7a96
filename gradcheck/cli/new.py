"""`gradcheck new`: a case or an engine to start from."""

import shlex
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
TEMPLATES = PACKAGE / "templates"
ENGINES = {
    "rule": ("engine_rule.py", "engine_rule.yaml"),
    "tensor": ("engine_tensor.py", "engine.yaml"),
    "graph": ("engine_graph.py", "engine.yaml"),
    "functional": ("engine_functional.py", "engine.yaml"),
    "node": ("engine.js", "engine.yaml"),
}
"""The kinds of engine that there is a starter for: its file and that of its case among the templates."""


@click.command(short_help="Write a starter case or engine.")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--shipped", is_flag=True, help="Copy the cases that come with gradcheck into the new folder PATH.")
@click.option("--engine", type=click.Choice(list(ENGINES)), help="Write an engine of this kind, and a case beside it.")
def new(path: Path, shipped: bool, engine: str | None) -> None:
    """Write a starter case or engine to PATH; what exists is left alone.

    An engine works as it is written: a hand-written rule, an engine with a tensor class, with a graph, or with a vjp
    of functions, or a program in JavaScript as an example for any language. Put your own in the marked place.

    \b
    gradcheck new cases/entropy.yaml
    gradcheck new --shipped examples/
    gradcheck new --engine tensor my_engine.py
    """
    if shipped and engine:
        raise click.UsageError("--shipped copies cases, --engine writes an engine: give one of them")
    written, then = [path], ["gradcheck", "compare", str(path)]
    try:
        if shipped:
            shutil.copytree(shipped_cases(), path)
        elif engine:
            written, then = _write_engine(engine, path)
        else:
            _suffixed(path, "a case file", ".yaml", ".yml")
            _write(path, STARTER)
    except FileExistsError as error:
        raise click.UsageError(f"{error.filename or path} exists already") from None
    except OSError as error:
        raise click.ClickException(f"cannot write {path}: {error.strerror}") from None
    click.echo(f"wrote {' and '.join(map(str, written))}; now: {shlex.join(then)}")


def _write_engine(kind: str, path: Path) -> tuple[list[Path], list[str]]:
    """Write an engine and a case of the same name: their paths, and the command that runs the one with the other."""
    template, example = ENGINES[kind]
    suffix = Path(template).suffix
    _suffixed(path, "an engine of this kind", suffix)
    case = path.with_suffix(".yaml")
    if case.exists():
        raise click.UsageError(f"{case} exists already")
    _write(path, (TEMPLATES / template).read_text(encoding="utf-8"))
    _write(case, (TEMPLATES / example).read_text(encoding="utf-8"))
    named = f"command:node {shlex.quote(str(path))}" if suffix == ".js" else str(path)
    return [path, case], ["gradcheck", "compare", str(case), "--engine", named]


def _suffixed(path: Path, what: str, *suffixes: str) -> None:
    if path.suffix not in suffixes:
        raise click.UsageError(f"{what} ends in {suffixes[0]}: {path}{suffixes[0]}?")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("x", encoding="utf-8") as file:
        file.write(text)


def shipped_cases() -> Path:
    """The folder of the cases that come with gradcheck: inside an installed package, beside it in a checkout."""
    installed = PACKAGE / "shipped_cases"
    return installed if installed.is_dir() else PACKAGE.parent / "cases"


def shipped_folder() -> str:
    """The folder of the shipped cases, by a short name where it has one."""
    folder = shipped_cases()
    return str(folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder)
