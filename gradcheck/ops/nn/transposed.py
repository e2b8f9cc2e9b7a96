"""Convolutions in other forms: along one axis, of any number of axes, dilated, and transposed."""

from __future__ import annotations

from typing import Any

from gradcheck.dtypes import FLOATS, INT32
from gradcheck.ops.declaration import REAL, OpError, compose, sample
from gradcheck.ops.nn.correlation import output_shape as convolved_shape
from gradcheck.ops.nn.windows import Sliding, flat, sliding, spatial
from gradcheck.ops.shapes import as_int, as_sizes
from gradcheck.ops.vocabulary import tf
from gradcheck.program import Shape
from gradcheck.tensors import Tensor

UNEXPECTED = {"NHWC": "NWC", "NCHW": "NCW"}
"""What `tf.nn.conv1d` takes for the format of an image as well."""


def _format_1d(data_format: Any) -> Any:
    return UNEXPECTED.get(data_format, data_format) if isinstance(data_format, str) else data_format


@compose(
    "tf.nn.conv1d",
    domains=(REAL, REAL),
    dtypes=(*FLOATS, INT32),
    samples=(
        sample((2, 5, 2), (3, 2, 2), 1, "SAME"),
        sample((1, 6, 1), (2, 1, 2), [2], "VALID"),
        sample((2, 2, 4, 1), (2, 1, 1), 1, "SAME"),
    ),
)
def _conv1d(
    input: Tensor,  # noqa: A002
    filters: Tensor,
    stride: Any,
    padding: Any,
    data_format: Any = "NWC",
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    if isinstance(padding, (tuple, list)):
        raise OpError("`tf.nn.conv1d` takes 'SAME' or 'VALID', not a list", argument="padding", help="use `tf.pad`")
    return _along_one_axis(input, filters, stride, padding, _format_1d(data_format), dilations)


def _along_one_axis(x: Tensor, filters: Tensor, stride: Any, padding: Any, data_format: Any, dilations: Any) -> Tensor:
    """An image of height 1 under a kernel of height 1."""
    if filters.ndim != 3 or x.ndim < 3:
        raise OpError(
            f"a convolution along one axis takes an image and a kernel of rank 3, not shapes {list(x.shape)} and "
            f"{list(filters.shape)}"
        )
    call = flat(sliding(1, stride, padding, data_format, dilations, dtype=x.dtype))
    height = -2 if call.channels_first else -3
    image = tf.nn.conv2d(tf.expand_dims(x, height), tf.expand_dims(filters, 0), **call.given)
    row: Tensor = tf.squeeze(image, [height])
    return row


@compose(
    "tf.nn.convolution",
    domains=(REAL, REAL),
    dtypes=FLOATS,
    samples=(
        sample((2, 5, 2), (3, 2, 2)),
        sample((1, 6, 1), (2, 1, 1), padding="SAME", dilations=[3]),
        sample((1, 4, 4, 1), (2, 2, 1, 2), [2, 1], "SAME", "NHWC"),
        sample((1, 5, 4, 1), (2, 2, 1, 1), padding="SAME", dilations=[2, 3]),
        sample((1, 3, 3, 1), (2, 2, 1, 1), padding=[[0, 0], [1, 0], [2, 1], [0, 0]], dilations=2),
        sample((1, 2, 3, 2, 1), (2, 1, 2, 1, 2), padding="SAME", data_format="NDHWC"),
        sample((1, 2, 4, 3, 1), (2, 2, 1, 1, 1), padding="SAME", dilations=[1, 2, 2]),
        sample((2, 1, 3, 3, 1), (2, 2, 1, 1), padding="SAME", dilations=2),
    ),
    convention="TensorFlow has no gradient along two or three axes where neither `data_format` is given nor "
    "`dilations` are above 1",
)
def _convolution(
    input: Tensor,  # noqa: A002
    filters: Tensor,
    strides: Any = None,
    padding: Any = "VALID",
    data_format: Any = None,
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    rank = filters.ndim - 2
    if not 1 <= rank <= 3:
        raise OpError(f"`filters` must have rank 3, 4 or 5, not shape {list(filters.shape)}", argument="filters")
    call = sliding(rank, strides, padding, data_format, dilations, dtype=input.dtype)
    if call.dilated and max(call.strides) > 1:
        raise OpError("`tf.nn.convolution` takes `strides` or `dilations` above 1, not both", argument="dilations")
    if isinstance(padding, (tuple, list)) and not (call.dilated and rank == 2):
        raise OpError(
            "`tf.nn.convolution` takes a list as `padding` only along two axes where `dilations` are above 1",
            argument="padding",
            help="`tf.nn.conv2d` always takes one",
        )
    if rank == 1:
        return _along_one_axis(input, filters, strides, padding, _format_1d(data_format), dilations)
    function = tf.nn.conv2d if rank == 2 else tf.nn.conv3d
    image: Tensor = function(input, filters, **call.given)
    return image


@compose(
    "tf.nn.atrous_conv2d",
    domains=(REAL, REAL),
    dtypes=FLOATS,
    samples=(
        sample((1, 5, 4, 1), (2, 2, 1, 2), 2, "SAME"),
        sample((1, 4, 5, 2), (2, 2, 2, 1), 3, "VALID"),
        sample((1, 3, 3, 1), (2, 2, 1, 1), 1, "SAME"),
    ),
)
def _atrous(value: Tensor, filters: Tensor, rate: Any, padding: Any, name: str | None = None) -> Tensor:
    rates = spatial(rate, 2, False, "rate")
    found: Tensor = tf.nn.convolution(value, filters, padding=padding, dilations=rates)
    return found


# Transposed: the gradient of a convolution with respect to its image, as an operation of its own.


def _shape_of(shape: Any, rank: int) -> Shape:
    sizes = as_sizes(shape, "output_shape")
    if len(sizes) != rank + 2:
        raise OpError(f"`output_shape` {list(sizes)} must have {rank + 2} numbers", argument="output_shape")
    return sizes


def _transposed(op: str, x: Tensor, filters: Tensor, shape: Any, call: Sliding, gradient: Any) -> Tensor:
    """The gradient operation, with what does not fit said of the transposed convolution."""
    sizes = _shape_of(shape, call.rank)
    expected = convolved_shape(op, sizes, filters.shape, call)
    if x.shape != expected:
        raise OpError(
            f"`{op}`: a convolution of shape {list(sizes)} gives {list(expected)}, not {list(x.shape)}",
            argument="output_shape",
        )
    image: Tensor = gradient(sizes, filters, x, **call.raw)
    return image


@compose(
    "tf.nn.conv1d_transpose",
    domains=(REAL, REAL),
    dtypes=FLOATS,
    samples=(
        sample((2, 3, 2), (2, 1, 2), [2, 6, 1], 2),
        sample((1, 3, 1), (3, 2, 1), [1, 5, 2], 1, "VALID"),
    ),
)
def _conv1d_transpose(
    input: Tensor,  # noqa: A002
    filters: Tensor,
    output_shape: Any,
    strides: Any,
    padding: Any = "SAME",
    data_format: Any = "NWC",
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    if input.ndim != 3 or filters.ndim != 3:
        raise OpError(
            f"`tf.nn.conv1d_transpose` takes an image and a kernel of rank 3, not shapes {list(input.shape)} and "
            f"{list(filters.shape)}"
        )
    call = sliding(1, strides, padding, data_format, dilations, explicit=False, dtype=input.dtype)
    sizes, height = _shape_of(output_shape, 1), 2 if call.channels_first else 1
    image = tf.nn.conv2d_transpose(
        tf.expand_dims(input, height),
        tf.expand_dims(filters, 0),
        (*sizes[:height], 1, *sizes[height:]),
        **flat(call).given,
    )
    row: Tensor = tf.squeeze(image, [height])
    return row


@compose(
    "tf.nn.conv2d_transpose",
    domains=(REAL, REAL),
    dtypes=(*FLOATS, INT32),
    samples=(
        sample((1, 2, 3, 2), (2, 2, 1, 2), [1, 4, 6, 1], 2),
        sample((2, 2, 2, 1), (2, 3, 2, 1), [2, 3, 4, 2], 1, "VALID"),
        sample((1, 2, 2, 1), (2, 2, 1, 1), [1, 3, 3, 1], [2, 2], "SAME"),
        sample((1, 2, 3, 1), (2, 2, 1, 1), [1, 3, 3, 1], 2, [[0, 0], [1, 0], [2, 1], [0, 0]]),
    ),
)
def _conv2d_transpose(
    input: Tensor,  # noqa: A002
    filters: Tensor,
    output_shape: Any,
    strides: Any,
    padding: Any = "SAME",
    data_format: Any = "NHWC",
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    call = sliding(2, strides, padding, data_format, dilations, dtype=input.dtype)
    gradient = tf.raw_ops.Conv2DBackpropInput
    return _transposed("tf.nn.conv2d_transpose", input, filters, output_shape, call, gradient)


@compose(
    "tf.nn.conv3d_transpose",
    domains=(REAL, REAL),
    dtypes=FLOATS,
    samples=(
        sample((1, 1, 2, 1, 2), (2, 2, 1, 1, 2), [1, 2, 4, 2, 1], 2),
        sample((1, 1, 2, 2, 1), (2, 1, 2, 1, 1), [1, 2, 2, 3, 1], [1, 1, 1], "VALID"),
    ),
)
def _conv3d_transpose(
    input: Tensor,  # noqa: A002
    filters: Tensor,
    output_shape: Any,
    strides: Any,
    padding: Any = "SAME",
    data_format: Any = "NDHWC",
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    call = sliding(3, strides, padding, data_format, dilations, explicit=False, dtype=input.dtype)
    gradient = tf.raw_ops.Conv3DBackpropInputV2
    return _transposed("tf.nn.conv3d_transpose", input, filters, output_shape, call, gradient)


@compose(
    "tf.nn.conv_transpose",
    domains=(REAL, REAL),
    dtypes=FLOATS,
    samples=(
        sample((1, 3, 1), (2, 1, 1), [1, 6, 1], 2),
        sample((1, 2, 2, 1), (2, 2, 1, 1), [1, 3, 3, 1], 1, "VALID"),
        sample((1, 1, 2, 1, 1), (2, 1, 1, 1, 1), [1, 2, 2, 1, 1], 1, "VALID"),
    ),
)
def _conv_transpose(
    input: Tensor,  # noqa: A002
    filters: Tensor,
    output_shape: Any,
    strides: Any,
    padding: Any = "SAME",
    data_format: Any = None,
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    rank = len(as_sizes(output_shape, "output_shape")) - 2
    if not 1 <= rank <= 3:
        raise OpError(f"`output_shape` must have 3, 4 or 5 numbers, not {rank + 2}", argument="output_shape")
    function = getattr(tf.nn, f"conv{rank}d_transpose")
    image: Tensor = function(input, filters, output_shape, strides, padding, data_format, dilations)
    return image


@compose(
    "tf.nn.atrous_conv2d_transpose",
    domains=(REAL, REAL),
    dtypes=FLOATS,
    samples=(
        sample((1, 4, 3, 1), (2, 2, 2, 1), [1, 4, 3, 2], 2, "SAME"),
        sample((1, 2, 2, 1), (2, 2, 1, 1), [1, 5, 5, 1], 3, "VALID"),
        sample((1, 2, 2, 1), (2, 2, 1, 1), [1, 2, 2, 1], 1, "SAME"),
    ),
)
def _atrous_transpose(
    value: Tensor, filters: Tensor, output_shape: Any, rate: Any, padding: Any, name: str | None = None
) -> Tensor:
    if as_int(rate, "rate") < 1:
        raise OpError(f"`rate` must be positive, not {rate}", argument="rate")
    if padding not in ("SAME", "VALID"):
        raise OpError(f"`padding` must be 'SAME' or 'VALID', not {padding!r}", argument="padding")
    image: Tensor = tf.nn.conv2d_transpose(value, filters, output_shape, 1, padding, dilations=rate)
    return image
