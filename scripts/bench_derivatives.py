"""How fast Jacobians and Hessian-vector products are: against eager TensorFlow and, where installed, torch and JAX.

    pip install -e '.[bench,jax]' && python scripts/bench_derivatives.py

Every workload is a case with `derivative: jacobian` or `hvp`. Ours is timed with its program built once, and as a
whole: the expression is read, differentiated and evaluated. Nothing is compiled, on any side. Ratios are medians of
rounds in which all take turns.
"""

import os
import statistics
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any, NamedTuple

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
from measure import Thunk, paired, ratio, show

from gradcheck.asking import request
from gradcheck.casefile.case import Case
from gradcheck.casefile.limits import Limits
from gradcheck.casefile.load import load_file
from gradcheck.engine.evaluate import evaluate
from gradcheck.engine.expand import expand
from gradcheck.engine.numpy_engine import NumpyEngine
from gradcheck.engines import Outcome
from gradcheck.language import lower

PERCEPTRON = "tf.nn.softmax(tf.tanh(tf.tanh(x @ u) @ v) @ w)"
ATTENTION = "tf.nn.softmax(q @ tf.transpose(k)) @ v"

LIMITS = Limits()


class Workload(NamedTuple):
    """A derivative of an expression with respect to all but its last `fixed` inputs, which have these shapes."""

    title: str
    derivative: str
    expression: str
    inputs: dict[str, tuple[int, int]]
    fixed: int

    @property
    def sources(self) -> list[str]:
        return list(self.inputs)[: len(self.inputs) - self.fixed]

    def case(self) -> Case:
        """The workload as a case file has it."""
        lines = [f"derivative: {self.derivative}", f"wrt: [{', '.join(self.sources)}]", f"expr: {self.expression}"]
        lines.append("inputs:")
        for seed, (name, shape) in enumerate(self.inputs.items()):
            lines.append(f"  {name}: {{shape: {list(shape)}, random: normal, seed: {seed}}}")
        with TemporaryDirectory() as folder:
            path = Path(folder) / "case.yaml"
            path.write_text("\n".join(lines) + "\n", encoding="utf-8")
            loaded = load_file(path, LIMITS)
        assert not loaded.errors, loaded.errors
        (case,) = loaded.cases
        return case

    def function(self, library: Any) -> Callable[..., Any]:
        """The expression in a library that has TensorFlow's names; it takes the sources, what is fixed is given."""
        code = compile(self.expression, self.title, "eval")
        arrays = lower(self.case()).inputs
        given = {name: library.constant(each) for name, each in arrays.items() if name not in self.sources}
        return lambda *values: eval(code, {"tf": library, **given, **dict(zip(self.sources, values, strict=True))})

    def values(self, library: Any) -> list[Any]:
        """The sources in that library."""
        arrays = lower(self.case()).inputs
        return [library.constant(arrays[name]) for name in self.sources]

    def directions(self, library: Any) -> list[Any]:
        """What a Hessian is multiplied with."""
        return [library.constant(np.ones(self.inputs[name], np.float32)) for name in self.sources]


def both(title: str, expression: str, inputs: dict[str, tuple[int, int]], fixed: int = 0) -> list[Workload]:
    """The Jacobian of an expression, and the Hessian of its mean square times a vector."""
    loss = f"tf.reduce_mean(({expression}) ** 2)"
    return [
        Workload(f"Jacobian, {title}", "jacobian", expression, inputs, fixed),
        Workload(f"Hessian times vector, {title}", "hvp", loss, inputs, fixed),
    ]


def perceptron(batch: int, width: int) -> list[Workload]:
    inputs = {"u": (width, width), "v": (width, width), "w": (width, 4), "x": (batch, width)}
    return both(f"MLP {batch}x{width}", PERCEPTRON, inputs, fixed=1)


def attention(length: int, width: int) -> list[Workload]:
    return both(f"attention {length}x{width}", ATTENTION, dict.fromkeys("qkv", (length, width)))


def ours(workload: Workload) -> Thunk:
    lowered = lower(workload.case())
    program = expand(lowered.program).pruned()
    return lambda: evaluate(program, lowered.inputs)


