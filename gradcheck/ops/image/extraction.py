"""Windows of images and volumes, each laid out as the channels of one pixel."""

from __future__ import annotations

from math import prod
from typing import Any

from gradcheck.dtypes import Array
from gradcheck.ops.declaration import INEXACT, NUMERIC, REAL, REALS, Op, OpError, conceal, declare, sample
from gradcheck.ops.nn.patches import overlapped, patches
from gradcheck.ops.nn.windows import Axis, sliding, spatial
from gradcheck.ops.shapes import Typed, as_row, sum_rounding
from gradcheck.ops.vocabulary import tf
from gradcheck.program import Shape, TensorType
from gradcheck.tensors import Tensor


def _windows(shape: Shape, ksizes: Any, strides: Any, rates: Any, padding: Any, name: str = "ksizes") -> list[Axis]:
    """Where the windows lie; `OpError` for a call that TensorFlow refuses."""
    rank = len(shape) - 2
    for parameter, value in ((name, ksizes), ("strides", strides), ("rates", rates)):
        if len(as_row(value, parameter)) != rank + 2:
            raise OpError(f"`{parameter}` must have {rank + 2} numbers, not {len(value)}", argument=parameter)
    call = sliding(rank, strides, padding, dilations=rates, explicit=False)
    return list(call.axes(shape[1:-1], spatial(ksizes, rank, False, name)))


def _result(x: Tensor, axes: list[Axis], given: dict[str, Any]) -> Typed:
    depth = prod(each.kernel for each in axes) * x.shape[-1]
    return TensorType((x.shape[0], *(each.windows for each in axes), depth), x.dtype), given


def _check_rank(x: Tensor, rank: int, op: str, name: str) -> None:
    if x.ndim != rank + 2:
        raise OpError(f"`{op}` takes a tensor of rank {rank + 2}, not of shape {list(x.shape)}", argument=name)


def _extract_patches(
    images: Tensor, sizes: Any, strides: Any, rates: Any, padding: Any, name: str | None = None
) -> Typed:
    _check_rank(images, 2, "tf.image.extract_patches", "images")
    axes = _windows(images.shape, sizes, strides, rates, padding, "sizes")
    return _result(images, axes, {"sizes": sizes, "strides": strides, "rates": rates, "padding": padding})


def _extract_volume_patches(
    input: Tensor,  # noqa: A002
    ksizes: Any,
    strides: Any,
    padding: Any,
    name: str | None = None,
) -> Typed:
    _check_rank(input, 3, "tf.extract_volume_patches", "input")
    axes = _windows(input.shape, ksizes, strides, (1,) * 5, padding)
    return _result(input, axes, {"ksizes": ksizes, "strides": strides, "padding": padding})


def _extracted(x: Array, sizes: Any, strides: Any, rates: Any, padding: Any) -> Array:
    axes = _windows(x.shape, sizes, strides, rates, padding)
    found = patches(x, axes)
    return found.reshape(*found.shape[: len(axes) + 1], prod(found.shape[len(axes) + 1 :]))


def _extracted_volumes(x: Array, ksizes: Any, strides: Any, padding: Any) -> Array:
    return _extracted(x, ksizes, strides, (1,) * 5, padding)


# The adjoint


def _laid_back(g: Tensor, shape: Any, sizes: Any, strides: Any, rates: Any, padding: Any) -> Typed:
    return TensorType(shape, g.dtype), {
        "shape": shape, "sizes": sizes, "strides": strides, "rates": rates, "padding": padding
    }  # fmt: skip


def _added_up(g: Array, shape: Shape, **given: Any) -> Array:
    axes = _windows(shape, given["sizes"], given["strides"], given["rates"], given["padding"])
    parts = g.reshape(*g.shape[:-1], *(each.kernel for each in axes), shape[-1])
    return overlapped(parts, axes, shape[1:-1])


def _again(h: Tensor, z: Tensor, g: Tensor, shape: Shape, rates: Any, **given: Any) -> Tensor:
    found: Tensor
    if len(shape) == 4:
        found = tf.image.extract_patches(h, rates=rates, **given)
    else:
        found = tf.extract_volume_patches(h, given["sizes"], given["strides"], given["padding"])
    return found


ADD_UP = conceal(
    Op(
        name="image.add_patches",
        function=_laid_back,
        family="extraction",
        domains=(REAL,),
        dtypes=INEXACT,
        forward=_added_up,
        vjp=(_again,),
        rounding=sum_rounding(_added_up, lambda g, sizes, **_: prod(sizes)),
        narrow_sums=True,
        source="every window's cotangent is read where it was added",
    )
)
"""Windows added up where they lie in an image of that shape, which TensorFlow does by a sparse matrix."""


def _patches_vjp(g: Tensor, y: Tensor, x: Tensor, **given: Any) -> Tensor:
    found: Tensor = ADD_UP(g, x.shape, **given)
    return found


def _volumes_vjp(g: Tensor, y: Tensor, x: Tensor, ksizes: Any, strides: Any, padding: Any) -> Tensor:
    found: Tensor = ADD_UP(g, x.shape, ksizes, strides, (1,) * 5, padding)
    return found


declare(
    "tf.image.extract_patches",
    _extract_patches,
    forward=_extracted,
    vjp=(_patches_vjp,),
    domains=(REAL,),
    dtypes=NUMERIC,
    moves=True,
    samples=(
        sample((2, 3, 4, 2), [1, 2, 2, 1], [1, 1, 1, 1], [1, 1, 1, 1], "VALID"),
        sample((1, 5, 4, 1), [1, 2, 3, 1], [1, 2, 1, 1], [1, 2, 1, 1], "SAME"),
        sample((1, 4, 2, 1), [1, 1, 1, 1], [1, 3, 1, 1], [1, 1, 1, 1], "SAME"),
    ),
    source="what windows share receives the sum of their cotangents",
    convention="beyond the border there is 0; `SAME` has the odd one of the zeros behind",
)
declare(
    "tf.extract_volume_patches",
    _extract_volume_patches,
    forward=_extracted_volumes,
    vjp=(_volumes_vjp,),
    domains=(REAL,),
    dtypes=REALS,
    moves=True,
    samples=(
        sample((1, 2, 3, 2, 2), [1, 2, 2, 1, 1], [1, 1, 1, 1, 1], "VALID"),
        sample((2, 3, 2, 2, 1), [1, 2, 1, 2, 1], [1, 2, 1, 1, 1], "SAME"),
    ),
    source="what windows share receives the sum of their cotangents",
    convention="beyond the border there is 0; `SAME` has the odd one of the zeros behind",
)
