"""Addition to powers, comparison, selection: what Python's operators mean on tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.dtypes import BOOL, Array, is_complex
from gradcheck.ops.arrays.shaping import as_dtype
from gradcheck.ops.batching import aligned
from gradcheck.ops.declaration import (
    ANY,
    INEXACT,
    NUMERIC,
    POSITIVE,
    REAL,
    REALS,
    Interval,
    Mask,
    OpError,
    Tensors,
    compose,
    declare,
    sample,
)
from gradcheck.ops.shapes import Typed, broadcast, conj, elementwise, quotient_dtype, to_bool
from gradcheck.ops.vocabulary import tf
from gradcheck.program import TensorType
from gradcheck.tensors import Tensor

NONZERO = Interval(0.5, 3.0)
SIGNED = tuple(dtype for dtype in NUMERIC if dtype.kind != "u")

declare(
    "tf.add",
    elementwise("x", "y"),
    aliases=("tf.math.add",),
    forward=np.add,
    vjp=(lambda g, z, x, y: g, lambda g, z, x, y: g),
    domains=(REAL, REAL),
    rounding="correct",
    dtypes=NUMERIC,
    source="d(x + y) = dx + dy",
)
declare(
    "tf.subtract",
    elementwise("x", "y"),
    aliases=("tf.math.subtract",),
    forward=np.subtract,
    vjp=(lambda g, z, x, y: g, lambda g, z, x, y: -g),
    domains=(REAL, REAL),
    rounding="correct",
    dtypes=NUMERIC,
    source="d(x - y) = dx - dy",
)
declare(
    "tf.multiply",
    elementwise("x", "y"),
    aliases=("tf.math.multiply",),
    forward=np.multiply,
    vjp=(lambda g, z, x, y: g * conj(y), lambda g, z, x, y: g * conj(x)),
    domains=(REAL, REAL),
    rounding="correct",
    dtypes=NUMERIC,
    source="d(x y) = y dx + x dy",
)
declare(
    "tf.negative",
    elementwise("x"),
    aliases=("tf.math.negative",),
    forward=np.negative,
    vjp=(lambda g, y, x: -g,),
    domains=(REAL,),
    rounding="correct",
    dtypes=SIGNED,
    source="d(-x) = -dx",
)


def _divide_rules() -> tuple[Any, Any]:
    return (
        lambda g, z, x, y: g / conj(y),
        lambda g, z, x, y: g * conj(-x / y / y),  # in this order, as in TensorFlow: y * y may overflow
    )


declare(
    "tf.truediv",
    elementwise("x", "y", result=quotient_dtype),
    aliases=("tf.math.truediv",),
    forward=lambda x, y: np.true_divide(x, y, dtype=quotient_dtype(x.dtype)),
    vjp=_divide_rules(),
    domains=(REAL, NONZERO),
    rounding="correct",
    dtypes=NUMERIC,
    source="d(x / y) = dx / y - x / y^2 dy",
    convention="integers are divided as float64, those of 8 and 16 bits as float32; nothing protects a division by 0",
)


@compose("tf.realdiv", domains=(REAL, NONZERO), dtypes=INEXACT, convention="integers are refused")
def _realdiv(x: Tensor, y: Tensor, name: str | None = None) -> Tensor:
    quotient: Tensor = tf.truediv(x, y)
    return quotient


@compose(
    "tf.math.scalar_mul",
    aliases=("tf.scalar_mul",),
    domains=(REAL, REAL),
    dtypes=NUMERIC,
    samples=(sample((), (2, 3)), sample((), ()), sample((), (0, 3))),
)
def _scalar_mul(scalar: Tensor, x: Tensor, name: str | None = None) -> Tensor:
    if scalar.ndim:
        raise OpError(f"`scalar` must be a scalar, not of shape {list(scalar.shape)}", argument="scalar")
    product: Tensor = scalar * x
    return product


def _pow(x: Array, y: Array) -> Array:
    power: Array = np.power(x, y)
    if is_complex(power.dtype):
        return np.where((x == 0) & (y == 0), np.nan, power)
    return power


declare(
    "tf.math.pow",
    elementwise("x", "y"),
    aliases=("tf.pow",),
    forward=_pow,
    rounding=lambda x, y: _pow_rounding(x, y),
    vjp=(
        lambda g, z, x, y: g * conj(y * tf.pow(x, y - 1)),
        lambda g, z, x, y: g * conj(z * _log_or_zero(x)),
    ),
    domains=(POSITIVE, REAL),
    dtypes=SIGNED,
    kink=lambda x, y: _from_zero(x, y),
    source="d(x^y) = y x^(y-1) dx + x^y log(x) dy",
    convention="log(x) counts as 0 for x <= 0 (complex: x = 0); x^(y-1) is not protected, so x^0 at x = 0 gives NaN; "
    "0^0 is 1, of complex numbers NaN",
)


def _pow_rounding(x: Array, y: Array) -> Array:
    """As if x and y were off by one unit round-off: |z| (|y| + |y log x|)."""
    with np.errstate(all="ignore"):
        condition = np.abs(y) * (1 + np.abs(np.log(np.abs(x))))
        size: Array = np.abs(np.power(x, y)) * np.where(np.isfinite(condition), condition, 1)
    return size


def _from_zero(x: Array, y: Array) -> Array:
    """How far x is from 0 where the power is a root; others are smooth there, or not finite."""
    root = (np.real(y) > 0) & (np.real(y) < 1)
    distance: Array = np.where(root, np.abs(x), np.inf)
    return distance


def _log_or_zero(x: Tensor) -> Tensor:
    inside = tf.not_equal(x, 0) if is_complex(x.dtype) else x > 0
    logarithm: Tensor = tf.where(inside, tf.math.log(tf.where(inside, x, tf.ones_like(x))), tf.zeros_like(x))
    return logarithm


declare(
    "tf.math.floordiv",
    elementwise("x", "y"),
    forward=np.floor_divide,
    domains=(),
    dtypes=REALS,
    samples=(sample((2, 3), (3,)),),
    convention="piecewise constant: not connected",
)
declare(
    "tf.math.floormod",
    elementwise("x", "y"),
    aliases=("tf.math.mod",),
    forward=np.mod,
    vjp=(lambda g, z, x, y: g, lambda g, z, x, y: -g * tf.math.floordiv(x, y)),
    domains=(Interval(0.1, 0.4), NONZERO),
    dtypes=REALS,
    kink=lambda x, y: np.abs(x / y - np.round(x / y)),
    source="x - floor(x / y) y, with the quotient held",
    convention="1 and -floor(x / y) everywhere, also at the jumps",
)


def _comparison(name: str, forward: Any, dtypes: Any) -> None:
    declare(
        f"tf.math.{name}",
        elementwise("x", "y", result=to_bool),
        aliases=(f"tf.{name}",),
        forward=forward,
        domains=(),
        dtypes=dtypes,
        kink=lambda x, y: np.abs(x - y),
        samples=(sample((2, 3), (3,)),),
        convention="boolean: not connected",
    )


_comparison("less", np.less, REALS)
_comparison("less_equal", np.less_equal, REALS)
_comparison("greater", np.greater, REALS)
_comparison("greater_equal", np.greater_equal, REALS)
_comparison("equal", np.equal, ANY)
_comparison("not_equal", np.not_equal, ANY)


def _logical(name: str, forward: Any, *parameters: str) -> None:
    function = elementwise(*parameters)
    declare(f"tf.{name}", function, aliases=(f"tf.math.{name}",), forward=forward, domains=(), dtypes=(BOOL,))


_logical("logical_and", np.logical_and, "x", "y")
_logical("logical_or", np.logical_or, "x", "y")
_logical("logical_not", np.logical_not, "x")
declare(
    "tf.math.logical_xor",
    elementwise("x", "y", name="LogicalXor"),
    forward=np.logical_xor,
    domains=(),
    dtypes=(BOOL,),
)


def _where(condition: Mask, x: Tensor = None, y: Tensor = None, name: str | None = None) -> Typed:  # type: ignore[assignment]
    if x is None or y is None:
        raise OpError(
            "`tf.where` needs all of `condition`, `x` and `y`",
            help="with a condition alone it gives positions, whose number is only known when it runs",
        )
    return TensorType(broadcast(condition.shape, broadcast(x.shape, y.shape)), x.dtype), {}


declare(
    "tf.where",
    _where,
    forward=np.where,
    vjp=(
        None,
        lambda g, z, c, x, y: tf.where(c, g, tf.zeros([], g.dtype)),
        lambda g, z, c, x, y: tf.where(c, tf.zeros([], g.dtype), g),
    ),
    batching=aligned,
    domains=(REAL, REAL),
    dtypes=ANY,
    moves=True,
    samples=(
        sample(np.array([[True], [False]]), (2, 3), (3,)),
        sample(np.array([True, False, True]), (), (3,)),
    ),
    source="the selected branch receives the cotangent, the other one zero",
    convention="the branch not taken gets 0, which a rule may still multiply by infinity (log at 0: NaN; sqrt: 0)",
)


def _tie_goes_first(name: str, forward: Any, chosen: Any) -> None:
    declare(
        f"tf.{name}",
        elementwise("x", "y"),
        aliases=(f"tf.math.{name}",),
        forward=forward,
        vjp=(
            lambda g, z, x, y: tf.where(chosen(x, y), g, tf.zeros([], g.dtype)),
            lambda g, z, x, y: tf.where(chosen(x, y), tf.zeros([], g.dtype), g),
        ),
        domains=(REAL, REAL),
        dtypes=REALS,
        rounding="correct",
        kink=lambda x, y: np.abs(x - y),
        source="the chosen argument receives the cotangent",
        convention="a tie goes to the first argument; a comparison with NaN is false and gives to the second",
    )


_tie_goes_first("maximum", np.maximum, lambda x, y: x >= y)
_tie_goes_first("minimum", np.minimum, lambda x, y: x <= y)


@compose("tf.add_n", aliases=("tf.math.add_n",), domains=(REAL,), dtypes=NUMERIC, samples=(sample([(2, 3)] * 3),))
def _add_n(inputs: Tensors, name: str | None = None) -> Tensor:
    total, *rest = inputs
    for each in rest:
        if each.shape != total.shape:
            raise OpError(f"`tf.add_n` needs equal shapes, not {list(total.shape)} and {list(each.shape)}")
        total = total + each
    return total


@compose(
    "tf.math.accumulate_n",
    domains=(REAL,),
    dtypes=NUMERIC,
    samples=(sample([(2, 3)] * 3), sample([(2,)], shape=[2]), sample([(0, 3)] * 2, shape=[None, 3])),
)
def _accumulate_n(inputs: Tensors, shape: Any = None, tensor_dtype: Any = None, name: str | None = None) -> Tensor:
    total: Tensor = tf.add_n(inputs)
    wanted = total.shape if shape is None else tuple(shape) if isinstance(shape, (list, tuple)) else (shape,)
    if len(wanted) != total.ndim or any(a not in (None, b) for a, b in zip(wanted, total.shape, strict=True)):
        raise OpError(f"`shape` {list(wanted)} is not that of the tensors, {list(total.shape)}", argument="shape")
    if tensor_dtype is not None and as_dtype(tensor_dtype) != total.dtype:
        raise OpError(f"`tensor_dtype` is not that of the tensors, {total.dtype.name}", argument="tensor_dtype")
    return total


@compose(
    "tf.math.polyval",
    domains=(REAL, REAL),
    dtypes=NUMERIC,
    samples=(
        sample([(), (), ()], (3,)),
        sample([(2, 3), (3,)], (2, 1)),
        sample([(), ()], (0, 3)),
    ),
    convention="the highest power comes first; a lone coefficient is the answer, with no gradient for x",
)
def _polyval(coeffs: Tensors, x: Tensor, name: str | None = None) -> Tensor:
    value, *rest = coeffs
    for each in rest:
        value = each + value * x
    return value
