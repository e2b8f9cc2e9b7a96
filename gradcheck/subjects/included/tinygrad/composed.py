"""TensorFlow's operations that tinygrad has under other terms, or as a short composition of its own."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from tinygrad import Tensor, dtypes

from gradcheck.dtypes import Array
from gradcheck.subjects.findings import Lacking
from gradcheck.subjects.included.tinygrad.tensors import as_tensor


def _before(x: Tensor, axis: int) -> tuple[slice, ...]:
    """What stands before the position along `axis` in an index of `x`."""
    place: int = axis % x.ndim
    return (slice(None),) * place


def plain_axis(axis: Any) -> Any:
    """An axis, or several; one alone in a list is taken as itself, which all of its functions can do."""
    return axis[0] if isinstance(axis, tuple) and len(axis) == 1 else axis


# Shapes


def cast(x: Tensor, dtype: Any) -> Tensor:
    if dtype.kind == "c":
        raise Lacking(f"it has no {dtype.name}")
    return x.cast(getattr(dtypes, dtype.name))


def transpose(a: Tensor, perm: Any = None, conjugate: bool = False) -> Tensor:
    return a.permute(tuple(reversed(range(a.ndim))) if perm is None else perm)


def swapped(a: Tensor, conjugate: bool = False) -> Tensor:
    return a.transpose(-1, -2)


def squeeze(x: Tensor, axis: Any = None) -> Tensor:
    if axis in (None, ()):
        return x.squeeze()
    gone = [each % x.ndim for each in (axis if isinstance(axis, tuple) else (axis,))]
    return x.reshape([size for place, size in enumerate(x.shape) if place not in gone])


def unstack(value: Tensor, num: Any = None, axis: int = 0) -> list[Tensor]:
    return [value[(*_before(value, axis), place)] for place in range(value.shape[axis])]


def split(value: Tensor, sizes: Any, axis: int = 0, num: Any = None) -> list[Tensor]:
    given = [value.shape[axis] // sizes] * sizes if isinstance(sizes, int) else list(sizes)
    return list(value.split(given, dim=axis))


def concat(values: Sequence[Tensor], axis: int) -> Tensor:
    return values[0].cat(*values[1:], dim=axis)


def stack(values: Sequence[Tensor], axis: int = 0) -> Tensor:
    return values[0].stack(*values[1:], dim=axis)


def meshgrid(*arguments: Any) -> list[Tensor]:
    *tensors, options = arguments
    flat = [each.flatten() for each in tensors]
    return list(flat[0].meshgrid(*flat[1:], indexing=options.get("indexing", "xy")))


def linspace(start: Tensor, stop: Tensor, num: int, axis: int = 0) -> Tensor:
    if num < 2:
        raise Lacking(f"`num` is {num}, and there is no step between so few points")
    steps = [start + (stop - start) * (step / (num - 1)) for step in range(num - 1)]
    return stack([*steps, stop + (start - start)], axis)


def roll(x: Tensor, shift: Any, axis: Any) -> Tensor:
    for steps, each in zip(np.atleast_1d(shift), np.atleast_1d(axis), strict=True):  # one axis may be there twice
        x = x.roll(int(steps), int(each))
    return x


def pad(tensor: Tensor, paddings: Any, mode: str = "CONSTANT", constant_values: Any = 0) -> Tensor:
    if mode == "SYMMETRIC":
        raise Lacking("it does not pad with `mode='SYMMETRIC'`")
    return tensor.pad(paddings, mode=mode.lower(), value=constant_values)


def repeat(x: Tensor, repeats: Any, axis: int | None = None) -> Tensor:
    if isinstance(repeats, tuple) and len(set(repeats)) > 1:
        places = np.repeat(np.arange(len(repeats), dtype=np.int32), repeats)
        return x[(*_before(x, axis or 0), Tensor(places))]
    return x.repeat_interleave(repeats[0] if isinstance(repeats, tuple) else repeats, dim=axis)


# Elements of tensors


def _batch(indices: Tensor, batch_dims: int) -> tuple[Tensor, ...]:
    """For each batch axis its positions, to stand before those in `indices`."""
    shape = tuple(indices.shape[:batch_dims]) + (1,) * (indices.ndim - batch_dims)
    return tuple(Tensor(each.astype(np.int32)) for each in np.indices(shape, sparse=True)[:batch_dims])


def gather(params: Tensor, indices: Any, axis: int | None = None, batch_dims: int = 0, **_: Any) -> Tensor:
    places = as_tensor(indices)
    start = (batch_dims if axis is None else axis) % params.ndim
    if batch_dims and start != batch_dims:
        raise Lacking("`batch_dims` is another axis than `axis`")
    return params[(*_batch(places, batch_dims), *_before(params, start - batch_dims), places)]


def gather_nd(params: Tensor, indices: Any, batch_dims: int = 0, **_: Any) -> Tensor:
    places = as_tensor(indices)
    rows = unstack(places, axis=places.ndim - 1)
    return params[(*_batch(rows[0], batch_dims), *rows)]


def _rows(shape: Sequence[int], indices: Any, updates: Tensor) -> tuple[Any, Tensor, Tensor]:
    """The two axes that a tensor has for tinygrad's `scatter`, and the positions and updates in two axes."""
    depth = indices.shape[-1]
    flat = np.zeros(indices.shape[:-1], np.int64)
    for place, size in zip(np.moveaxis(indices, -1, 0), shape[:depth], strict=True):
        flat = flat * size + place
    inner = math.prod(shape[depth:])
    places = np.broadcast_to(flat.reshape(-1, 1), (flat.size, inner)).astype(np.int32)
    return (math.prod(shape[:depth]), inner), Tensor(places), updates.reshape(flat.size, inner)


