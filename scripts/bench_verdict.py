"""What the verdict costs: bounds, blame and referee, beside a comparison without them.

    python scripts/bench_verdict.py

TensorFlow is loaded once, before anything is timed; ratios are medians of rounds in turns.
"""

import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from measure import paired, ratio, show

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


def main() -> None:
    every = cases()
    with ReferenceWorker() as reference:

        def compared(chosen: list[Case]) -> list[Result]:
            return list(session.compare_cases(chosen, NumpyEngine(), reference, Limits()))

        compared(every)
        thunks = {
            "without bounds": lambda: without_verdict(compared, every),
            "with bounds": lambda: compared(every),
        }
        times = paired(thunks, rounds=5)
        rows = [
            [
                f"{len(every)} cases that agree, {name} bounds",
                f"{statistics.median(each):.3f}",
                f"{ratio(each, times['without']):.2f}",
            ]
            for name, each in times.items()
        ]
        matmul = find_op("tf.matmul")
        assert matmul.vjp is not None
        first, second = matmul.vjp
        assert first is not None
        negated = partial(_negated, first)
        wrong = replace(matmul, vjp=(negated, second))
        with substituted(wrong):
            failing = [each.case for each in compared(every) if each.status is Status.FAILED]
            slow = paired({case.id: partial(compared, [case]) for case in failing}, rounds=3)
        worst = max(slow, key=lambda name: statistics.median(slow[name]))
        median = statistics.median(statistics.median(each) for each in slow.values())
        rows.append([f"one of {len(failing)} that disagree, median", f"{median:.3f}", ""])
        rows.append([f"the slowest of them, {worst}", f"{statistics.median(slow[worst]):.3f}", ""])
    show("The verdict, TensorFlow loaded", ["", "seconds", "ratio"], rows)


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


def without_verdict(compared: Callable[[list[Case]], list[Result]], chosen: list[Case]) -> list[Result]:
    """The same comparison where every difference is allowed."""
    with _bounds_left_out():
        return compared(chosen)


if __name__ == "__main__":
    main()
