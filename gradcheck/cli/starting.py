"""The case that `gradcheck new` writes: from its options, and from questions on a terminal.

What an answer makes wrong is shown in the file as it would be, and the question is asked again.
"""

import ast
import codeop
import sys
import textwrap
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import click

from gradcheck.casefile.starter import EXAMPLE, EXAMPLE_INPUTS, Starter
from gradcheck.cli.options import complain
from gradcheck.diagnostics import Refused

Answer = TypeVar("Answer")
SQUARE = "2,2"
"""The shape that is offered for an input of which nothing is known: it suits most operations."""


@dataclass(frozen=True)
class Said:
    """What the options of `gradcheck new` say of the case."""

    expr: str | None
    inputs: tuple[str, ...]
    dtypes: tuple[str, ...]
    description: str | None

    def __bool__(self) -> bool:
        return any(each not in (None, ()) for each in (self.expr, self.inputs, self.dtypes, self.description))


def started(path: Path, said: Said) -> Starter:
    """The case to write to `path`, with nothing wrong in it; raises `Refused` and `click.UsageError`."""
    if not said and _on_terminal():
        return _asked(path)
    starter = _from_options(said)
    review = starter.review(path)
    if review.missing and not review.errors and _on_terminal():
        starter = _with_missing(starter, path)
        review = starter.review(path)
    wanted = [
        replace(each, help=f"{f'{each.help} or ' if each.help else ''}say what it is, as in `--input {name}=3,4`")
        for name, each in review.missing.items()
    ]
    if wanted or review.errors:
        raise Refused([*review.errors, *wanted])
    return starter


def _on_terminal() -> bool:
    """Whether there is somebody to ask; if so, lines can be edited."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    with suppress(ImportError):  # not every Python has it, and none needs it
        import readline  # noqa: F401  that it is loaded is enough
    return True


def _from_options(said: Said) -> Starter:
    description = EXAMPLE.description if said.description is None else said.description
    if said.expr is None:
        if said.inputs:
            raise click.UsageError("--input goes with --expr")
        return replace(EXAMPLE, description=description, dtypes=said.dtypes)
    inputs = []
    for each in said.inputs:
        name, equals, value = each.partition("=")
        if not equals:
            raise click.UsageError(f"--input takes NAME=VALUE, as in `--input x=3,4`; not {each!r}")
        inputs.append((name.strip(), value))
    return Starter(description, _clean(said.expr), dtypes=said.dtypes).with_inputs(inputs)


def _asked(path: Path) -> Starter:
    """Ask for a whole case; Enter everywhere gives the example."""
    click.echo("Enter takes what is in brackets, Ctrl-C writes nothing.")
    description = click.prompt("what the case protects", default=EXAMPLE.description)
    starter = _with_missing(_until_right(partial(_expression, description, path)), path)
    return _until_right(partial(_in_dtypes, starter, path))


def _with_missing(starter: Starter, path: Path) -> Starter:
    """Ask for what the expression uses and the inputs do not have."""
    example = EXAMPLE_INPUTS if starter.expr == EXAMPLE.expr else {}
    missing = starter.review(path).missing
    if missing:
        click.echo(
            "an input: a shape (3,4) or numbers ([[1, 2], [3, 4]]), and a dtype if it has its own ([0, 2] int32)"
        )
    while missing:
        name = next(iter(missing))
        starter = _until_right(partial(_with_input, starter, name, example.get(name, SQUARE), path))
        missing = starter.review(path).missing
    return starter


def _until_right(question: Callable[[], Answer]) -> Answer:
    while True:
        try:
            return question()
        except Refused as refused:
            complain(refused.diagnostics, "auto")


def _expression(description: str, path: Path) -> Starter:
    """Ask for lines until one is an expression, which is what is differentiated, or is empty."""
    text = click.prompt("expression", default="", prompt_suffix=" [an example]: ", show_default=False)
    if not text.strip():
        return replace(EXAMPLE, description=description, inputs={})
    while _goes_on(text):
        line = click.prompt("", default="", prompt_suffix="       ... ", show_default=False)
        if not line.strip():
            break
        text += f"\n{line}"
    return _right(Starter(description, _clean(text)), path)


def _with_input(starter: Starter, name: str, offered: str, path: Path) -> Starter:
    return _right(starter.with_input(name, click.prompt(f"input {name}", default=offered)), path)


def _in_dtypes(starter: Starter, path: Path) -> Starter:
    names = click.prompt("dtype, or several", default="float32").replace(",", " ").split()
    return _right(replace(starter, dtypes=tuple(names)) if names != ["float32"] else starter, path)


def _right(starter: Starter, path: Path) -> Starter:
    """The same, if no more is wrong with it than that inputs are missing; else raises `Refused`."""
    if errors := starter.review(path).errors:
        raise Refused(errors)
    return starter


def _goes_on(text: str) -> bool:
    """Whether another line must follow: a bracket or a block is open, or nothing is there yet to differentiate."""
    try:
        with warnings.catch_warnings(action="ignore"):
            complete = codeop.compile_command(_clean(text), symbol="exec") is not None
            return not complete or not isinstance(ast.parse(_clean(text)).body[-1], ast.Expr)
    except (SyntaxError, ValueError, OverflowError, RecursionError, MemoryError):
        return False  # the reader says what is wrong


def _clean(expr: str) -> str:
    """An expression without what a terminal or an editor put around it."""
    return textwrap.dedent(expr.replace("\r\n", "\n").expandtabs(4)).strip()
