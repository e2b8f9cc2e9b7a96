"""What makes, moves, joins and repeats elements, and sums that run along an axis."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from gradcheck.dtypes import INT32, DType
from gradcheck.subjects.findings import Lacking
from gradcheck.subjects.included.torch.tensors import axes, dtype_of

MIRRORED = 3
"""Along how many axes torch reflects at once."""


def _transpose(a: Tensor, perm: Sequence[int] | None = None, conjugate: bool = False) -> Tensor:
    order = range(a.ndim)[::-1] if perm is None else perm
    return torch.permute(a.conj() if conjugate else a, tuple(order))


def _split(value: Tensor, num_or_size_splits: Any, axis: int = 0, num: Any = None) -> Any:
    if isinstance(num_or_size_splits, int):
        return torch.tensor_split(value, num_or_size_splits, axis)
    sizes = list(num_or_size_splits)
    if -1 in sizes:
        sizes[sizes.index(-1)] = value.shape[axis] - sum(sizes) - 1
    return torch.split(value, sizes, axis)


def _squeeze(input: Tensor, axis: Any = None) -> Tensor:
    if axis is None or axis == ():
        return torch.squeeze(input)
    return torch.squeeze(input, tuple({*axes(axis, input.ndim)}))


def _expand_dims(input: Tensor, axis: Any) -> Tensor:
    return torch.unsqueeze(input, axis[0] if isinstance(axis, (tuple, list)) else axis)


def _meshgrid(*arguments: Any) -> Any:
    *tensors, options = arguments
    flat = [each.flatten() for each in tensors]
    return torch.meshgrid(*flat, indexing=options.get("indexing", "xy"))


def _fill(dims: Sequence[int], value: Tensor) -> Tensor:
    return value.expand(tuple(dims))


def _linspace(start: Tensor, stop: Tensor, num: int, axis: int = 0) -> Tensor:
    start, stop = torch.broadcast_tensors(start, stop)
    at = axis % (start.ndim + 1)
    parts = torch.linspace(0, 1, num, dtype=start.dtype).reshape(-1, *[1] * (start.ndim - at))
    return torch.lerp(start.unsqueeze(at), stop.unsqueeze(at), parts)


def _convert(value: Tensor, dtype: Any = None, dtype_hint: Any = None) -> Tensor:
    return value


def _like(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def like(input: Tensor, dtype: DType | None = None) -> Tensor:
        return function(input, dtype=None if dtype is None else dtype_of(dtype))

    return like


def _shape(input: Tensor, out_type: DType | None = None) -> Tensor:
    return torch.tensor(input.shape, dtype=dtype_of(out_type or INT32))


def _size(input: Tensor, out_type: DType | None = None) -> Tensor:
    return torch.tensor(torch.numel(input), dtype=dtype_of(out_type or INT32))


def _pad(tensor: Tensor, paddings: Any, mode: str = "CONSTANT", constant_values: Any = 0) -> Tensor:
    around = [int(each) for pair in reversed(paddings) for each in pair]  # torch begins with the last axis
    if mode.upper() == "CONSTANT":
        return functional.pad(tensor, around, value=constant_values)
    if mode.upper() == "SYMMETRIC":
        raise Lacking("torch has no symmetric padding")
    if not any(around):
        return tensor
    if tensor.ndim > MIRRORED:
        raise Lacking(f"torch reflects along {MIRRORED} axes at most")
    return functional.pad(tensor[None, None], around, mode="reflect")[0, 0]


def _repeat(input: Tensor, repeats: Any, axis: int | None = None) -> Tensor:
    counts = repeats if isinstance(repeats, Tensor) else torch.tensor(repeats)
    if axis is None:
        input, axis = input.flatten(), 0
    return torch.repeat_interleave(input, counts.long().flatten(), dim=axis)


def _running(function: Callable[[Tensor, int], Tensor], start: float) -> Callable[..., Tensor]:
    """A running sum from either end; an exclusive one starts with `start` and leaves the last element out."""

    def run(x: Tensor, axis: int = 0, exclusive: bool = False, reverse: bool = False) -> Tensor:
        if reverse:
            x = x.flip(axis)
        if exclusive and x.shape[axis]:
            first = torch.full_like(x.narrow(axis, 0, 1), start)
            x = torch.cat([first, x.narrow(axis, 0, x.shape[axis] - 1)], axis)
        result = function(x, axis)
        return result.flip(axis) if reverse else result

    return run


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "tf.reshape": lambda tensor, shape: torch.reshape(tensor, tuple(shape)),
    "tf.broadcast_to": lambda tensor, shape: torch.broadcast_to(tensor, tuple(shape)),
    "tf.stack": lambda values, axis=0: torch.stack(values, axis),
    "tf.unstack": lambda value, num=None, axis=0: torch.unbind(value, axis),
    "tf.transpose": _transpose,
    "tf.linalg.matrix_transpose": lambda a, conjugate=False: a.mH if conjugate else a.mT,
    "tf.linalg.adjoint": lambda matrix: matrix.mH,
    "tf.concat": torch.cat,
    "tf.split": _split,
    "tf.squeeze": _squeeze,
    "tf.expand_dims": _expand_dims,
    "tf.reverse": lambda tensor, axis: torch.flip(tensor, axes(axis, tensor.ndim)),
    "tf.roll": torch.roll,
    "tf.ensure_shape": lambda x, shape: x,
    "tf.fill": _fill,
    "tf.linspace": _linspace,
    "tf.meshgrid": _meshgrid,
    "tf.convert_to_tensor": _convert,
    "tf.constant": _convert,
    "tf.zeros_like": _like(torch.zeros_like),
    "tf.ones_like": _like(torch.ones_like),
    "tf.shape": _shape,
    "tf.size": _size,
    "tf.rank": lambda tensor: torch.tensor(tensor.ndim, dtype=torch.int32),
    "tf.pad": _pad,
    "tf.tile": lambda tensor, multiples: torch.tile(tensor, tuple(multiples)),
    "tf.repeat": _repeat,
    "tf.cumsum": _running(torch.cumsum, 0.0),
    "tf.math.cumprod": _running(torch.cumprod, 1.0),
    "tf.math.cumulative_logsumexp": _running(torch.logcumsumexp, -math.inf),
}
