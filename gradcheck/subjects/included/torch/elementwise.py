"""Arithmetic and functions of single elements."""

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from gradcheck.dtypes import DType
from gradcheck.subjects.included.torch.tensors import dtype_of


def _cast(x: Tensor, dtype: DType) -> Tensor:
    wanted = dtype_of(dtype)
    if x.is_complex() and not wanted.is_complex:
        x = torch.real(x)  # torch would warn that the imaginary part is dropped
    return x.to(wanted)


def _where(condition: Tensor, x: Tensor | None = None, y: Tensor | None = None) -> Tensor:
    return torch.nonzero(condition) if x is None else torch.where(condition, x, y)


def _clip(t: Tensor, clip_value_min: Tensor, clip_value_max: Tensor) -> Tensor:
    return torch.clamp(t, clip_value_min, clip_value_max)


def _squared_difference(x: Tensor, y: Tensor) -> Tensor:
    difference = x - y
    return difference * difference.conj()


def _divide_no_nan(x: Tensor, y: Tensor) -> Tensor:
    return torch.where(y == 0, torch.zeros_like(x), x / torch.where(y == 0, torch.ones_like(y), y))


def _xdivy(x: Tensor, y: Tensor) -> Tensor:
    return torch.where(x == 0, torch.zeros_like(x), x / torch.where(x == 0, torch.ones_like(y), y))


def _imag(input: Tensor) -> Tensor:
    return torch.imag(input) if input.is_complex() else torch.zeros_like(input)


def _leaky_relu(features: Tensor, alpha: float = 0.2) -> Tensor:
    return functional.leaky_relu(features, alpha)


def _crelu(features: Tensor, axis: int = -1) -> Tensor:
    return functional.relu(torch.cat([features, -features], axis))


def _gelu(features: Tensor, approximate: bool = False) -> Tensor:
    return functional.gelu(features, approximate="tanh" if approximate else "none")


def _silu(features: Tensor, beta: Tensor) -> Tensor:
    if features.is_complex() or beta.requires_grad or bool((beta != 1).any()):  # all that `silu` is not made for
        return features * torch.sigmoid(beta * features)
    return functional.silu(features)


def _leaky_relu_grad(gradients: Tensor, features: Tensor, alpha: float = 0.2) -> Tensor:
    return torch.ops.aten.leaky_relu_backward(gradients, features, alpha, False)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "tf.add": torch.add,
    "tf.subtract": torch.subtract,
    "tf.multiply": torch.multiply,
    "tf.negative": torch.negative,
    "tf.truediv": torch.true_divide,
    "tf.divide": torch.true_divide,
    "tf.pow": torch.pow,
    "tf.math.floordiv": torch.floor_divide,
    "tf.math.floormod": torch.remainder,
    "tf.truncatediv": lambda x, y: torch.div(x, y, rounding_mode="trunc"),
    "tf.less": torch.less,
    "tf.less_equal": torch.less_equal,
    "tf.greater": torch.greater,
    "tf.greater_equal": torch.greater_equal,
    "tf.equal": torch.eq,
    "tf.not_equal": torch.not_equal,
    "tf.logical_and": torch.logical_and,
    "tf.logical_or": torch.logical_or,
    "tf.logical_not": torch.logical_not,
    "tf.math.logical_xor": torch.logical_xor,
    "tf.where": _where,
    "tf.maximum": torch.maximum,
    "tf.minimum": torch.minimum,
    "tf.clip_by_value": _clip,
    "tf.add_n": lambda inputs: functools.reduce(torch.add, inputs),
    "tf.math.squared_difference": _squared_difference,
    "tf.math.divide_no_nan": _divide_no_nan,
    "tf.math.reciprocal_no_nan": lambda x: _divide_no_nan(torch.ones_like(x), x),
    "tf.math.xlogy": torch.xlogy,
    "tf.math.xlog1py": torch.special.xlog1py,
    "tf.math.xdivy": _xdivy,
    "tf.identity": torch.clone,
    "tf.stop_gradient": torch.detach,
    "tf.cast": _cast,
    "tf.abs": torch.abs,
    "tf.sign": torch.sgn,
    "tf.square": torch.square,
    "tf.sqrt": torch.sqrt,
    "tf.math.rsqrt": torch.rsqrt,
    "tf.math.reciprocal": torch.reciprocal,
    "tf.exp": torch.exp,
    "tf.math.expm1": torch.expm1,
    "tf.math.log": torch.log,
    "tf.math.log1p": torch.log1p,
    "tf.floor": torch.floor,
    "tf.math.ceil": torch.ceil,
    "tf.round": torch.round,
    "tf.math.rint": torch.round,
    "tf.math.is_nan": torch.isnan,
    "tf.math.is_inf": torch.isinf,
    "tf.math.is_finite": torch.isfinite,
    "tf.math.erf": torch.erf,
    "tf.math.erfc": torch.erfc,
    "tf.sin": torch.sin,
    "tf.cos": torch.cos,
    "tf.tan": torch.tan,
    "tf.asin": torch.asin,
    "tf.acos": torch.acos,
    "tf.atan": torch.atan,
    "tf.sinh": torch.sinh,
    "tf.cosh": torch.cosh,
    "tf.tanh": torch.tanh,
    "tf.asinh": torch.asinh,
    "tf.acosh": torch.acosh,
    "tf.atanh": torch.atanh,
    "tf.atan2": torch.atan2,
    "tf.math.real": torch.real,
    "tf.math.imag": _imag,
    "tf.math.conj": torch.conj,
    "tf.math.angle": torch.angle,
    "tf.complex": torch.complex,
    "tf.sigmoid": torch.sigmoid,
    "tf.math.log_sigmoid": functional.logsigmoid,
    "tf.nn.relu": functional.relu,
    "tf.nn.relu6": functional.relu6,
    "tf.nn.leaky_relu": _leaky_relu,
    "tf.nn.elu": functional.elu,
    "tf.nn.selu": functional.selu,
    "tf.nn.crelu": _crelu,
    "tf.nn.gelu": _gelu,
    "tf.nn.silu": _silu,
    "tf.nn.softplus": functional.softplus,
    "tf.nn.softsign": functional.softsign,
    "tf.raw_ops.ReluGrad": lambda gradients, features: torch.ops.aten.threshold_backward(gradients, features, 0),
    "tf.raw_ops.Relu6Grad": lambda gradients, features: torch.ops.aten.hardtanh_backward(gradients, features, 0, 6),
    "tf.raw_ops.LeakyReluGrad": _leaky_relu_grad,
}
