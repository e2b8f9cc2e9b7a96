"""Convolutions of each channel on its own, and with a product of the channels behind them."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from gradcheck.dtypes import FLOATS, Array, DType
from gradcheck.ops.declaration import REAL, OpError, compose, declare, sample
from gradcheck.ops.nn.correlation import (
    IMAGE_RULE,
    KERNEL_RULE,
    SOURCE,
    check_cotangent,
    correlated,
    image_gradient,
    kernel_gradient,
    output_shape,
)
from gradcheck.ops.nn.windows import Sliding, sliding
from gradcheck.ops.shapes import Typed, as_row, as_sizes, sum_rounding
from gradcheck.ops.vocabulary import tf
from gradcheck.program import Shape, TensorType
from gradcheck.tensors import Tensor

CONVENTION = "output channel `c * multiplier + m` belongs to input channel c; TensorFlow adds float16 up in float16"


def _call(strides: Any, padding: Any, data_format: Any = None, dilations: Any = None, *, dtype: DType) -> Sliding:
    if len(as_row(strides, "strides")) != 4:
        raise OpError(f"`strides` must have 4 numbers, not {len(strides)}", argument="strides")
    call = sliding(2, strides, padding, data_format, dilations, dtype=dtype)
    if call.strides[0] != call.strides[1]:
        raise OpError(
            f"TensorFlow takes one stride for both axes of a depthwise convolution, not {list(call.strides)}",
            argument="strides",
        )
    if call.dilated and call.strides != (1, 1):
        raise OpError(
            "a depthwise convolution with both strides and dilations above 1 means nothing: TensorFlow warns",
            argument="strides",
        )
    return call


def _trusted(**given: Any) -> Sliding:
    return _call(**given, dtype=np.dtype(np.float32))


def _grouped(kernel: Shape) -> Shape:
    """The shape of the same kernel for one group of channels each: `(height, width, 1, channels * multiplier)`."""
    return (*kernel[:2], 1, kernel[2] * kernel[3])


def _result(op: str, image: Shape, kernel: Shape, call: Sliding) -> Shape:
    if len(image) != 4 or len(kernel) != 4:
        raise OpError(
            f"`{op}` takes an image and a kernel of rank 4, not shapes {list(image)} and {list(kernel)}",
        )
    channels = image[1] if call.channels_first else image[3]
    if kernel[2] != channels:
        raise OpError(
            f"`{op}`: a kernel of shape {list(kernel)} is for {kernel[2]} channels; the image of shape {list(image)} "
            f"has {channels}"
        )
    return output_shape(op, image, _grouped(kernel), call)


def _depthwise(
    input: Tensor,  # noqa: A002
    filter: Tensor,  # noqa: A002
    strides: Any,
    padding: Any,
    data_format: Any = None,
    dilations: Any = None,
    name: str | None = None,
) -> Typed:
    if dilations is not None and len(as_row(dilations, "dilations")) != 2:
        raise OpError(f"`dilations` must have 2 numbers, not {len(dilations)}", argument="dilations")
    call = _call(strides, padding, data_format, dilations, dtype=input.dtype)
    shape = _result("tf.nn.depthwise_conv2d", input.shape, filter.shape, call)
    given = {"strides": strides, "padding": padding, "data_format": data_format, "dilations": dilations}
    return TensorType(shape, input.dtype), given


def _forward(x: Array, w: Array, **given: Any) -> Array:
    return correlated(x, w.reshape(_grouped(w.shape)), _trusted(**given))


def _to_image(g: Tensor, y: Tensor, x: Tensor, w: Tensor, **given: Any) -> Tensor:
    found: Tensor = tf.nn.depthwise_conv2d_backprop_input(x.shape, w, g, **_trusted(**given).given)
    return found


def _to_kernel(g: Tensor, y: Tensor, x: Tensor, w: Tensor, **given: Any) -> Tensor:
    found: Tensor = tf.nn.depthwise_conv2d_backprop_filter(x, w.shape, g, **_trusted(**given).given)
    return found


declare(
    "tf.nn.depthwise_conv2d",
    _depthwise,
    forward=_forward,
    vjp=(_to_image, _to_kernel),
    rounding=sum_rounding(_forward, lambda x, w, **_: prod(w.shape[:2])),
    narrow_sums=True,
    domains=(REAL, REAL),
    dtypes=FLOATS,
    samples=(
        sample((1, 3, 4, 2), (2, 3, 2, 2), [1, 1, 1, 1], "SAME"),
        sample((2, 4, 5, 3), (2, 2, 3, 1), [1, 2, 2, 1], "VALID"),
        sample((1, 4, 5, 1), (2, 2, 1, 2), [1, 1, 1, 1], "SAME", dilations=[2, 3]),
        sample((1, 3, 3, 2), (2, 2, 2, 1), [1, 1, 1, 1], [[0, 0], [1, 0], [0, 2], [0, 0]]),
    ),
    source=SOURCE,
    convention=CONVENTION,
)


def _again(x: Tensor, w: Tensor, given: dict[str, Any]) -> Tensor:
    """The convolution that a gradient belongs to."""
    call = _trusted(**given)
    dilations = call.dilations if call.dilated else None
    found: Tensor = tf.nn.depthwise_conv2d(x, w, **{**call.given, "dilations": dilations})
    return found


def _image_type(
    input_sizes: Any,
    filter: Tensor,  # noqa: A002
    out_backprop: Tensor,
    strides: Any,
    padding: Any,
    data_format: Any = "NHWC",
    dilations: Any = [1, 1, 1, 1],  # noqa: B006  # TensorFlow's own default
    name: str | None = None,
) -> Typed:
    op, sizes = "tf.nn.depthwise_conv2d_backprop_input", as_sizes(input_sizes, "input_sizes")
    call = _call(strides, padding, data_format, dilations, dtype=filter.dtype)
    check_cotangent(op, out_backprop, _result(op, sizes, filter.shape, call))
    return TensorType(sizes, filter.dtype), {"input_sizes": sizes, **call.given}


def _image_forward(w: Array, g: Array, input_sizes: Shape, **given: Any) -> Array:
    return image_gradient(w.reshape(_grouped(w.shape)), g, input_sizes, _trusted(**given))


def _image_to_kernel(h: Tensor, z: Tensor, w: Tensor, g: Tensor, input_sizes: Shape, **given: Any) -> Tensor:
    found: Tensor = tf.nn.depthwise_conv2d_backprop_filter(h, w.shape, g, **given)
    return found


declare(
    "tf.nn.depthwise_conv2d_backprop_input",
    _image_type,
    forward=_image_forward,
    vjp=(_image_to_kernel, lambda h, z, w, g, input_sizes, **given: _again(h, w, given)),
    rounding=sum_rounding(_image_forward, lambda w, g, **_: prod(w.shape) // w.shape[2]),
    narrow_sums=True,
    domains=(REAL, REAL),
    dtypes=FLOATS,
    samples=(
        sample([1, 3, 4, 2], (2, 3, 2, 2), (1, 3, 4, 4), [1, 1, 1, 1], "SAME"),
        sample([2, 4, 5, 3], (2, 2, 3, 1), (2, 2, 2, 3), [1, 2, 2, 1], "VALID"),
        sample([1, 3, 3, 2], (2, 2, 2, 1), (1, 3, 4, 2), [1, 1, 1, 1], [[0, 0], [1, 0], [0, 2], [0, 0]]),
    ),
    source=f"{IMAGE_RULE}; linear in both",
    convention=CONVENTION,
)


def _kernel_type(
    input: Tensor,  # noqa: A002
    filter_sizes: Any,
    out_backprop: Tensor,
    strides: Any,
    padding: Any,
    data_format: Any = "NHWC",
    dilations: Any = [1, 1, 1, 1],  # noqa: B006
    name: str | None = None,
) -> Typed:
    op, sizes = "tf.nn.depthwise_conv2d_backprop_filter", as_sizes(filter_sizes, "filter_sizes")
    call = _call(strides, padding, data_format, dilations, dtype=input.dtype)
    check_cotangent(op, out_backprop, _result(op, input.shape, sizes, call))
    return TensorType(sizes, input.dtype), {"filter_sizes": sizes, **call.given}


def _kernel_forward(x: Array, g: Array, filter_sizes: Shape, **given: Any) -> Array:
    return kernel_gradient(x, g, _grouped(filter_sizes), _trusted(**given)).reshape(filter_sizes)


def _kernel_to_image(h: Tensor, z: Tensor, x: Tensor, g: Tensor, filter_sizes: Shape, **given: Any) -> Tensor:
    found: Tensor = tf.nn.depthwise_conv2d_backprop_input(x.shape, h, g, **given)
    return found


declare(
    "tf.nn.depthwise_conv2d_backprop_filter",
    _kernel_type,
    forward=_kernel_forward,
    vjp=(_kernel_to_image, lambda h, z, x, g, filter_sizes, **given: _again(x, h, given)),
    rounding=sum_rounding(_kernel_forward, lambda x, g, **_: prod(g.shape) // g.shape[-1]),
    narrow_sums=True,
    domains=(REAL, REAL),
    dtypes=FLOATS,
    samples=(
        sample((1, 3, 4, 2), [2, 3, 2, 2], (1, 3, 4, 4), [1, 1, 1, 1], "SAME"),
        sample((2, 4, 5, 3), [2, 2, 3, 1], (2, 2, 2, 3), [1, 2, 2, 1], "VALID"),
        sample((1, 3, 3, 2), [2, 2, 2, 1], (1, 3, 4, 2), [1, 1, 1, 1], [[0, 0], [1, 0], [0, 2], [0, 0]]),
    ),
    source=f"{KERNEL_RULE}; linear in both",
    convention=CONVENTION,
)


@compose(
    "tf.nn.separable_conv2d",
    domains=(REAL, REAL, REAL),
    dtypes=FLOATS,
    samples=(
        sample((1, 3, 4, 2), (2, 3, 2, 2), (1, 1, 4, 3), [1, 1, 1, 1], "SAME"),
        sample((2, 4, 4, 1), (2, 2, 1, 2), (1, 1, 2, 1), [1, 2, 2, 1], "VALID"),
        sample((1, 4, 4, 1), (2, 2, 1, 1), (1, 1, 1, 2), [1, 1, 1, 1], "SAME", dilations=[2, 2]),
    ),
)
def _separable(
    input: Tensor,  # noqa: A002
    depthwise_filter: Tensor,
    pointwise_filter: Tensor,
    strides: Any,
    padding: Any,
    data_format: Any = None,
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    if pointwise_filter.ndim != 4 or pointwise_filter.shape[:2] != (1, 1):
        raise OpError(
            f"`tf.nn.separable_conv2d`: `pointwise_filter` must have shape [1, 1, channels, results], not "
            f"{list(pointwise_filter.shape)}",
            argument="pointwise_filter",
        )
    each = tf.nn.depthwise_conv2d(input, depthwise_filter, strides, padding, data_format, dilations)
    mixed: Tensor = tf.nn.conv2d(each, pointwise_filter, 1, "VALID", data_format=data_format or "NHWC")
    return mixed
