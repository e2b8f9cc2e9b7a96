"""One program on either side: our eager engine and TensorFlow, under the same names."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import tensorflow

import gradcheck


class Side(NamedTuple):
    """What a program needs: `tf` for the operations, and what `tf` has besides."""

    tf: Any
    tensor: Callable[[Any], Any]
    GradientTape: Any
    Variable: Any
    ForwardAccumulator: Any
    custom_gradient: Any


Program = Callable[[Side], Any]

OURS = Side(
    gradcheck.tf,
    lambda value: gradcheck.tensor(value, "float64"),
    gradcheck.GradientTape,
    lambda value, **options: gradcheck.Variable(value, dtype="float64", **options),
    gradcheck.ForwardAccumulator,
    gradcheck.custom_gradient,
)
THEIRS = Side(
    tensorflow,
    lambda value: tensorflow.constant(value, tensorflow.float64),
    tensorflow.GradientTape,
    lambda value, **options: tensorflow.Variable(value, dtype=tensorflow.float64, **options),
    tensorflow.autodiff.ForwardAccumulator,
    tensorflow.custom_gradient,
)


def assert_same(program: Program, rtol: float = 1e-12) -> None:
    """What `program` gives, nested in any way, has the same structure, shapes, dtypes and numbers on either side."""
    ours, theirs = program(OURS), program(THEIRS)
    tensorflow.nest.assert_same_structure(ours, theirs)
    for left, right in zip(tensorflow.nest.flatten(ours), tensorflow.nest.flatten(theirs), strict=True):
        assert (left is None) == (right is None)
        if left is not None:
            a, b = np.asarray(left.numpy()), np.asarray(right.numpy())
            assert (a.shape, a.dtype) == (b.shape, b.dtype)
            np.testing.assert_allclose(a, b, rtol=rtol)
