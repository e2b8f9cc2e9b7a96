"""Independent answers to compare an operation with: TensorFlow's, and differences in float64."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import tensorflow as tf

from gradcheck.dtypes import FLOAT64, Array, is_complex
from gradcheck.engine.differentiate import gradient
from gradcheck.engine.wide import WideExecutable
from gradcheck.ops.sampling import Trial
from gradcheck.program import Instruction, Program
from gradcheck.reference.tensorflow import forward

Arrays = list[Array | None]


def drawn_like(program: Program, seed: int) -> list[Array | None]:
    """One random cotangent per output of `program`; None for an output that has no gradient."""
    rng = np.random.default_rng(seed)
    return [None if index is None else _drawn(program.types[index], rng) for index in program.outputs]


def _drawn(type_: Any, rng: np.random.Generator) -> Array:
    real = rng.uniform(0.5, 1.5, type_.shape)
    return (real + 1j * rng.uniform(0.5, 1.5, type_.shape) if is_complex(type_.dtype) else real).astype(type_.dtype)


def gradient_program(
    program: Program, sources: Sequence[str]
) -> tuple[Program, Callable[[Sequence[Array | None]], dict[str, Array]]]:
    """The program of the gradients alone, and how cotangents become its inputs."""
    written = gradient(program, sources)
    only = replace(written.program, outputs=written.program.outputs[len(program.outputs) :])

    def seeds(cotangents: Sequence[Array | None]) -> dict[str, Array]:
        return {name: each for name, each in zip(written.cotangents, cotangents, strict=True) if name is not None}

    return only, seeds


def differences(
    program: Program, inputs: dict[str, Array], sources: Sequence[str], cotangents: Sequence[Array | None]
) -> Arrays:
    """The gradient of Re(sum(conj(cotangent) * output)) by fourth-order central differences, element by element.

    With f = x + iy it is df/dx + i df/dy, TensorFlow's convention. Steps are 1e-3: in float64 the truncation error is
    of the order 1e-12 and the rounding error of 1e-13 times the fifth derivative and the value. An operation that goes
    over to float32 is kept in float64 for it; what `tf.stop_gradient` holds stays what it is at the point.
    """
    step = 1e-3
    wide, held = WideExecutable(program, FLOAT64), {}

    def hold(instruction: Instruction, _: tuple[Array, ...], results: list[Array]) -> list[Array]:
        constant = instruction.op.name == "tf.stop_gradient"
        return held.setdefault(id(instruction), results) if constant else results

    wide.run(inputs, hold)

    def loss(values: dict[str, Array]) -> float:
        outputs = wide.run(values, hold)
        pairs = zip(outputs, cotangents, strict=True)
        return float(sum(np.sum(np.conj(c) * y).real for y, c in pairs if y is not None and c is not None))

    def slope(name: str, at: tuple[int, ...], direction: complex) -> float:
        def moved(distance: float) -> float:
            array = inputs[name].copy()
            array[at] += distance * (direction if is_complex(array.dtype) else direction.real)
            return loss({**inputs, name: array})

        return (8 * (moved(step) - moved(-step)) - (moved(2 * step) - moved(-2 * step))) / (12 * step)

    results: Arrays = []
    for name in sources:
        array = inputs[name]
        result = np.zeros_like(array)
        for at in np.ndindex(array.shape):
            result[at] = slope(name, at, 1)
            if is_complex(array.dtype):
                result[at] += 1j * slope(name, at, 1j)
        results.append(result)
    return results


def tensorflow_orders(
    trial: Trial, cotangents: Sequence[Array | None], weights: Sequence[Array | None]
) -> tuple[Arrays, Arrays, Arrays | str]:
    """TensorFlow's outputs, gradients, and gradients of the weighted gradients (or why it has none)."""
    program = trial.program
    values: dict[int, Any] = {index: tf.constant(value) for index, value in program.constants.items()}
    values |= {index: tf.constant(trial.inputs[name]) for name, index in program.inputs.items()}
    sources = [values[program.inputs[name]] for name in trial.sources]
    with tf.GradientTape() as outer:
        outer.watch(sources)
        with tf.GradientTape() as inner:
            inner.watch(sources)
            targets = forward(program, values)
        if not sources:
            return [each.numpy() for each in targets], [], []
        try:
            firsts = inner.gradient(targets, sources, output_gradients=[tf.constant(each) for each in cotangents])
        except LookupError as error:  # it has no gradient at all
            return [each.numpy() for each in targets], [], str(error)
        firsts = [None if each is None else tf.convert_to_tensor(each) for each in firsts]
    outputs: Arrays = [each.numpy() for each in targets]
    first: Arrays = [None if each is None else each.numpy() for each in firsts]
    pairs = [
        (each, weight) for each, weight in zip(firsts, weights, strict=True) if each is not None and weight is not None
    ]
    try:
        seconds = (
            outer.gradient([a for a, _ in pairs], sources, output_gradients=[tf.constant(b) for _, b in pairs])
            if pairs
            else []
        )
    except (LookupError, NotImplementedError, TypeError, tf.errors.OpError) as error:
        return outputs, first, f"{type(error).__name__}: {error}"
    return outputs, first, [None if each is None else tf.convert_to_tensor(each).numpy() for each in seconds]


def assert_near(left: Array | None, right: Array | None, what: str, tolerance: float) -> None:
    """Equal shapes and dtypes, and every element within `tolerance` of the larger of 1 and its magnitude."""
    assert (left is None) == (right is None), f"{what}: {left} and {right}: only one is connected"
    if left is None or right is None:
        return
    assert (left.shape, left.dtype) == (right.shape, right.dtype), what
    if left.dtype == np.bool_:
        assert np.array_equal(left, right), f"{what}:\n{left}\n{right}"
        return
    near = np.abs(left - right) <= tolerance * np.maximum(1, np.abs(right))
    assert np.all(near | (np.isnan(left) & np.isnan(right))), f"{what}:\n{left}\n{right}"
