"""Eigenvalues and eigenvectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.dtypes import Array, complex_of, is_complex
from gradcheck.ops.batching import aligned
from gradcheck.ops.declaration import REAL, OpError, compose, declare, sample
from gradcheck.ops.linalg.matrices import (
    LAPACK,
    drawn,
    each_matrix,
    inverse_gaps,
    order_of,
    pointed,
    self_adjoint,
)
from gradcheck.ops.linalg.schur import general
from gradcheck.ops.linalg.tridiagonal import symmetric
from gradcheck.ops.shapes import as_bool, as_int
from gradcheck.ops.vocabulary import tf
from gradcheck.program import TensorType
from gradcheck.tensors import Tensor

Types = tuple[list[TensorType], dict[str, Any]]

STEPPED = 32
"""The largest order for which the iteration is Eigen's; beyond, where Python is slow, it is LAPACK's."""
FREE = (
    "eigenvectors are determined up to a sign or phase, and the gradient is that of functions which do not depend on it"
)


# Hermitian matrices


def _eigh_type(tensor: Tensor, name: str | None = None) -> Types:
    order_of("tf.linalg.eigh", "tensor", tensor)
    return [TensorType(tensor.shape[:-1], tensor.dtype), tensor.type], {}


def _eigh(x: Array) -> list[Array]:
    if x.size == 0:
        return [np.zeros(x.shape[:-1], x.dtype), x]
    values, vectors = each_matrix(symmetric if x.shape[-1] <= STEPPED else _eigh_of_lapack, x)
    return [values.astype(x.dtype), vectors]


def _eigh_of_lapack(x: Array) -> tuple[Array, Array]:
    values, vectors = np.linalg.eigh(x)
    return values, vectors * pointed(vectors)


def _eigh_vjp(g: list[Tensor], y: list[Tensor], x: Tensor) -> Tensor:
    (toward_values, toward_vectors), (values, vectors) = g, y
    factors = inverse_gaps(tf.math.real(values))
    if is_complex(x.dtype):
        factors = tf.cast(factors, x.dtype)
    inner = tf.linalg.diag(toward_values) + factors * tf.matmul(vectors, toward_vectors, adjoint_a=True)
    whole = tf.matmul(vectors, tf.matmul(inner, vectors, adjoint_b=True))
    both = tf.linalg.band_part(whole + tf.linalg.adjoint(whole), -1, 0)
    lower: Tensor = tf.linalg.set_diag(both, 0.5 * tf.linalg.diag_part(both))
    return lower


declare(
    "tf.linalg.eigh",
    _eigh_type,
    forward=_eigh,
    vjp=(_eigh_vjp,),
    domains=(REAL,),
    batching=aligned,
    rounding="backward",
    dtypes=LAPACK,
    several=True,
    phases=True,
    samples=(
        sample(self_adjoint(2, 2)),
        sample(self_adjoint(2, 3, 3)),
        sample(self_adjoint(4, 4)),
        sample((1, 1)),
        sample((0, 0)),
        sample((0, 2, 2)),
    ),
    source="A = V diag(e) V^H gives dA = V (diag(de) + F o (V^H dV)) V^H with F = 1 / (e_j - e_i) (Giles 2008, "
    "section 3.1), of which the lower triangle receives both halves",
    convention="the lower triangle is read and receives all of the gradient; " + FREE + "; of equal eigenvalues, for "
    "which there is none, F is 0; what is not finite is an error",
)


@compose(
    "tf.linalg.eigvalsh",
    domains=(REAL,),
    dtypes=LAPACK,
    samples=(sample(self_adjoint(2, 3, 3)), sample((1, 1)), sample((0, 0))),
    convention="the lower triangle is read and receives all of the gradient; of equal eigenvalues each has the slope "
    "of its computed eigenvector",
)
def _eigvalsh(tensor: Tensor, name: str | None = None) -> Tensor:
    order_of("tf.linalg.eigvalsh", "tensor", tensor)
    values: Tensor = tf.linalg.eigh(tensor)[0]
    return values


def _count_of(alpha: Tensor, beta: Tensor) -> int:
    if alpha.ndim != 1:
        raise OpError(
            f"`tf.linalg.eigh_tridiagonal` needs the diagonal of one matrix, not shape {list(alpha.shape)}",
            argument="alpha",
        )
    order = alpha.shape[0]
    if order > 1 and beta.shape != (order - 1,):
        raise OpError(
            f"`beta` beside a diagonal of {order} must have shape {[order - 1]}, not {list(beta.shape)}",
            argument="beta",
        )
    return order


def _selection(select: Any, select_range: Any, order: int) -> slice:
    if select == "a":
        return slice(None)
    if select == "v":
        raise OpError(
            "`select='v'` is not supported: the shape of the result would depend on the eigenvalues",
            argument="select",
            help="name the eigenvalues by position: `select='i'`",
        )
    if select != "i":
        raise OpError(f"`select` must be 'a', 'i' or 'v', not {select!r}", argument="select")
    if not isinstance(select_range, (tuple, list)) or len(select_range) != 2:
        raise OpError("`select_range` must be the positions of the first and last eigenvalue", argument="select_range")
    first, last = (as_int(each, "select_range") for each in select_range)
    if not 0 <= first <= last < order:
        raise OpError(f"`select_range` {first} to {last} is not within {order} eigenvalues", argument="select_range")
    return slice(first, last + 1)


@compose(
    "tf.linalg.eigh_tridiagonal",
    domains=(REAL, REAL),
    dtypes=LAPACK,
    several=True,
    phases=True,
    errata=("gradient",),
    samples=(
        sample(drawn(3), drawn(2) + 1),
        sample(drawn(4), drawn(3) + 1, select="i", select_range=[1, 2]),
    ),
    convention="the diagonal is real; " + FREE + "; eigenvalues are found to rounding whatever `tol` is; TensorFlow's "
    "gradient is that of the bounds which its bisection starts from",
)
def _eigh_tridiagonal(
    alpha: Tensor,
    beta: Tensor,
    eigvals_only: bool = True,
    select: Any = "a",
    select_range: Any = None,
    tol: Any = None,
    name: str | None = None,
) -> Any:
    order = _count_of(alpha, beta)
    if order <= 1:
        return tf.math.real(alpha)
    chosen = _selection(select, select_range, order)
    diagonal = tf.cast(tf.math.real(alpha), alpha.dtype)
    below = tf.math.conj(beta) if is_complex(beta.dtype) else beta
    values, vectors = tf.linalg.eigh(tf.linalg.diag(diagonal) + tf.linalg.diag(below, k=-1))
    found = tf.math.real(values)[chosen]
    return found if as_bool(eigvals_only, "eigvals_only") else [found, vectors[:, chosen]]


# Matrices of any kind


def _eig_type(tensor: Tensor, name: str | None = None) -> Types:
    order_of("tf.linalg.eig", "tensor", tensor)
    dtype = complex_of(tensor.dtype)
    return [TensorType(tensor.shape[:-1], dtype), TensorType(tensor.shape, dtype)], {}


def _eig(x: Array) -> list[Array]:
    if x.size == 0:
        return [np.zeros(x.shape[:-1], complex_of(x.dtype)), x.astype(complex_of(x.dtype))]
    return each_matrix(general if x.shape[-1] <= STEPPED else _eig_of_lapack, x)


def _eig_of_lapack(x: Array) -> tuple[Array, Array]:
    values, vectors = np.linalg.eig(x)
    dtype = complex_of(x.dtype)
    return values.astype(dtype), (vectors * pointed(vectors)).astype(dtype)


def _eig_vjp(g: list[Tensor], y: list[Tensor], x: Tensor) -> Tensor:
    (toward_values, toward_vectors), (values, vectors) = g, y
    along = tf.matmul(vectors, toward_vectors, adjoint_a=True)
    lengths = tf.linalg.diag(tf.cast(tf.math.real(tf.linalg.diag_part(along)), along.dtype))
    turned = along - tf.matmul(tf.matmul(vectors, vectors, adjoint_a=True), lengths)
    inner = tf.linalg.diag(toward_values) + tf.math.conj(inverse_gaps(values)) * turned
    part: Tensor = tf.linalg.solve(vectors, tf.matmul(inner, vectors, adjoint_b=True), adjoint=True)
    return part if is_complex(x.dtype) else tf.math.real(part)


declare(
    "tf.linalg.eig",
    _eig_type,
    forward=_eig,
    vjp=(_eig_vjp,),
    domains=(REAL,),
    batching=aligned,
    rounding="backward",
    dtypes=LAPACK,
    aliases=("tf.eig",),
    several=True,
    phases=True,
    samples=(
        sample(self_adjoint(3, 3) + 0.3 * np.triu(np.ones((3, 3)))),
        sample(drawn(2, 3, 3)),
        sample((1, 1)),
        sample((0, 0)),
    ),
    source="A V = V diag(e), with columns of length 1, gives dA = V^-H (diag(de) + conj(F) o (V^H dV - V^H V Re(diag("
    "V^H dV)))) V^H with F = 1 / (e_j - e_i) (Boeddeker et al. 2017, equation 4.77)",
    convention="the results are complex, and a real matrix receives the real part; " + FREE + "; of equal eigenvalues, "
    "for which there is none, F is 0; what is not finite is an error",
)


@compose(
    "tf.linalg.eigvals",
    domains=(REAL,),
    dtypes=LAPACK,
    aliases=("tf.eigvals",),
    samples=(sample(drawn(2, 3, 3)), sample((1, 1)), sample((0, 0))),
    convention="the results are complex, and a real matrix receives the real part",
)
def _eigvals(tensor: Tensor, name: str | None = None) -> Tensor:
    order_of("tf.linalg.eigvals", "tensor", tensor)
    values: Tensor = tf.linalg.eig(tensor)[0]
    return values
