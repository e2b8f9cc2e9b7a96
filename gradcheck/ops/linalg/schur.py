"""Schur's form of a matrix, and the eigenvalues and eigenvectors that it shows; as Eigen does it: see `rotations`."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.dtypes import Array
from gradcheck.ops.linalg.rotations import (
    TURNS,
    complex_givens,
    diverged,
    givens,
    reflect_columns,
    reflect_rows,
    reflection,
    rotate_columns,
    rotate_rows,
    scale,
    sort,
)


def general(matrix: Array) -> tuple[Array, Array]:
    """The eigenvalues of a matrix, and its eigenvectors, of length 1.

    Of a complex matrix by ascending modulus; of a real one in the order of Schur's form, where of a conjugate pair the
    eigenvalue above the real axis is the first.
    """
    if not np.all(np.isfinite(matrix)):
        raise diverged()
    if matrix.dtype.kind == "c":
        upper, unitary = _schur(*_hessenberg(matrix))
        values, vectors = np.diagonal(upper).copy(), unitary @ _upper_vectors(upper)
        order = np.arange(len(values))[None]
        sort(np.abs(values), order)
        values, vectors = values[order[0]], vectors[:, order[0]]
    else:
        values, vectors = _real(matrix)
    return values, vectors / np.sqrt(np.sum(vectors.real**2 + vectors.imag**2, axis=0))


def _real(matrix: Array) -> tuple[Array, Array]:
    """The same for a real matrix, with eigenvectors of any length."""
    size = scale(matrix)
    t, u = _real_schur(*_hessenberg(matrix / size))
    values, upper, unitary = _split(t)
    vectors = unitary @ _upper_vectors(upper)
    for at, value in enumerate(values):
        if value.imag == 0:
            vectors[:, at] = vectors[:, at].real
        elif value.imag > 0:  # the last element that is not 0 points up, and the conjugate comes next
            last = vectors[at + 1, at]
            vectors[:, at] *= 1j * last.conj() / abs(last)
            vectors[:, at + 1] = vectors[:, at].conj()
    return values * size, u @ vectors


def _split(t: Array) -> tuple[Array, Array, Array]:
    """The eigenvalues of the blocks of a real Schur form T, and U and V in T = V U V^H with a triangular U."""
    kind = np.result_type(t.dtype, np.complex64)
    upper, unitary = t.astype(kind), np.eye(len(t), dtype=kind)
    values = np.diagonal(upper).copy()
    for at in np.flatnonzero(np.diagonal(t, -1)).tolist():
        (a, b), (c, d) = t[at : at + 2, at : at + 2]
        half = (a - d) / 2
        values[at] = d + half + 1j * np.sqrt(abs(half * half + b * c))
        values[at + 1] = values[at].conj()
        first = (values[at] - d) / c
        rotation, _ = complex_givens(first, kind.type(1))
        rotate_rows(upper, at, at + 1, rotation.adjoint)
        rotate_columns(upper, at, at + 1, rotation)
        rotate_columns(unitary, at, at + 1, rotation)
        upper[at + 1, at] = 0
        upper[at, at], upper[at + 1, at + 1] = values[at : at + 2]
    return values, upper, unitary


def _schur(t: Array, u: Array) -> tuple[Array, Array]:
    """T and U in A = U T U^H with an upper triangular T, from such with a Hessenberg matrix T."""
    end, turn = len(t) - 1, 0
    for _ in range(TURNS * len(t)):
        while end > 0 and _negligible(t, end - 1):
            end, turn = end - 1, 0
        if end <= 0:
            return t, u
        turn += 1
        start = end - 1
        while start > 0 and not _negligible(t, start - 1):
            start -= 1
        _schur_step(t, u, start, end, turn)
    raise diverged()


def _hessenberg(matrix: Array) -> tuple[Array, Array]:
    t, u = matrix.copy(), np.eye(len(matrix), dtype=matrix.dtype)
    for at in range(len(t) - 1):
        by = reflection(t[at + 1 :, at])
        reflect_rows(t[at + 1 :, at + 1 :], by)
        reflect_columns(t[:, at + 1 :], by)
        reflect_columns(u[:, at + 1 :], by)
        t[at + 1 :, at] = 0
        t[at + 1, at] = by.beta
    return t, u


def _norm1(z: Any) -> Any:
    return abs(z.real) + abs(z.imag)


def _negligible(t: Array, at: int) -> bool:
    around = _norm1(t[at, at]) + _norm1(t[at + 1, at + 1])
    if _norm1(t[at + 1, at]) <= np.finfo(t.dtype).eps * around:
        t[at + 1, at] = 0
        return True
    return False


def _schur_step(t: Array, u: Array, start: int, end: int, turn: int) -> None:
    rotation, _ = complex_givens(t[start, start] - _corner(t, end, turn), t[start + 1, start])
    for k in range(start, end):
        if k > start:
            rotation, t[k, k - 1] = complex_givens(t[k, k - 1], t[k + 1, k - 1])
            t[k + 1, k - 1] = 0
        rotate_rows(t[:, k:], k, k + 1, rotation.adjoint)
        rotate_columns(t[: min(k + 2, end) + 1], k, k + 1, rotation)
        rotate_columns(u, k, k + 1, rotation)


def _corner(t: Array, end: int, turn: int) -> Any:
    """The shift: the eigenvalue of the last two rows that is nearer to the last element."""
    if turn in (10, 20) and end > 1:
        return abs(t[end, end - 1].real) + abs(t[end - 1, end - 2].real)
    block = t[end - 1 : end + 1, end - 1 : end + 1]
    size = np.sum(np.abs(block))
    (a, b), (c, d) = block / size
    root = np.sqrt((a - d) ** 2 + 4 * (b * c))
    determinant, trace = a * d - b * c, a + d
    one, other = (trace + root) / 2, (trace - root) / 2
    if _norm1(one) > _norm1(other):
        other = determinant / one
    elif _norm1(other) != 0:
        one = determinant / other
    return size * (one if _norm1(one - d) < _norm1(other - d) else other)


def _upper_vectors(t: Array) -> Array:
    """The eigenvectors of an upper triangular matrix, with ones on the diagonal."""
    norm = max(np.sqrt(np.sum(t.real**2 + t.imag**2)), np.finfo(t.dtype).tiny)
    x = np.eye(len(t), dtype=t.dtype)
    for k in reversed(range(len(t))):
        for i in reversed(range(k)):
            gap = t[i, i] - t[k, k]
            known = t[i, k] + t[i, i + 1 : k] @ x[i + 1 : k, k]
            if known != 0:
                x[i, k] = -known / (gap if gap != 0 else np.finfo(t.dtype).eps * norm)
    return x


# Schur's form of a real matrix, whose conjugate pairs of eigenvalues stay together as blocks on the diagonal


def _real_schur(t: Array, u: Array) -> tuple[Array, Array]:
    """T and U in A = U T U^T, from such with a Hessenberg matrix T."""
    eps, tiny = np.finfo(t.dtype).eps, np.finfo(t.dtype).tiny
    floor = max(np.sum(np.abs(np.triu(t, -1))) * eps * eps, tiny)
    end, turn, moved = len(t) - 1, 0, 0 * t[0, 0]
    for _ in range(TURNS * len(t)):
        start = end
        while start > 0 and abs(t[start, start - 1]) > max(
            (abs(t[start - 1, start - 1]) + abs(t[start, start])) * eps, floor
        ):
            start -= 1
        if start >= end - 1:
            _split_off(t, u, start, end, moved)
            end, turn = start - 1, 0
            if end < 0:
                return t, u
            continue
        shift, more = _double_shift(t, end, turn)
        moved += more
        turn += 1
        _francis_step(t, u, start, end, shift)
    raise diverged()


def _split_off(t: Array, u: Array, start: int, end: int, moved: Any) -> None:
    """One or two rows are done: take back the shifts, and make two real eigenvalues triangular."""
    for at in range(start, end + 1):
        t[at, at] += moved
    if start < end:
        half = (t[start, start] - t[end, end]) / 2
        root = half * half + t[end, start] * t[start, end]
        if root >= 0:
            z = np.sqrt(root)
            rotation, _ = givens(half + z if half >= 0 else half - z, t[end, start])
            rotate_rows(t[:, start:], start, end, rotation.adjoint)
            rotate_columns(t[: end + 1], start, end, rotation)
            t[end, start] = 0
            rotate_columns(u, start, end, rotation)
    if start > 0:
        t[start, start - 1] = 0


def _double_shift(t: Array, end: int, turn: int) -> tuple[tuple[Any, Any, Any], Any]:
    """The last two diagonal elements and the product beside them; every sixteenth time Wilkinson's own choice."""
    if turn == 0 or turn % 16:
        return (t[end, end], t[end - 1, end - 1], t[end, end - 1] * t[end - 1, end]), 0
    more = t[end, end]
    t[range(end + 1), range(end + 1)] -= more
    size = abs(t[end, end - 1]) + abs(t[end - 1, end - 2])
    return (size * 3 / 4, size * 3 / 4, -size * size * 7 / 16), more


