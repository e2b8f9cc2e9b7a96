"""Sums, extremes and norms over axes, and what puts elements in order."""

import math
import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from gradcheck.dtypes import INT32, INT64, DType
from gradcheck.subjects.findings import Lacking
from gradcheck.subjects.included.torch.tensors import axes, dtype_of


def _over(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """`function(x, dim, keepdim)` over TensorFlow's axes: an empty list of these is none, which torch takes for all."""

    def reduce(input_tensor: Tensor, axis: Any = None, keepdims: bool | None = False) -> Tensor:
        dims = axes(axis, input_tensor.ndim)
        if not dims:
            return function(input_tensor.unsqueeze(0), (0,), False)
        return function(input_tensor, dims, bool(keepdims))

    return reduce


def _sum(x: Tensor, dims: tuple[int, ...], keepdim: bool) -> Tensor:
    return torch.sum(x, dims, keepdim, dtype=x.dtype)


def _extreme(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def extreme(x: Tensor, dims: tuple[int, ...], keepdim: bool) -> Tensor:
        if not x.numel():
            raise Lacking("torch has no extreme of no elements")
        return function(x, dims, keepdim)

    return extreme


def _prod(x: Tensor, dims: tuple[int, ...], keepdim: bool) -> Tensor:
    for each in sorted(dims, reverse=True):
        x = torch.prod(x, each, keepdim, dtype=x.dtype)
    return x


def _spread(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def spread(x: Tensor, dims: tuple[int, ...], keepdim: bool) -> Tensor:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "(var|std).*degrees of freedom")  # of nothing it is NaN, as it should be
            return function(x, dims, correction=0, keepdim=keepdim)

    return spread


def _euclidean(x: Tensor, dims: tuple[int, ...], keepdim: bool) -> Tensor:
    return torch.linalg.vector_norm(x, 2, dims, keepdim).to(x.dtype)


def _count_nonzero(
    input: Tensor,
    axis: Any = None,
    keepdims: bool | None = None,
    dtype: DType = INT64,
) -> Tensor:
    return _over(_sum)((input != 0).to(dtype_of(dtype)), axis, keepdims)


def _position(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def position(input: Tensor, axis: int | None = None, output_type: DType = INT64) -> Tensor:
        return function(input, axis or 0).to(dtype_of(output_type))

    return position


def _norm(tensor: Tensor, ord: Any = "euclidean", axis: Any = None, keepdims: bool | None = None) -> Tensor:
    if isinstance(axis, (tuple, list)):
        order = "fro" if ord == "euclidean" else ord
        norm = torch.linalg.matrix_norm(tensor, order, tuple(axis), bool(keepdims))
    else:
        dims = axes(axis, tensor.ndim)
        norm = torch.linalg.vector_norm(tensor, 2 if ord in ("euclidean", "fro") else ord, dims, bool(keepdims))
    return norm.to(tensor.dtype) if ord in ("euclidean", "fro", 2) else norm


def _normalize(tensor: Tensor, ord: Any = "euclidean", axis: Any = None) -> list[Tensor]:
    norm = _norm(tensor, ord, axis, keepdims=True).to(tensor.dtype)
    return [tensor / norm, norm]


def _l2_normalize(x: Tensor, axis: Any = None, epsilon: float = 1e-12, dim: Any = None) -> Tensor:
    dims: Any = axes(axis if dim is None else dim, x.ndim)  # several, though `normalize` is annotated for one
    return functional.normalize(x, 2.0, dims, math.sqrt(epsilon))


def _global_norm(t_list: list[Tensor]) -> Tensor:
    return torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(each) for each in t_list]))


def _clip_by_norm(t: Tensor, clip_norm: Tensor, axes: Any = None) -> Tensor:
    norm = _norm(t, axis=None, keepdims=True) if axes is None else _over(_euclidean)(t, axes, True)
    return t * clip_norm / torch.clamp(norm, min=clip_norm)


def _moments(x: Tensor, axes: Any, shift: Any = None, keepdims: bool = False) -> list[Tensor]:
    mean = _over(torch.mean)(x, axes, keepdims)
    return [mean, _over(_spread(torch.var))(x, axes, keepdims).to(x.dtype)]


def _sort(values: Tensor, axis: int = -1, direction: str = "ASCENDING") -> Tensor:
    return torch.sort(values, dim=axis, descending=direction == "DESCENDING", stable=True).values


def _argsort(values: Tensor, axis: int = -1, direction: str = "ASCENDING", stable: bool = False) -> Tensor:
    return torch.argsort(values, dim=axis, descending=direction == "DESCENDING", stable=True).int()


def _top_k(input: Tensor, k: int = 1, index_type: DType = INT32) -> list[Tensor]:
    values, positions = torch.topk(input, k)
    return [values, positions.to(dtype_of(index_type))]


def _searchsorted(sorted_sequence: Tensor, values: Tensor, side: str = "left", out_type: DType = INT32) -> Tensor:
    rows = sorted_sequence.detach().reshape(-1, sorted_sequence.shape[-1])
    found = torch.searchsorted(rows, values.detach().reshape(len(rows), -1), side=side)
    return found.reshape(values.shape).to(dtype_of(out_type))


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "tf.reduce_sum": _over(_sum),
    "tf.reduce_mean": _over(torch.mean),
    "tf.reduce_max": _over(_extreme(torch.amax)),
    "tf.reduce_min": _over(_extreme(torch.amin)),
    "tf.reduce_prod": _over(_prod),
    "tf.reduce_logsumexp": _over(torch.logsumexp),
    "tf.math.reduce_variance": _over(_spread(torch.var)),
    "tf.math.reduce_std": _over(_spread(torch.std)),
    "tf.math.reduce_euclidean_norm": _over(_euclidean),
    "tf.reduce_any": _over(torch.any),
    "tf.reduce_all": _over(torch.all),
    "tf.math.count_nonzero": _count_nonzero,
    "tf.math.zero_fraction": lambda value: torch.mean((value == 0).float()),
    "tf.argmax": _position(torch.argmax),
    "tf.argmin": _position(torch.argmin),
    "tf.norm": _norm,
    "tf.linalg.normalize": _normalize,
    "tf.math.l2_normalize": _l2_normalize,
    "tf.linalg.global_norm": _global_norm,
    "tf.clip_by_norm": _clip_by_norm,
    "tf.nn.moments": _moments,
    "tf.sort": _sort,
    "tf.argsort": _argsort,
    "tf.math.top_k": _top_k,
    "tf.searchsorted": _searchsorted,
}
