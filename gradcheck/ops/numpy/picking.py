"""NumPy's ways to pick elements: by positions, by conditions, in order."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.ops.arrays.creation import constant
from gradcheck.ops.calling import numbers
from gradcheck.ops.declaration import ANY, REAL, REALS, Index, Mask, OpError, Tensors, Various, compose, sample
from gradcheck.ops.numpy.kinds import nothing
from gradcheck.ops.numpy.rearranging import ravel, swapaxes
from gradcheck.ops.shapes import broadcast, one_axis
from gradcheck.ops.vocabulary import tf
from gradcheck.tensors import Tensor


@compose(
    "tf.experimental.numpy.take",
    domains=(REAL,),
    promotes=True,
    dtypes=ANY,
    samples=(
        sample((2, 3), np.array([0, 5, 9])),
        sample((2, 3), [0, -1], axis=1, mode="wrap"),
        sample((2, 3), np.array([[-1, 2]]), axis=-1),
    ),
    convention="a position outside is the nearest one inside, or with mode='wrap' what it is modulo the size",
)
def _take(a: Tensor, indices: Index, axis: Any = None, out: Any = None, mode: Any = "clip") -> Tensor:
    nothing(out, "out")
    rows, at = (ravel(a), 0) if axis is None else (a, one_axis(axis, a.ndim))
    size = indices.context.constant(np.asarray(rows.shape[at], indices.dtype))
    if mode == "clip":
        inside = tf.maximum(tf.minimum(indices, size - 1), 0)
    elif mode == "wrap":
        inside = tf.math.floormod(indices, size)
    else:
        raise OpError(f"`mode` must be 'clip' or 'wrap', not {mode!r}", argument="mode")
    taken: Tensor = tf.gather(rows, inside, axis=at)
    return taken


@compose(
    "tf.experimental.numpy.take_along_axis",
    domains=(REAL,),
    promotes=True,
    dtypes=ANY,
    samples=(
        sample((2, 3), np.array([[0], [2]]), 1),
        sample((2, 3, 2), np.array([[[0, -1, 1]]]), -1),
        sample((3, 2), np.array([[1, 0], [2, 2]]), 0),
    ),
    convention="a negative position counts from the end",
)
def _take_along_axis(arr: Tensor, indices: Index, axis: Any) -> Tensor:
    at = one_axis(axis, arr.ndim)
    if indices.ndim != arr.ndim:
        raise OpError(f"`indices` must have {arr.ndim} axes, not {indices.ndim}", argument="indices")
    size = arr.shape[at]
    others = [(*each.shape[:at], 1, *each.shape[at + 1 :]) for each in (arr, indices)]
    rest = broadcast(others[0], others[1])
    rows = swapaxes(tf.broadcast_to(arr, (*rest[:at], size, *rest[at + 1 :])), at, -1)
    count = indices.context.constant(np.asarray(size, indices.dtype))
    inside = tf.where(indices < 0, indices + count, indices)
    inside = swapaxes(tf.broadcast_to(inside, (*rest[:at], indices.shape[at], *rest[at + 1 :])), at, -1)
    taken: Tensor = swapaxes(tf.gather(rows, inside, axis=rows.ndim - 1, batch_dims=rows.ndim - 1), at, -1)
    return taken


@compose(
    "tf.experimental.numpy.compress",
    domains=(REAL,),
    promotes=True,
    dtypes=ANY,
    samples=(sample([True, False, True], (2, 3), axis=1), sample([False, True], (2, 2))),
)
def _compress(condition: Mask, a: Tensor, axis: Any = None) -> Tensor:
    known = numbers(condition)
    rows, at = (ravel(a), 0) if axis is None or not a.ndim else (a, one_axis(axis, a.ndim))
    if condition.ndim != 1 or known is None or known.size > rows.shape[at]:
        raise OpError(
            f"`condition` must be a list of at most {rows.shape[at]} flags that are known when the case is read",
            argument="condition",
        )
    taken: Tensor = tf.gather(rows, constant(np.flatnonzero(known)), axis=at)
    return taken


@compose(
    "tf.experimental.numpy.where",
    domains=(REAL, REAL),
    dtypes=ANY,
    promotes=True,
    samples=(sample((2, 3), (2, 3), (3,)), sample((2,), (), (2,))),
)
def _where(condition: Mask, x: Tensor | None = None, y: Tensor | None = None) -> Tensor:
    if x is None or y is None:
        raise OpError("`tf.experimental.numpy.where` is supported with both `x` and `y`", argument="x")
    chosen: Tensor = tf.where(condition, x, y)
    return chosen


@compose(
    "tf.experimental.numpy.select",
    domains=(REAL, REAL),
    dtypes=ANY,
    promotes=True,
    samples=(
        sample([[True, False, False], [True, True, False]], [(3,), (3,)], ()),
        sample([[[True], [False]]], [(2,)], ()),
    ),
    convention="of several conditions that hold the first one counts",
)
def _select(condlist: Various, choicelist: Tensors, default: Tensor = 0) -> Tensor:  # type: ignore[assignment]
    if len(condlist) != len(choicelist):
        raise OpError(f"{len(condlist)} conditions do not go with {len(choicelist)} choices", argument="choicelist")
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        default = tf.where(condition, choice, default)
    return default


@compose(
    "tf.experimental.numpy.sort",
    domains=(REAL,),
    promotes=True,
    dtypes=REALS,
    samples=(sample((2, 3)), sample((2, 3), axis=None), sample((3, 2), 0)),
    kink=lambda a, **_: np.diff(np.sort(a.reshape(-1))),
    convention="equal elements keep their order",
)
def _sort(a: Tensor, axis: Any = -1, kind: Any = "quicksort", order: Any = None) -> Tensor:
    nothing(order, "order")
    if kind != "quicksort":
        raise OpError(f"`kind` must be 'quicksort', not {kind!r}", argument="kind")
    ordered: Tensor = tf.sort(ravel(a), 0) if axis is None else tf.sort(a, axis)
    return ordered
