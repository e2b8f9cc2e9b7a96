"""Sums, means, extremes, products and statistics over axes, and what only counts or points."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.dtypes import BOOL, DTYPES, FLOATS, Array, DType, is_complex, is_float, is_integer
from gradcheck.ops.arrays.shaping import as_dtype
from gradcheck.ops.batching import along
from gradcheck.ops.declaration import ANY, INEXACT, NUMERIC, REAL, REALS, OpError, compose, declare, sample
from gradcheck.ops.shapes import Typed, as_bool, axes_of, conj, one_axis, reduced, spread, sum_rounding
from gradcheck.ops.vocabulary import tf
from gradcheck.program import Shape, TensorType
from gradcheck.tensors import Tensor

SAMPLES = (
    sample((2, 3)),
    sample((2, 3), axis=1),
    sample((2, 3, 2), axis=[0, -1], keepdims=True),
    sample((3, 1), axis=-1),
    sample((2, 2), axis=[]),
    sample((0, 3), axis=1),
    sample(()),
)


def reduction(input_tensor: Tensor, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Typed:
    """The call and result of a reduction: `axis` None stands for all axes, an empty list for none."""
    axes = axes_of(axis, input_tensor.ndim)
    keepdims = as_bool(keepdims, "keepdims")
    attributes = {"axis": axes, "keepdims": keepdims}
    return TensorType(reduced(input_tensor.shape, axes, keepdims), input_tensor.dtype), attributes


def kept(part: Tensor, like: Tensor, axes: tuple[int, ...]) -> Tensor:
    """The result of a reduction of `like`, or its cotangent, with the reduced axes back at size 1."""
    shape = reduced(like.shape, axes, keepdims=True)
    restored: Tensor = part if part.shape == shape else tf.reshape(part, shape)
    return restored


def count_of(shape: Shape, axes: tuple[int, ...]) -> int:
    """How many elements are reduced to one."""
    return int(np.prod([shape[axis] for axis in axes], dtype=np.int64))


def _number(value: float, dtype: DType) -> Array:
    """`value` in `dtype`, infinite where it is too large for it."""
    with np.errstate(over="ignore"):
        return np.asarray(value).astype(dtype)


def total(x: Array, axis: tuple[int, ...], keepdims: bool, ufunc: Any = np.add) -> Array:
    """The sum, or what another `ufunc` makes of the elements, in the dtype of `x`: NumPy alone would widen integers."""
    result: Array = ufunc.reduce(x, axis=axis, keepdims=keepdims, dtype=x.dtype)
    return result


def _terms(x: Array, axis: tuple[int, ...], **_: Any) -> float:
    return count_of(x.shape, axis)


declare(
    "tf.reduce_sum",
    reduction,
    aliases=("tf.math.reduce_sum",),
    forward=total,
    vjp=(lambda g, y, x, axis, keepdims: spread(g, x, axis),),
    rounding=sum_rounding(total, _terms),
    narrow_sums=True,
    batching=along("axis"),
    domains=(REAL,),
    dtypes=NUMERIC,
    samples=SAMPLES,
    source="every summed element receives the cotangent of its sum",
)


def _mean(x: Array, axis: tuple[int, ...], keepdims: bool) -> Any:
    count = count_of(x.shape, axis)
    if not is_integer(x.dtype):
        return total(x, axis, keepdims) / x.dtype.type(count)
    wide = total(x.astype(np.uint64 if x.dtype.kind == "u" else np.int64), axis, keepdims)
    size = np.abs(wide) // wide.dtype.type(max(count, 1))  # rounded towards 0, as in C
    return np.where(wide < 0, np.negative(size), size).astype(x.dtype)


def _mean_vjp(g: Tensor, y: Tensor, x: Tensor, axis: tuple[int, ...], keepdims: bool) -> Tensor:
    return spread(g / _number(count_of(x.shape, axis), g.dtype), x, axis)


declare(
    "tf.reduce_mean",
    reduction,
    aliases=("tf.math.reduce_mean",),
    forward=_mean,
    vjp=(_mean_vjp,),
    rounding=sum_rounding(_mean, _terms),
    narrow_sums=True,
    batching=along("axis"),
    domains=(REAL,),
    dtypes=NUMERIC,
    samples=SAMPLES,
    source="every element receives its share of the cotangent of the mean",
    convention="the mean of nothing is NaN and its gradient empty; the mean of integers is rounded towards 0; more "
    "than 65504 elements are infinitely many in float16, whose gradient is then 0; the value itself is computed in "
    "float32, where TensorFlow rounds both the sum and the count to float16, which may overflow",
)


def _limit(dtype: DType, sign: int) -> Any:
    """What an extreme starts from: no element of `dtype` is beyond it."""
    if not is_integer(dtype):
        return dtype.type(sign * np.inf)
    return np.iinfo(dtype).max if sign > 0 else np.iinfo(dtype).min


def _extreme_vjp(g: Tensor, y: Tensor, x: Tensor, axis: tuple[int, ...], keepdims: bool) -> Tensor:
    chosen = tf.cast(tf.equal(x, kept(y, x, axis)), g.dtype)
    share = kept(g, x, axis) / tf.reduce_sum(chosen, axis=axis, keepdims=True)
    part: Tensor = chosen * share
    return part


def _lead(x: Array, axis: tuple[int, ...], sign: int) -> Array:
    """How far the extreme (the largest for -1) of what is reduced together is ahead of the next element."""
    flat = np.moveaxis(x, axis, range(x.ndim - len(axis), x.ndim)).reshape(-1, count_of(x.shape, axis))
    gaps = np.diff(np.sort(flat, axis=-1), axis=-1)
    return gaps[:, -1:] if sign < 0 else gaps[:, :1]


def _extreme(name: str, ufunc: Any, sign: int) -> None:
    def forward(x: Array, axis: tuple[int, ...], keepdims: bool) -> Array:
        extreme: Array = ufunc.reduce(x, axis=axis, keepdims=keepdims, initial=_limit(x.dtype, sign))
        return extreme

    declare(
        f"tf.{name}",
        reduction,
        aliases=(f"tf.math.{name}",),
        forward=forward,
        vjp=(_extreme_vjp,),
        domains=(REAL,),
        dtypes=REALS,
        kink=lambda x, axis, keepdims: _lead(x, axis, sign),
        moves=True,
        samples=SAMPLES,
        source="the chosen elements receive the cotangent",
        convention="elements that tie share equally; a NaN makes the result NaN, and the whole gradient with it",
    )


_extreme("reduce_max", np.maximum, -1)
_extreme("reduce_min", np.minimum, 1)


def _product_vjp(g: Tensor, y: Tensor, x: Tensor, axis: tuple[int, ...], keepdims: bool) -> Tensor:
    part: Tensor = kept(g, x, axis) * conj(_others(x, axis)) if axis else g
    return part


def _others(x: Tensor, axes: tuple[int, ...]) -> Tensor:
    """For each element the product of those it is reduced with: what is before it times what is behind it.

    Nothing is divided, so an element that is 0 has the right one too.
    """
    if len(axes) == 1:
        before = tf.math.cumprod(x, axis=axes[0], exclusive=True)
        others: Tensor = before * tf.math.cumprod(x, axis=axes[0], exclusive=True, reverse=True)
        return others
    free = [axis for axis in range(x.ndim) if axis not in axes]
    order = [*free, *axes]
    moved = tf.transpose(x, order)
    rows = tf.reshape(moved, [*(x.shape[axis] for axis in free), count_of(x.shape, axes)])
    back: Tensor = tf.transpose(tf.reshape(_others(rows, (rows.ndim - 1,)), moved.shape), np.argsort(order).tolist())
    return back


declare(
    "tf.reduce_prod",
    reduction,
    aliases=("tf.math.reduce_prod",),
    forward=lambda x, axis, keepdims: total(x, axis, keepdims, np.multiply),
    vjp=(_product_vjp,),
    domains=(REAL,),
    dtypes=NUMERIC,
    errata=("complex",),
    samples=SAMPLES,
    source="d prod(x) / dx_i = the product of the other elements",
    convention="exact where elements are 0, at every order; TensorFlow's second order is wrong there, as it is "
    "for complex numbers, where a conjugate is missing",
)


@compose(
    "tf.reduce_logsumexp",
    aliases=("tf.math.reduce_logsumexp",),
    domains=(REAL,),
    dtypes=FLOATS,
    samples=SAMPLES,
    convention="the maximum is taken out, so nothing overflows; +inf, or nothing but -inf, gives NaN",
)
def _logsumexp(input_tensor: Tensor, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Tensor:
    axes = axes_of(axis, input_tensor.ndim)
    top = tf.reduce_max(input_tensor, axis=axes, keepdims=True)
    top = tf.stop_gradient(tf.where(tf.math.is_finite(top), top, tf.zeros([], top.dtype)))
    scaled = tf.reduce_sum(tf.exp(input_tensor - top), axis=axes, keepdims=True)
    result: Tensor = tf.math.log(scaled) + top
    return result if as_bool(keepdims, "keepdims") else tf.reshape(result, reduced(input_tensor.shape, axes, False))


@compose(
    "tf.math.reduce_variance",
    domains=(REAL,),
    dtypes=INEXACT,
    samples=SAMPLES,
    convention="divided by the number of elements; of complex numbers the mean squared modulus, a real number",
)
def _variance(input_tensor: Tensor, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Tensor:
    axes = axes_of(axis, input_tensor.ndim)
    apart = input_tensor - tf.reduce_mean(input_tensor, axis=axes, keepdims=True)
    squared = tf.math.real(conj(apart) * apart) if is_complex(apart.dtype) else tf.square(apart)
    variance: Tensor = tf.reduce_mean(squared, axis=axes, keepdims=keepdims)
    return variance


@compose(
    "tf.math.reduce_std",
    domains=(REAL,),
    dtypes=INEXACT,
    samples=(
        sample((2, 3)),
        sample((2, 3), axis=1),
        sample((2, 3, 2), axis=[0, -1], keepdims=True),
        sample((0, 3), axis=1),
    ),
    convention="the square root of the variance: NaN where all elements are equal",
)
def _std(input_tensor: Tensor, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Tensor:
    deviation: Tensor = tf.sqrt(tf.math.reduce_variance(input_tensor, axis=axis, keepdims=keepdims))
    return deviation


def _logical(name: str, ufunc: Any) -> None:
    declare(
        f"tf.{name}",
        reduction,
        aliases=(f"tf.math.{name}",),
        forward=ufunc.reduce,
        domains=(),
        dtypes=(BOOL,),
        samples=SAMPLES,
        convention="boolean: not connected",
    )


_logical("reduce_any", np.logical_or)
_logical("reduce_all", np.logical_and)


def _count_type(
    input: Tensor,  # noqa: A002  # TensorFlow's name
    axis: Any = None,
    keepdims: bool | None = None,
    dtype: Any = DTYPES["int64"],
    name: str | None = None,
) -> Typed:
    counted, attributes = reduction(input, axis, False if keepdims is None else keepdims)
    target = as_dtype(dtype)
    return TensorType(counted.shape, target), {**attributes, "dtype": target}


def _count(x: Array, axis: tuple[int, ...], keepdims: bool, dtype: DType) -> Array:
    return np.asarray(total((x != 0).astype(np.int64), axis, keepdims)).astype(dtype)


declare(
    "tf.math.count_nonzero",
    _count_type,
    forward=_count,
    domains=(),
    dtypes=ANY,
    moves=True,
    samples=(*SAMPLES, sample(np.array([[0, 1], [0, 0]]), axis=0, dtype=DTYPES["float32"])),
    convention="an integer: not connected",
)


def _fraction_type(value: Tensor, name: str | None = None) -> Typed:
    return TensorType((), DTYPES["float32"]), {}


declare(
    "tf.math.zero_fraction",
    _fraction_type,
    aliases=("tf.nn.zero_fraction",),
    forward=lambda x: np.float32(x.size - np.count_nonzero(x)) / np.float32(x.size),
    domains=(),
    dtypes=ANY,
    moves=True,
    samples=(sample((2, 3)), sample(np.array([[0, 1], [0, 0]])), sample(()), sample((0, 2))),
    convention="piecewise constant: not connected; NaN of nothing",
)


def _position_type(
    input: Tensor,  # noqa: A002  # TensorFlow's name
    axis: Any = None,
    output_type: Any = DTYPES["int64"],
    name: str | None = None,
) -> Typed:
    at = one_axis(0 if axis is None else axis, input.ndim)
    target = as_dtype(output_type)
    if target.name not in ("int16", "uint16", "int32", "int64"):
        raise OpError(f"a position is of type int16, uint16, int32 or int64, not {target.name}", argument="output_type")
    if input.shape[at] == 0:
        raise OpError(f"axis {at} of {list(input.shape)} is empty: there is no position in it", argument="axis")
    return TensorType(reduced(input.shape, [at], keepdims=False), target), {"axis": at, "output_type": target}


def _position(name: str, find: Any, last: float) -> None:
    def forward(x: Array, axis: int, output_type: DType) -> Array:
        ranked = np.where(np.isnan(x), x.dtype.type(last), x) if is_float(x.dtype) else x
        return np.asarray(find(ranked, axis)).astype(output_type)

    declare(
        f"tf.{name}",
        _position_type,
        aliases=(f"tf.math.{name}",),
        forward=forward,
        domains=(),
        dtypes=(*REALS, BOOL),
        kink=lambda x, axis, output_type: _lead(x, (axis,), -1 if last < 0 else 1),
        samples=(
            sample((2, 3)),
            sample((2, 3), axis=1),
            sample((2, 3, 2), axis=-2, output_type=DTYPES["int32"]),
            sample((0, 3), axis=1),
            sample(np.array([1, 3, 3, 1])),
        ),
        convention="an integer: not connected; the first of equals, and a NaN is passed over",
    )


_position("argmax", np.argmax, -np.inf)
_position("argmin", np.argmin, np.inf)
