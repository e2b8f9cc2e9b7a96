"""Sums, means, extremes, norms over axes, and running sums."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.ops.declaration import NUMERIC, REAL, declare, sample
from gradcheck.ops.shapes import Typed, as_bool, axes_of, reduced, spread
from gradcheck.program import TensorType
from gradcheck.tensors import Tensor

SAMPLES = (
    sample((2, 3)),
    sample((2, 3), axis=1),
    sample((2, 3, 2), axis=[0, -1], keepdims=True),
    sample((3, 1), axis=-1),
    sample(()),
)


def reduction(input_tensor: Tensor, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Typed:
    """The call and result of a reduction: `axis` None stands for all axes, an empty list for none."""
    axes = axes_of(axis, input_tensor.ndim)
    keepdims = as_bool(keepdims, "keepdims")
    attributes = {"axis": axes, "keepdims": keepdims}
    return TensorType(reduced(input_tensor.shape, axes, keepdims), input_tensor.dtype), attributes


declare(
    "tf.reduce_sum",
    reduction,
    aliases=("tf.math.reduce_sum",),
    forward=np.add.reduce,
    vjp=(lambda g, y, x, axis, keepdims: spread(g, x, axis),),
    domains=(REAL,),
    dtypes=NUMERIC,
    samples=SAMPLES,
    source="every summed element receives the cotangent of its sum",
)
