"""What hands its input on as it is, or refuses it."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.dtypes import FLOATS, Array
from gradcheck.ops.batching import aligned
from gradcheck.ops.declaration import ANY, REAL, OpError, Tensors, compose, declare, sample
from gradcheck.ops.shapes import Typed, as_shape
from gradcheck.ops.vocabulary import tf
from gradcheck.tensors import Tensor


@compose(
    "tf.identity_n",
    domains=(REAL,),
    dtypes=ANY,
    several=True,
    samples=(sample([(2, 3), (2,)]), sample([(0, 3)])),
)
def _identity_n(input: Tensors, name: str | None = None) -> list[Tensor]:  # noqa: A002  # TensorFlow's name
    return [tf.identity(each) for each in input]


def _check_numerics_type(tensor: Tensor, message: str, name: str | None = None) -> Typed:
    if not isinstance(message, str):
        raise OpError(f"`message` must be a text, not {message!r}", argument="message")
    return tensor.type, {"message": message}


def _check_numerics(tensor: Array, message: str) -> Array:
    kinds = [kind for kind, found in (("Inf", np.isinf(tensor)), ("NaN", np.isnan(tensor))) if found.any()]
    if kinds:
        raise FloatingPointError(f"{message} : Tensor had {' and '.join(kinds)} values")
    return tensor


IN_GRADIENT = "Not a number (NaN) or infinity (Inf) values detected in gradient."

declare(
    "tf.debugging.check_numerics",
    _check_numerics_type,
    forward=_check_numerics,
    vjp=(lambda g, y, tensor, message: tf.debugging.check_numerics(g, IN_GRADIENT),),
    batching=aligned,
    domains=(REAL,),
    dtypes=FLOATS,
    moves=True,
    samples=(sample((2, 3), "checked"), sample((0, 3), "")),
    source="the cotangent is handed on",
    convention="an error for infinities and NaN, in the cotangent too",
)


def _placeholder_type(input: Tensor, shape: Any, name: str | None = None) -> Typed:  # noqa: A002  # TensorFlow's name
    return input.type, {"shape": as_shape(shape)}


declare(
    "tf.raw_ops.PlaceholderWithDefault",
    _placeholder_type,
    forward=lambda x, shape: x,
    vjp=(lambda g, y, x, shape: g,),
    batching=aligned,
    domains=(REAL,),
    dtypes=ANY,
    moves=True,
    samples=(sample((2, 3), shape=[2, 3]), sample((0, 3), shape=[-1, 3])),
    source="the cotangent is handed on",
    convention="always the default; `shape` is not compared with its shape",
)
