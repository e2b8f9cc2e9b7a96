"""`gradcheck score`: operations by engines, what is right to first and to second order."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

import click

from gradcheck.cli import candidates
from gradcheck.cli.options import coloured, console, matcher
from gradcheck.cli.subject import OURS

if TYPE_CHECKING:
    from gradcheck.dtypes import DType
    from gradcheck.reference.worker import ReferenceWorker
    from gradcheck.score.card import Scorecard
    from gradcheck.score.questions import Question
    from gradcheck.score.run import Answered, Entrant
    from gradcheck.workers import Worker


@click.command(short_help="Try every operation on several engines: a scorecard.")
@click.argument("engines", nargs=-1, metavar="[ENGINE]…", shell_complete=candidates.engines)
@click.option(
    "-k", "keyword", metavar="EXPR", help="Operations whose name or family has these words: `nn and not conv`."
)
@click.option(
    "--dtype",
    "dtypes",
    multiple=True,
    metavar="DTYPE",
    shell_complete=candidates.differentiable_dtypes,
    help="In this dtype (may be repeated); float32.",
)
@click.option("--report", type=click.Choice(["table", "json", "markdown"]), default="table", help="What to print.")
@click.option("--timeout", type=float, default=60.0, help="Seconds that an engine may take for one sample.")
@coloured
def score(
    engines: tuple[str, ...], keyword: str | None, dtypes: tuple[str, ...], report: str, timeout: float, color: str
) -> None:
    """Try every differentiable operation by itself on each ENGINE, and compare with TensorFlow.

    An ENGINE is what `gradcheck compare --engine` takes; `numpy` is our own. Without any, all that are installed take
    part. Each operation is tried on its declared samples: outputs, gradients under seeded cotangents, and the gradients
    of these in a seeded direction. A cell shows the gravest of what was found, at first and at second order.

    \b
    gradcheck score my_engine.py
    gradcheck score numpy torch jax -k "linalg or nn" --dtype float32 --dtype complex64
    """
    from gradcheck.installed import engines as installed
    from gradcheck.reference.worker import ReferenceWorker

    started = time.perf_counter()
    with ExitStack() as stack:
        reference = stack.enter_context(ReferenceWorker(timeout))  # first of all: it takes longest to be ready
        given = list(dict.fromkeys(engines or (OURS, *installed())))
        workers = {each: stack.enter_context(_worker(each, timeout)) for each in given}
        asked = _questions(keyword, dtypes)
        entrants = _entrants(workers, required=bool(engines), color=color)
        card = _card(asked, entrants, reference, color)
    _conclude(card, report, time.perf_counter() - started, color)


def _worker(given: str, timeout: float) -> "Worker":
    if given == OURS:
        from gradcheck.engine.numpy_engine import NumpyEngine
        from gradcheck.workers import Worker

        return Worker(OURS, NumpyEngine, timeout)
    from gradcheck.subjects.worker import SubjectWorker

    return SubjectWorker(given, timeout)


def _questions(keyword: str | None, dtypes: tuple[str, ...]) -> "list[Question]":
    """What to ask; raises `click.UsageError` where that is nothing."""
    from gradcheck.ops import OPS
    from gradcheck.score.questions import questions

    matches = matcher(keyword)
    ops = [each for each in OPS.values() if matches(f"{each.family} {each.name} {' '.join(each.aliases)}")]
    asked = list(questions(ops, [_dtype(each) for each in dtypes or ("float32",)]))
    if not asked:
        raise click.UsageError("no operation is selected that has a gradient")
    return asked


def _dtype(name: str) -> "DType":
    from gradcheck.dtypes import DTYPES, is_differentiable

    known = [each for each, dtype in DTYPES.items() if is_differentiable(dtype)]
    if name not in known:
        raise click.UsageError(f"--dtype takes one of {', '.join(known)}; not {name!r}")
    return DTYPES[name]


def _entrants(workers: "dict[str, Worker]", *, required: bool, color: str) -> "list[Entrant]":
    """The engines that can be loaded; where one is `required`, `click.UsageError` says why it cannot."""
    from gradcheck.configuration import NotFound
    from gradcheck.score.run import Entrant
    from gradcheck.subjects.worker import SubjectWorker

    conventions: dict[str, Mapping[str, str]] = {}
    for given, worker in workers.items():
        try:
            conventions[given] = worker.profile().conventions if isinstance(worker, SubjectWorker) else {}
        except NotFound as error:
            if required:
                raise click.UsageError(str(error)) from None
            console(color, stderr=True).print(f"left out: {error}", style="yellow", markup=False)
    names = Counter(workers[given].name for given in conventions)  # as the engines call themselves, now that they can
    return [
        Entrant(worker.name if names[worker.name] == 1 else given, worker, conventions[given])
        for given, worker in workers.items()
        if given in conventions
    ]


def _card(
    asked: "Sequence[Question]", entrants: "Sequence[Entrant]", reference: "ReferenceWorker", color: str
) -> "Scorecard":
    from gradcheck.score.run import answered, scorecard

    dtypes = list(dict.fromkeys(each.row.dtype for each in asked))
    return scorecard(_followed(answered(asked, entrants, reference), len(asked), color), entrants, dtypes)


def _followed(answers: "Iterator[Answered]", total: int, color: str) -> "Iterator[Answered]":
    """The answers, with progress on a terminal."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    errors = console(color, stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as progress:
        task = progress.add_task("loading the engines", total=total)
        for answer in answers:
            progress.update(task, advance=1, description="trying operations")
            yield answer


def _conclude(card: "Scorecard", report: str, seconds: float, color: str) -> None:
    from gradcheck.report.score import markdown, render, score_report

    if report == "table":
        console(color).print(score_report(card, seconds))
        return
    from gradcheck.cli.output import emit

    emit(render(card, seconds) if report == "json" else markdown(card))
