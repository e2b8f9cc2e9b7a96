"""Functions of `tf.math` that act on each element: magnitude, powers, roots, exponentials, rounding, bits."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.dtypes import (
    FLOAT32,
    FLOAT64,
    FLOATS,
    INT32,
    INT64,
    INTEGERS,
    Array,
    is_complex,
    is_integer,
    real_of,
)
from gradcheck.ops.declaration import (
    ANY,
    INEXACT,
    NUMERIC,
    POSITIVE,
    REAL,
    REALS,
    Interval,
    OpError,
    compose,
    declare,
    sample,
)
from gradcheck.ops.math.arithmetic import SIGNED
from gradcheck.ops.shapes import broadcast, conj, elementwise, to_bool
from gradcheck.ops.vocabulary import tf
from gradcheck.tensors import Tensor


def _abs_vjp(g: Tensor, y: Tensor, x: Tensor) -> Tensor:
    if not is_complex(x.dtype):
        along: Tensor = g * tf.sign(x)
        return along
    radial: Tensor = tf.math.divide_no_nan(tf.cast(g, x.dtype) * x, tf.cast(y, x.dtype))
    return radial


declare(
    "tf.abs",
    elementwise("x", result=real_of),
    aliases=("tf.math.abs",),
    forward=np.abs,
    vjp=(_abs_vjp,),
    rounding="correct",
    domains=(REAL,),
    dtypes=SIGNED,
    kink=lambda x: np.abs(x),
    source="d|x| = sign(x) dx; for complex z the cotangent is g z / |z|",
    convention="0 at 0, also for complex numbers",
)


def _sign_vjp(g: Tensor, y: Tensor, x: Tensor) -> Tensor:
    if not is_complex(x.dtype):
        flat: Tensor = tf.zeros_like(x)
        return flat
    along = y * tf.cast(tf.math.real(g * conj(y)), x.dtype)
    across: Tensor = tf.math.divide_no_nan(g - along, tf.cast(tf.abs(x), x.dtype))
    return across


declare(
    "tf.sign",
    elementwise("x"),
    aliases=("tf.math.sign",),
    forward=np.sign,
    vjp=(_sign_vjp,),
    rounding="correct",
    domains=(REAL,),
    dtypes=SIGNED,
    kink=lambda x: np.abs(x),
    source="of z / |z| only the direction changes: the part of g along z is taken away, the rest is divided by |z|",
    convention="for real numbers connected with gradient 0, also at 0",
)
declare(
    "tf.square",
    elementwise("x"),
    aliases=("tf.math.square",),
    forward=np.square,
    vjp=(lambda g, y, x: g * (conj(x) * 2),),
    rounding="correct",
    domains=(REAL,),
    dtypes=NUMERIC,
    source="d(x^2) = 2 x dx",
)
declare(
    "tf.sqrt",
    elementwise("x"),
    aliases=("tf.math.sqrt",),
    forward=np.sqrt,
    vjp=(lambda g, y, x: tf.math.multiply_no_nan(0.5 / conj(y), g),),
    rounding="correct",
    domains=(POSITIVE,),
    dtypes=INEXACT,
    kink=np.abs,
    source="d sqrt(x) = dx / (2 sqrt(x)), from the output",
    convention="infinite at 0, but 0 wherever the cotangent is 0; NaN below 0",
)


def _rsqrt_vjp(g: Tensor, y: Tensor, x: Tensor) -> Tensor:
    y = conj(y)
    # In this order, as in TensorFlow: y^3 alone may overflow.
    slope: Tensor = tf.math.multiply_no_nan(tf.square(y), tf.math.multiply_no_nan(y, g * -0.5))
    return slope


declare(
    "tf.math.rsqrt",
    elementwise("x"),
    forward=lambda x: 1 / np.sqrt(x),
    vjp=(_rsqrt_vjp,),
    domains=(POSITIVE,),
    dtypes=INEXACT,
    source="d x^(-1/2) = -x^(-3/2) / 2 dx, from the output",
    convention="minus infinity at 0, but 0 wherever the cotangent is 0; NaN below 0",
)


def _reciprocal_vjp(g: Tensor, y: Tensor, x: Tensor) -> Tensor:
    y = conj(y)
    slope: Tensor = tf.math.multiply_no_nan(y, tf.math.multiply_no_nan(-y, g))
    return slope


declare(
    "tf.math.reciprocal",
    elementwise("x"),
    forward=lambda x: 1 / x,
    vjp=(_reciprocal_vjp,),
    domains=(Interval(0.5, 3.0),),
    dtypes=INEXACT,
    source="d(1 / x) = -dx / x^2, from the output",
    convention="minus infinity at 0, but 0 wherever the cotangent is 0",
)
declare(
    "tf.exp",
    elementwise("x"),
    aliases=("tf.math.exp",),
    forward=np.exp,
    vjp=(lambda g, y, x: g * conj(y),),
    domains=(REAL,),
    dtypes=INEXACT,
    source="d exp(x) = exp(x) dx, from the output",
)


def _expm1_rounding(x: Array) -> Array:
    """As if x were off by one unit round-off; TensorFlow's complex one is exp(x) - 1, which rounds exp(x)."""
    size: Array = np.abs(np.exp(x)) * (np.maximum(np.abs(x), 1) if x.dtype.kind == "c" else np.abs(x))
    return np.where(np.isfinite(size), size, 0)


