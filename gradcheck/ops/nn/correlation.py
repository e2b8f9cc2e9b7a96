"""Products of a kernel with all windows of an image, and what each of the two receives back.

An image is `(batch, *sizes, groups * c)` here, a kernel `(*kernel, c, groups * f)`, what comes out
`(batch, *counts, groups * f)`: each group of channels has its own part of the kernel. With the windows in rows all
three are products of matrices.
"""

from __future__ import annotations

from math import prod

import numpy as np

from gradcheck.dtypes import Array
from gradcheck.ops.declaration import OpError
from gradcheck.ops.nn.patches import as_given, channels_last, overlapped, patches
from gradcheck.ops.nn.windows import Axis, Sliding
from gradcheck.program import Shape
from gradcheck.tensors import Tensor

IMAGE_RULE = "every element receives the kernel at the distance from it of each window's place, times its cotangent"
KERNEL_RULE = "every element receives the sum over all windows of what lies under it, times the window's cotangent"
SOURCE = f"linear in both: {IMAGE_RULE}; {KERNEL_RULE} (Dumoulin and Visin 2016, A guide to convolution arithmetic)"


def _windows(x: Array, axes: tuple[Axis, ...], c: int) -> Array:
    """Every window in a row: `(groups, batch * counts, kernel * c)`."""
    count, size = _count(axes), prod(each.kernel for each in axes)
    rows = patches(x, axes).reshape(x.shape[0] * count, size, x.shape[-1] // c, c).transpose(2, 0, 1, 3)
    return rows.reshape(x.shape[-1] // c, x.shape[0] * count, size * c)


def _columns(w: Array, groups: int) -> Array:
    """The kernel as one matrix for each group: `(groups, kernel * c, f)`."""
    size, c, f = prod(w.shape[:-2]), w.shape[-2], w.shape[-1] // groups
    return w.reshape(size, c, groups, f).transpose(2, 0, 1, 3).reshape(groups, size * c, f)


def _results(g: Array, groups: int) -> Array:
    """What comes out as one matrix for each group: `(groups, batch * counts, f)`."""
    return g.reshape(prod(g.shape[:-1]), groups, g.shape[-1] // groups).transpose(1, 0, 2)


def _count(axes: tuple[Axis, ...]) -> int:
    return prod(each.windows for each in axes)


def _product(x: Array, w: Array, axes: tuple[Axis, ...]) -> Array:
    groups = x.shape[-1] // w.shape[-2]
    product: Array = np.matmul(_windows(x, axes, w.shape[-2]), _columns(w, groups))
    return product.transpose(1, 0, 2).reshape(x.shape[0], *(each.windows for each in axes), w.shape[-1])


def _image_part(w: Array, g: Array, axes: tuple[Axis, ...], sizes: Shape, channels: int) -> Array:
    groups, kernel = channels // w.shape[-2], w.shape[:-2]
    parts = np.matmul(_results(g, groups), _columns(w, groups).swapaxes(1, 2))
    rows = parts.reshape(groups, prod(g.shape[:-1]), prod(kernel), w.shape[-2]).transpose(1, 2, 0, 3)
    return overlapped(rows.reshape(*g.shape[:-1], *kernel, channels), axes, sizes)


def _kernel_part(x: Array, g: Array, axes: tuple[Axis, ...], shape: Shape) -> Array:
    *kernel, c, f = shape
    groups = x.shape[-1] // c
    product: Array = np.matmul(_windows(x, axes, c).swapaxes(1, 2), _results(g, groups))
    return product.reshape(groups, prod(kernel), c, f // groups).transpose(1, 2, 0, 3).reshape(shape)


def output_shape(op: str, image: Shape, kernel: Shape, call: Sliding) -> Shape:
    """The shape of a convolution; `OpError` if the shapes do not fit each other."""
    if len(kernel) != call.rank + 2 or len(image) < call.rank + 2:
        raise OpError(
            f"`{op}` takes an image of rank {call.rank + 2} and a kernel of rank {call.rank + 2}, not shapes "
            f"{list(image)} and {list(kernel)}"
        )
    batch, sizes, channels = _parts(image, call)
    *window, c, f = kernel
    if not prod(kernel) or not channels or channels % c or f % (channels // c) or (call.rank == 3 and channels != c):
        raise OpError(
            f"`{op}`: a kernel of shape {list(kernel)} is for {c} channels and gives {f}; the image of shape "
            f"{list(image)} has {channels}"
        )
    counts = tuple(each.windows for each in call.axes(sizes, tuple(window)))
    return (*batch, f, *counts) if call.channels_first else (*batch, *counts, f)


def _parts(image: Shape, call: Sliding) -> tuple[Shape, Shape, int]:
    """The batch axes, the spatial sizes and the channels of a shape."""
    batch, rest = image[: -call.rank - 1], image[-call.rank - 1 :]
    return (batch, rest[1:], rest[0]) if call.channels_first else (batch, rest[:-1], rest[-1])


def correlated(x: Array, w: Array, call: Sliding) -> Array:
    image = channels_last(x, call)
    found = _product(image, w, call.axes(image.shape[1:-1], w.shape[: call.rank]))
    return as_given(found, x.shape[: -call.rank - 1], call)


def image_gradient(w: Array, g: Array, shape: Shape, call: Sliding) -> Array:
    batch, sizes, channels = _parts(shape, call)
    axes = call.axes(sizes, w.shape[: call.rank])
    return as_given(_image_part(w, channels_last(g, call), axes, sizes, channels), batch, call)


def kernel_gradient(x: Array, g: Array, shape: Shape, call: Sliding) -> Array:
    image = channels_last(x, call)
    return _kernel_part(image, channels_last(g, call), call.axes(image.shape[1:-1], shape[: call.rank]), shape)


def check_cotangent(op: str, g: Tensor, expected: Shape) -> None:
    """Refuse a cotangent of another shape than what comes out."""
    if g.shape != expected:
        raise OpError(
            f"`{op}`: what comes out of such a convolution has shape {list(expected)}, not {list(g.shape)}",
            argument="out_backprop",
        )
