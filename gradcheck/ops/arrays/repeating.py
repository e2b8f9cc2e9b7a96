"""Tensors made larger with what is in them: borders, tiles, repeats."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.dtypes import DTYPES, Array, DType
from gradcheck.ops.arrays.creation import constant
from gradcheck.ops.batching import prefixed
from gradcheck.ops.declaration import ANY, NUMERIC, REAL, OpError, compose, declare, sample
from gradcheck.ops.shapes import Typed, as_row, as_shape, check_room, one_axis, sum_rounding
from gradcheck.ops.vocabulary import tf
from gradcheck.program import Shape, TensorType
from gradcheck.tensors import Tensor, as_array

Paddings = tuple[tuple[int, int], ...]


def _paddings(given: Any, shape: Shape) -> Paddings:
    rows = given if isinstance(given, (tuple, list)) else ()
    pairs = tuple(as_row(each, "paddings") for each in rows)
    if len(pairs) != len(shape) or any(len(each) != 2 for each in pairs):
        raise OpError(f"`paddings` must have a pair for each axis of {list(shape)}, not {given!r}", argument="paddings")
    if any(each < 0 for pair in pairs for each in pair):
        raise OpError(f"`paddings` has a negative number: {given!r}", argument="paddings")
    return tuple((before, after) for before, after in pairs)


def _mirrored(paddings: Paddings, shape: Shape, mode: str) -> None:
    for axis, (pair, size) in enumerate(zip(paddings, shape, strict=True)):
        most = size - 1 if mode == "REFLECT" else size
        if max(pair) > most:
            raise OpError(
                f"axis {axis} of {list(shape)} has size {size} and cannot be padded by {max(pair)} in mode {mode!r}: "
                f"{most} is the most",
                argument="paddings",
            )


def _padded(shape: Shape, paddings: Paddings) -> Shape:
    return tuple(before + size + after for (before, after), size in zip(paddings, shape, strict=True))


def _pad(
    tensor: Tensor,
    paddings: Any,
    mode: Any = "CONSTANT",
    constant_values: Any = 0,
    name: str | None = None,
) -> Typed:
    kind = mode.upper() if isinstance(mode, str) else mode
    if kind not in ("CONSTANT", "REFLECT", "SYMMETRIC"):
        raise OpError(f"`mode` must be 'CONSTANT', 'REFLECT' or 'SYMMETRIC', not {mode!r}", argument="mode")
    pairs = _paddings(paddings, tensor.shape)
    if kind != "CONSTANT":
        _mirrored(pairs, tensor.shape, kind)
    else:
        _border(constant_values, tensor.dtype)
    attributes = {"paddings": pairs, "mode": kind, "constant_values": constant_values}
    return TensorType(_padded(tensor.shape, pairs), tensor.dtype), attributes


def _border(value: Any, dtype: DType) -> None:
    if isinstance(value, (tuple, list)):
        raise OpError("`constant_values` must be one number for all borders", argument="constant_values")
    if value != 0:
        try:
            as_array(value, dtype)
        except ValueError as error:
            raise OpError(f"`constant_values`: {error}", argument="constant_values") from None


def _pad_forward(x: Array, paddings: Paddings, mode: str, constant_values: Any) -> Array:
    if mode == "CONSTANT":
        out = np.full(_padded(x.shape, paddings), constant_values, x.dtype)
        out[tuple(slice(before, before + size) for (before, _), size in zip(paddings, x.shape, strict=True))] = x
        return out
    for axis, (before, after) in enumerate(paddings):
        size, edge = x.shape[axis], int(mode == "REFLECT")
        rows = np.arange(size)
        mirrored = np.concatenate(
            [rows[edge : before + edge][::-1], rows, rows[size - after - edge : size - edge][::-1]]
        )
        x = x.take(mirrored, axis) if before or after else x
    return x


def _pad_vjp(g: Tensor, y: Tensor, x: Tensor, paddings: Paddings, mode: str, constant_values: Any) -> Tensor:
    inner: Tensor = g
    if not paddings:
        return g
    if mode == "CONSTANT":
        inner = tf.slice(g, [before for before, _ in paddings], x.shape)
    else:
        inner = tf.raw_ops.MirrorPadGrad(g, paddings, mode)
    return inner


declare(
    "tf.pad",
    _pad,
    forward=_pad_forward,
    vjp=(_pad_vjp,),
    batching=prefixed(paddings=(0, 0)),
    domains=(REAL,),
    dtypes=ANY,
    moves=True,
    samples=(
        sample((2, 3), [[1, 0], [0, 2]]),
        sample((3, 3), [[0, 1], [2, 2]], "REFLECT"),
        sample((2, 3), [[2, 1], [0, 3]], "symmetric"),
        sample((0, 2), [[1, 0], [0, 0]]),
        sample((1, 2), [[0, 0], [1, 1]], mode="REFLECT"),
    ),
    source="a border of constants is dropped, a mirrored one is added back to where it came from",
    convention="`constant_values` is not connected, and must be a number",
)


def _mirror_pad_grad(input: Tensor, paddings: Any, mode: Any, name: str | None = None) -> Typed:  # noqa: A002
    pairs = _paddings(paddings, input.shape)
    shape = tuple(size - before - after for (before, after), size in zip(pairs, input.shape, strict=True))
    _mirrored(pairs, shape, mode)
    return TensorType(shape, input.dtype), {"paddings": pairs, "mode": mode}


def _mirror_pad_grad_forward(g: Array, paddings: Paddings, mode: str) -> Array:
    for axis, (before, after) in enumerate(paddings):
        if before or after:
            rows = np.moveaxis(g, axis, 0)
            size, edge = len(rows) - before - after, int(mode == "REFLECT")
            inner = rows[before : before + size].copy()
            inner[edge : before + edge] += rows[:before][::-1]
            inner[size - after - edge : size - edge] += rows[before + size :][::-1]
            g = np.moveaxis(inner, 0, axis)
    return g


declare(
    "tf.raw_ops.MirrorPadGrad",
    _mirror_pad_grad,
    forward=_mirror_pad_grad_forward,
    vjp=(lambda g, y, x, paddings, mode: tf.pad(g, paddings, mode),),
    rounding=sum_rounding(_mirror_pad_grad_forward, lambda x, **_: 2**x.ndim),
    narrow_sums=True,
    batching=prefixed(paddings=(0, 0)),
    domains=(REAL,),
    dtypes=NUMERIC,
    samples=(
        sample((3, 6), [[0, 1], [2, 1]], "REFLECT"),
        sample((5, 3), [[2, 1], [0, 1]], "SYMMETRIC"),
    ),
    source="the adjoint of mirrored padding, whose own adjoint is the padding",
    convention="16-bit floats are added in float32 and rounded once; TensorFlow adds in their own dtype",
)


def _tile(input: Tensor, multiples: Any, name: str | None = None) -> Typed:  # noqa: A002
    times = as_row(multiples, "multiples")
    if len(times) != input.ndim or any(each < 0 for each in times):
        raise OpError(
            f"`multiples` must have a number of copies for each axis of {list(input.shape)}, not {list(times)}",
            argument="multiples",
        )
    shape = tuple(size * each for size, each in zip(input.shape, times, strict=True))
    return TensorType(shape, input.dtype), {"multiples": times}


def _tile_forward(x: Array, multiples: Shape) -> Array:
    spaced = x.reshape([part for size in x.shape for part in (1, size)])
    copies = [part for size, times in zip(x.shape, multiples, strict=True) for part in (times, size)]
    return np.broadcast_to(spaced, copies).reshape([a * b for a, b in zip(x.shape, multiples, strict=True)])


def _tile_vjp(g: Tensor, y: Tensor, x: Tensor, multiples: Shape) -> Tensor:
    if all(times == 1 for times in multiples):
        return g
    copies: list[int] = []
    axes: list[int] = []
    for size, times in zip(x.shape, multiples, strict=True):
        if times != 1:
            axes.append(len(copies))
            copies.append(times)
        copies.append(size)
    total: Tensor = tf.reduce_sum(tf.reshape(g, copies), axis=axes)
    return total


declare(
    "tf.tile",
    _tile,
    forward=_tile_forward,
    vjp=(_tile_vjp,),
    batching=prefixed(multiples=1),
    domains=(REAL,),
    dtypes=tuple(each for each in ANY if each.name != "uint16"),
    moves=True,
    samples=(
        sample((2, 3), [2, 1]),
        sample((2, 3), [3, 2]),
        sample((2, 1), [1, 1]),
        sample((2,), [0]),
        sample((), []),
        sample((0, 2), [2, 3]),
    ),
    source="the cotangents of the copies are summed",
)


@compose(
    "tf.repeat",
    domains=(REAL,),
    dtypes=tuple(each for each in ANY if each.name != "uint16"),
    samples=(
        sample((2, 3), 2),
        sample((2, 3), 2, axis=-1),
        sample((3, 2), [2, 0, 1], 0),
        sample((2, 3), [2], axis=1),
        sample((), 3),
        sample((2, 0), 2, axis=0),
    ),
    convention="a negative number in a list of repeats counts as 0",
)
def _repeat(input: Tensor, repeats: Any, axis: Any = None, name: str | None = None) -> Tensor:  # noqa: A002
    at = 0 if axis is None else one_axis(axis, input.ndim)
    flat: Tensor = tf.reshape(input, [-1]) if axis is None or input.ndim == 0 else input
    size, times = flat.shape[at], as_shape(repeats, "repeats")
    if len(times) == 1:
        if times[0] < 0:
            raise OpError(f"`repeats` is negative: {times[0]}", argument="repeats")
        times = times * size
    if len(times) != size:
        raise OpError(f"{len(times)} `repeats` for axis {at} of {list(flat.shape)}", argument="repeats")
    counts = np.maximum(np.asarray(times, np.int64), 0)
    check_room((int(counts.sum()),))
    rows = np.repeat(np.arange(size), counts).astype(DTYPES["int32"])
    repeated: Tensor = tf.gather(flat, constant(rows), axis=at)
    return repeated
