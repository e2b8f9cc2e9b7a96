"""Jacobians: every element of a target with respect to every element of a source."""

from collections.abc import Sequence
from math import prod

import numpy as np

from gradcheck.dtypes import Array
from gradcheck.engine.reverse import Record, walk
from gradcheck.engine.vectorize import Rows
from gradcheck.ops.vocabulary import tf
from gradcheck.program import Shape
from gradcheck.tensors import Builder, Tensor


def jacobian(
    records: Sequence[Record], target: Tensor, sources: Sequence[Tensor], *, batch: bool = False
) -> list[Tensor | None]:
    """One Jacobian per source, of shape `target.shape + source.shape`; None where no path leads to the source.

    With `batch` the first axis of target and source is one and the same, and elements of different rows are taken not
    to depend on each other: the shape is `target.shape + source.shape[1:]`. Row by row a Jacobian is what the cotangent
    one of a single element of the target gives, which is TensorFlow's convention for complex numbers.

    The walk takes place once, for a cotangent that is not known; what it writes is then written for all of them.
    """
    builder = target.context
    assert isinstance(builder, Builder), "a Jacobian is written into a program"
    shared = target.shape[:1] if batch else ()
    inner = target.shape[len(shared) :]
    shapes = [(*target.shape, *source.shape[len(shared) :]) for source in sources]
    if prod(inner) == 1:
        ones = builder.constant(_cotangents(target, shared, inner)[0])
        alone = walk(records, [(target, ones)], sources)
        return [None if each is None else tf.reshape(each, shape) for each, shape in zip(alone, shapes, strict=True)]
    start = len(builder.instructions)
    cotangent = builder.placeholder(target.type)
    found = walk(records, [(target, cotangent)], sources)
    written = builder.instructions[start:]
    del builder.instructions[start:]
    if not prod(inner):
        pairs = zip(found, shapes, strict=True)
        return [None if each is None else tf.zeros(shape, each.dtype) for each, shape in pairs]
    rows = Rows(builder, cotangent, builder.constant(_cotangents(target, shared, inner)))
    for instruction in written:
        rows.write(instruction)
    jacobians: list[Tensor | None] = []
    for each, shape in zip(found, shapes, strict=True):
        if each is None:
            jacobians.append(None)
            continue
        stacked = rows.stacked(each)
        if shared:
            stacked = tf.transpose(stacked, (1, 0, *range(2, stacked.ndim)))
        jacobians.append(tf.reshape(stacked, shape))
    return jacobians


def _cotangents(target: Tensor, shared: Shape, inner: Shape) -> Array:
    """One behind the other, the cotangents that are one in a single element; they are repeated along shared axes."""
    count = prod(inner)
    units = np.eye(count, dtype=target.dtype).reshape(count, *(1 for _ in shared), *inner)
    return np.ascontiguousarray(np.broadcast_to(units, (count, *target.shape)))
