"""How fast a gradient is: against hand-written NumPy and, where they are installed, other libraries.

    pip install -e '.[bench]' && python scripts/bench_gradient.py

Each line differentiates the sum of `x @ y @ z` with respect to all three. Our program is built once.
"""

import os
import statistics
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
from measure import Thunk, paired, ratio, show

from gradcheck import differentiate, evaluate, trace
from gradcheck.program import Program, TensorType
from gradcheck.tensors import Builder, Tensor

Arrays = dict[str, np.ndarray[Any, Any]]


def small() -> Arrays:
    """The matmul chain of `cases/matmul_chain.yaml`."""
    return {
        "x": np.array([[[1, 1], [2, 3]], [[4, 5], [6, 7]]], np.float32),
        "y": np.array([[3, -7], [-1, 5]], np.float32),
        "z": np.array([[[1, 1], [2, 2]], [[3, 3], [-1, -1]]], np.float32),
    }


def large() -> Arrays:
    """Three matrices of 512 rows and columns."""
    rng = np.random.default_rng(0)
    return {name: rng.standard_normal((512, 512)).astype(np.float32) for name in "xyz"}


def ours(inputs: Arrays) -> Thunk:
    program = trace(lambda x, y, z: x @ y @ z, inputs)
    (target,) = program.outputs
    assert target is not None
    gradient = differentiate(program, list("xyz"))
    given = {**inputs, "cotangent": np.ones(program.types[target].shape, np.float32)}
    return lambda: evaluate(gradient, given)


def by_hand(inputs: Arrays) -> Thunk:
    x, y, z = inputs.values()

    def run() -> object:
        xy = x @ y
        out = xy @ z
        g = np.ones_like(out)
        dz = xy.swapaxes(-1, -2) @ g
        dxy = g @ z.swapaxes(-1, -2)
        dy = x.swapaxes(-1, -2) @ dxy
        return out, dxy @ y.swapaxes(-1, -2), dy.sum(0) if dy.ndim > y.ndim else dy, dz

    return run


def eager_tensorflow(inputs: Arrays) -> Thunk:
    import tensorflow as tf

    x, y, z = map(tf.constant, inputs.values())

    def run() -> object:
        with tf.GradientTape() as tape:
            tape.watch([x, y, z])
            out = x @ y @ z
        return tape.gradient(out, [x, y, z])

    return run


def with_torch(inputs: Arrays) -> Thunk:
    import torch

    x, y, z = (torch.tensor(each, requires_grad=True) for each in inputs.values())
    return lambda: torch.autograd.grad((x @ y @ z).sum(), (x, y, z))


def with_autograd(inputs: Arrays) -> Thunk:
    import autograd.numpy as anp
    from autograd import elementwise_grad

    gradient = elementwise_grad(lambda xyz: anp.matmul(anp.matmul(xyz[0], xyz[1]), xyz[2]))
    values = tuple(inputs.values())
    return lambda: gradient(values)


def with_mygrad(inputs: Arrays) -> Thunk:
    import mygrad as mg

    def run() -> object:
        x, y, z = (mg.tensor(each) for each in inputs.values())
        (x @ y @ z).sum().backward()
        return x.grad, y.grad, z.grad

    return run


OTHERS: dict[str, Callable[[Arrays], Thunk]] = {
    "tensorflow": eager_tensorflow,
    "torch": with_torch,
    "autograd": with_autograd,
    "mygrad": with_mygrad,
}


def against_others(title: str, inputs: Arrays, rounds: int, repeat: int) -> None:
    thunks = {"NumPy by hand": by_hand(inputs), "gradcheck": ours(inputs)}
    thunks |= {name: make(inputs) for name, make in OTHERS.items() if find_spec(name)}
    times = paired(thunks, rounds, repeat)
    base = times["NumPy by hand"]
    rows = [[name, f"{statistics.median(each) * 1e6:.1f}", f"{ratio(each, base):.2f}"] for name, each in times.items()]
    show(title, ["", "microseconds", "times by hand"], rows)


def chain(length: int) -> Program:
    builder = Builder(inline=False)
    value: Tensor = builder.input("x", TensorType((), np.dtype(np.float64)))
    for _ in range(length):
        value = -value
    return builder.finish([value])


def ladder(length: int) -> Program:
    builder = Builder(inline=False)
    value: Tensor = builder.input("x", TensorType((), np.dtype(np.float64)))
    for _ in range(length):
        value = value + value
    return builder.finish([value])


def whole(make: Callable[[int], Program], length: int) -> Thunk:
    """Build, differentiate and evaluate."""
    one = np.ones(())
    return lambda: evaluate(differentiate(make(length), ["x"]), {"x": one, "cotangent": one})


def growth() -> None:
    """Time and memory for each operation, at full size and at a tenth of it."""
    import tracemalloc

    rows = []
    for name, make, length in (("chain", chain, 100_000), ("ladder of diamonds", ladder, 200)):
        times = paired({"full": whole(make, length), "tenth": whole(make, length // 10)}, rounds=5)
        peaks = []
        for size in (length, length // 10):
            tracemalloc.start()
            whole(make, size)()
            peaks.append(tracemalloc.get_traced_memory()[1] / size)
            tracemalloc.stop()
        per = [statistics.median(times[key]) / size * 1e6 for key, size in (("full", length), ("tenth", length // 10))]
        rows.append([name, f"{length}", f"{per[0]:.1f}", f"{ratio(times['full'], times['tenth']) / 10:.2f}"])
        rows[-1] += [f"{peaks[0]:.0f}", f"{peaks[0] / peaks[1]:.2f}"]
    headings = ["built, differentiated, evaluated", "operations", "us each", "to a tenth", "bytes each", "to a tenth"]
    show("Growth", headings, rows)


def main() -> None:
    against_others("Small: the matmul chain of 2x2 matrices, batched", small(), rounds=15, repeat=300)
    against_others("Large: a chain of 512x512 matrices", large(), rounds=15, repeat=3)
    growth()


if __name__ == "__main__":
    main()
