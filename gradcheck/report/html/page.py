"""The page as a whole: the template filled in, with style, script and data inside it."""

import json
from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from gradcheck.installed import version
from gradcheck.program import Program
from gradcheck.report.html.arrays import Arrays
from gradcheck.report.html.graph import program_record
from gradcheck.report.html.record import case_record
from gradcheck.report.html.source import Mark, marks
from gradcheck.report.program import program_of
from gradcheck.report.run import Run
from gradcheck.report.table import counted, word
from gradcheck.report.text import share
from gradcheck.verdict.findings import Findings
from gradcheck.verdict.record import Result, Status, Verdict

if TYPE_CHECKING:
    from jinja2 import Template

FOLDER: Final = Path(__file__).parent / "page"
SCRIPTS: Final = ("dom", "arrays", "heatmap", "variables", "source", "graph", "case", "page")
"""In the order in which the page runs them: together they are one function."""
FIRST: Final = (Status.FAILED, Status.NOT_RUN, Status.UNSUPPORTED, Status.PASSED, Status.SKIPPED)
"""In this order the cases are listed."""
CAUSES: Final = 6
"""How many things that are wrong are told at once; the others, and what is only missing, can be unfolded."""
SHOWN: Final = 8
"""How many of the cases in which one thing is wrong are named beside it."""
KINDS: Final = {
    Status.FAILED: "failed",
    Status.NOT_RUN: "not-run",
    Status.UNSUPPORTED: "unsupported",
    Status.PASSED: "passed",
    Status.SKIPPED: "skipped",
}
"""How the style calls a status."""


@dataclass(frozen=True)
class Row:
    """A case in the list; `data` is where the page keeps what there is to say about it."""

    href: str
    data: str
    name: str
    file: str
    word: str
    kind: str
    aside: str
    tags: str


@dataclass(frozen=True)
class Cause:
    """One thing that is wrong; the cases in which it shows, by name and address, those shown at once and the others."""

    sentence: str
    kind: str
    first: Sequence[tuple[str, str]]
    others: Sequence[tuple[str, str]]


def render(run: Run) -> str:
    """The page; what is gravest comes first, and has its arrays in it before others have."""
    ranked = sorted(run.results, key=lambda each: (FIRST.index(each.status), word(each) == Verdict.AGREE))
    data = _Data(run.engine)
    rows = [_row(each, data.add(f"case-{at}", each)) for at, each in enumerate(ranked)]
    style, script = (FOLDER / "page.css").read_text("utf-8"), _script()
    causes = list(_causes(run.results))
    urgent = [each for each in causes if each.kind != KINDS[Status.UNSUPPORTED]][:CAUSES]
    return _template().render(
        version=version("gradcheck"),
        policy=f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; base-uri 'none'",
        style=style,
        script=script,
        headline=_headline(run),
        kind=KINDS[ranked[0].status] if ranked else "not-run" if run.diagnostics else "skipped",
        counted=counted(run.results, run.seconds),
        missing=run.selected - len(run.results),
        selected=run.selected,
        words=_words(rows),
        rows=rows,
        causes=urgent,
        further=[each for each in causes if each not in urgent],
        diagnostics=[each.render() for each in run.diagnostics],
        blocks=data.blocks,
    )


class _Data:
    """The JSON in the page, by name: one for each case, and one for each program, however many cases share it."""

    def __init__(self, engine: str) -> None:
        self.blocks: dict[str, str] = {}
        self._engine = engine
        self._arrays = Arrays()
        self._programs: dict[object, str] = {}

    def add(self, name: str, result: Result) -> str:
        """Put in all about a case, under a name, which is given back."""
        program = program_of(result.case)
        found = marks(program, result.diagnosis) if program is not None else []
        record = case_record(result, program, found, self._arrays, self._engine)
        record["program"] = None
        if program is not None:
            record["program"] = self._shared(program, found)
        self.blocks[name] = _json(record)
        return name

    def _shared(self, program: Program, found: Sequence[Mark]) -> str:
        key = (str(program), *found)
        if key not in self._programs:
            self._programs[key] = f"program-{len(self._programs)}"
            self.blocks[self._programs[key]] = _json(program_record(program, found))
        return self._programs[key]


def _json(record: dict[str, Any]) -> str:
    """JSON that nothing in a page can take for markup."""
    text = json.dumps(record, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _headline(run: Run) -> str:
    """What a person wants to know first."""
    count = Counter(each.status for each in run.results)
    failed, stopped, total = count[Status.FAILED], count[Status.NOT_RUN], len(run.results)
    parts: list[str] = []
    if failed:
        parts.append(f"{failed} of {_number(total, 'case')} {'fails' if failed == 1 else 'fail'}")
    if stopped:
        parts.append(f"{stopped if parts else _number(stopped, 'case')} could not run")
    if run.diagnostics:
        parts.append(f"{_number(len(run.diagnostics), 'problem')} in the files")
    if parts:
        return ", ".join(parts)
    passed = count[Status.PASSED]
    if not passed:
        return "No case was compared"
    others = total - passed
    return f"{_number(passed, 'case')} {'passes' if passed == 1 else 'pass'}" + (f", {others} apart" if others else "")


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _words(rows: Sequence[Row]) -> list[tuple[str, str, int]]:
    """The verdicts to filter by: the word, its kind and how many cases have it, in the order of the list."""
    count = Counter(each.word for each in rows)
    kinds = {each.word: each.kind for each in rows}
    return [(each, kind, count[each]) for each, kind in kinds.items()]


def _row(result: Result, data: str) -> Row:
    file, _, name = result.case.id.rpartition("::")
    tags = " ".join(result.case.tags)
    return Row(_href(result), data, name, file, word(result), KINDS[result.status], _aside(result), tags)


def _aside(result: Result) -> str:
    """How much of what is allowed the case takes, where that tells something."""
    worst = max((each.worst for each in result.comparisons if each.worst), key=lambda each: each.used, default=None)
    if worst is None or (result.verdict is not Verdict.AGREE and worst.used <= 1):
        return ""
    return f"{share(worst)} of the allowed" if worst.used else "equal"


def _href(result: Result) -> str:
    """The address of a case within the page: the same in the next run."""
    return f"#{quote(result.case.id, safe='')}"


def _causes(results: Sequence[Result]) -> Iterable[Cause]:
    """What is wrong, each once, what shows most often first."""
    for each in sorted(Findings(results), key=lambda each: (FIRST.index(each.status), -len(each.results))):
        links = [(result.case.id.rpartition("::")[2], _href(result)) for result in each.results]
        yield Cause(each.sentence, KINDS[each.status], links[:SHOWN], links[SHOWN:])


def _script() -> str:
    parts = "\n".join((FOLDER / f"{name}.js").read_text("utf-8") for name in SCRIPTS)
    return f'(() => {{\n"use strict";\n{parts}}})();\n'


@cache
def _template() -> "Template":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["as_is"] = Markup  # our own style and script, and JSON in which nothing is markup
    return environment.get_template("page.html")


def _hash(text: str) -> str:
    """What the page's policy knows its own style and script by."""
    return f"sha256-{b64encode(sha256(text.encode('utf-8')).digest()).decode('ascii')}"
