"""How fast operations are: value and gradients of `bench_ops.yaml`, in times of eager TensorFlow's, one thread each.

    pip install -e . && python scripts/bench_ops.py [WORDS]

Our program is written once, as TensorFlow's functions are made once; both sides take turns. WORDS choose cases by name.
"""

import os
import sys

os.environ["OMP_NUM_THREADS"] = "1"  # before NumPy is loaded
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import statistics
from collections.abc import Sequence
from pathlib import Path

import tensorflow as tf
from measure import Thunk, paired, ratio, seconds, show

from gradcheck.casefile.case import Case
from gradcheck.casefile.limits import Limits
from gradcheck.casefile.load import load_file
from gradcheck.engine.differentiate import gradient
from gradcheck.engine.evaluate import evaluate
from gradcheck.engine.expand import expand
from gradcheck.language import Lowered, lower
from gradcheck.reference.tensorflow import forward

WORKLOADS = Path(__file__).with_suffix(".yaml")
LIMITS = Limits()
ROUNDS = 7
ROUND = 0.05
"""Seconds that one side takes in a round at least, so that a clock's grain does not matter."""
TARGET, BEYOND = 2.0, 10.0


def ours(lowered: Lowered) -> Thunk:
    """The program of the value and the gradients, run on its inputs."""
    written = gradient(expand(lowered.program), lowered.sources)
    program = written.program.pruned()
    values = evaluate(lowered.program, lowered.inputs)
    present = [value for value in values if value is not None]
    seeds = {name: value * 0 + 1 for name, value in zip(written.cotangents, present, strict=True) if name is not None}
    inputs = {**lowered.inputs, **seeds}
    return lambda: evaluate(program, inputs)


def theirs(lowered: Lowered) -> Thunk:
    """The same operations under a tape."""
    program = lowered.program
    given = {index: tf.constant(value) for index, value in program.constants.items()}
    given |= {index: tf.constant(lowered.inputs[name]) for name, index in program.inputs.items()}
    sources = [given[program.inputs[name]] for name in lowered.sources]

    def run() -> object:
        with tf.GradientTape() as tape:
            tape.watch(sources)
            targets = forward(program, dict(given))
        found = tape.gradient(targets, sources)
        return [each.numpy() if hasattr(each, "numpy") else each for each in found]

    return run


def main(words: Sequence[str]) -> None:
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    loaded = load_file(WORKLOADS, LIMITS)
    assert not loaded.errors, [str(each) for each in loaded.errors]
    chosen = [case for case in loaded.cases if not words or any(word in case.name for word in words)]
    rows, ratios, reasons = [], [], []
    for case in chosen:
        found, milliseconds = timed(case)
        ratios.append(found)
        rows.append([case.name, f"{milliseconds:.2f}", f"{found:.2f}"])
        if found > BEYOND:
            reasons.append(f"{case.name}: {case.description.strip() or 'no reason is given'}")
    show("value and gradients, in times of eager TensorFlow's", ["", "TF, ms", "times"], rows)
    print(f"geometric mean {statistics.geometric_mean(ratios):.2f} (target {TARGET:g}), largest {max(ratios):.1f}")
    print("\n".join(reasons))


def timed(case: Case) -> tuple[float, float]:
    """The median ratio, and TensorFlow's own time in milliseconds."""
    lowered = lower(case)
    sides = {"ours": ours(lowered), "theirs": theirs(lowered)}
    for thunk in sides.values():
        thunk()
    once = min(seconds(thunk) for thunk in sides.values())
    times = paired(sides, ROUNDS, max(1, round(ROUND / max(once, 1e-6))))
    return ratio(times["ours"], times["theirs"]), 1e3 * statistics.median(times["theirs"])


if __name__ == "__main__":
    main(sys.argv[1:])
