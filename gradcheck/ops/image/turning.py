"""Images mirrored and turned by right angles."""

from __future__ import annotations

from typing import Any

from gradcheck.ops.declaration import ANY, REAL, OpError, compose, sample
from gradcheck.ops.shapes import as_int
from gradcheck.ops.vocabulary import tf
from gradcheck.tensors import Tensor

SAMPLES = (sample((2, 3, 2)), sample((2, 1, 3, 1)), sample((0, 2, 3, 2)))


def check_image(image: Tensor, parameter: str = "image") -> None:
    """Raise `OpError` unless there are a height, a width and channels, and none of them is 0."""
    if image.ndim < 3 or 0 in image.shape[-3:]:
        raise OpError(
            f"an image has a height, a width and channels, none of them 0; this one has shape {list(image.shape)}",
            argument=parameter,
        )


def _height_axis(image: Tensor) -> int:
    """Where the height is, in one image or a batch of them; the width is behind it."""
    check_image(image)
    if image.ndim > 4:
        raise OpError(f"one image has rank 3 and a batch rank 4, not shape {list(image.shape)}", argument="image")
    return image.ndim - 3


def _mirrored(image: Tensor, axis: int) -> Tensor:
    mirrored: Tensor = tf.reverse(image, [axis])
    return mirrored


def _transposed(image: Tensor) -> Tensor:
    height = _height_axis(image)
    transposed: Tensor = tf.transpose(image, [*range(height), height + 1, height, height + 2])
    return transposed


@compose("tf.image.flip_left_right", domains=(REAL,), dtypes=ANY, samples=SAMPLES)
def _flip_left_right(image: Tensor) -> Tensor:
    return _mirrored(image, _height_axis(image) + 1)


@compose("tf.image.flip_up_down", domains=(REAL,), dtypes=ANY, samples=SAMPLES)
def _flip_up_down(image: Tensor) -> Tensor:
    return _mirrored(image, _height_axis(image))


@compose("tf.image.transpose", domains=(REAL,), dtypes=ANY, samples=SAMPLES)
def _transpose(image: Tensor, name: str | None = None) -> Tensor:
    return _transposed(image)


@compose(
    "tf.image.rot90",
    domains=(REAL,),
    dtypes=ANY,
    samples=(sample((2, 3, 2)), sample((1, 2, 3, 1), 2), sample((2, 3, 1), -1), sample((0, 2, 3, 2), k=4)),
)
def _rot90(image: Tensor, k: Any = 1, name: str | None = None) -> Tensor:
    height, turns = _height_axis(image), as_int(k, "k") % 4
    if turns == 0:
        same: Tensor = tf.identity(image)
        return same
    if turns == 1:
        return _transposed(_mirrored(image, height + 1))
    if turns == 2:
        return _mirrored(_mirrored(image, height), height + 1)
    return _mirrored(_transposed(image), height + 1)