def scatter(reduce: str, sign: int = 1) -> Callable[..., Tensor]:
    def run(tensor: Tensor, indices: Any, updates: Tensor, **_: Any) -> Tensor:
        if not isinstance(indices, np.ndarray):
            raise Lacking("the positions are computed from what is differentiated")
        if not indices.size:
            return tensor
        axes, places, rows = _rows(tensor.shape, indices, updates if sign == 1 else -updates)
        flat = tensor.reshape(axes)
        result = flat.scatter(0, places, rows) if reduce == "set" else flat.scatter_reduce(0, places, rows, reduce)
        return result.reshape(tensor.shape)

    return run


def scatter_nd(indices: Any, updates: Tensor, shape: Sequence[int], **_: Any) -> Tensor:
    return scatter("sum")(Tensor.zeros(*shape, dtype=updates.dtype), indices, updates)


def segment_sum(data: Tensor, segment_ids: Array, num_segments: int | None = None) -> Tensor:
    if np.any(segment_ids < 0):
        raise Lacking("a segment of -1 is not left out")
    count = int(segment_ids.max()) + 1 if num_segments is None else num_segments
    inner = data.shape[segment_ids.ndim :]
    return scatter_nd(segment_ids[..., None], data, (count, *inner))


def boolean_mask(tensor: Tensor, mask: Array, axis: int | None = None) -> Tensor:
    places = np.nonzero(mask)
    return tensor[(*_before(tensor, axis or 0), *(Tensor(each.astype(np.int32)) for each in places))]


def sliced(x: Tensor, begin: Sequence[int], size: Sequence[int]) -> Tensor:
    return x[tuple(slice(start, start + length) for start, length in zip(begin, size, strict=True))]


def _diagonal(k: Any) -> int:
    if not isinstance(k, int):
        raise Lacking("it has no bands of diagonals")
    return k


def diag_part(x: Tensor, k: Any = 0, **_: Any) -> Tensor:
    return x.diagonal(_diagonal(k), -2, -1)


def set_diag(x: Tensor, diagonal: Tensor, k: Any = 0, **_: Any) -> Tensor:
    offset = _diagonal(k)
    before, (rows, columns) = (max(-offset, 0), max(offset, 0)), x.shape[-2:]
    wide = diagonal.unsqueeze(-1 if offset >= 0 else -2)  # along the axis that it is as long as, from the edge on
    axis = -2 if offset >= 0 else -1
    after = x.shape[axis] - before[0 if axis == -2 else 1] - diagonal.shape[-1]
    pads = [(0, 0)] * x.ndim
    pads[axis] = (before[0 if axis == -2 else 1], after)
    on = Tensor(np.eye(rows, columns, offset, dtype=np.bool_))
    return on.where(wide.pad(tuple(pads)), x)


