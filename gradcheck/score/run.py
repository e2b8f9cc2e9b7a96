"""The loop of `gradcheck score`: every question asked of TensorFlow once, and of every engine."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from gradcheck.dtypes import Array, is_differentiable
from gradcheck.engines import Outcome, Request
from gradcheck.score.card import ORDERS, RIGHT, Cell, Mark, Order, Row, Scorecard, cell
from gradcheck.score.judging import Found, Judge
from gradcheck.score.questions import Question
from gradcheck.workers import Pending, Worker

if TYPE_CHECKING:
    from gradcheck.reference.worker import ReferenceWorker

AHEAD = 64
"""How many samples the engines and the reference are ahead, so that no side waits for another."""


RESIDUE = 2.0**-10
"""A number in a wider dtype that is less than this share of what the narrower one rounds off is rounding itself.

From 16 bits to 32 a rounding error shrinks to 2**-13 of its size at most, a slip not at all.
"""


@dataclass(frozen=True, eq=False)
class Entrant:
    """An engine that takes part, under the name that its column has."""

    name: str
    worker: Worker
    conventions: Mapping[str, str]


@dataclass(frozen=True, eq=False)
class _Asked:
    """A question that all sides have been asked, and their answers to come."""

    question: Question
    reference: dict[Order, Pending[Outcome]]
    entrants: dict[Order, list[Pending[Outcome]]]


@dataclass(frozen=True, eq=False)
class Answered:
    """What every entrant's answers to one question are worth."""

    row: Row
    found: Mapping[tuple[str, Order], Found]
    """By engine and order."""


def answered(
    questions: Iterable[Question], entrants: Sequence[Entrant], reference: "ReferenceWorker"
) -> Iterator[Answered]:
    """Ask and judge; one `Answered` for each question, in order."""
    waiting: deque[_Asked] = deque()
    for question in questions:
        waiting.append(_asked(question, entrants, reference))
        if len(waiting) == AHEAD:
            yield _judged(waiting.popleft(), entrants)
    while waiting:
        yield _judged(waiting.popleft(), entrants)


def _asked(question: Question, entrants: Sequence[Entrant], reference: "ReferenceWorker") -> _Asked:
    requests = question.requests
    return _Asked(
        question,
        {order: reference.submit(requests[order]) for order in ORDERS},
        {order: [each.worker.submit(requests[order]) for each in entrants] for order in ORDERS},
    )


def _judged(asked: _Asked, entrants: Sequence[Entrant]) -> Answered:
    question = asked.question
    found: dict[tuple[str, Order], Found] = {}
    for order in ORDERS:
        judge = Judge(question.requests[order], asked.reference[order].result())
        for entrant, pending in zip(entrants, asked.entrants[order], strict=True):
            answer = pending.result()
            made = judge.judge(entrant.name, answer, entrant.conventions)
            if made[0] is Mark.MISMATCH and isinstance(answer, Outcome):
                made = _by_rounding(judge, question.wider(order), entrant, answer) or made
            found[entrant.name, order] = made
    return Answered(question.row, found)


def _by_rounding(judge: Judge, wider: Request | None, entrant: Entrant, answer: Outcome) -> Found | None:
    """What is right about an answer whose difference goes away in a wider dtype.

    The bounds are those of our own formula. Another one, in which larger terms cancel, is less exact but not wrong;
    a slip is as wrong in any dtype.
    """
    again = None if wider is None else entrant.worker.run(wider)
    if not isinstance(again, Outcome):
        return None
    mark, _ = judge.judge(entrant.name, narrowed(again, answer), entrant.conventions)
    return (mark, "the difference is rounding: it goes away in a wider dtype") if mark in RIGHT else None


def narrowed(outcome: Outcome, like: Outcome) -> Outcome:
    """An outcome in the dtypes of another; what a cancellation has left over becomes zero."""
    rows = zip(outcome.gradients, like.gradients, strict=True)
    return replace(
        outcome, outputs=_narrow(outcome.outputs, like.outputs), gradients=tuple(_narrow(*each) for each in rows)
    )


def _narrow(values: Sequence[Array | None], models: Sequence[Array | None]) -> tuple[Array | None, ...]:
    found: list[Array | None] = []
    for value, model in zip(values, models, strict=True):
        if value is not None and model is not None and value.shape == model.shape and is_differentiable(model.dtype):
            with np.errstate(all="ignore"):
                rounding = np.max(np.abs(value - model.astype(value.dtype)), initial=0.0)
                value = np.where(np.abs(value) < RESIDUE * rounding, 0, value).astype(model.dtype)
        found.append(value)
    return tuple(found)


def scorecard(answers: Iterable[Answered], entrants: Sequence[Entrant], dtypes: Sequence[str]) -> Scorecard:
    """The cells that the answers come to: all samples of one operation in one dtype together."""
    rows: dict[Row, list[Mapping[tuple[str, Order], Found]]] = {}
    for each in answers:
        rows.setdefault(each.row, []).append(each.found)
    cells: list[Cell] = [
        cell(row, entrant.name, order, [samples[entrant.name, order] for samples in found])
        for row, found in rows.items()
        for entrant in entrants
        for order in ORDERS
    ]
    return Scorecard(tuple(each.name for each in entrants), tuple(dtypes), tuple(cells))
