"""Biases, statistics and normalisation."""

from __future__ import annotations

from typing import Any

from gradcheck.dtypes import FLOAT16, FLOAT32, Array, is_complex
from gradcheck.ops.declaration import INEXACT, NUMERIC, POSITIVE, REAL, Interval, OpError, compose, declare, sample
from gradcheck.ops.shapes import Typed, as_bool
from gradcheck.ops.vocabulary import tf
from gradcheck.tensors import Tensor


def _bias_add_type(value: Tensor, bias: Tensor, data_format: Any = None, name: str | None = None) -> Typed:
    layout = "N...C" if data_format is None else data_format
    first = isinstance(layout, str) and layout.startswith("NC")
    if not first and not (isinstance(layout, str) and layout.startswith("N") and layout.endswith("C")):
        raise OpError(f"`data_format` is `N...C` or `NC...`, not {data_format!r}", argument="data_format")
    if value.ndim < 2:
        raise OpError(
            f"`tf.nn.bias_add` needs at least a matrix, not shape {list(value.shape)}",
            argument="value",
            help="write `value + bias`",
        )
    channels = value.shape[1 if first else -1]
    if bias.shape != (channels,):
        raise OpError(
            f"`tf.nn.bias_add`: {channels} channels of {list(value.shape)} need a bias of shape {[channels]}, "
            f"not {list(bias.shape)}",
            argument="bias",
        )
    return value.type, {"data_format": "NCHW" if first else "NHWC"}


def _bias_add(value: Array, bias: Array, data_format: str) -> Array:
    lined_up = bias.reshape(-1, *[1] * (value.ndim - 2)) if data_format == "NCHW" else bias
    total: Array = value + lined_up
    return total


@compose(
    "tf.raw_ops.BiasAddGrad",
    domains=(REAL,),
    dtypes=NUMERIC,
    samples=(sample((2, 3)), sample((2, 2, 1, 3)), sample((2, 3, 1, 2), "NCHW"), sample((0, 3))),
    convention="TensorFlow adds 16-bit floats up in their own dtype",
)
def _bias_add_grad(out_backprop: Tensor, data_format: Any = "NHWC", name: str | None = None) -> Tensor:
    if data_format not in ("NHWC", "NCHW"):
        raise OpError(f"`data_format` is `NHWC` or `NCHW`, not {data_format!r}", argument="data_format")
    if out_backprop.ndim < 2:
        raise OpError(
            f"`tf.raw_ops.BiasAddGrad` needs at least a matrix, not shape {list(out_backprop.shape)}",
            argument="out_backprop",
        )
    channel = 1 if data_format == "NCHW" else out_backprop.ndim - 1
    others = [axis for axis in range(out_backprop.ndim) if axis != channel]
    total: Tensor = tf.reduce_sum(out_backprop, axis=others)
    return total


declare(
    "tf.nn.bias_add",
    _bias_add_type,
    forward=_bias_add,
    vjp=(
        lambda g, y, value, bias, data_format: g,
        lambda g, y, value, bias, data_format: tf.raw_ops.BiasAddGrad(g, data_format),
    ),
    domains=(REAL, REAL),
    dtypes=NUMERIC,
    samples=(
        sample((2, 3), (3,)),
        sample((2, 2, 3), (3,), data_format="N...C"),
        sample((2, 3, 2), (3,), data_format="NC..."),
        sample((2, 3, 1, 2), (3,), "NCHW"),
        sample((0, 3), (3,)),
    ),
    source="linear: the bias receives the sum over everything but its channel",
)


@compose(
    "tf.nn.batch_normalization",
    domains=(REAL, REAL, POSITIVE, REAL, REAL),
    dtypes=INEXACT,
    samples=(
        sample((2, 3), (3,), (3,), (3,), (3,), 1e-3),
        sample((2, 3), (3,), (3,), None, None, 0.1),
        sample((2, 2, 3), (1, 1, 3), (1, 1, 3), (3,), None, 0.1),
        sample((2, 3), (), (), None, (3,), variance_epsilon=1e-3),
    ),
    convention="plain arithmetic on statistics that are given",
)
def _batch_normalization(
    x: Tensor,
    mean: Tensor,
    variance: Tensor,
    offset: Tensor | None,
    scale: Tensor | None,
    variance_epsilon: Any,
    name: str | None = None,
) -> Tensor:
    inverse = tf.math.rsqrt(variance + variance_epsilon)
    if scale is not None:
        inverse = inverse * scale
    shift = -mean * inverse if offset is None else offset - mean * inverse
    normalised: Tensor = x * inverse + shift
    return normalised


