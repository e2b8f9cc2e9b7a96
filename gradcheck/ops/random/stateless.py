"""Random numbers that follow from the seed of the call alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.dtypes import FLOAT32, FLOATS
from gradcheck.ops.declaration import POSITIVE, REAL, SAME, Literal, OpError, compose, sample
from gradcheck.ops.random import distributions
from gradcheck.ops.random.distributions import Draw
from gradcheck.ops.random.drawing import CONSTANT, UNIFORM, as_target, spread_normal, spread_uniform
from gradcheck.ops.random.seeds import as_vector, stateless
from gradcheck.tensors import Tensor

UNSIGNED = (np.dtype(np.uint32), np.dtype(np.uint64))
"""What is drawn from its whole range alone."""


@compose(
    "tf.random.stateless_uniform",
    domains=(REAL, REAL),
    dtypes=UNIFORM,
    samples=(
        sample([3], [1, 2], np.array(-2.0), np.array(7.0), dtype=SAME),
        sample([2], [-4, 2**40], np.array(0.0), np.array(4.0), dtype=SAME, alg="philox"),
    ),
    convention=CONSTANT,
)
def _uniform(
    shape: Any,
    seed: Any,
    minval: Literal | None = 0,  # type: ignore[assignment]  # a number becomes a tensor
    maxval: Literal | None = None,
    dtype: Any = FLOAT32,
    name: str | None = None,
    alg: Any = "auto_select",
) -> Tensor:
    target, stream = as_target(dtype, (*UNIFORM, *UNSIGNED)), stateless(seed, alg)
    if target not in FLOATS and (minval is None) != (maxval is None):
        raise OpError("integers need both `minval` and `maxval`, or None for both", argument="maxval")
    return spread_uniform(stream, as_vector(shape), target, minval, maxval)


def _normal(name: str, draw: Draw) -> None:
    @compose(
        name,
        domains=(REAL, POSITIVE),
        dtypes=FLOATS,
        samples=(
            sample([5], [1, 2], (), (), dtype=SAME),
            sample([2, 3], [-4, 2**40], (3,), (2, 1), dtype=SAME, alg="philox"),
            sample([0, 3], [0, 0], (3,), dtype=SAME),
        ),
        convention=CONSTANT,
    )
    def function(
        shape: Any,
        seed: Any,
        mean: Literal = 0.0,  # type: ignore[assignment]  # a number becomes a tensor
        stddev: Literal = 1.0,  # type: ignore[assignment]
        dtype: Any = FLOAT32,
        name: str | None = None,
        alg: Any = "auto_select",
    ) -> Tensor:
        as_target(dtype, FLOATS)
        return spread_normal(draw, stateless(seed, alg), as_vector(shape), mean, stddev)


_normal("tf.random.stateless_normal", distributions.normal)
_normal("tf.random.stateless_truncated_normal", distributions.truncated_normal)
