"""Numbers rounded, in training, as narrow integers would round them; and what a gradient makes of that."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from gradcheck.dtypes import FLOAT32, Array
from gradcheck.ops.declaration import Interval, Op, OpError, Sample, conceal, declare, sample
from gradcheck.ops.shapes import Typed, as_bool, as_float, as_int
from gradcheck.ops.vocabulary import tf
from gradcheck.tensors import Tensor

INSIDE, BELOW, ABOVE = Interval(-1.0, 1.0), Interval(-3.0, -1.5), Interval(1.5, 3.0)
"""Numbers, and where the least and the largest that count may be."""
STRAIGHT = "straight through: rounding counts as the identity"


class Grid(NamedTuple):
    """The numbers that remain: from `low` to `high` in steps of `scale`."""

    low: Array
    high: Array
    scale: Array


def _grid(least: Array, most: Array, num_bits: int, narrow_range: bool) -> Grid:
    """The range from `least` to `most`, moved so that 0 is one of the numbers that remain.

    In float32, step by step as in TensorFlow's kernel, because which numbers lie inside depends on the last bit.
    """
    first, last = np.float32(narrow_range), np.float32(2**num_bits - 1)
    scale = (most - least) / (last - first)
    zero = first - least / scale
    nudged = np.where(zero < first, first, np.where(zero > last, last, np.floor(zero + np.float32(0.5))))
    empty, whole = (least == 0) & (most == 0), np.float32(np.inf)  # where everything becomes 0 but counts as inside
    low, high = (first - nudged) * scale, (last - nudged) * scale
    return Grid(np.where(empty, -whole, low), np.where(empty, whole, high), scale)


def _on_grid(x: Array, grid: Grid) -> Array:
    half = np.float32(0.5)
    zero = np.floor(-grid.low / grid.scale + half)
    shifted = np.maximum(np.minimum(x, grid.high), grid.low) - grid.low
    found = np.floor(shifted / grid.scale - zero + half) * grid.scale
    return np.where(grid.scale == 0, np.zeros_like(x), found)


def _width(num_bits: Any, narrow_range: Any) -> dict[str, Any]:
    bits = as_int(num_bits, "num_bits")
    if not 2 <= bits <= 16:
        raise OpError(f"`num_bits` must be from 2 to 16, not {bits}", argument="num_bits")
    return {"num_bits": bits, "narrow_range": as_bool(narrow_range, "narrow_range")}


def _ends_type(min: Tensor, max: Tensor, num_bits: Any, narrow_range: Any) -> Any:  # noqa: A002
    return [min.type, max.type], {"num_bits": num_bits, "narrow_range": narrow_range}


ENDS = conceal(
    Op(
        name="fake_quantization.ends",
        function=_ends_type,
        family="fake_quantization",
        domains=(),
        forward=lambda least, most, **width: list(_grid(least, most, **width)[:2]),
        dtypes=(FLOAT32,),
        several=True,
        source="the least and the largest of the numbers that remain",
    )
)
"""Where a range ends once 0 is on its grid: no gradient flows to it."""


def _split(g: Tensor, x: Tensor, low: Tensor, high: Tensor) -> list[Tensor]:
    """The part of a cotangent whose numbers are inside, below and above."""
    none = tf.zeros_like(g)
    below, above = x < low, x > high
    inside = tf.logical_and(x >= low, x <= high)
    return [tf.where(inside, g, none), tf.where(below, g, none), tf.where(above, g, none)]


def _through(g: Tensor, x: Tensor, least: Tensor, most: Tensor, width: dict[str, Any]) -> list[Tensor]:
    """The cotangents of the numbers, and of the ends of their range, from that of what they are rounded to."""
    inside, below, above = _split(g, x, *ENDS(least, most, **width))
    others = list(range(g.ndim - least.ndim))
    return [inside, tf.reduce_sum(below, others), tf.reduce_sum(above, others)]


def _by_numbers_type(
    inputs: Tensor,
    min: Any = -6,  # noqa: A002
    max: Any = 6,  # noqa: A002
    num_bits: Any = 8,
    narrow_range: Any = False,
    name: str | None = None,
) -> Typed:
    least, most = as_float(min, "min"), as_float(max, "max")
    if not least < most:
        raise OpError(f"`min` must be smaller than `max`, but {least:g} >= {most:g}", argument="min")
    return inputs.type, {"min": least, "max": most, **_width(num_bits, narrow_range)}


def _by_numbers_gradient_type(
    gradients: Tensor,
    inputs: Tensor,
    min: Any = -6,  # noqa: A002
    max: Any = 6,  # noqa: A002
    num_bits: Any = 8,
    narrow_range: Any = False,
    name: str | None = None,
) -> Typed:
    _same_shape(gradients, inputs)
    return _by_numbers_type(inputs, min, max, num_bits, narrow_range)


def _same_shape(gradients: Tensor, inputs: Tensor) -> None:
    if gradients.shape != inputs.shape:
        raise OpError(
            f"`gradients` must have the shape {list(inputs.shape)} of `inputs`, not {list(gradients.shape)}",
            argument="gradients",
        )


def _by_tensors_type(
    inputs: Tensor,
    min: Tensor,  # noqa: A002
    max: Tensor,  # noqa: A002
    num_bits: Any = 8,
    narrow_range: Any = False,
    name: str | None = None,
) -> Typed:
    for each, tensor in (("min", min), ("max", max)):
        if tensor.ndim:
            raise OpError(f"`{each}` must be a scalar, not of shape {list(tensor.shape)}", argument=each)
    return inputs.type, _width(num_bits, narrow_range)


def _by_channels_type(
    inputs: Tensor,
    min: Tensor,  # noqa: A002
    max: Tensor,  # noqa: A002
    num_bits: Any = 8,
    narrow_range: Any = False,
    name: str | None = None,
) -> Typed:
    if not inputs.ndim:
        raise OpError("`inputs` need an axis of channels, and a scalar has none", argument="inputs")
    for each, tensor in (("min", min), ("max", max)):
        if tensor.shape != inputs.shape[-1:]:
            wanted = list(inputs.shape[-1:])
            raise OpError(f"`{each}` must have shape {wanted}, not {list(tensor.shape)}", argument=each)
    return inputs.type, _width(num_bits, narrow_range)


def _gradient_of(function: Any) -> Any:
    """The function of the gradient of an operation that takes the ends of the range as tensors."""

    def gradient(
        gradients: Tensor,
        inputs: Tensor,
        min: Tensor,  # noqa: A002
        max: Tensor,  # noqa: A002
        num_bits: Any = 8,
        narrow_range: Any = False,
        name: str | None = None,
    ) -> Any:
        _same_shape(gradients, inputs)
        type_, width = function(inputs, min, max, num_bits, narrow_range)
        return [type_, min.type, max.type], width

    return gradient


def _edges(x: Array, grid: Grid) -> Array:
    """How far each number is from where it would be rounded to the next one, in steps."""
    steps = (x - grid.low) / grid.scale
    nearest = np.abs(steps - np.floor(steps) - 0.5)
    within = (x > grid.low - grid.scale) & (x < grid.high + grid.scale)
    return np.where(within, nearest, 1.0)


FAKE = "tf.quantization.fake_quant_with_min_max_"
NUDGED = f"{STRAIGHT} from the least to the largest number that remains, once the range is moved to have 0 among them"
TO_THE_ENDS = "the ends of the range receive what lies beyond them"
COARSE: dict[str, tuple[Sample, ...]] = {
    "args": (sample((2, 3), -1.5, 1.2), sample((4,), min=-0.5, max=0.25, num_bits=4, narrow_range=True), sample((0,))),
    "vars": (
        sample((2, 3), (), ()),
        sample((8,), np.array(-0.5), np.array(0.4), num_bits=3, narrow_range=True),
        sample((0, 2), (), ()),
    ),
    "vars_per_channel": (
        sample((2, 3), (3,), (3,)),
        sample((4, 1, 2), np.array([-0.5, -0.3]), np.array([0.4, 0.1]), num_bits=4, narrow_range=True),
        sample((2,), (2,), (2,)),
    ),
}


def _beside(samples: tuple[Sample, ...]) -> tuple[Sample, ...]:
    """The same with a cotangent in front."""
    return tuple(Sample((each.arguments[0], *each.arguments), each.keywords) for each in samples)


def _given(min: float, max: float, **width: Any) -> Grid:  # noqa: A002
    return _grid(np.asarray(min, FLOAT32), np.asarray(max, FLOAT32), **width)


def _inside(g: Tensor, y: Tensor, x: Tensor, **given: Any) -> Tensor:
    low, high, _ = (x.context.constant(np.asarray(each)) for each in _given(**given))
    return _split(g, x, low, high)[0]


def _back(g: Array, x: Array, grid: Grid) -> list[Array]:
    """What is inside, below and above, as it is in a cotangent."""
    inside = (x >= grid.low) & (x <= grid.high)
    return [np.where(each, g, 0).astype(g.dtype) for each in (inside, x < grid.low, x > grid.high)]


declare(
    f"{FAKE}args",
    _by_numbers_type,
    forward=lambda x, **given: _on_grid(x, _given(**given)),
    vjp=(_inside,),
    domains=(INSIDE,),
    dtypes=(FLOAT32,),
    kink=lambda x, **given: _edges(x, _given(**given)),
    samples=COARSE["args"],
    source=f"{STRAIGHT} inside the range, and constant outside",
    convention=f"{NUDGED}; TensorFlow has no second derivative",
)
declare(
    f"{FAKE}args_gradient",
    _by_numbers_gradient_type,
    forward=lambda g, x, **given: _back(g, x, _given(**given))[0],
    vjp=(None, None),
    domains=(),
    dtypes=(FLOAT32,),
    samples=_beside(COARSE["args"]),
    convention="not connected",
)


def _ends_back(g: Array, x: Array, least: Array, most: Array, **width: Any) -> list[Array]:
    inside, *outside = _back(g, x, _grid(least, most, **width))
    others = tuple(range(x.ndim - np.ndim(least)))
    return [inside, *(np.asarray(each.sum(others)) for each in outside)]


for kind, function in (("vars", _by_tensors_type), ("vars_per_channel", _by_channels_type)):
    declare(
        f"{FAKE}{kind}",
        function,
        forward=lambda x, least, most, **width: _on_grid(x, _grid(least, most, **width)),
        joint_vjp=lambda g, y, x, least, most, **width: _through(g, x, least, most, width),
        domains=(INSIDE, BELOW, ABOVE),
        dtypes=(FLOAT32,),
        kink=lambda x, least, most, **width: _edges(x, _grid(least, most, **width)),
        samples=COARSE[kind],
        source=f"{STRAIGHT} inside the range, whose ends are the value outside",
        convention=f"{NUDGED}; {TO_THE_ENDS}; TensorFlow has no second derivative",
    )
    declare(
        f"{FAKE}{kind}_gradient",
        _gradient_of(function),
        forward=_ends_back,
        vjp=(None, None, None, None),
        several=True,
        domains=(),
        dtypes=(FLOAT32,),
        samples=_beside(COARSE[kind]),
        convention="not connected",
    )
