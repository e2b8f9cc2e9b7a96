"""Products and quotients with a chosen answer at 0, and the error function."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradcheck.dtypes import FLOAT64, FLOATS, Array
from gradcheck.ops.declaration import INEXACT, NUMERIC, POSITIVE, REAL, Interval, compose, declare, sample
from gradcheck.ops.math.library import Forward, in_float64, scipy_special
from gradcheck.ops.shapes import conj, elementwise, quotient_dtype
from gradcheck.ops.vocabulary import tf
from gradcheck.tensors import Tensor

NONZERO = Interval(0.5, 3.0)


@compose("tf.divide", aliases=("tf.math.divide",), domains=(REAL, NONZERO), dtypes=NUMERIC)
def _divide(x: Tensor, y: Tensor, name: str | None = None) -> Tensor:
    quotient: Tensor = tf.truediv(x, y)
    return quotient


def _divide_no_nan(x: Array, y: Array) -> Array:
    x, y = x.astype(quotient_dtype(x.dtype), copy=False), y.astype(quotient_dtype(y.dtype), copy=False)
    return np.where(y == 0, 0, x / y)


declare(
    "tf.math.divide_no_nan",
    elementwise("x", "y", result=quotient_dtype),
    forward=_divide_no_nan,
    vjp=(
        lambda g, z, x, y: tf.math.divide_no_nan(g, conj(y)),
        lambda g, z, x, y: g * conj(tf.math.divide_no_nan(tf.math.divide_no_nan(-x, y), y)),
    ),
    domains=(REAL, NONZERO),
    dtypes=NUMERIC,
    source="d(x / y) = dx / y - x / y^2 dy",
    convention="0 where y = 0, for the value and for both gradients",
)
declare(
    "tf.math.multiply_no_nan",
    elementwise("x", "y"),
    forward=lambda x, y: np.where(y == 0, 0, x * y),
    vjp=(
        lambda g, z, x, y: tf.math.multiply_no_nan(g, conj(y)),
        lambda g, z, x, y: tf.math.multiply_no_nan(conj(x), g),
    ),
    domains=(REAL, REAL),
    dtypes=INEXACT,
    errata=("complex",),
    source="d(x y) = y dx + x dy, in the same product",
    convention="0 where y = 0, even if x is not finite; where the cotangent is 0, so is the gradient of y; TensorFlow "
    "leaves out the conjugates",
)


@compose(
    "tf.math.reciprocal_no_nan",
    domains=(NONZERO,),
    dtypes=INEXACT,
    convention="0 at 0, for the value and the gradient",
)
def _reciprocal_no_nan(x: Tensor, name: str | None = None) -> Tensor:
    quotient: Tensor = tf.math.divide_no_nan(1, x)
    return quotient


def _nonzero(x: Tensor) -> Tensor:
    """1 where x is not 0, and 0 where it is: what the rules below have in the place of x."""
    ones: Tensor = tf.cast(tf.not_equal(x, 0), x.dtype)
    return ones


def _zero_first(name: str, forward: Any, domain: Interval, vjp: Any, source: str) -> None:
    declare(
        f"tf.math.{name}",
        elementwise("x", "y"),
        forward=lambda x, y: np.where(x == 0, 0, forward(x, y)),
        vjp=vjp,
        domains=(NONZERO, domain),
        dtypes=INEXACT,
        errata=("complex",),
        source=source,
        convention="0 where x = 0, for the value and for both gradients; TensorFlow leaves out the conjugates",
    )


_zero_first(
    "xlogy",
    lambda x, y: x * np.log(y),
    POSITIVE,
    (
        lambda g, z, x, y: g * conj(tf.math.xlogy(_nonzero(x), y)),
        lambda g, z, x, y: g * conj(tf.math.xdivy(x, y)),
    ),
    "d(x log y) = log(y) dx + x / y dy",
)
_zero_first(
    "xlog1py",
    lambda x, y: x * np.log1p(y),
    POSITIVE,
    (
        lambda g, z, x, y: g * conj(tf.math.xlog1py(_nonzero(x), y)),
        lambda g, z, x, y: g * conj(tf.math.xdivy(x, y + 1)),
    ),
    "d(x log(1 + y)) = log(1 + y) dx + x / (1 + y) dy",
)
_zero_first(
    "xdivy",
    np.divide,
    NONZERO,
    (
        lambda g, z, x, y: g * conj(tf.math.xdivy(_nonzero(x), y)),
        lambda g, z, x, y: g * conj(tf.math.xdivy(-x, tf.square(y))),
    ),
    "d(x / y) = dx / y - x / y^2 dy",
)

# 2 / sqrt(pi) (-1)^n / (n! (2 n + 1)), highest power of x^2 first (DLMF 7.6.1), less the 1 of erf(x) = x + x (...).
SERIES = [2 / math.sqrt(math.pi) * (-1) ** n / (math.factorial(n) * (2 * n + 1)) for n in range(19)][::-1]
SERIES[-1] = 0.12837916709551257390
UNDERFLOW = 28.0
"""From here on erfc is 0 in float64."""
HALVES = 2.0**27 + 1


def _near(x: Array) -> Array:
    """erf(x) for |x| <= 1."""
    square = x * x
    total = np.full_like(x, SERIES[0])
    for each in SERIES[1:]:
        total *= square  # in place: what large arrays cost is the memory of new ones
        total += each
    result: Array = x + x * total
    return result


def _complement(x: Array) -> Array:
    """erfc(x) for 0.5 <= x <= UNDERFLOW."""
    from scipy.special import erfcx  # it takes longer to start than all the rest

    # exp would turn the rounding error of a large square into a relative one, so that error is found (Dekker 1971).
    square = x * x
    high = HALVES * x - (HALVES * x - x)
    low = x - high
    error = ((high * high - square) + 2 * high * low) + low * low
    bell = np.exp(-square)
    result: Array = (bell - bell * error) * erfcx(x)
    return result


def _erf(x: Array) -> Array:
    size = np.abs(x)
    near, far = size <= 1, size > 1
    result = np.full_like(x, np.nan)
    result[near] = _near(x[near])
    result[far] = np.copysign(1 - _complement(np.minimum(size[far], UNDERFLOW)), x[far])
    return result


def _erfc(x: Array) -> Array:
    left, near, right = x < -1, (x >= -1) & (x <= 0.5), x > 0.5
    result = np.full_like(x, np.nan)
    result[left] = 2 - _complement(np.minimum(-x[left], UNDERFLOW))
    result[near] = 1 - _near(x[near])
    result[right] = _complement(np.minimum(x[right], UNDERFLOW))
    return result


def _precise(name: str, function: Forward) -> Forward:
    """SciPy's function of that name, whose roundings in float64 no narrower dtype shows; in float64 `function`."""
    quick, precise = scipy_special(name), in_float64(function)
    return lambda x: (quick if x.dtype.itemsize < FLOAT64.itemsize else precise)(x)


