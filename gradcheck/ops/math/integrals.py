"""Integrals with names: Dawson's, the exponential, Fresnel's, and the dilogarithm."""

from __future__ import annotations

import math
from importlib import import_module

import numpy as np

from gradcheck.dtypes import FLOAT32, FLOAT64, Array
from gradcheck.ops.declaration import POSITIVE, REAL, Interval, Rule, declare, sample
from gradcheck.ops.math.library import Forward, in_float64, scipy_special
from gradcheck.ops.shapes import elementwise
from gradcheck.ops.vocabulary import tf
from gradcheck.tensors import Tensor

NEAR = 2.0**-20
"""How near to 1 the slope of `spence` is summed as a series; farther off TensorFlow's rounding is the quotient's."""
TERMS = 5
DAWSON = [(-2.0) ** n / math.prod(range(1, 2 * n + 2, 2)) for n in range(16)]
"""Of F(x) / x in x^2 (DLMF 7.6.3)."""


def _integral(name: str, forward: Forward, rule: Rule, domain: Interval, source: str, convention: str = "") -> None:
    declare(
        f"tf.math.special.{name}",
        elementwise("x"),
        forward=forward,
        vjp=(rule,),
        domains=(domain,),
        dtypes=(FLOAT32, FLOAT64),
        samples=(sample((2, 3)), sample(np.array([0.5, 0.96875, 2.75])), sample((0, 3))),
        source=source,
        convention=convention,
    )


def _fresnel(which: int) -> Forward:
    return in_float64(lambda x: import_module("scipy.special").fresnel(x)[which])


_scipy_dawsn, _ei = scipy_special("dawsn"), scipy_special("expi")


@in_float64
def _dawsn(x: Array) -> Array:
    """SciPy's loses digits near 0."""
    near = np.abs(x) <= 0.5
    small = np.where(near, x, 0)
    return np.where(near, small * np.polyval(DAWSON[::-1], small * small), _scipy_dawsn(x))


@in_float64
def _expint(x: Array) -> Array:
    return np.where(x < 0, np.nan, _ei(x))


def _spence_slope(x: Tensor) -> Tensor:
    """log(x) / (1 - x), near 1 by its series, so that its derivatives are right at 1, too."""
    distance = x - 1.0
    near = tf.abs(distance) <= NEAR
    close = tf.math.polyval([(-1) ** (n + 1) / (n + 1) for n in range(TERMS)][::-1], distance)
    apart = tf.where(near, 2.0, x)
    slope: Tensor = tf.where(near, close, tf.math.log(apart) / (1.0 - apart))
    return slope


_integral(
    "dawsn",
    _dawsn,
    lambda g, y, x: g * (1.0 - 2.0 * x * y),
    REAL,
    "F(x) = exp(-x^2) times the integral of exp(t^2) from 0: F' = 1 - 2 x F",
    "NaN at the infinities, where the value is 0",
)
_integral(
    "expint",
    _expint,
    lambda g, y, x: g * tf.exp(x) / x,
    POSITIVE,
    "the integrand exp(t) / t",
    "Ei(x) of positive numbers; minus infinity at 0 and NaN below, where the gradient is exp(x) / x all the same",
)
_integral(
    "fresnel_cos",
    _fresnel(1),
    lambda g, y, x: g * tf.cos((math.pi / 2) * tf.square(x)),
    REAL,
    "the integrand cos(pi t^2 / 2)",
)
_integral(
    "fresnel_sin",
    _fresnel(0),
    lambda g, y, x: g * tf.sin((math.pi / 2) * tf.square(x)),
    REAL,
    "the integrand sin(pi t^2 / 2)",
)
_integral(
    "spence",
    scipy_special("spence"),
    lambda g, y, x: g * _spence_slope(x),
    POSITIVE,
    "the integrand log(t) / (1 - t), from 1",
    "minus infinity at 0; -1 at 1, where TensorFlow has no second derivative",
)
