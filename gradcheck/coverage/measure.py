"""The coverage figures: samples and cases go through TensorFlow's tape, and count where both engines agree."""

import ast
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gradcheck.asking import request
from gradcheck.casefile.case import Case
from gradcheck.casefile.ids import without_dtype
from gradcheck.coverage.mentions import mentions
from gradcheck.coverage.tally import AGAINST, Coverage, of_functions, of_types
from gradcheck.diagnostics import Refused
from gradcheck.dtypes import DTYPES, DType, is_differentiable
from gradcheck.engine.numpy_engine import NumpyEngine
from gradcheck.engines import Failure, Outcome, Request
from gradcheck.language import Lowered, lower
from gradcheck.ops.declaration import DRAWN, OPS, Op
from gradcheck.ops.sampling import trials
from gradcheck.score.card import Mark
from gradcheck.score.judging import Judge
from gradcheck.score.questions import orders
from gradcheck.verdict.judge import judge
from gradcheck.verdict.record import Verdict
from gradcheck.verdict.tolerance import allowances

if TYPE_CHECKING:
    from gradcheck.reference.answers import Driven
    from gradcheck.reference.worker import SurveyWorker
    from gradcheck.workers import Pending

TRIED_IN = ("float64", "complex128", "float32", "complex64", "float16", "bfloat16")
"""The dtypes of the samples: the first real and the first complex one that an operation has."""
AHEAD = 64
"""How many requests TensorFlow is ahead."""
METHODS_OF = ("tf.Tensor", "tf.Variable")


@dataclass(frozen=True)
class _Trial:
    """Something that both engines can be asked, and the names that agreement speaks for."""

    place: str
    asked: Request
    names: frozenset[str]
    lowered: Lowered | None = None

    def agrees(self, ours: Outcome | Failure, theirs: Outcome) -> bool:
        """Whether our answer is TensorFlow's; where a case holds a defect against it, whether ours is the true one."""
        if self.lowered is None:
            return Judge(self.asked, theirs).judge("gradcheck", ours, {})[0] in (Mark.AGREE, Mark.TIE)
        if not isinstance(ours, Outcome):
            return False
        result = judge(self.lowered, ("gradcheck", "tensorflow"), ours, theirs, allowances(self.asked))
        if self.lowered.case.known_mismatch is None:
            return result.verdict is Verdict.AGREE
        pinned = [each for each in result.comparisons if each.sides == ("gradcheck", "expect")]
        return bool(pinned) and all(each.verdict is Verdict.AGREE for each in pinned)


@dataclass
class _Found:
    """What has been covered so far, each by the sample or case that was first."""

    types: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    def note(self, types: Iterable[str], names: Iterable[str], place: str) -> None:
        for each in types:
            self.types.setdefault(each, place)
        for each in names:
            self.names.setdefault(each, place)


def coverage(cases: Iterable[Case], tensorflow: "SurveyWorker") -> Coverage:
    """Run every sample of the table and all `cases`; what both engines agree on counts.

    Raises `ValueError` if TensorFlow cannot be asked.
    """
    surface = tensorflow.surface().result()
    if isinstance(surface, Failure):
        raise ValueError(surface.message)
    found = _Found()
    ours = NumpyEngine()
    waiting: deque[tuple[_Trial, Pending[Driven]]] = deque()
    stream = _trials(cases)
    while True:
        while len(waiting) < AHEAD and (trial := next(stream, None)) is not None:
            waiting.append((trial, tensorflow.drive(trial.asked)))
        if not waiting:
            break
        trial, pending = waiting.popleft()
        driven = pending.result()
        if isinstance(driven, Failure) or isinstance(driven.answer, Failure):
            continue
        names = trial.names if _flows(driven.answer) else frozenset()
        new = driven.types - found.types.keys() or names - found.names.keys()
        if new and trial.agrees(ours.run(trial.asked), driven.answer):
            found.note(driven.types, names, trial.place)
    return Coverage(surface.version, of_types(surface.types, found.types), of_functions(surface.names, found.names))


def _trials(cases: Iterable[Case]) -> Iterator[_Trial]:
    for op in OPS.values():
        yield from _samples(op)
    tried = frozenset(name for op in OPS.values() if _takes_tensors(op) for name in (op.name, *op.aliases))
    seen = set()
    for case in sorted(cases, key=lambda each: each.known_mismatch is not None):  # agreement counts first
        if without_dtype(case.id) in seen:  # in another dtype, which makes operations of the same types
            continue
        seen.add(without_dtype(case.id))
        try:
            lowered = lower(case)
        except Refused:
            continue
        spelled = frozenset(name for each in mentions(ast.parse(case.expr.text)) for name in _spelled(each))
        wrong = case.known_mismatch is not None
        place = f"{case.id}{AGAINST}" if wrong else case.id
        yield _Trial(place, request(lowered), spelled if wrong else spelled - tried, lowered)


def _takes_tensors(op: Op) -> bool:
    return any(role in DRAWN for role in op.roles.values())


def _samples(op: Op) -> Iterator[_Trial]:
    """First and second order; an operation without a gradient too: the registry may say that it has none."""
    names = frozenset((op.name, *op.aliases)) if op.differentiable and op.domains else frozenset()
    for dtype in _tried(op):
        for position, (program, inputs, drawn) in enumerate(trials(op, dtype)):
            sources = drawn or tuple(name for name, value in inputs.items() if is_differentiable(value.dtype))
            if sources:
                place = f"sample {position + 1} of {op.name}, {dtype.name}"
                for asked in orders(program, inputs, sources).values():
                    yield _Trial(place, asked, names)


def _tried(op: Op) -> list[DType]:
    dtypes = [DTYPES[name] for name in TRIED_IN if DTYPES[name] in op.dtypes]
    real = [each for each in dtypes if each.kind != "c"]
    return real[:1] + [each for each in dtypes if each.kind == "c"][:1]


def _flows(outcome: Outcome) -> bool:
    """Whether any gradient comes back."""
    return any(each is not None for row in outcome.gradients for each in row)


def _spelled(mention: str) -> Iterator[str]:
    if mention.startswith("."):
        yield from (f"{root}{mention}" for root in METHODS_OF)
    else:
        yield mention
