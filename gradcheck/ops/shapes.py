"""What declarations share: the signatures of the elementwise families, and the checks of shapes and axes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradcheck.dtypes import BOOL, FLOAT32, FLOAT64, Array, DType, is_complex, is_integer
from gradcheck.ops.batching import aligned
from gradcheck.ops.declaration import OpError
from gradcheck.ops.vocabulary import tf
from gradcheck.program import Shape, TensorType
from gradcheck.tensors import Tensor, TooLarge, current_context

Function = Callable[..., Any]
Typed = tuple[TensorType, dict[str, Any]]


def elementwise(*parameters: str, result: Callable[[DType], DType] | None = None, name: str | None = None) -> Function:
    """The function of an operation whose tensors, named by `parameters`, broadcast together.

    `result` gives the dtype of the output from that of the inputs, where it differs; `name` is TensorFlow's default
    of the parameter of that name.
    """

    def function(*arguments: Tensor, **named: Tensor) -> Typed:
        tensors = (*arguments, *named.values())
        shape = tensors[0].shape
        for tensor in tensors[1:]:
            shape = broadcast(shape, tensor.shape)
        dtype = tensors[0].dtype
        return TensorType(shape, result(dtype) if result else dtype), {}

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    declared = [inspect.Parameter(each, kind, annotation="Tensor") for each in parameters]
    optional = inspect.Parameter("name", kind, default=name)
    function.__signature__ = inspect.Signature([*declared, optional])  # type: ignore[attr-defined]
    function.batching = aligned  # type: ignore[attr-defined]
    return function


def to_bool(_: DType) -> DType:
    """The dtype of a comparison."""
    return BOOL


def quotient_dtype(dtype: DType) -> DType:
    """The dtype of a true quotient: small integers are divided as float32, the others as float64."""
    if not is_integer(dtype):
        return dtype
    return FLOAT32 if dtype.itemsize <= 2 else FLOAT64


def broadcast(left: Shape, right: Shape) -> Shape:
    """The shape that two shapes broadcast to; `OpError` names both if there is none."""
    if left == right:
        return left
    long, short = (left, right) if len(left) >= len(right) else (right, left)
    padded = (1,) * (len(long) - len(short)) + short
    if any(a != b and 1 not in (a, b) for a, b in zip(long, padded, strict=True)):
        raise OpError(f"shapes {list(left)} and {list(right)} do not broadcast together")
    return tuple(b if a == 1 else a for a, b in zip(long, padded, strict=True))


def as_int(value: Any, name: str) -> int:
    """A static integer argument."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise OpError(f"`{name}` must be an integer, not {value!r}", argument=name)
    return int(value)


def as_float(value: Any, name: str) -> float:
    """A static real number."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise OpError(f"`{name}` must be a number, not {value!r}", argument=name)
    return float(value)


def as_bool(value: Any, name: str) -> bool:
    """A static flag."""
    if not isinstance(value, (bool, np.bool_)):
        raise OpError(f"`{name}` must be True or False, not {value!r}", argument=name)
    return bool(value)


def as_shape(value: Any, name: str = "shape") -> Shape:
    """A static list of integers."""
    row = value if isinstance(value, (tuple, list)) else (value,)
    return tuple(as_int(each, name) for each in row)


def as_row(value: Any, name: str) -> tuple[int, ...]:
    """A static list of integers, where TensorFlow takes no lone integer."""
    if not isinstance(value, (tuple, list)):
        raise OpError(f"`{name}` must be a list of integers, not {value!r}", argument=name, help=f"write `[{value!r}]`")
    return tuple(as_int(each, name) for each in value)


def as_sizes(value: Any, name: str = "shape") -> Shape:
    """A static shape, all of whose sizes are known."""
    sizes = as_shape(value, name)
    if any(each < 0 for each in sizes):
        raise OpError(f"`{name}` {list(sizes)} has a negative size", argument=name)
    return sizes


def check_room(shape: Shape) -> None:
    """Raise `TooLarge` before a constant is made that the context would not take."""
    limit = current_context().max_elements
    if limit is not None and np.prod(shape, dtype=float) > limit:
        raise TooLarge(f"a tensor of shape {list(shape)} has more than {limit} elements")


def one_axis(axis: Any, ndim: int, name: str = "axis") -> int:
    """An axis counted from the front."""
    at = as_int(axis, name)
    if not -ndim <= at < ndim:
        raise OpError(f"`{name}` {at} is outside a tensor of rank {ndim}", argument=name)
    return at % ndim


def axes_of(axis: Any, ndim: int, name: str = "axis") -> tuple[int, ...]:
    """Axes counted from the front, sorted; None stands for all of them."""
    if axis is None:
        return tuple(range(ndim))
    given = [one_axis(each, ndim, name) for each in (axis if isinstance(axis, (tuple, list)) else (axis,))]
    if len(set(given)) != len(given):
        raise OpError(f"`{name}` names an axis twice: {list(axis)}", argument=name)
    return tuple(sorted(given))


def reduced(shape: Shape, axes: Sequence[int], keepdims: bool) -> Shape:
    """The shape after a reduction over `axes`."""
    if keepdims:
        return tuple(1 if axis in axes else size for axis, size in enumerate(shape))
    return tuple(size for axis, size in enumerate(shape) if axis not in axes)


def spread(g: Tensor, like: Tensor, axes: Sequence[int]) -> Tensor:
    """A reduction's cotangent over the shape of what was reduced: the reduced axes come back and are repeated."""
    kept: Tensor = tf.reshape(g, reduced(like.shape, axes, keepdims=True))
    return kept if kept.shape == like.shape else tf.broadcast_to(kept, like.shape)


def sum_rounding(forward: Callable[..., Array], terms: Callable[..., float]) -> Callable[..., Array]:
    """The `rounding` of an operation that is linear in each operand: sqrt(k) times the sum of the terms' magnitudes.

    `terms` gives k, how many terms an element sums at most, for the operands and attributes.
    """

    def bound(*arrays: Array, **attributes: Any) -> Array:
        sizes = [np.abs(each) if each.dtype.kind in "fc" else each for each in arrays]
        magnitude: Array = np.abs(forward(*sizes, **attributes))
        scaled: Array = np.sqrt(max(terms(*arrays, **attributes), 1.0)) * magnitude
        return scaled

    return bound


def conj(x: Tensor) -> Tensor:
    """The complex conjugate; a real tensor is its own."""
    return tf.math.conj(x) if is_complex(x.dtype) else x


def lone_int(value: Any, name: str) -> int:
    row = value if isinstance(value, (tuple, list)) else [value]
    if len(row) != 1:
        raise OpError(f"`{name}` must be one integer, not {value!r}", argument=name)
    return as_int(row[0], name)
