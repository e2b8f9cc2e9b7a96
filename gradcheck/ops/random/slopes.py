"""How a number drawn from the gamma distribution moves with the shape of the distribution.

If P(a, x) is the distribution function and p(a, x) its density, x moves so that P keeps its value: dx / da = -P_a / p
(Figurnov et al. 2018, Implicit reparameterization gradients). Divided by p, the incomplete integrals of t^(a-1) exp(-t)
are smooth: the lower one with t = x exp(-v) and the upper one with t = x + s are summed by the rule of Gauss and
Legendre, and for x < 1 the lower one as a power series (DLMF 8.7.1). A derivative by a puts log(t) - digamma(a) under
the integral, a second one the square of that less trigamma(a).
"""

from __future__ import annotations

from functools import cache

import numpy as np

from gradcheck.dtypes import Array

TERMS = 20
"""Terms of the power series; with x < 1 the next is below 1e-18 of the sum."""
POINTS = 80
DEPTH = 42.0
"""The integrals end where what is under them is below exp(-42) of what it begins with."""


def slope(a: Array, x: Array) -> Array:
    """-P_a / p in float64; 0 at the ends, where x or a is infinite or x is 0, and NaN outside of them."""
    return _over_density(a, x, 1)


def bend(a: Array, x: Array) -> Array:
    """-P_aa / p in float64, with the ends as in `slope`."""
    return _over_density(a, x, 2)


def _over_density(a: Array, x: Array, order: int) -> Array:
    a, x = np.broadcast_arrays(np.asarray(a, np.float64), np.asarray(x, np.float64))
    end = ((a >= 0) & (x == 0)) | ((a > 0) & (x == np.inf)) | ((a == np.inf) & (x >= 0))
    result = np.where(end, 0.0, np.nan)
    inside = (a > 0) & (x > 0) & ~end
    for region, formula in ((x < 1, _series), ((x >= 1) & (x <= a), _lower), ((x >= 1) & (x > a), _upper)):
        here = inside & region
        if here.any():
            result[here] = formula(a[here], x[here], order)
    return result


def _series(a: Array, x: Array, order: int) -> Array:
    """By P / p = x / a times the sum of x^n / ((a + 1) ... (a + n)), whose terms are differentiated one by one."""
    from scipy.special import digamma, polygamma

    term = np.ones_like(a)
    total, first, second = np.ones_like(a), np.zeros_like(a), np.zeros_like(a)
    harmonic, squares = np.zeros_like(a), np.zeros_like(a)
    for n in range(1, TERMS + 1):
        inverse = 1 / (a + n)
        term, harmonic, squares = term * (x * inverse), harmonic + inverse, squares + inverse * inverse
        total = total + term
        first = first - term * harmonic
        second = second + term * (harmonic * harmonic + squares)
    outside = np.log(x) - digamma(a + 1)
    if order == 1:
        summed = total * outside + first
    else:
        summed = total * (outside * outside - polygamma(1, a + 1)) + 2 * outside * first + second
    found: Array = -x / a * summed
    return found


def _lower(a: Array, x: Array, order: int) -> Array:
    """For 1 <= x <= a."""
    half = a - x - DEPTH / 2
    at, weights = _rule((np.sqrt(half * half + 2 * DEPTH * a) - half) / a)
    a, x = a[:, np.newaxis], x[:, np.newaxis]
    under = np.exp(-a * at - x * np.expm1(-at)) * _factor(a, np.log(x) - at, order)
    found: Array = -x[:, 0] * (under * weights).sum(1)
    return found


def _upper(a: Array, x: Array, order: int) -> Array:
    """For x >= 1 and x > a."""
    above = np.maximum(a - 1, 0)
    rest, half = 2 * (x - above) + above, x - above - DEPTH
    end = np.where(a > 1, x * (np.sqrt(half * half + 2 * DEPTH * rest) - half) / rest, DEPTH)
    at, weights = _rule(end)
    a, x = a[:, np.newaxis], x[:, np.newaxis]
    under = np.exp((a - 1) * np.log1p(at / x) - at) * _factor(a, np.log(x + at), order)
    found: Array = (under * weights).sum(1)
    return found


def _factor(a: Array, logarithm: Array, order: int) -> Array:
    from scipy.special import digamma, polygamma

    outside = logarithm - digamma(a)
    found: Array = outside if order == 1 else outside * outside - polygamma(1, a)
    return found


def _rule(end: Array) -> tuple[Array, Array]:
    """Points from 0 to `end`, and their weights, along a second axis."""
    points, weights = _legendre()
    half = end[:, np.newaxis] / 2
    return half * (1 + points), half * weights


@cache
def _legendre() -> tuple[Array, Array]:
    """The rule on [-1, 1]: the zeros of a Legendre polynomial by Newton's method, in the widest dtype there is."""
    places = np.arange(POINTS, dtype=np.longdouble)
    at = np.cos(np.pi * (places + 0.75) / (POINTS + 0.5))
    for _ in range(6):
        before, value = np.ones_like(at), at
        for n in range(2, POINTS + 1):
            before, value = value, ((2 * n - 1) * at * value - (n - 1) * before) / n
        rise = POINTS * (at * value - before) / (at * at - 1)
        at = at - value / rise
    return at.astype(np.float64), (2 / ((1 - at * at) * rise * rise)).astype(np.float64)
