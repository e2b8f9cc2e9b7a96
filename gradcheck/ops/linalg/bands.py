"""Equations and products with matrices that are given by a few diagonals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcheck.dtypes import Array
from gradcheck.ops.batching import aligned, repeated
from gradcheck.ops.declaration import REAL, Interval, OneOrMany, OpError, compose, declare, sample
from gradcheck.ops.linalg.matrices import LAPACK
from gradcheck.ops.shapes import Typed, as_bool, broadcast, conj
from gradcheck.ops.vocabulary import tf
from gradcheck.program import TensorType
from gradcheck.tensors import Tensor

DOMINANT = Interval(2.0, 3.0)
"""Matrices are tried with elements that are far from 0."""


# Triangular matrices with a few diagonals


def _banded_type(
    bands: Tensor, rhs: Tensor, lower: bool = True, adjoint: bool = False, name: str | None = None
) -> Typed:
    if bands.ndim < 2 or rhs.ndim < 2 or rhs.shape[-2] != bands.shape[-1] or 0 in (*bands.shape, *rhs.shape):
        raise OpError(
            f"`tf.linalg.banded_triangular_solve` needs a row for each diagonal and as many rows on the right as these "
            f"are long, none of them empty; not shapes {list(bands.shape)} and {list(rhs.shape)}",
            argument="rhs",
            help="a vector needs an axis of size 1: `rhs[:, tf.newaxis]`",
        )
    flags = {"lower": as_bool(lower, "lower"), "adjoint": as_bool(adjoint, "adjoint")}
    return TensorType((*broadcast(bands.shape[:-2], rhs.shape[:-2]), *rhs.shape[-2:]), rhs.dtype), flags


def _rows(bands: Array, lower: bool, adjoint: bool) -> tuple[Array, bool]:
    """For each row of the matrix its elements up to the diagonal, nearest first; and whether they are below it."""
    count, order = bands.shape[-2:]
    nearest = bands if lower else bands[..., ::-1, :]
    if not adjoint:
        return nearest, lower
    turned = np.zeros_like(nearest)
    for away in range(min(count, order)):
        here, there = slice(order - away), slice(away, order)
        source, target = (there, here) if lower else (here, there)
        turned[..., away, target] = nearest[..., away, source]
    return turned.conj(), not lower


def _banded(bands: Array, rhs: Array, lower: bool, adjoint: bool) -> Array:
    """Substitution, one row at a time for the whole batch."""
    nearest, forwards = _rows(bands, lower, adjoint)
    if np.any(nearest[..., 0, :] == 0):
        raise np.linalg.LinAlgError("Singular matrix")
    count, order = nearest.shape[-2:]
    x = np.empty((*np.broadcast_shapes(bands.shape[:-2], rhs.shape[:-2]), *rhs.shape[-2:]), rhs.dtype)
    for step in range(order):
        at = step if forwards else order - 1 - step
        reach = min(step, count - 1)
        known = slice(at - reach, at) if forwards else slice(at + 1, at + 1 + reach)
        row = nearest[..., 1 : reach + 1, at]
        row = (row[..., ::-1] if forwards else row)[..., np.newaxis, :]
        rest = rhs[..., at : at + 1, :] - row @ x[..., known, :]
        x[..., at : at + 1, :] = rest / nearest[..., :1, at, np.newaxis]
    return x


def _banded_vjp(g: Tensor, y: Tensor, bands: Tensor, rhs: Tensor, lower: bool, adjoint: bool) -> list[Tensor]:
    part = tf.linalg.banded_triangular_solve(bands, g, lower=lower, adjoint=not adjoint)
    left, right = (y, part) if adjoint else (part, y)
    count, order = bands.shape[-2:]
    diagonals = []
    for at in range(count):
        away = min(at if lower else count - 1 - at, order)
        rows, columns = (slice(away, None), slice(order - away))[:: 1 if lower else -1]
        products = tf.reduce_sum(left[..., rows, :] * conj(right[..., columns, :]), axis=-1)
        padding = [[0, 0]] * (products.ndim - 1) + [[away, 0] if lower else [0, away]]
        diagonals.append(tf.pad(-products, padding))
    batched = [_spread(each, y.shape[:-2]) for each in diagonals]
    return [tf.stack(batched, axis=-2), part]


def _spread(row: Tensor, batch: Sequence[int]) -> Tensor:
    spread: Tensor = tf.broadcast_to(row, (*batch, row.shape[-1]))
    return spread


declare(
    "tf.linalg.banded_triangular_solve",
    _banded_type,
    forward=_banded,
    joint_vjp=_banded_vjp,
    batching=aligned,
    domains=(DOMINANT, REAL),
    dtypes=LAPACK,
    samples=(
        sample((2, 4), (4, 2)),
        sample((3, 3), (3, 1), lower=False),
        sample((2, 2, 3), (3, 2), adjoint=True),
        sample((3, 4), (2, 4, 1), lower=False, adjoint=True),
    ),
    source="A X = B gives dB = A^-H G and dA = -dB X^H, of which the diagonals that are given",
    convention="the ends of the shorter diagonals, where the matrix has nothing, receive 0; a 0 on the main diagonal "
    "is an error",
)


# Tridiagonal matrices


FORMATS = ("compact", "sequence", "matrix")


def _three(name: str, diagonals: Any, diagonals_format: Any) -> list[Tensor]:
    """The diagonals above, on and below, each as long as the matrix; what is beyond its ends is 0 or is not read."""
    if diagonals_format not in FORMATS:
        raise OpError(f"`diagonals_format` is one of {', '.join(FORMATS)}, not {diagonals_format!r}")
    if diagonals_format == "sequence":
        if not isinstance(diagonals, tuple) or len(diagonals) != 3:
            raise OpError(f"`{name}` needs a list of three diagonals", argument="diagonals")
        return list(diagonals)
    given = diagonals
    if not isinstance(given, Tensor):
        raise OpError(
            f"`{name}` needs one tensor with `diagonals_format={diagonals_format!r}`, not a list",
            argument="diagonals",
            help="a list of three diagonals is `diagonals_format='sequence'`",
        )
    if diagonals_format == "matrix":
        if given.ndim < 2 or given.shape[-1] != given.shape[-2] or given.shape[-1] < 2:
            raise OpError(
                f"`{name}` needs square matrices of at least 2 rows, not shape {list(given.shape)}",
                argument="diagonals",
            )
        given = tf.linalg.diag_part(given, k=(-1, 1), align="LEFT_RIGHT")
    if given.ndim < 2 or given.shape[-2] != 3:
        raise OpError(f"`{name}` needs three diagonals, not shape {list(given.shape)}", argument="diagonals")
    return [given[..., at, :] for at in range(3)]


def _shift(x: Tensor, by: int) -> Tensor:
    """The rows moved up (or down, if negative), with 0 where none comes in."""
    if x.shape[-2] == 0:
        return x
    kept = x[..., by:, :] if by > 0 else x[..., :by, :]
    shifted: Tensor = tf.pad(kept, [[0, 0]] * (x.ndim - 2) + [[0, by] if by > 0 else [-by, 0], [0, 0]])
    return shifted


@compose(
    "tf.linalg.tridiagonal_matmul",
    domains=(REAL, REAL),
    dtypes=LAPACK,
    samples=(
        sample((3, 4), (4, 2)),
        sample((2, 3, 3), (2, 3, 1)),
        sample([(3,), (3,), (3,)], (3, 2), diagonals_format="sequence"),
        sample((3, 3), (3, 2), diagonals_format="matrix"),
        sample((3, 1), (1, 2)),
    ),
    convention="the ends of the diagonals beside the main one, where the matrix has nothing, receive 0",
)
def _tridiagonal_matmul(
    diagonals: OneOrMany, rhs: Tensor, diagonals_format: Any = "compact", name: str | None = None
) -> Tensor:
    above, on, below = _three("tf.linalg.tridiagonal_matmul", diagonals, diagonals_format)
    if {above.shape, on.shape, below.shape} != {rhs.shape[:-1]}:
        raise OpError(
            f"diagonals of shapes {list(above.shape)}, {list(on.shape)} and {list(below.shape)} do not multiply what "
            f"has shape {list(rhs.shape)}",
            argument="rhs",
        )
    product: Tensor = on[..., np.newaxis] * rhs
    if rhs.shape[-2] > 1:  # the ends, where the matrix has nothing, are not read
        front = [[0, 0]] * (rhs.ndim - 2)
        up = tf.pad(above[..., :-1, np.newaxis] * rhs[..., 1:, :], [*front, [0, 1], [0, 0]])
        down = tf.pad(below[..., 1:, np.newaxis] * rhs[..., :-1, :], [*front, [1, 0], [0, 0]])
        product = product + up + down
    return product


def _solve_type(
    diagonals: Tensor,
    rhs: Tensor,
    partial_pivoting: bool = True,
    perturb_singular: bool = False,
    name: str | None = None,
) -> Typed:
    if diagonals.ndim < 2 or diagonals.shape[-2] != 3:
        raise OpError(f"three diagonals have the shape [..., 3, n], not {list(diagonals.shape)}", argument="diagonals")
    if rhs.shape[:-1] != (*diagonals.shape[:-2], diagonals.shape[-1]):
        raise OpError(
            f"three diagonals of shape {list(diagonals.shape)} need a right-hand side of shape "
            f"{[*diagonals.shape[:-2], diagonals.shape[-1], '…']}, not {list(rhs.shape)}".replace("'", ""),
            argument="rhs",
        )
    if as_bool(perturb_singular, "perturb_singular"):
        raise OpError(
            "`perturb_singular=True` is not supported: what it does to a singular matrix is not said",
            argument="perturb_singular",
        )
    return rhs.type, {"partial_pivoting": as_bool(partial_pivoting, "partial_pivoting"), "perturb_singular": False}


def _eliminated(diagonals: Array, rhs: Array, partial_pivoting: bool, perturb_singular: bool) -> Array:
    """Gaussian elimination along the diagonal, for the whole batch; with a pivot of 0 everything is NaN."""
    above, on, below = np.moveaxis(diagonals, -2, 0)
    order = on.shape[-1]
    x = rhs.copy()
    upper = np.zeros((3, *on.shape), on.dtype)  # its rows: on the diagonal, one and two beside it
    upper[0], upper[1, ..., :-1] = on, above[..., :-1]
    for at in range(order - 1):
        rows = upper[..., at].copy(), np.stack([below[..., at + 1], *upper[:2, ..., at + 1]])
        sides = x[..., at, :].copy(), x[..., at + 1, :].copy()
        if partial_pivoting:
            smaller = np.abs(rows[0][0]) < np.abs(rows[1][0])
            rows = np.where(smaller, rows[1], rows[0]), np.where(smaller, rows[0], rows[1])
            wide = smaller[..., np.newaxis]
            sides = np.where(wide, sides[1], sides[0]), np.where(wide, sides[0], sides[1])
        factor = rows[1][0] / rows[0][0]
        upper[..., at] = rows[0]
        upper[:2, ..., at + 1] = rows[1][1:] - factor * rows[0][1:]
        x[..., at, :], x[..., at + 1, :] = sides[0], sides[1] - factor[..., np.newaxis] * sides[0]
    for at in reversed(range(order)):
        for away in range(1, min(3, order - at)):
            x[..., at, :] -= upper[away, ..., at, np.newaxis] * x[..., at + away, :]
        x[..., at, :] /= upper[0, ..., at, np.newaxis]
    x[np.any(upper[0] == 0, axis=-1)] = np.nan
    return x


def _eliminated_vjp(
    g: Tensor, y: Tensor, diagonals: Tensor, rhs: Tensor, partial_pivoting: bool, perturb_singular: bool
) -> list[Tensor]:
    above, on, below = (conj(diagonals[..., at, :])[..., np.newaxis] for at in range(3))
    turned = tf.stack([each[..., 0] for each in (_shift(below, 1), on, _shift(above, -1))], axis=-2)
    part = tf.raw_ops.TridiagonalSolve(turned, g, partial_pivoting=partial_pivoting)
    products = [tf.reduce_sum(part * conj(each), axis=-1) for each in (_shift(y, 1), y, _shift(y, -1))]
    return [-tf.stack(products, axis=-2), part]


declare(
    "tf.raw_ops.TridiagonalSolve",
    _solve_type,
    forward=_eliminated,
    joint_vjp=_eliminated_vjp,
    batching=repeated,
    domains=(DOMINANT, REAL),
    dtypes=LAPACK,
    errata=("complex",),
    samples=(
        sample(np.array([[1.0, 2.0, 1.0, 9.0], [0.5, -3.0, 4.0, 5.0], [9.0, 2.0, 1.0, 3.0]]), (4, 2)),
        sample(np.array([[1.0, 2.0, 9.0], [4.0, 3.0, 5.0], [9.0, 2.0, 1.0]]), (3, 1), partial_pivoting=False),
        sample(np.array([[[1.0, 9.0], [0.0, 4.0], [9.0, 2.0]], [[1.0, 9.0], [3.0, 4.0], [9.0, 2.0]]]), (2, 2, 1)),
        sample((3, 1), (1, 2)),
    ),
    source="A X = B gives dB = A^-H G and dA = -dB X^H, of which the three diagonals",
    convention="the ends of the diagonals beside the main one, where the matrix has nothing, receive 0; a singular "
    "matrix gives NaN; TensorFlow leaves out the conjugates",
)


def _padded(name: str, diagonal: Tensor, order: int, *, below: bool) -> Tensor:
    """A diagonal beside the main one with a 0 where the matrix has nothing, if it is as short as it is there."""
    length = diagonal.shape[-1]
    if length == order:
        return diagonal
    if length != order - 1:
        raise OpError(f"`{name}`: a diagonal beside {order} elements has {order - 1} or {order}, not {length}")
    padded: Tensor = tf.pad(diagonal, [[0, 0]] * (diagonal.ndim - 1) + [[1, 0] if below else [0, 1]])
    return padded


@compose(
    "tf.linalg.tridiagonal_solve",
    domains=(DOMINANT, REAL),
    dtypes=LAPACK,
    errata=("complex",),
    samples=(
        sample(np.array([[1.0, 2.0, 9.0], [4.0, 3.0, 5.0], [9.0, 2.0, 1.0]]), (3,)),
        sample([np.array([[1.0], [1.0]]), (2, 2), (2, 2)], (2, 2), diagonals_format="sequence"),
        sample(np.eye(3) + 1, (2, 3), diagonals_format="matrix", transpose_rhs=True, conjugate_rhs=True),
    ),
    convention="the ends of the diagonals beside the main one, where the matrix has nothing, receive 0; a singular "
    "matrix gives NaN; TensorFlow leaves out the conjugates",
)
def _tridiagonal_solve(
    diagonals: OneOrMany,
    rhs: Tensor,
    diagonals_format: Any = "compact",
    transpose_rhs: bool = False,
    conjugate_rhs: bool = False,
    name: str | None = None,
    partial_pivoting: bool = True,
    perturb_singular: bool = False,
) -> Tensor:
    op = "tf.linalg.tridiagonal_solve"
    above, on, below = _three(op, diagonals, diagonals_format)
    order = on.shape[-1]
    above, below = _padded(op, above, order, below=False), _padded(op, below, order, below=True)
    if not above.shape == on.shape == below.shape:
        raise OpError(f"`{op}`: the diagonals have different batch axes", argument="diagonals")
    vector = rhs.ndim == on.ndim
    if as_bool(conjugate_rhs, "conjugate_rhs"):
        rhs = conj(rhs)
    if vector:
        rhs = rhs[..., np.newaxis]
    elif as_bool(transpose_rhs, "transpose_rhs"):
        rhs = tf.linalg.matrix_transpose(rhs)
    found: Tensor = tf.raw_ops.TridiagonalSolve(
        tf.stack([above, on, below], axis=-2),
        rhs,
        partial_pivoting=partial_pivoting,
        perturb_singular=perturb_singular,
    )
    return found[..., 0] if vector else found
