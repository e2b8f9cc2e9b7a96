"""What the verdict costs: bounds, blame and referee, beside a comparison without them.

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
from gradcheck.casefile.limits import Limits
from gradcheck.casefile.load import find, load_file
from gradcheck.engine.numpy_engine import NumpyEngine
from gradcheck.engines import Request
from gradcheck.ops import find_op
from gradcheck.ops.declaration import substituted
from gradcheck.reference.worker import ReferenceWorker
from gradcheck.verdict.record import Result, Status
from gradcheck.verdict.tolerance import Allowance, allowance


def cases() -> list[Case]:
    return [case for file in find(["cases"]).files for case in load_file(file).cases]


def whole(*, bounds: bool) -> None:
    """What `gradcheck compare cases` does from its start, TensorFlow's import included."""
    with ReferenceWorker() as reference, nullcontext() if bounds else _bounds_left_out():
        for _ in session.compare_cases(cases(), NumpyEngine(), reference, Limits()):
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
            return list(session.compare_cases(chosen, NumpyEngine(), reference, Limits()))

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


def _negated(rule: Callable[..., Any], *arguments: Any, **flags: Any) -> Any:
    return -rule(*arguments, **flags)


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