def diag(diagonal: Tensor, k: Any = 0, num_rows: int = -1, num_cols: int = -1, **options: Any) -> Tensor:
    shape = (*diagonal.shape[:-1], num_rows, num_cols)
    return set_diag(Tensor.full(shape, options.get("padding_value", 0), dtype=diagonal.dtype), diagonal, k)


def band_part(x: Tensor, below: int, above: int) -> Tensor:
    lower = x if below < 0 else x.triu(-below)
    return lower if above < 0 else lower.tril(above)


# Products


def matmul(
    a: Tensor,
    b: Tensor,
    transpose_a: bool = False,
    transpose_b: bool = False,
    adjoint_a: bool = False,
    adjoint_b: bool = False,
) -> Tensor:
    left = swapped(a) if transpose_a or adjoint_a else a
    return left.matmul(swapped(b) if transpose_b or adjoint_b else b)


def matvec(a: Tensor, b: Tensor, **options: bool) -> Tensor:
    return matmul(a, b.unsqueeze(-1), **options).squeeze(-1)


def tensordot(a: Tensor, b: Tensor, axes: Any) -> Tensor:
    if isinstance(axes, int):
        axes = tuple(range(a.ndim - axes, a.ndim)), tuple(range(axes))
    rows = [(each,) if isinstance(each, int) else each for each in axes]
    letters = "abcdefghijklmnopqrstuvwxyz"
    left, right = list(letters[: a.ndim]), list(letters[a.ndim : a.ndim + b.ndim])
    for one, other in zip(*rows, strict=True):
        right[other] = left[one]
    kept = [each for each in (*left, *right) if (each in left) != (each in right)]
    return Tensor.einsum(f"{''.join(left)},{''.join(right)}->{''.join(kept)}", a, b)


def einsum(equation: str, *operands: Tensor) -> Tensor:
    terms = equation.split("->")[0].split(",")
    if len(terms) > 1 and "..." in equation:
        raise Lacking("axes under `...` are not broadcast in its `einsum`")
    if len(terms) > 1 and any(len(set(each)) < len(each) for each in terms):
        raise Lacking("a letter that is there twice stands alone in its `einsum`")
    return Tensor.einsum(equation, *operands)


def cross(a: Tensor, b: Tensor) -> Tensor:
    return a.roll(-1, -1) * b.roll(1, -1) - a.roll(1, -1) * b.roll(-1, -1)


# Reductions


