"""The gamma function's logarithm, its derivatives, the Hurwitz zeta function, and the logarithm of beta functions."""

from __future__ import annotations

import numpy as np

from gradcheck.dtypes import FLOAT16, FLOAT32, FLOAT64, Array
from gradcheck.ops.declaration import POSITIVE, OpError, compose, declare, sample
from gradcheck.ops.math.library import Forward, in_float64, scipy_special
from gradcheck.ops.shapes import elementwise
from gradcheck.ops.vocabulary import tf
from gradcheck.tensors import Tensor

WIDE = (FLOAT32, FLOAT64)


def _lgamma_vjp(g: Tensor, y: Tensor, x: Tensor) -> Tensor:
    if x.dtype == FLOAT16:  # which the derivatives of digamma do not take
        narrow: Tensor = g * tf.cast(tf.math.digamma(tf.cast(x, FLOAT32)), FLOAT16)
        return narrow
    slope: Tensor = g * tf.math.digamma(x)
    return slope


declare(
    "tf.math.lgamma",
    elementwise("x"),
    forward=scipy_special("gammaln"),
    vjp=(_lgamma_vjp,),
    domains=(POSITIVE,),
    dtypes=(FLOAT16, *WIDE),
    samples=(sample((2, 3)), sample(np.array([-2.5, -0.25, 12.0, 1e3])), sample((0, 3))),
    source="d log |gamma(x)| = digamma(x) dx",
    convention="infinite at 0, -1, -2, ..., where the gradient is NaN; in float16 the gradient is made in float32",
)

_psi = scipy_special("digamma")


def _parted(inside: Array, first: Forward, otherwise: Forward, *arrays: Array) -> Array:
    """`first` of the elements that are `inside`, `otherwise` of the others, each of its own alone: they are slow."""
    if np.all(inside):
        return first(*arrays)
    if not np.any(inside):
        return otherwise(*arrays)
    spread = np.broadcast_arrays(inside, *arrays)
    result = np.empty(spread[0].shape)
    for mask, function in ((spread[0], first), (~spread[0], otherwise)):
        result[mask] = function(*(each[mask] for each in spread[1:]))
    return result


def _from_pole(x: Array) -> Array:
    """How far x is from the nearest integer: exact, which pi x is not."""
    return x - np.rint(x)


def _digamma_below(x: Array) -> Array:
    from_pole = _from_pole(x)
    return np.where(from_pole == 0, np.nan, _psi(1 - x) - np.pi / np.tan(np.pi * from_pole))


@in_float64
def _digamma(x: Array) -> Array:
    return _parted(x <= 0, _digamma_below, _psi, x)


declare(
    "tf.math.digamma",
    elementwise("x"),
    forward=_digamma,
    vjp=(lambda g, y, x: g * tf.math.polygamma(tf.ones_like(x), x),),
    domains=(POSITIVE,),
    dtypes=WIDE,
    samples=(sample((2, 3)), sample(np.array([-2.5, -0.25, 12.0, 1e3])), sample((0, 3))),
    source="the first of the polygammas",
    convention="NaN at 0, -1, -2, ..., where the gradient is infinite",
)

_hurwitz, _gamma = scipy_special("zeta"), scipy_special("gamma")


def _zeta_below(x: Array, q: Array) -> Array:
    """The sum over all integers k, which does not change when q does by 1, less the terms of k < 0.

    SciPy would add as many terms as q is below 0.
    """
    even = np.where(x % 2 == 0, 1.0, -1.0)
    up, down = q - np.floor(q), np.ceil(q) - q
    reflected = _hurwitz(x, up) + even * (_hurwitz(x, down) - _hurwitz(x, 1 - q))
    pole = np.where(even > 0, np.inf, np.nan)
    below = np.where(x != np.floor(x), np.nan, np.where(up == 0, pole, reflected))
    return np.where(np.isnan(q), q, below)


@in_float64
def _zeta(x: Array, q: Array) -> Array:
    """The sum of (q + k)^-x over k = 0, 1, 2, ..."""
    found = _parted(q > 0, _hurwitz, _zeta_below, x, q)
    return np.where(x == 1, np.inf, np.where(x < 1, np.nan, found))


