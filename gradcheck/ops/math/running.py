"""Running sums, products and log-sum-exps along an axis."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.dtypes import FLOATS, Array
from gradcheck.ops.batching import along
from gradcheck.ops.declaration import NUMERIC, REAL, declare, sample
from gradcheck.ops.shapes import Typed, as_bool, conj, one_axis, sum_rounding
from gradcheck.ops.vocabulary import tf
from gradcheck.tensors import Tensor

SAMPLES = (
    sample((4,)),
    sample((2, 3), axis=1, exclusive=True),
    sample((3, 2), axis=-2, reverse=True),
    sample((2, 5), axis=-1, exclusive=True, reverse=True),
    sample((2, 1), axis=1, exclusive=True),
    sample((0, 3), exclusive=True),
    sample((0, 3), reverse=True),
)


def _running(
    x: Tensor, axis: Any = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None
) -> Typed:
    flags = {"exclusive": as_bool(exclusive, "exclusive"), "reverse": as_bool(reverse, "reverse")}
    return x.type, {"axis": one_axis(axis, x.ndim), **flags}


def _accumulation(ufunc: Any, start: float) -> Any:
    """The forward of a running `ufunc`; an exclusive one begins at `start` and leaves the last element out."""

    def forward(x: Array, axis: int, exclusive: bool, reverse: bool) -> Array:
        if reverse:
            x = np.flip(x, axis)
        result: Array = ufunc.accumulate(x, axis=axis, dtype=x.dtype)
        if exclusive and x.shape[axis]:
            first = np.full_like(x, start, shape=(*x.shape[:axis], 1, *x.shape[axis + 1 :]))
            before = (slice(None),) * axis + (slice(-1),)
            result = np.concatenate([first, result[before]], axis)
        return np.flip(result, axis) if reverse else result

    return forward


def _stretch(x: Tensor, axis: int, start: int, stop: int) -> Tensor:
    if stop - start == x.shape[axis]:
        return x
    begin, size = [0] * x.ndim, list(x.shape)
    begin[axis], size[axis] = start, stop - start
    stretch: Tensor = tf.slice(x, begin, size)
    return stretch


def _recurrence(b: Tensor, a: Tensor, axis: int) -> Tensor:
    """The s with s[j] = b[j] + a[j] s[j + 1] along `axis`; the last is b itself, so `a` is one shorter than `b`.

    By doubling: with s[j] known in terms of s[j + step], putting one such equation into the other gives it in terms of
    s[j + 2 step]. That is made of sums and products only, so its derivatives of every order are as exact as it is.
    """
    count, step = b.shape[axis], 1
    while step < count:
        known = count - step
        near = _stretch(b, axis, 0, known) + a * _stretch(b, axis, step, count)
        b = tf.concat([near, _stretch(b, axis, known, count)], axis)
        step *= 2
        if step < count:
            a = _stretch(a, axis, 0, count - step) * _stretch(a, axis, step // 2, known)
    return b


def _mirrored(rule: Any) -> Any:
    """The rule of a running operation, from the rule for the forward direction: `reverse` mirrors everything."""

    def vjp(g: Tensor, y: Tensor, x: Tensor, axis: int, exclusive: bool, reverse: bool) -> Tensor:
        if x.shape[axis] == 0 or (exclusive and x.shape[axis] == 1):
            zeros: Tensor = tf.zeros_like(x)
            return zeros
        if reverse:
            g, y, x = (tf.reverse(each, [axis]) for each in (g, y, x))
        part: Tensor = rule(g, y, x, axis, exclusive)
        if exclusive:
            nothing = tf.zeros([1 if at == axis else size for at, size in enumerate(x.shape)], x.dtype)
            part = tf.concat([part, nothing], axis)  # the last element is in none of the results
        return tf.reverse(part, [axis]) if reverse else part

    return vjp


declare(
    "tf.cumsum",
    _running,
    aliases=("tf.math.cumsum",),
    forward=_accumulation(np.add, 0),
    vjp=(lambda g, y, x, axis, exclusive, reverse: tf.cumsum(g, axis=axis, exclusive=exclusive, reverse=not reverse),),
    rounding=sum_rounding(_accumulation(np.add, 0), lambda x, axis, **_: x.shape[axis]),
    narrow_sums=True,
    batching=along("axis"),
    domains=(REAL,),
    dtypes=NUMERIC,
    samples=SAMPLES,
    source="each element receives the cotangents of the sums it is in, which is a running sum from the other end",
    convention="16-bit sums are accumulated in float32 and rounded once; TensorFlow accumulates them in the dtype, "
    "where a float16 count stops at 2048",
)


def _cumprod_vjp(g: Tensor, y: Tensor, x: Tensor, axis: int, exclusive: bool) -> Tensor:
    # y[k] = x[0] ... x[k], so x[j] receives x[0] ... x[j - 1] times the sum over k >= j of g[k] x[j + 1] ... x[k].
    count = x.shape[axis]
    start = 1 if exclusive else 0
    after = _recurrence(_stretch(g, axis, start, count), conj(_stretch(x, axis, 1, count - start)), axis)
    before = _stretch(tf.math.cumprod(x, axis=axis, exclusive=True), axis, 0, count - start)
    part: Tensor = conj(before) * after
    return part


declare(
    "tf.math.cumprod",
    _running,
    forward=_accumulation(np.multiply, 1),
    vjp=(_mirrored(_cumprod_vjp),),
    domains=(REAL,),
    dtypes=NUMERIC,
    errata=("complex",),
    samples=SAMPLES,
    source="d y_k / dx_j = the product of the elements up to k without x_j; the sum over k by Horner's scheme",
    convention="exact where elements are 0, at every order; TensorFlow divides by the element, gives 0 where it is 0, "
    "and leaves out the conjugates of complex numbers",
)


def _cumulative_logsumexp_vjp(g: Tensor, y: Tensor, x: Tensor, axis: int, exclusive: bool) -> Tensor:
    # x[j] receives the sum over k >= j of g[k] exp(x[j] - y[k]); y grows, so no exponent here is positive.
    count = x.shape[axis]
    start = 1 if exclusive else 0
    y = _stretch(y, axis, start, count)
    size = count - start
    ratio = tf.exp(_stretch(y, axis, 0, size - 1) - _stretch(y, axis, 1, size))
    weight = tf.exp(_stretch(x, axis, 0, size) - y)
    part: Tensor = weight * _recurrence(_stretch(g, axis, start, count), ratio, axis)
    return part


declare(
    "tf.math.cumulative_logsumexp",
    _running,
    forward=_accumulation(np.logaddexp, -np.inf),
    vjp=(_mirrored(_cumulative_logsumexp_vjp),),
    domains=(REAL,),
    dtypes=FLOATS,
    samples=(
        sample((4,)),
        sample((3, 2), axis=-2, reverse=True),
        sample((2, 5), axis=-1),
        sample((0, 3), exclusive=True),
    ),
    source="d y_k / dx_j = exp(x_j - y_k) for j <= k; the sum over k by Horner's scheme",
    convention="NaN at a leading -inf, 0 at a later one; an exclusive one begins at -inf",
)
