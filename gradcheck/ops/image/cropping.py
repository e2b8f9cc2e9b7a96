"""Images cut out of others, or put on a larger ground."""

from __future__ import annotations

from typing import Any

from gradcheck.ops.declaration import ANY, REAL, OpError, compose, sample
from gradcheck.ops.shapes import as_float, as_int
from gradcheck.ops.vocabulary import tf
from gradcheck.program import Shape
from gradcheck.tensors import Tensor


def rows_and_columns(image: Tensor, name: str = "image") -> Shape:
    """The height and the width of an image, or of each of a batch; `OpError` if it is neither."""
    if image.ndim not in (3, 4):
        raise OpError(
            f"`{name}` must be an image of rank 3 or a batch of rank 4, not of shape {list(image.shape)}", argument=name
        )
    return image.shape[-3:-1]


def at_least_one(**sizes: Any) -> Shape:
    """Positive integers, by the names of their parameters."""
    return _at_least(1, sizes)


def _at_least(low: int, given: dict[str, Any]) -> Shape:
    found = {name: as_int(value, name) for name, value in given.items()}
    for name, value in found.items():
        if value < low:
            raise OpError(f"`{name}` must be at least {low}, not {value}", argument=name)
    return tuple(found.values())


def _checked(image: Tensor) -> Shape:
    """The height and the width of an image that is not empty."""
    sizes = rows_and_columns(image)
    if 0 in image.shape[-3:]:
        raise OpError(f"`image` of shape {list(image.shape)} is empty", argument="image")
    return sizes


def _cut(image: Tensor, begin: Shape, size: Shape) -> Tensor:
    """The rows and columns of that size from there on."""
    batch = image.shape[:-3]
    cut: Tensor = tf.slice(image, [0] * len(batch) + [*begin, 0], [*batch, *size, image.shape[-1]])
    return cut


@compose(
    "tf.image.crop_to_bounding_box",
    domains=(REAL,),
    dtypes=ANY,
    samples=(sample((2, 3, 4, 2), 1, 0, 2, 3), sample((3, 2, 1), 0, 1, 3, 1)),
)
def _crop(image: Tensor, offset_height: Any, offset_width: Any, target_height: Any, target_width: Any) -> Tensor:
    sizes = _checked(image)
    begin = _at_least(0, {"offset_height": offset_height, "offset_width": offset_width})
    target = at_least_one(target_height=target_height, target_width=target_width)
    for what, size, start, wanted in zip(("height", "width"), sizes, begin, target, strict=True):
        if start + wanted > size:
            raise OpError(f"{wanted} from {start} on reach beyond the {what} of {size}", argument=f"target_{what}")
    return _cut(image, begin, target)


@compose(
    "tf.image.central_crop",
    domains=(REAL,),
    dtypes=ANY,
    samples=(sample((2, 4, 5, 1), 0.5), sample((5, 2, 2), 0.34), sample((3, 3, 1), 1.0)),
    convention="as much is cut off on both sides, and never more than the fraction asks for",
)
def _central_crop(image: Tensor, central_fraction: Any) -> Tensor:
    fraction = as_float(central_fraction, "central_fraction")
    if not 0 < fraction <= 1:
        raise OpError(f"`central_fraction` must be above 0 and at most 1, not {fraction}", argument="central_fraction")
    sizes = rows_and_columns(image)
    if fraction == 1:
        return image
    begin = tuple(int((size - size * fraction) / 2) for size in sizes)
    return _cut(image, begin, tuple(size - 2 * start for size, start in zip(sizes, begin, strict=True)))


@compose(
    "tf.image.pad_to_bounding_box",
    domains=(REAL,),
    dtypes=ANY,
    samples=(sample((2, 2, 3, 1), 1, 0, 4, 4), sample((2, 2, 2), 0, 1, 2, 5)),
)
def _pad(image: Tensor, offset_height: Any, offset_width: Any, target_height: Any, target_width: Any) -> Tensor:
    sizes = _checked(image)
    begin = _at_least(0, {"offset_height": offset_height, "offset_width": offset_width})
    target = as_int(target_height, "target_height"), as_int(target_width, "target_width")
    after = [wanted - start - size for size, start, wanted in zip(sizes, begin, target, strict=True)]
    for what, size, rest in zip(("height", "width"), sizes, after, strict=True):
        if rest < 0:
            raise OpError(f"a {what} of {size} does not fit: {-rest} too many", argument=f"target_{what}")
    pads = [[start, rest] for start, rest in zip(begin, after, strict=True)]
    padded: Tensor = tf.pad(image, [[0, 0]] * (image.ndim - 3) + [*pads, [0, 0]])
    return padded


@compose(
    "tf.image.resize_with_crop_or_pad",
    domains=(REAL,),
    dtypes=ANY,
    samples=(sample((2, 4, 3, 1), 3, 6), sample((3, 4, 2), 6, 1), sample((1, 5, 3, 1), 2, 3)),
    convention="the odd one of the zeros goes behind, where the odd one of the pixels is cut off, too",
)
def _crop_or_pad(image: Tensor, target_height: Any, target_width: Any) -> Tensor:
    sizes = _checked(image)
    target = at_least_one(target_height=target_height, target_width=target_width)
    excess = [size - wanted for size, wanted in zip(sizes, target, strict=True)]
    begin = [max(each // 2, 0) for each in excess]
    before = [max(-each // 2, 0) for each in excess]
    inner = [min(size, wanted) for size, wanted in zip(sizes, target, strict=True)]
    cut = tf.image.crop_to_bounding_box(image, *begin, *inner)
    padded: Tensor = tf.image.pad_to_bounding_box(cut, *before, *target)
    return padded
