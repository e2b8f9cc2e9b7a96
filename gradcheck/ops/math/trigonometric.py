"""Circular and hyperbolic functions and their inverses."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.dtypes import FLOATS
from gradcheck.ops.declaration import INEXACT, POSITIVE, REAL, Interval, declare
from gradcheck.ops.shapes import conj, elementwise
from gradcheck.ops.vocabulary import tf
from gradcheck.tensors import Tensor

INSIDE_UNIT = Interval(-0.9, 0.9)


def _function(
    name: str,
    forward: Any,
    rule: Any,
    source: str,
    *,
    domain: Interval = REAL,
    aliases: tuple[str, ...] = (),
    convention: str = "",
) -> None:
    """One holomorphic function, whose short name is also TensorFlow's; `rule(g, y, x)` gets y and x conjugated."""
    declare(
        f"tf.{name}",
        elementwise("x"),
        aliases=(f"tf.math.{name}", *aliases),
        forward=forward,
        vjp=(lambda g, y, x: rule(g, conj(y), conj(x)),),
        domains=(domain,),
        dtypes=INEXACT,
        source=source,
        convention=convention,
    )


_function("sin", np.sin, lambda g, y, x: g * tf.cos(x), "d sin(x) = cos(x) dx")
_function("cos", np.cos, lambda g, y, x: g * -tf.sin(x), "d cos(x) = -sin(x) dx")
_function(
    "tan",
    np.tan,
    lambda g, y, x: g * tf.square(tf.math.reciprocal(tf.cos(x))),
    "d tan(x) = dx / cos(x)^2",
    domain=Interval(-1.2, 1.2),
)
_function(
    "asin",
    np.arcsin,
    lambda g, y, x: g * tf.math.reciprocal(tf.sqrt(1 - tf.square(x))),
    "d arcsin(x) = dx / sqrt(1 - x^2)",
    domain=INSIDE_UNIT,
    convention="infinite at -1 and 1, where a cotangent of 0 gives NaN",
)
_function(
    "acos",
    np.arccos,
    lambda g, y, x: -g * tf.math.reciprocal(tf.sqrt(1 - tf.square(x))),
    "d arccos(x) = -dx / sqrt(1 - x^2)",
    domain=INSIDE_UNIT,
    convention="minus infinity at -1 and 1, where a cotangent of 0 gives NaN",
)
_function("atan", np.arctan, lambda g, y, x: g * tf.math.reciprocal(1 + tf.square(x)), "d arctan(x) = dx / (1 + x^2)")
_function("sinh", np.sinh, lambda g, y, x: g * tf.cosh(x), "d sinh(x) = cosh(x) dx")
_function("cosh", np.cosh, lambda g, y, x: g * tf.sinh(x), "d cosh(x) = sinh(x) dx")
_function(
    "tanh",
    np.tanh,
    lambda g, y, x: g * (1 - tf.square(y)),
    "d tanh(x) = (1 - tanh(x)^2) dx, from the output",
    aliases=("tf.nn.tanh",),
    convention="0 once the output rounds to 1",
)
_function("asinh", np.arcsinh, lambda g, y, x: g / tf.cosh(y), "d arsinh(x) = dx / cosh(arsinh(x)), from the output")
_function(
    "acosh",
    np.arccosh,
    lambda g, y, x: g / tf.sinh(y),
    "d arcosh(x) = dx / sinh(arcosh(x)), from the output",
    domain=Interval(1.2, 4.0),
    convention="infinite at 1, where a cotangent of 0 gives NaN; NaN below 1",
)
_function(
    "atanh",
    np.arctanh,
    lambda g, y, x: g * tf.math.reciprocal(1 - tf.square(x)),
    "d artanh(x) = dx / (1 - x^2)",
    domain=INSIDE_UNIT,
    convention="infinite at -1 and 1, where a cotangent of 0 gives NaN; finite outside, where the value is NaN",
)


def _over_square(g: Tensor, y: Tensor, x: Tensor) -> Tensor:
    scaled: Tensor = g / (tf.square(y) + tf.square(x))
    return scaled


declare(
    "tf.atan2",
    elementwise("y", "x"),
    aliases=("tf.math.atan2",),
    forward=np.arctan2,
    vjp=(
        lambda g, z, y, x: x * _over_square(g, y, x),
        lambda g, z, y, x: -y * _over_square(g, y, x),
    ),
    domains=(REAL, POSITIVE),
    dtypes=FLOATS,
    source="d atan2(y, x) = (x dy - y dx) / (x^2 + y^2)",
    convention="NaN for both at the origin; x^2 + y^2 is not protected from overflow",
)
