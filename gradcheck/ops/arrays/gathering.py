"""Gathers: elements chosen by tensors of positions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck.dtypes import DTYPES, INT32, INT64, Array
from gradcheck.ops.batching import Call, Layout
from gradcheck.ops.calling import numbers
from gradcheck.ops.declaration import ANY, REAL, Index, OpError, declare, sample
from gradcheck.ops.shapes import Typed, as_int, one_axis
from gradcheck.ops.vocabulary import tf
from gradcheck.program import Shape, TensorType
from gradcheck.tensors import Tensor

GATHERED = (DTYPES["int16"], INT32, INT64)
SCATTERED = (INT32, INT64)


def check_positions(op: str, tensor: Tensor, name: str, allowed: Any, fault: Callable[[Array], str | None]) -> None:
    """Refuse positions of a wrong dtype, and those that are known already and point outside."""
    if tensor.dtype not in allowed:
        names = ", ".join(each.name for each in allowed)
        raise OpError(f"`{op}` does not take {tensor.dtype.name} as `{name}`; it takes {names}", argument=name)
    known = numbers(tensor)
    message = None if known is None else fault(known)
    if message is not None:
        raise OpError(message, argument=name)


def inside(fault: str | None) -> None:
    """Raise `IndexError` with what is wrong with the positions, if something is."""
    if fault is not None:
        raise IndexError(fault)


def outside(indices: Array, size: int, name: str = "indices", low: int = 0) -> str | None:
    """The first position that is not in [low, size), in a sentence."""
    if not indices.size or (indices.min() >= low and indices.max() < size):
        return None
    at = np.argwhere((indices < low) | (indices >= size))[0].tolist()
    return f"{name}{at if at else ''} = {indices[tuple(at)]} is not in [0, {size})"


def outside_nd(indices: Array, shape: Shape) -> str | None:
    """The first row of `indices` that does not index into `shape`, in a sentence."""
    wrong = ((indices < 0) | (indices >= np.asarray(shape[: indices.shape[-1]], np.int64))).any(-1)
    if not wrong.any():
        return None
    at = np.argwhere(wrong)[0].tolist()
    return f"indices{at if at else ''} = {indices[tuple(at)].tolist()} does not index into shape {list(shape)}"


def _gather(
    params: Tensor,
    indices: Index,
    validate_indices: Any = None,
    axis: Any = None,
    batch_dims: Any = 0,
    name: str | None = None,
) -> Typed:
    if params.ndim == 0:
        raise OpError("`tf.gather` takes from an axis, and a scalar has none", argument="params")
    batch = as_int(batch_dims, "batch_dims")
    if not -indices.ndim <= batch <= indices.ndim:
        raise OpError(f"`batch_dims` {batch} is outside `indices` of rank {indices.ndim}", argument="batch_dims")
    batch += indices.ndim * (batch < 0)
    at = one_axis(batch if axis is None else axis, params.ndim)
    if at < batch:
        raise OpError(f"`batch_dims` {batch} must not be larger than `axis` {at}", argument="batch_dims")
    if params.shape[:batch] != indices.shape[:batch]:
        raise OpError(
            f"the first {batch} axes of `params` {list(params.shape)} and `indices` {list(indices.shape)} "
            "must be equal",
            argument="batch_dims",
        )
    check_positions("tf.gather", indices, "indices", GATHERED, lambda known: outside(known, params.shape[at]))
    shape = (*params.shape[:at], *indices.shape[batch:], *params.shape[at + 1 :])
    return TensorType(shape, params.dtype), {"axis": at, "batch_dims": batch}


def _gather_forward(params: Array, indices: Array, axis: int, batch_dims: int) -> Array:
    inside(outside(indices, params.shape[axis]))
    if not batch_dims:
        return np.asarray(params.take(indices, axis))
    batch, outer, inner = params.shape[:batch_dims], params.shape[batch_dims:axis], params.shape[axis + 1 :]
    grid = np.ix_(*(np.arange(size) for size in batch))
    places = tuple(each.reshape(each.shape + (1,) * (indices.ndim - batch_dims)) for each in grid)
    key: tuple[Any, ...] = (*places, *(slice(None) for _ in outer), indices)
    taken: Array = params[key]
    shape = (*batch, *outer, *indices.shape[batch_dims:], *inner)
    if not outer:
        return taken.reshape(shape)
    chosen = range(batch_dims, indices.ndim)
    in_place: Array = np.moveaxis(taken, chosen, [len(outer) + each for each in chosen])
    return in_place.reshape(shape)


def _gather_vjp(g: Tensor, y: Tensor, params: Tensor, indices: Tensor, axis: int, batch_dims: int) -> Tensor:
    """The rows of the cotangent summed by position; with batches, a batch is a range of positions of its own."""
    chosen, outer = indices.ndim - batch_dims, axis - batch_dims
    batch, size = params.shape[:batch_dims], params.shape[axis]
    if outer:
        first = [*range(batch_dims), *range(axis, axis + chosen)]
        g = tf.transpose(g, [*first, *range(batch_dims, axis), *range(axis + chosen, g.ndim)])
    count = int(np.prod(batch, dtype=np.int64))
    if batch_dims:
        offsets = np.arange(count).reshape(*batch, *(1 for _ in range(chosen))) * size
        indices = tf.cast(indices, INT64) + indices.context.constant(offsets)
    summed: Tensor = tf.math.unsorted_segment_sum(g, indices, count * size)
    if batch_dims:
        summed = tf.reshape(summed, (*batch, size, *params.shape[batch_dims:axis], *params.shape[axis + 1 :]))
    if outer:
        middle = [*range(batch_dims + 1, axis + 1), batch_dims]
        summed = tf.transpose(summed, [*range(batch_dims), *middle, *range(axis + 1, params.ndim)])
    return summed


def _gather_batching(call: Call, axis: int, batch_dims: int) -> Layout | None:
    if call.varied[1]:
        return None
    return Layout({"axis": axis + 1, "batch_dims": batch_dims}, (batch_dims, None), batch_dims)


declare(
    "tf.gather",
    _gather,
    forward=_gather_forward,
    vjp=(_gather_vjp, None),
    batching=_gather_batching,
    domains=(REAL,),
    dtypes=ANY,
    moves=True,
    samples=(
        sample((3, 2), np.array([0, 2, 0])),
        sample((2, 3), [1, 1], axis=-1),
        sample((2, 3, 2), np.array([[0, 1, 2, 1]]), axis=1),
        sample((3,), np.array(1, np.int32)),
        sample((2, 3), np.array([[0, 2], [1, 1]]), batch_dims=1),
        sample((2, 3, 2, 2), np.array([[0, 1], [1, 1]]), axis=2, batch_dims=-1),
        sample((2, 2, 3), np.array([[0, 1], [2, 2]]), axis=2, batch_dims=2),
        sample((2, 3), np.array([[0], [1]]), batch_dims=1, axis=-1),
        sample((3, 2), np.zeros([0], np.int32)),
        sample((2, 0), np.array([0]), axis=0),
    ),
    source="positions that were taken more than once receive the sum of their cotangents",
    convention="a position outside [0, size) is an error, also a negative one",
)


def check_policy(bad_indices_policy: Any) -> None:
    """Refuse the policy of passing over positions that are outside."""
    if bad_indices_policy not in ("", "DEFAULT", "ERROR"):
        raise OpError(
            f"`bad_indices_policy` {bad_indices_policy!r} is not supported: a position outside is an error",
            argument="bad_indices_policy",
        )


def _gather_nd(
    params: Tensor,
    indices: Index,
    batch_dims: Any = 0,
    name: str | None = None,
    bad_indices_policy: Any = "",
) -> Typed:
    check_policy(bad_indices_policy)
    batch = as_int(batch_dims, "batch_dims")
    if indices.ndim == 0:
        raise OpError("`indices` must have an axis for the coordinates", argument="indices")
    if batch and not 0 <= batch < min(params.ndim, indices.ndim):
        raise OpError(
            f"`batch_dims` {batch} must be at least 0 and below the ranks {params.ndim} and {indices.ndim}",
            argument="batch_dims",
        )
    depth = indices.shape[-1]
    if params.shape[:batch] != indices.shape[:batch] or depth > params.ndim - batch:
        raise OpError(
            f"`tf.gather_nd` with `indices` of shape {list(indices.shape)} does not fit `params` of shape "
            f"{list(params.shape)}" + (f" and `batch_dims` {batch}" if batch else ""),
            argument="indices",
        )
    rest = params.shape[batch:]
    check_positions("tf.gather_nd", indices, "indices", GATHERED, lambda known: outside_nd(known, rest))
    return TensorType((*indices.shape[:-1], *rest[depth:]), params.dtype), {"batch_dims": batch}


def _coordinates(batch: Shape, indices: Shape) -> Array:
    """The batch's own coordinates, to go before the given ones: shaped `indices[:-1] + (len(batch),)`."""
    grid = np.indices(batch).reshape(len(batch), *batch, *(1 for _ in indices[len(batch) : -1]))
    return np.moveaxis(np.broadcast_to(grid, (len(batch), *indices[:-1])), 0, -1)