def _bell(x: Tensor) -> Tensor:
    bell: Tensor = tf.exp(-tf.square(x))
    return bell


declare(
    "tf.math.erf",
    elementwise("x"),
    forward=_precise("erf", _erf),
    vjp=(lambda g, y, x: g * (2 / np.sqrt(np.pi)) * _bell(x),),
    domains=(REAL,),
    dtypes=FLOATS,
    samples=(sample((2, 3)), sample(()), sample((0, 3)), sample(np.array([-30.0, -5.0, -1.0, 0.0, 0.3, 2.0, 4.5]))),
    source="d erf(x) = 2 / sqrt(pi) exp(-x^2) dx",
    convention="-1 and 1 at the infinities, where TensorFlow has NaN in float64",
)
declare(
    "tf.math.erfc",
    elementwise("x"),
    forward=_precise("erfc", _erfc),
    vjp=(lambda g, y, x: g * (-2 / np.sqrt(np.pi)) * _bell(x),),
    domains=(REAL,),
    dtypes=FLOATS,
    samples=(sample((2, 3)), sample(()), sample((0, 3)), sample(np.array([-30.0, -5.0, -1.0, 0.0, 0.3, 2.0, 4.5]))),
    source="d erfc(x) = -2 / sqrt(pi) exp(-x^2) dx",
)
