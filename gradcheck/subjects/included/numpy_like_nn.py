"""Normalizations, activations and losses in terms of a module with NumPy's functions and one with SciPy's."""

from typing import Any

import numpy

from gradcheck.dtypes import Array
from gradcheck.program import Shape
from gradcheck.subjects.vocabulary import Function

SELU = (1.0507009873554804934193349852946, 1.6732632423543772848170429916717)
"""The scale and alpha of Klambauer et al. 2017, Self-Normalizing Neural Networks."""


def normalizations(np: Any) -> dict[str, Function]:
    """Moments, what is made of them, and the bias, by TensorFlow's names."""

    def moments(x: Any, axes: int | Shape, keepdims: bool = False) -> list[Any]:
        mean = np.mean(x, axis=axes, keepdims=True)
        variance = np.mean((x - mean) * np.conj(x - mean), axis=axes, keepdims=keepdims)
        return [np.mean(x, axis=axes, keepdims=keepdims), variance]

    def normalize_moments(counts: Any, mean_ss: Any, variance_ss: Any, shift: Any = None) -> list[Any]:
        shifted = mean_ss / counts
        mean = shifted if shift is None else shifted + shift
        return [mean, variance_ss / counts - np.square(shifted)]

    def batch_normalization(x: Any, mean: Any, variance: Any, offset: Any, scale: Any, variance_epsilon: float) -> Any:
        normal = (x - mean) / np.sqrt(variance + variance_epsilon)
        scaled = normal if scale is None else normal * scale
        return scaled if offset is None else scaled + offset

    def bias_add(value: Any, bias: Any, data_format: str = "NHWC") -> Any:
        after = value.ndim - 2 if data_format.startswith("NC") else 0
        return value + bias.reshape(-1, *[1] * after)

    return {
        "tf.nn.moments": moments,
        "tf.nn.normalize_moments": normalize_moments,
        "tf.nn.batch_normalization": batch_normalization,
        "tf.nn.bias_add": bias_add,
    }


def activations(np: Any, special: Any) -> dict[str, Function]:
    """The activations, by TensorFlow's names."""

    def elu(features: Any) -> Any:
        return np.where(features > 0, features, np.expm1(np.where(features > 0, 0, features)))

    def selu(features: Any) -> Any:
        scale, alpha = SELU
        below = alpha * np.expm1(np.where(features > 0, 0, features))
        return scale * np.where(features > 0, features, below)

    def gelu(features: Any, approximate: bool = False) -> Any:
        if approximate:
            return features / 2 * (1 + np.tanh((2 / numpy.pi) ** 0.5 * (features + 0.044715 * features**3)))
        return features / 2 * (1 + special.erf(features / 2**0.5))

    return {
        "tf.sigmoid": special.expit,
        "tf.math.erf": special.erf,
        "tf.math.erfc": special.erfc,
        "tf.reduce_logsumexp": special.logsumexp,
        "tf.math.log_sigmoid": lambda x: -np.logaddexp(-x, 0),
        "tf.nn.softplus": lambda features: np.logaddexp(features, 0),
        "tf.nn.softsign": lambda features: features / (1 + np.abs(features)),
        "tf.nn.relu": lambda features: np.maximum(features, 0),
        "tf.nn.relu6": lambda features: np.minimum(np.maximum(features, 0), 6),
        "tf.nn.crelu": lambda features, axis=-1: np.maximum(np.concatenate([features, -features], axis), 0),
        "tf.nn.leaky_relu": lambda features, alpha=0.2: np.where(features > 0, features, alpha * features),
        "tf.nn.elu": elu,
        "tf.nn.selu": selu,
        "tf.nn.gelu": gelu,
        "tf.nn.silu": lambda features, beta: features * special.expit(beta * features),
        "tf.nn.softmax": lambda logits, axis=-1: np.exp(_log_softmax(special, logits, axis)),
        "tf.nn.log_softmax": lambda logits, axis=-1: _log_softmax(special, logits, axis),
    }


def losses(np: Any, special: Any) -> dict[str, Function]:
    """The losses, by TensorFlow's names."""

    def softmax_cross_entropy(labels: Any, logits: Any, axis: int = -1) -> Any:
        return -np.sum(labels * _log_softmax(special, logits, axis), axis=axis)

    def sparse_softmax_cross_entropy(labels: Array, logits: Any) -> Any:
        return -np.sum(
            (labels[..., None] == numpy.arange(logits.shape[-1])) * _log_softmax(special, logits, -1), axis=-1
        )

    def sigmoid_cross_entropy(labels: Any, logits: Any) -> Any:
        return np.logaddexp(logits, 0) - logits * labels

    def weighted_cross_entropy(labels: Any, logits: Any, pos_weight: Any) -> Any:
        return (1 - labels) * logits + (1 + (pos_weight - 1) * labels) * np.logaddexp(-logits, 0)

    def log_poisson(targets: Any, log_input: Any, compute_full_loss: bool = False) -> Any:
        loss = np.exp(log_input) - log_input * targets
        if not compute_full_loss:
            return loss
        inside = (targets >= 0) & (targets <= 1)
        above = np.where(inside, 1, targets)
        stirling = above * np.log(above) - above + np.log(2 * numpy.pi * above) / 2
        return loss + np.where(inside, 0, stirling)

    return {
        "tf.nn.softmax_cross_entropy_with_logits": softmax_cross_entropy,
        "tf.nn.sparse_softmax_cross_entropy_with_logits": sparse_softmax_cross_entropy,
        "tf.nn.sigmoid_cross_entropy_with_logits": sigmoid_cross_entropy,
        "tf.nn.weighted_cross_entropy_with_logits": weighted_cross_entropy,
        "tf.nn.log_poisson_loss": log_poisson,
    }


def _log_softmax(special: Any, logits: Any, axis: int) -> Any:
    return logits - special.logsumexp(logits, axis=axis, keepdims=True)
