"""The derivatives of the regularised incomplete gamma function P(a, x) by its parameter a.

P is the integral of x^a exp(a w - x exp(w)) / gamma(a) over w from minus infinity to 0, and 1 less that over the
positive w. A derivative by a puts a polynomial in log(x) + w and in the polygammas of a under the integral. That of
the first derivative, log(x) + w - digamma(a), changes its sign once, so that on one side of w = 0 nothing cancels:
below if log(x) < digamma(a), above otherwise. The integral is taken there by the trapezoidal rule after the
substitution w = s exp(t - exp(-t)) (Takahasi and Mori 1974, Double exponential formulas for numerical integration).
For small a the lower side is summed as the power series (DLMF 8.7.1), again of terms of one sign.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import reduce
from operator import add
from typing import Any

import numpy as np

from gradcheck.dtypes import Array

LARGE = 20.0
"""From here on gamma(a) and digamma(a) are taken from Stirling's series, so that what is large cancels by hand."""
TERMS = 72
"""Terms of the power series; with a < LARGE and x < a + 1 the last is below 1e-17 of the sum."""
STEP = 1 / 16
NODES = np.arange(-3.75, 4.0, STEP)
"""Where the trapezoidal rule has its points; beyond, the integrand is below 1e-17 of the integral."""
STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156)
"""log gamma(a) = (a - 1/2) log a - a + log(2 pi) / 2 + these over a, a^3, a^5, ... (DLMF 5.11.1)."""


def derivative(a: Array, x: Array, order: int) -> Array:
    """The derivative of P(a, x) by a, of an order from 1 on, in float64; NaN where not a > 0 and x >= 0."""
    a, x = np.broadcast_arrays(np.asarray(a, np.float64), np.asarray(x, np.float64))
    inside = (a > 0) & (x > 0) & (a < np.inf) & (x < np.inf)
    result = np.where((a > 0) & (x >= 0), 0.0, np.nan)
    result[inside] = _inside(a[inside], x[inside], order)
    return result


def bell(cumulants: Sequence[Any], order: int) -> Any:
    """exp(-f) times the derivative of exp(f) of that order, for the derivatives `cumulants` of f: 1, 2, and so on.

    These are the complete Bell polynomials (Comtet 1974, section 3.3); the entries may be numbers, arrays or tensors.
    """
    found: list[Any] = [1.0, cumulants[0]]
    for n in range(1, order):
        found.append(reduce(add, [math.comb(n, j) * (found[n - j] * cumulants[j]) for j in range(n + 1)]))
    return found[order]


def _inside(a: Array, x: Array, order: int) -> Array:
    from scipy import special

    summed = (a < LARGE) & (np.log(x) < special.digamma(a + 1))
    result = np.empty_like(a)
    result[summed] = _series(a[summed], x[summed], order)
    result[~summed] = _integral(a[~summed], x[~summed], order)
    return result


def _series(a: Array, x: Array, order: int) -> Array:
    from scipy import special

    term = np.exp(a * np.log(x) - x - special.gammaln(a + 1))
    polygammas = [special.polygamma(j, a + 1) for j in range(order)]
    total = np.zeros_like(a)
    for n in range(1, TERMS + 1):
        total += term * bell([np.log(x) - polygammas[0], *[-each for each in polygammas[1:]]], order)
        term = term * (x / (a + n))
        polygammas = [each + (-1) ** j * math.factorial(j) / (a + n) ** (j + 1) for j, each in enumerate(polygammas)]
    return total


def _integral(a: Array, x: Array, order: int) -> Array:
    log_ratio = np.where(np.abs(x - a) < a / 2, np.log1p((x - a) / a), np.log(x / a))
    weight, cumulants = _factors(a, x, log_ratio, order)
    sign = np.where(cumulants[0] < 0, -1.0, 1.0)
    scale = sign / (np.abs(x - a) + np.sqrt(x))
    total = np.zeros_like(a)
    for t in NODES:
        w = scale * math.exp(t - math.exp(-t))
        integrand = np.exp(-(x - a) * w - x * _excess(w)) * _polynomial(a, [cumulants[0] + w, *cumulants[1:]], order)
        total += integrand * w * (1 + math.exp(-t))
    return np.where(weight > 0, -STEP * weight * total, 0)


def _factors(a: Array, x: Array, log_ratio: Array, order: int) -> tuple[Array, list[Array]]:
    """What stands before the integral, and what the polynomial is of at w = 0.

    For a < LARGE that is x^a exp(-x) / gamma(a + 1), with the factor a in the polynomial: the polygammas of a small a
    would cancel.
    """
    from scipy import special

    large = a >= LARGE
    safe = np.where(large, a, LARGE)
    inverse = 1 / safe
    square = inverse * inverse
    remainder = inverse * np.polyval(STIRLING[::-1], square)
    slopes = [(2 * j + 1) * each for j, each in enumerate(STIRLING)]
    digamma_gap = inverse / 2 + square * np.polyval(slopes[::-1], square)  # log(a) - digamma(a)
    stirling = np.sqrt(safe / (2 * np.pi)) * np.exp(-a * _excess(np.where(large, log_ratio, 0)) - remainder)
    weight = np.where(large, stirling, np.exp(a * np.log(x) - x - special.gammaln(a + 1)))
    above = np.where(large, a, a + 1)
    first = np.where(large, log_ratio + digamma_gap, np.log(x) - special.digamma(above))
    return weight, [first, *[-special.polygamma(j, above) for j in range(1, order)]]


def _polynomial(a: Array, cumulants: Sequence[Array], order: int) -> Array:
    plain: Array = bell(cumulants, order)
    return np.where(a >= LARGE, plain, a * plain + order * bell(cumulants, order - 1))


def _excess(w: Array) -> Array:
    """exp(w) - 1 - w, without the cancellation at 0."""
    near = np.where(np.abs(w) < 0.3, w, 0)
    series = np.polyval([1 / math.factorial(n) for n in range(16, 1, -1)], near) * near * near
    return np.where(near == w, series, np.expm1(w) - w)
