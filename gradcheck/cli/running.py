"""Where the cases of a command run: at home beside TensorFlow's process, or wholly in processes of their own."""

import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from gradcheck.cli.options import Command, with_options
from gradcheck.cli.reference import reference
from gradcheck.cli.subject import loadable, subject

if TYPE_CHECKING:
    from gradcheck.casefile.case import Case
    from gradcheck.reference.answers import Reference
    from gradcheck.running.examiner import Setting
    from gradcheck.running.stream import Submit
    from gradcheck.verdict.inquiry import Inquiry
    from gradcheck.verdict.record import Result

    Refer = Callable[[], Reference]
    Runner = Callable[[Iterable[Case], Inquiry], Iterator[Result]]

UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS")
"""By what the libraries are told how many threads they may use."""


@dataclass(frozen=True)
class Where:
    """What the command line says about where cases run; `memory` in bytes."""

    jobs: int
    memory: int | None
    timeout: float
    executor: str | None = None

    @property
    def home(self) -> bool:
        """Whether our engine runs in this process, and TensorFlow in the only other one."""
        return self.jobs == 1 and self.memory is None and self.executor is None


def _jobs(_context: click.Context, _parameter: click.Parameter, value: str) -> int:
    if value == "auto":
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if not value.isdecimal() or int(value) < 1:
        raise click.BadParameter(f"{value!r} is neither a number of processes nor `auto`")
    return int(value)


def _memory(_context: click.Context, _parameter: click.Parameter, value: str | None) -> int | None:
    if value is None:
        return None
    from gradcheck.running.confinement import can_limit_memory

    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?", value.strip(), re.IGNORECASE)
    if found is None or float(found[1]) == 0:
        raise click.BadParameter(f"{value!r} is not a size: 500M, 2G")
    if not can_limit_memory():
        raise click.BadParameter("this system does not let a process bound its memory; Linux does")
    return int(float(found[1]) * UNITS[found[2].upper()])


def running(command: Command) -> Command:
    """The options that say where cases run, and what they may take."""
    return with_options(
        command,
        click.option(
            "--jobs", default="1", callback=_jobs, metavar="N|auto", help="Compare so many cases at the same time."
        ),
        click.option(
            "--timeout",
            type=click.FloatRange(0, 1e6, min_open=True),
            default=60.0,
            help="Seconds that an engine may take for one case.",
        ),
        click.option(
            "--memory-limit",
            "memory",
            callback=_memory,
            metavar="SIZE",
            help="Memory that one case may take, `2G`, beside what the engines hold.",
        ),
        click.option(
            "--executor",
            metavar="dask://HOST:PORT",
            help="Compare on the workers of a Dask cluster, where the engine must be under the same path.",
        ),
    )


@contextmanager
def runner(where: Where, engine: str, *, no_cache: bool, offline: bool) -> "Iterator[Runner]":
    """What compares cases. Raises `click.UsageError` if there is no such engine."""
    if where.home:
        with (
            reference(where.timeout, no_cache=no_cache, offline=offline) as refer,
            at_home(refer, engine, where.timeout) as run,
        ):
            yield run
        return
    from gradcheck.running.examiner import Setting, Task
    from gradcheck.running.stream import streamed

    answers: Literal["asked", "kept", "recorded"] = "recorded" if offline else "asked" if no_cache else "kept"
    setting = Setting(engine, str(Path.cwd()), answers, where.timeout, where.memory)
    with _processes(where, setting) if where.executor is None else _executor(where, setting) as submit:
        yield lambda cases, inquiry: streamed((Task(each, inquiry) for each in cases), submit)


@contextmanager
def at_home(refer: "Refer", engine: str, timeout: float) -> "Iterator[Runner]":
    """What compares cases beside the TensorFlow that `refer` gives. Raises as `runner` does."""
    tested = subject(engine, timeout) if engine else nullcontext()
    with tested as theirs:

        def run(cases: "Iterable[Case]", inquiry: "Inquiry") -> "Iterator[Result]":
            from dataclasses import replace

            from gradcheck.engine.numpy_engine import NumpyEngine
            from gradcheck.session import compare_cases

            mine, conventions = (NumpyEngine(), dict) if theirs is None else theirs
            stated = replace(inquiry, conventions=conventions())
            return compare_cases(cases, mine, refer(), inquiry=stated)

        yield run


def remembering(run: "Runner") -> "Runner":
    """`run` for our own engine, with the results of earlier runs where nothing that they depend on has changed."""

    def remembered_run(cases: "Iterable[Case]", inquiry: "Inquiry") -> "Iterator[Result]":
        from gradcheck.running.kept import kept_results, remembered

        kept = kept_results(inquiry)
        if kept is None:
            yield from run(cases, inquiry)
            return
        try:
            yield from remembered(cases, kept, lambda unknown: run(unknown, inquiry))
        finally:  # also where the run ends early
            kept.close()
            if kept.trouble:
                click.echo(f"warning: results could not be kept: {kept.trouble}", err=True)

    return remembered_run


@contextmanager
def _processes(where: Where, setting: "Setting") -> "Iterator[Submit]":
    from gradcheck.running.processes import Processes

    loadable(setting.engine, where.timeout)
    for name in THREADS:  # several times as many threads as processors would wait for each other
        os.environ.setdefault(name, str(max(1, (os.cpu_count() or 1) // where.jobs)))
    with Processes(where.jobs, setting) as processes:
        yield processes.submit


@contextmanager
def _executor(where: Where, setting: "Setting") -> "Iterator[Submit]":
    from gradcheck.running.executors import Unusable, executor

    assert where.executor is not None
    if where.jobs != 1:
        raise click.UsageError("--jobs is for processes of this machine: with --executor, all workers compare")
    if setting.answers == "recorded":
        raise click.UsageError("--offline reads files beside the cases, which the workers of --executor may not have")
    try:
        with executor(where.executor, setting) as made:
            yield made.submit
    except Unusable as error:
        raise click.UsageError(str(error)) from None
