"""`compare --watch`: what changes is compared again, beside a TensorFlow that stays loaded, until Ctrl-C."""

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from gradcheck.cli.comparing import Manner, one_pass
from gradcheck.cli.options import complain, console, select
from gradcheck.cli.reference import reference, start
from gradcheck.cli.running import at_home, remembering
from gradcheck.running.changes import CaseFiles, Change, EngineFiles, alike
from gradcheck.verdict.record import Status

if TYPE_CHECKING:
    from gradcheck.casefile.case import Case
    from gradcheck.cli.running import Runner
    from gradcheck.diagnostics import Diagnostic
    from gradcheck.verdict.record import Result

ELSEWHERE = "compares in this process, beside the one TensorFlow that it keeps loaded"
ENDLESS = "goes on, with all cases that are selected"
REFUSED = {
    "jobs": ("--jobs", ELSEWHERE),
    "memory": ("--memory-limit", ELSEWHERE),
    "executor": ("--executor", ELSEWHERE),
    "offline": ("--offline", "asks TensorFlow about what changes, of which nothing is recorded"),
    "most": ("--fail-fast and --max-failures", ENDLESS),
    "shard": ("--shard", ENDLESS),
    "durations": ("--durations", ENDLESS),
    "write_baseline": ("--write-baseline", ENDLESS),
}
"""What does not go with `--watch`, and what this does instead, by the names of the parameters."""
QUIET = 50
"""Milliseconds without a change after which a file counts as written: editors write twice, or rename."""
GLANCE = 5000
"""Milliseconds after which files are looked at without being told of a change, as on network drives."""
MOST_NAMED = 5


def refuse_others() -> None:
    """Raises `click.UsageError` for an option of the running command that does not go with `--watch`."""
    given = click.get_current_context().params
    for name, (option, reason) in REFUSED.items():
        if given[name] and not (name == "jobs" and given[name] == 1):
            raise click.UsageError(f"--watch {reason}: leave out {option}")


def watched(
    selected: Mapping[str, Any], prepared: "Callable[[Case], Case]", manner: Manner, timeout: float, no_cache: bool
) -> NoReturn:
    """Compare the cases that are `selected`, each `prepared`; then what changes, again and again.

    Raises `click.UsageError` if there is nothing to begin with.
    """
    watch = _Watch(selected, prepared, manner)
    engine = EngineFiles(manner.engine, Path.cwd())
    with reference(timeout, no_cache=no_cache, offline=False) as refer:
        while True:
            engine.look()
            watch.results = {}  # of the engine as it was
            with at_home(refer, manner.engine, timeout) as run:
                while not engine.changes():
                    watch.compare(run if manner.engine or no_cache else remembering(run))
                    start(refer())  # the first change need not wait for it
                    watch.wait(engine)


class _Watch:
    """The passes of one command; `results`, by the id of the case, are those that hold until the case changes."""

    def __init__(self, selected: Mapping[str, Any], prepared: "Callable[[Case], Case]", manner: Manner) -> None:
        self.results: dict[str, Result] = {}
        self._selected = selected
        self._prepared = prepared
        self._manner = manner
        self._files = CaseFiles(selected["paths"])
        self._cases: dict[str, Case] | None = None
        self._told: Sequence[Diagnostic] = ()

    def compare(self, run: "Runner") -> None:
        """Compare what is new or has changed, and report."""
        since = time.perf_counter()
        selection = select(**self._selected, load=self._files.load)
        complain([each for each in selection.diagnostics if each not in self._told], self._manner.color)
        self._told = selection.diagnostics
        if not selection.cases and not selection.refused:
            if self._cases is None:
                raise click.UsageError("no case is selected")
            click.echo("no case is selected", err=True)
        first, before = self._cases is None, self._cases or {}
        self._cases = {case.id: case for case in selection.cases}
        cases = [self._prepared(case) for case in selection.cases]
        held = {
            case.id: replace(self.results[case.id], case=case, kept=True)
            for read, case in zip(selection.cases, cases, strict=True)
            if case.id in self.results and _holds(self.results[case.id], before[case.id], read)
        }
        self.results = {}
        try:
            done, _ = one_pass(run, deque(cases), selection, self._manner, since, held)
        except click.UsageError as error:  # the engine cannot be loaded any more
            if first:
                raise
            click.echo(error.format_message(), err=True)
            return
        self.results = {each.case.id: each for each in done}

    def wait(self, engine: EngineFiles) -> None:
        """Wait until something has changed, and tell what."""
        from watchfiles import watch

        out = console(self._manner.color, stderr=True)
        count = len(self._files.files | engine.stamps.keys())
        out.print(f"watching {count} file{'' if count == 1 else 's'}; Ctrl-C ends", style="dim")
        while not (found := self._files.changes() | engine.changes()):
            folders = self._files.folders() | engine.folders()
            waiting = watch(
                *folders,
                watch_filter=None,
                step=QUIET,
                rust_timeout=GLANCE,
                yield_on_timeout=True,
                recursive=False,
                ignore_permission_denied=True,
            )
            try:
                with closing(waiting) as events:
                    for _ in events:
                        if self._files.changes() or engine.changes():
                            break
                        if self._files.folders() | engine.folders() != folders:
                            break
            except FileNotFoundError:  # a folder went away just now
                continue
            except OSError as error:
                raise click.UsageError(f"the files cannot be watched: {error}") from None
        self._files.forget(path for path, what in found.items() if what == "gone")
        out.print(f"{time.strftime('%X')} {_told(found)}", style="dim", soft_wrap=True)


def _holds(result: "Result", before: "Case", now: "Case") -> bool:
    """Whether the result of a case as it was is that of the case as it is: no place in the file has moved in it."""
    if before is now:
        return True
    silent = result.diagnosis is None and result.status in (Status.PASSED, Status.SKIPPED)
    return silent and alike(before, now)


def _told(found: Mapping[Path, Change]) -> str:
    """The files by what became of them."""
    parts = []
    for change in ("changed", "new", "gone"):
        names = [_seen_from_here(path) for path, what in found.items() if what == change]
        rest = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
        if names:
            parts.append(f"{change}: {', '.join(names[:MOST_NAMED])}{rest}")
    return "; ".join(parts)


def _seen_from_here(path: Path) -> str:
    from gradcheck.casefile.errors import visible

    here = Path.cwd()
    return visible((path.relative_to(here) if path.is_relative_to(here) else path).as_posix())
