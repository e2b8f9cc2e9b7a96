"""Jacobians of programs: as the engine writes them, by one walk for each row, and TensorFlow's."""

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np
import tensorflow

from gradcheck.dtypes import Array
from gradcheck.engine.expand import expand
from gradcheck.engine.jacobian import jacobian
from gradcheck.engine.reverse import Record, walk
from gradcheck.ops import tf
from gradcheck.program import Program
from gradcheck.tensors import Builder, Tensor, building

Written = Callable[..., list[Tensor | None]]


def jacobian_program(
    program: Program, sources: Sequence[str], write: Written = jacobian, position: int = 0, **options: bool
) -> Program:
    """The Jacobians of one output of `program`, as `write` has them."""
    program = expand(program)
    builder = Builder.extending(program)
    records = [
        Record(
            each.op,
            [builder.value(index) for index in each.inputs],
            [builder.value(index) for index in each.outputs],
            each.attributes,
        )
        for each in program.instructions
    ]
    target = program.outputs[position]
    assert target is not None
    with building(builder):
        found = write(
            records, builder.value(target), [builder.value(program.inputs[name]) for name in sources], **options
        )
    return builder.finish(found)


def row_by_row(records: Sequence[Record], target: Tensor, sources: Sequence[Tensor]) -> list[Tensor | None]:
    """One walk for each element of the target, which must have some."""
    count = prod(target.shape)
    units = np.eye(count, dtype=target.dtype).reshape(count, *target.shape)
    rows = [walk(records, [(target, tf.constant(unit))], sources) for unit in units]
    columns = zip(sources, zip(*rows, strict=True), strict=True)
    return [
        None if column[0] is None else tf.reshape(tf.stack(list(column)), (*target.shape, *source.shape))
        for source, column in columns
    ]


def tensorflow_jacobians(
    function: Callable[..., Any], arrays: Sequence[Array], *, batch: bool = False
) -> list[Array | None]:
    """TensorFlow's Jacobians of `function(tf, *sources)`."""
    sources = [tensorflow.constant(each) for each in arrays]
    with tensorflow.GradientTape(persistent=True) as tape:
        tape.watch(sources)
        target = function(tensorflow, *sources)
    found = [tape.batch_jacobian(target, each) for each in sources] if batch else tape.jacobian(target, sources)
    return [None if each is None else each.numpy() for each in found]
