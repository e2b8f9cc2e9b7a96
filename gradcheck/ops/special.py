"""Products and quotients with a chosen answer at 0, and the error function."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.ops.declaration import FLOATS, INEXACT, NUMERIC, POSITIVE, REAL, Interval, compose, declare, sample
from gradcheck.ops.shapes import conj, elementwise, quotient_dtype
from gradcheck.ops.vocabulary import tf
from gradcheck.program import Array
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

# W. J. Cody, "Rational Chebyshev approximations for the error function", Math. Comp. 23 (1969): numerator and
# denominator, highest power first, of erf(x) / x in x^2, of exp(x^2) erfc(x) in x, and of its tail in 1 / x^2.
NEAR = (
    (1.85777706184603153e-1, 3.16112374387056560, 1.13864154151050156e2, 3.77485237685302021e2, 3.20937758913846947e3),
    (1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3),
)
MIDDLE = (
    (
        *(2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594, 6.61191906371416295e1),
        *(2.98635138197400131e2, 8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3),
        1.23033935479799725e3,
    ),
    (
        *(1.0, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3),
        *(3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3),
    ),
)
FAR = (
    (
        *(1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1),
        *(1.60837851487422766e-2, 6.58749161529837803e-4),
    ),
    (
        *(1.0, 2.56852019228982242, 1.87295284992346047, 5.27905102951428412e-1),
        *(6.05183413124413191e-2, 2.33520497626869185e-3),
    ),
)
NEAR_END, MIDDLE_END = 0.46875, 4.0
UNDERFLOW = 27.0
"""From here on erfc is 0 in float64."""


def _ratio(table: tuple[tuple[float, ...], tuple[float, ...]], t: Array) -> Array:
    numerator, denominator = table
    above, below = np.full_like(t, numerator[0]), np.full_like(t, denominator[0])
    for a, b in zip(numerator[1:], denominator[1:], strict=True):
        above = above * t + a
        below = below * t + b
    return above / below


def _complement(x: Array) -> Array:
    """erfc(x) for float64 x > NEAR_END."""
    near = x <= MIDDLE_END
    scaled = np.empty_like(x)
    scaled[near] = _ratio(MIDDLE, x[near])
    far = x[~near]
    inverse = 1 / (far * far)
    scaled[~near] = (1 / np.sqrt(np.pi) - inverse * _ratio(FAR, inverse)) / far
    head = np.trunc(x * 16) / 16  # its square is exact, so that exp loses nothing of a large x^2
    return np.exp(-head * head) * np.exp(-(x - head) * (x + head)) * scaled


def _error_function(x: Array, complement: bool) -> Array:
    flat = np.asarray(x, np.float64).reshape(-1)
    size = np.abs(flat)
    result = np.full_like(flat, np.nan)
    near = size <= NEAR_END
    small = flat[near]
    small = small * _ratio(NEAR, small * small)
    result[near] = 1 - small if complement else small
    away = size > NEAR_END
    rest = _complement(np.minimum(size[away], UNDERFLOW))
    negative = flat[away] < 0
    if complement:
        result[away] = np.where(negative, 2 - rest, rest)
    else:
        result[away] = np.where(negative, rest - 1, 1 - rest)
    return result.reshape(x.shape).astype(x.dtype)


def _bell(x: Tensor) -> Tensor:
    bell: Tensor = tf.exp(-tf.square(x))
    return bell


declare(
    "tf.math.erf",
    elementwise("x"),
    forward=lambda x: _error_function(x, complement=False),
    vjp=(lambda g, y, x: g * (2 / np.sqrt(np.pi)) * _bell(x),),
    domains=(REAL,),
    dtypes=FLOATS,
    samples=(sample((2, 3)), sample(()), sample((0, 3)), sample(np.array([-30.0, -5.0, -1.0, 0.0, 0.3, 2.0, 4.5]))),
    source="d erf(x) = 2 / sqrt(pi) exp(-x^2) dx",
)
declare(
    "tf.math.erfc",
    elementwise("x"),
    forward=lambda x: _error_function(x, complement=True),
    vjp=(lambda g, y, x: g * (-2 / np.sqrt(np.pi)) * _bell(x),),
    domains=(REAL,),
    dtypes=FLOATS,
    samples=(sample((2, 3)), sample(()), sample((0, 3)), sample(np.array([-30.0, -5.0, -1.0, 0.0, 0.3, 2.0, 4.5]))),
    source="d erfc(x) = -2 / sqrt(pi) exp(-x^2) dx",
)
