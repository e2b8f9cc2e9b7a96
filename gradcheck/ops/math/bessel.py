"""Bessel functions of the orders 0 and 1, and the modified ones, also scaled by an exponential."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradcheck.dtypes import FLOAT16, FLOAT32, FLOAT64
from gradcheck.ops.declaration import REAL, Interval, Rule, declare, sample
from gradcheck.ops.math.library import Forward, in_float64, scipy_special
from gradcheck.ops.shapes import elementwise
from gradcheck.ops.vocabulary import tf
from gradcheck.tensors import Tensor

RIGHT = Interval(0.5, 4.0)
"""For functions with a pole at 0."""
NEAR = 2.0**-20
"""How near to 0 a quotient is summed as a series; farther off TensorFlow's rounding is that of the division."""
TERMS = 5


def _over_argument(y: Tensor, x: Tensor, sign: int, scale: Any = 1.0) -> Tensor:
    """y / x for y = I1(x), or with the sign -1 J1(x), times `scale`.

    Near 0 it is the series in x^2 (DLMF 10.25.2 and 10.2.2), so that its derivatives are right at 0, too.
    """
    series = [0.5 * (sign / 4) ** n / (math.factorial(n) * math.factorial(n + 1)) for n in range(TERMS)]
    near = tf.abs(x) <= NEAR
    # Each side has a harmless argument where the other one is chosen: 0 times infinity would reach it.
    close = scale * tf.math.polyval(series[::-1], tf.square(tf.where(near, x, 1.0)))
    quotient: Tensor = tf.where(near, close, y / tf.where(near, 1.0, x))
    return quotient


def _i1e_vjp(g: Tensor, y: Tensor, x: Tensor) -> Tensor:
    over = _over_argument(y, x, 1, scale=tf.exp(-tf.abs(x)))
    slope: Tensor = g * (tf.math.bessel_i0e(x) - tf.sign(x) * y - over)
    return slope


def _or_pole(name: str, pole: float) -> Forward:
    """SciPy's function to the right of 0, and the limit at 0 everywhere else."""
    function = scipy_special(name)

    return in_float64(lambda x: np.where(x <= 0, pole, function(x)))


def _bessel(name: str, rule: Rule, source: str, *, pole: float | None = None, **details: Any) -> None:
    modified = f"tf.math.bessel_{name}"
    special = f"tf.math.special.bessel_{name}"
    declare(
        modified if name.startswith("i") else special,
        elementwise("x"),
        aliases=(special,) if name.startswith("i") else (),
        forward=scipy_special(name) if pole is None else _or_pole(name, pole),
        vjp=(rule,),
        domains=(REAL if pole is None else RIGHT,),
        dtypes=(FLOAT16, FLOAT32, FLOAT64),
        samples=(sample((2, 3)), sample(np.array([0.75, 2.5, 9.0])), sample((0, 3))),
        source=f"{source} (DLMF {'10.6' if name[0] in 'jy' else '10.29'})",
        **details,
    )


_bessel("i0", lambda g, y, x: g * tf.math.bessel_i1(x), "I0' = I1")
_bessel(
    "i0e",
    lambda g, y, x: g * (tf.math.bessel_i1e(x) - tf.sign(x) * y),
    "(exp(-|x|) I0)' = exp(-|x|) (I1 - sign(x) I0)",
    kink=np.abs,
    convention="0 at 0, between the slopes 1 and -1 of its two sides",
)
_bessel(
    "i1",
    lambda g, y, x: g * (tf.math.bessel_i0(x) - _over_argument(y, x, 1)),
    "I1' = I0 - I1 / x",
    convention="0.5 at 0; TensorFlow has 1 there, and so 1 for the second derivative of I0, and NaN for that of I1",
)
_bessel(
    "i1e",
    _i1e_vjp,
    "(exp(-|x|) I1)' = exp(-|x|) (I0 - I1 / x - sign(x) I1)",
    convention="0.5 at 0, and as the second derivative 0, between those of its two sides; TensorFlow's is NaN",
)
_bessel("j0", lambda g, y, x: -g * tf.math.special.bessel_j1(x), "J0' = -J1")
_bessel(
    "j1",
    lambda g, y, x: g * (tf.math.special.bessel_j0(x) - _over_argument(y, x, -1)),
    "J1' = J0 - J1 / x",
    convention="0.5 at 0; TensorFlow has no second derivative there",
)

BELOW = "and below, where TensorFlow has no NaN"
_bessel(
    "k0",
    lambda g, y, x: -g * tf.math.special.bessel_k1(x),
    "K0' = -K1",
    pole=np.inf,
    convention=f"infinite at 0 {BELOW}",
)
_bessel(
    "k0e",
    lambda g, y, x: g * (y - tf.math.special.bessel_k1e(x)),
    "(exp(x) K0)' = exp(x) (K0 - K1)",
    pole=np.inf,
    convention=f"infinite at 0 {BELOW}; its gradient there is NaN",
)
_bessel(
    "k1",
    lambda g, y, x: g * (-tf.math.special.bessel_k0(x) - y / x),
    "K1' = -K0 - K1 / x",
    pole=np.inf,
    convention=f"infinite at 0 {BELOW}",
)
_bessel(
    "k1e",
    lambda g, y, x: g * (y * (1.0 - tf.math.reciprocal(x)) - tf.math.special.bessel_k0e(x)),
    "(exp(x) K1)' = exp(x) (K1 - K0 - K1 / x)",
    pole=np.inf,
    convention=f"infinite at 0 {BELOW}",
)
_bessel(
    "y0",
    lambda g, y, x: -g * tf.math.special.bessel_y1(x),
    "Y0' = -Y1",
    pole=-np.inf,
    convention=f"minus infinity at 0 {BELOW}",
)
_bessel(
    "y1",
    lambda g, y, x: g * (tf.math.special.bessel_y0(x) - y / x),
    "Y1' = Y0 - Y1 / x",
    pole=-np.inf,
    convention=f"minus infinity at 0 {BELOW}; its gradient is NaN at 0",
)
