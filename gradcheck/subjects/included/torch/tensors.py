"""NumPy arrays to torch's tensors and back, bit by bit, and gradients by `torch.autograd.grad`."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gradcheck.dtypes import BFLOAT16, Array, DType
from gradcheck.subjects.findings import Lacking

_NO_KERNEL = ("not implemented for", "dtypes not supported")
"""What torch says where it has an operation, but not in this dtype."""


def constant(value: Array) -> Tensor:
    """A tensor of the shape, dtype and numbers of `value`, with memory of its own."""
    copy = np.array(value, order="C")
    if copy.dtype == BFLOAT16:  # which NumPy has by way of ml_dtypes, unknown to torch: the bits are the same
        return torch.from_numpy(copy.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(copy)


def variable(value: Array) -> Tensor:
    """The same as a leaf that gradients are wanted for."""
    return constant(value).requires_grad_()


def array(value: Tensor) -> Array:
    """A copy of the numbers of a tensor, in which the conjugations that torch puts off have been carried out."""
    copy = value.detach().clone()
    if copy.dtype == torch.bfloat16:
        bits: Array = copy.view(torch.int16).numpy()
        return bits.view(BFLOAT16)
    numbers: Array = copy.numpy()
    return numbers


def gradients(target: Tensor, sources: Sequence[Tensor], cotangent: Tensor | None) -> Sequence[Tensor | None]:
    """One gradient per source, as tensors that can be differentiated again; None for one that is not connected."""
    if not target.requires_grad:
        return [None] * len(sources)
    seed = torch.ones_like(target) if cotangent is None else cotangent
    found: Sequence[Tensor | None] = torch.autograd.grad(target, sources, seed, create_graph=True, allow_unused=True)
    return found


def dtype_of(dtype: DType) -> Any:
    """torch's dtype for NumPy's."""
    return getattr(torch, dtype.name)


def on_tensors(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` with whole numbers and truth values, which come as arrays, made tensors too.

    Raises `Lacking` where torch says that it has no such kernel.
    """

    @functools.wraps(function)
    def run(*operands: Any, **named: Any) -> Any:
        try:
            return function(*map(_tensor, operands), **{name: _tensor(each) for name, each in named.items()})
        except RuntimeError as error:
            if any(each in str(error) for each in _NO_KERNEL):
                raise Lacking(f"torch says {error}") from error
            raise

    return run


def _tensor(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return constant(value)
    return [_tensor(each) for each in value] if isinstance(value, list) else value


def axes(axis: Any, ndim: int) -> tuple[int, ...]:
    """TensorFlow's `axis` as a tuple of axes from 0: an integer, several, or None for all."""
    if axis is None:
        return tuple(range(ndim))
    several = axis if isinstance(axis, (tuple, list)) else (axis,)
    return tuple(int(each) % ndim for each in several)
