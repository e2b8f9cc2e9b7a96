"""NumPy's sums, means, extremes and running sums over axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck.dtypes import is_integer
from gradcheck.ops.declaration import NUMERIC, REAL, REALS, OpError, compose, find_op, sample
from gradcheck.ops.math.reduction import count_of
from gradcheck.ops.numpy.kinds import PLAIN, WIDER, cast, floating, nothing, numpy_dtype, whole
from gradcheck.ops.shapes import as_bool, as_int, axes_of, conj, one_axis
from gradcheck.ops.vocabulary import tf
from gradcheck.tensors import Tensor

Reduction = Callable[..., Tensor]
SAMPLES = (sample((2, 3)), sample((2, 3, 2), axis=(0, -1), keepdims=True))


def _summing(name: str, reduce: Reduction, errata: tuple[str, ...] = ()) -> None:
    def function(a: Tensor, axis: Any = None, dtype: Any = None, keepdims: Any = None) -> Tensor:
        return reduce(whole(a) if dtype is None else cast(a, dtype), axis=axis, keepdims=bool(keepdims))

    compose(
        f"tf.experimental.numpy.{name}",
        domains=(REAL,),
        dtypes=NUMERIC,
        promotes=True,
        narrow_sums=True,
        errata=errata,
        samples=(*SAMPLES, sample((3,), dtype=np.dtype(np.float32))),
        convention="integers become those of 64 bits",
    )(function)


_summing("sum", lambda *a, **b: tf.reduce_sum(*a, **b))
_summing("prod", lambda *a, **b: tf.reduce_prod(*a, **b), ("complex",))


@compose(
    "tf.experimental.numpy.mean",
    domains=(REAL,),
    dtypes=NUMERIC,
    promotes=True,
    narrow_sums=True,
    samples=SAMPLES,
    convention="integers become float64",
)
def _mean(a: Tensor, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = None) -> Tensor:
    nothing(out, "out")
    given = floating(a) if dtype is None else cast(a, dtype)
    mean: Tensor = tf.reduce_mean(given, axis=axis, keepdims=bool(keepdims))
    return mean


def _extreme(name: str, reduce: Any) -> None:
    def short(a: Tensor, axis: Any = None, keepdims: Any = None) -> Tensor:
        extreme: Tensor = reduce(a, axis=axis, keepdims=bool(keepdims))
        return extreme

    def long(a: Tensor, axis: Any = None, out: Any = None, keepdims: Any = None) -> Tensor:
        nothing(out, "out")
        return short(a, axis, keepdims)

    def lead(a: Any, axis: Any, keepdims: Any, **_: Any) -> Any:
        return reduce.kink(a, axis=axes_of(axis, a.ndim), keepdims=bool(keepdims))

    for called, function in ((name, short), (f"a{name}", long)):
        compose(
            f"tf.experimental.numpy.{called}",
            domains=(REAL,),
            dtypes=REALS,
            promotes=True,
            kink=lead,
            samples=SAMPLES,
            convention=reduce.convention,
        )(function)


_extreme("max", find_op("tf.reduce_max"))
_extreme("min", find_op("tf.reduce_min"))


@compose(
    "tf.experimental.numpy.ptp",
    domains=(REAL,),
    dtypes=REALS,
    promotes=True,
    kink=lambda a, axis, keepdims: np.diff(np.sort(a.reshape(-1))),
    samples=SAMPLES,
    convention="elements that tie share equally",
)
def _ptp(a: Tensor, axis: Any = None, keepdims: Any = None) -> Tensor:
    options = {"axis": axis, "keepdims": bool(keepdims)}
    extent: Tensor = tf.reduce_max(a, **options) - tf.reduce_min(a, **options)
    return extent


@compose(
    "tf.experimental.numpy.std",
    domains=(REAL,),
    dtypes=NUMERIC,
    promotes=True,
    narrow_sums=True,
    samples=SAMPLES,
    convention="divided by the number of elements; NaN where all are equal",
)
def _std(a: Tensor, axis: Any = None, keepdims: Any = None) -> Tensor:
    deviation: Tensor = tf.math.reduce_std(floating(a), axis=axis, keepdims=bool(keepdims))
    return deviation


@compose(
    "tf.experimental.numpy.var",
    domains=(REAL,),
    dtypes=NUMERIC,
    promotes=True,
    narrow_sums=True,
    samples=(*SAMPLES, sample((2, 3), axis=1, ddof=1, dtype=np.dtype(np.float64))),
    convention="divided by the number of elements less `ddof`; with a `ddof` TensorFlow wants a `dtype`",
)
def _var(
    a: Tensor, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0, keepdims: Any = None
) -> Tensor:
    nothing(out, "out")
    target = None if dtype is None else numpy_dtype(dtype)
    working = floating(a) if target is None else cast(a, np.result_type(a.dtype, target))
    less = as_int(ddof, "ddof")
    if not less:
        variance: Tensor = tf.math.reduce_variance(working, axis=axis, keepdims=bool(keepdims))
        return cast(variance, target)
    if target is None:
        raise OpError("with a `ddof` TensorFlow wants a `dtype`", argument="dtype")
    apart = working - tf.reduce_mean(working, axis=axis, keepdims=True)
    total = tf.reduce_sum(conj(apart) * apart, axis=axis, keepdims=bool(keepdims))
    return cast(total / float(count_of(working.shape, axes_of(axis, a.ndim)) - less), target)


def _without_nan(name: str, reduce: Reduction, start: float) -> None:
    def function(a: Tensor, axis: Any = None, dtype: Any = None, keepdims: Any = False) -> Tensor:
        there = tf.where(tf.math.is_nan(a), tf.zeros([], a.dtype) + start, a)
        return reduce(cast(there, dtype), axis=axis, keepdims=bool(keepdims))

    compose(
        f"tf.experimental.numpy.{name}",
        domains=(REAL,),
        dtypes=WIDER,
        promotes=True,
        narrow_sums=True,
        samples=(sample((2, 3), axis=1), sample(np.array([[1.0, np.nan], [2.0, 3.0]]))),
        convention="a NaN is passed over: gradient 0",
    )(function)


_without_nan("nansum", lambda *a, **b: tf.reduce_sum(*a, **b), 0)
_without_nan("nanprod", lambda *a, **b: tf.reduce_prod(*a, **b), 1)


@compose(
    "tf.experimental.numpy.nanmean",
    domains=(REAL,),
    dtypes=WIDER,
    promotes=True,
    narrow_sums=True,
    samples=(sample((2, 3), axis=1), sample(np.array([[1.0, np.nan], [2.0, 3.0]]), keepdims=True)),
    convention="a NaN is passed over: gradient 0; the mean of nothing else is NaN",
)
def _nanmean(a: Tensor, axis: Any = None, dtype: Any = None, keepdims: Any = None) -> Tensor:
    options = {"axis": axis, "keepdims": bool(keepdims)}
    there = tf.logical_not(tf.math.is_nan(a))
    total = tf.reduce_sum(cast(tf.where(there, a, tf.zeros([], a.dtype)), dtype), **options)
    mean: Tensor = total / tf.reduce_sum(tf.cast(there, total.dtype), **options)
    return mean


def _running(name: str, accumulate: Reduction, errata: tuple[str, ...] = ()) -> None:
    def function(a: Tensor, axis: Any = None, dtype: Any = None) -> Tensor:
        wide = np.promote_types(a.dtype, np.int64) if is_integer(a.dtype) else None
        given = cast(a, wide if dtype is None else dtype)
        if axis is None:
            return accumulate(tf.reshape(given, [-1]), 0)
        return accumulate(given, one_axis(axis, a.ndim))

    compose(
        f"tf.experimental.numpy.{name}",
        domains=(REAL,),
        dtypes=NUMERIC,
        promotes=True,
        narrow_sums=True,
        errata=errata,
        samples=(sample((2, 3)), sample((2, 3), axis=-1)),
        convention="integers become int64, those that it cannot hold float64",
    )(function)


_running("cumsum", lambda a, axis: tf.cumsum(a, axis=axis))
_running("cumprod", lambda a, axis: tf.math.cumprod(a, axis=axis), ("complex",))


@compose(
    "tf.experimental.numpy.average",
    domains=(REAL, REAL),
    dtypes=PLAIN,
    promotes=True,
    narrow_sums=True,
    samples=(
        sample((2, 3)),
        sample((2, 3), 1, np.array([0.5, 1.5, 2.0]), returned=True),
        sample((2, 2), axis=0, weights=np.array([[0.5, 1.5], [2.0, 1.0]])),
    ),
    convention="the weighted sum divided by that of the weights",
)
def _average(a: Tensor, axis: Any = None, weights: Tensor | None = None, returned: Any = False) -> Any:
    at = None if axis is None else one_axis(axis, a.ndim)
    if weights is None:
        average = tf.reduce_mean(a, axis=at)
        count = count_of(a.shape, axes_of(at, a.ndim))
        total = tf.ones(average.shape, a.dtype) * float(count)
    elif weights.shape == a.shape:
        total = tf.reduce_sum(weights, axis=at)
        average = tf.reduce_sum(a * weights, axis=at) / total
    elif at is not None and weights.shape == (a.shape[at],):
        total = tf.reduce_sum(weights)
        average = tf.tensordot(a, weights, [[at], [0]]) / total
    else:
        raise OpError(
            f"`weights` {list(weights.shape)} have neither the shape of `a`, {list(a.shape)}, nor that of its axis",
            argument="weights",
        )
    return [average, tf.broadcast_to(total, average.shape)] if as_bool(returned, "returned") else average
