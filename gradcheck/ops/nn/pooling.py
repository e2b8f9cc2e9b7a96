"""Poolings: the largest or the mean of every window; and the normalisation of each channel by its neighbours."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from gradcheck.dtypes import DTYPES, FLOAT16, FLOAT32, FLOATS, INT64, Array, DType
from gradcheck.ops.arrays.creation import as_out_type
from gradcheck.ops.declaration import REAL, OpError, compose, declare, sample
from gradcheck.ops.nn.patches import chosen, largest, taken
from gradcheck.ops.nn.pooling_gradients import ALL_WIN, FIRST_WINS, SOLID, Pool, margins, mean
from gradcheck.ops.nn.windows import LAST, flat, sliding, spatial
from gradcheck.ops.shapes import Typed, as_bool, as_float, as_int, sum_rounding
from gradcheck.ops.vocabulary import tf
from gradcheck.program import TensorType
from gradcheck.tensors import Tensor

WHOLE = tuple(DTYPES[name] for name in ("int8", "int16", "int32", "int64", "uint8", "uint16"))


def _pool(rank: int, ksize: Any, strides: Any, padding: Any, data_format: Any = None, **options: Any) -> Pool:
    call = sliding(rank, strides, padding, data_format, **options)
    return Pool(spatial(ksize, rank, call.channels_first, "ksize"), call)


def _max_pool(rank: int, grad: str, dtypes: tuple[DType, ...], samples: Any, convention: str) -> None:
    op = f"tf.nn.max_pool{rank}d"

    def function(
        input: Tensor,  # noqa: A002
        ksize: Any,
        strides: Any,
        padding: Any,
        data_format: Any = LAST[rank],
        name: str | None = None,
    ) -> Typed:
        pool = _pool(rank, ksize, strides, padding, data_format, explicit=rank == 2)
        given = {"ksize": ksize, "strides": strides, "padding": padding}
        return TensorType(pool.output(op, input.shape), input.dtype), given

    def vjp(g: Tensor, y: Tensor, x: Tensor, **given: Any) -> Tensor:
        found: Tensor = getattr(tf.raw_ops, grad)(x, y, g, **_pool(rank, **given).raw)
        return found

    declare(
        op,
        function,
        forward=lambda x, **given: largest(x, _pool(rank, **given).axes(x.shape)),
        vjp=(vjp,),
        domains=(REAL,),
        dtypes=dtypes,
        rounding="correct",
        kink=lambda x, **given: margins(x, _pool(rank, **given).axes(x.shape)),
        samples=samples,
        source="the largest of every window receives its cotangent",
        convention=f"{convention}; NaN is passed over",
    )


_max_pool(
    2,
    "MaxPoolGrad",
    (*FLOATS, *WHOLE),
    samples=(
        sample((1, 4, 4, 2), 2, 2, "VALID"),
        sample((2, 3, 5, 1), [2, 3], [1, 2], "SAME"),
        sample((1, 3, 3, 1), [1, 2, 2, 1], [1, 2, 2, 1], [[0, 0], [1, 0], [1, 1], [0, 0]]),
        sample((1, 5, 2, 1), 1, 3, "SAME"),
    ),
    convention=f"{FIRST_WINS}, or a NaN that comes before them; with a list for `padding` TensorFlow has no second "
    "derivative",
)
_max_pool(
    3,
    "MaxPool3DGrad",
    SOLID,
    samples=(
        sample((1, 2, 4, 2, 2), 2, 2, "VALID"),
        sample((1, 3, 2, 3, 1), [2, 1, 2], [1, 2, 1], "SAME"),
    ),
    convention=ALL_WIN,
)


def _avg_pool(rank: int, grad: str, dtypes: tuple[DType, ...], samples: Any) -> None:
    op = f"tf.nn.avg_pool{rank}d"

    def function(
        input: Tensor,  # noqa: A002
        ksize: Any,
        strides: Any,
        padding: Any,
        data_format: Any = LAST[rank],
        name: str | None = None,
    ) -> Typed:
        pool = _pool(rank, ksize, strides, padding, data_format, explicit=False, dtype=input.dtype)
        given = {"ksize": ksize, "strides": strides, "padding": padding, "data_format": data_format}
        return TensorType(pool.output(op, input.shape), input.dtype), given

    def trusted(**given: Any) -> Pool:
        return _pool(rank, **given, dtype=FLOAT32)

    def forward(x: Array, **given: Any) -> Array:
        return mean(x, trusted(**given))

    def vjp(g: Tensor, y: Tensor, x: Tensor, **given: Any) -> Tensor:
        found: Tensor = getattr(tf.raw_ops, grad)(x.shape, g, **trusted(**given).raw)
        return found

    declare(
        op,
        function,
        forward=forward,
        vjp=(vjp,),
        rounding=sum_rounding(forward, lambda x, **given: prod(trusted(**given).window)),
        narrow_sums=True,
        domains=(REAL,),
        dtypes=dtypes,
        samples=samples,
        source="every element receives its share of each window's cotangent",
        convention="what lies outside of the image is not counted; TensorFlow adds 16-bit floats up in their own dtype",
    )


_avg_pool(
    2,
    "AvgPoolGrad",
    FLOATS,
    samples=(
        sample((1, 4, 4, 2), 2, 2, "VALID"),
        sample((2, 3, 5, 1), [2, 3], [1, 2], "SAME"),
        sample((1, 5, 2, 1), [1, 1, 1, 1], [1, 3, 3, 1], "SAME"),
    ),
)
_avg_pool(
    3,
    "AvgPool3DGrad",
    SOLID,
    samples=(
        sample((1, 2, 4, 2, 2), 2, 2, "VALID"),
        sample((1, 3, 2, 3, 1), [2, 1, 2], [1, 2, 1], "SAME"),
    ),
)


# Along one axis, and along as many as the tensor has


def _along_one_axis(name: str, x: Tensor, pool: Pool) -> Tensor:
    """An image of height 1."""
    if x.ndim != 3:
        raise OpError(f"`{name}1d` takes a tensor of rank 3, not of shape {list(x.shape)}", argument="input")
    height = 2 if pool.call.channels_first else 1
    image = _named(f"{name}2d")(tf.expand_dims(x, height), (1, *pool.window), **flat(pool.call).given)
    row: Tensor = tf.squeeze(image, [height])
    return row


def _named(name: str) -> Any:
    return getattr(tf.nn, name.removeprefix("tf.nn."))


def _pool1d(name: str, dtypes: tuple[DType, ...], *, largest: bool) -> None:
    @compose(
        f"{name}1d",
        domains=(REAL,),
        dtypes=dtypes,
        samples=(sample((1, 4, 2), 2, 2, "VALID"), sample((2, 5, 1), [3], [2], "SAME")),
        convention=FIRST_WINS if largest else "what lies outside of the image is not counted",
    )
    def function(
        input: Tensor,  # noqa: A002
        ksize: Any,
        strides: Any,
        padding: Any,
        data_format: Any = "NWC",
        name: str | None = None,
    ) -> Tensor:
        options = {"explicit": True} if largest else {"explicit": False, "dtype": input.dtype}
        pool = _pool(1, ksize, strides, padding, data_format, **options)
        return _along_one_axis("tf.nn.max_pool" if largest else "tf.nn.avg_pool", input, pool)


def _pool_of_any_rank(name: str, dtypes: tuple[DType, ...], convention: str) -> None:
    @compose(
        name,
        domains=(REAL,),
        dtypes=dtypes,
        samples=(
            sample((1, 4, 2), 2, 2, "VALID"),
            sample((2, 3, 5, 1), [2, 3], [1, 2], "SAME"),
        ),
        convention=convention,
    )
    def function(
        input: Tensor,  # noqa: A002
        ksize: Any,
        strides: Any,
        padding: Any,
        data_format: Any = None,
        name: str | None = None,
    ) -> Tensor:
        rank = input.ndim - 2
        if not 1 <= rank <= 3:
            raise OpError(f"the tensor must have rank 3, 4 or 5, not shape {list(input.shape)}", argument="input")
        found: Tensor = _named(f"{public}{rank}d")(input, ksize, strides, padding, data_format or LAST[rank])
        return found

    public = name


_pool1d("tf.nn.max_pool", (*FLOATS, *WHOLE), largest=True)
_pool1d("tf.nn.avg_pool", FLOATS, largest=False)
_pool_of_any_rank("tf.nn.max_pool", (*FLOATS, *WHOLE), f"{FIRST_WINS}; along three axes each of them does")
_pool_of_any_rank("tf.nn.avg_pool", FLOATS, "what lies outside of the image is not counted")


@compose(
    "tf.nn.pool",
    domains=(REAL,),
    dtypes=FLOATS,
    samples=(
        sample((1, 4, 2), [2], "AVG", [2], "SAME"),
        sample((1, 4, 4, 1), [2, 2], "MAX", [2, 1], "VALID", "NHWC"),
        sample((1, 5, 4, 1), [2, 2], "MAX", dilations=[2, 1], data_format="NHWC"),
        sample((1, 5, 5, 1), [2, 2], "AVG", dilations=[2, 3], data_format="NHWC"),
    ),
    convention="TensorFlow has no gradient along two or three axes where `data_format` is not given",
)
def _pool_of_any_kind(
    input: Tensor,  # noqa: A002
    window_shape: Any,
    pooling_type: Any,
    strides: Any = None,
    padding: Any = "VALID",
    data_format: Any = None,
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    rank = len(window_shape) if isinstance(window_shape, (tuple, list)) else 0
    if pooling_type not in ("MAX", "AVG"):
        raise OpError(f"`pooling_type` must be 'MAX' or 'AVG', not {pooling_type!r}", argument="pooling_type")
    if not 1 <= rank <= 3 or input.ndim != rank + 2:
        raise OpError(
            f"`window_shape` must have a number for each of 1, 2 or 3 axes between the batch and the channels of "
            f"{list(input.shape)}",
            argument="window_shape",
        )
    dtype = input.dtype if pooling_type == "AVG" else None
    call = sliding(rank, strides, padding, data_format, dilations, dtype=dtype)
    window = spatial(window_shape, rank, call.channels_first, "window_shape")
    if any(stride > size for stride, size in zip(call.strides, window, strict=True)):
        raise OpError(f"`strides` {list(call.strides)} must not be larger than the window", argument="strides")
    if call.dilated and (padding == "SAME" or max(call.strides) > 1 or call.channels_first):
        raise OpError(
            "`tf.nn.pool` takes `dilations` above 1 only with strides of 1, channels last and a padding other than "
            "'SAME'",
            argument="dilations",
        )
    function = _named(f"{pooling_type.lower()}_pool{rank}d")
    image: Tensor
    if not call.dilated:
        image = function(input, window, **call.given)
        return image
    pads = call.padding if isinstance(call.padding, tuple) else ((0, 0),) * rank
    sizes = zip(input.shape[1:-1], pads, call.dilations, strict=True)
    missing = [-(size + sum(pad)) % step for size, pad, step in sizes]
    padded = [[before, after + extra] for (before, after), extra in zip(pads, missing, strict=True)]
    blocks = tf.space_to_batch(input, call.dilations, padded)
    pooled = function(blocks, window, 1, "VALID")
    image = tf.batch_to_space(pooled, call.dilations, [[0, extra] for extra in missing])
    return image


# With the places


def _with_argmax(
    input: Tensor,  # noqa: A002
    ksize: Any,
    strides: Any,
    padding: Any,
    data_format: Any = "NHWC",
    output_dtype: Any = INT64,
    include_batch_in_index: Any = False,
    name: str | None = None,
) -> Any:
    pool = _pool(2, ksize, strides, padding, data_format, explicit=False)
    shape = pool.output("tf.nn.max_pool_with_argmax", input.shape)
    places = as_out_type(output_dtype)
    given = {
        "ksize": ksize,
        "strides": strides,
        "padding": padding,
        "output_dtype": places,
        "include_batch_in_index": as_bool(include_batch_in_index, "include_batch_in_index"),
    }
    return [TensorType(shape, input.dtype), TensorType(shape, places)], given


def _argmax_forward(x: Array, output_dtype: DType, include_batch_in_index: bool, **given: Any) -> list[Array]:
    at = chosen(x, _pool(2, **given).axes(x.shape))
    places = at * x.shape[-1] + np.arange(x.shape[-1])
    if include_batch_in_index:
        places += np.arange(x.shape[0]).reshape(-1, 1, 1, 1) * prod(x.shape[1:])
    return [taken(x, at), places.astype(output_dtype)]


def _argmax_vjp(g: list[Tensor], y: list[Tensor], x: Tensor, include_batch_in_index: bool, **given: Any) -> Tensor:
    count, places = prod(x.shape), y[1]
    if not include_batch_in_index:
        first = np.arange(x.shape[0]).reshape(-1, 1, 1, 1) * prod(x.shape[1:])
        places = places + places.context.constant(first.astype(places.dtype))
    summed = tf.math.unsorted_segment_sum(tf.reshape(g[0], [-1]), tf.reshape(places, [-1]), count)
    image: Tensor = tf.reshape(summed, x.shape)
    return image


declare(
    "tf.nn.max_pool_with_argmax",
    _with_argmax,
    forward=_argmax_forward,
    vjp=(_argmax_vjp,),
    several=True,
    domains=(REAL,),
    dtypes=(*FLOATS, *WHOLE),
    rounding="correct",
    kink=lambda x, ksize, strides, padding, **_: margins(x, _pool(2, ksize, strides, padding).axes(x.shape)),
    samples=(
        sample((1, 4, 4, 2), 2, 2, "VALID"),
        sample((2, 3, 5, 1), [2, 3], [1, 2], "SAME", include_batch_in_index=True),
    ),
    source="the largest of every window receives its cotangent; the places are not connected",
    convention=f"{FIRST_WINS}, or a NaN that comes before them: it is then the value, too; TensorFlow has the gradient "
    "for int64 places alone, and no second derivative",
)


# By the neighbouring channels


@compose(
    "tf.nn.local_response_normalization",
    aliases=("tf.nn.lrn",),
    domains=(REAL,),
    dtypes=(FLOAT16, FLOAT32),
    samples=(sample((1, 2, 1, 6), 1), sample((1, 1, 2, 7), 2, 1.5, 0.5, 0.75), sample((1, 1, 1, 3))),
    convention="TensorFlow has no second derivative",
)
def _local_response_normalization(
    input: Tensor,  # noqa: A002
    depth_radius: Any = 5,
    bias: Any = 1,
    alpha: Any = 1,
    beta: Any = 0.5,
    name: str | None = None,
) -> Tensor:
    if input.ndim != 4:
        raise OpError(
            f"`tf.nn.local_response_normalization` takes a tensor of rank 4, not of shape {list(input.shape)}",
            argument="input",
        )
    radius, channels = as_int(depth_radius, "depth_radius"), np.arange(input.shape[-1])
    near = np.abs(channels[:, np.newaxis] - channels) <= radius
    squares = tf.matmul(input * input, input.context.constant(near.astype(input.dtype)))
    scale = as_float(bias, "bias") + as_float(alpha, "alpha") * squares
    normal: Tensor = input * tf.pow(scale, -as_float(beta, "beta"))
    return normal