def _gather_nd_forward(params: Array, indices: Array, batch_dims: int) -> Array:
    inside(outside_nd(indices, params.shape[batch_dims:]))
    if batch_dims:
        indices = np.concatenate([_coordinates(params.shape[:batch_dims], indices.shape), indices], -1)
    if not indices.shape[-1]:
        return np.broadcast_to(params, indices.shape[:-1] + params.shape)
    return params[(*np.moveaxis(indices, -1, 0), ...)]


def _gather_nd_vjp(g: Tensor, y: Tensor, params: Tensor, indices: Tensor, batch_dims: int) -> Tensor:
    if batch_dims:
        own = indices.context.constant(_coordinates(params.shape[:batch_dims], indices.shape))
        indices = tf.concat([own, tf.cast(indices, INT64)], -1)
    if not indices.shape[-1]:
        return g  # the walk sums it back
    if indices.dtype not in SCATTERED:
        indices = tf.cast(indices, INT32)
    if indices.ndim == 1:
        g, indices = tf.expand_dims(g, 0), tf.expand_dims(indices, 0)
    spread: Tensor = tf.scatter_nd(indices, g, params.shape)
    return spread


def _gather_nd_batching(call: Call, batch_dims: int) -> Layout | None:
    """The rows go behind the axes that the coordinates index."""
    if call.varied[1]:
        return None
    indices = call.inputs[1].shape
    return Layout({"batch_dims": batch_dims}, (batch_dims + indices[-1], None), len(indices) - 1)


