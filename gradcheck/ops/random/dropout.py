"""Dropout, with the mask that TensorFlow draws."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from math import prod
from typing import Any

from gradcheck.dtypes import FLOATS
from gradcheck.ops.declaration import REAL, Interval, Op, OpError, Scalar, compose, sample
from gradcheck.ops.random.seeds import Kernel, settling
from gradcheck.ops.random.stateful import uniform
from gradcheck.ops.shapes import as_sizes
from gradcheck.ops.vocabulary import tf
from gradcheck.program import Shape
from gradcheck.tensors import Context, Tensor

Sampler = Callable[..., Tensor]
SHARE = Interval(0.1, 0.9)
CONVENTION = "what is dropped has the gradient 0; to a rate the gradient flows through 1 / (1 - rate) alone"


def _noise_shape(noise_shape: Any, shape: Shape) -> Shape:
    """The shape of the mask: None, for all axes or for one of them, is that of the tensor."""
    if noise_shape is None:
        return shape
    row = noise_shape if isinstance(noise_shape, (tuple, list)) else (noise_shape,)
    if len(row) == len(shape):
        row = [size if each is None else each for each, size in zip(row, shape, strict=True)]
    return as_sizes(row, "noise_shape")


def _is_nothing(rate: Any) -> bool:
    return not isinstance(rate, Tensor) and rate == 0


def _dropped(x: Tensor, rate: Any, sampler: Sampler, noise_shape: Any) -> Tensor:
    """`x` over 1 - rate where the sampler's numbers reach the rate, and 0 elsewhere."""
    if isinstance(rate, Tensor):
        if rate.ndim:
            raise OpError(f"`rate` must be a scalar, not of shape {list(rate.shape)}", argument="rate")
        scaled = x / (1 - rate)
    elif isinstance(rate, bool) or not isinstance(rate, (int, float)) or not 0 <= rate < 1:
        raise OpError(f"`rate` must be from 0 to below 1, not {rate!r}", argument="rate")
    elif _is_nothing(rate):
        return x
    else:
        scaled = x * (1 / (1 - rate))
    kept = sampler(shape=_noise_shape(noise_shape, x.shape), dtype=x.dtype) >= rate
    dropped: Tensor = tf.where(kept, scaled, tf.zeros([], x.dtype))
    return dropped


def _kernel(x: Tensor, rate: Any, noise_shape: Any, **_: Any) -> Kernel:
    return Kernel("RandomUniform", x.dtype, 0 if _is_nothing(rate) else prod(_noise_shape(noise_shape, x.shape)))


@compose(
    "tf.nn.dropout",
    domains=(REAL, SHARE),
    dtypes=FLOATS,
    settle=settling(_kernel),
    samples=(
        sample((2, 3), 0.3, seed=1),
        sample((2, 3), 0.0),
        sample((2, 3), (), [None, 1]),
    ),
    convention=CONVENTION,
)
def _dropout(x: Tensor, rate: Scalar, noise_shape: Any = None, seed: Any = None, name: str | None = None) -> Tensor:
    return _dropped(x, rate, partial(uniform, seed=seed), noise_shape)


@compose(
    "tf.nn.experimental.stateless_dropout",
    domains=(REAL, SHARE),
    dtypes=FLOATS,
    samples=(sample((2, 3), 0.3, [1, 2]), sample((2, 3), (), [1, 2], "philox", [3])),
    convention=CONVENTION,
)
def _stateless_dropout(
    x: Tensor, rate: Scalar, seed: Any, rng_alg: Any = None, noise_shape: Any = None, name: str | None = None
) -> Tensor:
    sampler = partial(tf.random.stateless_uniform, seed=seed, alg=rng_alg)
    return _dropped(x, rate, sampler, noise_shape)


def _written_out(arguments: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """A sampler that is not known by name: what it draws is then a call of its own, and settled as such."""
    sampler = arguments["uniform_sampler"]
    if not callable(sampler):
        raise OpError(f"`uniform_sampler` must be a function, not {sampler!r}", argument="uniform_sampler")
    return {"uniform_sampler": partial(sampler.__call__)} if isinstance(sampler, Op) else {}


@compose(
    "tf.nn.experimental.general_dropout",
    domains=(REAL, SHARE),
    dtypes=FLOATS,
    settle=_written_out,
    samples=(sample((2, 3), 0.3, uniform),),
    convention=CONVENTION,
)
def _general_dropout(
    x: Tensor, rate: Scalar, uniform_sampler: Any, noise_shape: Any = None, name: str | None = None
) -> Tensor:
    return _dropped(x, rate, uniform_sampler, noise_shape)
