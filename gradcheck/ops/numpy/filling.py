"""NumPy's ranges, grids and constants that are made of tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.dtypes import FLOAT64
from gradcheck.ops.arrays.creation import constant
from gradcheck.ops.declaration import ANY, INEXACT, POSITIVE, REAL, Cast, OpError, Tensors, compose, find_op, sample
from gradcheck.ops.numpy.kinds import WIDER, cast, numpy_dtype
from gradcheck.ops.shapes import as_bool, as_float, as_int, as_shape
from gradcheck.ops.vocabulary import tf
from gradcheck.tensors import Tensor


@compose(
    "tf.experimental.numpy.full",
    domains=(REAL,),
    dtypes=ANY,
    promotes=True,
    samples=(sample([2, 3], ()), sample(3, (), np.dtype(np.float64)), sample([2, 3], (3,))),
)
def _full(shape: Any, fill_value: Tensor, dtype: Any = None) -> Tensor:
    filled: Tensor = tf.broadcast_to(cast(fill_value, dtype), as_shape(shape))
    return filled


@compose(
    "tf.experimental.numpy.full_like",
    domains=(REAL, REAL),
    dtypes=ANY,
    samples=(sample((2, 3), ()), sample((2, 3), (3,), np.dtype(np.float64))),
    convention="`a` gives a shape and a dtype, and is not connected",
)
def _full_like(
    a: Tensor, fill_value: Cast, dtype: Any = None, order: Any = "K", subok: Any = True, shape: Any = None
) -> Tensor:
    if order != "K" or not subok or shape:
        raise OpError("`order`, `subok` and `shape` are not supported, in TensorFlow either", argument="order")
    return _full(a.shape, cast(fill_value, a.dtype if dtype is None else dtype))  # type: ignore[no-any-return]


def _spaced(start: Tensor, stop: Tensor, num: Any, endpoint: Any, axis: Any) -> tuple[Tensor, Tensor]:
    """The numbers and the step between them."""
    count, closed = as_int(num, "num"), as_bool(endpoint, "endpoint")
    if count < 0:
        raise OpError(f"`num` is {count}: a negative number of points", argument="num")
    gaps = count - closed
    if gaps <= 0:
        return tf.linspace(start, stop, count, axis=axis), constant(np.asarray(np.nan, np.float32))
    step = (stop - start) / float(gaps)
    last = stop if closed or count == 1 else stop - step
    return tf.linspace(start, last, count, axis=axis), step


@compose(
    "tf.experimental.numpy.linspace",
    domains=(REAL, REAL),
    dtypes=INEXACT,
    promotes=True,
    samples=(
        sample((), (), 4),
        sample((2,), (2,), 3, endpoint=False, retstep=True, axis=-1),
        sample((), (2,), 1),
    ),
    convention="the dtype is that of the ends, whatever `dtype` says, as TensorFlow has it with NumPy 2",
)
def _linspace(
    start: Tensor,
    stop: Tensor,
    num: Any = 50,
    endpoint: Any = True,
    retstep: Any = False,
    dtype: Any = float,
    axis: Any = 0,
) -> Any:
    numbers, step = _spaced(start, stop, num, endpoint, axis)
    return [numbers, step] if as_bool(retstep, "retstep") else numbers


@compose(
    "tf.experimental.numpy.logspace",
    domains=(REAL, REAL),
    dtypes=INEXACT,
    promotes=True,
    samples=(sample((), (), 4), sample((2,), (2,), 3, endpoint=False, base=2.0, axis=-1)),
    convention="the dtype is that of the ends, whatever `dtype` says, as TensorFlow has it with NumPy 2",
)
def _logspace(
    start: Tensor,
    stop: Tensor,
    num: Any = 50,
    endpoint: Any = True,
    base: Any = 10.0,
    dtype: Any = None,
    axis: Any = 0,
) -> Tensor:
    numbers, _ = _spaced(start, stop, num, endpoint, axis)
    powers: Tensor = tf.pow(constant(np.asarray(as_float(base, "base")).astype(numbers.dtype)), numbers)
    return powers


@compose(
    "tf.experimental.numpy.geomspace",
    domains=(POSITIVE, POSITIVE),
    dtypes=WIDER,
    promotes=True,
    samples=(sample((), (), 4), sample((2,), (2,), 3, dtype=np.dtype(np.float64), axis=-1)),
    convention="float64 unless `dtype` is given; two negative ends make negative numbers",
)
def _geomspace(
    start: Tensor, stop: Tensor, num: Any = 50, endpoint: Any = True, dtype: Any = None, axis: Any = 0
) -> Tensor:
    target = FLOAT64 if dtype is None else numpy_dtype(dtype)
    ends = [cast(each, np.promote_types(target, np.float32)) for each in (start, stop)]
    signs = [1 - tf.sign(each) for each in ends]
    flip = 1 - tf.math.floordiv(signs[0] * signs[1], 2)
    exponents = [tf.math.log(flip * each) / float(np.log(10)) for each in ends]
    powers = flip * _logspace(*exponents, num, endpoint)
    moved = powers if axis == 0 else tf.experimental.numpy.moveaxis(powers, 0, axis)
    return cast(moved, target)


@compose(
    "tf.experimental.numpy.vander",
    domains=(POSITIVE,),
    dtypes=find_op("tf.pow").dtypes,
    promotes=True,
    samples=(sample((3,)), sample((2,), 4, increasing=True)),
)
def _vander(x: Tensor, N: Any = None, increasing: Any = False) -> Tensor:  # noqa: N803  # NumPy's name
    if x.ndim != 1:
        raise OpError(f"`x` must be a vector, not of shape {list(x.shape)}", argument="x")
    count = x.shape[0] if N is None else as_int(N, "N")
    if count < 0:
        raise OpError(f"`N` is negative: {count}", argument="N")
    powers = np.arange(count) if as_bool(increasing, "increasing") else np.arange(count)[::-1]
    rows: Tensor = tf.pow(tf.expand_dims(x, -1), constant(powers.astype(x.dtype)))
    return rows


@compose(
    "tf.experimental.numpy.meshgrid",
    domains=(REAL, REAL),
    dtypes=ANY,
    several=True,
    samples=(sample((3,), (2,)), sample((3,), (2,), indexing="ij")),
)
def _meshgrid(*xi: Tensors, **kwargs: Any) -> list[Tensor]:
    if kwargs.get("sparse", False) or not kwargs.get("copy", True):
        raise OpError("`sparse` and `copy` are not supported, in TensorFlow either")
    grids: list[Tensor] = tf.meshgrid(*xi, indexing=kwargs.get("indexing", "xy"))
    return grids
