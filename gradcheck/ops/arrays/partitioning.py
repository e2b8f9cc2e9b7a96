"""Rows dealt out to several tensors, and put together again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcheck.dtypes import INT32, Array
from gradcheck.ops.arrays.creation import constant
from gradcheck.ops.arrays.gathering import check_positions, outside
from gradcheck.ops.calling import numbers
from gradcheck.ops.declaration import ANY, REAL, Index, OpError, Tensors, Undecided, Various, compose, sample
from gradcheck.ops.shapes import as_int
from gradcheck.ops.vocabulary import tf
from gradcheck.tensors import Tensor


def _known(tensor: Tensor, name: str) -> Array:
    found = numbers(tensor)
    if found is None:
        raise Undecided(
            f"`{name}` must be known when the case is read, because it decides the shape of the result", argument=name
        )
    return found


def _check_front(name: str, front: Tensor, data: Tensor) -> None:
    if data.shape[: front.ndim] != front.shape:
        raise OpError(
            f"`data` of shape {list(data.shape)} does not start with the shape of `{name}`, {list(front.shape)}",
            argument="data",
        )


@compose(
    "tf.dynamic_partition",
    domains=(REAL,),
    dtypes=ANY,
    several=True,
    samples=(
        sample((4, 2), [1, 0, 1, 0], 2),
        sample((2, 2), [[2, 0], [2, 2]], 3),
        sample((2,), [0, 0], 2),
    ),
    convention="the rows of a part stay in their order",
)
def _dynamic_partition(data: Tensor, partitions: Index, num_partitions: Any, name: str | None = None) -> list[Tensor]:
    count = as_int(num_partitions, "num_partitions")
    if count < 1:
        raise OpError(f"`num_partitions` must be at least 1, not {count}", argument="num_partitions")
    _check_front("partitions", partitions, data)
    check_positions(
        "tf.dynamic_partition",
        partitions,
        "partitions",
        (INT32,),
        lambda known: outside(known, count, "partitions"),
    )
    known = _known(partitions, "partitions").reshape(-1)
    rows = tf.reshape(data, (known.size, *data.shape[partitions.ndim :]))
    order = np.argsort(known, kind="stable").astype(np.int32)
    ends = np.searchsorted(known[order], np.arange(1, count))
    return [tf.gather(rows, constant(part)) for part in np.split(order, ends)]


def _stitched(op: str, indices: Sequence[Tensor], data: Sequence[Tensor], *, once: bool) -> Tensor:
    if len(indices) != len(data):
        raise OpError(f"{len(indices)} `indices` do not go with {len(data)} tensors of `data`", argument="data")
    for each, rows in zip(indices, data, strict=True):
        check_positions(op, each, "indices", (INT32,), _negative)
        _check_front("indices", each, rows)
    rests = [rows.shape[each.ndim :] for each, rows in zip(indices, data, strict=True)]
    if len(set(rests)) > 1:
        raise OpError(f"the rows of `data` have different shapes: {', '.join(map(str, rests))}", argument="data")
    positions = [_known(each, "indices") for each in indices]
    places = np.concatenate([each.reshape(-1) for each in positions])
    if once and len(set(places.tolist())) < len(places):
        raise OpError(f"`{op}` leaves open which row wins where an index is given twice", argument="indices")
    flat = [tf.reshape(rows, (known.size, *rests[0])) for known, rows in zip(positions, data, strict=True)]
    blank = tf.zeros((int(places.max(initial=-1)) + 1, *rests[0]), data[0].dtype)
    stitched: Tensor = tf.tensor_scatter_nd_update(blank, constant(places[:, np.newaxis]), tf.concat(flat, 0))
    return stitched


def _negative(known: Array) -> str | None:
    return outside(known, np.iinfo(known.dtype).max, "indices")


@compose(
    "tf.dynamic_stitch",
    domains=(REAL,),
    dtypes=ANY,
    samples=(
        sample([[0, 2], [3, 1]], [(2, 2), (2, 2)]),
        sample([1, [[2, 0]]], [(3,), (1, 2, 3)]),
        sample([[0, 3]], [(2,)]),
    ),
    convention="the last row of an index wins, but all of them receive its cotangent, as if each had; a row without an "
    "index is 0",
)
def _dynamic_stitch(indices: Various, data: Tensors, name: str | None = None) -> Tensor:
    return _stitched("tf.dynamic_stitch", indices, data, once=False)


@compose(
    "tf.raw_ops.ParallelDynamicStitch",
    domains=(REAL,),
    dtypes=ANY,
    samples=(sample([[0, 2], [3, 1]], [(2, 2), (2, 2)]),),
    convention="an index that is given twice is an error: which row wins is left open",
)
def _parallel_dynamic_stitch(indices: Various, data: Tensors, name: str | None = None) -> Tensor:
    return _stitched("tf.raw_ops.ParallelDynamicStitch", indices, data, once=True)
