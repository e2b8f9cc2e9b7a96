"""An image resized along its rows and columns by given weights, and the adjoint: the operation behind all resizing."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from gradcheck.dtypes import NARROW, Array, DType
from gradcheck.ops.batching import repeated
from gradcheck.ops.declaration import REAL, REALS, Op, conceal
from gradcheck.ops.image.sums import Sums
from gradcheck.ops.image.taps import KERNELS, Axis, reach, taps
from gradcheck.ops.shapes import Typed, check_room
from gradcheck.ops.vocabulary import tf
from gradcheck.program import TensorType
from gradcheck.tensors import Tensor


def resampled(x: Tensor, rows: Axis, columns: Axis, dtype: DType) -> Tensor:
    """The image `(..., height, width, channels)` resized, computed and given in `dtype`.

    Sixteen bits are left to the operation: TensorFlow adds the gradient up in them, but in float32 for wider dtypes.
    """
    for each in (rows, columns):
        if each.method in KERNELS:
            check_room((each.target, reach(each)))
    x = x if x.dtype in (dtype, *NARROW) else tf.cast(x, dtype)
    found: Tensor = RESAMPLE(x, tuple(rows), tuple(columns), dtype, adjoint=False)
    return found


def _resample(x: Tensor, rows: Any, columns: Any, dtype: DType, adjoint: bool) -> Typed:
    height, width = (Axis(*each).size if adjoint else Axis(*each).target for each in (rows, columns))
    given = {"rows": rows, "columns": columns, "dtype": dtype, "adjoint": adjoint}
    return TensorType((*x.shape[:-3], height, width, x.shape[-1]), dtype), given


def _forward(x: Array, rows: Any, columns: Any, dtype: DType, adjoint: bool, *, magnitude: bool = False) -> Array:
    """The linear map, or the transposed one; with `magnitude` that of the weights' magnitudes."""
    first, second = taps(Axis(*rows)), taps(Axis(*columns))
    if magnitude:
        first, second = first.magnitudes(), second.magnitudes()
    before, after = (first.target, first.size) if adjoint else (first.size, first.target)
    order = [(first, -3), (second, -2)]
    for each, axis in order if after < before else reversed(order):  # the columns cost more, so of fewer rows
        x = _along(x, each, axis, adjoint)
    return x


BLOCK = 2**16
"""As many entries as a sparse matrix is made with, and about as many pixels as are made at once."""


def _along(x: Array, each: Sums, axis: int, adjoint: bool) -> Array:
    """One axis resized, for many of the rows that are before it at once."""
    lead, inner = prod(x.shape[:axis]), prod(x.shape[axis + 1 :])
    target = each.size if adjoint else each.target
    rows, found = x.reshape(lead, x.shape[axis], inner), np.empty((lead, target, inner), x.dtype)
    many = max(min(BLOCK // max(len(each.indices), target * inner, 1), lead), 1)
    block = each.repeated(many)
    for start in range(0, lead, many):
        part = rows[start : start + many]
        matrix = block if len(part) == many else each.repeated(len(part))
        flat = part.reshape(len(part) * part.shape[1], inner)
        found[start : start + many] = matrix.of(flat, adjoint=adjoint).reshape(len(part), target, inner)
    return found.reshape(*x.shape[:axis], target, *x.shape[axis + 1 :])


def _rounding(x: Array, rows: Any, columns: Any, **given: Any) -> Array:
    terms = prod(taps(Axis(*each)).most(adjoint=given["adjoint"]) for each in (rows, columns))
    scaled: Array = np.sqrt(float(terms)) * _forward(np.abs(x), rows, columns, magnitude=True, **given)
    return scaled


def _vjp(g: Tensor, y: Tensor, x: Tensor, adjoint: bool, **given: Any) -> Tensor:
    found: Tensor = RESAMPLE(g, **{**given, "dtype": x.dtype}, adjoint=not adjoint)
    return found


RESAMPLE = conceal(
    Op(
        name="image.resample",
        function=_resample,
        family="resampling",
        domains=(REAL,),
        dtypes=REALS,
        forward=_forward,
        vjp=(_vjp,),
        rounding=_rounding,
        narrow_sums=True,
        batching=repeated,
        source="linear: the gradient is the transposed map of the cotangent",
    )
)
"""TensorFlow has such an operation for each method, and another for the gradient of each, which ends there."""