declare(
    "tf.gather_nd",
    _gather_nd,
    forward=_gather_nd_forward,
    vjp=(_gather_nd_vjp, None),
    batching=_gather_nd_batching,
    domains=(REAL,),
    dtypes=ANY,
    moves=True,
    samples=(
        sample((2, 3), np.array([[0, 1], [1, 2], [0, 1]])),
        sample((2, 3), [[1], [1]]),
        sample((2, 3, 2), np.array([[[0, 1]], [[1, 0]]])),
        sample((2, 3), np.array([[2], [0]]), batch_dims=1),
        sample((2, 2, 3, 2), np.array([[[0, 1], [2, 1]], [[0, 0], [0, 0]]]), batch_dims=2),
        sample((3,), np.zeros([0, 1], np.int32)),
        sample((0, 2), np.zeros([0, 1], np.int32)),
    ),
    source="positions that were taken more than once receive the sum of their cotangents",
    convention="a position outside is an error, also a negative one; where `indices` is one position or has no "
    "coordinates TensorFlow fails to differentiate",
)


def added(out: Array, ids: Array, rows: Array, ufunc: Any = np.add) -> Array:
    """`out`, whose rows `ids` name, with `rows` added to it in their order; `out` is changed.

    Another `ufunc` takes the place of the sum. On flat arrays `ufunc.at` has a loop of its own, several times faster
    than row by row.
    """
    width = int(np.prod(out.shape[1:], dtype=np.int64))
    flat = ids if width == 1 else (ids[:, np.newaxis] * width + np.arange(width)).reshape(-1)
    ufunc.at(out.reshape(-1), flat, rows.reshape(-1))
    return out
