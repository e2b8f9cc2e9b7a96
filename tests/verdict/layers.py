"""Layers as people write them: the case, the function, and its gradient by hand with what may be wrong in it."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from gradcheck.dtypes import Array

Function = Callable[..., Any]


class Layer(NamedTuple):
    """A case, the function that it describes, and its gradient by hand, which takes what may be wrong in it."""

    case: str
    forward: Function
    backward: Function


def swapped(array: Array) -> Any:
    return array.swapaxes(-1, -2)


def mean(array: Array) -> Any:
    return array.mean(-1, keepdims=True)


def softmax(array: Array) -> Any:
    powers = np.exp(array - array.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def identity(value: Any) -> Any:
    return value


# A linear layer.

LINEAR = """\
inputs:
  x: {shape: [4, 3], random: normal, seed: 1}
  w: {shape: [3, 2], random: normal, seed: 2}
  b: {shape: [2], random: normal, seed: 3}
expr: x @ w + b
"""


def linear(change: Function = lambda dx, dw, db, dy: (dx, dw, db)) -> Function:
    return lambda x, w, b, dy: change(dy @ w.T, x.T @ dy, dy.sum(0), dy)


# Two square matrices under an activation.

ACTIVATED = """\
inputs:
  x: {shape: [3, 3], random: normal, seed: 1}
  w: {shape: [3, 3], random: normal, seed: 2}
expr: |
  z = x @ w
  tf.sigmoid(z)
"""


def sigmoid(z: Array) -> Any:
    return 1 / (1 + np.exp(-z))


def activated(
    slope: Function = lambda z, y: y * (1 - y),
    change: Function = lambda dx, dw: (dx, dw),
    other: Function = np.transpose,
) -> Function:
    def backward(x: Array, w: Array, dy: Array) -> Any:
        dz = dy * slope(x @ w, sigmoid(x @ w))
        return change(dz @ other(w), x.T @ dz)

    return backward


# Layer normalisation.

LAYER_NORM = """\
inputs:
  x: {shape: [4, 10], random: normal, seed: 1}
  gamma: {shape: [10], random: uniform, low: 0.5, high: 1.5, seed: 2}
  beta: {shape: [10], random: normal, seed: 3}
expr: |
  d = x - tf.reduce_mean(x, axis=-1, keepdims=True)
  v = tf.reduce_mean(tf.square(d), axis=-1, keepdims=True)
  r = tf.math.rsqrt(v + 1e-5)
  d * r * gamma + beta
"""


def centred(x: Array) -> tuple[Array, Array]:
    return x - mean(x), 1 / np.sqrt(mean((x - mean(x)) ** 2) + 1e-5)


def layer_norm(x: Array, gamma: Array, beta: Array) -> Any:
    d, r = centred(x)
    return d * r * gamma + beta


def through_layer_norm(
    mean_term: Function = mean, variance_term: Function = mean, scale: Function = lambda d, r: d * r
) -> Function:
    def backward(x: Array, gamma: Array, beta: Array, dy: Array) -> Any:
        d, r = centred(x)
        g = dy * gamma
        dx = r * (g - mean_term(g) - d * r * variance_term(g * d * r))
        return dx, (dy * scale(d, r)).sum(0), dy.sum(0)

    return backward


# Softmax cross-entropy.

CROSS_ENTROPY = """\
inputs:
  logits: {shape: [4, 5], random: normal, seed: 1}
  labels: {value: [1, 0, 3, 4], dtype: int32}
expr: |
  losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
  tf.reduce_mean(losses)
"""


def cross_entropy(logits: Array, labels: Array) -> Any:
    return -np.log(softmax(logits)[np.arange(4), labels]).mean()


def through_cross_entropy(factor: float = 1.0, use: Function = identity) -> Function:
    return lambda logits, labels, dy: use(dy) * factor * (softmax(logits) - np.eye(5)[labels]) / 4


# Attention.

ATTENTION = """\
inputs:
  q: {shape: [2, 4, 8], random: normal, seed: 1}
  k: {shape: [2, 6, 8], random: normal, seed: 2}
  v: {shape: [2, 6, 3], random: normal, seed: 3}
  mask: {value: [[1, 1, 1, 1, 0, 0], [1, 1, 1, 1, 1, 1]], dtype: bool}
expr: |
  s = tf.matmul(q, k, transpose_b=True) / math.sqrt(q.shape[-1])
  s = tf.where(mask[:, tf.newaxis, :], s, -1e9)
  p = tf.nn.softmax(s, axis=-1)
  p @ v
"""


def weights(q: Array, k: Array, mask: Array) -> Any:
    return softmax(np.where(mask[:, None, :], q @ swapped(k) / np.sqrt(8), -1e9))


def through_attention(
    scale: float = 1 / np.sqrt(8), inner: Function = lambda p, dp: p * (dp - (dp * p).sum(-1, keepdims=True))
) -> Function:
    def backward(q: Array, k: Array, v: Array, mask: Array, dy: Array) -> Any:
        p = weights(q, k, mask)
        ds = inner(p, dy @ swapped(v)) * scale
        return ds @ k, swapped(ds) @ q, swapped(p) @ dy

    return backward


# A product of stacks of matrices.

BATCHED = """\
inputs:
  x: {shape: [3, 3, 3], random: normal, seed: 1}
  y: {shape: [3, 3, 3], random: normal, seed: 2}
