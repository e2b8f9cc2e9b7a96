"""The decompositions with triangular factors, and what is solved with such factors."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from gradcheck.dtypes import COMPLEX128, COMPLEXES, DTYPES, FLOATS, INT32, Array, is_complex
from gradcheck.ops.arrays.shaping import as_dtype
from gradcheck.ops.batching import aligned
from gradcheck.ops.declaration import REAL, Index, Interval, OpError, Scalar, compose, declare, sample
from gradcheck.ops.linalg.matrices import LAPACK, drawn, order_of, regular, sides_of
from gradcheck.ops.shapes import as_bool, as_float
from gradcheck.ops.vocabulary import tf
from gradcheck.program import TensorType
from gradcheck.tensors import Tensor

Types = tuple[list[TensorType], dict[str, Any]]

DIAGONAL = Interval(1.0, 3.0)
"""Triangular matrices are tried with elements that are far from 0."""


# Orthogonal and triangular


def _qr_type(input: Tensor, full_matrices: bool = False, name: str | None = None) -> Types:  # noqa: A002
    rows, columns = sides_of("tf.linalg.qr", "input", input)
    full = as_bool(full_matrices, "full_matrices")
    inner = rows if full else min(rows, columns)
    batch = input.shape[:-2]
    shapes = ((*batch, rows, inner), (*batch, inner, columns))
    return [TensorType(each, input.dtype) for each in shapes], {"full_matrices": full}


def _qr_vjp(g: list[Tensor], y: list[Tensor], x: Tensor, full_matrices: bool) -> Tensor:
    (toward_q, toward_r), (q, r) = g, y
    rows, columns = x.shape[-2:]
    if rows >= columns:
        if full_matrices and rows > columns:
            raise OpError(
                "`tf.linalg.qr` with `full_matrices=True` has no gradient for more rows than columns",
                argument="full_matrices",
                help="the columns of q beyond those of the matrix are any that complete it",
            )
        return _tall_vjp(toward_q, toward_r, q, r)
    beyond = toward_r[..., rows:]
    left = _tall_vjp(
        toward_q + tf.matmul(x[..., rows:], beyond, adjoint_b=True), toward_r[..., :rows], q, r[..., :rows]
    )
    part: Tensor = tf.concat([left, tf.matmul(q, beyond)], axis=-1)
    return part


def _tall_vjp(toward_q: Tensor, toward_r: Tensor, q: Tensor, r: Tensor) -> Tensor:
    inner = tf.matmul(r, toward_r, adjoint_b=True) - tf.matmul(toward_q, q, adjoint_a=True)
    below = tf.linalg.band_part(inner, -1, 0)
    both = below + tf.linalg.adjoint(below)
    diagonal = tf.linalg.diag_part(inner)
    if is_complex(inner.dtype):  # the diagonal of r is real
        diagonal = tf.cast(tf.math.real(diagonal), inner.dtype)
    whole = toward_q + tf.matmul(q, tf.linalg.set_diag(both, diagonal))
    part: Tensor = tf.linalg.adjoint(tf.linalg.triangular_solve(r, tf.linalg.adjoint(whole), lower=False))
    return part


declare(
    "tf.linalg.qr",
    _qr_type,
    forward=lambda x, full_matrices: list(np.linalg.qr(x, "complete" if full_matrices else "reduced")),
    vjp=(_qr_vjp,),
    domains=(REAL,),
    batching=aligned,
    rounding="backward",
    dtypes=LAPACK,
    several=True,
    samples=(
        sample(regular(3, 3)),
        sample(drawn(2, 4, 2)),
        sample(drawn(2, 4)),
        sample(drawn(2, 3), full_matrices=True),
        sample(np.array([[-2.0 + 1.0j]])),
        sample((0, 2)),
    ),
    source="A = Q R gives dA = (dQ + Q copyltu(R dR^H - dQ^H Q)) R^-H (Walter and Lehmann 2012; Roberts and Roberts "
    "2020 for wide and complex matrices)",
    convention="the diagonal of R is real, with the signs of Householder's reflections; NaN where the first columns "
    "are linearly dependent; TensorFlow has no gradient with `full_matrices=True` for more rows than columns",
)


# Lower and upper triangular


def _lu_type(
    input: Tensor,  # noqa: A002  # TensorFlow's name
    output_idx_type: Any = INT32,
    name: str | None = None,
) -> Types:
    order_of("tf.linalg.lu", "input", input)
    dtype = as_dtype(output_idx_type)
    if dtype not in (INT32, DTYPES["int64"]):
        raise OpError(f"`output_idx_type` must be int32 or int64, not {dtype.name}", argument="output_idx_type")
    return [input.type, TensorType(input.shape[:-1], dtype)], {"output_idx_type": dtype}


def _lu(x: Array, output_idx_type: Any) -> list[Array]:
    """By columns, for the whole batch at once, with the largest element of each as its pivot."""
    order = x.shape[-1]
    factors = x.reshape(prod(x.shape[:-2]), order, order).copy()
    rows = np.broadcast_to(np.arange(order), factors.shape[:-1]).copy()
    batch = np.arange(len(factors))
    for at in range(order):
        pivot = at + np.argmax(np.abs(factors[:, at:, at]), axis=1)
        for each in (factors, rows):
            each[batch, at], each[batch, pivot] = each[batch, pivot], each[batch, at]
        if np.any(factors[:, at, at] == 0):
            raise np.linalg.LinAlgError("Singular matrix")
        factors[:, at + 1 :, at] /= factors[:, at, at, np.newaxis]
        factors[:, at + 1 :, at + 1 :] -= factors[:, at + 1 :, at, np.newaxis] * factors[:, at, np.newaxis, at + 1 :]
    return [factors.reshape(x.shape), rows.reshape(x.shape[:-1]).astype(output_idx_type)]


declare(
    "tf.linalg.lu",
    _lu_type,
    forward=_lu,
    domains=(),
    batching=aligned,
    rounding="backward",
    dtypes=LAPACK,
    several=True,
    samples=(sample(regular(3, 3)), sample(regular(2, 2, 2)), sample((0, 0))),
    convention="TensorFlow has no gradient; a singular matrix is an error",
)


def _check_lu(name: str, lower_upper: Tensor, perm: Tensor) -> int:
    order = order_of(name, "lower_upper", lower_upper)
    if perm.shape != lower_upper.shape[:-1]:
        raise OpError(
            f"`{name}`: `perm` must have shape {list(lower_upper.shape[:-1])}, not {list(perm.shape)}", argument="perm"
        )
    return order


def _unit_lower(lower_upper: Tensor) -> Tensor:
    below = tf.linalg.band_part(lower_upper, -1, 0)
    lower: Tensor = tf.linalg.set_diag(below, tf.ones_like(tf.linalg.diag_part(lower_upper)))
    return lower


@compose(
    "tf.linalg.lu_solve",
    domains=(DIAGONAL, REAL),
    dtypes=LAPACK,
    samples=(
        sample(regular(3, 3), [2, 0, 1], (3, 2)),
        sample(regular(2, 2, 2), [[0, 1], [1, 0]], (2, 2, 1)),
        sample(regular(2, 2), [1, 0], (2, 0)),
    ),
    convention="a 0 on the diagonal of the upper factor gives inf or NaN",
)
def _lu_solve(
    lower_upper: Tensor, perm: Index, rhs: Tensor, validate_args: bool = False, name: str | None = None
) -> Tensor:
    order = _check_lu("tf.linalg.lu_solve", lower_upper, perm)
    if rhs.ndim < 2 or rhs.shape[-2] != order:
        raise OpError(f"`rhs` must have {order} rows, not shape {list(rhs.shape)}", argument="rhs")
    as_bool(validate_args, "validate_args")
    batch = np.broadcast_shapes(perm.shape[:-1], rhs.shape[:-2])
    many = tf.broadcast_to(rhs, (*batch, *rhs.shape[-2:]))
    rows = tf.broadcast_to(perm, (*batch, order))
    permuted = tf.gather(many, rows, axis=-2, batch_dims=len(batch))
    inner = tf.linalg.triangular_solve(_unit_lower(lower_upper), permuted)
    solution: Tensor = tf.linalg.triangular_solve(lower_upper, inner, lower=False)
    return solution


@compose(
    "tf.linalg.lu_matrix_inverse",
    domains=(DIAGONAL,),
    dtypes=LAPACK,
    samples=(sample(regular(3, 3), [1, 2, 0]), sample(regular(2, 2, 2), [[0, 1], [1, 0]])),
    convention="a 0 on the diagonal of the upper factor gives inf or NaN",
)
def _lu_matrix_inverse(
    lower_upper: Tensor, perm: Index, validate_args: bool = False, name: str | None = None
) -> Tensor:
    order = _check_lu("tf.linalg.lu_matrix_inverse", lower_upper, perm)
    identity = tf.eye(order, batch_shape=lower_upper.shape[:-2], dtype=lower_upper.dtype)
    inverse: Tensor = tf.linalg.lu_solve(lower_upper, perm, identity, validate_args=validate_args)
    return inverse


@compose(
    "tf.linalg.lu_reconstruct",
    domains=(REAL,),
    dtypes=(*FLOATS, *COMPLEXES),
    samples=(sample((3, 3), [1, 2, 0]), sample((2, 2, 2), [[0, 1], [1, 0]])),
)
def _lu_reconstruct(lower_upper: Tensor, perm: Index, validate_args: bool = False, name: str | None = None) -> Tensor:
    _check_lu("tf.linalg.lu_reconstruct", lower_upper, perm)
    as_bool(validate_args, "validate_args")
    product = tf.matmul(_unit_lower(lower_upper), tf.linalg.band_part(lower_upper, 0, -1))
    matrix: Tensor = tf.gather(product, tf.argsort(perm), axis=-2, batch_dims=perm.ndim - 1)
    return matrix


# With Cholesky's factor


@compose(
    "tf.linalg.cholesky_solve",
    domains=(DIAGONAL, REAL),
    dtypes=LAPACK,
    samples=(sample((3, 3), (3, 2)), sample((2, 2, 2), (2, 1)), sample((2, 2), (2, 0))),
    convention="the lower triangle is read; a 0 on the diagonal gives inf or NaN",
)
def _cholesky_solve(chol: Tensor, rhs: Tensor, name: str | None = None) -> Tensor:
    solution: Tensor = tf.linalg.triangular_solve(chol, tf.linalg.triangular_solve(chol, rhs), adjoint=True)
    return solution


REGULARIZER = Interval(0.1, 1.0)


@compose(
    "tf.linalg.lstsq",
    domains=(REAL, REAL, REGULARIZER),
    dtypes=LAPACK,
    samples=(
        sample(drawn(4, 2), (4, 2)),
        sample(drawn(2, 4), (2, 1)),
        sample(drawn(2, 3, 2), (2, 3, 1)),
    ),
    convention="by the normal equations and Cholesky's decomposition, so that NaN results where the columns (or rows, "
    "if there are fewer) are linearly dependent; with `fast=False` by a QR decomposition without the regularizer, "
    "where TensorFlow has no gradient; it takes no regularizer of complex128",
)
def _lstsq(
    matrix: Tensor,
    rhs: Tensor,
    l2_regularizer: Scalar = 0.0,  # type: ignore[assignment]  # a number stays one
    fast: bool = True,
    name: str | None = None,
) -> Tensor:
    rows, columns = sides_of("tf.linalg.lstsq", "matrix", matrix)
    if rhs.ndim < 2 or rhs.shape[-2] != rows:
        raise OpError(f"`rhs` must have {rows} rows, not shape {list(rhs.shape)}", argument="rhs")
    weight: Any = l2_regularizer
    regularized = isinstance(weight, Tensor) or as_float(weight, "l2_regularizer") != 0
    if regularized and matrix.dtype == COMPLEX128:
        raise OpError("`tf.linalg.lstsq` takes no regularizer of complex128", argument="l2_regularizer")
    tall = rows >= columns
    if not as_bool(fast, "fast"):
        return _by_qr(matrix, rhs) if tall else _shortest_by_qr(matrix, rhs)
    gram = tf.matmul(matrix, matrix, adjoint_a=tall, adjoint_b=not tall)
    if regularized:
        gram = gram + weight * tf.eye(gram.shape[-1], dtype=gram.dtype)
    factor = tf.linalg.cholesky(gram)
    if tall:
        rhs = tf.matmul(matrix, rhs, adjoint_a=True)
    found: Tensor = tf.linalg.cholesky_solve(factor, rhs)
    return found if tall else tf.matmul(matrix, found, adjoint_a=True)


def _by_qr(matrix: Tensor, rhs: Tensor) -> Tensor:
    q, r = tf.linalg.qr(matrix)
    found: Tensor = tf.linalg.triangular_solve(r, tf.matmul(q, rhs, adjoint_a=True), lower=False)
    return found


def _shortest_by_qr(matrix: Tensor, rhs: Tensor) -> Tensor:
    q, r = tf.linalg.qr(tf.linalg.adjoint(matrix))
    found: Tensor = tf.matmul(q, tf.linalg.triangular_solve(r, rhs, lower=False, adjoint=True))
    return found


@compose(
    "tf.raw_ops.MatrixSolveLs",
    domains=(REAL, REAL),
    dtypes=LAPACK[:2],
    samples=(sample(drawn(4, 2), (4, 2), 0.5), sample(drawn(2, 2, 4), (2, 2, 1), 0.0)),
    convention="as `tf.linalg.lstsq`; no gradient flows to the regularizer",
)
def _matrix_solve_ls(
    matrix: Tensor, rhs: Tensor, l2_regularizer: Any, fast: bool = True, name: str | None = None
) -> Tensor:
    if rhs.shape[:-2] != matrix.shape[:-2]:
        raise OpError(f"`rhs` of shape {list(rhs.shape)} is not of the batch {list(matrix.shape[:-2])}", argument="rhs")
    found: Tensor = tf.linalg.lstsq(matrix, rhs, l2_regularizer=l2_regularizer, fast=fast)
    return found
