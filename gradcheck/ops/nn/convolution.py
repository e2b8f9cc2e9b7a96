"""Convolutions and their gradients, which are operations of TensorFlow too: a product of matrices over all windows."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from gradcheck.dtypes import FLOATS, INT32, Array, DType
from gradcheck.ops.declaration import REAL, OpError, declare, sample
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
from gradcheck.ops.nn.windows import LAST, Sliding, from_raw, sliding
from gradcheck.ops.shapes import Typed, as_row, as_sizes, sum_rounding
from gradcheck.ops.vocabulary import tf
from gradcheck.program import Shape, TensorType
from gradcheck.tensors import Tensor

ON_A_CPU = {
    2: "on a CPU TensorFlow has no gradient with `dilations` above 1, and that of groups in float32 alone",
    3: "on a CPU TensorFlow has no `dilations` above 1",
}


def _single_batch(x: Tensor, rank: int) -> Tensor:
    """`x` with all its batch axes as one, which is what the gradient operations take."""
    if x.ndim == rank + 2:
        return x
    flat: Tensor = tf.reshape(x, (prod(x.shape[: -rank - 1]), *x.shape[-rank - 1 :]))
    return flat


def _shaped(x: Tensor, shape: Shape) -> Tensor:
    return x if x.shape == shape else tf.reshape(x, shape)


def _convolution(rank: int, dtypes: tuple[DType, ...], samples: Any) -> None:
    """Declare `tf.nn.conv2d` or `tf.nn.conv3d`, whose gradients are the raw operations below."""
    op = f"tf.nn.conv{rank}d"

    def call_of(strides: Any, padding: Any, data_format: Any, dilations: Any, dtype: DType) -> Sliding:
        if rank == 3 and len(as_row(strides, "strides")) != 5:
            raise OpError(f"`strides` must have 5 numbers, not {len(strides)}", argument="strides")
        return sliding(rank, strides, padding, data_format, dilations, explicit=rank == 2, dtype=dtype)

    def function(
        input: Tensor,  # noqa: A002
        filters: Tensor,
        strides: Any,
        padding: Any,
        data_format: Any = LAST[rank],
        dilations: Any = None,
        name: str | None = None,
    ) -> Typed:
        call = call_of(strides, padding, data_format, dilations, input.dtype)
        shape = output_shape(op, input.shape, filters.shape, call)
        given = {"strides": strides, "padding": padding, "data_format": data_format, "dilations": dilations}
        return TensorType(shape, input.dtype), given

    def forward(x: Array, w: Array, **given: Any) -> Array:
        return correlated(x, w, _trusted(rank, **given))

    def to_image(g: Tensor, y: Tensor, x: Tensor, w: Tensor, **given: Any) -> Tensor:
        call, flat = _trusted(rank, **given), _single_batch(x, rank)
        found = getattr(tf.raw_ops, IMAGE_OPS[rank])(flat.shape, w, _single_batch(g, rank), **call.raw)
        return _shaped(found, x.shape)

    def to_kernel(g: Tensor, y: Tensor, x: Tensor, w: Tensor, **given: Any) -> Tensor:
        call, flat = _trusted(rank, **given), _single_batch(x, rank)
        found: Tensor = getattr(tf.raw_ops, KERNEL_OPS[rank])(flat, w.shape, _single_batch(g, rank), **call.raw)
        return found

    declare(
        op,
        function,
        forward=forward,
        vjp=(to_image, to_kernel),
        rounding=sum_rounding(forward, lambda x, w, **_: prod(w.shape[:-1])),
        narrow_sums=True,
        domains=(REAL, REAL),
        dtypes=dtypes,
        samples=samples,
        source=SOURCE,
        convention="the kernel is not flipped (a correlation); `SAME` adds the odd one of the zeros behind; 16-bit "
        f"floats are added up in float32; {ON_A_CPU[rank]}",
    )


def _trusted(rank: int, strides: Any, padding: Any, data_format: Any = None, dilations: Any = None) -> Sliding:
    """The arguments of a call that has been checked already, in whatever dtype it is run."""
    return sliding(rank, strides, padding, data_format, dilations, dtype=np.dtype(np.float32))


def _gradient_to_image(rank: int, function: Callable[..., Typed], dtypes: Any, samples: Any) -> None:
    """Declare the gradient with respect to the image, as an operation on the kernel and the cotangent."""

    def forward(w: Array, g: Array, input_sizes: Shape, **given: Any) -> Array:
        return image_gradient(w, g, input_sizes, _trusted_raw(rank, **given))

    def to_kernel(h: Tensor, z: Tensor, w: Tensor, g: Tensor, input_sizes: Shape, **given: Any) -> Tensor:
        found: Tensor = getattr(tf.raw_ops, KERNEL_OPS[rank])(h, w.shape, g, **given)
        return found

    def to_cotangent(h: Tensor, z: Tensor, w: Tensor, g: Tensor, input_sizes: Shape, **given: Any) -> Tensor:
        return _again(rank, h, w, **given)

    declare(
        f"tf.raw_ops.{IMAGE_OPS[rank]}",
        function,
        forward=forward,
        vjp=(to_kernel, to_cotangent),
        rounding=sum_rounding(forward, lambda w, g, **_: prod(w.shape) // w.shape[-2]),
        narrow_sums=True,
        domains=(REAL, REAL),
        dtypes=dtypes,
        samples=samples,
        source=f"{IMAGE_RULE}; linear in both",
        convention="16-bit floats are added up in float32",
    )


def _gradient_to_kernel(rank: int, function: Callable[..., Typed], samples: Any) -> None:
    """Declare the gradient with respect to the kernel, as an operation on the image and the cotangent."""

    def forward(x: Array, g: Array, filter_sizes: Shape, **given: Any) -> Array:
        return kernel_gradient(x, g, filter_sizes, _trusted_raw(rank, **given))

    def to_image(h: Tensor, z: Tensor, x: Tensor, g: Tensor, filter_sizes: Shape, **given: Any) -> Tensor:
        found: Tensor = getattr(tf.raw_ops, IMAGE_OPS[rank])(x.shape, h, g, **given)
        return found

    def to_cotangent(h: Tensor, z: Tensor, x: Tensor, g: Tensor, filter_sizes: Shape, **given: Any) -> Tensor:
        return _again(rank, x, h, **given)

    declare(
        f"tf.raw_ops.{KERNEL_OPS[rank]}",
        function,
        forward=forward,
        vjp=(to_image, to_cotangent),
        rounding=sum_rounding(forward, lambda x, g, **_: prod(g.shape) // g.shape[-1]),
        narrow_sums=True,
        domains=(REAL, REAL),
        dtypes=FLOATS,
        samples=samples,
        source=f"{KERNEL_RULE}; linear in both",
        convention="16-bit floats are added up in float32",
    )


IMAGE_OPS = {2: "Conv2DBackpropInput", 3: "Conv3DBackpropInputV2"}
KERNEL_OPS = {2: "Conv2DBackpropFilter", 3: "Conv3DBackpropFilterV2"}


def _trusted_raw(
    rank: int, strides: Any, padding: Any, explicit_paddings: Any = (), data_format: Any = None, dilations: Any = None
) -> Sliding:
    whole = (1,) * (rank + 2) if dilations is None else dilations
    return from_raw(rank, strides, padding, explicit_paddings, data_format, whole, np.dtype(np.float32))


def _again(rank: int, x: Tensor, w: Tensor, **given: Any) -> Tensor:
    """The convolution that a raw call belongs to."""
    found: Tensor = getattr(tf.nn, f"conv{rank}d")(x, w, **_trusted_raw(rank, **given).given)
    return found


def _image_type(rank: int, sizes: Any, w: Tensor, g: Tensor, call: Sliding) -> Typed:
    op, shape = f"tf.raw_ops.{IMAGE_OPS[rank]}", as_sizes(sizes, "input_sizes")
    if len(shape) != rank + 2:
        raise OpError(f"`input_sizes` {list(shape)} must have {rank + 2} numbers", argument="input_sizes")
    check_cotangent(op, g, output_shape(op, shape, w.shape, call))
    return TensorType(shape, w.dtype), {"input_sizes": shape, **call.raw}


def _kernel_type(rank: int, x: Tensor, sizes: Any, g: Tensor, call: Sliding) -> Typed:
    op, shape = f"tf.raw_ops.{KERNEL_OPS[rank]}", as_sizes(sizes, "filter_sizes")
    if x.ndim != rank + 2:
        raise OpError(f"`{op}` takes an image of rank {rank + 2}, not of shape {list(x.shape)}", argument="input")
    check_cotangent(op, g, output_shape(op, x.shape, shape, call))
    return TensorType(shape, x.dtype), {"filter_sizes": shape, **call.raw}


def _conv2d_image(
    input_sizes: Any,
    filter: Tensor,  # noqa: A002
    out_backprop: Tensor,
    strides: Any,
    padding: Any,
    use_cudnn_on_gpu: Any = True,
    explicit_paddings: Any = [],  # noqa: B006  # TensorFlow's own default
    data_format: Any = "NHWC",
    dilations: Any = [1, 1, 1, 1],  # noqa: B006
    name: str | None = None,
) -> Typed:
    call = from_raw(2, strides, padding, explicit_paddings, data_format, dilations, filter.dtype)
    return _image_type(2, input_sizes, filter, out_backprop, call)


def _conv2d_kernel(
    input: Tensor,  # noqa: A002
    filter_sizes: Any,
    out_backprop: Tensor,
    strides: Any,
    padding: Any,
    use_cudnn_on_gpu: Any = True,
    explicit_paddings: Any = [],  # noqa: B006
    data_format: Any = "NHWC",
    dilations: Any = [1, 1, 1, 1],  # noqa: B006
    name: str | None = None,
) -> Typed:
    call = from_raw(2, strides, padding, explicit_paddings, data_format, dilations, input.dtype)
    return _kernel_type(2, input, filter_sizes, out_backprop, call)


def _conv3d_image(
    input_sizes: Any,
    filter: Tensor,  # noqa: A002
    out_backprop: Tensor,
    strides: Any,
    padding: Any,
    data_format: Any = "NDHWC",
    dilations: Any = [1, 1, 1, 1, 1],  # noqa: B006
    name: str | None = None,
) -> Typed:
    call = from_raw(3, strides, padding, (), data_format, dilations, filter.dtype)
    return _image_type(3, input_sizes, filter, out_backprop, call)


def _conv3d_kernel(
    input: Tensor,  # noqa: A002
    filter_sizes: Any,
    out_backprop: Tensor,
    strides: Any,
    padding: Any,
    data_format: Any = "NDHWC",
    dilations: Any = [1, 1, 1, 1, 1],  # noqa: B006
    name: str | None = None,
) -> Typed:
    call = from_raw(3, strides, padding, (), data_format, dilations, input.dtype)
    return _kernel_type(3, input, filter_sizes, out_backprop, call)


_convolution(
    2,
    (*FLOATS, INT32),
    samples=(
        sample((1, 3, 4, 2), (2, 3, 2, 3), 1, "SAME"),
        sample((2, 4, 5, 1), (2, 2, 1, 2), [1, 2, 1, 1], "VALID"),
        sample((1, 5, 4, 2), (3, 2, 2, 1), [2, 1], "SAME"),
        sample((1, 3, 3, 1), (2, 2, 1, 1), 2, [[0, 0], [1, 0], [2, 1], [0, 0]]),
        sample((1, 5, 2, 1), (1, 1, 1, 2), 3, "SAME"),
        sample((2, 2, 3, 3, 1), (2, 2, 1, 1), 1, "SAME"),
    ),
)
_gradient_to_image(
    2,
    _conv2d_image,
    (*FLOATS, INT32),
    samples=(
        sample([1, 3, 4, 2], (2, 3, 2, 3), (1, 3, 4, 3), [1, 1, 1, 1], "SAME"),
        sample([2, 4, 5, 1], (2, 2, 1, 2), (2, 2, 2, 2), [1, 2, 2, 1], "VALID"),
        sample(
            [1, 3, 3, 1],
            (2, 2, 1, 1),
            (1, 2, 3, 1),
            [1, 2, 2, 1],
            "EXPLICIT",
            explicit_paddings=[0, 0, 1, 0, 2, 1, 0, 0],
        ),
    ),
)
_gradient_to_kernel(
    2,
    _conv2d_kernel,
    samples=(
        sample((1, 3, 4, 2), [2, 3, 2, 3], (1, 3, 4, 3), [1, 1, 1, 1], "SAME"),
        sample((2, 4, 5, 1), [2, 2, 1, 2], (2, 2, 2, 2), [1, 2, 2, 1], "VALID"),
        sample(
            (1, 3, 3, 1),
            [2, 2, 1, 1],
            (1, 2, 3, 1),
            [1, 2, 2, 1],
            "EXPLICIT",
            explicit_paddings=[0, 0, 1, 0, 2, 1, 0, 0],
        ),
    ),
)
_convolution(
    3,
    FLOATS,
    samples=(
        sample((1, 2, 3, 2, 2), (2, 2, 1, 2, 2), [1, 1, 1, 1, 1], "SAME"),
        sample((2, 3, 2, 4, 1), (2, 1, 2, 1, 1), [1, 1, 1, 2, 1], "VALID"),
        sample((2, 1, 2, 2, 2, 1), (2, 2, 1, 1, 2), [1, 1, 1, 1, 1], "VALID"),
    ),
)
_gradient_to_image(
    3,
    _conv3d_image,
    FLOATS,
    samples=(
        sample([1, 2, 3, 2, 2], (2, 2, 1, 2, 2), (1, 2, 3, 2, 2), [1, 1, 1, 1, 1], "SAME"),
        sample([2, 3, 2, 4, 1], (2, 1, 2, 1, 1), (2, 2, 2, 2, 1), [1, 1, 1, 2, 1], "VALID"),
    ),
)
_gradient_to_kernel(
    3,
    _conv3d_kernel,
    samples=(
        sample((1, 2, 3, 2, 2), [2, 2, 1, 2, 2], (1, 2, 3, 2, 2), [1, 1, 1, 1, 1], "SAME"),
        sample((2, 3, 2, 4, 1), [2, 1, 2, 1, 1], (2, 2, 2, 2, 1), [1, 1, 1, 2, 1], "VALID"),
    ),
)
