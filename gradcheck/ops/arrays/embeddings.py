"""Rows of a table that are looked up by id, alone or combined."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcheck.dtypes import FLOAT32, FLOATS, INTEGERS, NARROW, Array
from gradcheck.ops.arrays.creation import constant
from gradcheck.ops.arrays.segments import ordered_ids
from gradcheck.ops.calling import numbers
from gradcheck.ops.declaration import ANY, POSITIVE, REAL, Index, OpError, Parts, Sparse, Undecided, compose, sample
from gradcheck.ops.shapes import as_bool, as_float, as_int
from gradcheck.ops.vocabulary import tf
from gradcheck.tensors import Tensor


def _table(params: Sequence[Tensor], name: str) -> Tensor:
    """The whole table of one that is given in parts: as equal as can be, the longer ones first."""
    if len(params) == 1:
        return params[0]
    rows = [each.shape[0] if each.ndim else 0 for each in params]
    each, longer = divmod(sum(rows), len(rows))
    if rows != [each + (place < longer) for place in range(len(rows))] or len({part.shape[1:] for part in params}) > 1:
        raise OpError(
            f"the parts of a table must have as many rows as each other, the first ones perhaps one more, not {rows}",
            argument=name,
        )
    whole: Tensor = tf.concat(list(params), 0)
    return whole


def _rows(params: Sequence[Tensor], ids: Tensor, max_norm: Any, name: str) -> Tensor:
    rows: Tensor = tf.gather(_table(params, name), ids)
    if max_norm is None:
        return rows
    if len(params) > 1:
        raise OpError("TensorFlow takes no account of `max_norm` where the table has parts", argument="max_norm")
    limit = constant(np.asarray(as_float(max_norm, "max_norm"), rows.dtype))
    clipped: Tensor = tf.clip_by_norm(rows, limit, axes=tuple(range(ids.ndim, rows.ndim)))
    return clipped


@compose(
    "tf.nn.embedding_lookup",
    domains=(REAL,),
    dtypes=ANY,
    samples=(
        sample([(4, 2)], np.array([0, 2, 0])),
        sample([(3, 2), (2, 2)], np.array([[4, 2], [0, 3]])),
    ),
    convention="a row that is looked up more than once receives the sum; `max_norm` clips each row like "
    "`tf.clip_by_norm`",
)
def _embedding_lookup(params: Parts, ids: Index, max_norm: Any = None, name: str | None = None) -> Tensor:
    return _rows(params, ids, max_norm, "params")


COMBINERS = ("sum", "mean", "sqrtn")
SPARSE = [[0, 0], [0, 2], [1, 1], [3, 0]]


def _weighted(rows: Tensor, segment_ids: Array, weights: Tensor | None, combiner: Any) -> Tensor:
    """The weighted sum of each segment, divided by that of the weights ("mean") or the root of their squares."""
    if combiner not in COMBINERS:
        raise OpError(f"`combiner` must be one of {', '.join(COMBINERS)}, not {combiner!r}", argument="combiner")
    ids, shape = constant(segment_ids), (segment_ids.size, *(1 for _ in rows.shape[1:]))
    wide = FLOAT32 if rows.dtype in NARROW else rows.dtype
    weights = tf.ones(shape, wide) if weights is None else tf.reshape(tf.cast(weights, wide), shape)
    total = tf.math.segment_sum(tf.cast(rows, wide) * weights, ids)
    if combiner == "mean":
        total = tf.math.divide_no_nan(total, tf.math.segment_sum(weights, ids))
    elif combiner == "sqrtn":
        total = tf.math.divide_no_nan(total, tf.sqrt(tf.math.segment_sum(tf.square(weights), ids)))
    combined: Tensor = tf.cast(total, rows.dtype)
    return combined


def _known(tensor: Tensor, name: str) -> Array:
    found = numbers(tensor)
    if found is None:
        raise Undecided(f"the numbers of `{name}` must be known when the case is read", argument=name)
    return found


def _pair(ids: Sparse, weights: Sparse | None, names: tuple[str, str]) -> tuple[Array, Array, Tensor | None, Array]:
    """Of each id its row, the id itself, its weight; and the shape of the whole."""
    places, values, shape = (_known(each, names[0]) for each in ids)
    if weights is not None and weights[1].shape != values.shape:
        raise OpError(f"`{names[1]}` must have a weight for each of `{names[0]}`", argument=names[1])
    if values.dtype not in INTEGERS:
        raise OpError(f"`{names[0]}` must hold integers, not {values.dtype.name}", argument=names[0])
    return places, values, None if weights is None else weights[1], shape


@compose(
    "tf.nn.embedding_lookup_sparse",
    domains=(REAL, POSITIVE),
    dtypes=FLOATS,
    narrow_sums=True,
    samples=(
        sample([(4, 2)], (SPARSE, [1, 3, 0, 1], [4, 3]), None),
        sample([(4, 2)], (SPARSE, [1, 3, 0, 1], [4, 3]), (SPARSE, (4,), [4, 3]), "sum"),
        sample([(4,)], (SPARSE, [1, 3, 0, 1], [4, 3]), (SPARSE, (4,), [4, 3]), "sqrtn"),
        sample([(4, 2)], (SPARSE, [1, 3, 0, 1], [4, 3]), (SPARSE, (4,), [4, 3]), max_norm=0.5),
    ),
    convention="`combiner` None is the mean; a row without ids is 0, and there is none behind the last id; TensorFlow "
    "has no second order without weights",
)
def _embedding_lookup_sparse(
    params: Parts,
    sp_ids: Sparse,
    sp_weights: Sparse | None,
    combiner: Any = None,
    max_norm: Any = None,
    name: str | None = None,
    allow_fast_lookup: Any = False,
) -> Tensor:
    as_bool(allow_fast_lookup, "allow_fast_lookup")
    places, ids, weights, _ = _pair(sp_ids, sp_weights, ("sp_ids", "sp_weights"))
    rows = _rows(params, constant(ids), max_norm, "params")
    segments = places[:, 0]
    ordered_ids(rows, constant(segments))
    return _weighted(rows, segments, weights, "mean" if combiner is None else combiner)


@compose(
    "tf.nn.safe_embedding_lookup_sparse",
    domains=(REAL, POSITIVE),
    dtypes=FLOATS,
    narrow_sums=True,
    samples=(
        sample([(4, 2)], (SPARSE, [1, 3, -1, 1], [5, 3])),
        sample([(4, 2)], (SPARSE, [1, 3, 0, 1], [5, 3]), (SPARSE, (4,), [5, 3]), "sqrtn"),
        sample([(4, 2)], ([[0, 1, 0], [2, 0, 1]], [1, 3], [3, 2, 2]), default_id=2, combiner="sum", max_norm=0.5),
    ),
    convention="an id below 0 is left out, and so is a weight that is not above 0, except from a sum; a row without "
    "ids is that of `default_id`, 0 without one; TensorFlow has no second order without weights",
)
def _safe_embedding_lookup_sparse(
    embedding_weights: Parts,
    sparse_ids: Sparse,
    sparse_weights: Sparse | None = None,
    combiner: Any = "mean",
    default_id: Any = None,
    max_norm: Any = None,
    name: str | None = None,
    allow_fast_lookup: Any = False,
) -> Tensor:
    as_bool(allow_fast_lookup, "allow_fast_lookup")
    places, ids, weights, shape = _pair(sparse_ids, sparse_weights, ("sparse_ids", "sparse_weights"))
    if any(each.ndim != 2 for each in embedding_weights):
        raise OpError("the table must be a matrix", argument="embedding_weights")
    outer = tuple(shape[:-1].tolist())
    count = int(np.prod(outer, dtype=np.int64))
    segments = np.ravel_multi_index(tuple(places[:, :-1].T), outer) if outer else np.zeros(ids.size, np.int64)
    kept = ids >= 0
    if weights is not None and combiner != "sum":
        if default_id is None:  # a row that has no other weights than 0 is 0, as one without ids
            weights = tf.where(weights > 0, weights, tf.zeros([], weights.dtype))
        else:
            kept &= _known(weights, "sparse_weights") > 0
    used = np.flatnonzero(kept)
    empty = np.setdiff1d(np.arange(count), segments[used])
    order = np.argsort(np.concatenate([segments[used], empty]), kind="stable")
    default = 0 if default_id is None else as_int(default_id, "default_id")
    filled = np.concatenate([ids[used], np.full(empty.size, default)])[order]
    if weights is not None:
        weights = tf.concat([tf.gather(weights, constant(used)), tf.ones([empty.size], weights.dtype)], 0)
        weights = tf.gather(weights, constant(order))
    rows = _rows(embedding_weights, constant(filled), max_norm, "embedding_weights")
    combined = _weighted(rows, np.concatenate([segments[used], empty])[order], weights, combiner)
    if default_id is None:
        there = np.isin(np.arange(count), empty, invert=True)[:, np.newaxis]
        combined = tf.where(constant(there), combined, tf.zeros([], combined.dtype))
    result: Tensor = tf.reshape(combined, (*outer, combined.shape[1]))
    return result
