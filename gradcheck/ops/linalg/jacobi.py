"""Singular values and vectors by rotations from both sides, as Eigen finds them: see `rotations`."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.dtypes import Array
from gradcheck.ops.linalg.rotations import (
    TURNS,
    Rotation,
    diverged,
    reflect_rows,
    reflection,
    rotate_columns,
    rotate_rows,
    scale,
    sort,
)


def singular(matrix: Array, full: bool) -> tuple[Array, Array, Array]:
    """The descending singular values, U and V in A = U diag(s) V^H; `full` with square U and V."""
    size = scale(matrix)
    rows, columns = matrix.shape
    if rows >= columns:
        u, a, v = _squared(matrix / size, full)
    else:
        v, a, u = _squared(matrix.conj().T / size, full)
        a = a.conj().T
    _jacobi(a, u, v)
    negative = -_positive(a, u)
    sort(negative, u, v)
    return -negative * size, u, v


def _squared(a: Array, full: bool) -> tuple[Array, Array, Array]:
    """Q, R and P in A = Q R P^T with a square R, for a matrix with at least as many rows as columns."""
    rows, columns = a.shape
    q, order = np.eye(rows, rows if full else columns, dtype=a.dtype), np.arange(columns)
    if rows > columns:
        a = a.copy()
        steps = []
        for at in range(columns):
            rest = a[at:, at:]
            largest = at + int(np.argmax(np.sum(rest.real**2 + rest.imag**2, axis=0)))
            for each in (a, order[None]):
                each[:, [at, largest]] = each[:, [largest, at]]
            steps.append(reflection(a[at:, at]))
            reflect_rows(a[at:, at:], steps[-1])
        for at, by in reversed(list(enumerate(steps))):
            reflect_rows(q[at:], by.adjoint)
        a = np.triu(a[:columns])
    return q, a, np.eye(columns, dtype=a.dtype)[:, order]


def _jacobi(a: Array, u: Array, v: Array) -> None:
    """Rotate rows and columns until the square matrix is diagonal; u a v^H stays what it was."""
    info = np.finfo(a.dtype)
    largest = np.max(np.abs(np.diagonal(a)))
    for _ in range(TURNS):
        finished = True
        for p in range(1, len(a)):
            for q in range(p):
                if max(abs(a[p, q]), abs(a[q, p])) <= max(info.tiny, 2 * info.eps * largest):
                    continue
                finished = False
                if a.dtype.kind == "c":
                    _make_real(a, u, v, p, q)
                    largest = max(largest, abs(a[p, p]), abs(a[q, q]))
                    if max(abs(a[p, q]), abs(a[q, p])) <= max(info.tiny, info.eps * largest):
                        continue
                left, right = _jacobi_rotations(a[p, p].real, a[p, q].real, a[q, p].real, a[q, q].real)
                rotate_rows(a, p, q, left)
                rotate_columns(u, p, q, left.transpose)
                rotate_columns(a, p, q, right)
                rotate_columns(v, p, q, right)
                largest = max(largest, abs(a[p, p]), abs(a[q, q]))
        if finished:
            return
    raise diverged()


def _make_real(a: Array, u: Array, v: Array, p: int, q: int) -> None:
    """Turn rows and columns p and q so that what they have in common is real, and 0 below the first element."""
    tiny = np.finfo(a.dtype).tiny
    size = np.sqrt(abs(a[p, p]) ** 2 + abs(a[q, p]) ** 2)
    if size == 0:
        a[p, p] = a[q, p] = 0
        if abs(a[p, q].imag) > tiny:
            _turn_row(a, u, p, q)
    else:
        rotation = Rotation(a[p, p].conj() / size, a[q, p] / size)
        rotate_rows(a, p, q, rotation)
        rotate_columns(u, p, q, rotation.adjoint)
        if abs(a[p, q].imag) > tiny:
            turn = abs(a[p, q]) / a[p, q]
            a[:, q] *= turn
            v[:, q] *= turn
    if abs(a[q, q].imag) > tiny:
        _turn_row(a, u, q, q)


def _turn_row(a: Array, u: Array, row: int, column: int) -> None:
    """Turn a row until its element in `column` is real."""
    turn = abs(a[row, column]) / a[row, column]
    a[row] *= turn
    u[:, row] *= turn.conj()


def _jacobi_rotations(pp: Any, pq: Any, qp: Any, qq: Any) -> tuple[Rotation, Rotation]:
    """The rotations from the left and from the right that make two rows and columns diagonal."""
    tiny, one = np.finfo(pp.dtype).tiny, pp.dtype.type(1)
    c, s = one, 0 * one
    if abs(qp - pq) >= tiny:
        u = (pp + qq) / (qp - pq)
        s = 1 / np.sqrt(1 + u * u)
        c = u * s
    x, y, z = c * pp + s * qp, c * pq + s * qq, c * qq - s * pq
    right = Rotation(one, 0 * one)
    if 2 * abs(y) >= tiny:
        tau = (x - z) / (2 * abs(y))
        root = np.sqrt(tau * tau + 1)
        t = 1 / (tau + root) if tau > 0 else 1 / (tau - root)
        n = 1 / np.sqrt(t * t + 1)
        right = Rotation(n, -np.sign(y) * t * n)
    return Rotation(c * right.c + s * right.s, s * right.c - c * right.s), right


def _positive(a: Array, u: Array) -> Array:
    """The moduli of the diagonal of `a`, whose signs go to the columns of `u`."""
    values = np.diagonal(a)
    sizes: Array = np.abs(values)
    u[:, : len(a)] *= np.where(sizes > 0, values / np.where(sizes > 0, sizes, 1), 1)
    return sizes
