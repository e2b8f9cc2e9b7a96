"""`gradcheck new`: a case or an engine to start from."""

import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gradcheck.cli import candidates

if TYPE_CHECKING:
    from gradcheck.cli.starting import Said

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


SCHEMA = "gradcheck.schema.json"
"""What the file is called, in a case's folder or one above, by which editors check case files."""


@click.command(short_help="Write a starter case or engine.")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--expr", help="The expression; what it uses and `--input` does not give is asked for.")
@click.option(
    "--input",
    "inputs",
    multiple=True,
    metavar="NAME=VALUE",
    help="An input: a shape (3,4), or what a case file says, then perhaps a dtype (may be repeated).",
)
@click.option(
    "--dtype",
    "dtypes",
    multiple=True,
    metavar="DTYPE",
    shell_complete=candidates.differentiable_dtypes,
    help="Run the case in this dtype (may be repeated).",
)
@click.option("--description", metavar="TEXT", help="What the case protects.")
@click.option("--shipped", is_flag=True, help="Copy the cases that come with gradcheck into the new folder PATH.")
@click.option("--engine", type=click.Choice(list(ENGINES)), help="Write an engine of this kind, and a case beside it.")
def new(path: Path, shipped: bool, engine: str | None, **said: Any) -> None:
    """Write a starter case or engine to PATH; what exists is left alone.

    On a terminal it asks what the case is about; the options answer beforehand.

    An engine works as it is written: a hand-written rule, an engine with a tensor class, with a graph, or with a vjp
    of functions, or a program in JavaScript as an example for any language. Put your own in the marked place.

    \b
    gradcheck new cases/entropy.yaml
    gradcheck new cases/product.yaml --expr 'tf.reduce_sum(x @ w)' --input x=3,4 --input 'w=[[1], [2], [3], [4]]'
    gradcheck new --shipped examples/
    gradcheck new --engine tensor my_engine.py
    """
    from gradcheck.cli.starting import Said

    case = Said(**said)
    if shipped and engine:
        raise click.UsageError("--shipped copies cases, --engine writes an engine: give one of them")
    if case and (shipped or engine):
        raise click.UsageError("--expr, --input, --dtype and --description go with neither --shipped nor --engine")
    written, then = [path], ["gradcheck", "compare", str(path)]
    try:
        if shipped:
            shutil.copytree(shipped_cases(), path)
        elif engine:
            written, then = _write_engine(engine, path)
        else:
            _write_case(path, case)
    except FileExistsError as error:
        raise click.UsageError(f"{error.filename or path} exists already") from None
    except OSError as error:
        raise click.ClickException(f"cannot write {path}: {error.strerror}") from None
    click.echo(f"wrote {' and '.join(map(str, written))}; now: {shlex.join(then)}")


def _write_case(path: Path, said: "Said") -> None:
    """Write the case that is described, and name the schema in it if there is one."""
    from gradcheck.cli.options import complain
    from gradcheck.cli.starting import started
    from gradcheck.diagnostics import Refused

    _suffixed(path, "a case file", ".yaml", ".yml")
    if os.path.lexists(path):  # before anything is asked
        raise FileExistsError
    try:
        starter = started(path, said)
    except Refused as refused:
        complain(refused.diagnostics, "auto")
        sys.exit(2)
    schema = _schema_for(path)
    _write(path, starter.text(schema))
    complain(starter.review(path, schema).warnings, "auto")
    if schema is None:
        click.echo(f"editors can check cases: `gradcheck schema > {SCHEMA}`, and the next case names it", err=True)


def _schema_for(path: Path) -> str | None:
    """The schema that lies nearest, in the folder of `path` or one above, as seen from there."""
    folder = path.absolute().parent
    found = next((each / SCHEMA for each in (folder, *folder.parents) if (each / SCHEMA).is_file()), None)
    return None if found is None else Path(os.path.relpath(found, folder)).as_posix()


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
