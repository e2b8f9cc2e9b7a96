"""A spectrum with its zero frequency in the middle, and back."""

from __future__ import annotations

from typing import Any

from gradcheck.ops.declaration import ANY, REAL, OpError, compose, sample
from gradcheck.ops.shapes import as_shape, one_axis
from gradcheck.ops.vocabulary import tf
from gradcheck.tensors import Tensor

SAMPLES = (sample((2, 5)), sample((3, 4), axes=0), sample((2, 3, 2), (1, -1)), sample((3,), [0, 0]), sample((0, 3)))


def _rolled(op: str, x: Tensor, axes: Any, sign: int) -> Tensor:
    """`x` rolled by half of each axis, rounded down, forward or back."""
    if x.ndim == 0:
        raise OpError(f"`{op}` needs an axis, and a scalar has none", argument="x")
    named = range(x.ndim) if axes is None else as_shape(axes, "axes")
    places = [one_axis(each, x.ndim, "axes") for each in named]
    rolled: Tensor = tf.roll(x, [sign * (x.shape[each] // 2) for each in places], places)
    return rolled


@compose("tf.signal.fftshift", domains=(REAL,), dtypes=ANY, samples=SAMPLES)
def _fftshift(x: Tensor, axes: Any = None, name: str | None = None) -> Tensor:
    return _rolled("tf.signal.fftshift", x, axes, 1)


@compose("tf.signal.ifftshift", domains=(REAL,), dtypes=ANY, samples=SAMPLES)
def _ifftshift(x: Tensor, axes: Any = None, name: str | None = None) -> Tensor:
    return _rolled("tf.signal.ifftshift", x, axes, -1)
