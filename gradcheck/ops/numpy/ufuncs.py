"""NumPy's functions of each element, which TensorFlow writes with its own."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck.ops.declaration import (
    INEXACT,
    POSITIVE,
    REAL,
    REALS,
    Interval,
    OpError,
    compose,
    find_op,
    sample,
)
from gradcheck.ops.numpy.kinds import PLAIN, WIDER
from gradcheck.ops.shapes import broadcast
from gradcheck.ops.vocabulary import tf
from gradcheck.tensors import Tensor

UNIT = Interval(-0.9, 0.9)


def ufunc(
    names: str, compute: Callable[..., Any], *parameters: str, domains: tuple[Interval, ...], **details: Any
) -> None:
    """Declare `compute` of tensors, called `parameters`, under the first of `names`; the others are aliases."""

    def function(*arguments: Tensor, **named: Tensor) -> Any:
        return compute(*arguments, *named.values())

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    declared = [inspect.Parameter(each, kind, annotation="Tensor") for each in parameters]
    function.__signature__ = inspect.Signature(declared)  # type: ignore[attr-defined]
    first, *others = (f"tf.experimental.numpy.{each}" for each in names.split())
    shapes = sample((2, 3)) if len(parameters) == 1 else sample((2, 3), (3,))
    given = {"promotes": True, "samples": (shapes,), **details}
    compose(first, domains=domains, aliases=tuple(others), **given)(function)


def _as(name: str, *, floating: bool = False) -> dict[str, Any]:
    """What a function has in common with TensorFlow's of that name; a `floating` one takes no integers."""
    op = find_op(name)
    dtypes = tuple(each for each in op.dtypes if each in PLAIN) if floating else op.dtypes
    details = {"dtypes": dtypes, "convention": op.convention, "errata": op.errata}
    return details if op.kink is None else {**details, "kink": op.kink}


for _names, _op, _domain in (
    ("exp", "tf.exp", REAL),
    ("expm1", "tf.math.expm1", REAL),
    ("log", "tf.math.log", POSITIVE),
    ("log1p", "tf.math.log1p", POSITIVE),
    ("sqrt", "tf.sqrt", POSITIVE),
    ("sin", "tf.sin", REAL),
    ("cos", "tf.cos", REAL),
    ("tan", "tf.tan", UNIT),
    ("sinh", "tf.sinh", REAL),
    ("cosh", "tf.cosh", REAL),
    ("tanh", "tf.tanh", REAL),
    ("arcsin", "tf.asin", UNIT),
    ("arccos", "tf.acos", UNIT),
    ("arctan", "tf.atan", REAL),
    ("arcsinh", "tf.asinh", REAL),
    ("arccosh", "tf.acosh", Interval(1.2, 3.0)),
    ("arctanh", "tf.atanh", UNIT),
):
    ufunc(_names, find_op(_op), "x", domains=(_domain,), **_as(_op, floating=True))

for _names, _op in (
    ("floor", "tf.floor"),
    ("ceil", "tf.math.ceil"),
    ("isnan", "tf.math.is_nan"),
    ("isfinite", "tf.math.is_finite"),
):
    ufunc(_names, find_op(_op), "x", domains=(), **_as(_op, floating=True))

for _names, _op, _domain in (
    ("abs absolute fabs", "tf.abs", REAL),
    ("negative", "tf.negative", REAL),
    ("square", "tf.square", REAL),
    ("reciprocal", "tf.math.reciprocal", POSITIVE),
    ("conj conjugate", "tf.math.conj", REAL),
):
    ufunc(_names, find_op(_op), "x", domains=(_domain,), **_as(_op))

ufunc("real", lambda val: tf.math.real(val), "val", domains=(REAL,), **_as("tf.math.real"))
ufunc("positive", lambda x: tf.identity(x), "x", domains=(REAL,), **_as("tf.identity"))

for _names, _op, _domain in (
    ("add", "tf.add", REAL),
    ("subtract", "tf.subtract", REAL),
    ("multiply", "tf.multiply", REAL),
    ("divide true_divide", "tf.truediv", POSITIVE),
    ("power float_power", "tf.pow", POSITIVE),
    ("arctan2", "tf.atan2", POSITIVE),
    ("maximum", "tf.maximum", REAL),
    ("minimum", "tf.minimum", REAL),
    ("mod remainder", "tf.math.floormod", POSITIVE),
    ("nextafter", "tf.math.nextafter", REAL),
):
    ufunc(_names, find_op(_op), "x1", "x2", domains=(_domain, _domain), **_as(_op))

for _names, _op in (
    ("equal", "tf.equal"),
    ("not_equal", "tf.not_equal"),
    ("less", "tf.less"),
    ("less_equal", "tf.less_equal"),
    ("greater", "tf.greater"),
    ("greater_equal", "tf.greater_equal"),
    ("floor_divide", "tf.math.floordiv"),
):
    ufunc(_names, find_op(_op), "x1", "x2", domains=(), **_as(_op))


def _constant(value: float, like: Tensor) -> Tensor:
    return like.context.constant(np.asarray(value).astype(like.dtype))


ufunc("deg2rad", lambda x: x * (np.pi / 180), "x", domains=(REAL,), dtypes=PLAIN)
ufunc("rad2deg", lambda x: x * (180 / np.pi), "x", domains=(REAL,), dtypes=INEXACT)
ufunc("exp2", lambda x: 2.0**x, "x", domains=(REAL,), dtypes=PLAIN)
ufunc("log2", lambda x: tf.math.log(x) / float(np.log(2)), "x", domains=(POSITIVE,), dtypes=PLAIN)
ufunc("log10", lambda x: tf.math.log(x) / float(np.log(10)), "x", domains=(POSITIVE,), dtypes=PLAIN)


