"""Singular values and vectors, and what is made of them."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from gradcheck.dtypes import FLOAT32, FLOAT64, INT32, Array, is_complex, real_of
from gradcheck.ops.batching import aligned
from gradcheck.ops.declaration import REAL, OpError, compose, declare, sample
from gradcheck.ops.linalg.jacobi import singular
from gradcheck.ops.linalg.matrices import (
    LAPACK,
    conjugate_transpose,
    drawn,
    each_matrix,
    equal_up_to_rounding,
    inverse_gaps,
    pointed,
    regular,
    sides_of,
)
from gradcheck.ops.shapes import Typed, as_bool, as_float
from gradcheck.ops.vocabulary import tf
from gradcheck.program import TensorType
from gradcheck.tensors import Tensor

STEPPED = 16
"""Of a matrix with fewer columns Eigen rotates the columns; others it divides, and here they are left to LAPACK."""


def _svd_type(
    tensor: Tensor, full_matrices: bool = False, compute_uv: bool = True, name: str | None = None
) -> tuple[Any, dict[str, Any]]:
    rows, columns = sides_of("tf.linalg.svd", "tensor", tensor)
    count, batch = min(rows, columns), tensor.shape[:-2]
    full = as_bool(full_matrices, "full_matrices")
    flags = {"full_matrices": full, "compute_uv": as_bool(compute_uv, "compute_uv")}
    values = TensorType((*batch, count), real_of(tensor.dtype))
    if not compute_uv:
        return values, flags
    shapes = [(*batch, side, side if full else count) for side in (rows, columns)]
    return [values, *(TensorType(each, tensor.dtype) for each in shapes)], flags


def _svd(x: Array, full_matrices: bool, compute_uv: bool) -> list[Array]:
    if x.size == 0:
        found = _svd_of_nothing(x, full_matrices)
    else:
        found = each_matrix(partial(_svd_of_one, full=full_matrices), x)
    return found if compute_uv else found[:1]


def _svd_of_nothing(x: Array, full: bool) -> list[Array]:
    count = min(x.shape[-2:])
    identities = [np.eye(side, side if full else count, dtype=x.dtype) for side in x.shape[-2:]]
    vectors = [np.broadcast_to(each, (*x.shape[:-2], *each.shape)) for each in identities]
    return [np.zeros((*x.shape[:-2], count), x.real.dtype), *vectors]


def _svd_of_one(x: Array, full: bool) -> tuple[Array, Array, Array]:
    if not np.all(np.isfinite(x)):
        values, u, v = singular(np.zeros_like(x), full)
        return values + np.nan, u + np.nan, v + np.nan
    return singular(x, full) if x.shape[-1] < STEPPED else _svd_of_lapack(x, full)


def _svd_of_lapack(x: Array, full: bool) -> tuple[Array, Array, Array]:
    u, values, adjoint = np.linalg.svd(x, full_matrices=full)
    v = conjugate_transpose(adjoint)
    count = len(values)
    turns = pointed(u[:, :count])
    u[:, :count] *= turns
    v[:, :count] *= turns
    return values, u, v


def _svd_vjp(g: list[Tensor], y: list[Tensor], x: Tensor, full_matrices: bool, compute_uv: bool) -> Tensor:
    if not compute_uv:
        _, u, v = tf.linalg.svd(x)
        part: Tensor = tf.matmul(u * _of_dtype(g[0], x)[..., np.newaxis, :], v, adjoint_b=True)
        return part
    (toward_s, toward_u, toward_v), (s, u, v) = g, y
    rows, columns = x.shape[-2:]
    if rows <= columns:
        return _wide_vjp(toward_s, toward_u, toward_v, s, u, v)
    tall: Tensor = tf.linalg.adjoint(_wide_vjp(toward_s, toward_v, toward_u, s, v, u))
    return tall


def _of_dtype(values: Tensor, x: Tensor) -> Tensor:
    """Real numbers in the dtype of `x`, which may be complex."""
    return tf.cast(values, x.dtype) if is_complex(x.dtype) else values


def _wide_vjp(toward_s: Tensor, toward_u: Tensor, toward_v: Tensor, s: Tensor, u: Tensor, v: Tensor) -> Tensor:
    """For a matrix with no more rows than columns, whose `v` has their number of columns or is square."""
    count = s.shape[-1]
    first, toward_first = v[..., :count], toward_v[..., :count]
    sums = s[..., np.newaxis, :] + s[..., np.newaxis]
    factors = _of_dtype(tf.math.divide_no_nan(inverse_gaps(s), sums), u)
    by_u = factors * tf.matmul(u, toward_u, adjoint_a=True)
    along_v = tf.matmul(first, toward_first, adjoint_a=True)
    by_v = factors * along_v
    values, inverses = _of_dtype(s, u), _of_dtype(_inverses(s), u)
    inner = tf.linalg.diag(_of_dtype(toward_s, u))
    inner = inner + (by_u + tf.linalg.adjoint(by_u)) * values[..., np.newaxis, :]
    inner = inner + values[..., np.newaxis] * (by_v + tf.linalg.adjoint(by_v))
    if is_complex(u.dtype):
        turns = tf.linalg.diag_part(along_v)
        inner = inner + 0.5 * tf.linalg.diag((tf.math.conj(turns) - turns) * inverses)
    whole = tf.matmul(inner, first, adjoint_b=True)
    if count < v.shape[-2]:
        outside = tf.linalg.adjoint(toward_first - tf.matmul(first, along_v))
        if v.shape[-1] > count:
            across = tf.matmul(first, toward_v[..., count:], adjoint_a=True)
            outside = outside - tf.matmul(across, v[..., count:], adjoint_b=True)
        whole = whole + inverses[..., np.newaxis] * outside
    part: Tensor = tf.matmul(u, whole)
    return part


def _inverses(s: Tensor) -> Tensor:
    """1 / s, and 0 where s is 0 up to rounding."""
    none = equal_up_to_rounding(s[..., np.newaxis], s)[..., 0]
    ones = tf.ones_like(s)
    inverses: Tensor = tf.where(none, tf.zeros_like(s), ones / tf.where(none, ones, s))
    return inverses


declare(
    "tf.linalg.svd",
    _svd_type,
    forward=_svd,
    vjp=(_svd_vjp,),
    domains=(REAL,),
    batching=aligned,
    rounding="backward",
    dtypes=LAPACK,
    several=True,
    phases=True,
    errata=("second order",),
    samples=(
        sample(regular(2, 2)),
        sample(drawn(4, 3)),
        sample(drawn(2, 2, 4)),
        sample(drawn(3, 2), full_matrices=True),
        sample(drawn(2, 3, 2), compute_uv=False),
        sample((1, 1)),
        sample((0, 2)),
    ),
    source="A = U S V^H gives dA = U (dS + (F o U^H dU + adj.) S + S (F o V^H dV + adj.)) V^H with F = 1 / (s_j^2 - "
    "s_i^2), and what is outside of the vectors (Giles 2008, section 3.2; Wan and Zhang 2019 for complex matrices)",
    convention="two singular vectors are determined up to a sign or phase that they share, and the gradient is that of "
    "functions which do not depend on it; of equal singular values, for which there is none, F is 0, and 1 / s is 0 at "
    "0; NaN if something is not finite; with `full_matrices=True` TensorFlow has no gradient if the sides differ by "
    "more than 1",
)


def _pinv_type(a: Tensor, rcond: Any = None, validate_args: bool = False, name: str | None = None) -> Typed:
    rows, columns = sides_of("tf.linalg.pinv", "a", a)
    as_bool(validate_args, "validate_args")
    given = rcond is not None
    share = _shares(rcond, a) if given else 10.0 * max(rows, columns) * float(np.finfo(a.dtype).eps)
    return TensorType((*a.shape[:-2], columns, rows), a.dtype), {"rcond": share, "given": given}


def _shares(rcond: Any, a: Tensor) -> Any:
    """What singular values must exceed, as a share of the largest: one number, or one for each matrix."""
    try:
        shares = np.asarray(rcond, a.dtype)
        np.broadcast_to(shares, a.shape[:-2])
    except (TypeError, ValueError):
        raise OpError(f"`rcond` must be a number, or one for each matrix, not {rcond!r}", argument="rcond") from None
    return shares.tolist()


def _pinv(x: Array, rcond: Any, given: bool) -> Array:
    if x.size == 0:
        return np.zeros((*x.shape[:-2], x.shape[-1], x.shape[-2]), x.dtype)
    u, s, v = np.linalg.svd(x, full_matrices=False)
    kept = s > (np.asarray(rcond) * s[..., 0])[..., np.newaxis]
    inverses = np.where(kept, 1 / np.where(kept, s, 1), 0)
    result: Array = conjugate_transpose(v) @ (inverses[..., np.newaxis] * conjugate_transpose(u))
    return result


def _pinv_vjp(g: Tensor, y: Tensor, x: Tensor, rcond: Any, given: bool) -> Tensor:
    turned = tf.linalg.matrix_transpose(g)
    if given:
        return _truncated_vjp(turned, x, rcond)
    # What is left out is nothing but rounding: the rank stays what it is.
    both = tf.matmul(tf.matmul(y, g, transpose_a=True), y, transpose_b=True)
    right = tf.matmul(tf.matmul(turned, y), y, transpose_b=True)
    left = tf.matmul(y, tf.matmul(y, turned), transpose_a=True)
    outside = right - tf.matmul(x, tf.matmul(y, right)) + left - tf.matmul(tf.matmul(left, y), x)
    part: Tensor = outside - both
    return part


def _truncated_vjp(turned: Tensor, x: Tensor, rcond: Any) -> Tensor:
    """P^T is U h(S) V^T, where h is 1 / s or, for what is left out, 0: differences of h take the place of slopes."""
    s, u, v = tf.linalg.svd(x)
    kept = s > (tf.constant(rcond, s.dtype) * tf.reduce_max(s, axis=-1))[..., np.newaxis]
    ones = tf.ones_like(s)
    h = tf.where(kept, ones / tf.where(kept, s, ones), tf.zeros_like(s))
    across, down = (slice(None), np.newaxis), (np.newaxis, slice(None))
    mixed = tf.not_equal(kept[..., *across], kept[..., *down])
    safe = tf.ones_like(h[..., *across] * h[..., *down])
    gaps = tf.where(mixed, s[..., *across] - s[..., *down], safe)
    sums = tf.where(mixed, s[..., *across] + s[..., *down], safe)
    even, odd = (h[..., *across] - h[..., *down]) / gaps, (h[..., *across] + h[..., *down]) / sums
    inner = tf.matmul(u, tf.matmul(turned, v), transpose_a=True)
    straight = tf.where(mixed, (even + odd) / 2, 0 * safe)
    crossed = tf.where(mixed, (even - odd) / 2, -h[..., *across] * h[..., *down])
    whole = straight * inner + crossed * tf.linalg.matrix_transpose(inner)
    squares = tf.square(h)
    right = (tf.matmul(turned, v) - tf.matmul(u, inner)) * squares[..., *down]
    left = squares[..., *across] * (tf.matmul(u, turned, transpose_a=True) - tf.matmul(inner, v, transpose_b=True))
    part: Tensor = tf.matmul(tf.matmul(u, whole) + right, v, transpose_b=True) + tf.matmul(u, left)
    return part


declare(
    "tf.linalg.pinv",
    _pinv_type,
    forward=_pinv,
    vjp=(_pinv_vjp,),
    domains=(REAL,),
    rounding="backward",
    dtypes=(FLOAT32, FLOAT64),
    samples=(
        sample(drawn(3, 2)),
        sample(np.array([[[2.0, 1.0, 0.5], [0.0, 3.0, 1.0]], [[2.0, 1.0, 0.5], [0.0, 3.0, 1.0]]]), rcond=[0.7, 1e-4]),
        sample(drawn(3, 3) + np.diag([6.0, 3.0, 0.0]), rcond=0.25),
        sample((0, 2)),
    ),
    source="dP = -P dA P + P P^T dA^T (I - A P) + (I - P A) dA^T P^T P (Golub and Pereyra 1973, equation 4.12)",
    convention="singular values that are not more than `rcond` times the largest count as 0; of equal singular values "
    "TensorFlow's gradient leaves out what turns their vectors",
)


@compose(
    "tf.linalg.matrix_rank",
    domains=(),
    dtypes=(FLOAT32, FLOAT64),
    samples=(sample(drawn(3, 2)), sample(drawn(2, 2, 3), tol=0.5)),
)
def _matrix_rank(a: Tensor, tol: Any = None, validate_args: bool = False, name: str | None = None) -> Tensor:
    rows, columns = sides_of("tf.linalg.matrix_rank", "a", a)
    as_bool(validate_args, "validate_args")
    s = tf.linalg.svd(a, compute_uv=False)
    if tol is None:
        limit = max(rows, columns) * float(np.finfo(a.dtype).eps) * tf.reduce_max(s, axis=-1, keepdims=True)
    else:
        limit = as_float(tol, "tol")
    rank: Tensor = tf.reduce_sum(tf.cast(s > limit, INT32), axis=-1)
    return rank