declare(
    "tf.math.expm1",
    elementwise("x"),
    forward=np.expm1,
    rounding=_expm1_rounding,
    vjp=(lambda g, y, x: g * tf.exp(conj(x)),),
    domains=(REAL,),
    dtypes=INEXACT,
    source="d(exp(x) - 1) = exp(x) dx; from the input, since exp(x) is lost in an output near -1",
)
declare(
    "tf.math.log",
    elementwise("x"),
    forward=np.log,
    vjp=(lambda g, y, x: g * tf.math.reciprocal(conj(x)),),
    domains=(POSITIVE,),
    dtypes=INEXACT,
    source="d log(x) = dx / x",
    convention="1 / x also below 0, where the value is NaN; infinite at 0, where a cotangent of 0 gives NaN",
)


def _log1p_rounding(x: Array) -> Array:
    """As if x were off by one unit round-off; TensorFlow's complex one is log(1 + x), which rounds 1 + x."""
    size: Array = (np.maximum(np.abs(x), 1) if x.dtype.kind == "c" else np.abs(x)) / np.abs(1 + x)
    return np.where(np.isfinite(size), size, 0)


declare(
    "tf.math.log1p",
    elementwise("x"),
    forward=np.log1p,
    rounding=_log1p_rounding,
    vjp=(lambda g, y, x: g * tf.math.reciprocal(conj(x) + 1),),
    domains=(Interval(-0.7, 2.0),),
    dtypes=INEXACT,
    source="d log(1 + x) = dx / (1 + x)",
    convention="infinite at -1, where a cotangent of 0 gives NaN",
)


def logistic(x: Array) -> Array:
    """1 / (1 + exp(-x))."""
    if is_complex(x.dtype):
        plain: Array = 1 / (1 + np.exp(-x))
        return plain
    e = np.exp(-np.abs(x))  # of the side that cannot overflow
    stable: Array = np.where(x >= 0, 1, e) / (1 + e)
    return stable


def _sigmoid_vjp(g: Tensor, y: Tensor, x: Tensor) -> Tensor:
    y = conj(y)
    slope: Tensor = g * (y * (1 - y))
    return slope


declare(
    "tf.sigmoid",
    elementwise("x"),
    aliases=("tf.math.sigmoid", "tf.nn.sigmoid"),
    forward=logistic,
    vjp=(_sigmoid_vjp,),
    domains=(REAL,),
    dtypes=INEXACT,
    source="y' = y (1 - y), from the output",
    convention="0 once the output rounds to 1",
)


@compose(
    "tf.math.log_sigmoid",
    domains=(REAL,),
    dtypes=FLOATS,
    convention="-softplus(-x): 1 far below 0, 0 far above",
)
def _log_sigmoid(x: Tensor, name: str | None = None) -> Tensor:
    negative: Tensor = -tf.nn.softplus(-x)
    return negative


def _piecewise_constant(name: str, forward: Any, dtypes: Any, aliases: tuple[str, ...] = ()) -> None:
    declare(
        name,
        elementwise("x"),
        aliases=aliases,
        forward=forward,
        domains=(),
        dtypes=dtypes,
        convention="piecewise constant: not connected",
    )


_piecewise_constant("tf.floor", np.floor, FLOATS, ("tf.math.floor",))
_piecewise_constant("tf.math.ceil", np.ceil, FLOATS)
_piecewise_constant("tf.round", lambda x: x if is_integer(x.dtype) else np.rint(x), REALS, ("tf.math.round",))
_piecewise_constant("tf.math.rint", np.rint, (FLOAT32, FLOAT64))


def _predicate(name: str, forward: Any) -> None:
    declare(
        f"tf.math.{name}",
        elementwise("x", result=to_bool),
        forward=forward,
        domains=(),
        dtypes=FLOATS,
        convention="boolean: not connected",
    )


