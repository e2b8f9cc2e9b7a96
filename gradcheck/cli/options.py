"""What several commands share: their arguments and options, and the cases that these select."""

import ast
import re
import shlex
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar

import click

from gradcheck.cli import candidates

if TYPE_CHECKING:
    from rich.console import Console

    from gradcheck.casefile.case import Case, Loaded
    from gradcheck.casefile.limits import Limits
    from gradcheck.diagnostics import Diagnostic

Command = TypeVar("Command", bound=Callable[..., Any])


def with_options(command: Command, *options: Callable[[Command], Command]) -> Command:
    """A command with options that several share."""
    for option in options:
        command = option(command)
    return command


def as_ids(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """What a command line calls cases, as ids are written: without `./`."""
    return tuple(Path(each).as_posix() for each in values)


def selecting(command: Command) -> Command:
    """The arguments of a command that works on cases."""
    return with_options(
        command,
        click.argument(
            "paths",
            nargs=-1,
            required=True,
            type=click.Path(),
            metavar="PATH…",
            shell_complete=candidates.case_files,
        ),
        click.option(
            "-k",
            "keyword",
            metavar="EXPR",
            shell_complete=candidates.case_words,
            help="Cases whose id has these words: `mlp and not float16`.",
        ),
        click.option(
            "--tag",
            "tags",
            multiple=True,
            metavar="TAG",
            shell_complete=candidates.tags,
            help="Cases with this tag (may be repeated).",
        ),
        click.option(
            "--dtype",
            "dtypes",
            multiple=True,
            metavar="DTYPE",
            shell_complete=candidates.dtypes,
            help="Cases in this dtype (may be repeated).",
        ),
        click.option(
            "--case",
            "ids",
            multiple=True,
            callback=as_ids,
            metavar="ID",
            shell_complete=candidates.case_ids,
            help="The case with this id or name (may be repeated).",
        ),
        click.option(
            "--limit",
            "limits",
            multiple=True,
            metavar="NAME=N",
            shell_complete=candidates.limits,
            help="Raise a limit on the size of cases.",
        ),
    )


def same_run(*options: str) -> str:
    """The command that is running, on all cases of its paths and with `options` in the place of its own."""
    given = click.get_current_context().params
    engine = ["--engine", given["engine"]] if given["engine"] else []
    return shlex.join(["gradcheck", "compare", *given["paths"], *engine, *options])


def coloured(command: Command) -> Command:
    """The option that says whether to use colour."""
    choice = click.Choice(["auto", "always", "never"])
    option: Callable[[Command], Command] = click.option(
        "--color", type=choice, default="auto", help="Colour: on a terminal unless NO_COLOR is set, always, or never."
    )
    return option(command)


def console(color: str, *, stderr: bool = False, file: "IO[str] | None" = None) -> "Console":
    """Where a command prints, a `file` if that is given; lines are not folded when they go to a file or pipe."""
    from gradcheck.cli.output import Output

    made = Output(
        stderr=stderr,
        file=file,
        highlight=False,
        soft_wrap=False,
        force_terminal=True if color == "always" else None,
        no_color=True if color == "never" else None,
        color_system=None if color == "never" else "standard" if color == "always" else "auto",
    )
    if not made.is_terminal:
        made.width = max(made.width, 120)
    return made


@dataclass(frozen=True)
class Selection:
    """The cases that a command line selects, and what is wrong with the files it names."""

    cases: "tuple[Case, ...]"
    diagnostics: "tuple[Diagnostic, ...]"

    @property
    def refused(self) -> bool:
        return any(each.severity == "error" for each in self.diagnostics)


def select(
    paths: tuple[str, ...],
    keyword: str | None,
    tags: tuple[str, ...],
    dtypes: tuple[str, ...],
    limits: tuple[str, ...],
    ids: tuple[str, ...] = (),
    load: "Callable[[Path, Limits], Loaded] | None" = None,
) -> Selection:
    """Load the files and keep the cases that are asked for; raises `click.UsageError` for a malformed option.

    `load` reads a case file, as `load_file` does without it.
    """
    from gradcheck.casefile.find import find
    from gradcheck.casefile.ids import addresses
    from gradcheck.casefile.load import load_file

    load = load or load_file
    matches = matcher(keyword)
    bounds = _limits(limits)
    found = find(paths)
    diagnostics = list(found.diagnostics)
    cases: list[Case] = []
    for file in found.files:
        loaded = load(file, bounds)
        wrong = [*loaded.diagnostics, *(error for case in loaded.flawed for error in problems(case))]
        diagnostics += sorted(wrong, key=lambda each: (each.span.line, each.span.column) if each.span else (0, 0))
        cases += loaded.cases
    if ids:
        if all(each.severity != "error" for each in diagnostics):  # with one, it may be that case which is not there
            known = {address for case in cases for address in addresses(case.id)}
            diagnostics += [no_case(each, [case.id for case in cases]) for each in ids if each not in known]
        cases = [case for case in cases if not addresses(case.id).isdisjoint(ids)]
    kept = [
        case
        for case in cases
        if matches(case.id) and (not tags or set(tags) & set(case.tags)) and (not dtypes or case.dtype in dtypes)
    ]
    return Selection(tuple(kept), tuple(diagnostics))


def no_case(named: str, ids: Collection[str]) -> "Diagnostic":
    """That no case is called `named`; the `ids` are those that there are."""
    from gradcheck.casefile.errors import visible
    from gradcheck.casefile.ids import name_of
    from gradcheck.diagnostics import Diagnostic, did_you_mean

    near = did_you_mean(named, ids) or did_you_mean(named, {name_of(each) for each in ids})
    return Diagnostic("not-found", f"there is no case `{visible(named)}`", help=near)


def problems(case: "Case") -> "tuple[Diagnostic, ...]":
    """What is wrong with the expression of `case`, or odd about it; nothing if it is refused as it expects to be."""
    from gradcheck.diagnostics import Refused
    from gradcheck.language import lower

    try:
        return lower(case).warnings
    except Refused as refused:
        expected = case.expect.error
        asked_for = expected is not None and any(expected in each.message for each in refused.diagnostics)
        return () if asked_for else refused.diagnostics


def _limits(given: tuple[str, ...]) -> "Limits":
    from gradcheck.casefile.limits import Limits

    known = [field.name for field in fields(Limits)]
    values: dict[str, int] = {}
    for each in given:
        name, _, value = each.partition("=")
        if name not in known or not value.replace("_", "").isdecimal():
            raise click.UsageError(f"--limit takes NAME=N with one of {', '.join(known)}; not {each!r}")
        values[name] = int(value)
    return Limits(**values)


def matcher(keyword: str | None) -> Callable[[str], bool]:
    """Whether a text has the words of `keyword`, which may be joined by `and`, `or`, `not` and parentheses."""
    if keyword is None:
        return lambda _: True
    words = re.findall(r"[()]|[^\s()]+", keyword)
    names: dict[str, str] = {}
    parts = []
    for word in words:
        if word in ("and", "or", "not", "(", ")"):
            parts.append(word)
        else:
            parts.append(names.setdefault(word, f"w{len(names)}"))
    try:
        tree = ast.parse(" ".join(parts), mode="eval").body
    except (SyntaxError, RecursionError, MemoryError):
        raise click.UsageError(f"-k takes words joined by `and`, `or`, `not`; not {keyword!r}") from None
    text = {name: word for word, name in names.items()}
    if any(not isinstance(node, _KEYWORD_NODES) for node in ast.walk(tree)):
        raise click.UsageError(f"-k takes words joined by `and`, `or`, `not`; not {keyword!r}")
    return lambda case_id: _holds(tree, case_id, text)


_KEYWORD_NODES = (ast.BoolOp, ast.UnaryOp, ast.Not, ast.And, ast.Or, ast.Name, ast.Load)


def _holds(node: ast.expr, case_id: str, text: dict[str, str]) -> bool:
    if isinstance(node, ast.BoolOp):
        combine = all if isinstance(node.op, ast.And) else any
        return combine(_holds(each, case_id, text) for each in node.values)
    if isinstance(node, ast.UnaryOp):
        return not _holds(node.operand, case_id, text)
    assert isinstance(node, ast.Name)
    return text[node.id] in case_id


def complain(diagnostics: "Sequence[Diagnostic]", color: str) -> None:
    """Print what is wrong with the user's text, to standard error."""
    if not diagnostics:
        return
    from rich.text import Text

    errors = console(color, stderr=True)
    once = {each.render(): each for each in diagnostics}  # a case in several dtypes says a thing once
    for each in once.values():
        style = "red" if each.severity == "error" else "yellow"
        first, _, rest = each.render().partition("\n")
        text = Text(first, style=style)
        if rest:
            text.append("\n" + rest, style="default")
        errors.print(text, soft_wrap=True)