def reduction(function: Callable[..., Tensor], **options: Any) -> Callable[..., Tensor]:
    def run(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
        return function(x, axis=plain_axis(axis), keepdim=keepdims, **options)

    return run


def logsumexp(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    return x.exp().log() if axis == () else x.logsumexp(axis, keepdim=keepdims)


def count_nonzero(x: Tensor, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> Tensor:
    return x.ne(0).sum(axis=axis, keepdim=bool(keepdims), dtype=dtypes.int64 if dtype is None else dtype.name)


def search(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def run(x: Tensor, axis: int = 0, output_type: Any = None) -> Tensor:
        return function(x, axis=axis)

    return run


def sort(values: Tensor, axis: int = -1, direction: str = "ASCENDING") -> Tensor:
    return values.sort(dim=axis, descending=direction == "DESCENDING")[0]


def argsort(values: Tensor, axis: int = -1, direction: str = "ASCENDING", stable: bool = False) -> Tensor:
    return values.argsort(dim=axis, descending=direction == "DESCENDING")


def top_k(x: Tensor, k: int = 1, **_: Any) -> list[Tensor]:
    return list(x.topk(k))


def norm(x: Tensor, ord: Any = "euclidean", axis: Any = None, keepdims: Any = False) -> Tensor:
    pair = isinstance(axis, tuple) and len(axis) == 2
    if ord in ("euclidean", "fro") or (ord == 2 and not pair):
        return x.square().sum(axis=axis, keepdim=bool(keepdims)).sqrt()
    if pair:
        raise Lacking("it has no norms of matrices")
    size = x.abs()
    if ord == math.inf:
        return size.max(axis=axis, keepdim=bool(keepdims))
    return size.pow(ord).sum(axis=axis, keepdim=bool(keepdims)).pow(1 / ord)


def euclidean(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    return norm(x, "fro", axis, keepdims)


def normalize(x: Tensor, ord: Any = "euclidean", axis: Any = None) -> list[Tensor]:
    length = norm(x, ord, axis, True)
    return [x / length, length]


def l2_normalize(x: Tensor, axis: Any = None, epsilon: float = 1e-12, dim: Any = None) -> Tensor:
    squares = x.square().sum(axis=dim if axis is None else axis, keepdim=True)
    return x * squares.maximum(epsilon).rsqrt()


def global_norm(tensors: Sequence[Tensor]) -> Tensor:
    first, *others = (each.square().sum() for each in tensors)
    return first.usum(*others).sqrt()


def clip_by_norm(t: Tensor, limit: Tensor, axes: Any = None) -> Tensor:
    squares = t.square().sum(axis=axes, keepdim=True)
    some = squares > 0
    length = some.where(some.where(squares, 1).sqrt(), squares)
    return t * limit / length.maximum(limit)


def running(function: Callable[..., Tensor], neutral: float) -> Callable[..., Tensor]:
    def run(x: Tensor, axis: int = 0, exclusive: bool = False, reverse: bool = False) -> Tensor:
        x = x.flip(axis) if reverse else x
        if exclusive and x.shape[axis]:
            pads = tuple((1, -1) if place == axis % x.ndim else (0, 0) for place in range(x.ndim))
            x = x.pad(pads, value=neutral)
        result = function(x, axis=axis)
        return result.flip(axis) if reverse else result

    return run


# Neural networks


def as_attribute(value: float) -> float:
    """The number as TensorFlow's kernels are given it, which is in float32 whatever the dtype of the tensors."""
    return float(np.float32(value))


def gelu(x: Tensor, approximate: bool = False) -> Tensor:
    return x.gelu("tanh" if approximate else "none")


def softmax_loss(labels: Tensor, logits: Tensor, axis: int = -1) -> Tensor:
    return -(labels * logits.log_softmax(axis)).sum(axis)


def sparse_loss(labels: Any, logits: Tensor) -> Tensor:
    places = as_tensor(labels)
    return -logits.log_softmax(-1).gather(-1, places.unsqueeze(-1)).squeeze(-1)


def sigmoid_loss(labels: Tensor, logits: Tensor) -> Tensor:
    return logits.softplus() - logits * labels


def weighted_loss(labels: Tensor, logits: Tensor, weight: Tensor) -> Tensor:
    return (1 - labels) * logits + (1 + (weight - 1) * labels) * (-logits).softplus()


def poisson_loss(targets: Tensor, log_input: Tensor, compute_full_loss: bool = False) -> Tensor:
    loss = log_input.exp() - log_input * targets
    if not compute_full_loss:
        return loss
    stirling = targets * targets.log() - targets + 0.5 * (2 * math.pi * targets).log()
    return loss + ((targets >= 0) & (targets <= 1)).where(0, stirling)


def bias_add(value: Tensor, bias: Tensor, data_format: Any = None) -> Tensor:
    if str(data_format).startswith("NC"):
        bias = bias.reshape(-1, *(1,) * (value.ndim - 2))
    return value + bias


def batch_normalization(
    x: Tensor, mean: Tensor, variance: Tensor, offset: Any, scale: Any, variance_epsilon: float
) -> Tensor:
    unit = (x - mean) * (variance + variance_epsilon).rsqrt()
    scaled = unit if scale is None else unit * scale
    return scaled if offset is None else scaled + offset


def moments(x: Tensor, axes: Any, shift: Any = None, keepdims: bool = False) -> list[Tensor]:
    return [x.mean(axes, keepdim=keepdims), x.var(axes, keepdim=keepdims, correction=0)]


def normalize_moments(counts: Tensor, mean_ss: Tensor, variance_ss: Tensor, shift: Any) -> list[Tensor]:
    shifted = mean_ss / counts
    return [shifted if shift is None else shifted + shift, variance_ss / counts - shifted.square()]


# Where a factor or a divisor is zero


def where_zero(x: Tensor, y: Tensor, function: Callable[[Tensor], Tensor]) -> Tensor:
    """`function(y)` times `x`, and zero where `x` is, whatever `function(y)` is there."""
    zero = x.eq(0)
    return zero.where(0, x * function(zero.where(1, y)))


def divide_no_nan(x: Any, y: Tensor) -> Tensor:
    zero = y.eq(0)
    return zero.where(0, x / zero.where(1, y))
