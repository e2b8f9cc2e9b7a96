"""Images cropped, turned and brightened at random."""

from __future__ import annotations

from functools import partial
from math import prod
from typing import Any

import numpy as np

from gradcheck.dtypes import FLOAT32, FLOATS, INT32
from gradcheck.ops.declaration import NUMERIC, REAL, OpError, compose, sample
from gradcheck.ops.image.adjusting import SINGLE
from gradcheck.ops.image.turning import check_image
from gradcheck.ops.random.dropout import Sampler
from gradcheck.ops.random.seeds import Kernel, settling
from gradcheck.ops.random.stateful import uniform
from gradcheck.ops.shapes import as_float, as_row
from gradcheck.ops.vocabulary import tf
from gradcheck.tensors import Tensor

ORDER = "what is drawn decides where elements go: the gradient goes back the same way"
LARGEST = int(np.iinfo(np.int32).max)


def _cropped(value: Tensor, size: Any, sampler: Sampler) -> Tensor:
    sizes = as_row(size, "size")
    if len(sizes) != value.ndim or any(not 0 <= part <= all_ for part, all_ in zip(sizes, value.shape, strict=True)):
        raise OpError(f"no part of size {list(sizes)} can be cut from shape {list(value.shape)}", argument="size")
    limits = [all_ - part + 1 for part, all_ in zip(sizes, value.shape, strict=True)]
    begin = sampler(shape=[value.ndim], minval=0, maxval=LARGEST, dtype=INT32) % limits
    part: Tensor = tf.slice(value, begin, sizes)
    return part


def _flipped(image: Tensor, axis: int, sampler: Sampler) -> Tensor:
    """An image turned over if its number says so, or each one of a batch."""
    check_image(image)
    if image.ndim > 4:
        raise OpError(f"one image has rank 3 and a batch rank 4, not shape {list(image.shape)}", argument="image")
    over = tf.reverse(image, [image.ndim - 3 + axis])
    drawn = sampler(shape=image.shape[:-3], minval=0.0, maxval=1.0)
    if image.ndim == 3:
        chosen: Tensor = tf.where(drawn < 0.5, over, image)
        return chosen
    flips = tf.cast(tf.round(tf.reshape(drawn, [-1, 1, 1, 1])), image.dtype)
    mixed: Tensor = flips * over + (1 - flips) * image
    return mixed


def _brightened(image: Tensor, max_delta: Any, sampler: Sampler) -> Tensor:
    most = as_float(max_delta, "max_delta")
    if most < 0:
        raise OpError(f"`max_delta` {most} is negative", argument="max_delta")
    bright: Tensor = tf.image.adjust_brightness(image, sampler(shape=[], minval=-most, maxval=most))
    return bright


@compose(
    "tf.image.random_crop",
    domains=(REAL,),
    dtypes=NUMERIC,
    settle=settling(lambda value, **_: Kernel("RandomUniformInt", INT32, value.ndim)),
    samples=(sample((4, 3, 2), [2, 2, 2], seed=1), sample((2, 5), [2, 2])),
    convention=ORDER,
)
def _random_crop(value: Tensor, size: Any, seed: Any = None, name: str | None = None) -> Tensor:
    return _cropped(value, size, partial(uniform, seed=seed))


@compose(
    "tf.image.stateless_random_crop",
    domains=(REAL,),
    dtypes=NUMERIC,
    samples=(sample((4, 3, 2), [2, 2, 2], [1, 2]), sample((2, 5), [2, 2], [3, 4])),
    convention=ORDER,
)
def _stateless_crop(value: Tensor, size: Any, seed: Any, name: str | None = None) -> Tensor:
    return _cropped(value, size, partial(tf.random.stateless_uniform, seed=seed))


@compose(
    "tf.image.random_brightness",
    domains=(REAL,),
    dtypes=FLOATS,
    settle=settling(lambda **_: Kernel("RandomUniform", FLOAT32, 1)),
    samples=(sample((2, 2, 3), 0.2, seed=1), sample((1, 2, 2, 1), 0.2)),
    convention=SINGLE,
)
def _random_brightness(image: Tensor, max_delta: Any, seed: Any = None) -> Tensor:
    return _brightened(image, max_delta, partial(uniform, seed=seed))


@compose(
    "tf.image.stateless_random_brightness",
    domains=(REAL,),
    dtypes=FLOATS,
    samples=(sample((2, 2, 3), 0.2, [1, 2]),),
    convention=SINGLE,
)
def _stateless_brightness(image: Tensor, max_delta: Any, seed: Any) -> Tensor:
    return _brightened(image, max_delta, partial(tf.random.stateless_uniform, seed=seed))


def _flips(direction: str, axis: int) -> None:
    def kernel(image: Tensor, **_: Any) -> Kernel:
        return Kernel("RandomUniform", FLOAT32, prod(image.shape[:-3]))

    @compose(
        f"tf.image.random_flip_{direction}",
        domains=(REAL,),
        dtypes=NUMERIC,
        settle=settling(kernel),
        samples=(sample((3, 3, 1), seed=1), sample((4, 2, 2, 1))),
        convention=ORDER,
    )
    def random_flip(image: Tensor, seed: Any = None) -> Tensor:
        return _flipped(image, axis, partial(uniform, seed=seed))

    @compose(
        f"tf.image.stateless_random_flip_{direction}",
        domains=(REAL,),
        dtypes=NUMERIC,
        samples=(sample((3, 3, 1), [1, 2]), sample((4, 2, 2, 1), [1, 2])),
        convention=ORDER,
    )
    def stateless_flip(image: Tensor, seed: Any) -> Tensor:
        return _flipped(image, axis, partial(tf.random.stateless_uniform, seed=seed))


_flips("up_down", 0)
_flips("left_right", 1)
