"""The eigenvalues and eigenvectors of Hermitian matrices, as Eigen finds them: see `rotations`."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.dtypes import Array
from gradcheck.ops.linalg.rotations import (
    TURNS,
    Rotation,
    diverged,
    givens,
    in_turn,
    reflect_columns,
    reflect_rows,
    reflection,
    scale,
    sort,
)


def symmetric(matrix: Array) -> tuple[Array, Array]:
    """The ascending eigenvalues of a Hermitian matrix, of which the lower triangle is read, and its eigenvectors."""
    size = scale(np.tril(matrix))
    below = np.tril(matrix, -1) / size
    a = below + below.conj().T + np.diag(np.diagonal(matrix).real / size).astype(matrix.dtype)
    diagonal, beside, vectors = _tridiagonal(a)
    values = np.array(_qr_iteration(diagonal.tolist(), beside.tolist(), vectors), diagonal.dtype)
    sort(values, vectors)
    return values * size, vectors


def _tridiagonal(a: Array) -> tuple[Array, Array, Array]:
    """The diagonal and the one below of T, and Q, in A = Q T Q^H."""
    vectors = np.eye(len(a), dtype=a.dtype)
    for at in range(len(a) - 1):
        by = reflection(a[at + 1 :, at])
        reflect_rows(a[at + 1 :], by)
        reflect_columns(a[:, at + 1 :], by)
        reflect_columns(vectors[:, at + 1 :], by)
    return np.diagonal(a).real.copy(), np.diagonal(a, -1).real.copy(), vectors


def _qr_iteration(diagonal: list[Any], beside: list[Any], vectors: Array) -> list[Any]:
    """The diagonal once nothing is left beside it.

    These numbers are Python's, in float64 at least, because those of NumPy take several times as long one by one.
    """
    info = np.finfo(vectors.dtype)
    tiny, eps = info.tiny.item(), info.eps.item()
    start, end = 0, len(diagonal) - 1
    for _ in range(TURNS * len(diagonal)):
        for at in range(start, end):
            limit = abs(diagonal[at]) + abs(diagonal[at + 1])
            if abs(beside[at]) < tiny or (beside[at] / eps) ** 2 <= limit:
                beside[at] = 0
        while end > 0 and beside[end - 1] == 0:
            end -= 1
        if end <= 0:
            return diagonal
        start = end - 1
        while start > 0 and beside[start - 1] != 0:
            start -= 1
        _qr_step(diagonal, beside, start, end, vectors)
    raise diverged()


def _qr_step(diagonal: list[Any], beside: list[Any], start: int, end: int, vectors: Array) -> None:
    x, z = diagonal[start] - _shift(diagonal, beside[end - 1], end), beside[start]
    rotations: list[Rotation] = []
    for k in range(start, end):
        if z == 0:
            break
        rotation, _ = givens(x, z)
        c, s = rotation
        upper = s * diagonal[k] + c * beside[k]
        lower = s * beside[k] + c * diagonal[k + 1]
        diagonal[k] = c * (c * diagonal[k] - s * beside[k]) - s * (c * beside[k] - s * diagonal[k + 1])
        diagonal[k + 1] = s * upper + c * lower
        beside[k] = c * upper - s * lower
        if k > start:
            beside[k - 1] = c * beside[k - 1] - s * z
        x = beside[k]
        if k < end - 1:
            z = -s * beside[k + 1]
            beside[k + 1] = c * beside[k + 1]
        rotations.append(rotation)
    if rotations:
        turned = slice(start, start + len(rotations) + 1)
        vectors[:, turned] = vectors[:, turned] @ in_turn(rotations)


def _shift(diagonal: list[Any], beside: Any, end: int) -> Any:
    """Wilkinson's: the eigenvalue of the last two rows that is nearer to the last element."""
    half = (diagonal[end - 1] - diagonal[end]) / 2
    if half == 0:
        return diagonal[end] - abs(beside)
    root = np.hypot(half, beside).item()
    whole = half + (root if half > 0 else -root)
    return diagonal[end] - beside / (whole / beside)
