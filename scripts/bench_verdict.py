"""What the verdict costs: bounds, blame and referee, beside a comparison without them, and the hunt for a slip.

    python scripts/bench_verdict.py

Ratios are medians of rounds in turns. A comparison without the verdict allows every difference and diagnoses none.
"""

import statistics
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from measure import paired, process, ratio, show

from gradcheck import session
from gradcheck.casefile.case import Case
from gradcheck.casefile.find import find
from gradcheck.casefile.load import load_file
from gradcheck.engine.differentiate import gradient
from gradcheck.engine.evaluate import evaluate
from gradcheck.engine.numpy_engine import NumpyEngine
from gradcheck.engine.tracing import trace
from gradcheck.engines import Request
from gradcheck.ops import find_op, tf
from gradcheck.ops.declaration import substituted
from gradcheck.reference.worker import ReferenceWorker
from gradcheck.tensors import Tensor
from gradcheck.verdict.record import Result, Status
from gradcheck.verdict.slips import Wrong, explain
from gradcheck.verdict.tolerance import Allowance, allowance

LARGE: dict[str, tuple[Any, ...]] = {
    "tf.exp, [40, 50]": (tf.exp, (40, 50)),
    "tf.exp, [500, 400]": (tf.exp, (500, 400)),
    "tf.matmul, two of [4, 30, 30]": (tf.matmul, (4, 30, 30), (4, 30, 30)),
    "tf.multiply, [30, 1] by [30, 40]": (tf.multiply, (30, 1), (30, 40)),
    "tf.nn.softmax, [16, 16]": (tf.nn.softmax, (16, 16)),
}
"""By name, an operation and the shapes of its operands."""


def cases() -> list[Case]:
    return [case for file in find(["cases"]).files for case in load_file(file).cases]


def whole(*, bounds: bool) -> None:
    """What `gradcheck compare cases` does from its start, TensorFlow's import included."""
    with ReferenceWorker() as reference, nullcontext() if bounds else _bounds_left_out():
        for _ in session.compare_cases(cases(), NumpyEngine(), reference):
            pass


def main() -> None:
    if len(sys.argv) > 1:
        whole(bounds=sys.argv[1] == "with")
        return
    every = cases()
    thunks = {f"{name} bounds": process([sys.executable, __file__, name]) for name in ("without", "with")}
    times = paired(thunks, rounds=5)
    rows = [
        [
            f"{len(every)} cases that agree, {name}",
            f"{statistics.median(each):.2f}",
            f"{ratio(each, times['without bounds']):.2f}",
        ]
        for name, each in times.items()
    ]
    with ReferenceWorker() as reference:

        def compared(chosen: list[Case]) -> list[Result]:
            return list(session.compare_cases(chosen, NumpyEngine(), reference))

        compared(every[:1])
        matmul = find_op("tf.matmul")
        assert matmul.vjp is not None
        first, second = matmul.vjp
        assert first is not None
        with substituted(replace(matmul, vjp=(partial(_negated, first), second))):
            failing = [each.case for each in compared(every) if each.status is Status.FAILED]
            slow = paired({case.id: partial(compared, [case]) for case in failing}, rounds=3)
        worst = max(slow, key=lambda name: statistics.median(slow[name]))
        median = statistics.median(statistics.median(each) for each in slow.values())
        rows.append([f"one of {len(failing)} that disagree, median, TensorFlow loaded", f"{median:.3f}", ""])
        rows.append([f"the slowest of them, {worst}", f"{statistics.median(slow[worst]):.3f}", ""])
    show("The verdict", ["", "seconds", "ratio"], rows)
    hunts = paired({name: partial(explain, _unexplained(*call)) for name, call in LARGE.items()}, rounds=5)
    show(
        "A wrong gradient that no slip explains",
        ["", "seconds"],
        [[name, f"{statistics.median(each):.3f}"] for name, each in hunts.items()],
    )


def _negated(rule: Callable[..., Any], *arguments: Any, **flags: Any) -> Any:
    return -rule(*arguments, **flags)


def _unexplained(function: Callable[..., Tensor], *shapes: tuple[int, ...]) -> Wrong:
    """A call whose gradient with respect to the first operand is off by another factor at each element."""
    rng = np.random.default_rng(0)
    operands = {f"x{position}": rng.uniform(0.3, 1.9, shape) for position, shape in enumerate(shapes)}
    program = trace(lambda **named: function(*named.values()), operands)
    (instruction,) = program.instructions
    (output,) = (each for each in evaluate(program, operands) if each is not None)
    cotangent = np.asarray(rng.uniform(0.5, 1.5, output.shape))
    written = gradient(program, list(operands))
    (name,) = written.cotangents
    assert name is not None
    _, *rights = evaluate(written.program, {**operands, name: cotangent})
    right = rights[0]
    assert right is not None
    found = right * rng.uniform(1, 2, right.shape)
    wrong = Wrong(
        op=instruction.op,
        attributes=instruction.attributes,
        inputs=tuple(operands.values()),
        outputs=(output,),
        cotangents=(cotangent,),
        argument=0,
        found=found,
        right=right,
        rights=tuple(rights),
        allowed=None,
    )
    assert explain(wrong) is None  # every suspect is heard
    return wrong


@contextmanager
def _bounds_left_out() -> Iterator[None]:
    """Let every difference be allowed, without looking at rounding."""

    def everything(request: Request) -> Allowance:
        types = [request.program.types[index] for index in request.program.outputs if index is not None]
        sources = [request.inputs[name] for name in request.sources]
        outputs = tuple(np.full(type_.shape, np.inf) for type_ in types)
        gradients = tuple(np.full(source.shape, np.inf) for source in sources)
        return Allowance(outputs, (gradients,) * len(request.cotangents))

    session.allowance = everything  # type: ignore[attr-defined]
    try:
        yield
    finally:
        session.allowance = allowance  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