def _francis_step(t: Array, u: Array, start: int, end: int, shift: tuple[Any, Any, Any]) -> None:
    """One implicit QR step with two shifts at once (Golub and Van Loan, section 7.5.5)."""
    middle, first = _first_vector(t, start, end, shift)
    for k in range(middle, end):
        rows = min(3, end - k + 1)
        by = reflection(first if k == middle else t[k : k + rows, k - 1])
        if by.beta == 0:
            continue
        if k > middle:
            t[k, k - 1] = by.beta
        elif k > start:
            t[k, k - 1] = -t[k, k - 1]
        reflect_rows(t[k : k + rows, k:], by)
        reflect_columns(t[: min(end, k + 3) + 1, k : k + rows], by)
        reflect_columns(u[:, k : k + rows], by)
    for at in range(middle + 2, end + 1):
        t[at, max(middle, at - 3) : at - 1] = 0


def _first_vector(t: Array, start: int, end: int, shift: tuple[Any, Any, Any]) -> tuple[int, Array]:
    """Where the step begins, and what it reflects first."""
    for at in reversed(range(start, end - 1)):
        corner = t[at, at]
        r, s = shift[0] - corner, shift[1] - corner
        found = np.array(
            [
                (r * s - shift[2]) / t[at + 1, at] + t[at, at + 1],
                t[at + 1, at + 1] - corner - r - s,
                t[at + 2, at + 1],
            ]
        )
        if at > start:
            around = abs(t[at - 1, at - 1]) + abs(corner) + abs(t[at + 1, at + 1])
            if abs(t[at, at - 1] * (abs(found[1]) + abs(found[2]))) < np.finfo(t.dtype).eps * found[0] * around:
                break
    return at, found