expr: tf.exp(0.3 * x @ y)
"""


def batched(left: Function = swapped, right: Function = swapped) -> Function:
    def backward(x: Array, y: Array, dy: Array) -> Any:
        dz = 0.3 * dy * np.exp(0.3 * x @ y)
        return dz @ right(y), left(x) @ dz

    return backward


# The tanh approximation of GELU.

GELU = """\
inputs: {x: [-3.0, -1.0, 0.2, 0.5, 1.0, 3.0]}
expr: |
  u = math.sqrt(2 / math.pi) * (x + 0.044715 * x ** 3)
  t = tf.tanh(u)
  0.5 * x * (1 + t)
"""
ROOT = np.sqrt(2 / np.pi)


def gelu(x: Array) -> Any:
    return 0.5 * x * (1 + np.tanh(ROOT * (x + 0.044715 * x**3)))


def through_gelu(
    root: float = ROOT, cubic: float = 3 * 0.044715, slope: Function = lambda t: 1 - t * t, whole: float = 1.0
) -> Function:
    def backward(x: Array, dy: Array) -> Any:
        t = np.tanh(ROOT * (x + 0.044715 * x**3))
        return whole * dy * (0.5 * (1 + t) + 0.5 * x * slope(t) * root * (1 + cubic * x * x))

    return backward


# An embedding whose rows are used more than once.

EMBEDDING = """\
inputs:
  table: {shape: [6, 3], random: normal, seed: 1}
  index: {value: [1, 4, 1, 0], dtype: int32}
  w: {shape: [3, 2], random: normal, seed: 2}
expr: |
  rows = tf.gather(table, index)
  tf.tanh(rows @ w)
"""


def overwritten(total: Array, index: Array, rows: Array) -> None:
    total[index] = rows


def embedding(scatter: Function = np.add.at) -> Function:
    def backward(table: Array, index: Array, w: Array, dy: Array) -> Any:
        dz = dy * (1 - np.tanh(table[index] @ w) ** 2)
        total = np.zeros_like(table)
        scatter(total, index, dz @ w.T)
        return {"table": total, "w": table[index].T @ dz}

    return backward


# A network with a squared error.

NETWORK = """\
inputs:
  x: {shape: [8, 5], random: normal, seed: 1}
  target: {shape: [8, 2], random: normal, seed: 2}
  w1: {shape: [5, 6], random: normal, std: 0.4, seed: 3}
  b1: {shape: [6], random: normal, std: 0.1, seed: 4}
  w2: {shape: [6, 2], random: normal, std: 0.3, seed: 5}
expr: |
  a = x @ w1 + b1
  h = tf.nn.relu(a)
  e = h @ w2 - target
  tf.reduce_mean(e ** 2)
wrt: [w1, b1, w2]
"""


def network(x: Array, target: Array, w1: Array, b1: Array, w2: Array) -> Any:
    return ((np.maximum(x @ w1 + b1, 0) @ w2 - target) ** 2).mean()


def through_network(
    factor: float = 2 / 16, kept: Function = lambda a: a > 0, hidden: Function = lambda a: np.maximum(a, 0)
) -> Function:
    def backward(x: Array, target: Array, w1: Array, b1: Array, w2: Array, dy: Array) -> Any:
        a = x @ w1 + b1
        de = dy * factor * (np.maximum(a, 0) @ w2 - target)
        da = de @ w2.T * kept(a)
        return x.T @ da, da.sum(0), hidden(a).T @ de

    return backward


# Complex numbers.

COMPLEX = """\
dtype: complex128
inputs:
  z: {shape: [3, 3], random: normal, seed: 1}
  w: {shape: [3, 3], random: normal, seed: 2}
expr: tf.sin(z @ w)
"""


def complex_product(
    slope: Function = lambda u: np.conj(np.cos(u)), turned: Function = lambda a: a.conj().T
) -> Function:
    def backward(z: Array, w: Array, dy: Array) -> Any:
        du = dy * slope(z @ w)
        return du @ turned(w), turned(z) @ du

    return backward


# One value that three operations read.

THRICE = """\
inputs: {x: [0.5, -1.0, 2.0, 0.3]}
expr: |
  y = tf.sin(x)
  tf.exp(y) + y * 3.0 + tf.square(y)
"""


def thrice(parts: Function = lambda a, b, c: a + b + c) -> Function:
    def backward(x: Array, dy: Array) -> Any:
        y = np.sin(x)
        return parts(dy * np.exp(y), 3 * dy, 2 * y * dy) * np.cos(x)

    return backward


LAYERS = {
    "linear": Layer(LINEAR, lambda x, w, b: x @ w + b, linear),
    "activated": Layer(ACTIVATED, lambda x, w: sigmoid(x @ w), activated),
    "layer_norm": Layer(LAYER_NORM, layer_norm, through_layer_norm),
    "cross_entropy": Layer(CROSS_ENTROPY, cross_entropy, through_cross_entropy),
    "attention": Layer(ATTENTION, lambda q, k, v, mask: weights(q, k, mask) @ v, through_attention),
    "batched": Layer(BATCHED, lambda x, y: np.exp(0.3 * x @ y), batched),
    "gelu": Layer(GELU, gelu, through_gelu),
    "embedding": Layer(EMBEDDING, lambda table, index, w: np.tanh(table[index] @ w), embedding),
    "network": Layer(NETWORK, network, through_network),
    "complex": Layer(COMPLEX, lambda z, w: np.sin(z @ w), complex_product),
    "thrice": Layer(THRICE, lambda x: np.exp(np.sin(x)) + 3 * np.sin(x) + np.sin(x) ** 2, thrice),
}
