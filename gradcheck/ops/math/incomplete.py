"""The regularised incomplete gamma and beta functions."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from gradcheck.dtypes import FLOAT32, FLOAT64, Array
from gradcheck.ops.batching import aligned
from gradcheck.ops.declaration import POSITIVE, Interval, Op, OpError, Rule, conceal, declare, sample
from gradcheck.ops.math.incomplete_derivative import bell, derivative
from gradcheck.ops.math.library import Forward, in_float64, scipy_special
from gradcheck.ops.shapes import Typed, as_int, broadcast, elementwise
from gradcheck.ops.vocabulary import tf
from gradcheck.program import TensorType
from gradcheck.tensors import Tensor

WIDE = (FLOAT32, FLOAT64)


def _terms(a: Array, x: Array) -> Array:
    """The magnitude of a log(x) - x - log gamma(a), whose rounding its exponential makes a relative error."""
    from scipy import special

    a, x = np.asarray(a, np.float64), np.asarray(x, np.float64)
    size = 1 + np.abs(special.xlogy(a, x)) + x + np.abs(special.gammaln(a))
    return np.where(np.isfinite(size), size, 0)


def _density(a: Tensor, x: Tensor) -> Tensor:
    """The slope of P(a, x) in x. The logarithms are added up first, because the gamma function overflows."""
    density: Tensor = tf.exp(tf.math.xlogy(a - 1.0, x) - x - tf.math.lgamma(a))
    return density


def _by_parameter_type(a: Tensor, x: Tensor, order: Any) -> Typed:
    return TensorType(broadcast(a.shape, x.shape), a.dtype), {"order": as_int(order, "order")}


def _by_parameter(a: Array, x: Array, order: int) -> Array:
    return in_float64(partial(derivative, order=order))(a, x)


def _density_by_parameter(a: Tensor, x: Tensor, order: int) -> Tensor:
    """The derivative of the density by a, of this order."""
    higher = [-tf.math.polygamma(tf.fill(a.shape, float(each)), a) for each in range(1, order)]
    derived: Tensor = _density(a, x) * bell([tf.math.log(x) - tf.math.digamma(a), *higher], order)
    return derived


BY_PARAMETER: Op = conceal(
    Op(
        name="igamma.by_parameter",
        function=_by_parameter_type,
        family="incomplete",
        domains=(POSITIVE, POSITIVE),
        forward=_by_parameter,
        vjp=(
            lambda g, y, a, x, order: g * BY_PARAMETER(a, x, order + 1),
            lambda g, y, a, x, order: g * _density_by_parameter(a, x, order),
        ),
        dtypes=WIDE,
        # TensorFlow's is off by hundreds of units where x is a little above 1.
        rounding=lambda a, x, order: 16 * _terms(a, x) * np.abs(derivative(a, x, order)),
        batching=aligned,
        source="the derivative of P(a, x) by a, of this order",
    )
)


def _incomplete(name: str, forward: Forward, rules: tuple[Rule, Rule], rounding: Forward, convention: str) -> None:
    declare(
        f"tf.math.{name}",
        elementwise("a", "x"),
        forward=forward,
        vjp=rules,
        domains=(POSITIVE, POSITIVE),
        dtypes=WIDE,
        rounding=rounding,
        samples=(
            sample((2, 3), (2, 3)),
            sample((2, 1), (3,)),
            sample(np.array([0.125, 2.0, 30.0, 60.0]), np.array([0.5, 9.0, 25.0, 70.0])),
            sample((3,), (0, 3)),
        ),
        source="the density x^(a-1) exp(-x) / gamma(a) by x; by a an integral of it, differentiated under the sign",
        convention=f"{convention}; by `a` TensorFlow has no second derivative",
    )


_lower, _upper = scipy_special("gammainc"), scipy_special("gammaincc")


@in_float64
def _igamma(a: Array, x: Array) -> Array:
    return np.where((a > 0) | (x == 0), np.where(x == 0, 0, _lower(a, x)), np.nan)


@in_float64
def _igammac(a: Array, x: Array) -> Array:
    return np.where(a > 0, _upper(a, x), np.nan)


def _igammac_rounding(a: Array, x: Array) -> Array:
    """For small x and left of a TensorFlow takes the other function away from 1, or loses as much in a fraction."""
    size = np.where(x < np.maximum(a, 1) + 1, 1, _igammac(a, x))
    return 4 * _terms(a, x) * size


_incomplete(
    "igamma",
    _igamma,
    (lambda g, y, a, x: g * BY_PARAMETER(a, x, 1), lambda g, y, a, x: g * _density(a, x)),
    lambda a, x: 2 * _terms(a, x) * _igamma(a, x),
    "0 at x = 0, and NaN for a <= 0",
)
_incomplete(
    "igammac",
    _igammac,
    (lambda g, y, a, x: -g * BY_PARAMETER(a, x, 1), lambda g, y, a, x: -g * _density(a, x)),
    _igammac_rounding,
    "1 at x = 0, and NaN for a <= 0",
)


def _betainc_type(a: Tensor, b: Tensor, x: Tensor, name: str | None = None) -> Typed:
    shapes = [each.shape for each in (a, b, x) if each.ndim]
    for parameter, each in (("b", b), ("x", x)):
        if each.ndim and each.shape != shapes[0]:
            raise OpError(
                f"`tf.math.betainc` broadcasts scalars alone: `{parameter}` has the shape {list(each.shape)} "
                f"beside {list(shapes[0])}",
                argument=parameter,
            )
    return TensorType(shapes[0] if shapes else (), a.dtype), {}


_beta_share = scipy_special("betainc")


@in_float64
def _betainc(a: Array, b: Array, x: Array) -> Array:
    inside = (a > 0) & (b > 0) & (a < np.inf) & (b < np.inf)
    return np.where(inside, _beta_share(a, b, x), np.nan)


def _betainc_vjp(g: Tensor, y: Tensor, a: Tensor, b: Tensor, x: Tensor) -> Tensor:
    log_beta = tf.math.lgamma(a) + tf.math.lgamma(b) - tf.math.lgamma(a + b)
    slope: Tensor = g * tf.exp(tf.math.xlog1py(b - 1.0, -x) + tf.math.xlogy(a - 1.0, x) - log_beta)
    return slope


declare(
    "tf.math.betainc",
    _betainc_type,
    forward=_betainc,
    vjp=(None, None, _betainc_vjp),
    domains=(Interval(0.05, 0.95),),
    dtypes=WIDE,
    samples=(
        sample(np.array([0.5, 2.0, 7.5]), np.array([1.5, 0.75, 3.0]), (3,)),
        sample(np.array(2.5), np.array(0.5), (2, 3)),
        sample(np.array([0.5, 2.0]), np.array(3.0), ()),
        sample((0, 3), (0, 3), (0, 3)),
    ),
    source="the density x^(a-1) (1-x)^(b-1) / B(a, b)",
    convention="no gradient for `a` and `b`, though the density's own gradient has one; NaN unless a, b > 0",
)
