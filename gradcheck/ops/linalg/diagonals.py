"""Diagonals and bands of matrices, and the identity."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from gradcheck.dtypes import BOOL, DTYPES, Array, DType
from gradcheck.ops.arrays.shaping import as_dtype
from gradcheck.ops.batching import aligned, repeated
from gradcheck.ops.declaration import ANY, NUMERIC, REAL, OpError, compose, declare, sample
from gradcheck.ops.shapes import Typed, as_int, as_shape, as_sizes, check_room
from gradcheck.ops.vocabulary import tf
from gradcheck.program import Shape, TensorType
from gradcheck.tensors import Tensor, as_array, current_context

Pair = tuple[int, int]

ALL = "-1 keeps them all"
ALIGNMENTS = ("LEFT_RIGHT", "RIGHT_LEFT", "LEFT_LEFT", "RIGHT_RIGHT")


class Band(NamedTuple):
    """How some diagonals are indexed: in a matrix, and as a row for each diagonal, highest first."""

    matrix: tuple[Any, ...]
    rows: tuple[Any, ...]
    shape: Shape
    """The shape of the rows; of the one row alone if there is one diagonal."""


def _band(k: Pair, rows: int, columns: int, align: str) -> Band:
    """The diagonals `k[0]` to `k[1]` of a matrix; shorter ones are moved to the left or right end of their row."""
    low, high = k
    below, beyond = np.indices((rows, columns))
    diagonal = beyond - below
    row, column = np.nonzero((low <= diagonal) & (diagonal <= high))
    number = column - row
    longest = min(rows + min(high, 0), columns - max(low, 0))
    length = np.minimum(rows + np.minimum(number, 0), columns - np.maximum(number, 0))
    upper, lower = align.split("_")
    left = np.where(number >= 0, upper == "LEFT", lower == "LEFT")
    at = np.minimum(row, column) + np.where(left, 0, longest - length)
    if low == high:
        return Band((..., row, column), (..., at), (longest,))
    return Band((..., row, column), (..., high - number, at), (high - low + 1, longest))


band = lru_cache(maxsize=256)(_band)


def _offsets(k: Any) -> Pair:
    given = as_shape(k, "k")
    if len(given) not in (1, 2) or given[0] > given[-1]:
        raise OpError(f"`k` is one diagonal or the lowest and the highest of a band, not {k!r}", argument="k")
    return given[0], given[-1]


def _alignment(align: Any) -> str:
    if align not in ALIGNMENTS:
        raise OpError(f"`align` is one of {', '.join(ALIGNMENTS)}, not {align!r}", argument="align")
    return str(align)


def _padding(value: Any, dtype: DType) -> Any:
    if dtype == BOOL and value in (0, 1):
        return value
    try:
        as_array(value, dtype)
    except ValueError as error:
        raise OpError(f"`padding_value`: {error}", argument="padding_value") from None
    return value


def _within(x: Tensor, k: Pair) -> None:
    rows, columns = x.shape[-2:]
    for offset in k:
        if offset and not -rows < offset < columns:
            raise OpError(f"a matrix of {rows} rows and {columns} columns has no diagonal {offset}", argument="k")


def _matrix(name: str, x: Tensor) -> Tensor:
    if x.ndim < 2:
        raise OpError(f"`{name}` needs a matrix, not a tensor of shape {list(x.shape)}")
    return x


def _diag_type(
    diagonal: Tensor,
    name: str = "diag",
    k: Any = 0,
    num_rows: Any = -1,
    num_cols: Any = -1,
    padding_value: Any = 0,
    align: Any = "RIGHT_LEFT",
) -> Typed:
    low, high = _offsets(k)
    axes = 1 if low == high else 2
    if diagonal.ndim < axes or (axes == 2 and diagonal.shape[-2] != high - low + 1):
        raise OpError(
            f"`tf.linalg.diag` of the diagonals {low} to {high} needs a row for each, not shape {list(diagonal.shape)}",
            argument="diagonal",
        )
    longest = diagonal.shape[-1]
    rows, columns = _sides(as_int(num_rows, "num_rows"), as_int(num_cols, "num_cols"), longest, (low, high))
    check_room((max(rows, 1), max(columns, 1)))  # also where there are no rows
    attributes = {
        "k": low if low == high else (low, high),
        "num_rows": rows,
        "num_cols": columns,
        "padding_value": _padding(padding_value, diagonal.dtype),
        "align": _alignment(align),
    }
    return TensorType((*diagonal.shape[:-axes], rows, columns), diagonal.dtype), attributes


def _sides(rows: int, columns: int, longest: int, k: Pair) -> Pair:
    """The size of the smallest matrix with these diagonals; a side that is given must fit them."""
    low, high = k
    fewest_rows, fewest_columns = longest - min(high, 0), longest + max(low, 0)
    if rows == -1 and columns == -1:
        rows = columns = max(fewest_rows, fewest_columns)
    rows = fewest_rows if rows == -1 else rows
    columns = fewest_columns if columns == -1 else columns
    if rows < fewest_rows or columns < fewest_columns or (rows > fewest_rows and columns > fewest_columns):
        raise OpError(f"{rows} rows and {columns} columns do not have diagonals {low} to {high} of length {longest}")
    return rows, columns


def _diag(x: Array, k: Any, num_rows: int, num_cols: int, padding_value: Any, align: str) -> Array:
    where = band(_offsets(k), num_rows, num_cols, align)
    batch = x.shape[: x.ndim - len(where.shape)]
    result = np.full((*batch, num_rows, num_cols), padding_value, x.dtype)
    result[where.matrix] = x[where.rows]
    return result


declare(
    "tf.linalg.diag",
    _diag_type,
    forward=_diag,
    vjp=(lambda g, y, x, k, num_rows, num_cols, padding_value, align: tf.linalg.diag_part(g, k=k, align=align),),
    batching=aligned,
    domains=(REAL,),
    dtypes=ANY,
    moves=True,
    samples=(
        sample((3,)),
        sample((2, 2), k=-1),
        sample((2,), k=1, num_rows=2, padding_value=1),
        sample((2, 3, 2), k=[-1, 1], num_rows=2, num_cols=2),
        sample((2, 3), k=[1, 2], align="LEFT_RIGHT"),
        sample((0,)),
    ),
    source="every element of the diagonals receives the cotangent of the place it is put in",
    convention="`padding_value` is not connected; padding in the rows of short diagonals gets 0",
)


def _diag_part_type(
    input: Tensor,  # noqa: A002  # TensorFlow's name
    name: str = "diag_part",
    k: Any = 0,
    padding_value: Any = 0,
    align: Any = "RIGHT_LEFT",
) -> Typed:
    low, high = _offsets(k)
    rows, columns = _matrix("tf.linalg.diag_part", input).shape[-2:]
    _within(input, (low, high))
    attributes = {
        "k": low if low == high else (low, high),
        "padding_value": _padding(padding_value, input.dtype),
        "align": _alignment(align),
    }
    shape = band((low, high), rows, columns, attributes["align"]).shape
    return TensorType((*input.shape[:-2], *shape), input.dtype), attributes


def _diag_part(x: Array, k: Any, padding_value: Any, align: str) -> Array:
    where = band(_offsets(k), *x.shape[-2:], align)
    result = np.full((*x.shape[:-2], *where.shape), padding_value, x.dtype)
    result[where.rows] = x[where.matrix]
    return result


def _diag_part_vjp(g: Tensor, y: Tensor, x: Tensor, k: Any, padding_value: Any, align: str) -> Tensor:
    part: Tensor = tf.linalg.diag(g, k=k, num_rows=x.shape[-2], num_cols=x.shape[-1], align=align)
    return part


declare(
    "tf.linalg.diag_part",
    _diag_part_type,
    forward=_diag_part,
    vjp=(_diag_part_vjp,),
    batching=aligned,
    domains=(REAL,),
    dtypes=ANY,
    moves=True,
    samples=(
        sample((3, 3)),
        sample((2, 2, 3), k=1),
        sample((3, 2), k=-2),
        sample((2, 4, 3), k=[-2, 1], padding_value=1),
        sample((3, 4), k=[-1, 2], align="LEFT_RIGHT"),
        sample((3, 3), k=[-1, 0], align="LEFT_LEFT"),
        sample((3, 3), k=[-1, 1], align="RIGHT_RIGHT"),
        sample((0, 3)),
    ),
    source="the cotangent goes back to the diagonals, and 0 elsewhere",
    convention="`padding_value` is not connected",
)


def _set_diag_type(
    input: Tensor,  # noqa: A002  # TensorFlow's name
    diagonal: Tensor,
    name: str = "set_diag",
    k: Any = 0,
    align: Any = "RIGHT_LEFT",
) -> Typed:
    low, high = _offsets(k)
    rows, columns = _matrix("tf.linalg.set_diag", input).shape[-2:]
    _within(input, (low, high))
    shape = (*input.shape[:-2], *band((low, high), rows, columns, _alignment(align)).shape)
    if diagonal.shape != shape:
        raise OpError(
            f"`tf.linalg.set_diag` of shape {list(input.shape)} needs a `diagonal` of shape {list(shape)}, "
            f"not {list(diagonal.shape)}",
            argument="diagonal",
        )
    return input.type, {"k": low if low == high else (low, high), "align": align}


def _set_diag(x: Array, diagonal: Array, k: Any, align: str) -> Array:
    where = band(_offsets(k), *x.shape[-2:], align)
    result = x.copy()
    result[where.matrix] = diagonal[where.rows]
    return result


declare(
    "tf.linalg.set_diag",
    _set_diag_type,
    forward=_set_diag,
    vjp=(
        lambda g, y, x, diagonal, k, align: tf.linalg.set_diag(g, tf.zeros_like(diagonal), k=k, align=align),
        lambda g, y, x, diagonal, k, align: tf.linalg.diag_part(g, k=k, align=align),
    ),
    batching=repeated,
    domains=(REAL, REAL),
    dtypes=ANY,
    moves=True,
    samples=(
        sample((2, 3), (2,)),
        sample((2, 3, 3), (2, 2), k=-1),
        sample((3, 4), (3, 3), k=[-1, 1]),
        sample((3, 3), (2, 3), k=[0, 1], align="LEFT_RIGHT"),
        sample((0, 0), (0,)),
    ),
    source="the cotangent of the diagonals goes to what was put there, that of the rest to what was there",
)


def _band_part_type(input: Tensor, num_lower: Any, num_upper: Any, name: str | None = None) -> Typed:  # noqa: A002
    rows, columns = _matrix("tf.linalg.band_part", input).shape[-2:]
    lower, upper = as_int(num_lower, "num_lower"), as_int(num_upper, "num_upper")
    if lower > rows:
        raise OpError(f"`num_lower` {lower} is more than the {rows} rows", argument="num_lower", help=ALL)
    if upper > columns:
        raise OpError(f"`num_upper` {upper} is more than the {columns} columns", argument="num_upper", help=ALL)
    return input.type, {"num_lower": lower, "num_upper": upper}


def _band_part(x: Array, num_lower: int, num_upper: int) -> Array:
    rows, columns = x.shape[-2:]
    diagonal = np.arange(columns) - np.arange(rows)[:, None]
    inside = (diagonal >= (-rows if num_lower < 0 else -num_lower)) & (
        diagonal <= (columns if num_upper < 0 else num_upper)
    )
    return np.where(inside, x, np.zeros((), x.dtype))


declare(
    "tf.linalg.band_part",
    _band_part_type,
    forward=_band_part,
    vjp=(lambda g, y, x, num_lower, num_upper: tf.linalg.band_part(g, num_lower, num_upper),),
    batching=aligned,
    domains=(REAL,),
    dtypes=ANY,
    moves=True,
    samples=(
        sample((3, 3), -1, 0),
        sample((2, 3, 4), 0, 1),
        sample((4, 3), 1, -1),
        sample((2, 2), -1, -1),
        sample((0, 3), 0, 0),
    ),
    source="what is kept is handed on, what is set to 0 receives 0",
)


@compose(
    "tf.linalg.trace",
    domains=(REAL,),
    dtypes=NUMERIC,
    samples=(sample((3, 3)), sample((2, 2, 3)), sample((2, 0, 0))),
)
def _trace(x: Tensor, name: str | None = None) -> Tensor:
    trace: Tensor = tf.reduce_sum(tf.linalg.diag_part(_matrix("tf.linalg.trace", x)), axis=-1)
    return trace


@compose("tf.eye", aliases=("tf.linalg.eye",), domains=(), dtypes=ANY, samples=(sample(2), sample(2, 3, [2])))
def _eye(
    num_rows: Any,
    num_columns: Any = None,
    batch_shape: Any = None,
    dtype: Any = DTYPES["float32"],
    name: str | None = None,
) -> Tensor:
    rows = as_int(num_rows, "num_rows")
    columns = rows if num_columns is None else as_int(num_columns, "num_columns")
    if rows < 0 or columns < 0:
        raise OpError(f"an identity cannot have {rows} rows and {columns} columns")
    batch = () if batch_shape is None else as_sizes(batch_shape, "batch_shape")
    check_room((rows, columns))
    identity = np.broadcast_to(np.eye(rows, columns, dtype=as_dtype(dtype)), (*batch, rows, columns))
    return current_context().constant(identity)
