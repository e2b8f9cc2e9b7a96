"""The gradients of poolings, which are operations of TensorFlow too, and what their cotangents receive."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from gradcheck.dtypes import BFLOAT16, FLOAT32, FLOATS, Array, DType
from gradcheck.ops.declaration import REAL, OpError, declare, sample
from gradcheck.ops.nn.patches import (
    as_given,
    channels_last,
    chosen,
    given_back,
    largest,
    lead,
    lowest,
    overlapped,
    patches,
    taken,
)
from gradcheck.ops.nn.windows import LAST, Axis, Sliding, from_raw, spatial
from gradcheck.ops.shapes import Typed, as_row, as_sizes, sum_rounding
from gradcheck.ops.vocabulary import tf
from gradcheck.program import Shape, TensorType
from gradcheck.tensors import Tensor

SOLID = (BFLOAT16, FLOAT32)
"""The dtypes for which TensorFlow pools along three axes on a CPU."""
FIRST_WINS = "of equal elements the first in the order of rows receives the whole cotangent"
ALL_WIN = "of equal elements each receives the whole cotangent, so that more comes out than went in"


class Pool:
    """The arguments of a pooling: the size of its windows and where they lie."""

    def __init__(self, window: Shape, call: Sliding) -> None:
        self.window = window
        self.call = call

    @property
    def raw(self) -> dict[str, Any]:
        """The arguments as a raw operation takes them."""
        return {"ksize": self.call.whole(self.window), **self.call.raw}

    def axes(self, shape: Shape) -> tuple[Axis, ...]:
        """Where the windows lie in a tensor of that shape."""
        return self.call.axes(shape[2:] if self.call.channels_first else shape[1:-1], self.window)

    def output(self, op: str, shape: Shape) -> Shape:
        """The shape of what is pooled; `OpError` if it cannot be."""
        if len(shape) != self.call.rank + 2:
            raise OpError(f"`{op}` takes a tensor of rank {self.call.rank + 2}, not of shape {list(shape)}")
        counts = tuple(each.windows for each in self.axes(shape))
        return (*shape[:2], *counts) if self.call.channels_first else (shape[0], *counts, shape[-1])


def raw_pool(
    rank: int,
    ksize: Any,
    strides: Any,
    padding: Any,
    explicit_paddings: Any = (),
    data_format: Any = None,
    dtype: DType | None = FLOAT32,
) -> Pool:
    """The checked arguments of a raw operation; a `dtype` of None allows no format with the channels first."""
    whole = (1,) * (rank + 2)
    call = from_raw(rank, strides, padding, explicit_paddings, data_format, whole, dtype)
    if len(as_row(ksize, "ksize")) != rank + 2:
        raise OpError(f"`ksize` must have {rank + 2} numbers, not {len(ksize)}", argument="ksize")
    return Pool(spatial(ksize, rank, call.channels_first, "ksize"), call)


def check_shape(op: str, name: str, x: Tensor, shape: Shape) -> None:
    """Refuse a tensor of another shape."""
    if x.shape != shape:
        raise OpError(f"`{op}`: `{name}` must have shape {list(shape)}, not {list(x.shape)}", argument=name)


def margins(x: Array, axes: tuple[Axis, ...]) -> Array:
    """How far the largest of every window is ahead of the next."""
    return lead(patches(x, axes, fill=-np.inf), len(axes))


# The largest of every window


def _back(x: Array, y: Array, g: Array, pool: Pool) -> Array:
    axes = pool.axes(x.shape)
    if pool.call.rank == 2:
        return given_back(g, chosen(x, axes), x.shape)
    windows = (slice(None),) * 4 + (np.newaxis,) * 3
    equal = patches(x, axes, fill=np.nan) == y[windows]
    return overlapped(np.where(equal, g[windows], 0), axes, x.shape[1:-1])


def _without_padding(x: Tensor, h: Tensor, pool: Pool) -> tuple[Tensor, Tensor, Pool]:
    """The same with the padding done before: TensorFlow's operation takes no explicit paddings."""
    if not isinstance(pool.call.padding, tuple):
        return x, h, pool
    pads = pool.call.given["padding"]
    padded = tf.pad(x, pads, constant_values=float(lowest(x.dtype)))
    return padded, tf.pad(h, pads), Pool(pool.window, pool.call._replace(padding="VALID"))