def ours_as_a_whole(workload: Workload) -> Thunk:
    case = workload.case()

    def run() -> object:
        outcome = NumpyEngine().run(request(lower(case)))
        assert isinstance(outcome, Outcome), outcome
        return outcome

    return run


def eager_tensorflow(workload: Workload) -> Thunk:
    """TensorFlow as it is by itself: it vectorizes a Jacobian by tracing it, at every call anew."""
    import tensorflow as tf

    tf.get_logger().setLevel("ERROR")  # no warnings about that
    function, values, directions = workload.function(tf), workload.values(tf), workload.directions(tf)

    def jacobian() -> object:
        with tf.GradientTape() as tape:
            tape.watch(values)
            out = function(*values)
        return tape.jacobian(out, values)

    def product() -> object:
        with tf.autodiff.ForwardAccumulator(values, directions) as forward:
            with tf.GradientTape() as tape:
                tape.watch(values)
                out = function(*values)
            gradients = tape.gradient(out, values)
        return forward.jvp(gradients)

    return jacobian if workload.derivative == "jacobian" else product


def row_by_row_tensorflow(workload: Workload) -> Thunk | None:
    """TensorFlow's Jacobian without its vectorization."""
    import tensorflow as tf

    function, values = workload.function(tf), workload.values(tf)

    def jacobian() -> object:
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(values)
            out = function(*values)
        return tape.jacobian(out, values, experimental_use_pfor=False)

    return jacobian if workload.derivative == "jacobian" else None


def with_torch(workload: Workload) -> Thunk:
    import torch

    library = SimpleNamespace(
        constant=torch.tensor,
        tanh=torch.tanh,
        transpose=torch.t,
        reduce_mean=torch.mean,
        nn=SimpleNamespace(softmax=lambda x: torch.softmax(x, -1)),
    )
    function, values = workload.function(library), workload.values(library)
    positions = tuple(range(len(values)))
    if workload.derivative == "jacobian":
        return lambda: torch.func.jacrev(function, positions)(*values)
    directions = tuple(workload.directions(library))
    gradient = torch.func.grad(function, positions)
    return lambda: torch.func.jvp(gradient, tuple(values), directions)


def with_jax(workload: Workload) -> Thunk:
    import jax
    import jax.numpy as jnp

    library = SimpleNamespace(
        constant=jnp.asarray,
        tanh=jnp.tanh,
        transpose=jnp.transpose,
        reduce_mean=jnp.mean,
        nn=SimpleNamespace(softmax=jax.nn.softmax),
    )
    function, values = workload.function(library), workload.values(library)
    directions, positions = workload.directions(library), tuple(range(len(values)))

    def run() -> object:
        with jax.disable_jit():
            if workload.derivative == "jacobian":
                return jax.block_until_ready(jax.jacrev(function, positions)(*values))
            return jax.block_until_ready(jax.jvp(jax.grad(function, positions), values, directions))

    return run


def timed(workload: Workload, rounds: int) -> list[str]:
    thunks: dict[str, Thunk | None] = {
        "TensorFlow": eager_tensorflow(workload),
        "row by row": row_by_row_tensorflow(workload),
        "built once": ours(workload),
        "as a whole": ours_as_a_whole(workload),
        "torch": with_torch(workload) if find_spec("torch") else None,
        "jax": with_jax(workload) if find_spec("jax") else None,
    }
    times = paired({name: thunk for name, thunk in thunks.items() if thunk is not None}, rounds)
    base = times.pop("TensorFlow")
    ratios = [f"{ratio(times[name], base):.2g}" if name in times else "" for name in list(thunks)[1:]]
    return [workload.title, f"{statistics.median(base) * 1e3:.1f}", *ratios]


def table(workloads: Sequence[Workload], rounds: int) -> None:
    headings = ["", "TF ms", "TF by row", "ours", "whole", "torch", "jax"]
    rows = [timed(each, rounds) for each in workloads]
    show("Milliseconds of TensorFlow, and the others in times of these", headings, rows)


def main() -> None:
    table([*perceptron(8, 16), *attention(8, 8), *perceptron(64, 64), *attention(32, 32)], rounds=5)


if __name__ == "__main__":
    main()