declare(
    "tf.math.zeta",
    elementwise("x", "q"),
    forward=_zeta,
    vjp=(None, lambda g, y, x, q: g * -x * tf.math.zeta(x + 1.0, q)),
    domains=(POSITIVE,),
    dtypes=WIDE,
    rounding=lambda x, q: np.abs(q * x * _zeta(x + 1, q)),  # of q alone: a moved x may no longer be an integer
    samples=(
        sample(np.array([1.5, 2.0, 4.25]), (2, 3)),
        sample(np.array([2.0, 3.0, 4.0]), np.array([-0.5, -1.25, -2.5])),
        sample(np.array(9.0), np.array([1.25, 3.0, 40.0])),
        sample((0, 3), (3,)),
    ),
    source="d zeta(x, q) = -x zeta(x + 1, q) dq",
    convention="no gradient for x, so that second derivatives leave out what its change does to the slope; infinite at "
    "x = 1, NaN below; at q = 0, -1, -2, ... infinite for an even x and else NaN; below 0 NaN unless x is an integer",
)


# The Bernoulli numbers B_20, B_18, ..., B_2.
BERNOULLI = (-174611 / 330, 43867 / 798, -3617 / 510, 7 / 6, -691 / 2730, 5 / 66, -1 / 30, 1 / 42, -1 / 30, 1 / 6)
FAR = 9
"""From here on the asymptotic series of the trigamma function is good to float64."""


def _trigamma_above(x: Array) -> Array:
    """For x > 0 by the recurrence psi'(x) = 1 / x^2 + psi'(x + 1) up to the series of DLMF 5.15.8."""
    far = x + FAR
    square = far * far
    series = np.zeros_like(x)
    for each in BERNOULLI:  # in place: what large arrays cost is the memory of new ones
        series += each
        series /= square
    terms, term = np.zeros_like(x), np.empty_like(x)
    for at in reversed(range(FAR)):
        np.add(x, at, out=term)
        term *= term
        terms += np.divide(1, term, out=term)
    total: Array = terms + (1 + 0.5 / far + series) / far
    return total


def _trigamma_below(x: Array) -> Array:
    """By reflection: DLMF 5.15.6."""
    return (np.pi / np.sin(np.pi * _from_pole(x))) ** 2 - _trigamma_above(1 - x)


@in_float64
def _trigamma(x: Array) -> Array:
    return _parted(x <= 0, _trigamma_below, _trigamma_above, x)


def _higher(a: Array, x: Array) -> Array:
    return np.where(a % 2 == 0, -1.0, 1.0) * _gamma(a + 1) * _zeta(a + 1, x)


@in_float64
def _polygamma(a: Array, x: Array) -> Array:
    def but_trigamma(a: Array, x: Array) -> Array:
        return _parted(a == 0, lambda _, x: _digamma(x), _higher, a, x)

    found = _parted(a == 1, lambda _, x: _trigamma(x), but_trigamma, a, x)
    return np.where((a == np.floor(a)) & (a >= 0), found, np.nan)


declare(
    "tf.math.polygamma",
    elementwise("a", "x"),
    forward=_polygamma,
    vjp=(None, lambda g, y, a, x: g * tf.math.polygamma(a + 1.0, x)),
    domains=(POSITIVE,),
    dtypes=WIDE,
    rounding=lambda a, x: np.abs(x * _polygamma(a + 1, x)),
    samples=(
        sample(np.array([0.0, 1.0, 3.0]), (2, 3)),
        sample(np.array([0.0, 1.0, 2.0]), np.array([-0.5, -1.25, -2.5])),
        sample(np.array(2.0), ()),
        sample((0, 3), (3,)),
    ),
    source="its definition: each is the derivative of the one before (DLMF 5.15, 25.11.12)",
    convention="no gradient for the order `a`, and NaN unless it is 0, 1, 2, ...; at x = 0, -1, -2, ... infinite for "
    "an odd order and else NaN",
)


@compose(
    "tf.math.lbeta",
    domains=(POSITIVE,),
    dtypes=(FLOAT16, *WIDE),
    samples=(sample((2, 3)), sample((4,)), sample((2, 1)), sample((0, 3))),
    convention="minus infinity where the last axis is empty",
)
def _lbeta(x: Tensor, name: str | None = None) -> Tensor:
    if x.ndim == 0:
        raise OpError("`tf.math.lbeta` needs at least one axis, not a scalar", argument="x")
    beta: Tensor = tf.reduce_sum(tf.math.lgamma(x), axis=-1) - tf.math.lgamma(tf.reduce_sum(x, axis=-1))
    return beta
