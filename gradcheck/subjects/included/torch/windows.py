"""Convolutions and poolings."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from gradcheck.program import Shape
from gradcheck.subjects.findings import Lacking
from gradcheck.subjects.included.sliding import Axes, Windows, pads

CONVOLUTIONS = (functional.conv1d, functional.conv2d, functional.conv3d)
TRANSPOSED = (functional.conv_transpose1d, functional.conv_transpose2d, functional.conv_transpose3d)
LARGEST = (functional.max_pool1d, functional.max_pool2d, functional.max_pool3d)
MEANS: tuple[Callable[..., Tensor], ...] = (functional.avg_pool1d, functional.avg_pool2d, functional.avg_pool3d)
"""By the number of the axes that windows slide along, less 1. The convolutions are given kernels without gaps in their
memory: of a view torch has an output, but its backward pass may raise "grad_weight must be contiguous"."""


def _convolved(x: Tensor, kernel: Tensor, axes: Axes, groups: int) -> Tensor:
    padded = functional.pad(x, pads(axes))  # its own padding is the same on both sides
    strides, dilations = tuple(each.stride for each in axes), tuple(each.dilation for each in axes)
    return CONVOLUTIONS[len(axes) - 1](padded, kernel.contiguous(), None, strides, 0, dilations, groups)


def _transposed(x: Tensor, kernel: Tensor, axes: Axes, sizes: Shape) -> Tensor:
    strides, dilations = tuple(each.stride for each in axes), tuple(each.dilation for each in axes)
    whole = TRANSPOSED[len(axes) - 1](x, kernel.contiguous(), None, strides, 0, 0, 1, dilations)
    rows = zip(axes, sizes, whole.shape[2:], strict=True)
    around = [(-axis.before, size + axis.before - reached) for axis, size, reached in rows]
    return functional.pad(whole, [each for pair in reversed(around) for each in pair])


def _largest(x: Tensor, axes: Axes) -> Tensor:
    padded = functional.pad(x, pads(axes), value=-math.inf)
    kernel, strides = tuple(each.kernel for each in axes), tuple(each.stride for each in axes)
    largest: Callable[..., Tensor] = LARGEST[len(axes) - 1]
    return largest(padded, kernel, strides, 0, tuple(each.dilation for each in axes))


def _mean(x: Tensor, axes: Axes) -> Tensor:
    if any(each.dilation > 1 for each in axes):
        raise Lacking("torch has no mean of dilated windows")
    around = pads(axes)
    mean, kernel, strides = MEANS[len(axes) - 1], [each.kernel for each in axes], [each.stride for each in axes]
    if not any(around):
        return mean(x, kernel, strides)
    there = torch.ones_like(x[:1, :1], requires_grad=False)
    return mean(functional.pad(x, around), kernel, strides) / mean(functional.pad(there, around), kernel, strides)


def _depth_to_space(input: Tensor, block_size: int) -> Tensor:
    batch, height, width, depth = input.shape
    blocks = input.reshape(batch, height, width, block_size**2, depth // block_size**2)
    deep = blocks.permute(0, 4, 3, 1, 2).reshape(batch, depth, height, width)  # torch has the block behind the channel
    return functional.pixel_shuffle(deep, block_size).movedim(1, -1)


def _space_to_depth(input: Tensor, block_size: int) -> Tensor:
    deep = functional.pixel_unshuffle(input.movedim(-1, 1), block_size)
    batch, depth, height, width = deep.shape
    blocks = deep.reshape(batch, depth // block_size**2, block_size**2, height, width)
    return blocks.permute(0, 3, 4, 2, 1).reshape(batch, height, width, depth)


WINDOWS = Windows(permute=torch.permute, convolved=_convolved, transposed=_transposed, largest=_largest, mean=_mean)

FUNCTIONS: dict[str, Any] = WINDOWS.table() | {
    "tf.nn.depth_to_space": _depth_to_space,
    "tf.nn.space_to_depth": _space_to_depth,
}