def _max_pool_gradients(rank: int, name: str, dtypes: tuple[DType, ...], image: Array) -> None:
    """Declare the gradient of a max pooling, and what its cotangent receives: each transposes the other."""

    def pool_of(**given: Any) -> Pool:
        return raw_pool(rank, **given, dtype=None)

    def of_gradient(h: Tensor, z: Tensor, x: Tensor, y: Tensor, g: Tensor, **given: Any) -> list[Tensor]:
        padded, along, pool = _without_padding(x, h, pool_of(**given))
        found = getattr(tf.raw_ops, f"{name}Grad")(padded, y, along, **pool.raw)
        return [tf.zeros_like(x), tf.zeros_like(y), found]

    def of_taken(h: Tensor, z: Tensor, x: Tensor, y: Tensor, g: Tensor, **given: Any) -> list[Tensor]:
        return [tf.zeros_like(x), tf.zeros_like(y), getattr(tf.raw_ops, name)(x, y, h, **given)]

    def gradient(x: Array, y: Array, g: Array, **given: Any) -> Array:
        return _back(x, y, g, pool_of(**given))

    def rounding(x: Array, y: Array, g: Array, **given: Any) -> Array:
        pool = pool_of(**given)
        scaled: Array = np.sqrt(prod(pool.window)) * _back(x, y, np.abs(g), pool)
        return scaled

    def again(x: Array, y: Array, h: Array, **given: Any) -> Array:
        return taken(h, chosen(x, pool_of(**given).axes(x.shape)))

    def kink(x: Array, y: Array, g: Array, **given: Any) -> Array:
        return margins(x, pool_of(**given).axes(x.shape))

    whole = (1, *(2,) * rank, 1)
    near, apart = raw_pool(rank, whole, (1,) * (rank + 2), "VALID"), raw_pool(rank, whole, whole, "SAME")
    samples = [(pool, largest(image, pool.axes(image.shape))) for pool in (near, apart)]
    declare(
        f"tf.raw_ops.{name}",
        _with_paddings if rank == 2 else _without(rank, name, transposed=False),
        forward=gradient,
        joint_vjp=of_gradient,
        rounding=rounding,
        narrow_sums=True,
        domains=(REAL, REAL, REAL),
        dtypes=dtypes,
        kink=kink,
        samples=tuple(sample(image, pooled, pooled.shape, **pool.raw) for pool, pooled in samples),
        source="linear in the cotangent, piecewise constant in the image",
        convention=f"{FIRST_WINS if rank == 2 else ALL_WIN}; connected with 0 to the image",
    )
    declare(
        f"tf.raw_ops.{name}Grad",
        _without(rank, f"{name}Grad", transposed=True),
        forward=again,
        joint_vjp=of_taken,
        rounding="correct",
        domains=(REAL, REAL, REAL),
        dtypes=dtypes,
        kink=kink,
        samples=tuple(sample(image, pooled, image.shape, **pool.raw) for pool, pooled in samples),
        source="linear in the cotangent, piecewise constant in the image",
        convention="of equal elements the first in the order of rows is taken; connected with 0 to the image",
    )


def _checked(op: str, x: Tensor, y: Tensor, g: Tensor, pool: Pool, *, transposed: bool) -> Typed:
    pooled = pool.output(op, x.shape)
    check_shape(op, "orig_output", y, pooled)
    check_shape(op, "grad", g, x.shape if transposed else pooled)
    return TensorType(pooled if transposed else x.shape, x.dtype), pool.raw


def _without(rank: int, op: str, *, transposed: bool) -> Any:
    """The function of an operation that takes no explicit paddings."""

    def function(
        orig_input: Tensor,
        orig_output: Tensor,
        grad: Tensor,
        ksize: Any,
        strides: Any,
        padding: Any,
        data_format: Any = LAST[rank],
        name: str | None = None,
    ) -> Typed:
        pool = raw_pool(rank, ksize, strides, padding, (), data_format, None)
        return _checked(f"tf.raw_ops.{op}", orig_input, orig_output, grad, pool, transposed=transposed)

    return function


def _with_paddings(
    orig_input: Tensor,
    orig_output: Tensor,
    grad: Tensor,
    ksize: Any,
    strides: Any,
    padding: Any,
    explicit_paddings: Any = [],  # noqa: B006  # TensorFlow's own default
    data_format: Any = "NHWC",
    name: str | None = None,
) -> Typed:
    pool = raw_pool(2, ksize, strides, padding, explicit_paddings, data_format, None)
    return _checked("tf.raw_ops.MaxPoolGrad", orig_input, orig_output, grad, pool, transposed=False)