@compose(
    "tf.nn.batch_norm_with_global_normalization",
    domains=(REAL, REAL, POSITIVE, REAL, REAL),
    dtypes=INEXACT,
    samples=(
        sample((2, 2, 1, 3), (3,), (3,), (3,), (3,), 1e-3, True),
        sample((2, 3), (3,), (3,), (), (), 0.1, scale_after_normalization=True),
    ),
    convention="plain arithmetic on statistics that are given; without scaling `gamma` is not connected",
)
def _batch_norm_with_global_normalization(
    input: Tensor,  # noqa: A002
    mean: Tensor,
    variance: Tensor,
    beta: Tensor,
    gamma: Tensor,
    variance_epsilon: Any,
    scale_after_normalization: Any,
    name: str | None = None,
) -> Tensor:
    scale = gamma if as_bool(scale_after_normalization, "scale_after_normalization") else None
    normalised: Tensor = tf.nn.batch_normalization(input, mean, variance, beta, scale, variance_epsilon)
    return normalised


@compose(
    "tf.nn.moments",
    domains=(REAL,),
    dtypes=INEXACT,
    several=True,
    samples=(
        sample((2, 3), [0]),
        sample((2, 3, 2), [0, -1], keepdims=True),
        sample((3, 1), axes=1),
        sample((4,), [0], None, True),
    ),
    errata=("complex", "second order"),
    convention="mean and variance (divided by n); TensorFlow holds the mean fixed in the derivative of the variance, "
    "which is right at first order only; float16 is computed in float32",
)
def _moments(x: Tensor, axes: Any, shift: Any = None, keepdims: Any = False, name: str | None = None) -> list[Tensor]:
    keepdims = as_bool(keepdims, "keepdims")
    wide = tf.cast(x, FLOAT32) if x.dtype == FLOAT16 else x
    mean = tf.reduce_mean(wide, axis=axes, keepdims=True)
    variance = tf.reduce_mean(tf.math.squared_difference(wide, mean), axis=axes, keepdims=keepdims)
    mean = mean if keepdims else tf.reshape(mean, variance.shape)
    return [tf.cast(each, x.dtype) if x.dtype == FLOAT16 else each for each in (mean, variance)]


@compose(
    "tf.nn.normalize_moments",
    domains=(POSITIVE, REAL, REAL, REAL),
    dtypes=INEXACT,
    several=True,
    samples=(sample((), (3,), (3,), ()), sample((), (2, 3), (2, 3), None)),
)
def _normalize_moments(
    counts: Tensor, mean_ss: Tensor, variance_ss: Tensor, shift: Tensor | None, name: str | None = None
) -> list[Tensor]:
    divisor = tf.math.reciprocal(counts)
    shifted_mean = mean_ss * divisor
    mean = shifted_mean if shift is None else shifted_mean + shift
    return [mean, variance_ss * divisor - tf.square(shifted_mean)]


@compose(
    "tf.math.l2_normalize",
    aliases=("tf.nn.l2_normalize", "tf.linalg.l2_normalize"),
    domains=(Interval(0.5, 2.0),),
    dtypes=INEXACT,
    samples=(
        sample((2, 3)),
        sample((2, 3), axis=1),
        sample((2, 3, 2), axis=[0, -1], epsilon=1e-3),
        sample((3,), 0, 100.0),
        sample((0, 3), axis=1),
        sample((2, 3), dim=1),
    ),
    convention="x / sqrt(max(|x|^2, epsilon)): the slope at 0 is 1 / sqrt(epsilon), not infinite",
)
def _l2_normalize(
    x: Tensor, axis: Any = None, epsilon: Any = 1e-12, name: str | None = None, dim: Any = None
) -> Tensor:
    if axis is not None and dim is not None:
        raise OpError("`tf.math.l2_normalize` takes `axis` or its old name `dim`, not both", argument="dim")
    axis = dim if axis is None else axis
    if is_complex(x.dtype):
        real, imag = tf.math.real(x), tf.math.imag(x)
        squares = tf.square(real) + tf.square(imag)
    else:
        squares = tf.square(x)
    inverse = tf.math.rsqrt(tf.maximum(tf.reduce_sum(squares, axis=axis, keepdims=True), epsilon))
    normalised: Tensor = tf.complex(real * inverse, imag * inverse) if is_complex(x.dtype) else x * inverse
    return normalised
