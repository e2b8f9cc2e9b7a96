"""`gradcheck completion`: the script by which a shell completes, and the answers that the script asks for."""

from collections.abc import Iterator
from pathlib import Path

import click
from click.shell_completion import CompletionItem, ShellComplete, split_arg_string

SCRIPTS = Path(__file__).parents[1] / "templates" / "completion"
SHELLS = ("bash", "zsh", "fish")
CURSOR = "\0"
"""Marks the end of the line, where no shell can have one: quotes may be open there, or a blank be before it."""


@click.command(short_help="Print the script by which a shell completes.")
@click.argument("shell", type=click.Choice(SHELLS))
@click.option("--line", hidden=True, help="Print what can follow on this command line; for the script.")
def completion(shell: str, line: str | None) -> None:
    """Print the script by which a shell completes commands, options, and names of cases, tags and operations.

    Put it where the shell looks for such scripts, or its line into the file that the shell starts with:

    \b
    eval "$(gradcheck completion bash)"      in ~/.bashrc
    eval "$(gradcheck completion zsh)"       in ~/.zshrc, after compinit
    gradcheck completion fish | source       in ~/.config/fish/config.fish
    """
    if line is None:
        click.echo((SCRIPTS / f"gradcheck.{shell}").read_text(encoding="utf-8"), nl=False)
        return
    root = click.get_current_context().find_root().command
    try:
        answers = list(_answers(root, line))
    except Exception:  # whatever it is, a line that is still being typed is not the place to tell
        return
    for each in answers:
        click.echo(each)


def _answers(root: click.Command, line: str) -> Iterator[str]:
    """What can follow, one in a line: `word` or `files`, a tab, the word or the suffixes, a tab, what it means."""
    _, *words, last = split_arg_string(line + CURSOR)
    incomplete = last.removesuffix(CURSOR)
    option, equals, _ = incomplete.partition("=")
    before = f"{option}=" if equals and option.startswith("-") else ""
    for item in ShellComplete(root, {}, "gradcheck", "").get_completions(words, incomplete):
        yield "\t".join(_answer(item, before))


def _answer(item: "CompletionItem[str]", before: str) -> tuple[str, str, str]:
    if item.type == "plain":
        return "word", before + item.value, item.help or ""
    return "files", item.suffixes or "", ""
