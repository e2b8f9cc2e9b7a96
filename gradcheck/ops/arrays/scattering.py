"""Tensors changed, or filled, at positions that a tensor names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck.dtypes import BOOL, COMPLEX128, FLOAT64, INT32, Array
from gradcheck.ops.arrays.gathering import SCATTERED, added, check_policy, check_positions, inside, outside_nd
from gradcheck.ops.arrays.shaping import as_dtype
from gradcheck.ops.batching import Call, Layout
from gradcheck.ops.calling import numbers
from gradcheck.ops.declaration import ANY, NUMERIC, REAL, REALS, Cast, Index, OpError, compose, declare, sample
from gradcheck.ops.shapes import Typed, as_int, as_sizes, broadcast, sum_rounding
from gradcheck.ops.vocabulary import tf
from gradcheck.program import Shape, TensorType
from gradcheck.tensors import Tensor


def _check(op: str, shape: Shape, indices: Tensor, updates: Tensor) -> None:
    if indices.ndim < 2:
        raise OpError(
            f"`{op}`: `indices` must be a list of positions, each a list of coordinates, not of shape "
            f"{list(indices.shape)}",
            argument="indices",
            help="a single position is `[[i]]`, with one update in a list",
        )
    depth = indices.shape[-1]
    if not 1 <= depth <= len(shape):
        raise OpError(
            f"`{op}`: the last axis of `indices` {list(indices.shape)} must have between 1 and {len(shape)} "
            f"coordinates, for positions in {list(shape)}",
            argument="indices",
        )
    wanted = (*indices.shape[:-1], *shape[depth:])
    if updates.shape != wanted:
        raise OpError(
            f"`{op}`: `updates` for `indices` {list(indices.shape)} into {list(shape)} must have shape "
            f"{list(wanted)}, not {list(updates.shape)}",
            argument="updates",
        )
    check_positions(op, indices, "indices", SCATTERED, lambda known: outside_nd(known, shape))


def _flat(indices: Array, shape: Shape) -> tuple[Array, int]:
    """Each position as one number, and how many there are."""
    inside(outside_nd(indices, shape))
    sizes = shape[: indices.shape[-1]]
    strides = np.cumprod((1, *sizes[:0:-1]), dtype=np.int64)[::-1]
    return (indices.astype(np.int64, copy=False) @ strides).reshape(-1), int(np.prod(sizes, dtype=np.int64))


def _added(out: Array, indices: Array, updates: Array) -> Array:
    ids, count = _flat(indices, out.shape)
    inner = out.shape[indices.shape[-1] :]
    added(out.reshape(count, *inner), ids, updates)
    return out


def _scatter_nd(
    indices: Index, updates: Tensor, shape: Any, bad_indices_policy: Any = "", name: str | None = None
) -> Typed:
    check_policy(bad_indices_policy)
    target = as_sizes(shape)
    _check("tf.scatter_nd", target, indices, updates)
    return TensorType(target, updates.dtype), {"shape": target}


def _scattered(indices: Array, updates: Array, shape: Shape) -> Array:
    return _added(np.zeros(shape, updates.dtype), indices, updates)


def _added_to(tensor: Array, indices: Array, updates: Array) -> Array:
    return _added(tensor.copy(), indices, updates)


def _scatter_batching(call: Call, shape: Shape) -> Layout | None:
    """The rows go behind the axes that the coordinates index, in the updates behind those of the positions."""
    if call.varied[0]:
        return None
    indices = call.inputs[0].shape
    depth = indices[-1]
    return Layout({"shape": (*shape[:depth], call.rows, *shape[depth:])}, (None, len(indices) - 1), depth)


declare(
    "tf.scatter_nd",
    _scatter_nd,
    forward=_scattered,
    vjp=(None, lambda g, y, indices, updates, shape: tf.gather_nd(g, indices)),
    rounding=sum_rounding(_scattered, lambda indices, updates, **_: indices.size),
    narrow_sums=True,
    batching=_scatter_batching,
    domains=(REAL,),
    dtypes=ANY,
    samples=(
        sample(np.array([[1], [3], [1]]), (3,), [4]),
        sample([[1], [0]], (2, 3), [2, 3]),
        sample(np.array([[0, 1], [1, 2], [0, 1]]), (3,), [2, 3]),
        sample(np.array([[[0, 1]], [[1, 0]]]), (2, 1, 2), [2, 3, 2]),
        sample(np.zeros([0, 1], np.int32), (0, 2), [3, 2]),
    ),
    source="every update receives the cotangent of its position",
    convention="updates of one position add (booleans: or); 16-bit floats are added in float32 and rounded once, "
    "TensorFlow adds in their own dtype",
)

SAMPLES = (
    sample((4,), np.array([[1], [3]]), (2,)),
    sample((3, 2), [[1], [1]], (2, 2)),
    sample((2, 3), np.array([[0, 1], [1, 2], [0, 1]]), (3,)),
    sample((2, 2), np.zeros([0, 1], np.int32), (0, 2)),
)


def _update_batching(call: Call) -> Layout | None:
    if call.varied[1]:
        return None
    indices = call.inputs[1].shape
    return Layout({}, (indices[-1], None, len(indices) - 1), indices[-1])


def _updating(op: str) -> Callable[..., Typed]:
    def function(
        tensor: Tensor, indices: Index, updates: Tensor, bad_indices_policy: Any = "", name: str | None = None
    ) -> Typed:
        check_policy(bad_indices_policy)
        _check(op, tensor.shape, indices, updates)
        return tensor.type, {}

    return function


declare(
    "tf.tensor_scatter_nd_add",
    _updating("tf.tensor_scatter_nd_add"),
    forward=_added_to,
    vjp=(
        lambda g, y, tensor, indices, updates: g,
        None,
        lambda g, y, tensor, indices, updates: tf.gather_nd(g, indices),
    ),
    rounding=sum_rounding(_added_to, lambda tensor, indices, updates: indices.size),
    narrow_sums=True,
    batching=_update_batching,
    domains=(REAL, REAL),
    dtypes=NUMERIC,
    samples=SAMPLES,
    source="every update receives the cotangent of its position",
    convention="updates of one position add; 16-bit floats in float32, rounded once",
)
declare(
    "tf.tensor_scatter_nd_sub",
    _updating("tf.tensor_scatter_nd_sub"),
    forward=lambda tensor, indices, updates: _added(tensor.copy(), indices, -updates),
    vjp=(
        lambda g, y, tensor, indices, updates: g,
        None,
        lambda g, y, tensor, indices, updates: -tf.gather_nd(g, indices),
    ),
    rounding=sum_rounding(_added_to, lambda tensor, indices, updates: indices.size),
    narrow_sums=True,
    batching=_update_batching,
    domains=(REAL, REAL),
    dtypes=NUMERIC,
    samples=SAMPLES,
    source="every update receives the negative cotangent of its position",
    convention="updates of one position add; 16-bit floats in float32, rounded once",
)


def _update(tensor: Tensor, indices: Index, updates: Tensor, name: str | None = None) -> Typed:
    _check("tf.tensor_scatter_nd_update", tensor.shape, indices, updates)
    return tensor.type, {}


def _updated(tensor: Array, indices: Array, updates: Array) -> Array:
    ids, count = _flat(indices, tensor.shape)
    inner = tensor.shape[indices.shape[-1] :]
    out = tensor.copy()
    out.reshape(count, *inner)[ids] = updates.reshape(-1, *inner)
    return out


declare(
    "tf.tensor_scatter_nd_update",
    _update,
    forward=_updated,
    vjp=(
        lambda g, y, tensor, indices, updates: tf.tensor_scatter_nd_update(g, indices, tf.zeros_like(updates)),
        None,
        lambda g, y, tensor, indices, updates: tf.gather_nd(g, indices),
    ),
    batching=_update_batching,
    domains=(REAL, REAL),
    dtypes=ANY,
    moves=True,
    samples=(SAMPLES[0], sample((3, 2), [[1], [0]], (2, 2)), SAMPLES[3]),
    source="an update receives the cotangent of its position, and what it replaced receives zero",
    convention="the last update of a position wins, but all of them receive its cotangent, as if each had",
)


def _apart(tensor: Array, indices: Array, updates: Array) -> Array:
    """How far apart all numbers that could tie are."""
    return np.diff(np.sort(np.concatenate([tensor.reshape(-1), updates.reshape(-1)])))


def _extreme_vjp(g: Tensor, y: Tensor, tensor: Tensor, indices: Tensor, updates: Tensor) -> list[Tensor | None]:
    """The cotangent of a position is shared equally by all that have its extreme value."""
    kept = tf.cast(tf.equal(tensor, y), g.dtype)
    chosen = tf.cast(tf.equal(updates, tf.gather_nd(y, indices)), g.dtype)
    share = g / (kept + tf.scatter_nd(indices, chosen, tensor.shape))
    return [share * kept, None, tf.gather_nd(share, indices) * chosen]


def _extreme(name: str, choose: np.ufunc) -> None:
    def forward(tensor: Array, indices: Array, updates: Array) -> Array:
        ids, _ = _flat(indices, tensor.shape)
        width = int(np.prod(tensor.shape[indices.shape[-1] :], dtype=np.int64))
        flat = ids if width == 1 else (ids[:, np.newaxis] * width + np.arange(width)).reshape(-1)
        out, new = tensor.reshape(-1).copy(), updates.reshape(-1)
        usable = ~(np.isnan(new) | np.isnan(out[flat])) if new.dtype.kind == "f" else slice(None)
        choose.at(out, flat[usable], new[usable])
        return out.reshape(tensor.shape)

    declare(
        f"tf.{name}",
        _updating(f"tf.{name}"),
        forward=forward,
        joint_vjp=_extreme_vjp,
        domains=(REAL, REAL),
        dtypes=REALS,
        kink=_apart,
        samples=SAMPLES,
        source="tensorflow/python/ops/array_grad.py, _TensorScatterMinOrMaxGrad",
        convention="equal numbers share the cotangent of their position equally; a comparison with NaN is false, so a "
        "NaN in the tensor stays and one in the updates is passed over, and both give NaN gradients at a NaN",
    )


_extreme("tensor_scatter_nd_max", np.maximum)
_extreme("tensor_scatter_nd_min", np.minimum)


@compose(
    "tf.raw_ops.ScatterNdNonAliasingAdd",
    domains=(REAL, REAL),
    dtypes=NUMERIC,
    narrow_sums=True,
    samples=SAMPLES,
    convention="updates of one position add; 16-bit floats in float32, rounded once",
)
def _non_aliasing_add(
    input: Tensor,  # noqa: A002  # TensorFlow's name
    indices: Index,
    updates: Tensor,
    bad_indices_policy: Any = "",
    name: str | None = None,
) -> Tensor:
    summed: Tensor = tf.tensor_scatter_nd_add(input, indices, updates, bad_indices_policy)
    return summed


@compose(
    "tf.raw_ops.TensorStridedSliceUpdate",
    domains=(REAL, REAL),
    dtypes=ANY,
    samples=(
        sample((2, 3), [0, 1], [2, 3], [1, 1], (2, 2)),
        sample((3, 4), [2, 0], [0, 9], [-1, 2], (2,), begin_mask=2),
        sample((2, 3), [1], [2], [1], (), shrink_axis_mask=1),
    ),
    convention="a value of a smaller shape than the slice is broadcast, and receives the sum",
)
def _strided_update(
    input: Tensor,  # noqa: A002  # TensorFlow's name
    begin: Any,
    end: Any,
    strides: Any,
    value: Tensor,
    begin_mask: Any = 0,
    end_mask: Any = 0,
    ellipsis_mask: Any = 0,
    new_axis_mask: Any = 0,
    shrink_axis_mask: Any = 0,
    name: str | None = None,
) -> Tensor:
    masks = (begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_axis_mask)
    taken = tf.strided_slice(input, begin, end, strides, *masks).shape
    if broadcast(value.shape, taken) != taken:
        raise OpError(f"`value` of shape {list(value.shape)} does not fit the slice, {list(taken)}", argument="value")

    def spread(part: Tensor) -> Tensor:
        everywhere: Tensor = tf.raw_ops.StridedSliceGrad(input.shape, begin, end, strides, part, *masks)
        return everywhere

    updated: Tensor = tf.where(spread(tf.ones(taken, BOOL)), spread(tf.broadcast_to(value, taken)), input)
    return updated


@compose(
    "tf.math.confusion_matrix",
    domains=(REAL,),
    dtypes=ANY,
    samples=(
        sample([0, 1, 2, 1], [0, 3, 2, 3], weights=(4,), dtype=FLOAT64),
        sample(np.array([0, 1]), np.array([[0], [1]]), 2, (2,), COMPLEX128),
        sample([0, 1, 1], [0, 1, 1]),
    ),
    convention="weights are cast to `dtype`, which is int32 where it is left out: not connected then",
)
def _confusion_matrix(
    labels: Index,
    predictions: Index,
    num_classes: Any = None,
    weights: Cast | None = None,
    dtype: Any = INT32,
    name: str | None = None,
) -> Tensor:
    pair = [tf.reshape(each, each.shape[:1]) if each.shape[1:] == (1,) else each for each in (labels, predictions)]
    if pair[0].ndim != 1 or pair[0].shape != pair[1].shape:
        raise OpError(
            f"`labels` {list(labels.shape)} and `predictions` {list(predictions.shape)} must be lists of one length",
            argument="predictions",
        )
    if weights is not None and weights.shape != pair[1].shape:
        raise OpError(f"`weights` must have the shape {list(pair[1].shape)}", argument="weights")
    known = [each for each in map(numbers, pair) if each is not None]
    if num_classes is None and len(known) < 2:
        raise OpError("`num_classes` must be given where the classes are not known yet", argument="num_classes")
    if num_classes is None and not known[0].size:
        raise OpError("`num_classes` must be given where there are no labels", argument="num_classes")
    count = max(int(each.max()) + 1 for each in known) if num_classes is None else as_int(num_classes, "num_classes")
    target = as_dtype(dtype)
    counted = tf.ones(pair[0].shape, target) if weights is None else tf.cast(weights, target)
    matrix: Tensor = tf.scatter_nd(tf.stack([tf.cast(each, INT32) for each in pair], 1), counted, [count, count])
    return matrix
