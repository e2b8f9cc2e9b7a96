"""Every differentiable operation for many cotangents at once, against one walk for each of them."""

from collections.abc import Callable
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np
import pytest

from gradcheck.dtypes import COMPLEX128, FLOAT64, Array, is_differentiable
from gradcheck.engine.differentiate import gradient
from gradcheck.engine.evaluate import evaluate
from gradcheck.engine.tracing import trace
from gradcheck.engine.vectorize import Rows
from gradcheck.ops import OPS, Op, tf
from gradcheck.ops.declaration import substituted
from gradcheck.ops.sampling import trials
from gradcheck.program import Program, Shape, TensorType
from gradcheck.tensors import Builder, building
from tests.engine.jacobians import jacobian_program, row_by_row

MOST = 40
"""Samples with more elements in their result are left out: each is another walk."""

TABLE = [op for op in OPS.values() if op.differentiable]


def _dtypes(op: Op) -> list[np.dtype]:
    """Those that an operation is tried in: real and complex in double precision, or what it has."""
    return [dtype for dtype in (FLOAT64, COMPLEX128) if dtype in op.dtypes] or [op.dtypes[-1]]


def assert_same_as_row_by_row(program: Program, inputs: dict[str, Array], position: int) -> None:
    """The elements of one row are sums of the same products, in an order that a matrix product is free to choose."""
    sources = [name for name, each in inputs.items() if is_differentiable(each.dtype)]
    at_once = jacobian_program(program, sources, position=position)
    expected = evaluate(jacobian_program(program, sources, row_by_row, position), inputs)
    for mine, other in zip(evaluate(at_once, inputs), expected, strict=True):
        assert (mine is None) == (other is None)
        if mine is not None and other is not None:
            scale = np.abs(other, where=np.isfinite(other), out=np.zeros(other.shape)).max(initial=0)
            np.testing.assert_allclose(mine, other, rtol=0, atol=8 * np.finfo(other.dtype).eps * scale, strict=True)


def _small(program: Program) -> list[int]:
    """The positions of the outputs that have a Jacobian of few rows."""
    types = [None if index is None else program.types[index] for index in program.outputs]
    return [
        position
        for position, each in enumerate(types)
        if each is not None and is_differentiable(each.dtype) and 0 < prod(each.shape) <= MOST
    ]


@pytest.mark.parametrize("op", [each for each in OPS.values() if each.batching is not None], ids=lambda op: op.name)
def test_rule_gives_what_the_operation_gives_for_each_row(op: Op) -> None:
    for draws in zip(*(trials(op, _dtypes(op)[0], seed) for seed in range(3)), strict=True):
        program, inputs, _ = draws[0]
        for name in inputs:
            rows = [each.inputs[name] for each in draws]
            expected = [evaluate(program, {**inputs, name: row}) for row in rows]
            found = evaluate(_for_many(program, name), {**inputs, "rows": np.stack(rows)})
            for mine, others in zip(found, zip(*expected, strict=True), strict=True):
                np.testing.assert_allclose(mine, np.stack(others), rtol=1e-13, atol=1e-14, strict=True)


def _for_many(program: Program, name: str) -> Program:
    """The outputs of `program` for each of three values of an input, which are a new input `rows`."""
    builder = Builder.extending(program)
    instructions, builder.instructions = builder.instructions, []
    varied = builder.value(program.inputs[name])
    rows = Rows(builder, varied, builder.input("rows", TensorType((3, *varied.shape), varied.dtype)))
    with building(builder):
        for each in instructions:
            rows.write(each)
        return builder.finish([rows.stacked(builder.value(index)) for index in program.outputs if index is not None])


@pytest.mark.parametrize(
    ("op", "dtype"), [pytest.param(op, each, id=f"{op.name}-{each.name}") for op in TABLE for each in _dtypes(op)]
)
def test_jacobian_is_that_of_one_walk_for_each_row(op: Op, dtype: np.dtype) -> None:
    for trial in trials(op, dtype):
        for position in _small(trial.program):
            assert_same_as_row_by_row(trial.program, trial.inputs, position)