_predicate("is_nan", np.isnan)
_predicate("is_inf", np.isinf)
_predicate("is_finite", np.isfinite)


def _bits(name: str, forward: Any, *parameters: str) -> None:
    declare(
        f"tf.bitwise.{name}",
        elementwise(*parameters),
        forward=forward,
        domains=(),
        dtypes=INTEGERS,
        moves=True,
        convention="integers: not connected",
    )


_bits("bitwise_and", np.bitwise_and, "x", "y")
_bits("bitwise_or", np.bitwise_or, "x", "y")
_bits("bitwise_xor", np.bitwise_xor, "x", "y")
_bits("invert", np.invert, "x")


def _truncated(x: Array, y: Array) -> Array:
    if not is_integer(x.dtype):
        quotient: Array = np.trunc(x / y)
        return quotient
    if np.any(y == 0):
        raise ZeroDivisionError("integer division by zero")
    toward_zero: Array = x // y + ((x % y != 0) & ((x < 0) != (y < 0))).astype(x.dtype)
    return toward_zero


declare(
    "tf.truncatediv",
    elementwise("x", "y"),
    forward=_truncated,
    domains=(),
    dtypes=REALS,
    samples=(sample((2, 3), np.array([-2, 1, 3])), sample((), (2,)), sample((3,), (0, 3))),
    convention="piecewise constant: not connected",
)
declare(
    "tf.identity",
    elementwise("input"),
    forward=lambda x: x,
    vjp=(lambda g, y, x: g,),
    domains=(REAL,),
    dtypes=ANY,
    moves=True,
    source="the cotangent is handed on",
)
declare(
    "tf.stop_gradient",
    elementwise("input"),
    forward=lambda x: x,
    domains=(),
    dtypes=ANY,
    moves=True,
    convention="a constant for the tape: not connected",
)
declare(
    "tf.math.nextafter",
    elementwise("x1", "x2"),
    forward=np.nextafter,
    vjp=(lambda g, y, a, b: g, lambda g, y, a, b: g * 0),
    rounding="correct",
    domains=(REAL, REAL),
    dtypes=(FLOAT32, FLOAT64),
    source="a step too small to see from the first argument",
    convention="1 for the first argument; 0, connected, for the second",
)


@compose(
    "tf.clip_by_value",
    domains=(REAL, Interval(-1.5, -0.5), Interval(0.5, 1.5)),
    dtypes=REALS,
    kink=lambda t, low, high: np.minimum(np.abs(t - low), np.abs(t - high)),
    samples=(sample((2, 3), (), ()), sample((2, 3), (3,), (2, 1)), sample((), (), ()), sample((0, 3), (), (3,))),
    convention="inside and at the bounds the gradient goes to the tensor, outside to the bound; with the bounds in the "
    "wrong order, to the lower one",
)
def _clip_by_value(t: Tensor, clip_value_min: Tensor, clip_value_max: Tensor, name: str | None = None) -> Tensor:
    for bound, parameter in ((clip_value_min, "clip_value_min"), (clip_value_max, "clip_value_max")):
        if broadcast(t.shape, bound.shape) != t.shape:
            raise OpError(
                f"`tf.clip_by_value` of a tensor of shape {list(t.shape)}: `{parameter}` of shape {list(bound.shape)} "
                "would make it larger",
                argument=parameter,
            )
    clipped: Tensor = tf.maximum(tf.minimum(t, clip_value_max), clip_value_min)
    return clipped


def _squared_difference(x: Array, y: Array) -> Array:
    d = x - y
    squared: Array = d * d.conj() if is_complex(d.dtype) else d * d
    return squared


def _squared_difference_vjp(g: Tensor, x: Tensor, y: Tensor) -> Tensor:
    if is_complex(g.dtype):
        g = tf.cast(tf.math.real(g), g.dtype)  # the imaginary part of the output is always 0
    slope: Tensor = (g * 2) * (x - y)
    return slope


declare(
    "tf.math.squared_difference",
    elementwise("x", "y"),
    forward=_squared_difference,
    vjp=(
        lambda g, z, x, y: _squared_difference_vjp(g, x, y),
        lambda g, z, x, y: -_squared_difference_vjp(g, x, y),
    ),
    domains=(REAL, REAL),
    dtypes=(*INEXACT, INT32, INT64),
    errata=("complex",),
    source="d(x - y)^2 = 2 (x - y) (dx - dy); for complex numbers |x - y|^2 = (x - y) conj(x - y)",
    convention="of complex numbers |x - y|^2 in the complex dtype; TensorFlow then lets the imaginary part of a "
    "cotangent through",
)
