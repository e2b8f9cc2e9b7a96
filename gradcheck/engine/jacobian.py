"""Jacobians: every element of a target with respect to every element of a source."""

from collections.abc import Sequence
from math import prod

import numpy as np

from gradcheck.engine.reverse import Record, walk
from gradcheck.engine.vectorize import Rows
from gradcheck.ops.vocabulary import tf
from gradcheck.program import Array, Shape
from gradcheck.tensors import Builder, Tensor


def jacobian(
    records: Sequence[Record], target: Tensor, sources: Sequence[Tensor], *, batch: bool = False
) -> list[Tensor | None]:
    """One Jacobian per source, of shape `target.shape + source.shape`; None where no path leads to the source.

    With `batch` the first axis of target and source is one and the same, and elements of different rows are taken not
    to depend on each other: the shape is `target.shape + source.shape[1:]`. Element by element a Jacobian is what the
    cotangent one of an element of the target gives, which is TensorFlow's convention for complex numbers.

    The walk takes place once, with a cotangent that is not known; what it writes is then written for all of them.
    """
    builder = target.context
    assert isinstance(builder, Builder), "a Jacobian is written into a program"
    start = len(builder.instructions)
    cotangent = builder.placeholder(target.type)
    found = walk(records, [(target, cotangent)], sources)
    written = builder.instructions[start:]
    del builder.instructions[start:]
    shared = target.shape[:1] if batch else ()
    inner = target.shape[len(shared) :]
    if not prod(inner):
        shapes = [(*target.shape, *source.shape[len(shared) :]) for source in sources]
        pairs = zip(found, shapes, sources, strict=True)
        return [None if each is None else tf.zeros(shape, source.dtype) for each, shape, source in pairs]
    rows = Rows(builder, cotangent, builder.constant(_cotangents(target, shared, inner)))
    for each in written:
        rows.write(each)
    return [None if each is None else _shaped(rows.stacked(each), shared, inner) for each in found]


def _cotangents(target: Tensor, shared: Shape, inner: Shape) -> Array:
    """The unit cotangents, one behind the other; each is the same along the axes that are shared."""
    count = prod(inner)
    units = np.eye(count, dtype=target.dtype).reshape(count, *(1 for _ in shared), *inner)
    return np.ascontiguousarray(np.broadcast_to(units, (count, *target.shape)))


def _shaped(stacked: Tensor, shared: Shape, inner: Shape) -> Tensor:
    """One row for each cotangent as a Jacobian; the axes that are shared come first."""
    if shared:
        stacked = tf.transpose(stacked, (1, 0, *range(2, stacked.ndim)))
    jacobian: Tensor = tf.reshape(stacked, (*shared, *inner, *stacked.shape[1 + len(shared) :]))
    return jacobian