def _cbrt(x: Tensor) -> Tensor:
    root = tf.abs(x) ** (1 / 3)
    signed: Tensor = tf.where(x < 0, -root, root)
    return signed


def _sinc(x: Tensor) -> Tensor:
    scaled = x * np.pi
    quotient: Tensor = tf.where(tf.equal(x, 0), tf.ones_like(x), tf.sin(scaled) / scaled)
    return quotient


ufunc("cbrt", _cbrt, "x", domains=(REAL,), dtypes=WIDER, kink=np.abs, convention="NaN at 0, where it has no slope")
ufunc("sinc", _sinc, "x", domains=(REAL,), dtypes=PLAIN, convention="sin(pi x) / (pi x), 1 at 0 with gradient NaN")


def _heaviside(x1: Tensor, x2: Tensor) -> Tensor:
    zero, one = _constant(0, x2), _constant(1, x2)
    step: Tensor = tf.where(x1 < 0, zero, tf.where(x1 > 0, one, x2))
    return step


ufunc(
    "heaviside",
    _heaviside,
    "x1",
    "x2",
    domains=(REAL, REAL),
    dtypes=WIDER,
    kink=lambda x1, x2: x1,
    convention="`x2` where `x1` is 0, and receives the cotangent there; `x1` is not connected",
)


def _hypot(x1: Tensor, x2: Tensor) -> Tensor:
    length: Tensor = tf.sqrt(tf.square(x1) + tf.square(x2))
    return length


ufunc(
    "hypot",
    _hypot,
    "x1",
    "x2",
    domains=(POSITIVE, POSITIVE),
    dtypes=PLAIN,
    promotes=False,
    convention="NaN at (0, 0); of complex numbers the root of the squares, which is no length",
)


def _logaddexp(exp: Callable[[Tensor], Tensor], unit: float) -> Callable[[Tensor, Tensor], Tensor]:
    """The logarithm of the sum of two powers, of which the larger is taken out.

    What is larger is chosen, and not taken to be the larger one and what is left of their distance: that has the same
    value and, where both are equal, no derivative.
    """

    def function(x1: Tensor, x2: Tensor) -> Tensor:
        first = x1 >= x2
        high, low = tf.where(first, x1, x2), tf.where(first, x2, x1)
        total = high + tf.math.log1p(exp(low - high)) / unit
        stuck: Tensor = tf.where(tf.math.is_nan(low - high), x1 + x2, total)
        return stuck

    return function


for _names, _exp, _unit in (
    ("logaddexp", lambda x: tf.exp(x), 1.0),
    ("logaddexp2", lambda x: 2.0**x, float(np.log(2))),
):
    ufunc(
        _names,
        _logaddexp(_exp, _unit),
        "x1",
        "x2",
        domains=(REAL, REAL),
        dtypes=WIDER,
        promotes=False,
        convention="half of the cotangent each where both are equal, where TensorFlow gives all to the first; the sum, "
        "with NaN for its gradient, where both are infinite alike",
    )


@compose(
    "tf.experimental.numpy.divmod",
    domains=(POSITIVE, POSITIVE),
    dtypes=REALS,
    promotes=True,
    several=True,
    samples=(sample((2, 3), (3,)),),
    convention="the quotient is not connected",
)
def _divmod(x1: Tensor, x2: Tensor) -> list[Tensor]:
    return [tf.math.floordiv(x1, x2), tf.math.floormod(x1, x2)]


@compose(
    "tf.experimental.numpy.sign",
    domains=(REAL,),
    dtypes=find_op("tf.sign").dtypes,
    promotes=True,
    kink=lambda x, **_: np.abs(x),
    convention=find_op("tf.sign").convention,
    samples=(sample((2, 3)),),
)
def _sign(x: Tensor, out: Any = None, where: Any = None, **kwargs: Any) -> Tensor:
    if out is not None or where is not None or kwargs:
        raise OpError("`tf.experimental.numpy.sign` takes nothing but `x`", argument="out")
    signs: Tensor = tf.sign(x)
    return signs


@compose(
    "tf.experimental.numpy.clip",
    domains=(REAL, REAL, REAL),
    dtypes=REALS,
    promotes=True,
    kink=lambda a, a_min, a_max: np.minimum(np.abs(a - a_min), np.abs(a - a_max)),
    samples=(sample((2, 3), np.array(-0.4), np.array(0.5)), sample((4,), np.array([-1, 0, -1, 0]), np.array(1))),
    convention="at a bound the gradient still flows to `a`",
)
def _clip(a: Tensor, a_min: Tensor | None, a_max: Tensor | None) -> Tensor:
    clipped: Tensor
    if a_min is None and a_max is None:
        raise OpError("`a_min` and `a_max` cannot both be None", argument="a_min")
    if a_min is None:
        clipped = tf.minimum(a, a_max)
    elif a_max is None:
        clipped = tf.maximum(a, a_min)
    else:
        shape = broadcast(broadcast(a.shape, a_min.shape), a_max.shape)
        clipped = tf.clip_by_value(tf.broadcast_to(a, shape), a_min, a_max)
    return clipped
