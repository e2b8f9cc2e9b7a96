"""The poolings of TensorFlow that take the size of their windows as tensors; only a raw call reaches them."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.dtypes import FLOATS
from gradcheck.ops.declaration import REAL, OpError, compose, sample
from gradcheck.ops.nn.patches import largest
from gradcheck.ops.nn.pooling_gradients import FIRST_WINS, raw_pool
from gradcheck.ops.vocabulary import tf
from gradcheck.tensors import Tensor

CALL: dict[str, Any] = {"ksize": [1, 2, 2, 1], "strides": [1, 1, 2, 1], "padding": "VALID"}
IMAGE = np.array([3, -1, 4, 1.5, -5, 9, 2, 6.5, -3.5, 5, 8, -9.5]).reshape(1, 3, 4, 1)
POOLED = largest(IMAGE, raw_pool(2, **CALL).axes(IMAGE.shape))


def _last(data_format: Any) -> None:
    if data_format != "NHWC":
        raise OpError(
            f"TensorFlow has no kernel for the format {data_format} on a CPU", argument="data_format", help="use 'NHWC'"
        )


@compose(
    "tf.raw_ops.MaxPoolV2",
    domains=(REAL,),
    dtypes=FLOATS,
    samples=(sample(IMAGE, **CALL), sample(IMAGE, [1, 2, 3, 1], [1, 2, 1, 1], "SAME")),
    convention=FIRST_WINS,
)
def _max_pool(
    input: Tensor,  # noqa: A002
    ksize: Any,
    strides: Any,
    padding: Any,
    data_format: Any = "NHWC",
    name: str | None = None,
) -> Tensor:
    _last(data_format)
    raw_pool(2, ksize, strides, padding)
    pooled: Tensor = tf.nn.max_pool2d(input, ksize, strides, padding)
    return pooled


@compose(
    "tf.raw_ops.MaxPoolGradV2",
    domains=(REAL, REAL, REAL),
    dtypes=FLOATS,
    samples=(sample(IMAGE, POOLED, POOLED.shape, **CALL),),
    convention=f"{FIRST_WINS}; connected with 0 to the image",
)
def _max_pool_gradient(
    orig_input: Tensor,
    orig_output: Tensor,
    grad: Tensor,
    ksize: Any,
    strides: Any,
    padding: Any,
    data_format: Any = "NHWC",
    name: str | None = None,
) -> Tensor:
    _last(data_format)
    found: Tensor = tf.raw_ops.MaxPoolGrad(orig_input, orig_output, grad, ksize, strides, padding)
    return found
