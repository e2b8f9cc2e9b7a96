"""Sorting, the largest elements, reversed stretches: the permutation carries the gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.dtypes import BFLOAT16, DTYPES, FLOAT16, FLOAT32, Array
from gradcheck.ops.arrays.gathering import SCATTERED, check_positions, inside
from gradcheck.ops.arrays.shaping import as_dtype
from gradcheck.ops.batching import Call, Layout
from gradcheck.ops.declaration import ANY, REAL, REALS, Index, OpError, compose, declare, sample
from gradcheck.ops.shapes import Typed, as_bool, as_float, as_int, one_axis
from gradcheck.ops.vocabulary import tf
from gradcheck.program import TensorType
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


def _exactly(rows: Tensor, k: Any, reduction_dimension: Any, recall_target: Any) -> list[Tensor]:
    if as_int(reduction_dimension, "reduction_dimension") != -1:
        raise OpError("`reduction_dimension` must be -1 on a CPU", argument="reduction_dimension")
    as_float(recall_target, "recall_target")
    largest: list[Tensor] = tf.math.top_k(rows, k)
    return largest


def _approx_top_k(
    input: Tensor,  # noqa: A002  # TensorFlow's name
    k: Any,
    reduction_dimension: Any = -1,
    recall_target: Any = 0.95,
    is_max_k: Any = True,
    reduction_input_size_override: Any = -1,
    aggregate_to_topk: Any = True,
    name: str | None = None,
) -> list[Tensor]:
    if not as_bool(is_max_k, "is_max_k"):
        raise OpError("`is_max_k` must be True on a CPU", argument="is_max_k", help="use `tf.math.top_k(-x, k)`")
    return _exactly(input, k, reduction_dimension, recall_target)


def _approx_max_k(
    operand: Tensor,
    k: Any,
    reduction_dimension: Any = -1,
    recall_target: Any = 0.95,
    reduction_input_size_override: Any = -1,
    aggregate_to_topk: Any = True,
    name: str | None = None,
) -> list[Tensor]:
    return _exactly(operand, k, reduction_dimension, recall_target)


for _name, _function in (("tf.approx_top_k", _approx_top_k), ("tf.math.approx_max_k", _approx_max_k)):
    compose(
        _name,
        domains=(REAL,),
        dtypes=(FLOAT16, BFLOAT16, FLOAT32),
        several=True,
        kink=lambda rows, k, **_: _leads(rows, k),
        samples=(sample((4,), 2), sample((2, 2, 3), k=3), sample((2, 3), 1, recall_target=0.5)),
        convention="exact, as in TensorFlow on a CPU, which has neither the smallest elements nor another axis than "
        "the last; of equal elements the one with the lower index comes first; the indices are not connected",
    )(_function)


def _nth(input: Tensor, n: Any, reverse: Any = False, name: str | None = None) -> Typed:  # noqa: A002
    at, size = as_int(n, "n"), (0, *input.shape)[-1]
    if not 0 <= at < size:
        raise OpError(f"a row of a tensor of shape {list(input.shape)} has no element {at}", argument="n")
    return TensorType(input.shape[:-1], input.dtype), {"n": at, "reverse": as_bool(reverse, "reverse")}


def _nth_forward(x: Array, n: int, reverse: bool) -> Array:
    ranked: Array = np.sort(x, -1)[..., -1 - n if reverse else n]
    return ranked


def _isolation(x: Array, n: int, reverse: bool) -> Array:
    """How far the element of that rank is from those of the next ranks."""
    at = x.shape[-1] - 1 - n if reverse else n
    gaps: Array = np.diff(np.sort(x, -1), axis=-1)
    return gaps[..., max(at - 1, 0) : at + 1]


def _nth_vjp(g: Tensor, y: Tensor, x: Tensor, n: int, reverse: bool) -> Tensor:
    chosen = tf.cast(tf.equal(x, tf.expand_dims(y, -1)), g.dtype)
    share: Tensor = tf.expand_dims(g, -1) / tf.reduce_sum(chosen, axis=-1, keepdims=True) * chosen
    return share


declare(
    "tf.raw_ops.NthElement",
    _nth,
    forward=_nth_forward,
    vjp=(_nth_vjp,),
    domains=(REAL,),
    dtypes=REALS,
    kink=_isolation,
    moves=True,
    samples=(sample((4,), 1), sample((2, 3), 0, reverse=True), sample((2, 1, 2), 1), sample((0, 3), 2)),
    source="the element of that rank receives the cotangent",
    convention="elements that tie share equally",
)


def _sequence_fault(lengths: Array, size: int) -> str | None:
    wrong = np.flatnonzero((lengths < 0) | (lengths > size))
    return f"seq_lengths[{wrong[0]}] = {lengths[wrong[0]]} is not in [0, {size}]" if wrong.size else None


def _reverse_sequence(
    input: Tensor,  # noqa: A002  # TensorFlow's name
    seq_lengths: Index,
    seq_axis: Any = None,
    batch_axis: Any = None,
    name: str | None = None,
) -> Typed:
    along, across = as_int(seq_axis, "seq_axis"), 0 if batch_axis is None else as_int(batch_axis, "batch_axis")
    for axis, called in ((along, "seq_axis"), (across, "batch_axis")):
        if not 0 <= axis < input.ndim:
            raise OpError(f"`{called}` {axis} is not an axis of {list(input.shape)} counted from 0", argument=called)
    if along == across:
        raise OpError(f"`seq_axis` and `batch_axis` are both {along}", argument="batch_axis")
    if seq_lengths.shape != (input.shape[across],):
        raise OpError(
            f"`seq_lengths` must have the shape {[input.shape[across]]}, not {list(seq_lengths.shape)}",
            argument="seq_lengths",
        )
    size = input.shape[along]
    check_positions(
        "tf.reverse_sequence", seq_lengths, "seq_lengths", SCATTERED, lambda known: _sequence_fault(known, size)
    )
    return input.type, {"seq_axis": along, "batch_axis": across}


def _reverse_sequence_forward(x: Array, seq_lengths: Array, seq_axis: int, batch_axis: int) -> Array:
    inside(_sequence_fault(seq_lengths, x.shape[seq_axis]))
    at, ends = np.arange(x.shape[seq_axis]), seq_lengths[:, np.newaxis]
    places = np.where(at < ends, ends - 1 - at, at)
    if seq_axis < batch_axis:
        places = places.T
    shape = [size if axis in (seq_axis, batch_axis) else 1 for axis, size in enumerate(x.shape)]
    return np.take_along_axis(x, places.reshape(shape), seq_axis)


def _reverse_sequence_batching(call: Call, seq_axis: int, batch_axis: int) -> Layout | None:
    if call.varied[1]:
        return None
    return Layout({"seq_axis": seq_axis + 1, "batch_axis": batch_axis + 1}, (0, None))


declare(
    "tf.reverse_sequence",
    _reverse_sequence,
    forward=_reverse_sequence_forward,
    vjp=(lambda g, y, x, seq_lengths, **axes: tf.reverse_sequence(g, seq_lengths, **axes), None),
    batching=_reverse_sequence_batching,
    domains=(REAL,),
    dtypes=ANY,
    moves=True,
    samples=(
        sample((2, 3), np.array([2, 3]), seq_axis=1),
        sample((4, 2, 3), [1, 4, 0], 0, 2),
        sample((3, 2, 2), np.array([0, 2]), seq_axis=2, batch_axis=1),
        sample((2, 0), [0, 0], 1, 0),
    ),
    source="a permutation that is its own inverse",
)
