"""Reflections and plane rotations: the steps of the iterations that diagonalise a matrix.

What a decomposition leaves free, the signs and phases of its vectors, is settled by each step of the iteration that
finds it. TensorFlow's are those of Eigen on a CPU, so the steps here are the same, one for one; LAPACK's are not.
They work on single matrices of any floating dtype, also of those wider than float64.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from gradcheck.dtypes import Array


class Reflection(NamedTuple):
    """I - tau v v^H, which takes a vector to a real multiple `beta` of the first unit vector."""

    v: Array
    tau: Any
    beta: Any

    @property
    def adjoint(self) -> Reflection:
        return self._replace(tau=np.conj(self.tau))


def reflection(x: Array) -> Reflection:
    """Householder's: `beta` has the sign that the real part of the first element has not."""
    first, rest = x[0], x[1:]
    square = np.sum(rest.real**2 + rest.imag**2)
    tiny = np.finfo(x.dtype).tiny
    v = np.zeros_like(x)
    v[0] = 1
    if square <= tiny and first.imag**2 <= tiny:
        return Reflection(v, x.dtype.type(0), first.real)
    beta = np.sqrt(first.real**2 + first.imag**2 + square)
    if first.real >= 0:
        beta = -beta
    v[1:] = rest / (first - beta)
    return Reflection(v, np.conj((beta - first) / beta), beta)


def reflect_rows(a: Array, by: Reflection) -> None:
    """H A, in place."""
    a -= np.outer(by.tau * by.v, by.v.conj() @ a)


def reflect_columns(a: Array, by: Reflection) -> None:
    """A H^H, in place."""
    a -= np.outer(a @ by.v, np.conj(by.tau) * by.v.conj())


class Rotation(NamedTuple):
    """The rotation of a plane with cosine `c` and sine `s`."""

    c: Any
    s: Any

    @property
    def transpose(self) -> Rotation:
        return Rotation(self.c, -np.conj(self.s))

    @property
    def adjoint(self) -> Rotation:
        return Rotation(np.conj(self.c), -self.s)


def rotate_rows(a: Array, p: int, q: int, by: Rotation) -> None:
    """Rows p and q become c x + conj(s) y and -s x + conj(c) y, in place."""
    x, y = a[p].copy(), a[q].copy()
    a[p] = by.c * x + np.conj(by.s) * y
    a[q] = -by.s * x + np.conj(by.c) * y


def rotate_columns(a: Array, p: int, q: int, by: Rotation) -> None:
    """Columns p and q become c x - s y and conj(s) x + conj(c) y, in place."""
    rotate_rows(a.T, p, q, by.transpose)


def in_turn(rotations: Sequence[Rotation]) -> Array:
    """The matrix by which `rotate_columns` of columns 0 and 1, then 1 and 2, and so on multiplies, for real rotations.

    Row i holds the sine before it in front of the diagonal, from there on the products of the sines that carry it
    along, each times the cosines where it is met and where it stays.
    """
    c, s = np.array(rotations).T
    order = len(s) + 1
    stays = np.ones(order + 1, c.dtype)
    stays[1:-1] = c
    carries = np.ones((order, order), c.dtype)
    carries[:, 1:] = s
    carries[np.tri(order, dtype=bool)] = 1
    turned: Array = np.cumprod(carries, axis=1) * stays[:-1, np.newaxis] * stays[1:]
    turned[np.tri(order, k=-1, dtype=bool)] = 0
    turned.flat[order :: order + 1] = -s
    return turned


def givens(p: Any, q: Any) -> tuple[Rotation, Any]:
    """The rotation whose adjoint takes (p, q) to (r, 0), and r, for real numbers."""
    one = type(p)(1)
    if q == 0:
        return Rotation(-one if p < 0 else one, 0 * one), abs(p)
    if p == 0:
        return Rotation(0 * one, one if q < 0 else -one), abs(q)
    if abs(p) > abs(q):
        t = q / p
        u = (1 + t * t) ** 0.5 if p > 0 else -((1 + t * t) ** 0.5)
        return Rotation(1 / u, -t / u), p * u
    t = p / q
    u = (1 + t * t) ** 0.5 if q > 0 else -((1 + t * t) ** 0.5)
    return Rotation(t / u, -1 / u), q * u


def complex_givens(p: Any, q: Any) -> tuple[Rotation, Any]:
    """The same for complex numbers."""
    if q == 0:
        sign = -1 if p.real < 0 else 1
        return Rotation(p.real.dtype.type(sign), q), sign * p
    if p == 0:
        return Rotation(p.real, -q / abs(q)), abs(q) + 0 * q
    size = np.copysign(np.hypot(abs(p), abs(q)), p.real)
    unit = p / abs(p)
    return Rotation(abs(p) / size, -np.conj(unit) * (q / size)), unit * size


# What all iterations share

TURNS = 40
"""Iterations allowed for each row; on finite numbers all converge in a few."""


def diverged() -> np.linalg.LinAlgError:
    """What is raised for numbers that no iteration can do anything with."""
    return np.linalg.LinAlgError("the iteration does not converge: some number is not finite")


def scale(matrix: Array) -> Any:
    """The largest modulus, by which a matrix is divided beforehand; 1 for a matrix of zeros."""
    largest = np.max(np.abs(matrix))
    if not np.isfinite(largest):
        raise diverged()
    return largest if largest > 0 else largest + 1


def sort(values: Array, *columns: Array) -> None:
    """In ascending order of the values, by exchanges with the smallest of those that remain, in place."""
    for at in range(len(values) - 1):
        least = at + int(np.argmin(values[at:]))
        values[[at, least]] = values[[least, at]]
        for each in columns:
            each[:, [at, least]] = each[:, [least, at]]
