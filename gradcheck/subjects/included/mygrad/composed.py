"""TensorFlow's operations that mygrad has under other terms, or as a short composition of its own."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import mygrad as mg
import numpy as np
from mygrad.linalg import norm as vector_norm
from mygrad.nnet import activations

from gradcheck.dtypes import Array
from gradcheck.subjects.findings import Lacking

Tensor = Any
Key = tuple[Any, ...]


def constant(value: Array) -> Tensor:
    return mg.tensor(value, constant=True)


def on_arrays(function: Callable[..., Any]) -> Callable[..., Any]:
    """One of its functions that take no tensors for which a gradient is wanted."""

    def run(*tensors: Tensor) -> Array:
        return np.asarray(function(*(mg.asarray(each) for each in tensors)))

    return run


def _before(x: Tensor, axis: int) -> Key:
    """What stands before the position along `axis` in an index of `x`."""
    place: int = axis % x.ndim
    return (slice(None),) * place


def _last(x: Tensor, key: Any) -> Tensor:
    return x[..., key]


# Shapes


def transpose(a: Tensor, perm: Any = None, conjugate: bool = False) -> Tensor:
    return mg.transpose(a, *(perm or ()))


def swapped(a: Tensor, conjugate: bool = False) -> Tensor:
    return mg.swapaxes(a, -1, -2)


def unstack(value: Tensor, num: Any = None, axis: int = 0) -> list[Tensor]:
    return [value[(*_before(value, axis), place)] for place in range(value.shape[axis])]


def split(value: Tensor, sizes: Any, axis: int = 0, num: Any = None) -> list[Tensor]:
    if isinstance(sizes, int):
        sizes = (value.shape[axis] // sizes,) * sizes
    ends = np.cumsum(sizes)
    return [
        value[(*_before(value, axis), slice(end - size, end))]
        for size, end in zip(sizes, (int(each) for each in ends), strict=True)
    ]


def squeeze(x: Tensor, axis: Any = None) -> Tensor:
    if axis is None or axis == ():
        return mg.squeeze(x)
    return mg.squeeze(x, axis=tuple({each % x.ndim for each in (axis if isinstance(axis, tuple) else (axis,))}))


def flip(tensor: Tensor, axis: Sequence[int]) -> Tensor:
    turned = [each % tensor.ndim for each in axis]
    return tensor[tuple(slice(None, None, -1 if each in turned else 1) for each in range(tensor.ndim))]


def meshgrid(*arguments: Any) -> list[Tensor]:
    *tensors, options = arguments
    flat = [mg.reshape(each, -1) for each in tensors]
    shape = tuple(each.size for each in flat)
    grids = [
        mg.broadcast_to(mg.reshape(each, (-1,) + (1,) * (len(flat) - place - 1)), shape)
        for place, each in enumerate(flat)
    ]
    if options.get("indexing", "xy") == "ij" or len(flat) < 2:
        return grids
    return [mg.swapaxes(each, 0, 1) for each in grids]


def linspace(start: Tensor, stop: Tensor, num: int, axis: int = 0) -> Tensor:
    if num < 2:
        raise Lacking(f"`num` is {num}, and there is no step between so few points")
    width = mg.subtract(stop, start)
    steps = [mg.add(start, mg.multiply(width, step / (num - 1))) for step in range(num)]
    return mg.stack([*steps[:-1], mg.add(stop, mg.multiply(width, 0))], axis=axis)


def pad(tensor: Tensor, paddings: Any, mode: str = "CONSTANT", constant_values: Any = 0) -> Tensor:
    for axis, (before, after) in enumerate(paddings):
        size = tensor.shape[axis]
        if mode == "CONSTANT":
            rest = (tensor.shape[:axis], tensor.shape[axis + 1 :])
            sides = [mg.full((*rest[0], n, *rest[1]), constant_values, tensor.dtype) for n in (before, after)]
            tensor = mg.concatenate([sides[0], tensor, sides[1]], axis=axis)
        else:
            places = np.pad(np.arange(size), (before, after), "reflect" if mode == "REFLECT" else "symmetric")
            tensor = tensor[(*_before(tensor, axis), places)]
    return tensor


def tile(x: Tensor, multiples: Sequence[int]) -> Tensor:
    for axis, times in enumerate(multiples):
        places = np.tile(np.arange(x.shape[axis]), times)
        x = x[(*_before(x, axis), places)]
    return mg.positive(x)


def repeat(x: Tensor, repeats: Any, axis: int | None = None) -> Tensor:
    if not x.size:
        raise Lacking("its `repeat` has no gradient for a tensor without elements")
    return mg.repeat(x, repeats, axis=axis)


# Elements of tensors


def _batch(indices: Array, batch_dims: int) -> Key:
    """For each batch axis its positions, to stand before those in `indices`."""
    shape = indices.shape[:batch_dims] + (1,) * (indices.ndim - batch_dims)
    return tuple(np.indices(shape, sparse=True)[:batch_dims])


def gather(params: Tensor, indices: Any, axis: int | None = None, batch_dims: int = 0, **_: Any) -> Tensor:
    places = mg.asarray(indices)
    start = (batch_dims if axis is None else axis) % params.ndim
    between = start - batch_dims
    taken = params[(*_batch(places, batch_dims), *_before(params, between), places)]
    if not batch_dims or not between:
        return taken
    first = range(places.ndim, places.ndim + between)  # as in NumPy, what is sliced between comes behind
    return mg.moveaxis(taken, tuple(first), tuple(range(batch_dims, start)))


def gather_nd(params: Tensor, indices: Any, batch_dims: int = 0, **_: Any) -> Tensor:
    places = mg.asarray(indices)
    return params[(*_batch(places[..., 0], batch_dims), *np.moveaxis(places, -1, 0))]


def update(tensor: Tensor, indices: Any, updates: Tensor) -> Tensor:
    result = mg.positive(tensor)
    result[tuple(np.moveaxis(mg.asarray(indices), -1, 0))] = updates
    return result


def boolean_mask(tensor: Tensor, mask: Array, axis: int | None = None) -> Tensor:
    return tensor[(*_before(tensor, axis or 0), mask)]


def sliced(x: Tensor, begin: Sequence[int], size: Sequence[int]) -> Tensor:
    return x[tuple(slice(start, start + length) for start, length in zip(begin, size, strict=True))]


def _on_diagonal(shape: Sequence[int], k: Any) -> Array:
    if not isinstance(k, int):
        raise Lacking("it has no bands of diagonals")
    rows, columns = shape
    return np.eye(rows, columns, k, dtype=np.bool_)


def diag_part(x: Tensor, k: Any = 0, **_: Any) -> Tensor:
    rows, columns = np.nonzero(_on_diagonal(x.shape[-2:], k))
    return x[..., rows, columns]


def set_diag(x: Tensor, diagonal: Tensor, k: Any = 0, **_: Any) -> Tensor:
    result = mg.positive(x)
    rows, columns = np.nonzero(_on_diagonal(x.shape[-2:], k))
    result[..., rows, columns] = diagonal
    return result


def diag(diagonal: Tensor, k: Any = 0, num_rows: int = -1, num_cols: int = -1, **options: Any) -> Tensor:
    empty = mg.full((*diagonal.shape[:-1], num_rows, num_cols), options.get("padding_value", 0), diagonal.dtype)
    return set_diag(empty, diagonal, k)


def band_part(x: Tensor, below: int, above: int) -> Tensor:
    rows, columns = np.indices(x.shape[-2:], sparse=True)
    kept = ((below < 0) | (rows - columns <= below)) & ((above < 0) | (columns - rows <= above))
    return mg.where(kept, x, 0)


def trace(x: Tensor) -> Tensor:
    return mg.sum(diag_part(x), axis=-1)


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
    return mg.matmul(left, swapped(b) if transpose_b or adjoint_b else b)


def matvec(a: Tensor, b: Tensor, **options: bool) -> Tensor:
    return mg.squeeze(matmul(a, mg.expand_dims(b, -1), **options), axis=-1)


def tensordot(a: Tensor, b: Tensor, axes: Any) -> Tensor:
    if isinstance(axes, int):
        axes = tuple(range(a.ndim - axes, a.ndim)), tuple(range(axes))
    rows = [(each,) if isinstance(each, int) else each for each in axes]
    left, right = list(range(a.ndim)), list(range(a.ndim, a.ndim + b.ndim))
    for one, other in zip(*rows, strict=True):
        right[other] = left[one]
    kept = [each for each in (*left, *right) if (each in left) != (each in right)]
    return mg.einsum(a, left, b, right, kept)


def cross(a: Tensor, b: Tensor) -> Tensor:
    forth, back = [1, 2, 0], [2, 0, 1]
    return mg.subtract(_last(a, forth) * _last(b, back), _last(a, back) * _last(b, forth))


# Reductions


def logsumexp(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    axes = tuple(range(x.ndim)) if axis is None else axis
    largest = constant(np.max(mg.asarray(x), axis=axes, keepdims=True, initial=-np.inf))
    shifted = mg.log(mg.sum(mg.exp(x - largest), axis=axes, keepdims=True)) + largest
    return shifted if keepdims else mg.squeeze(shifted, axis=axes)


def count_nonzero(x: Tensor, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> Array:
    return np.asarray(mg.sum(mg.not_equal(mg.asarray(x), 0), axis=axis, keepdims=bool(keepdims)).data)


def search(function: Callable[..., Any]) -> Callable[..., Array]:
    def run(x: Tensor, axis: int = 0, output_type: Any = None) -> Array:
        return np.asarray(function(mg.asarray(x), axis=axis))

    return run


def norm(x: Tensor, ord: Any = "euclidean", axis: Any = None, keepdims: Any = False) -> Tensor:
    kept = bool(keepdims)
    if isinstance(axis, tuple) and len(axis) == 1:
        (axis,) = axis
    euclidean = ord in ("euclidean", "fro")
    if axis is None:
        length = vector_norm(mg.reshape(x, -1), 2 if euclidean else ord)
        return mg.reshape(length, (1,) * x.ndim) if kept else length
    if isinstance(axis, int):
        return vector_norm(x, 2 if euclidean else ord, axis=axis, keepdims=kept)
    raise Lacking("it has no norms of matrices")


def euclidean(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    return mg.sqrt(mg.sum(mg.square(x), axis=axis, keepdims=keepdims))


def normalize(x: Tensor, ord: Any = "euclidean", axis: Any = None) -> list[Tensor]:
    length = norm(x, ord, axis, True)
    return [mg.divide(x, length), length]


def l2_normalize(x: Tensor, axis: Any = None, epsilon: float = 1e-12, dim: Any = None) -> Tensor:
    squares = mg.sum(mg.square(x), axis=dim if axis is None else axis, keepdims=True)
    return mg.divide(x, mg.sqrt(mg.maximum(squares, epsilon)))


def global_norm(tensors: Sequence[Tensor]) -> Tensor:
    return mg.sqrt(mg.add_sequence(*(mg.sum(mg.square(each)) for each in tensors), 0))


def clip_by_norm(t: Tensor, limit: Tensor, axes: Any = None) -> Tensor:
    squares = mg.sum(mg.square(t), axis=axes, keepdims=True)
    some = mg.asarray(squares) > 0
    length = mg.where(some, mg.sqrt(mg.where(some, squares, 1)), squares)
    return mg.divide(mg.multiply(t, limit), mg.maximum(length, limit))


def running(function: Callable[..., Tensor], neutral: int) -> Callable[..., Tensor]:
    def run(x: Tensor, axis: int = 0, exclusive: bool = False, reverse: bool = False) -> Tensor:
        x = flip(x, (axis,)) if reverse else x
        if exclusive and x.shape[axis]:
            kept = x[(*_before(x, axis), slice(-1))]
            first = mg.full([1 if each == axis % x.ndim else n for each, n in enumerate(x.shape)], neutral, x.dtype)
            x = mg.concatenate([first, kept], axis=axis)
        result = function(x, axis=axis)
        return flip(result, (axis,)) if reverse else result

    return run


# Neural networks


def as_attribute(value: float) -> float:
    """The number as TensorFlow's kernels are given it, which is in float32 whatever the dtype of the tensors."""
    return float(np.float32(value))


