"""NumPy's ways to reshape, turn, pick and repeat elements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from gradcheck.ops.arrays.creation import constant
from gradcheck.ops.declaration import (
    ANY,
    NUMERIC,
    REAL,
    OpError,
    Sample,
    Tensors,
    compose,
    find_op,
    sample,
)
from gradcheck.ops.numpy.kinds import cast
from gradcheck.ops.shapes import as_int, as_shape, broadcast, one_axis
from gradcheck.ops.vocabulary import tf
from gradcheck.tensors import Tensor

TILED = find_op("tf.tile").dtypes


def at_front(ndim: int, a: Tensor) -> Tensor:
    """`a` with as many axes of size 1 in front as it has less than `ndim`."""
    reshaped: Tensor = a if a.ndim >= ndim else tf.reshape(a, (1,) * (ndim - a.ndim) + a.shape)
    return reshaped


def at_least(ndim: int, a: Tensor) -> Tensor:
    """The same, but of three axes the last one goes behind: a vector lies in the middle."""
    if ndim < 3 or not 0 < a.ndim < 3:
        return at_front(ndim, a)
    reshaped: Tensor = tf.reshape(a, (*at_front(2, a).shape, 1))
    return reshaped


def _at_least(ndim: int) -> None:
    def function(*arys: Tensors) -> Any:
        arrays = [at_least(ndim, each) for each in arys]  # type: ignore[arg-type]  # a tensor each
        return arrays[0] if len(arrays) == 1 else arrays

    compose(
        f"tf.experimental.numpy.atleast_{ndim}d",
        domains=(REAL, REAL),
        dtypes=ANY,
        samples=(sample((3,)), sample((), (2, 3))),
    )(function)


for _ndim in (1, 2, 3):
    _at_least(_ndim)


def _arrays(name: str, ndmin: int = 0) -> None:
    def function(a: Tensor, dtype: Any = None) -> Tensor:
        return at_least(ndmin, cast(a, dtype))

    compose(
        f"tf.experimental.numpy.{name}",
        domains=(REAL,),
        dtypes=ANY,
        promotes=True,
        samples=(sample((2, 3)), sample((), np.dtype(np.complex128))),
    )(function)


_arrays("asarray")
_arrays("asanyarray")
_arrays("ascontiguousarray", 1)


@compose(
    "tf.experimental.numpy.array",
    domains=(REAL,),
    dtypes=ANY,
    promotes=True,
    samples=(sample((2, 3)), sample((3,), np.dtype(np.float64), ndmin=3)),
)
def _array(val: Tensor, dtype: Any = None, copy: Any = True, ndmin: Any = 0) -> Tensor:
    wanted = as_int(ndmin, "ndmin")
    if wanted > 32:
        raise OpError(f"`ndmin` is at most 32, not {wanted}", argument="ndmin")
    return at_front(wanted, cast(val, dtype))


Function = TypeVar("Function", bound=Callable[..., Tensor])


def _moving(name: str, *samples: Sample, **details: Any) -> Callable[[Function], Function]:
    """Declare a function of one array, whose elements it moves, and leave it a function."""
    given: Any = {"dtypes": ANY, "promotes": True, **details}

    def decorate(function: Function) -> Function:
        compose(f"tf.experimental.numpy.{name}", domains=(REAL,), samples=samples, **given)(function)
        return function

    return decorate


@_moving("copy", sample((2, 3)))
def _copy(a: Tensor) -> Tensor:
    copied: Tensor = tf.identity(a)
    return copied


@_moving("ravel", sample((2, 3)))
def ravel(a: Tensor) -> Tensor:
    flat: Tensor = tf.reshape(a, [-1])
    return flat


@_moving("flatten", sample((2, 3)), sample((2, 3), "F"))
def _flatten(a: Tensor, order: Any = "C") -> Tensor:
    if order not in ("C", "A", "K", "F"):
        raise OpError(f"`order` must be C, A, K or F, not {order!r}", argument="order")
    return ravel(tf.transpose(a) if order == "F" else a)


@_moving("reshape", sample((2, 3), [3, -1]), sample((2, 3), 6), sample((2, 3), (3, 2), order="F"))
def _reshape(a: Tensor, newshape: Any, order: Any = "C") -> Tensor:
    shape = as_shape(newshape, "newshape")
    reshaped: Tensor
    if order == "F":
        reshaped = tf.transpose(tf.reshape(tf.transpose(a), shape[::-1]))
    elif order == "C":
        reshaped = tf.reshape(a, shape)
    else:
        raise OpError(f"`order` must be C or F, not {order!r}", argument="order")
    return reshaped


@_moving("expand_dims", sample((3,), 1), sample((2, 3), -1))
def _expand_dims(a: Tensor, axis: Any) -> Tensor:
    expanded: Tensor = tf.expand_dims(a, axis)
    return expanded


@_moving("squeeze", sample((2, 1, 3)), sample((1, 2, 1), axis=0))
def _squeeze(a: Tensor, axis: Any = None) -> Tensor:
    squeezed: Tensor = tf.squeeze(a, axis)
    return squeezed


@_moving("transpose", sample((2, 3)), sample((2, 3, 1), (1, 2, 0)))
def _transpose(a: Tensor, axes: Any = None) -> Tensor:
    turned: Tensor = tf.transpose(a, axes)
    return turned


@_moving("swapaxes", sample((2, 3, 1), 0, -1))
def swapaxes(a: Tensor, axis1: Any, axis2: Any) -> Tensor:
    one, other = one_axis(axis1, a.ndim, "axis1"), one_axis(axis2, a.ndim, "axis2")
    order = list(range(a.ndim))
    order[one], order[other] = other, one
    return _transpose(a, order)


@_moving("moveaxis", sample((2, 3, 1), 0, -1), sample((2, 3, 1), (0, 1), (-1, -2)))
def _moveaxis(a: Tensor, source: Any, destination: Any) -> Tensor:
    starts = [one_axis(each, a.ndim, "source") for each in as_shape(source, "source")]
    ends = [one_axis(each, a.ndim, "destination") for each in as_shape(destination, "destination")]
    if len(starts) != len(ends) or len({*starts}) < len(starts) or len({*ends}) < len(ends):
        raise OpError("`source` and `destination` must name as many axes, each once", argument="destination")
    order = [axis for axis in range(a.ndim) if axis not in starts]
    for end, start in sorted(zip(ends, starts, strict=True)):
        order.insert(end, start)
    return _transpose(a, order)


@_moving("flip", sample((2, 3)), sample((2, 3), -1))
def _flip(m: Tensor, axis: Any = None) -> Tensor:
    axes = list(range(m.ndim)) if axis is None else [one_axis(axis, m.ndim)]
    flipped: Tensor = tf.reverse(m, axes)
    return flipped


@_moving("flipud", sample((2, 3)))
def _flipud(m: Tensor) -> Tensor:
    return _flip(m, 0)


@_moving("fliplr", sample((2, 3)))
def _fliplr(m: Tensor) -> Tensor:
    return _flip(m, 1)


@_moving("roll", sample((2, 3), 1), sample((2, 3), [1, -1], axis=[0, 1]))
def _roll(a: Tensor, shift: Any, axis: Any = None) -> Tensor:
    rolled: Tensor = tf.reshape(tf.roll(ravel(a), shift, 0), a.shape) if axis is None else tf.roll(a, shift, axis)
    return rolled


@_moving("rot90", sample((2, 3)), sample((2, 3, 2), 2, axes=(0, 2)), sample((2, 3), -1))
def _rot90(m: Tensor, k: Any = 1, axes: Any = (0, 1)) -> Tensor:
    pair = [one_axis(each, m.ndim, "axes") for each in as_shape(axes, "axes")]
    if len({*pair}) != 2:
        raise OpError(f"`axes` must be two different ones, not {axes!r}", argument="axes")
    turns, (first, second) = as_int(k, "k") % 4, pair
    if turns == 0:
        return m
    if turns == 2:
        return _flip(_flip(m, first), second)
    turned: Tensor = _flip(swapaxes(m, first, second), first if turns == 1 else second)
    return turned


@_moving("broadcast_to", sample((3,), [2, 3]))
def _broadcast_to(array: Tensor, shape: Any) -> Tensor:
    spread: Tensor = tf.broadcast_to(array, as_shape(shape))
    return spread


@compose(
    "tf.experimental.numpy.broadcast_arrays",
    domains=(REAL, REAL),
    dtypes=ANY,
    several=True,
    samples=(sample((3,), (2, 1)), sample((2,))),
)
def _broadcast_arrays(*args: Tensors, **kwargs: Any) -> list[Tensor]:
    if kwargs.pop("subok", False) or kwargs:
        raise OpError("`tf.experimental.numpy.broadcast_arrays` takes nothing but arrays")
    shape: tuple[int, ...] = ()
    for each in args:
        shape = broadcast(shape, each.shape)  # type: ignore[attr-defined]  # a tensor each
    return [tf.broadcast_to(each, shape) for each in args]


@_moving("repeat", sample((2, 3), 2), sample((3, 2), [2, 0, 1], axis=0), dtypes=TILED)
def _repeat(a: Tensor, repeats: Any, axis: Any = None) -> Tensor:
    repeated: Tensor = tf.repeat(a, repeats, axis)
    return repeated


@_moving("tile", sample((2, 3), [2, 1]), sample((2,), [2, 1]), sample((2, 3), 2), dtypes=TILED)
def _tile(a: Tensor, reps: Any) -> Tensor:
    times = as_shape(reps, "reps")
    ndim = max(len(times), a.ndim)
    tiled: Tensor = tf.tile(at_front(ndim, a), (1,) * (ndim - len(times)) + times)
    return tiled


@_moving(
    "pad",
    sample((2, 3), [[1, 1], [0, 1]], "constant"),
    sample((2, 3), [[1, 1], [0, 2]], "reflect"),
    sample((2, 3), [[1, 1], [0, 1]], "symmetric"),
)
def _pad(array: Tensor, pad_width: Any, mode: Any, **kwargs: Any) -> Tensor:
    if mode not in ("constant", "reflect", "symmetric"):
        raise OpError(f"`mode` must be 'constant', 'reflect' or 'symmetric', not {mode!r}", argument="mode")
    padded: Tensor = tf.pad(array, pad_width, mode.upper(), kwargs.get("constant_values", 0))
    return padded


def _diagonal_of(a: Tensor, offset: Any) -> Tensor:
    """A diagonal of the matrices in `a`; one that is outside is empty."""
    k, (rows, columns) = as_int(offset, "offset"), a.shape[-2:]
    if -rows < k < columns:
        part: Tensor = tf.linalg.diag_part(a, k=k)
        return part
    empty: Tensor = tf.zeros((*a.shape[:-2], 0), a.dtype)
    return empty


@_moving("diag", sample((3,)), sample((2,), -1), sample((2, 3), 1), sample((2, 3), 5))
def _diag(v: Tensor, k: Any = 0) -> Tensor:
    if v.ndim not in (1, 2):
        raise OpError(f"`tf.experimental.numpy.diag` takes a vector or a matrix, not {list(v.shape)}", argument="v")
    if v.ndim == 2:
        return _diagonal_of(v, k) if -v.shape[0] < as_int(k, "k") < v.shape[1] else tf.zeros([0], v.dtype)
    size = abs(as_int(k, "k"))
    matrix: Tensor = tf.linalg.diag(v, k=k) if v.shape[0] else tf.zeros([size, size], v.dtype)
    return matrix


@_moving("diagflat", sample((2, 2)), sample((2,), 1))
def _diagflat(v: Tensor, k: Any = 0) -> Tensor:
    return _diag(ravel(v), k)


@_moving("diagonal", sample((3, 3), 1), sample((2, 3, 2), axis1=1, axis2=0), sample((2, 2), 4))
def _diagonal(a: Tensor, offset: Any = 0, axis1: Any = 0, axis2: Any = 1) -> Tensor:
    return _diagonal_of(_moveaxis(a, (axis1, axis2), (-2, -1)), offset)


def _triangle(name: str, *, lower: bool) -> None:
    def function(m: Tensor, k: Any = 0) -> Tensor:
        if m.ndim < 2:
            raise OpError(f"`tf.experimental.numpy.{name}` takes matrices, not {list(m.shape)}", argument="m")
        rows, columns = m.shape[-2:]
        kept = np.tri(rows, columns, as_int(k, "k") - (not lower), dtype=bool)
        part: Tensor = tf.where(constant(kept == lower), m, tf.zeros([], m.dtype))
        return part

    _moving(name, sample((3, 3)), sample((2, 2, 3), 1), sample((2, 3), -1), dtypes=NUMERIC)(function)


_triangle("tril", lower=True)
_triangle("triu", lower=False)
