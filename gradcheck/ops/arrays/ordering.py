"""Sorting, and the largest elements: the permutation carries the gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.dtypes import DTYPES
from gradcheck.ops.arrays.shaping import as_dtype
from gradcheck.ops.declaration import REAL, REALS, OpError, compose, sample
from gradcheck.ops.shapes import as_bool, as_int, one_axis
from gradcheck.ops.vocabulary import tf
from gradcheck.program import Array
from gradcheck.tensors import Tensor


def _along_rows(values: Tensor, positions: Tensor) -> Tensor:
    """The elements at these positions of each row, a row being what lies along the last axis."""
    taken: Tensor = tf.gather(values, positions, axis=values.ndim - 1, batch_dims=values.ndim - 1)
    return taken


@compose(
    "tf.sort",
    domains=(REAL,),
    dtypes=REALS,
    kink=lambda values, axis, direction: np.diff(np.sort(values, axis), axis=axis),
    samples=(
        sample((4,)),
        sample((2, 3), direction="DESCENDING"),
        sample((3, 2, 2), axis=0),
        sample((2, 3, 1), axis=-2, direction="DESCENDING"),
        sample((0, 2)),
    ),
    convention="equal elements keep their order, also when descending; where TensorFlow leaves a NaN is not defined",
)
def _sort(values: Tensor, axis: Any = -1, direction: Any = "ASCENDING", name: str | None = None) -> Tensor:
    at, last = one_axis(axis, values.ndim), values.ndim - 1
    order = [*range(at), last, *range(at + 1, last), at]
    rows = values if at == last else tf.transpose(values, order)
    rows = _along_rows(rows, tf.argsort(rows, direction=direction, stable=True))
    return rows if at == last else tf.transpose(rows, order)


def _leads(x: Array, k: int) -> Array:
    """How far each of the k largest elements of a row is ahead of the next one."""
    gaps: Array = np.diff(np.sort(x, -1), axis=-1)
    return gaps[..., max(gaps.shape[-1] - k, 0) :]


@compose(
    "tf.math.top_k",
    aliases=("tf.nn.top_k",),
    domains=(REAL,),
    dtypes=REALS,
    several=True,
    kink=lambda input, k, sorted, index_type: _leads(input, k),  # noqa: A006  # TensorFlow's names
    samples=(
        sample((4,)),
        sample((2, 3), 2),
        sample((2, 2, 3), k=3),
        sample((2, 3), 0),
    ),
    convention="of equal elements the one with the lower index comes first; the indices are not connected; "
    "TensorFlow's gradient fails where they are not int32",
)
def _top_k(
    input: Tensor,  # noqa: A002  # TensorFlow's name
    k: Any = 1,
    sorted: bool = True,  # noqa: A002  # TensorFlow's name
    index_type: Any = DTYPES["int32"],
    name: str | None = None,
) -> list[Tensor]:
    count, target = as_int(k, "k"), as_dtype(index_type)
    if not as_bool(sorted, "sorted"):
        raise OpError("`sorted=False` leaves the order open, so that there is nothing to compare", argument="sorted")
    if target.name not in ("int16", "int32", "int64"):
        raise OpError(f"an index is of type int16, int32 or int64, not {target.name}", argument="index_type")
    if input.ndim == 0 or not 0 <= count <= input.shape[-1]:
        raise OpError(f"a tensor of shape {list(input.shape)} has no {count} largest elements in a row", argument="k")
    order = tf.argsort(input, direction="DESCENDING", stable=True)
    positions = tf.slice(order, [0] * input.ndim, [*input.shape[:-1], count])
    return [_along_rows(input, positions), positions if target == positions.dtype else tf.cast(positions, target)]