def softplus(x: Tensor) -> Tensor:
    return mg.logaddexp(x, 0)


def log_sigmoid(x: Tensor) -> Tensor:
    return mg.negative(mg.logaddexp(mg.negative(x), 0))


def gelu(x: Tensor, approximate: bool = False) -> Tensor:
    if not approximate:
        raise Lacking("it has no error function, for which `approximate` is False")
    return 0.5 * x * (1 + mg.tanh(math.sqrt(2 / math.pi) * (x + as_attribute(0.044715) * x**3)))


def softmax_loss(labels: Tensor, logits: Tensor, axis: int = -1) -> Tensor:
    return mg.negative(mg.sum(labels * activations.logsoftmax(logits, axis=axis), axis=axis))


def sparse_loss(labels: Any, logits: Tensor) -> Tensor:
    places = mg.asarray(labels)
    chosen = (*np.indices(places.shape, sparse=True), places)
    return mg.negative(activations.logsoftmax(logits, axis=-1)[chosen])


def sigmoid_loss(labels: Tensor, logits: Tensor) -> Tensor:
    return mg.logaddexp(logits, 0) - logits * labels


def weighted_loss(labels: Tensor, logits: Tensor, weight: Tensor) -> Tensor:
    return (1 - labels) * logits + (1 + (weight - 1) * labels) * mg.logaddexp(mg.negative(logits), 0)


