"""Random numbers of the operations with a state: TensorFlow's after `tf.random.set_seed(GLOBAL_SEED)`."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from gradcheck.dtypes import FLOAT32, FLOATS
from gradcheck.ops.arrays.shaping import as_dtype
from gradcheck.ops.declaration import POSITIVE, REAL, SAME, Literal, OpError, compose, sample
from gradcheck.ops.random import distributions
from gradcheck.ops.random.distributions import Draw
from gradcheck.ops.random.drawing import CONSTANT, UNIFORM, as_target, spread_normal, spread_uniform
from gradcheck.ops.random.seeds import Kernel, as_vector, settling, uniform_kernel
from gradcheck.tensors import Tensor


@compose(
    "tf.random.uniform",
    domains=(REAL, REAL),
    dtypes=UNIFORM,
    settle=settling(lambda shape, dtype, **_: uniform_kernel(as_dtype(dtype), as_vector(shape))),
    samples=(
        sample([3], np.array(-2.0), np.array(7.0), dtype=SAME, seed=1),
        sample([2, 3], np.array(0.0), np.array(4.0), dtype=SAME),
    ),
    convention=CONSTANT,
)
def uniform(
    shape: Any,
    minval: Literal = 0,  # type: ignore[assignment]  # a number becomes a tensor
    maxval: Literal | None = None,
    dtype: Any = FLOAT32,
    seed: Any = None,
    name: str | None = None,
) -> Tensor:
    target = as_target(dtype, UNIFORM)
    if target not in FLOATS and maxval is None:
        raise OpError(f"{target.name} needs `maxval`", argument="maxval")
    return spread_uniform(seed.stream, as_vector(shape), target, minval, maxval)


def _normal(name: str, kernel: str, draw: Draw) -> None:
    @compose(
        name,
        domains=(REAL, POSITIVE),
        dtypes=FLOATS,
        settle=settling(lambda shape, dtype, **_: Kernel(kernel, as_dtype(dtype), prod(as_vector(shape)))),
        samples=(
            sample([5], (), (), dtype=SAME, seed=1),
            sample([2, 3], (3,), (2, 1), dtype=SAME),
        ),
        convention=CONSTANT,
    )
    def function(
        shape: Any,
        mean: Literal = 0.0,  # type: ignore[assignment]  # a number becomes a tensor
        stddev: Literal = 1.0,  # type: ignore[assignment]
        dtype: Any = FLOAT32,
        seed: Any = None,
        name: str | None = None,
    ) -> Tensor:
        as_target(dtype, FLOATS)
        return spread_normal(draw, seed.stream, as_vector(shape), mean, stddev)


_normal("tf.random.normal", "RandomStandardNormal", distributions.normal)
_normal("tf.random.truncated_normal", "TruncatedNormal", distributions.truncated_normal)
