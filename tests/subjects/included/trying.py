"""Every operation that an engine has, tried on its declared samples and compared with TensorFlow."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from gradcheck.asking import seeded_cotangents
from gradcheck.dtypes import DTYPES, DType, is_complex
from gradcheck.engine.numpy_engine import NumpyEngine
from gradcheck.engines import Engine, Failure, Outcome, Request
from gradcheck.ops.declaration import OPS, Op
from gradcheck.ops.sampling import default_samples, trials
from gradcheck.reference.tensorflow import TensorFlowEngine
from gradcheck.subjects.forward import moving
from gradcheck.subjects.tensor_engine import TensorEngine
from gradcheck.verdict.compare import compare_values
from gradcheck.verdict.diagnosis import zero_for_none
from gradcheck.verdict.record import COUNTS_AS, Comparison, Status
from gradcheck.verdict.tolerance import allowance

TRIED = ("float64", "complex64")


class Tried(NamedTuple):
    """What became of one operation."""

    compared: list[tuple[str, Comparison]]
    """Every output and gradient of every sample that both sides ran, with what it is."""
    lacking: list[tuple[str, str]]
    """The samples that the engine says it cannot run, and why."""

    def wrong(self, engine: TensorEngine) -> list[str]:
        """What differs, a sentence each; zeros for "not connected" count where the engine does not state them."""
        pairs = self.compared
        if "unconnected" in engine.conventions:
            pairs = [(label, zero_for_none(each, "by choice")) for label, each in pairs]
        failed = [(label, each) for label, each in pairs if COUNTS_AS[each.verdict] is Status.FAILED]
        return [f"{label}: {each.note or each.worst}" for label, each in failed]


def known(engine: TensorEngine) -> list[Op]:
    """The operations in an engine's table that take floating or complex tensors, in the order of gradcheck's own."""
    own = engine.vocabulary.own
    return [op for op in OPS.values() if op.name in own and any(DTYPES[name] in op.dtypes for name in TRIED)]


def _richest_first(op: Op) -> Op:
    samples = op.samples or default_samples(op)
    count = [len(each.arguments) + len(each.keywords) for each in samples]
    order = sorted(range(len(samples)), key=lambda place: -count[place])
    return replace(op, samples=tuple(samples[place] for place in order))


def tried(engine: TensorEngine, op: Op, dtypes: Sequence[str] = TRIED, *, one: bool = False) -> Tried:
    """Run every declared sample of `op`, in each of `dtypes` that both have, on both sides.

    `one`: only the one with the most arguments that both sides can run, for engines that compile every sample.

    Raises `AssertionError` if the engine raises. What TensorFlow refuses is left out, and so is what reaches no
    function of the engine because it depends on no floating or complex tensor. Where TensorFlow's complex gradient is
    known not to be the derivative (`Op.errata`), our own engine, which is checked against differences, stands in.
    """
    found = Tried([], [])
    for name in dtypes:
        dtype = DTYPES[name]
        if dtype not in op.dtypes or (engine.dtypes is not None and name not in engine.dtypes):
            continue
        for position, request in enumerate(_requests(_richest_first(op) if one else op, dtype)):
            label = f"{op.name} {name} sample {position}"
            right = _right(op, dtype).run(request)
            if isinstance(right, Failure):
                continue
            outcome = engine.run(request)
            if isinstance(outcome, Outcome):
                found.compared.extend((f"{label} {each.variable}", each) for each in _between(request, outcome, right))
                if one:
                    break
            else:
                assert outcome.kind == "unsupported", f"{label}: {outcome.message}\n{request.program}"
                found.lacking.append((label, outcome.message))
    return found


def _requests(op: Op, dtype: DType) -> Iterator[Request]:
    for trial in trials(op, dtype):
        program = trial.program
        if moving(program).isdisjoint(index for each in program.instructions for index in each.outputs):
            continue
        yield Request(program, trial.inputs, trial.sources, (seeded_cotangents(program),))


def _right(op: Op, dtype: DType) -> Engine:
    return NumpyEngine() if is_complex(dtype) and "complex" in op.errata else TensorFlowEngine()


def _between(request: Request, left: Outcome, right: Outcome) -> Iterator[Comparison]:
    sides = ("engine", "right")
    bounds = allowance(request)
    for position, row in enumerate(zip(left.outputs, right.outputs, bounds.outputs, strict=True)):
        yield compare_values("output", f"output[{position}]", None, sides, *row)
    rows = zip(request.sources, left.gradients[0], right.gradients[0], bounds.gradients[0], strict=True)
    for source, mine, theirs, bound in rows:
        limits = np.zeros(theirs.shape) if bound is None and theirs is not None else bound
        yield compare_values("gradient", source, "seeded", sides, mine, theirs, limits)
