"""Calls of one operation whose gradient is known, and what is said of another gradient of them."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import ml_dtypes
import numpy as np

from gradcheck.dtypes import Array, is_differentiable, real_of
from gradcheck.engine.evaluate import evaluate
from gradcheck.engine.tracing import trace
from gradcheck.ops import tf
from gradcheck.verdict.slips import Wrong, explain
from tests.ops.support import gradient_program

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)


def drawn(*shape: int, seed: int = 0, low: float = 0.3, high: float = 1.9, dtype: Any = np.float64) -> Array:
    """Numbers of no pattern; complex ones have an imaginary part of their own."""
    rng = np.random.default_rng([seed, *shape])
    values = rng.uniform(low, high, shape)
    if np.dtype(dtype).kind == "c":
        values = values + 1j * rng.uniform(low, high, shape)
    return np.asarray(values).astype(dtype)


def call(function: Callable[..., Any], *inputs: Array, argument: int = 0, ones: bool = False) -> Wrong:
    """A call of one operation, with the right gradient as what was found."""
    named = {f"x{position}": each for position, each in enumerate(inputs)}
    program = trace(lambda **values: function(*values.values()), named)
    instruction = program.instructions[-1]
    assert len(program.instructions) == 1
    outputs = [each for each in evaluate(program, named) if each is not None]
    cotangents = [np.ones_like(y) if ones else _cotangent(y, position) for position, y in enumerate(outputs)]
    values = {index: named[name] for name, index in program.inputs.items()} | dict(program.constants)
    operands = tuple(values[index] for index in instruction.inputs)
    names = {index: name for name, index in program.inputs.items()}
    sources = [names[index] for index in instruction.inputs if index in names and _floating(values[index])]
    gradients, seeds = gradient_program(program, sources)
    found = dict(zip(sources, evaluate(gradients, {**named, **seeds(cotangents)}), strict=True))
    rights = tuple(found.get(names.get(index, "")) for index in instruction.inputs)
    right = rights[argument]
    return Wrong(
        op=instruction.op,
        attributes=instruction.attributes,
        inputs=operands,
        outputs=tuple(outputs),
        cotangents=tuple(cotangents),
        argument=argument,
        found=right,
        right=right,
        rights=rights,
        allowed=None if right is None else allowed(right),
    )


def _floating(array: Array) -> bool:
    return is_differentiable(array.dtype)


def _cotangent(output: Array, position: int) -> Array:
    if not is_differentiable(output.dtype):
        return np.zeros_like(output)
    return drawn(*output.shape, seed=17 + position, low=0.5, high=1.5, dtype=output.dtype)


def allowed(right: Array) -> Array:
    """Eight roundings of each element, and two of the largest."""
    size = np.abs(right).astype(np.float64)
    unit = float(ml_dtypes.finfo(real_of(right.dtype)).eps) / 2
    finite = np.where(np.isfinite(size), size, 0.0)
    return unit * (8 * finite + 2 * finite.max(initial=0.0))


def found(wrong: Wrong, value: Any) -> Wrong:
    """The same call with another gradient found, in the dtype of the right one."""
    assert wrong.right is not None
    return replace(wrong, found=np.asarray(value).astype(wrong.right.dtype))


def said(wrong: Wrong, value: Any) -> tuple[str, str] | None:
    slip = explain(found(wrong, value))
    return None if slip is None else (slip.kind, slip.sentence)


def right(wrong: Wrong) -> Array:
    assert wrong.right is not None
    return wrong.right


def g(wrong: Wrong) -> Array:
    return wrong.cotangents[0]


def swapped(x: Array) -> Array:
    return x.swapaxes(-1, -2)


EXP = call(tf.exp, drawn(2, 3))
SQUARE = call(tf.square, drawn(2, 3))
SIGMOID = call(tf.sigmoid, drawn(2, 3))
SUM = call(lambda x: tf.reduce_sum(x, axis=1), drawn(3, 4))
MATMUL = call(tf.matmul, drawn(3, 3), drawn(3, 3, seed=1))
BATCHED = call(tf.matmul, drawn(2, 2, 2), drawn(2, 2, 2, seed=1))
ROW = call(tf.multiply, drawn(4), drawn(3, 4, seed=1))
COLUMN = call(tf.multiply, drawn(3, 1), drawn(3, 4, seed=1))
OUTER = call(tf.multiply, drawn(3, 1), drawn(2, 3, 4, seed=1))
CUBE = call(tf.exp, drawn(3, 3, 3))
SOFTMAX = call(tf.nn.softmax, drawn(3, 4))
COMPLEX = call(tf.multiply, drawn(2, 3, dtype=complex), drawn(2, 3, seed=1, dtype=complex))
GATHER = call(lambda x: tf.gather(x, [0, 2, 0, 2, 2]), drawn(4, 2))
CUMSUM = call(lambda x: tf.cumsum(x, exclusive=True), drawn(5))
SPLIT = call(lambda x: tf.split(x, 2, axis=0), drawn(4, 3))
EDGES = call(tf.multiply, drawn(3), drawn(3, 3, seed=1))
PARTS = g(EDGES) * EDGES.inputs[1]
