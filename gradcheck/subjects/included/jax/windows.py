"""Convolutions and poolings."""

import math
from typing import Any

from jax import lax
from jax import numpy as jnp

from gradcheck.program import Shape
from gradcheck.subjects.included.sliding import Axes, Windows

LAYOUTS = (("NCW", "OIW", "NCW"), ("NCHW", "OIHW", "NCHW"), ("NCDHW", "OIDHW", "NCDHW"))
"""By the number of the axes that windows slide along, less 1."""


def _convolved(x: Any, kernel: Any, axes: Axes, groups: int) -> Any:
    return lax.conv_general_dilated(
        x,
        kernel,
        window_strides=[each.stride for each in axes],
        padding=[(each.before, each.after) for each in axes],
        rhs_dilation=[each.dilation for each in axes],
        dimension_numbers=LAYOUTS[len(axes) - 1],
        feature_group_count=groups,
    )


def _transposed(x: Any, kernel: Any, axes: Axes, sizes: Shape) -> Any:
    rows = zip(axes, sizes, x.shape[2:], strict=True)
    return lax.conv_transpose(
        x,
        kernel,
        strides=[each.stride for each in axes],
        padding=[_around(axis.extent - 1 - axis.before, size, axis.extent, axis.stride, n) for axis, size, n in rows],
        rhs_dilation=[each.dilation for each in axes],
        dimension_numbers=LAYOUTS[len(axes) - 1],
        transpose_kernel=True,
    )


def _around(before: int, size: int, extent: int, stride: int, windows: int) -> tuple[int, int]:
    """The padding of elements that lie `stride` apart, such that windows fit in `size` times."""
    return before, size + extent - 1 - before - (windows - 1) * stride - 1


def _largest(x: Any, axes: Axes) -> Any:
    return _reduced(x, -math.inf, lax.max, axes)


def _mean(x: Any, axes: Axes) -> Any:
    there = jnp.ones((1, 1, *x.shape[2:]), x.dtype)
    return _reduced(x, 0.0, lax.add, axes) / _reduced(there, 0.0, lax.add, axes)


def _reduced(x: Any, start: float, function: Any, axes: Axes) -> Any:
    return lax.reduce_window(
        x,
        start,
        function,
        window_dimensions=(1, 1, *(each.kernel for each in axes)),
        window_strides=(1, 1, *(each.stride for each in axes)),
        padding=((0, 0), (0, 0), *((each.before, each.after) for each in axes)),
        window_dilation=(1, 1, *(each.dilation for each in axes)),
    )


FUNCTIONS = Windows(
    permute=jnp.transpose, convolved=_convolved, transposed=_transposed, largest=_largest, mean=_mean
).table()
