"""Inverses, linear equations, determinants and Cholesky's decomposition of square matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.dtypes import FLOAT16, Array, is_complex
from gradcheck.ops.batching import aligned, repeated
from gradcheck.ops.declaration import REAL, Interval, OpError, compose, declare, sample
from gradcheck.ops.linalg.matrices import LAPACK, conjugate_transpose, drawn, order_of, regular
from gradcheck.ops.shapes import Typed, as_bool, broadcast, conj
from gradcheck.ops.vocabulary import tf
from gradcheck.program import TensorType
from gradcheck.tensors import Tensor


def _per_matrix(scalar: Tensor) -> Tensor:
    """One number per matrix, shaped to multiply the matrices."""
    shaped: Tensor = tf.reshape(scalar, [*scalar.shape, 1, 1])
    return shaped


def _inv_type(input: Tensor, adjoint: bool = False, name: str | None = None) -> Typed:  # noqa: A002  # TensorFlow's name
    order_of("tf.linalg.inv", "input", input)
    return input.type, {"adjoint": as_bool(adjoint, "adjoint")}


def _inv_vjp(g: Tensor, y: Tensor, x: Tensor, adjoint: bool) -> Tensor:
    inner = tf.matmul(g, y, adjoint_a=adjoint, adjoint_b=not adjoint)
    outer: Tensor = tf.matmul(y, inner, adjoint_a=not adjoint)
    return -outer


declare(
    "tf.linalg.inv",
    _inv_type,
    forward=lambda x, adjoint: np.linalg.inv(conjugate_transpose(x) if adjoint else x),
    vjp=(_inv_vjp,),
    domains=(REAL,),
    dtypes=(FLOAT16, *LAPACK),
    samples=(
        sample(regular(2, 2)),
        sample(regular(2, 3, 3), adjoint=True),
        sample(regular(1, 1)),
        sample((0, 0)),
        sample((0, 2, 2)),
    ),
    source="d(A^-1) = -A^-1 dA A^-1 (Giles 2008, section 2.2.3)",
    convention="a singular matrix is an error",
)


def _solve_type(matrix: Tensor, rhs: Tensor, adjoint: bool = False, name: str | None = None) -> Typed:
    order = order_of("tf.linalg.solve", "matrix", matrix)
    if rhs.ndim != matrix.ndim or rhs.shape[:-1] != (*matrix.shape[:-2], order):
        raise OpError(
            f"`tf.linalg.solve` of a matrix of shape {list(matrix.shape)} needs a right-hand side of shape "
            f"{[*matrix.shape[:-1], '…']}, not {list(rhs.shape)}".replace("'", ""),
            argument="rhs",
            help="a vector needs an axis of size 1: `rhs[:, tf.newaxis]`; batch axes are not broadcast",
        )
    return rhs.type, {"adjoint": as_bool(adjoint, "adjoint")}


def _solve_vjp(g: Tensor, y: Tensor, matrix: Tensor, rhs: Tensor, adjoint: bool) -> list[Tensor]:
    part = tf.linalg.solve(matrix, g, adjoint=not adjoint)
    return [-_outer(y, part, adjoint), part]


def _outer(y: Tensor, part: Tensor, adjoint: bool) -> Tensor:
    left, right = (y, part) if adjoint else (part, y)
    product: Tensor = tf.matmul(left, right, adjoint_b=True)
    return product


declare(
    "tf.linalg.solve",
    _solve_type,
    forward=lambda a, b, adjoint: np.linalg.solve(conjugate_transpose(a) if adjoint else a, b),
    joint_vjp=_solve_vjp,
    batching=repeated,
    domains=(REAL, REAL),
    dtypes=LAPACK,
    samples=(
        sample(regular(2, 2), (2, 1)),
        sample(regular(3, 3), (3, 2), adjoint=True),
        sample(regular(2, 2, 2), (2, 2, 1)),
        sample(regular(2, 2), (2, 0)),
        sample((0, 0), (0, 2)),
    ),
    source="A X = B gives dB = A^-H G and dA = -dB X^H (Giles 2008, section 2.3.1)",
    convention="a singular matrix is an error",
)


def _triangular_type(
    matrix: Tensor, rhs: Tensor, lower: bool = True, adjoint: bool = False, name: str | None = None
) -> Typed:
    order = order_of("tf.linalg.triangular_solve", "matrix", matrix)
    if rhs.ndim < 2 or rhs.shape[-2] != order:
        raise OpError(
            f"`tf.linalg.triangular_solve` of a matrix of shape {list(matrix.shape)} needs a right-hand side of "
            f"{order} rows, not shape {list(rhs.shape)}",
            argument="rhs",
            help="a vector needs an axis of size 1: `rhs[:, tf.newaxis]`",
        )
    flags = {"lower": as_bool(lower, "lower"), "adjoint": as_bool(adjoint, "adjoint")}
    return TensorType((*broadcast(matrix.shape[:-2], rhs.shape[:-2]), *rhs.shape[-2:]), rhs.dtype), flags


def _triangular(a: Array, b: Array, lower: bool, adjoint: bool) -> Array:
    """Substitution, one row at a time for the whole batch; a 0 on the diagonal divides, as in TensorFlow."""
    if adjoint:
        a, lower = conjugate_transpose(a), not lower
    x = np.empty((*np.broadcast_shapes(a.shape[:-2], b.shape[:-2]), *b.shape[-2:]), b.dtype)
    order = a.shape[-1]
    for at in range(order) if lower else reversed(range(order)):
        known = slice(at) if lower else slice(at + 1, None)
        rest = b[..., at : at + 1, :] - a[..., at : at + 1, known] @ x[..., known, :]
        x[..., at : at + 1, :] = rest / a[..., at : at + 1, at : at + 1]
    return x


def _triangular_vjp(g: Tensor, y: Tensor, matrix: Tensor, rhs: Tensor, lower: bool, adjoint: bool) -> list[Tensor]:
    part = tf.linalg.triangular_solve(matrix, g, lower=lower, adjoint=not adjoint)
    below, above = (-1, 0) if lower else (0, -1)
    return [tf.linalg.band_part(-_outer(y, part, adjoint), below, above), part]


declare(
    "tf.linalg.triangular_solve",
    _triangular_type,
    forward=_triangular,
    joint_vjp=_triangular_vjp,
    batching=aligned,
    domains=(Interval(1.0, 3.0), REAL),
    dtypes=LAPACK,
    samples=(
        sample((3, 3), (3, 2)),
        sample((3, 3), (3, 1), lower=False),
        sample((2, 2, 2), (2, 1), adjoint=True),
        sample((2, 2), (3, 2, 1), lower=False, adjoint=True),
        sample((0, 0), (0, 2)),
    ),
    source="A X = B gives dB = A^-H G and dA = -dB X^H, of which the triangle that is read",
    convention="the other triangle is not read and its gradient is 0; a 0 on the diagonal gives inf or NaN",
)


def _det_type(input: Tensor, name: str | None = None) -> Typed:  # noqa: A002  # TensorFlow's name
    order_of("tf.linalg.det", "input", input)
    return TensorType(input.shape[:-2], input.dtype), {}


declare(
    "tf.linalg.det",
    _det_type,
    forward=np.linalg.det,
    vjp=(lambda g, y, x: _per_matrix(g * conj(y)) * tf.linalg.inv(x, adjoint=True),),
    domains=(REAL,),
    dtypes=LAPACK,
    errata=("complex",),
    samples=(sample(regular(2, 2)), sample(regular(2, 3, 3)), sample(regular(1, 1)), sample((0, 0))),
    source="d det(A) = det(A) tr(A^-1 dA) (Giles 2008, section 2.2.4)",
    convention="the gradient at a singular matrix needs its inverse and so is an error; for complex numbers TensorFlow "
    "leaves out the conjugate of det(A)",
)


def _slogdet_type(input: Tensor, name: str | None = None) -> tuple[list[TensorType], Any]:  # noqa: A002
    order_of("tf.linalg.slogdet", "input", input)
    return [TensorType(input.shape[:-2], input.dtype)] * 2, {}


def _slogdet_vjp(g: list[Tensor], y: list[Tensor], x: Tensor) -> Tensor:
    (toward_sign, toward_logarithm), (sign, _) = g, y
    scale = toward_logarithm
    if is_complex(x.dtype):  # log|det| is real, and the sign turns with the imaginary part of log det
        scale = tf.complex(tf.math.real(toward_logarithm), tf.math.imag(toward_sign * conj(sign)))
    part: Tensor = _per_matrix(scale) * tf.linalg.inv(x, adjoint=True)
    return part


declare(
    "tf.linalg.slogdet",
    _slogdet_type,
    forward=lambda x: [np.asarray(each, x.dtype) for each in np.linalg.slogdet(x)],
    vjp=(_slogdet_vjp,),
    domains=(REAL,),
    dtypes=LAPACK,
    several=True,
    errata=("complex",),
    samples=(sample(regular(2, 2)), sample(regular(2, 3, 3)), sample(regular(1, 1))),
    source="d log det(A) = tr(A^-1 dA), of which the real part goes to log|det| and the imaginary part turns the sign",
    convention="the sign of a real determinant is constant; TensorFlow takes that of a complex one to be so too",
)


def _cholesky_type(input: Tensor, name: str | None = None) -> Typed:  # noqa: A002  # TensorFlow's name
    order_of("tf.linalg.cholesky", "input", input)
    return input.type, {}


def _cholesky(x: Array) -> Array:
    try:
        return np.linalg.cholesky(x)
    except np.linalg.LinAlgError:  # at least one is not positive definite: find out which
        if x.ndim > 2:
            return np.stack([_cholesky(each) for each in x])
        return np.tril(np.full_like(x, np.nan))


def _cholesky_vjp(g: Tensor, y: Tensor, x: Tensor) -> Tensor:
    order = x.shape[-1]
    middle = np.tril(np.ones((order, order))) - 0.5 * np.eye(order)
    inner = tf.matmul(y, g, adjoint_a=True) * middle
    left = tf.linalg.triangular_solve(y, inner, adjoint=True)
    both = tf.linalg.triangular_solve(y, tf.linalg.adjoint(left), adjoint=True)
    part: Tensor = 0.5 * (both + tf.linalg.adjoint(both))
    return part


def _positive_definite(*batch: int) -> Array:
    a = drawn(*batch, 3, 3)
    return a @ conjugate_transpose(a) + 3 * np.eye(3)


DEFINITE_SAMPLES = (
    sample(_positive_definite()),
    sample(_positive_definite(2)),
    sample(np.array([[2.0]])),
    sample((0, 0)),
)

declare(
    "tf.linalg.cholesky",
    _cholesky_type,
    forward=_cholesky,
    vjp=(_cholesky_vjp,),
    domains=(REAL,),
    dtypes=LAPACK,
    hermitian=True,
    samples=DEFINITE_SAMPLES,
    source="A = L L^H gives dA = L^-H P(L^H G) L^-1, P the lower triangle with half of its diagonal (Murray 2016)",
    convention="the lower triangle is read; the gradient is that of a symmetric change, half of it on either side of "
    "the diagonal; NaN in the lower triangle where the matrix is not positive definite",
)


@compose(
    "tf.linalg.logdet",
    domains=(REAL,),
    dtypes=LAPACK,
    hermitian=True,
    samples=DEFINITE_SAMPLES,
    convention="of a Hermitian positive definite matrix, by Cholesky's decomposition: see there",
)
def _logdet(matrix: Tensor, name: str | None = None) -> Tensor:
    order_of("tf.linalg.logdet", "matrix", matrix)
    diagonal = tf.linalg.diag_part(tf.linalg.cholesky(matrix))
    logarithm: Tensor = 2.0 * tf.reduce_sum(tf.math.log(tf.math.real(diagonal)), axis=-1)
    return logarithm
