"""`--report FORMAT[=FILE]`: which reports are asked for, where they go, and what becomes of those that fail."""

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import IO, TYPE_CHECKING, Protocol

import click

from gradcheck.cli import candidates
from gradcheck.cli.options import Command, console
from gradcheck.report.formats import FORMATS, renderer

if TYPE_CHECKING:
    from gradcheck.report.run import Run
    from gradcheck.report.table import Show
    from gradcheck.verdict.record import Result


@dataclass(frozen=True)
class Wanted:
    """A report that is asked for, and the file it goes to; None for standard output."""

    format: str
    file: str | None = None
    appended: bool = False

    def __str__(self) -> str:
        return f"the {self.format} report for {self.file or 'standard output'}"


def _parsed(_context: click.Context, _option: click.Parameter, values: tuple[str, ...]) -> tuple[Wanted, ...]:
    return tuple(map(_one, values))


def _one(value: str) -> Wanted:
    name, equals, file = value.partition("=")
    if name not in FORMATS:
        from gradcheck.diagnostics import did_you_mean

        advice = did_you_mean(name, FORMATS)
        raise click.BadParameter(f"{name!r} is not one of {', '.join(FORMATS)}{f'; {advice}' if advice else ''}")
    if equals and not file:
        raise click.BadParameter(f"{value!r} names no file")
    return Wanted(name, file or None)


def reporting(command: Command) -> Command:
    """The option that says which reports are written where."""
    option: Callable[[Command], Command] = click.option(
        "--report",
        "reports",
        callback=_parsed,
        multiple=True,
        metavar="FORMAT[=FILE]",
        shell_complete=candidates.reports,
        help=f"{', '.join(FORMATS)}; to a file, or one of them to standard output (may be repeated).",
    )
    return option(command)


def wanted(given: Sequence[Wanted]) -> list[Wanted]:
    """The reports to write: those that are given, and the table where none of them takes standard output.

    In GitHub Actions its annotations go with that table, and the summary of the job with the annotations. Raises
    `click.UsageError` for two reports in one place.
    """
    places = [each.file and os.path.realpath(each.file) for each in given]
    for place in places:
        if places.count(place) > 1:
            both = " and ".join(each.format for each, at in zip(given, places, strict=True) if at == place)
            where = "standard output; give all but one a file: --report FORMAT=FILE" if place is None else place
            raise click.UsageError(f"--report: {both} would both go to {where}")
    reports = list(given)
    formats = [each.format for each in given]
    if None not in places:
        if "table" not in formats:
            reports.append(Wanted("table"))
        if "github" not in formats and os.environ.get("GITHUB_ACTIONS") == "true":
            reports.append(Wanted("github"))
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if summary and any(each.format == "github" for each in reports):
        reports.append(Wanted("markdown", summary, appended=True))
    return reports


class Reports:
    """The reports of one run, written while it goes on.

    One that cannot be written is told on standard error; the others go on. `failed` says that there was one, `fault`
    is the first exception of a report that is our own mistake.
    """

    def __init__(self, asked: Sequence[Wanted], show: "Show", engine: str, color: str) -> None:
        self.failed = False
        self.fault: Exception | None = None
        self._writers: dict[Wanted, _Writer] = {}
        for each in sorted(asked, key=lambda each: each.file is not None):  # what is looked at comes first
            self._attempt(each, partial(self._open, each, show, engine, color))

    def add(self, result: "Result", *, shown: bool = False) -> None:
        """Show a case that has been judged, in the reports that do so at once.

        What was `shown` before by the same command is on standard output already; a file is written anew.
        """
        for each, writer in list(self._writers.items()):
            if each.file is not None or not shown:
                self._attempt(each, partial(writer.add, result))

    def close(self, run: "Run") -> None:
        """Write what comes at the end."""
        for each, writer in list(self._writers.items()):
            self._attempt(each, partial(writer.end, run))
            self._attempt(each, writer.target.close)

    def _open(self, report: Wanted, show: "Show", engine: str, color: str) -> None:
        target = _Target(report)
        if report.format == "table":
            self._writers[report] = _Table(target, show, engine, color)
        else:
            self._writers[report] = _Lines(target) if report.format == "jsonl" else _Whole(target, report.format)

    def _attempt(self, report: Wanted, action: Callable[[], object]) -> None:
        try:
            action()
        except OSError as error:
            self.failed = True
            self._drop(report)
            click.echo(f"{report} cannot be written: {error.strerror or error}", err=True)
            if report.file is None:
                from gradcheck.cli.output import discard

                discard()
        except Exception as error:
            self.fault = self.fault or error
            self._drop(report)

    def _drop(self, report: Wanted) -> None:
        writer = self._writers.pop(report, None)
        if writer is not None:
            with suppress(OSError):  # of what is left to be written; that it cannot be has been told
                writer.target.close()


class _Target:
    """Standard output, or a file: opened at once, so that no report of an earlier run is taken for this one's."""

    def __init__(self, report: Wanted) -> None:
        self.file: IO[str] | None = None
        if report.file is not None:
            mode = "a" if report.appended else "w"
            self.file = open(report.file, mode, encoding="utf-8", errors="backslashreplace")  # noqa: PTH123, SIM115

    def write(self, text: str) -> None:
        if self.file is None:
            from gradcheck.cli.output import emit

            emit(text)
        else:
            self.file.write(text + "\n")
            self.file.flush()

    def close(self) -> None:
        if self.file is not None:
            self.file.close()


class _Writer(Protocol):
    """What makes a report of a run."""

    target: _Target

    def add(self, result: "Result", /) -> None:
        """Write what can be said of a case as soon as it is judged."""
        ...

    def end(self, run: "Run", /) -> None:
        """Write what can be said only at the end."""
        ...


class _Table:
    """Each result when it is there, then the summary; what was wrong before is named, not shown again."""

    def __init__(self, target: _Target, show: "Show", engine: str, color: str) -> None:
        from gradcheck.verdict.findings import Findings

        self.target = target
        self._out = console(color, file=target.file)
        self._show: Show = show
        self._engine = engine
        self._findings = Findings()

    def add(self, result: "Result") -> None:
        from gradcheck.report.table import case_report, known_report

        new = self._findings.add(result)
        shown = case_report(result, self._show, self._engine) if new else known_report(result, self._findings)
        self._out.print(shown)

    def end(self, run: "Run") -> None:
        from gradcheck.report.table import Summary

        if run.selected:
            self._out.print(Summary(run.results, self._findings, run.seconds))


class _Lines:
    """A line for each result when it is there."""

    def __init__(self, target: _Target) -> None:
        self.target = target

    def add(self, result: "Result") -> None:
        from gradcheck.report.jsonl import line

        self.target.write(line(result))

    def end(self, _run: "Run") -> None:
        """All has been written."""


class _Whole:
    """One text at the end."""

    def __init__(self, target: _Target, name: str) -> None:
        self.target = target
        self._name = name

    def add(self, _result: "Result") -> None:
        """Nothing is written yet."""

    def end(self, run: "Run") -> None:
        if text := renderer(self._name)(run):
            self.target.write(text)