def poisson_loss(targets: Tensor, log_input: Tensor, compute_full_loss: bool = False) -> Tensor:
    loss = mg.exp(log_input) - log_input * targets
    if not compute_full_loss:
        return loss
    stirling = targets * mg.log(targets) - targets + 0.5 * mg.log(2 * math.pi * targets)
    inside = (mg.asarray(targets) >= 0) & (mg.asarray(targets) <= 1)
    return loss + mg.where(inside, 0, stirling)


def bias_add(value: Tensor, bias: Tensor, data_format: Any = None) -> Tensor:
    if str(data_format).startswith("NC"):
        bias = mg.reshape(bias, (-1,) + (1,) * (value.ndim - 2))
    return mg.add(value, bias)


def batch_normalization(
    x: Tensor, mean: Tensor, variance: Tensor, offset: Any, scale: Any, variance_epsilon: float
) -> Tensor:
    unit = (x - mean) / mg.sqrt(variance + variance_epsilon)
    scaled = unit if scale is None else unit * scale
    return scaled if offset is None else scaled + offset


def moments(x: Tensor, axes: Any, shift: Any = None, keepdims: bool = False) -> list[Tensor]:
    return [function(x, axis=axes, keepdims=keepdims) for function in (mg.mean, mg.var)]


def normalize_moments(counts: Tensor, mean_ss: Tensor, variance_ss: Tensor, shift: Any) -> list[Tensor]:
    shifted = mg.divide(mean_ss, counts)
    variance = mg.subtract(mg.divide(variance_ss, counts), mg.square(shifted))
    return [shifted if shift is None else mg.add(shifted, shift), variance]


# Where a factor or a divisor is zero


def where_zero(x: Tensor, y: Tensor, function: Callable[[Tensor], Tensor]) -> Tensor:
    """`function(y)` times `x`, and zero where `x` is, whatever `function(y)` is there."""
    zero = mg.equal(mg.asarray(x), 0)
    return mg.where(zero, 0, mg.multiply(x, function(mg.where(zero, 1, y))))


def divide_no_nan(x: Tensor, y: Tensor) -> Tensor:
    return where_zero(y, y, lambda divisor: mg.divide(x, mg.square(divisor)))