_IMAGE = np.array([3, -1, 4, 1.5, -5, 9, 2, 6.5, -3.5, 5, 8, -9.5, 7, -9, 3.5, 2.5, 3.25, 8.5])
_max_pool_gradients(2, "MaxPoolGrad", FLOATS, _IMAGE.reshape(1, 3, 3, 2))
_max_pool_gradients(3, "MaxPool3DGrad", SOLID, _IMAGE.reshape(1, 3, 3, 2, 1))


# The mean of every window


def mean(x: Array, pool: Pool) -> Array:
    """The mean of what of every window lies on the image."""
    image = channels_last(x, pool.call)
    axes = pool.axes(x.shape)
    inside = tuple(range(len(axes) + 1, 2 * len(axes) + 1))
    sums = np.add.reduce(patches(image, axes), axis=inside, dtype=x.dtype)
    return as_given(np.asarray(sums / _counts(axes, image.shape).astype(x.dtype)), x.shape[:1], pool.call)


def _counts(axes: tuple[Axis, ...], shape: Shape) -> Array:
    """How many elements of every window lie on the image, `(1, *counts, 1)`."""
    inside = tuple(range(len(axes) + 1, 2 * len(axes) + 1))
    ones = patches(np.ones((1, *shape[1:-1], 1)), axes)
    return np.asarray(np.maximum(ones.sum(inside), 1))


def _mean_back(g: Array, shape: Shape, pool: Pool) -> Array:
    last = channels_last(g, pool.call)
    axes, rank = pool.axes(shape), pool.call.rank
    sizes = shape[2:] if pool.call.channels_first else shape[1:-1]
    share = last / _counts(axes, (1, *sizes, 1)).astype(g.dtype)
    windows = (slice(None),) * (rank + 1) + (np.newaxis,) * rank
    spread = np.broadcast_to(share[windows], (*last.shape[:-1], *pool.window, last.shape[-1]))
    return as_given(overlapped(spread, axes, sizes), shape[:1], pool.call)


def _avg_pool_gradient(rank: int, name: str, dtypes: tuple[DType, ...], samples: Any) -> None:
    op = f"tf.raw_ops.{name}"

    def function(
        orig_input_shape: Any,
        grad: Tensor,
        ksize: Any,
        strides: Any,
        padding: Any,
        data_format: Any = LAST[rank],
        name: str | None = None,
    ) -> Typed:
        pool = raw_pool(rank, ksize, strides, padding, (), data_format, grad.dtype)
        shape = as_sizes(orig_input_shape, "orig_input_shape")
        check_shape(op, "grad", grad, pool.output(op, shape))
        return TensorType(shape, grad.dtype), {"orig_input_shape": shape, **pool.raw}

    def forward(g: Array, orig_input_shape: Shape, **given: Any) -> Array:
        return _mean_back(g, orig_input_shape, raw_pool(rank, **given))

    def vjp(h: Tensor, z: Tensor, g: Tensor, orig_input_shape: Shape, ksize: Any, **given: Any) -> Tensor:
        found: Tensor = getattr(tf.nn, f"avg_pool{rank}d")(h, ksize, **given)
        return found

    declare(
        op,
        function,
        forward=forward,
        vjp=(vjp,),
        rounding=sum_rounding(forward, lambda g, ksize, **_: prod(ksize)),
        narrow_sums=True,
        domains=(REAL,),
        dtypes=dtypes,
        samples=samples,
        source="every element receives its share of each window's cotangent, which is linear in it",
        convention="what lies outside of the image is not counted",
    )


_avg_pool_gradient(
    2,
    "AvgPoolGrad",
    FLOATS,
    samples=(
        sample([1, 3, 4, 2], (1, 2, 3, 2), [1, 2, 2, 1], [1, 1, 1, 1], "VALID"),
        sample([2, 3, 5, 1], (2, 3, 3, 1), [1, 2, 3, 1], [1, 1, 2, 1], "SAME"),
    ),
)
_avg_pool_gradient(
    3,
    "AvgPool3DGrad",
    SOLID,
    samples=(
        sample([1, 2, 3, 2, 2], (1, 1, 2, 1, 2), [1, 2, 2, 2, 1], [1, 1, 1, 1, 1], "VALID"),
        sample([1, 3, 2, 3, 1], (1, 3, 2, 2, 1), [1, 2, 1, 2, 1], [1, 1, 1, 2, 1], "SAME"),
    ),
)
