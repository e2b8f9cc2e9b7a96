"""What declarations about matrices share: the checks of their shapes, samples, and steps of their rules."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gradcheck.dtypes import COMPLEXES, FLOAT32, FLOAT64, Array, is_complex, real_of
from gradcheck.ops.declaration import OpError
from gradcheck.ops.vocabulary import tf
from gradcheck.tensors import Tensor

LAPACK = (FLOAT32, FLOAT64, *COMPLEXES)
"""The dtypes that TensorFlow decomposes matrices in."""


def drawn(*shape: int) -> Array:
    """Matrices to try decompositions with; in real dtypes their real part is taken."""
    rng = np.random.default_rng(5)
    return rng.uniform(-1, 1, shape) + 1j * rng.uniform(-1, 1, shape)


def regular(*shape: int) -> Array:
    """Square matrices that are far from singular."""
    return drawn(*shape) + 2 * np.eye(shape[-1])


def self_adjoint(*shape: int) -> Array:
    """Hermitian matrices whose eigenvalues are apart."""
    a = drawn(*shape)
    return a + conjugate_transpose(a) + np.diag(2.0 * np.arange(shape[-1]))


def order_of(name: str, parameter: str, x: Tensor) -> int:
    """The order of a square matrix, or of each matrix of a batch; `OpError` if they are not square."""
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise OpError(f"`{name}` needs square matrices, not shape {list(x.shape)}", argument=parameter)
    return x.shape[-1]


def sides_of(name: str, parameter: str, x: Tensor) -> tuple[int, int]:
    """The numbers of rows and columns of a matrix, or of each matrix of a batch."""
    if x.ndim < 2:
        raise OpError(f"`{name}` needs a matrix, not a tensor of shape {list(x.shape)}", argument=parameter)
    return x.shape[-2], x.shape[-1]


def conjugate_transpose(x: Array) -> Array:
    """The conjugate transpose of each matrix."""
    return x.conj().swapaxes(-1, -2) if is_complex(x.dtype) else x.swapaxes(-1, -2)


def known_to_lapack(x: Array) -> Array:
    """The same array; a `TypeError`, as NumPy has it, for what is wider than float64 and SciPy would misread."""
    if x.dtype not in LAPACK:
        raise TypeError(f"array type {x.dtype} is unsupported in linalg")
    return x


def each_matrix(solve: Callable[[Array], tuple[Array, ...]], x: Array) -> list[Array]:
    """What `solve` gives for each matrix of a batch with at least one, stacked as the batch is."""
    found = [solve(each) for each in x.reshape(-1, *x.shape[-2:])]
    return [np.stack(each).reshape(*x.shape[:-2], *each[0].shape) for each in zip(*found, strict=True)]


def pointed(vectors: Array) -> Array:
    """The factor for each column that makes its largest element positive: a choice of signs and phases."""
    largest = np.take_along_axis(vectors, np.argmax(np.abs(vectors), axis=0)[None], axis=0)
    turn: Array = largest.conj() / np.abs(largest)
    return turn


def equal_up_to_rounding(gaps: Tensor, values: Tensor) -> Tensor:
    """Whether differences of `values`, eigenvalues or singular values in their last axis, are but rounding."""
    noise = 4 * values.shape[-1] * float(np.finfo(real_of(values.dtype)).eps)
    largest = tf.reduce_max(tf.abs(values), axis=-1)
    equal: Tensor = tf.abs(gaps) <= noise * largest[..., np.newaxis, np.newaxis]
    return equal


def inverse_gaps(values: Tensor) -> Tensor:
    """1 / (v_j - v_i) for each pair of the last axis, and 0 where the two are equal up to rounding."""
    gaps = values[..., np.newaxis, :] - values[..., np.newaxis]
    equal = equal_up_to_rounding(gaps, values)
    ones = tf.ones_like(gaps)
    inverses: Tensor = tf.where(equal, tf.zeros_like(gaps), ones / tf.where(equal, ones, gaps))
    return inverses
