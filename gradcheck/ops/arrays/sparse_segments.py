"""Rows that are taken by their positions and then summed, or averaged, over segments."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.dtypes import FLOATS
from gradcheck.ops.arrays.segments import ordered_ids, shared, size_of
from gradcheck.ops.declaration import REAL, REALS, Index, OpError, compose, sample
from gradcheck.ops.shapes import as_bool, as_int
from gradcheck.ops.vocabulary import tf
from gradcheck.tensors import Tensor


def _sparse(name: str, power: float | None) -> None:
    """`tf.sparse.segment_…`: rows that are taken by their positions, then summed and divided by length ** power."""

    def function(
        data: Tensor,
        indices: Index,
        segment_ids: Index,
        num_segments: Any = None,
        name: str | None = None,
        sparse_gradient: Any = False,
    ) -> Tensor:
        as_bool(sparse_gradient, "sparse_gradient")
        if data.ndim == 0 or indices.ndim != 1:
            raise OpError("`indices` must be a list of rows of `data`", argument="indices")
        rows = tf.gather(data, indices)
        ids = ordered_ids(rows, segment_ids)
        count = size_of(ids) if num_segments is None else as_int(num_segments, "num_segments")
        if count < size_of(ids):
            raise OpError(f"the last segment, {ids[-1]}, is not in [0, {count})", argument="num_segments")
        total: Tensor = tf.math.unsorted_segment_sum(rows, segment_ids, count)
        return total if power is None else shared(total, ids, power)

    compose(
        f"tf.sparse.segment_{name}",
        domains=(REAL,),
        dtypes=REALS if power is None else FLOATS,
        narrow_sums=True,
        samples=(
            sample((4, 2), np.array([0, 1, 3, 0]), [0, 0, 1, 1]),
            sample((4,), [3, 3, 0], [1, 1, 2], num_segments=4),
            sample((3, 2), [2, 0], [0, 0], sparse_gradient=True),
        ),
        convention="a segment without rows is 0; `sparse_gradient` changes nothing but the form of TensorFlow's "
        "gradient; TensorFlow has no second order",
    )(function)


_sparse("sum", None)
_sparse("mean", 1)
_sparse("sqrt_n", 0.5)
