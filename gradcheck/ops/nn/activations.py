"""Activations and softmax."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.dtypes import FLOAT32, FLOATS, Array, is_integer
from gradcheck.ops.batching import aligned
from gradcheck.ops.declaration import (
    INEXACT,
    POSITIVE,
    REAL,
    REALS,
    Interval,
    OpError,
    compose,
    declare,
    sample,
)
from gradcheck.ops.math.elementwise import logistic
from gradcheck.ops.shapes import Typed, as_bool, as_float, broadcast, conj, elementwise, one_axis
from gradcheck.ops.vocabulary import tf
from gradcheck.program import TensorType
from gradcheck.tensors import Tensor

# The gradient operations of TensorFlow itself: written with `tf.where` the same gradients would have a second
# derivative that is not connected, where TensorFlow's is connected and 0.


def _gate(name: str, is_open: Any, domain: Interval, kink: Any) -> Any:
    declare(
        f"tf.raw_ops.{name}",
        elementwise("gradients", "features"),
        forward=lambda g, x: g * is_open(x),
        vjp=(lambda h, z, g, x: getattr(tf.raw_ops, name)(h, x), lambda h, z, g, x: tf.zeros_like(x)),
        domains=(REAL, domain),
        dtypes=REALS,
        rounding="correct",
        kink=lambda g, x: kink(x),
        samples=(sample((2, 3), (2, 3)), sample((), ()), sample((0, 3), (0, 3))),
        source="linear in the cotangent, piecewise constant in the features",
        convention="closed at the kinks and for NaN, where an infinite cotangent becomes NaN; connected with 0 to the "
        "features",
    )
    return lambda g, y, x: getattr(tf.raw_ops, name)(g, y)


_AROUND_RELU6 = Interval(-2.0, 8.0)


def _from_zero_and_six(x: Array) -> Array:
    nearest: Array = np.minimum(np.abs(x), np.abs(x - 6))
    return nearest


_relu_rule = _gate("ReluGrad", lambda x: x > 0, REAL, np.abs)
_relu6_rule = _gate("Relu6Grad", lambda x: (x > 0) & (x < 6), _AROUND_RELU6, _from_zero_and_six)

declare(
    "tf.nn.relu",
    elementwise("features"),
    forward=lambda x: np.maximum(x, 0),
    vjp=(_relu_rule,),
    domains=(REAL,),
    dtypes=REALS,
    rounding="correct",
    kink=np.abs,
    source="d max(x, 0) = dx where x > 0, from the output",
    convention="0 at 0; NaN has the value NaN and the gradient 0",
)
declare(
    "tf.nn.relu6",
    elementwise("features"),
    forward=lambda x: np.clip(x, 0, 6),
    vjp=(_relu6_rule,),
    domains=(_AROUND_RELU6,),
    dtypes=REALS,
    rounding="correct",
    kink=_from_zero_and_six,
    source="d min(max(x, 0), 6) = dx where 0 < x < 6, from the output",
    convention="0 at 0 and at 6; NaN has the value NaN and the gradient 0",
)


def _leaky_type(features: Tensor, alpha: Any = 0.2, name: str | None = None) -> Typed:
    dtype = FLOAT32 if is_integer(features.dtype) else features.dtype
    return TensorType(features.shape, dtype), {"alpha": as_float(alpha, "alpha")}


def _leaky_grad_type(gradients: Tensor, features: Tensor, alpha: Any = 0.2, name: str | None = None) -> Typed:
    return TensorType(broadcast(gradients.shape, features.shape), features.dtype), {"alpha": as_float(alpha, "alpha")}


def _leaky(g: Array, x: Array, alpha: float) -> Array:
    return np.where(x > 0, g, g * float(np.float32(alpha)))  # TensorFlow keeps the slope in float32


declare(
    "tf.raw_ops.LeakyReluGrad",
    _leaky_grad_type,
    forward=_leaky,
    vjp=(
        lambda h, z, g, x, alpha: tf.raw_ops.LeakyReluGrad(h, x, alpha),
        lambda h, z, g, x, alpha: tf.zeros_like(x),
    ),
    batching=aligned,
    domains=(REAL, REAL),
    dtypes=FLOATS,
    kink=lambda g, x, alpha: np.abs(x),
    samples=(sample((2, 3), (2, 3)), sample((), (), alpha=-0.5), sample((0, 3), (0, 3))),
    source="linear in the cotangent, piecewise constant in the features",
    convention="the slope alpha at 0 and for NaN; connected with 0 to the features",
)
declare(
    "tf.nn.leaky_relu",
    _leaky_type,
    forward=lambda x, alpha: _leaky(x if not is_integer(x.dtype) else x.astype(FLOAT32), x, alpha),
    vjp=(lambda g, y, x, alpha: tf.raw_ops.LeakyReluGrad(g, x, alpha),),
    domains=(REAL,),
    dtypes=REALS,
    kink=lambda x, alpha: np.abs(x),
    samples=(sample((2, 3)), sample((2, 3), 1.5), sample((), alpha=-0.5), sample((0, 3))),
    source="dx where x > 0, alpha dx elsewhere",
    convention="the slope alpha at 0 and for NaN; alpha is rounded to float32 in every dtype",
)
declare(
    "tf.nn.elu",
    elementwise("features"),
    forward=lambda x: np.where(x < 0, np.exp(x) - 1, x),
    vjp=(lambda g, y, x: tf.where(y < 0, g * (y + 1), g),),
    domains=(REAL,),
    kink=np.abs,
    source="exp(x) = y + 1 below 0 and 1 above, from the output",
    convention="1 at 0 and for NaN; exp(x) - 1 is rounded as it stands, as in TensorFlow",
)
SELU_SCALE = 1.0507009873554804934193349852946
SELU_SCALE_ALPHA = 1.7580993408473768599402175208123
declare(
    "tf.nn.selu",
    elementwise("features"),
    forward=lambda x: np.where(x < 0, SELU_SCALE_ALPHA * (np.exp(x) - 1), SELU_SCALE * x),
    vjp=(lambda g, y, x: tf.where(y < 0, g * (y + SELU_SCALE_ALPHA), g * SELU_SCALE),),
    domains=(REAL,),
    kink=np.abs,
    source="scale alpha exp(x) = y + scale alpha below 0 and scale above, from the output (Klambauer et al. 2017)",
    convention="the scale 1.0507 at 0, for NaN, and wherever the output rounds to 0",
)


@compose(
    "tf.nn.crelu",
    domains=(REAL,),
    dtypes=(*FLOATS, *(np.dtype(name) for name in ("int8", "int16", "int32", "int64"))),
    kink=lambda x, axis: np.abs(x),
    samples=(sample((2, 3)), sample((2, 3), axis=0), sample((3,)), sample((0, 3))),
    convention="relu of x and of -x side by side: 0 at 0",
)
def _crelu(features: Tensor, axis: Any = -1, name: str | None = None) -> Tensor:
    both: Tensor = tf.nn.relu(tf.concat([features, -features], axis))
    return both


# TensorFlow makes float32 of these constants before it makes the dtype of the features of them.
GELU_CUBE = float(np.float32(0.044715))
GELU_ROOT_HALF = float(np.float32(0.7071067811865476))


@compose(
    "tf.nn.gelu",
    domains=(REAL,),
    samples=(sample((2, 3)), sample((2, 3), approximate=True), sample(()), sample((0, 3), True)),
    convention="x times the normal distribution function, or with `approximate` its tanh approximation; NaN at both "
    "infinities; sqrt(1/2) and 0.044715 are rounded to float32 in every dtype, which moves float64 by 1e-8",
)
def _gelu(features: Tensor, approximate: bool = False, name: str | None = None) -> Tensor:
    if as_bool(approximate, "approximate"):
        inner = 0.7978845608028654 * (features + GELU_CUBE * (features * tf.square(features)))
        result: Tensor = 0.5 * features * (1.0 + tf.tanh(inner))
    else:
        result = 0.5 * features * tf.math.erfc(-features * GELU_ROOT_HALF)
    return result


def _silu_type(features: Tensor, beta: Tensor = 1.0) -> Typed:  # type: ignore[assignment]  # becomes a tensor
    if beta.ndim:
        raise OpError(f"`tf.nn.silu` needs a scalar as `beta`, not shape {list(beta.shape)}", argument="beta")
    return features.type, {}


def _silu_vjp(g: Tensor, y: Tensor, x: Tensor, beta: Tensor) -> Tensor:
    s = tf.sigmoid(beta * x)
    slope: Tensor = g * conj(s * (1 + beta * x * (1 - s)))
    return slope


def _silu_vjp_beta(g: Tensor, y: Tensor, x: Tensor, beta: Tensor) -> Tensor:
    s = tf.sigmoid(beta * x)
    slope: Tensor = g * conj(tf.square(x) * (s * (1 - s)))
    return slope


declare(
    "tf.nn.silu",
    _silu_type,
    aliases=("tf.nn.swish",),
    forward=lambda x, beta: x * logistic(beta * x),
    vjp=(_silu_vjp, _silu_vjp_beta),
    domains=(REAL, POSITIVE),
    dtypes=INEXACT,
    samples=(sample((2, 3)), sample((2, 3), ()), sample(()), sample((0, 3), ())),
    errata=("complex",),
    source="x s(b x) with s' = s (1 - s): s (1 + b x (1 - s)) dx + x^2 s (1 - s) db",
    convention="NaN at both infinities; TensorFlow leaves out the conjugate",
)
declare(
    "tf.nn.softplus",
    elementwise("features"),
    aliases=("tf.math.softplus",),
    forward=lambda x: np.logaddexp(x, 0),
    vjp=(lambda g, y, x: g * tf.sigmoid(x),),
    domains=(REAL,),
    source="d log(1 + exp(x)) = sigmoid(x) dx",
)
declare(
    "tf.nn.softsign",
    elementwise("features"),
    aliases=("tf.math.softsign",),
    forward=lambda x: x / (1 + np.abs(x)),
    vjp=(lambda g, y, x: g / tf.square(1 + tf.abs(x)),),
    domains=(REAL,),
    kink=np.abs,
    source="d x / (1 + |x|) = dx / (1 + |x|)^2",
    convention="1 at 0; TensorFlow has no second derivative",
)

SOFTMAX_SAMPLES = (
    sample((2, 3)),
    sample((2, 3, 2), axis=1),
    sample((2, 3), axis=-2),
    sample((4,)),
    sample((3, 1)),
    sample((0, 3)),
)


def _softmax_type(logits: Tensor, axis: Any = None, name: str | None = None) -> Typed:
    return logits.type, {"axis": one_axis(-1 if axis is None else axis, logits.ndim)}


def shifted(x: Array, axis: int) -> Array:
    """Logits less their maximum, so that no exponential overflows."""
    below: Array = x - x.max(axis, keepdims=True, initial=-np.inf)
    return below


def _softmax(x: Array, axis: int) -> Array:
    e = np.exp(shifted(x, axis))
    shares: Array = e / e.sum(axis, keepdims=True)
    return shares


def _softmax_vjp(g: Tensor, y: Tensor, x: Tensor, axis: int) -> Tensor:
    slope: Tensor = (g - tf.reduce_sum(g * y, axis=axis, keepdims=True)) * y
    return slope


def _log_softmax(x: Array, axis: int) -> Array:
    below = shifted(x, axis)
    logarithms: Array = below - np.log(np.exp(below).sum(axis, keepdims=True))
    return logarithms


def _log_softmax_vjp(g: Tensor, y: Tensor, x: Tensor, axis: int) -> Tensor:
    slope: Tensor = g - tf.reduce_sum(g, axis=axis, keepdims=True) * tf.exp(y)
    return slope


declare(
    "tf.nn.softmax",
    _softmax_type,
    aliases=("tf.math.softmax",),
    forward=_softmax,
    vjp=(_softmax_vjp,),
    domains=(REAL,),
    samples=SOFTMAX_SAMPLES,
    source="J = diag(y) - y y^T, from the output",
    convention="a logit of minus infinity gets 0; NaN if all are",
)
declare(
    "tf.nn.log_softmax",
    _softmax_type,
    aliases=("tf.math.log_softmax",),
    forward=_log_softmax,
    vjp=(_log_softmax_vjp,),
    domains=(REAL,),
    samples=SOFTMAX_SAMPLES,
    source="J = I - 1 softmax^T, from the output",
)
