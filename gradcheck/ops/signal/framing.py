"""A signal cut into frames that may overlap, and frames added up to a signal: each is the other's adjoint."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.dtypes import Array
from gradcheck.ops.batching import aligned, along
from gradcheck.ops.declaration import NUMERIC, REAL, OpError, declare, sample
from gradcheck.ops.shapes import Typed, as_bool, as_int, one_axis, sum_rounding
from gradcheck.ops.signal.transforms import fitted
from gradcheck.ops.vocabulary import tf
from gradcheck.program import TensorType
from gradcheck.tensors import Tensor, as_array


def _step(frame_step: Any) -> int:
    step = as_int(frame_step, "frame_step")
    if step < 1:
        raise OpError(f"`frame_step` must be positive, not {step}", argument="frame_step")
    return step


def frame_length_of(given: Any) -> int:
    """A static frame length, which may be 0."""
    length = as_int(given, "frame_length")
    if length < 0:
        raise OpError(f"`frame_length` is negative: {length}", argument="frame_length")
    return length


def _count(samples: int, length: int, step: int, pad_end: bool) -> int:
    """How many frames there are: all that begin in the signal, or only those that also end there."""
    return -(-samples // step) if pad_end else max(0, 1 + (samples - length) // step)


def _frame_type(
    signal: Tensor,
    frame_length: Any,
    frame_step: Any,
    pad_end: Any = False,
    pad_value: Any = 0,
    axis: Any = -1,
    name: str | None = None,
) -> Typed:
    if signal.ndim == 0:
        raise OpError("`tf.signal.frame` needs an axis of samples, and a scalar has none", argument="signal")
    length, step, at = frame_length_of(frame_length), _step(frame_step), one_axis(axis, signal.ndim)
    padded = as_bool(pad_end, "pad_end")
    if padded:
        if isinstance(pad_value, (tuple, list)):
            raise OpError("`pad_value` must be one number", argument="pad_value")
        try:
            as_array(pad_value, signal.dtype)
        except ValueError as error:
            raise OpError(f"`pad_value`: {error}", argument="pad_value") from None
    count = _count(signal.shape[at], length, step, padded)
    attributes = {"frame_length": length, "frame_step": step, "pad_end": padded, "pad_value": pad_value, "axis": at}
    return TensorType((*signal.shape[:at], count, length, *signal.shape[at + 1 :]), signal.dtype), attributes


def _frame(x: Array, frame_length: int, frame_step: int, pad_end: bool, pad_value: Any, axis: int) -> Array:
    count = _count(x.shape[axis], frame_length, frame_step, pad_end)
    if count == 0:
        return np.zeros((*x.shape[:axis], 0, frame_length, *x.shape[axis + 1 :]), x.dtype)
    beyond = frame_length + frame_step * (count - 1) - x.shape[axis]
    if beyond > 0:
        border = np.full((*x.shape[:axis], beyond, *x.shape[axis + 1 :]), pad_value, x.dtype)
        x = np.concatenate([x, border], axis)
    frames = np.lib.stride_tricks.sliding_window_view(x, frame_length, axis)
    chosen = frames[(slice(None),) * axis + (slice(0, (count - 1) * frame_step + 1, frame_step),)]
    return np.moveaxis(chosen, -1, axis + 1)


def _frame_vjp(
    g: Tensor, y: Tensor, x: Tensor, frame_length: int, frame_step: int, pad_end: bool, pad_value: Any, axis: int
) -> Tensor:
    others = [each for each in range(g.ndim) if each not in (axis, axis + 1)]
    last = axis == x.ndim - 1
    frames = g if last else tf.transpose(g, [*others, axis, axis + 1])
    outer = [size for place, size in enumerate(x.shape) if place != axis]
    signal = fitted(tf.signal.overlap_and_add(frames, frame_step), (*outer, x.shape[axis]))
    if last:
        return signal
    order = [*range(axis), x.ndim - 1, *range(axis, x.ndim - 1)]
    back: Tensor = tf.transpose(signal, order)
    return back


declare(
    "tf.signal.frame",
    _frame_type,
    forward=_frame,
    vjp=(_frame_vjp,),
    batching=along("axis"),
    domains=(REAL,),
    dtypes=NUMERIC,
    moves=True,
    samples=(
        sample((2, 7), 3, 2),
        sample((7,), 3, 2, pad_end=True, pad_value=2),
        sample((5, 2), 2, 3, True, axis=0),
        sample((2, 4, 2), 4, 1, axis=-2),
        sample((3,), 4, 1),
        sample((0, 4), 2, 1),
    ),
    source="an element receives the sum of the cotangents of the frames that it is in: they overlap and are added",
    convention="`pad_value` is not connected, and must be a number; what is in no frame gets 0",
)


def _overlap_type(signal: Tensor, frame_step: Any, name: str | None = None) -> Typed:
    if signal.ndim < 2:
        raise OpError(
            f"`tf.signal.overlap_and_add` needs an axis of frames and one of their samples, not shape "
            f"{list(signal.shape)}",
            argument="signal",
        )
    *outer, frames, length = signal.shape
    step = _step(frame_step)
    return TensorType((*outer, _covered(frames, length, step)), signal.dtype), {"frame_step": step}


def _covered(frames: int, length: int, step: int) -> int:
    return max(0, length + step * (frames - 1))


def _overlap_and_add(x: Array, frame_step: int) -> Array:
    *outer, frames, length = x.shape
    size = _covered(frames, length, frame_step)
    if frames == 1:
        return x[..., 0, :]
    if frames == 0:
        return np.zeros((*outer, size), x.dtype)
    parts = -(-length // frame_step)
    rows = np.zeros((*outer, frames + max(parts, 1) - 1, frame_step), x.dtype)
    for part in range(parts):
        piece = x[..., part * frame_step : (part + 1) * frame_step]
        rows[..., part : part + frames, : piece.shape[-1]] += piece
    return rows.reshape(*outer, -1)[..., :size] if rows.size else rows.reshape(*outer, size)


def _overlap_vjp(g: Tensor, y: Tensor, x: Tensor, frame_step: int) -> Tensor:
    frames, length = x.shape[-2:]
    if frames == 0:
        zeros: Tensor = tf.zeros_like(x)
        return zeros
    part: Tensor = tf.signal.frame(g, length, frame_step)
    return part


declare(
    "tf.signal.overlap_and_add",
    _overlap_type,
    forward=_overlap_and_add,
    vjp=(_overlap_vjp,),
    batching=aligned,
    domains=(REAL,),
    dtypes=NUMERIC,
    rounding=sum_rounding(_overlap_and_add, lambda x, frame_step: -(-x.shape[-1] // frame_step)),
    narrow_sums=True,
    samples=(
        sample((3, 4), 2),
        sample((2, 3, 5), 2),
        sample((2, 2), 2),
        sample((3, 2), 3),
        sample((1, 3), 1),
        sample((0, 4), 2),
    ),
    source="the cotangent, cut into the same frames",
)
