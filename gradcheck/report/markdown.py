"""Results as markdown, to paste into a pull request or to show as a job's summary: what is wrong, then the rest."""

import html
from collections.abc import Iterable, Sequence

from gradcheck.report.run import Problem, Run, problems
from gradcheck.report.table import counted, word

MOST = 100
"""How many rows a table has at most: a comment on GitHub may have 65,536 characters."""


def render(run: Run) -> str:
    """A line that counts the cases, a table of what is wrong, and one of everything else, folded."""
    found = list(problems(run))
    parts = [f"**gradcheck:** {_plain(counted(run.results, run.seconds))}"]
    if not run.complete:
        parts.append(f"{run.selected - len(run.results)} of {run.selected} selected cases were not compared.")
    if found:
        parts.append(_table(["found", "where", "case", "what"], map(_row, found), len(found)))
    wrong = {each.case for each in found}
    rest = [each for each in run.results if each.case.id not in wrong]
    if rest:
        rows = ([word(each), _code(each.case.id), _plain(each.note or each.convention)] for each in rest)
        table = _table(["verdict", "case", "note"], rows, len(rest))
        parts.append(f"<details><summary>{len(rest)} without a finding</summary>\n\n{table}\n\n</details>")
    return "\n\n".join(parts)


def _row(problem: Problem) -> list[str]:
    span = problem.span
    where = _code(f"{span.source.name}:{span.line}") if span else ""
    return [_plain(problem.rule), where, _code(problem.case) if problem.case else "", _plain(problem.sentence)]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], count: int) -> str:
    shown = [list(row) for row, _ in zip(rows, range(MOST), strict=False)]
    lines = [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *shown)]
    more = [f"\nand {count - MOST} more"] if count > MOST else []
    return "\n".join([*lines, *more])


def _plain(text: str) -> str:
    """Text in which nothing but code between backticks is markup."""
    parts = _one_line(text).split("`")
    if len(parts) % 2 == 0:  # a backtick without its fellow
        return _escaped("'".join(parts))
    return "".join(_code(each) if at % 2 else _escaped(each) for at, each in enumerate(parts))


def _escaped(text: str) -> str:
    for sign in "\\*_[]|~":
        text = text.replace(sign, f"\\{sign}")
    return html.escape(text, quote=False)


def _code(text: str) -> str:
    """Code in a cell; a bar would end the cell even here."""
    return f"`{_one_line(text).replace('|', chr(92) + '|').replace('`', chr(39))}`" if text else ""


def _one_line(text: str) -> str:
    return " ".join(text.split())
