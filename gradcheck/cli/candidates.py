"""What can stand where on a command line: cases, tags, dtypes, operations and so on, for the completion of shells.

Nothing here loads NumPy, except where operations and all dtypes are asked for. Case files are read as far as a budget
goes, and what cannot be read has no candidates.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

MOST_BYTES = 1_000_000
"""How much of the case files is read, all together: about what half a second is enough for."""
MOST_FILES = 1_000
LONGEST_HELP = 60
HARMLESS = re.compile(r"[\w./:=-]+")
"""What a shell takes as it is, whatever a file is called."""
FOLDER = Path("cases")
"""Where cases are looked for if the command line names no file."""

Items = list["CompletionItem[str]"]


def files(suffixes: str = "") -> "CompletionItem[str]":
    """Folders and files, which the shell itself lists: those with one of the suffixes (`yaml|yml`), or all."""
    return CompletionItem("", type="file", suffixes=suffixes)


def case_files(_context: click.Context, _parameter: click.Parameter, _incomplete: str) -> Items:
    return [files("yaml|yml")]


def case_words(context: click.Context, _parameter: click.Parameter, incomplete: str) -> Items:
    """The names of cases, for `-k`."""
    return _beginning(incomplete, {name: case.get("description") for _, name, case in _cases(context)})


def case_ids(context: click.Context, _parameter: click.Parameter, incomplete: str) -> Items:
    """The names of cases; their whole ids where a path is begun."""
    found = list(_cases(context))
    if "/" not in incomplete and ":" not in incomplete:
        return _beginning(incomplete, {name: case.get("description") for _, name, case in found})
    return _beginning(incomplete, {case_id: case.get("description") for case_id, _, case in found})


def tags(context: click.Context, _parameter: click.Parameter, incomplete: str) -> Items:
    return _beginning(incomplete, _said(context, "tags"))


def dtypes(context: click.Context, _parameter: click.Parameter, incomplete: str) -> Items:
    """The dtypes that the cases have."""
    return _beginning(incomplete, _said(context, "dtype", "float32"))


def differentiable_dtypes(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> Items:
    from gradcheck.dtypes import DTYPES, is_differentiable

    return _beginning(incomplete, [name for name, dtype in DTYPES.items() if is_differentiable(dtype)])


def operations(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> Items:
    from gradcheck.ops.declaration import all_names

    return _beginning(incomplete, sorted(all_names()))


def reports(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> Items:
    """A format, alone or with `=` for the file that follows."""
    from gradcheck.report.formats import FORMATS

    if "=" in incomplete:
        return [files()]
    return _beginning(incomplete, [word for name in FORMATS for word in (name, f"{name}=")])


def limits(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> Items:
    from dataclasses import fields

    from gradcheck.casefile.limits import Limits

    return _beginning(incomplete, [f"{each.name}=" for each in fields(Limits)])


def engines(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> Items:
    from gradcheck.cli.subject import OURS
    from gradcheck.installed import engines as installed

    return [*_beginning(incomplete, [OURS, *installed(), "command:"]), files("py")]


def _beginning(incomplete: str, words: Iterable[str]) -> Items:
    """The words that go on where the user stopped; with what they say of themselves, if it is a mapping to that."""
    said: Mapping[str, object] = words if isinstance(words, Mapping) else {}
    good = (word for word in words if word.startswith(incomplete) and HARMLESS.fullmatch(word))
    return [CompletionItem(word, help=_short(said.get(word))) for word in good]


def _short(text: object) -> str | None:
    """A text in one line that a terminal can show; None for none."""
    line = " ".join(text.split()) if isinstance(text, str) else ""
    line = "".join(each if each.isprintable() else "?" for each in line)
    return (line if len(line) <= LONGEST_HELP else f"{line[: LONGEST_HELP - 1]}…") or None


def _said(context: click.Context, key: str, otherwise: str | None = None) -> list[str]:
    """What the cases say under `key`, a word or a list of words; `otherwise` is what one says that does not."""
    found = set()
    for _, _, case in _cases(context):
        given = case.get(key, otherwise)
        found |= {each for each in (given if isinstance(given, list) else [given]) if isinstance(each, str)}
    return sorted(found)


def _cases(context: click.Context) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Id, name and keys of each case in the files that the command line names before the cursor, or in `cases/`."""
    from gradcheck.casefile.names import case_name_problem

    for path, data in _case_files(context):
        if not isinstance(data.get("cases"), dict):
            if case_name_problem(path.stem) is None:
                yield path.as_posix(), path.stem, data
            continue
        defaults = data.get("defaults")
        shared = defaults if isinstance(defaults, dict) else {}
        for name, case in data["cases"].items():
            if case_name_problem(name) is None:
                own = case if isinstance(case, dict) else {}
                yield f"{path.as_posix()}::{name}", name, {**shared, **own, "tags": _joined(shared, own)}


def _joined(shared: Mapping[str, Any], own: Mapping[str, Any]) -> list[Any]:
    return [tag for each in (shared, own) if isinstance(each.get("tags"), list) for tag in each["tags"]]


def _case_files(context: click.Context) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The case files that can be read within the budget, each with what it says."""
    from gradcheck.casefile.limits import Limits
    from gradcheck.casefile.yaml import parse
    from gradcheck.diagnostics import Refused, Source

    named = context.params.get("paths") or context.args  # the latter where an option waits for its value
    left = MOST_BYTES
    for path in islice(_walk(Path(str(each)) for each in named or [FOLDER]), MOST_FILES):
        try:
            if path.stat().st_size > left:
                continue
            text = path.read_bytes()
            left -= len(text)
            data = parse(Source("", text.decode("utf-8-sig").replace("\r\n", "\n")), Limits()).root.data
        except (OSError, ValueError, Refused):
            continue
        if isinstance(data, dict):
            yield path, data


def _walk(paths: Iterable[Path]) -> Iterator[Path]:
    """The case files among and under `paths`, without those in hidden folders."""
    for path in paths:
        if path.is_file():
            yield path
        for here, folders, names in os.walk(path):
            folders[:] = sorted(each for each in folders if not each.startswith("."))
            for each in sorted(names):
                if each.endswith((".yaml", ".yml")) and (found := Path(here, each)).is_file():
                    yield found
