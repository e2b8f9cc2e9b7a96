"""Numbers scaled to integers of a few bits, rounded, and scaled back."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.dtypes import FLOAT32, FLOAT64, Array
from gradcheck.ops.declaration import Interval, OpError, compose, declare, sample
from gradcheck.ops.shapes import Typed, as_bool, as_int, one_axis
from gradcheck.ops.vocabulary import tf
from gradcheck.tensors import Tensor

SINGLE = (FLOAT32, FLOAT64)
INSIDE = Interval(-1.0, 1.0)
"""Numbers that are in the range between the ends with which the operations are tried."""


def _checked(
    input: Tensor,  # noqa: A002
    ends: dict[str, Tensor],
    signed_input: Any,
    num_bits: Any,
    range_given: Any,
    narrow_range: Any,
    axis: int | None,
) -> dict[str, Any]:
    """The attributes that all versions share; an `axis` of None stands for the whole tensor."""
    signed, bits = as_bool(signed_input, "signed_input"), as_int(num_bits, "num_bits")
    if not 1 <= bits <= 62 - signed:
        raise OpError(f"`num_bits` must be from 1 to {62 - signed}, not {bits}", argument="num_bits")
    _check_ends(input, ends, axis)
    return {
        "signed_input": signed,
        "num_bits": bits,
        "range_given": as_bool(range_given, "range_given"),
        "narrow_range": as_bool(narrow_range, "narrow_range"),
        "axis": axis,
    }


def _check_ends(input: Tensor, ends: dict[str, Tensor], axis: int | None) -> None:  # noqa: A002
    shape = () if axis is None else (input.shape[axis],)
    for name, end in ends.items():
        if end.shape != shape:
            raise OpError(f"`{name}` must have shape {list(shape)}, not {list(end.shape)}", argument=name)


def _along(values: Array, axis: int | None, ndim: int) -> Array:
    """One value for every entry of `axis`, ready to broadcast with a tensor of that rank."""
    sizes = () if axis is None else [-1 if at == axis else 1 for at in range(ndim)]
    placed: Array = values.reshape(sizes)
    return placed


def _quantized(
    x: Array,
    least: Array,
    most: Array,
    signed_input: bool,
    num_bits: int,
    range_given: bool,
    narrow_range: bool,
    axis: int | None,
    round_mode: str = "HALF_TO_EVEN",
) -> Array:
    if not x.size:
        return x
    others = tuple(at for at in range(x.ndim) if at != axis)
    if not range_given:
        least, most = x.min(others), x.max(others)
    if np.any(least > most):
        raise ValueError("`input_min` is larger than `input_max`")
    first = (narrow_range - 2 ** (num_bits - 1)) * signed_input
    last = 2 ** (num_bits - signed_input) - 1
    huge = np.finfo(x.dtype).max
    below = np.where(first * least > 0, first / least, huge)
    above = np.where(last * most > 0, last / most, huge)
    by_least = below < above  # the side that runs out of integers first decides the step
    scale = np.where(by_least, below, above).astype(x.dtype)
    step = np.where(by_least, least / np.asarray(first, x.dtype), most / np.asarray(last, x.dtype))
    if range_given:
        low = _along(np.where(by_least, least, first * step), axis, x.ndim)
        high = _along(np.where(by_least, last * step, most), axis, x.ndim)
        x = np.maximum(np.minimum(x, high), low)
    counted = x * _along(scale, axis, x.ndim)
    whole = np.floor(counted + x.dtype.type(0.5)) if round_mode == "HALF_UP" else np.rint(counted)
    found: Array = whole * _along(step, axis, x.ndim)
    return found


def _edges(x: Array, least: Array, most: Array, axis: int | None, **_: Any) -> Array:
    """How far each number is from the ends of its range; the steps between are too small to be seen."""
    nearest: Array = np.minimum(np.abs(x - _along(least, axis, x.ndim)), np.abs(x - _along(most, axis, x.ndim)))
    return nearest


def _straight(g: Tensor, y: Tensor, *inputs: Tensor, **given: Any) -> Tensor:
    return g


def _inside(
    g: Tensor, y: Tensor, x: Tensor, least: Tensor, most: Tensor, axis: int | None, **given: Any
) -> list[Tensor | None]:
    found: list[Tensor | None] = tf.raw_ops.QuantizeAndDequantizeV4Grad(g, x, least, most, _raw(axis))
    return found


def _raw(axis: int | None) -> int:
    """An axis as a raw operation takes it: -1 stands for the whole tensor."""
    return -1 if axis is None else axis


def _from_raw(axis: Any, x: Tensor) -> int | None:
    at = as_int(axis, "axis")
    if not -1 <= at < x.ndim:
        raise OpError(f"`axis` {at} is outside a tensor of rank {x.ndim}", argument="axis")
    return None if at == -1 else at


FINE = 45
"""So many bits that the steps are too small for differences to see them."""
LOWS, HIGHS = np.array([-2.0, -1.25, -1.5]), np.array([1.25, 2.5, 1.75])
LOW, HIGH = np.array(-2.0), np.array(1.25)
SAMPLES = (
    sample((2, 3), LOW, HIGH, num_bits=FINE, range_given=True),
    sample((2, 3), LOW, HIGH, False, FINE),
    sample((2, 3), LOW, HIGH, num_bits=FINE, round_mode="HALF_UP", narrow_range=True),
    sample((2, 3), LOWS, HIGHS, num_bits=FINE, axis=-1),
    sample((0, 2), LOW, HIGH),
)
STRAIGHT = "rounding counts as the identity, which it is in the limit of many bits"


def _public(name: str, convention: str, **rule: Any) -> None:
    def function(
        input: Tensor,  # noqa: A002
        input_min: Tensor,
        input_max: Tensor,
        signed_input: Any = True,
        num_bits: Any = 8,
        range_given: Any = False,
        round_mode: Any = "HALF_TO_EVEN",
        name: str | None = None,
        narrow_range: Any = False,
        axis: Any = None,
    ) -> Typed:
        if round_mode not in ("HALF_TO_EVEN", "HALF_UP"):
            raise OpError(
                f"`round_mode` must be 'HALF_TO_EVEN' or 'HALF_UP', not {round_mode!r}", argument="round_mode"
            )
        if axis is not None and range_given:
            raise OpError("TensorFlow takes no `axis` where the range is given", argument="axis")
        at = None if axis is None else one_axis(axis, input.ndim)
        ends = {"input_min": input_min, "input_max": input_max}
        given = _checked(input, ends, signed_input, num_bits, range_given, narrow_range, at)
        return input.type, {**given, "round_mode": round_mode}

    declare(
        f"tf.quantization.{name}",
        function,
        forward=_quantized,
        domains=(INSIDE,),
        dtypes=SINGLE,
        kink=_edges,
        samples=SAMPLES,
        source=STRAIGHT,
        convention=convention,
        **rule,
    )


EVERYWHERE = "straight through everywhere, also outside of the range, whose ends are not connected"
WITHIN = (
    "straight through from `input_min` to `input_max`, also where these do not give the range; connected with 0 to them"
)
_public("quantize_and_dequantize", EVERYWHERE, vjp=(_straight, None, None))
_public("quantize_and_dequantize_v2", f"{WITHIN}; TensorFlow's second derivative fails", joint_vjp=_inside)


def _third(
    input: Tensor,  # noqa: A002
    input_min: Tensor,
    input_max: Tensor,
    num_bits: Any,
    signed_input: Any = True,
    range_given: Any = True,
    narrow_range: Any = False,
    axis: Any = -1,
    name: str | None = None,
) -> Typed:
    ends = {"input_min": input_min, "input_max": input_max}
    return input.type, _checked(input, ends, signed_input, num_bits, range_given, narrow_range, _from_raw(axis, input))


declare(
    "tf.raw_ops.QuantizeAndDequantizeV3",
    _third,
    forward=_quantized,
    vjp=(_straight, None, None),
    domains=(INSIDE,),
    dtypes=SINGLE,
    kink=_edges,
    samples=(
        sample((2, 3), LOW, HIGH, FINE),
        sample((2, 3), LOWS[:2], HIGHS[:2], FINE, False, False, axis=0),
    ),
    source=STRAIGHT,
    convention=EVERYWHERE,
)


@compose(
    "tf.raw_ops.QuantizeAndDequantizeV4Grad",
    domains=(),
    dtypes=SINGLE,
    several=True,
    samples=(sample((2, 3), (2, 3), LOW, HIGH), sample((2, 3), (2, 3), LOWS, HIGHS, axis=1)),
    convention="TensorFlow's own gradient of it fails",
)
def _gradient(
    gradients: Tensor,
    input: Tensor,  # noqa: A002
    input_min: Tensor,
    input_max: Tensor,
    axis: Any = -1,
    name: str | None = None,
) -> list[Tensor]:
    if gradients.shape != input.shape:
        raise OpError(
            f"`gradients` must have the shape {list(input.shape)} of `input`, not {list(gradients.shape)}",
            argument="gradients",
        )
    at = _from_raw(axis, input)
    _check_ends(input, {"input_min": input_min, "input_max": input_max}, at)
    sizes = () if at is None else [-1 if each == at else 1 for each in range(input.ndim)]
    low, high = tf.reshape(input_min, sizes), tf.reshape(input_max, sizes)
    inside = tf.logical_and(input >= low, input <= high)
    passed: Tensor = tf.where(inside, gradients, tf.zeros_like(gradients))
    return [passed, tf.zeros_like(input_min), tf.zeros_like(input_max)]
