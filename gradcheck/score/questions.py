"""What a scorecard asks: the declared samples of an operation as programs of one call."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice, product

import numpy as np

from gradcheck.asking import drawn
from gradcheck.dtypes import BFLOAT16, COMPLEX64, COMPLEX128, FLOAT16, FLOAT32, FLOAT64, Array, DType, is_differentiable
from gradcheck.engines import Request
from gradcheck.ops.declaration import Op
from gradcheck.ops.sampling import trials
from gradcheck.program import Program
from gradcheck.score.card import Order, Row

SEED = 20_260_105
"""The seed of the cotangents and of the directions of second derivatives."""


WIDER = {FLOAT16: FLOAT32, BFLOAT16: FLOAT32, FLOAT32: FLOAT64, COMPLEX64: COMPLEX128}
"""The dtype to ask in once more, to see whether a difference is rounding."""


@dataclass(frozen=True, eq=False)
class Question:
    """One sample of an operation: its gradients under one set of seeded cotangents, and the gradients of these."""

    op: Op
    dtype: DType
    position: int
    """Which of the declared samples it is."""
    requests: dict[Order, Request]

    @property
    def row(self) -> Row:
        return Row(self.op.name, self.op.family, self.dtype.name)

    def wider(self, order: Order) -> Request | None:
        """The same at the same point in a wider dtype; None where there is none that the operation has."""
        wide = WIDER.get(self.dtype)
        if wide is None or wide not in self.op.dtypes:
            return None
        asked = self.requests[order]
        program = next(islice(trials(self.op, wide), self.position, None)).program
        types = {name: program.types[index].dtype for name, index in program.inputs.items()}
        return replace(
            asked,
            program=program,
            inputs={name: value.astype(types[name]) for name, value in asked.inputs.items()},
            cotangents=tuple(tuple(map(_widened, each)) for each in asked.cotangents),
            directions=None if asked.directions is None else tuple(map(_widened, asked.directions)),
        )


def _widened(value: Array | None) -> Array | None:
    return None if value is None else value.astype(WIDER.get(value.dtype, value.dtype))


def questions(ops: Iterable[Op], dtypes: Iterable[DType]) -> Iterator[Question]:
    """Every sample of `ops`, in each of `dtypes` that the operation has, that has something to differentiate by."""
    for op, dtype in product(ops, dtypes):
        if not op.differentiable or dtype not in op.dtypes:
            continue
        for position, (program, inputs, sources) in enumerate(trials(op, dtype)):
            if sources:
                yield Question(op, dtype, position, orders(program, inputs, sources))


def orders(program: Program, inputs: dict[str, Array], sources: tuple[str, ...]) -> dict[Order, Request]:
    """What to ask of one program: its gradients, and the gradients of these.

    At second order what is not connected counts as zero: whether a path is left depends on how a rule is written.
    """
    rng = np.random.default_rng(SEED)
    targets = [program.types[index] for index in program.outputs if index is not None]
    cotangents = tuple(drawn(each, rng) if is_differentiable(each.dtype) else None for each in targets)
    directions = tuple(drawn(program.types[program.inputs[name]], rng) for name in sources)
    first = Request(program, inputs, sources, (cotangents,))
    return {"first": first, "second": replace(first, unconnected="zero", directions=directions)}
