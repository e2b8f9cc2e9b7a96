"""Sums, means, extremes and products of the rows that have the same id."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np

from gradcheck.dtypes import FLOATS, Array, DType, is_integer
from gradcheck.ops.arrays.gathering import GATHERED, added, check_positions, inside, outside
from gradcheck.ops.batching import Call, Layout
from gradcheck.ops.calling import numbers
from gradcheck.ops.declaration import NUMERIC, REAL, REALS, Index, OpError, Undecided, compose, declare, sample
from gradcheck.ops.shapes import Typed, as_int, conj, sum_rounding
from gradcheck.ops.vocabulary import tf
from gradcheck.program import TensorType
from gradcheck.tensors import Tensor


def _beyond(ids: Array, count: int) -> str | None:
    return outside(ids, count, "segment_ids", low=np.iinfo(ids.dtype).min)


def _segmented(op: str, data: Tensor, segment_ids: Tensor, num_segments: Any) -> TensorType:
    """The result of a reduction of `data` to `num_segments` rows, for a call that TensorFlow would accept."""
    count = as_int(num_segments, "num_segments")
    if count < 0:
        raise OpError(f"`num_segments` is negative: {count}", argument="num_segments")
    if data.shape[: segment_ids.ndim] != segment_ids.shape:
        raise OpError(
            f"`data` of shape {list(data.shape)} does not start with the shape of `segment_ids`, "
            f"{list(segment_ids.shape)}",
            argument="segment_ids",
        )
    check_positions(op, segment_ids, "segment_ids", GATHERED, lambda known: _beyond(known, count))
    return TensorType((count, *data.shape[segment_ids.ndim :]), data.dtype)


def ordered_ids(data: Tensor, segment_ids: Tensor) -> Array:
    """The ids of a call that wants one for each row of `data`, increasing from 0 on."""
    if segment_ids.ndim != 1 or data.shape[:1] != segment_ids.shape:
        raise OpError(
            f"`segment_ids` of shape {list(segment_ids.shape)} must be one id for each row of {list(data.shape)}",
            argument="segment_ids",
        )
    known = numbers(segment_ids)
    if known is None:
        raise Undecided(
            "`segment_ids` must be known when the case is read, because the last one decides the shape of the result",
            argument="segment_ids",
            help="use `tf.math.unsorted_segment_sum(data, segment_ids, num_segments)`",
        )
    if known.min(initial=0) < 0 or (known[1:] < known[:-1]).any():
        raise OpError(f"`segment_ids` {known.tolist()} do not increase from 0 on", argument="segment_ids")
    return known


def size_of(ids: Array) -> int:
    """How many segments there are, if the last one is not empty."""
    return int(ids[-1]) + 1 if ids.size else 0


def _kept(data: Array, segment_ids: Array) -> tuple[Array, Array]:
    """The ids in a row, and the rows of `data`, without those that a negative id drops."""
    rows = data.reshape(segment_ids.size, *data.shape[segment_ids.ndim :])
    ids = segment_ids.reshape(-1).astype(np.int64, copy=False)
    return (ids[ids >= 0], rows[ids >= 0]) if ids.min(initial=0) < 0 else (ids, rows)


def _reduced(ufunc: np.ufunc, start: Any, data: Array, segment_ids: Array, num_segments: int) -> Array:
    """What `ufunc` makes of each segment, one after the other, beginning with `start`."""
    inside(_beyond(segment_ids, num_segments))
    ids, rows = _kept(data, segment_ids)
    return added(np.full((num_segments, *rows.shape[1:]), start, data.dtype), ids, rows, ufunc)


def _rows(values: Tensor, segment_ids: Tensor) -> Tensor:
    """For each row what its segment has in `values`; 0 for a row that is dropped."""
    known = numbers(segment_ids)
    if known is not None and known.min(initial=0) >= 0:
        gathered: Tensor = tf.gather(values, segment_ids)
        return gathered
    if not values.shape[0]:
        nothing: Tensor = tf.zeros((*segment_ids.shape, *values.shape[1:]), values.dtype)
        return nothing
    zero = segment_ids.context.constant(np.zeros((), segment_ids.dtype))
    kept = segment_ids >= zero
    taken = tf.gather(values, tf.where(kept, segment_ids, zero))
    kept = tf.reshape(kept, (*segment_ids.shape, *(1 for _ in values.shape[1:])))
    rows: Tensor = tf.where(kept, taken, tf.zeros([], values.dtype))
    return rows


def _batching(call: Call, **attributes: Any) -> Layout | None:
    """The rows of the batch go behind the axes that the ids have."""
    if call.varied[1]:
        return None
    return Layout(attributes, (call.inputs[1].ndim, None), 1)


SAMPLES = (
    sample((4, 2), np.array([1, 0, 1, 0]), 3),
    sample((4,), np.array([1, -1, 1, 0]), 2),
    sample((2, 3), np.array([[1, 0, 1], [2, -3, 1]]), 3),
    sample((0, 2), np.zeros([0], np.int32), 2),
)
ORDERED_SAMPLES = (sample((5, 2), [0, 0, 1, 1, 1]), sample((3,), [1, 1, 4]), sample((2, 0), [0, 1]))


def _sum(data: Array, segment_ids: Array, num_segments: int) -> Array:
    return _reduced(np.add, 0, data, segment_ids, num_segments)


def _sum_type(data: Tensor, segment_ids: Index, num_segments: Any, name: str | None = None) -> Typed:
    type_ = _segmented("tf.math.unsorted_segment_sum", data, segment_ids, num_segments)
    return type_, {"num_segments": type_.shape[0]}


declare(
    "tf.math.unsorted_segment_sum",
    _sum_type,
    forward=_sum,
    vjp=(lambda g, y, data, segment_ids, num_segments: _rows(g, segment_ids), None),
    rounding=sum_rounding(_sum, lambda data, ids, **_: ids.size),
    narrow_sums=True,
    batching=_batching,
    domains=(REAL,),
    dtypes=NUMERIC,
    samples=(*SAMPLES, sample((4, 2), [1, 0, 1, 3], 4), sample((2, 3), np.array(1), 2)),
    source="every row receives the cotangent of its segment",
    convention="a negative id drops its row: gradient 0; 16-bit floats are added in float32 and rounded once, "
    "TensorFlow adds in their own dtype",
)


@compose(
    "tf.math.segment_sum",
    domains=(REAL,),
    dtypes=NUMERIC,
    samples=ORDERED_SAMPLES,
    convention="a segment without rows is 0",
)
def _segment_sum(data: Tensor, segment_ids: Index, name: str | None = None) -> Tensor:
    count = size_of(ordered_ids(data, segment_ids))
    total: Tensor = tf.math.unsorted_segment_sum(data, segment_ids, count)
    return total


def _limit(dtype: DType, sign: int) -> float:
    """The largest finite number of `dtype`, or for -1 the lowest."""
    if is_integer(dtype):
        return int(np.iinfo(dtype).max if sign > 0 else np.iinfo(dtype).min)
    return sign * float(ml_dtypes.finfo(dtype).max)  # type: ignore[no-untyped-call]


def _lead(data: Array, segment_ids: Array, sign: int) -> Array:
    """How far the extreme of each segment (the largest for 1) is ahead of the next of its elements."""
    ids, rows = _kept(data, segment_ids)
    width = int(np.prod(rows.shape[1:], dtype=np.int64))
    places = (ids[:, np.newaxis] * width + np.arange(width)).reshape(-1)
    order = np.lexsort((sign * rows.reshape(-1), places))
    places, values = places[order], rows.reshape(-1)[order]
    ends = np.append(places[1:] != places[:-1], True)
    gaps: Array = np.abs(np.diff(values))[ends[1:] & ~ends[:-1]]
    return gaps


def _extreme_vjp(g: Tensor, y: Tensor, data: Tensor, segment_ids: Tensor, num_segments: int, **_: Any) -> Tensor:
    chosen = tf.equal(data, _rows(y, segment_ids))
    count = tf.math.unsorted_segment_sum(tf.cast(chosen, g.dtype), segment_ids, num_segments)
    share = g / tf.maximum(count, 1)
    part: Tensor = tf.where(chosen, _rows(share, segment_ids), tf.zeros([], g.dtype))
    return part


FILLED = (sample((4, 2), np.array([1, 0, 1, 0]), 2), *SAMPLES[1:])
"""Samples without a segment that is empty: the lowest float64 is too large to take differences beside it."""


def _extremes(name: str, ufunc: np.ufunc, sign: int) -> None:
    def unsorted(data: Tensor, segment_ids: Index, num_segments: Any, name: str | None = None) -> Typed:
        type_ = _segmented(f"tf.math.unsorted_segment_{name}", data, segment_ids, num_segments)
        return type_, {"num_segments": type_.shape[0], "start": _limit(data.dtype, -sign)}

    def ordered(data: Tensor, segment_ids: Index, name: str | None = None) -> Typed:
        type_ = _segmented(f"tf.math.segment_{name}", data, segment_ids, size_of(ordered_ids(data, segment_ids)))
        start = _limit(data.dtype, -sign) if is_integer(data.dtype) else -sign * np.inf
        return type_, {"num_segments": type_.shape[0], "start": start}

    def forward(data: Array, segment_ids: Array, num_segments: int, start: float) -> Array:
        return _reduced(ufunc, start, data, segment_ids, num_segments)

    def filled(data: Array, segment_ids: Array, num_segments: int, start: float) -> Array:
        extremes = forward(data, segment_ids, num_segments, start)
        extremes[np.bincount(segment_ids, minlength=num_segments) == 0] = 0
        return extremes

    def kink(data: Array, segment_ids: Array, **_: Any) -> Array:
        return _lead(data, segment_ids, sign)

    nan = "a NaN makes its segment NaN, where TensorFlow forgets one that is not the last of the segment"
    for op, function, compute, samples, empty in (
        (f"tf.math.unsorted_segment_{name}", unsorted, forward, FILLED, "the last finite number before infinity"),
        (f"tf.math.segment_{name}", ordered, filled, ORDERED_SAMPLES, "0"),
    ):
        declare(
            op,
            function,
            forward=compute,
            vjp=(_extreme_vjp, None),
            batching=_batching,
            domains=(REAL,),
            dtypes=REALS,
            kink=kink,
            moves=True,
            samples=samples,
            source="the chosen elements receive the cotangent of their segment",
            convention=f"elements that tie share equally; a segment without rows is {empty}; {nan}",
        )


_extremes("max", np.maximum, 1)
_extremes("min", np.minimum, -1)


def _others(data: Tensor, segment_ids: Tensor) -> Tensor:
    """For each element the product of those it is multiplied with; nothing is divided, so elements may be 0.

    With the rows sorted by segment it is the product of those before times the product of those behind.
    """
    ids = tf.reshape(segment_ids, [-1])
    order = tf.argsort(ids, stable=True)
    rows = tf.gather(tf.reshape(data, (*ids.shape, *data.shape[segment_ids.ndim :])), order)
    ids = tf.gather(ids, order)
    behind = tf.reverse(_before(tf.reverse(rows, [0]), tf.reverse(ids, [0])), [0])
    others = tf.gather(_before(rows, ids) * behind, tf.argsort(order, stable=True))
    restored: Tensor = tf.reshape(others, data.shape)
    return restored


def _before(rows: Tensor, ids: Tensor) -> Tensor:
    """For each row the product of those before it that have its id, by doubling: of the last, last 2, last 4 rows."""
    product, step = _earlier(rows, ids, 1), 1
    while step < rows.shape[0]:
        product = product * _earlier(product, ids, step)
        step *= 2
    return product


def _earlier(rows: Tensor, ids: Tensor, step: int) -> Tensor:
    """The rows from `step` places before, where the id is the same and not negative, and 1 elsewhere."""
    count, one = rows.shape[0], tf.ones([], rows.dtype)
    same = tf.logical_and(tf.equal(ids[step:], ids[:-step]), ids[step:] >= 0)
    same = tf.reshape(same, (count - step, *(1 for _ in rows.shape[1:])))
    first: Tensor = tf.ones((step, *rows.shape[1:]), rows.dtype)
    moved: Tensor = tf.concat([first, tf.where(same, rows[:-step], one)], 0)
    return moved


def _product_vjp(g: Tensor, y: Tensor, data: Tensor, segment_ids: Tensor, num_segments: int) -> Tensor:
    if not int(np.prod(segment_ids.shape)):
        nothing: Tensor = tf.zeros_like(data)
        return nothing
    part: Tensor = _rows(g, segment_ids) * conj(_others(data, segment_ids))
    return part


def _product_type(data: Tensor, segment_ids: Index, num_segments: Any, name: str | None = None) -> Typed:
    type_ = _segmented("tf.math.unsorted_segment_prod", data, segment_ids, num_segments)
    return type_, {"num_segments": type_.shape[0]}


ZEROS = "exact where elements are 0, at every order; TensorFlow's second order is wrong there"

declare(
    "tf.math.unsorted_segment_prod",
    _product_type,
    forward=lambda data, segment_ids, num_segments: _reduced(np.multiply, 1, data, segment_ids, num_segments),
    vjp=(_product_vjp, None),
    batching=_batching,
    domains=(REAL,),
    dtypes=NUMERIC,
    errata=("complex",),
    samples=SAMPLES,
    source="d prod(x) / dx_i = the product of the other elements of the segment",
    convention=f"a segment without rows is 1; {ZEROS}, and it leaves out the conjugate of complex numbers",
)


@compose(
    "tf.math.segment_prod",
    domains=(REAL,),
    dtypes=NUMERIC,
    errata=("complex",),
    samples=ORDERED_SAMPLES,
    convention=f"a segment without rows is 1; {ZEROS}, and it leaves out the conjugate of complex numbers",
)
def _segment_prod(data: Tensor, segment_ids: Index, name: str | None = None) -> Tensor:
    count = size_of(ordered_ids(data, segment_ids))
    product: Tensor = tf.math.unsorted_segment_prod(data, segment_ids, count)
    return product


def _lengths(like: Tensor, segment_ids: Tensor) -> Tensor:
    """How many rows each segment in `like` has, at least 1, in a shape that it can be divided by."""
    ones = tf.ones(segment_ids.shape, like.dtype)
    found = tf.maximum(tf.math.unsorted_segment_sum(ones, segment_ids, like.shape[0]), 1)
    lengths: Tensor = tf.reshape(found, (like.shape[0], *(1 for _ in like.shape[1:])))
    return lengths


@compose(
    "tf.math.unsorted_segment_mean",
    domains=(REAL,),
    dtypes=REALS,
    narrow_sums=True,
    samples=SAMPLES,
    convention="a segment without rows is 0; the mean of integers is a float",
)
def _unsorted_mean(data: Tensor, segment_ids: Index, num_segments: Any, name: str | None = None) -> Tensor:
    total = tf.math.unsorted_segment_sum(data, segment_ids, num_segments)
    mean: Tensor = total / _lengths(total, segment_ids)
    return mean


@compose(
    "tf.math.unsorted_segment_sqrt_n",
    domains=(REAL,),
    dtypes=FLOATS,
    narrow_sums=True,
    samples=SAMPLES,
    convention="a segment without rows is 0",
)
def _unsorted_sqrt_n(data: Tensor, segment_ids: Index, num_segments: Any, name: str | None = None) -> Tensor:
    total = tf.math.unsorted_segment_sum(data, segment_ids, num_segments)
    scaled: Tensor = total / tf.sqrt(_lengths(total, segment_ids))
    return scaled


def shared(total: Tensor, ids: Array, power: float) -> Tensor:
    """The sums of segments divided by their lengths to this power; ordered ids are known, and so are the lengths."""
    lengths = np.maximum(np.bincount(ids, minlength=total.shape[0]), 1) ** power
    divisor = total.context.constant(lengths.astype(total.dtype).reshape(-1, *(1 for _ in total.shape[1:])))
    shared: Tensor = tf.truncatediv(total, divisor) if is_integer(total.dtype) else total / divisor
    return shared


@compose(
    "tf.math.segment_mean",
    domains=(REAL,),
    dtypes=NUMERIC,
    narrow_sums=True,
    samples=ORDERED_SAMPLES,
    convention="a segment without rows is 0; the mean of integers is rounded towards 0",
)
def _segment_mean(data: Tensor, segment_ids: Index, name: str | None = None) -> Tensor:
    return shared(tf.math.segment_sum(data, segment_ids), ordered_ids(data, segment_ids), 1)
