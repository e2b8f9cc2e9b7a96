"""What the transforms share: the shapes they work on, and how their results are rounded."""

from __future__ import annotations

from math import log2, prod
from typing import Any

import numpy as np

from gradcheck.dtypes import Array
from gradcheck.ops.declaration import OpError
from gradcheck.ops.vocabulary import tf
from gradcheck.program import Shape
from gradcheck.tensors import Tensor


def fast() -> Any:
    """SciPy's fast transforms; they keep single precision, and take as long to import as NumPy."""
    from scipy import fft

    return fft


def transformed_axes(op: str, parameter: str, x: Tensor, rank: int) -> Shape:
    """The sizes of the last `rank` axes; `OpError` if there are fewer."""
    if x.ndim < rank:
        axes = "an axis" if rank == 1 else f"{rank} axes"
        raise OpError(f"`{op}` transforms {axes}, and `{parameter}` has shape {list(x.shape)}", argument=parameter)
    return x.shape[-rank:]


def fitted(x: Tensor, shape: Shape) -> Tensor:
    """`x` cut off, or continued with zeros, behind its elements along each axis until it has `shape`."""
    kept = tuple(min(pair) for pair in zip(x.shape, shape, strict=True))
    if kept != x.shape:
        x = tf.slice(x, (0,) * x.ndim, kept)
    if kept != shape:
        x = tf.pad(x, [[0, size - present] for size, present in zip(shape, kept, strict=True)])
    return x


def spread_error(x: Array, rank: int, sizes: Shape) -> Array:
    """The rounding of each element of a Fourier transform of these sizes over the last `rank` axes of `x`.

    A fast transform is as exact as its log2(n) stages: the error is spread evenly over the result, so that it is
    relative to the root of the sum of squares (Higham 2002, Accuracy and Stability of Numerical Algorithms, theorem
    24.2), however small an element has come out.
    """
    axes = tuple(range(-rank, 0))
    norm: Array = np.sqrt(np.sum(np.abs(x) ** 2, axis=axes, keepdims=True))
    return norm * (1 + log2(max(prod(sizes), 1)))
