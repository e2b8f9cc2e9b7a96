"""The windows of an image as an array of their own, and what is found in them.

An image is `(batch, *sizes, channels)` here, its windows are `(batch, *counts, *kernel, channels)`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import prod
from typing import Any

import numpy as np
from ml_dtypes import finfo

from gradcheck.dtypes import Array, DType, is_integer
from gradcheck.ops.nn.windows import Axis, Sliding
from gradcheck.program import Shape


def channels_last(x: Array, call: Sliding) -> Array:
    """`x` with its channels last and all that is before the spatial axes as one batch."""
    x = np.moveaxis(x, -call.rank - 1, -1) if call.channels_first else x
    return x.reshape(prod(x.shape[: -call.rank - 1]), *x.shape[-call.rank - 1 :])


def as_given(x: Array, batch: Shape, call: Sliding) -> Array:
    """The reverse: the batch axes as they were, the channels where they belong."""
    x = x.reshape(*batch, *x.shape[1:])
    return np.moveaxis(x, -1, -call.rank - 1) if call.channels_first else x


def lowest(dtype: DType) -> Any:
    """The smallest finite number of a real dtype."""
    return np.iinfo(dtype).min if is_integer(dtype) else finfo(dtype).min  # type: ignore[no-untyped-call]


def patches(x: Array, axes: Sequence[Axis], fill: Any = 0) -> Array:
    """Every window of `x`: a view of shape `(batch, *counts, *kernel, channels)`, with `fill` for the padding."""
    rank = len(axes)
    counts, kernel = tuple(each.windows for each in axes), tuple(each.kernel for each in axes)
    if 0 in counts or 0 in x.shape:
        return np.full((x.shape[0], *counts, *kernel, x.shape[-1]), fill, x.dtype)
    padded = x
    if any(each.before or each.after for each in axes):
        sizes = [size + each.before + each.after for size, each in zip(x.shape[1:-1], axes, strict=True)]
        padded = np.full((x.shape[0], *sizes, x.shape[-1]), fill, x.dtype)
        inner = (slice(each.before, each.before + size) for size, each in zip(x.shape[1:-1], axes, strict=True))
        padded[(slice(None), *inner)] = x
    spread = np.lib.stride_tricks.sliding_window_view(
        padded, [each.extent for each in axes], axis=tuple(range(1, rank + 1))
    )
    places = (slice(None, each.windows * each.stride, each.stride) for each in axes)
    taken: Array = spread[(slice(None), *places, slice(None), *(slice(None, None, each.dilation) for each in axes))]
    return np.moveaxis(taken, rank + 1, -1)


def overlapped(parts: Array, axes: Sequence[Axis], sizes: Shape) -> Array:
    """The adjoint of `patches`: what is in the windows added up where they lie, `(batch, *sizes, channels)`."""
    padded = [max(size + each.before + each.after, each.extent) for size, each in zip(sizes, axes, strict=True)]
    out = np.zeros((parts.shape[0], *padded, parts.shape[-1]), parts.dtype)
    rank = len(axes)
    for position in product(*(range(each.kernel) for each in axes)):
        starts = [each.dilation * at for each, at in zip(axes, position, strict=True)]
        places = (
            slice(start, start + each.windows * each.stride, each.stride) if each.windows else slice(0)
            for start, each in zip(starts, axes, strict=True)
        )
        window = (slice(None),) * (rank + 1) + position
        target = out[(slice(None), *places)]
        target += parts[window]
    inner = (slice(each.before, each.before + size) for size, each in zip(sizes, axes, strict=True))
    return out[(slice(None), *inner)]


def lead(parts: Array, rank: int) -> Array:
    """How far the largest number of each window is ahead of the next, for `(batch, *counts, *kernel, channels)`."""
    batch, *counts = parts.shape[: rank + 1]
    rows = np.moveaxis(parts, -1, 1).reshape(batch, parts.shape[-1], *counts, prod(parts.shape[rank + 1 : -1]))
    if rows.shape[-1] < 2:
        return np.full(rows.shape[:-1], np.inf)
    ahead: Array = np.diff(np.partition(rows, -2, axis=-1)[..., -2:], axis=-1)[..., 0]
    return np.where(np.isnan(ahead), np.inf, ahead)


def chosen(x: Array, axes: tuple[Axis, ...]) -> Array:
    """Which element of the image each window takes, `(batch, *counts, channels)`: its position along the sizes.

    The first that none is greater than, in the order of rows. Comparisons with NaN are false, so a NaN stays where it
    is the first element and is passed over elsewhere.
    """
    rank, sizes = len(axes), x.shape[1:-1]
    values = patches(x, axes)
    numbers = np.arange(1, prod(sizes) + 1).reshape(1, *sizes, 1)
    positions = patches(numbers, axes)
    shape = (*values.shape[: rank + 1], values.shape[-1])
    best, found = np.zeros(shape, x.dtype), np.zeros(shape, np.int64)
    for at in product(*(range(each.kernel) for each in axes)):
        place = (slice(None),) * (rank + 1) + at
        here, position = values[place], positions[place]
        better = (position > 0) & ((found == 0) | (here > best))
        best, found = np.where(better, here, best), np.where(better, position, found)
    return np.asarray(np.maximum(found - 1, 0))


def largest(x: Array, axes: tuple[Axis, ...]) -> Array:
    """The largest number of every window, NaN passed over: the smallest finite one where there is nothing else."""
    inside = tuple(range(len(axes) + 1, 2 * len(axes) + 1))
    low = lowest(x.dtype)
    found: Array = np.fmax.reduce(patches(x, axes, fill=low), axis=inside, initial=low)
    return found


def taken(h: Array, at: Array) -> Array:
    """For every window what `h` has at the chosen position, as `chosen` gives it."""
    flat = h.reshape(h.shape[0], prod(h.shape[1:-1]), h.shape[-1])
    rows = at.reshape(h.shape[0], prod(at.shape[1:-1]), h.shape[-1])
    return np.take_along_axis(flat, rows, axis=1).reshape(at.shape)


def given_back(g: Array, at: Array, shape: Shape) -> Array:
    """Every window's cotangent added at the chosen position."""
    batch, count, channels = shape[0], prod(shape[1:-1]), shape[-1]
    out = np.zeros(batch * count * channels, g.dtype)
    first = np.arange(batch).reshape(batch, *(1,) * (g.ndim - 1)) * count
    np.add.at(out, ((first + at) * channels + np.arange(channels)).reshape(-1), g.reshape(-1))
    return out.reshape(shape)
