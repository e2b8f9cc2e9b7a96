"""Diagonals of tensors whose axes come in two equal halves."""

from __future__ import annotations

from math import prod

import numpy as np

from gradcheck.dtypes import COMPLEXES, FLOAT16, FLOAT32, FLOAT64, INT32, INT64, Array
from gradcheck.ops.declaration import REAL, OpError, declare, sample
from gradcheck.ops.shapes import Typed
from gradcheck.ops.vocabulary import tf
from gradcheck.program import TensorType
from gradcheck.tensors import Tensor

DTYPES = (FLOAT16, FLOAT32, FLOAT64, *COMPLEXES, INT32, INT64)


def _diag_type(diagonal: Tensor, name: str | None = None) -> Typed:
    if diagonal.ndim == 0:
        raise OpError("`tf.linalg.tensor_diag` needs a tensor with at least one axis", argument="diagonal")
    return TensorType(diagonal.shape * 2, diagonal.dtype), {}


def _diag(x: Array) -> Array:
    result = np.zeros((x.size, x.size), x.dtype)
    np.fill_diagonal(result, x)
    return result.reshape(x.shape * 2)


declare(
    "tf.linalg.tensor_diag",
    _diag_type,
    forward=_diag,
    vjp=(lambda g, y, x: tf.linalg.tensor_diag_part(g),),
    domains=(REAL,),
    dtypes=DTYPES,
    moves=True,
    samples=(sample((3,)), sample((2, 3)), sample((0, 2))),
    source="every element receives the cotangent of the place it is put in",
)


def _diag_part_type(input: Tensor, name: str | None = None) -> Typed:  # noqa: A002  # TensorFlow's name
    half = input.ndim // 2
    if input.ndim % 2 or input.ndim == 0 or input.shape[:half] != input.shape[half:]:
        raise OpError(
            "`tf.linalg.tensor_diag_part` needs a tensor whose axes are two equal halves, not one of shape "
            f"{list(input.shape)}",
            argument="input",
        )
    return TensorType(input.shape[:half], input.dtype), {}


def _diag_part(x: Array) -> Array:
    shape = x.shape[: x.ndim // 2]
    return np.diagonal(x.reshape(prod(shape), prod(shape))).reshape(shape).copy()


declare(
    "tf.linalg.tensor_diag_part",
    _diag_part_type,
    forward=_diag_part,
    vjp=(lambda g, y, x: tf.linalg.tensor_diag(g),),
    domains=(REAL,),
    dtypes=DTYPES,
    moves=True,
    samples=(sample((3, 3)), sample((2, 3, 2, 3)), sample((0, 2, 0, 2))),
    source="the cotangent goes back to the diagonal, and 0 elsewhere",
)
