"""Contractions, diagonals, solves and decompositions."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from gradcheck.subjects.findings import Lacking


def _matmul(
    a: Tensor,
    b: Tensor,
    transpose_a: bool = False,
    transpose_b: bool = False,
    adjoint_a: bool = False,
    adjoint_b: bool = False,
) -> Tensor:
    return torch.matmul(_turned(a, transpose_a, adjoint_a), _turned(b, transpose_b, adjoint_b))


def _matvec(a: Tensor, b: Tensor, transpose_a: bool = False, adjoint_a: bool = False) -> Tensor:
    return torch.matmul(_turned(a, transpose_a, adjoint_a), b.unsqueeze(-1)).squeeze(-1)


def _turned(matrix: Tensor, transpose: bool, adjoint: bool) -> Tensor:
    if adjoint:
        return matrix.mH
    return matrix.mT if transpose else matrix


def _tensordot(a: Tensor, b: Tensor, axes: Any) -> Tensor:
    if isinstance(axes, int):
        return torch.tensordot(a, b, axes)
    left, right = (list(each) if isinstance(each, (tuple, list)) else [each] for each in axes)
    return torch.tensordot(a, b, (left, right))


def _diag(
    diagonal: Tensor,
    k: Any = 0,
    num_rows: int = -1,
    num_cols: int = -1,
    padding_value: Any = 0,
    align: str = "RIGHT_LEFT",
) -> Tensor:
    place = _one(k)
    least = diagonal.shape[-1]
    rows = least + max(-place, 0) if num_rows == -1 else num_rows
    columns = least + max(place, 0) if num_cols == -1 else num_cols
    matrix = torch.full((*diagonal.shape[:-1], rows, columns), padding_value, dtype=diagonal.dtype)
    return torch.diagonal_scatter(matrix, diagonal, place, -2, -1)


def _diag_part(input: Tensor, k: Any = 0, padding_value: Any = 0, align: str = "RIGHT_LEFT") -> Tensor:
    return torch.diagonal(input, _one(k), -2, -1)


def _set_diag(input: Tensor, diagonal: Tensor, k: Any = 0, align: str = "RIGHT_LEFT") -> Tensor:
    return torch.diagonal_scatter(input, diagonal, _one(k), -2, -1)


def _one(k: int | Sequence[int]) -> int:
    if isinstance(k, int):
        return k
    if len(set(k)) > 1:
        raise Lacking("torch has one diagonal at a time")
    return k[0]


def _band_part(input: Tensor, num_lower: int, num_upper: int) -> Tensor:
    band = input if num_upper < 0 else torch.tril(input, num_upper)
    return band if num_lower < 0 else torch.triu(band, -num_lower)


def _inv(input: Tensor, adjoint: bool = False) -> Tensor:
    return torch.linalg.inv(_turned(input, False, adjoint))


def _solve(matrix: Tensor, rhs: Tensor, adjoint: bool = False) -> Tensor:
    return torch.linalg.solve(_turned(matrix, False, adjoint), rhs)


def _triangular_solve(matrix: Tensor, rhs: Tensor, lower: bool = True, adjoint: bool = False) -> Tensor:
    return torch.linalg.solve_triangular(_turned(matrix, False, adjoint), rhs, upper=lower == adjoint)


def _slogdet(input: Tensor) -> list[Tensor]:
    sign, logarithm = torch.linalg.slogdet(input)
    return [sign, logarithm.to(sign.dtype)]


def _logdet(matrix: Tensor) -> Tensor:
    """Of a positive definite matrix, of which one triangle is read: `torch.logdet` is for any, and reads all of it."""
    diagonal = torch.diagonal(torch.linalg.cholesky(matrix), 0, -2, -1)
    return 2 * torch.log(torch.real(diagonal)).sum(-1)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "tf.matmul": _matmul,
    "tf.linalg.matvec": _matvec,
    "tf.einsum": torch.einsum,
    "tf.tensordot": _tensordot,
    "tf.linalg.cross": lambda a, b: torch.linalg.cross(a, b, dim=-1),
    "tf.linalg.diag": _diag,
    "tf.linalg.diag_part": _diag_part,
    "tf.linalg.set_diag": _set_diag,
    "tf.linalg.band_part": _band_part,
    "tf.linalg.trace": lambda x: torch.diagonal(x, 0, -2, -1).sum(-1),
    "tf.linalg.inv": _inv,
    "tf.linalg.solve": _solve,
    "tf.linalg.triangular_solve": _triangular_solve,
    "tf.linalg.det": torch.linalg.det,
    "tf.linalg.slogdet": _slogdet,
    "tf.linalg.cholesky": torch.linalg.cholesky,
    "tf.linalg.logdet": _logdet,
}
