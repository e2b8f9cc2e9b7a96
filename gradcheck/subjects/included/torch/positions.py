"""Elements taken from, and put at, positions."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from gradcheck.ops.arrays.indexing import python_key


def _gather(
    params: Tensor, indices: Tensor, validate_indices: Any = None, axis: int | None = None, batch_dims: int = 0
) -> Tensor:
    at = batch_dims if axis is None else axis % params.ndim
    batch = batch_dims % indices.ndim if batch_dims < 0 else batch_dims
    if not batch:
        taken = torch.index_select(params, at, indices.flatten().long())
        return taken.reshape(params.shape[:at] + indices.shape + params.shape[at + 1 :])
    rows = params.movedim(at, batch)  # the axis that is taken from right behind those of the batch
    taken = rows[(*_batch(indices, batch), indices.long())]
    new = indices.ndim - batch
    return taken.movedim(tuple(range(batch, batch + new)), tuple(range(at, at + new)))


def _gather_nd(params: Tensor, indices: Tensor, batch_dims: int = 0) -> Tensor:
    columns = indices.long().unbind(-1)
    return params[(*_batch(indices[..., 0], batch_dims), *columns)]


def _batch(indices: Tensor, count: int) -> list[Tensor]:
    """For each of the first `count` axes, the positions along it, to stand beside `indices`."""
    shape = indices.shape
    return [
        torch.arange(size).reshape(-1, *[1] * (indices.ndim - place - 1)) for place, size in enumerate(shape[:count])
    ]


def _segment_sum(data: Tensor, segment_ids: Tensor, num_segments: int | None = None) -> Tensor:
    ids = segment_ids.long().flatten()
    count = int(ids.max()) + 1 if num_segments is None else num_segments
    inner = data.shape[segment_ids.ndim :]
    rows = data.reshape(ids.numel(), *inner)
    kept = ids >= 0  # a negative one drops its row
    return torch.zeros((count, *inner), dtype=data.dtype).index_add(0, ids[kept], rows[kept])


def _scatter_nd(indices: Tensor, updates: Tensor, shape: Sequence[int]) -> Tensor:
    return _put(torch.zeros(tuple(shape), dtype=updates.dtype), indices, updates, accumulate=True)


def _put(tensor: Tensor, indices: Tensor, updates: Tensor, *, accumulate: bool = False) -> Tensor:
    return torch.index_put(tensor, indices.long().unbind(-1), updates, accumulate=accumulate)


def _extreme(kind: str) -> Callable[..., Tensor]:
    def extreme(tensor: Tensor, indices: Tensor, updates: Tensor) -> Tensor:
        depth = indices.shape[-1]
        outer, inner = tensor.shape[:depth], math.prod(tensor.shape[depth:])
        steps = torch.tensor([math.prod(outer[place + 1 :]) for place in range(depth)])
        rows = (indices.long() * steps).sum(-1).reshape(-1, 1).expand(-1, inner)
        flat = tensor.reshape(math.prod(outer), inner)
        return flat.scatter_reduce(0, rows, updates.reshape(rows.shape), kind).reshape(tensor.shape)

    return extreme


def _slice(input_: Tensor, begin: Sequence[int], size: Sequence[int]) -> Tensor:
    ends = [None if count == -1 else start + count for start, count in zip(begin, size, strict=True)]
    return input_[tuple(slice(start, end) for start, end in zip(begin, ends, strict=True))]


def _strided_slice(
    input_: Tensor,
    begin: Sequence[int],
    end: Sequence[int],
    strides: Sequence[int] | None = None,
    begin_mask: int = 0,
    end_mask: int = 0,
    ellipsis_mask: int = 0,
    new_axis_mask: int = 0,
    shrink_axis_mask: int = 0,
) -> Tensor:
    attributes = {
        "begin": begin,
        "end": end,
        "strides": (1,) * len(begin) if strides is None else strides,
        "begin_mask": begin_mask,
        "end_mask": end_mask,
        "ellipsis_mask": ellipsis_mask,
        "new_axis_mask": new_axis_mask,
        "shrink_axis_mask": shrink_axis_mask,
    }
    key = python_key(tuple(input_.shape), attributes)
    taking = sum(isinstance(each, (int, slice)) for each in key)
    forwards: list[Any] = []
    backwards: list[int] = []
    axis = 0
    for each in key:
        if isinstance(each, slice) and each.step is not None and each.step < 0:  # torch has no negative steps
            backwards.append(axis)
            each = _mirrored(each, input_.shape[axis])
        forwards.append(each)
        axis += input_.ndim - taking if each is ... else each is not None
    return input_.flip(backwards)[tuple(forwards)]


def _mirrored(taken: slice, size: int) -> slice:
    """What takes, from an axis that has been reversed, the elements that a slice with a negative step takes."""
    start, stop, step = taken.indices(size)
    return slice(size - 1 - start, size - 1 - stop, -step)


def _boolean_mask(tensor: Tensor, mask: Tensor, axis: int | None = None) -> Tensor:
    before = (slice(None),) * ((axis or 0) % tensor.ndim)
    return tensor[(*before, mask)]


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "tf.gather": _gather,
    "tf.gather_nd": _gather_nd,
    "tf.math.segment_sum": _segment_sum,
    "tf.math.unsorted_segment_sum": _segment_sum,
    "tf.scatter_nd": _scatter_nd,
    "tf.tensor_scatter_nd_add": lambda tensor, indices, updates: _put(tensor, indices, updates, accumulate=True),
    "tf.tensor_scatter_nd_sub": lambda tensor, indices, updates: _put(tensor, indices, -updates, accumulate=True),
    "tf.tensor_scatter_nd_update": _put,
    "tf.tensor_scatter_nd_max": _extreme("amax"),
    "tf.tensor_scatter_nd_min": _extreme("amin"),
    "tf.slice": _slice,
    "tf.strided_slice": _strided_slice,
    "tf.boolean_mask": _boolean_mask,
}