@pytest.mark.parametrize("op", TABLE, ids=lambda op: op.name)
def test_jacobian_of_a_gradient_is_that_of_one_walk_for_each_row(op: Op) -> None:
    tried = [each for each in trials(op, _dtypes(op)[0]) if _small(each.program)]
    for trial in tried[:2]:
        written = gradient(trial.program, trial.sources)
        count = len(trial.program.outputs)
        gradients = tuple(each for each in written.program.outputs[count:] if each is not None)
        program = replace(written.program, outputs=gradients).pruned()
        inputs = written.seeded(trial.inputs, [None] * count)
        for position in _small(program):
            assert_same_as_row_by_row(program, inputs, position)


TWICE = np.array([0, 2, 0], np.int32)
PAIRS = np.array([[0, 1], [2, 0], [0, 1]], np.int32)
WEIGHTS = np.arange(12.0).reshape(3, 4)
BORDER = [[1, 0], [0, 2]]

WITH_RULES: dict[str, Callable[[Any], Any]] = {
    "a perceptron": lambda x: tf.nn.relu(tf.tanh(x @ WEIGHTS) @ WEIGHTS.T),
    "attention": lambda x: tf.nn.softmax(tf.matmul(x, x, transpose_b=True)) @ x,
    "normalization": lambda x: (x - tf.reduce_mean(x, axis=1, keepdims=True)) / tf.reduce_sum(tf.square(x), axis=0),
    "einsum": lambda x: tf.einsum("ij,kj->ki", x, x),
    "slices": lambda x: x[1:, ::-2] * x[0, None, 1],
    "joined and taken apart": lambda x: tf.stack(tf.split(tf.concat([x, tf.reverse(x, [0])], 1), 2, axis=1)),
    "gathered": lambda x: tf.gather(x, TWICE, axis=1)[:3] + tf.gather_nd(x, PAIRS),
    "scattered": lambda x: tf.tensor_scatter_nd_update(x, PAIRS, x[0]) + tf.scatter_nd(PAIRS, x[1], x.shape),
    "repeated": lambda x: tf.roll(tf.tile(tf.pad(x, BORDER), [1, 2]), 1, 0),
    "mirrored": lambda x: tf.pad(x, [[1, 1], [2, 0]], "REFLECT"),
    "running": lambda x: tf.cumsum(tf.where(x > 0, x, tf.exp(x)), axis=1),
    "diagonals": lambda x: tf.linalg.set_diag(tf.linalg.diag(x), tf.square(x)),
    "solved": lambda x: tf.linalg.solve(tf.linalg.band_part(x[:3], 0, -1), tf.transpose(x)),
}


@pytest.mark.parametrize("function", WITH_RULES.values(), ids=WITH_RULES)
def test_a_jacobian_takes_as_many_instructions_however_many_rows_it_has(function: Callable[[Any], Any]) -> None:
    def written(rows: int) -> int:
        program = trace(function, {"x": np.ones((rows, 3))})
        return len(jacobian_program(program, ["x"]).instructions)

    assert written(4) == written(9)


def test_what_does_not_depend_on_the_row_is_written_once() -> None:
    program = trace(tf.sin, {"x": np.ones(5)})
    once = [("tf.sin", (5,)), ("tf.cos", (5,))]
    assert _results(jacobian_program(program, ["x"])) == [*once, ("tf.multiply", (5, 5)), ("tf.reshape", (5, 5))]


def test_an_operation_without_a_rule_is_carried_out_row_by_row() -> None:
    inputs = {"x": np.array([2.0, 3.0, 4.0])}
    with substituted(replace(OPS["tf.multiply"], batching=None)):
        program = trace(tf.sin, inputs)
        written = jacobian_program(program, ["x"])
        assert_same_as_row_by_row(program, inputs, 0)
    assert [each.op.name for each in written.instructions].count("tf.multiply") == 3


def test_a_target_of_one_element_costs_what_its_gradient_costs() -> None:
    program = trace(lambda x: tf.reduce_sum(tf.tanh(x @ x)), {"x": np.ones((3, 3))})
    assert _results(jacobian_program(program, ["x"]))[:-1] == _results(gradient(program, ["x"]).program)


def _results(program: Program) -> list[tuple[str, Shape]]:
    return [(each.op.name, program.types[each.outputs[0]].shape) for each in program.instructions]
