"""Batch normalisation in one operation, and its gradient, which is an operation of TensorFlow too."""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

import numpy as np

from gradcheck.dtypes import BFLOAT16, FLOAT16, FLOAT32, Array
from gradcheck.ops.declaration import POSITIVE, REAL, Cast, OpError, compose, sample
from gradcheck.ops.shapes import as_bool, as_float
from gradcheck.ops.vocabulary import tf
from gradcheck.program import Shape
from gradcheck.tensors import Tensor

FORWARD, GRADIENT = "tf.raw_ops.FusedBatchNormV3", "tf.raw_ops.FusedBatchNormGradV3"
DTYPES = (FLOAT16, BFLOAT16, FLOAT32)
FORMATS = {4: ("NHWC", "NCHW"), 5: ("NDHWC", "NCDHW")}
KEPT = "what TensorFlow's kernels keep for themselves, which depends on the machine, is None"


class Layout(NamedTuple):
    """Where the channels of an image are."""

    channels: int
    others: tuple[int, ...]
    shape: Shape
    """What a row of one number for each channel is lined up in."""
    size: int
    """How many numbers each channel has."""

    def lined_up(self, row: Tensor) -> Tensor:
        found: Tensor = tf.reshape(row, self.shape)
        return found

    def total(self, x: Tensor) -> Tensor:
        """The sum of each channel, as a row."""
        found: Tensor = tf.reduce_sum(x, axis=self.others)
        return found

    def moments(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The mean of each channel and its variance, divided by their number, as rows."""
        mean = tf.reduce_mean(x, axis=self.others)
        return mean, tf.reduce_mean(tf.math.squared_difference(x, self.lined_up(mean)), axis=self.others)


def _layout(op: str, x: Tensor, data_format: Any) -> Layout:
    if x.ndim not in FORMATS:
        raise OpError(f"`{op}` takes `x` of rank 4 or 5, not of shape {list(x.shape)}", argument="x")
    last, first = FORMATS[x.ndim]
    if data_format not in (last, first):
        message = f"`data_format` is `{last}` or `{first}` for rank {x.ndim}, not {data_format!r}"
        raise OpError(message, argument="data_format")
    channel = x.ndim - 1 if data_format == last else 1
    others = tuple(axis for axis in range(x.ndim) if axis != channel)
    shape = tuple(size if axis == channel else 1 for axis, size in enumerate(x.shape))
    return Layout(x.shape[channel], others, shape, prod(x.shape[axis] for axis in others))


def _check_rows(op: str, layout: Layout | None, **rows: Tensor) -> None:
    """Refuse rows that are not float32, or have not one number for each channel of the `layout`."""
    for name, row in rows.items():
        if row.dtype != FLOAT32:
            raise OpError(
                f"`{op}`: `{name}` must be float32, also beside a narrower `x`, not {row.dtype.name}",
                argument=name,
                help="convert it with `tf.cast(…, tf.float32)`",
            )
        if row.ndim != 1 or (layout is not None and row.shape[0] != layout.channels):
            wanted = "must be a row" if layout is None else f"must have shape {[layout.channels]}"
            raise OpError(f"`{op}`: `{name}` {wanted}, not shape {list(row.shape)}", argument=name)


_IMAGE = np.array([3, -1, 4, 1.5, -5, 9, 2, 6.5, -3.5, 5, 8, -9.5]) / 4
_SCALE, _OFFSET, _MEAN, _VARIANCE = np.array([[1.5, -0.5], [0.25, 1.0], [-0.5, 0.75], [2.0, 0.5]], FLOAT32)
_NOTHING = _MEAN[:0]


@compose(
    FORWARD,
    domains=(REAL, REAL, REAL, REAL, POSITIVE),
    dtypes=DTYPES,
    several=True,
    samples=(
        sample((2, 1, 3, 2), _SCALE, _OFFSET, _NOTHING, _NOTHING),
        sample((2, 2, 1, 3), _SCALE, _OFFSET, _MEAN, _VARIANCE, 0.01, 0.25, "NCHW"),
        sample((1, 1, 3, 2), _SCALE, _OFFSET, _MEAN, _VARIANCE, is_training=False),
        sample((1, 2, 1, 2, 1), _SCALE, _OFFSET, _MEAN, _VARIANCE, 0.1, 0.5, "NCDHW", False),
        sample((1, 1, 1, 2), _SCALE, _OFFSET, _NOTHING, _NOTHING),
    ),
    convention="the statistics that it gives are constants, connected with 0; none flows to `mean` and `variance`, in "
    f"training or not; the variance that is averaged is divided by n - 1, that in reserve by n; {KEPT}: "
    "`reserve_space_3`, and all three if not in training",
)
def _fused_batch_norm(
    x: Tensor,
    scale: Cast,
    offset: Cast,
    mean: Cast,
    variance: Cast,
    epsilon: Any = 0.0001,
    exponential_avg_factor: Any = 1,
    data_format: Any = "NHWC",
    is_training: Any = True,
    name: str | None = None,
) -> list[Tensor | None]:
    """Ioffe and Szegedy 2015, algorithm 1."""
    layout = _layout(FORWARD, x, data_format)
    epsilon, share = as_float(epsilon, "epsilon"), as_float(exponential_avg_factor, "exponential_avg_factor")
    training = as_bool(is_training, "is_training")
    _check_rows(FORWARD, layout, scale=scale, offset=offset)
    _check_rows(FORWARD, None if training and share == 1 else layout, mean=mean, variance=variance)
    wide = tf.cast(x, FLOAT32)
    if training:
        used_mean, used_variance = layout.moments(wide)
        given_mean, given_variance = used_mean, used_variance * (layout.size / max(layout.size - 1, 1))
        if share != 1:
            given_mean = (1 - share) * mean + share * given_mean
            given_variance = (1 - share) * variance + share * given_variance
    else:
        given_mean, given_variance = used_mean, used_variance = tf.stop_gradient(mean), tf.stop_gradient(variance)
    factor = layout.lined_up(scale * tf.math.rsqrt(used_variance + epsilon))
    y = (wide - layout.lined_up(used_mean)) * factor + layout.lined_up(offset)
    connected = layout.total(y)
    given, kept = (given_mean, given_variance), (used_mean, used_variance)
    shown = [tf.where(False, connected, tf.stop_gradient(each)) for each in (given + kept if training else given)]
    return [tf.cast(y, x.dtype), *shown, *[None] * (5 - len(shown))]


def _statistics(image: Array, axes: tuple[int, ...]) -> tuple[Array, Array]:
    return image.mean(axes).astype(FLOAT32), image.var(axes).astype(FLOAT32)


_FLAT, _DEEP = _IMAGE.reshape(1, 2, 3, 2), _IMAGE.reshape(2, 3, 1, 1, 2)


@compose(
    GRADIENT,
    domains=(REAL, REAL, REAL, REAL, POSITIVE),
    dtypes=DTYPES,
    several=True,
    samples=(
        sample(_FLAT.shape, _FLAT, _SCALE, *_statistics(_FLAT, (0, 1, 2)), _NOTHING, epsilon=0.01),
        sample(_FLAT.shape, _FLAT, _SCALE, *_statistics(_FLAT, (0, 2, 3)), _NOTHING, data_format="NCHW"),
        sample(_DEEP.shape, _DEEP, _SCALE, *_statistics(_DEEP, (0, 1, 2, 3)), _NOTHING, 0.1, "NDHWC"),
        sample((1, 2, 3, 2), (1, 2, 3, 2), _SCALE, _MEAN, _VARIANCE, _NOTHING, is_training=False),
    ),
    errata=("second order",),
    convention="in training the statistics in reserve are taken to be those of `x`, and change with it; else nothing "
    "flows to them, where TensorFlow's second derivatives do; those hold the mean that is in the variance; "
    f"{KEPT}",
)
def _fused_batch_norm_grad(
    y_backprop: Tensor,
    x: Tensor,
    scale: Cast,
    reserve_space_1: Cast,
    reserve_space_2: Cast,
    reserve_space_3: Cast,
    epsilon: Any = 0.0001,
    data_format: Any = "NHWC",
    is_training: Any = True,
    name: str | None = None,
) -> list[Tensor | None]:
    """Ioffe and Szegedy 2015, section 3, with the sums over the batch taken together."""
    layout = _layout(GRADIENT, x, data_format)
    epsilon, training = as_float(epsilon, "epsilon"), as_bool(is_training, "is_training")
    if y_backprop.shape != x.shape:
        raise OpError(
            f"`{GRADIENT}`: `y_backprop` must have shape {list(x.shape)}, not {list(y_backprop.shape)}",
            argument="y_backprop",
        )
    rows = {"scale": scale, "reserve_space_1": reserve_space_1, "reserve_space_2": reserve_space_2}
    _check_rows(GRADIENT, layout, **rows)
    g, wide = tf.cast(y_backprop, FLOAT32), tf.cast(x, FLOAT32)
    mean, variance = tf.stop_gradient(reserve_space_1), tf.stop_gradient(reserve_space_2)
    if training:
        its_mean, its_variance = layout.moments(wide)
        mean, variance = _moving(mean, its_mean), _moving(variance, its_variance)
    inverse = layout.lined_up(tf.math.rsqrt(variance + epsilon))
    normal = (wide - layout.lined_up(mean)) * inverse
    toward_scale, toward_offset = layout.total(g * normal), layout.total(g)
    passed = g
    if training:
        passed -= layout.lined_up(toward_offset / layout.size)
        passed -= normal * layout.lined_up(toward_scale / layout.size)
    toward_x = tf.cast(passed * (layout.lined_up(scale) * inverse), x.dtype)
    return [toward_x, toward_scale, toward_offset, None, None]


def _moving(value: Tensor, like: Tensor) -> Tensor:
    """A value that changes as `like` does."""
    moving: Tensor = like + tf.stop_gradient(value - like)
    return moving
