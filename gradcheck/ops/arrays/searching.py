"""Where elements are in an order: not differentiable."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.dtypes import INT32, Array
from gradcheck.ops.arrays.creation import as_out_type
from gradcheck.ops.declaration import REALS, OpError, declare, sample
from gradcheck.ops.shapes import Typed, as_bool, one_axis
from gradcheck.program import TensorType
from gradcheck.tensors import Tensor


def _argsort(
    values: Tensor, axis: Any = -1, direction: Any = "ASCENDING", stable: Any = False, name: str | None = None
) -> Typed:
    if direction not in ("ASCENDING", "DESCENDING"):
        raise OpError(f"`direction` must be 'ASCENDING' or 'DESCENDING', not {direction!r}", argument="direction")
    at = one_axis(axis, values.ndim)
    return TensorType(values.shape, INT32), {"axis": at, "direction": direction, "stable": as_bool(stable, "stable")}


def _argsort_forward(values: Array, axis: int, direction: str, stable: bool) -> Array:
    order: Array
    if direction == "ASCENDING":
        order = values.argsort(axis, kind="stable").astype(np.int32)
        return order
    last_first: Array = np.flip(values, axis).argsort(axis, kind="stable")
    order = (values.shape[axis] - 1 - np.flip(last_first, axis)).astype(np.int32)
    return order


declare(
    "tf.argsort",
    _argsort,
    forward=_argsort_forward,
    domains=(),
    dtypes=REALS,
    kink=lambda values, axis, direction, stable: np.diff(np.sort(values, axis), axis=axis),
    samples=(
        sample((2, 3)),
        sample((2, 3), axis=0, direction="DESCENDING"),
        sample(np.array([2, 1, 2, 1, 1])),
        sample(np.array([2, 1, 2, 1, 1]), direction="DESCENDING", stable=True),
        sample((0,)),
    ),
    convention="not connected; equal elements stay in their order, also when descending",
)


def _searchsorted(
    sorted_sequence: Tensor, values: Tensor, side: Any = "left", out_type: Any = INT32, name: str | None = None
) -> Typed:
    if side not in ("left", "right"):
        raise OpError(f"`side` must be 'left' or 'right', not {side!r}", argument="side")
    if not sorted_sequence.ndim or not values.ndim:
        raise OpError("`tf.searchsorted` takes rows, not scalars", help="write a single value as `[value]`")
    rows = [int(np.prod(each.shape[:-1], dtype=np.int64)) for each in (sorted_sequence, values)]
    if rows[0] != rows[1]:
        raise OpError(
            f"`sorted_sequence` of shape {list(sorted_sequence.shape)} and `values` of shape {list(values.shape)} "
            "must have the same number of rows",
            argument="values",
        )
    target = as_out_type(out_type)
    return TensorType(values.shape, target), {"side": side, "out_type": target}


def _searchsorted_forward(sequence: Array, values: Array, side: Any, out_type: Any) -> Array:
    found = np.empty((values.size // max(values.shape[-1], 1), values.shape[-1]), out_type)
    rows = values.reshape(found.shape)
    for row, (line, wanted) in enumerate(zip(sequence.reshape(len(rows), sequence.shape[-1]), rows, strict=True)):
        found[row] = np.searchsorted(line, wanted, side)
    return found.reshape(values.shape)


declare(
    "tf.searchsorted",
    _searchsorted,
    forward=_searchsorted_forward,
    domains=(),
    dtypes=REALS,
    samples=(
        sample(np.array([1, 2, 2, 3]), np.array([2, 0, 5, 3])),
        sample(np.array([1, 2, 2, 3]), np.array([2, 0, 5, 3]), side="right"),
        sample(np.array([[1, 2], [0, 3]]), np.array([[2, 0, 1], [1, 4, 3]]), out_type=np.dtype(np.int64)),
        sample(np.array([[1, 2]]), np.array([2])),
    ),
    convention="not connected",
)
