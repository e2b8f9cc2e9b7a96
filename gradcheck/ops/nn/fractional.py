"""Poolings over cells of drawn sizes (Graham 2014, Fractional max-pooling)."""

from __future__ import annotations

from math import ceil
from typing import Any, NamedTuple

import numpy as np

from gradcheck.dtypes import FLOAT32, FLOAT64, INT32, INT64, Array, DType
from gradcheck.ops.arrays.creation import constant
from gradcheck.ops.declaration import REAL, Op, OpError, compose, sample
from gradcheck.ops.nn.patches import given_back, lowest, taken
from gradcheck.ops.random.distributions import fractions
from gradcheck.ops.random.drawing import concealed
from gradcheck.ops.random.philox import Stream
from gradcheck.ops.random.seeds import Kernel, Seed, settling
from gradcheck.ops.shapes import Typed, as_bool, as_float, sum_rounding
from gradcheck.ops.vocabulary import tf
from gradcheck.program import Shape, TensorType
from gradcheck.tensors import Tensor

WIDE = (FLOAT32, FLOAT64)
LARGEST_OF = "tf.nn.fractional_max_pool"
Edges = tuple[int, ...]
"""Where the cells along an axis begin, and where the last one ends."""


class Cells(NamedTuple):
    """The cells of an image; those that overlap share their borders."""

    rows: Edges
    columns: Edges
    overlapping: bool

    def places(self, edges: Edges) -> tuple[Array, Array]:
        """The positions in each cell along one axis, filled up to the longest with its last one; and which count."""
        starts, ends = np.array(edges[:-1]), np.array(edges[1:])
        last = np.minimum(ends, edges[-1] - 1) if self.overlapping else ends - 1
        places = starts[:, np.newaxis] + np.arange((last - starts).max() + 1)
        return np.minimum(places, last[:, np.newaxis]), places <= last[:, np.newaxis]


# The cells


def _edges(size: int, cells: int, stream: Stream, pseudo_random: bool) -> tuple[Edges, Stream]:
    """The edges of `cells` cells over `size` positions, and what is left of the stream.

    Each cell has the quotient of both or one position more: in random order, or by Graham's formula for a random u.
    """
    step, more = divmod(size, cells)
    if pseudo_random:
        ratio = size / cells
        most = min((step + 2) / ratio - 1, (size + 1 - step) / ratio - (cells - 1))
        u = float(fractions(stream.blocks(1)[0], FLOAT64)[0]) * most
        inner = [ceil(ratio * (at + u)) - 1 for at in range(1, cells)]
        return (0, *inner, size), stream.skipped(1)
    lengths = [step + 1] * more + [step] * (cells - more)
    blocks = -(-cells // 4)
    for at, word in enumerate(stream.blocks(blocks).reshape(-1)[: cells - 1].tolist()):
        other = at + word % (cells - at)
        lengths[at], lengths[other] = lengths[other], lengths[at]
    return (0, *np.cumsum(lengths).tolist()), stream.skipped(blocks)


def _cells(op: str, shape: Shape, pooling_ratio: Any, pseudo_random: Any, overlapping: Any, seed: Seed) -> Cells:
    if len(shape) != 4:
        raise OpError(f"`{op}` takes a tensor of rank 4, not of shape {list(shape)}", argument="value")
    if not seed:
        raise OpError(f"`{op}` draws other cells each time when `seed` is 0", argument="seed", help="write `seed=1`")
    edges: list[Edges] = []
    stream, pseudo = seed.stream, as_bool(pseudo_random, "pseudo_random")
    for size, each in zip(shape[1:3], _ratios(op, pooling_ratio), strict=True):
        count = int(np.float32(size) / np.float32(each))
        if count < 1:
            raise OpError(f"nothing is left of {size} positions by the ratio {each}", argument="pooling_ratio")
        found, stream = _edges(size, count, stream, pseudo)
        edges.append(found)
    return Cells(edges[0], edges[1], as_bool(overlapping, "overlapping"))


def _ratios(op: str, ratio: Any) -> tuple[float, float]:
    """The ratios of the rows and columns; for the largest numbers TensorFlow also takes one number, or a short list."""
    if not isinstance(ratio, (tuple, list)):
        ratio = (1.0, ratio, ratio, 1.0) if op == LARGEST_OF else ()
    row = [as_float(each, "pooling_ratio") for each in ratio]
    if len(row) not in ((1, 2, 4) if op == LARGEST_OF else (4,)) or min(row) < 1 or row[0] != 1 or row[-1] != 1:
        raise OpError(
            f"`pooling_ratio` of `{op}` must be a number from 1 on for each of the four axes, 1 for the first and last",
            argument="pooling_ratio",
        )
    return (row[1], row[2]) if len(row) == 4 else (1.0, 1.0)


# Their largest numbers


def _windows(x: Array, cells: Cells) -> tuple[Array, Array]:
    """The numbers of each cell along the last axis but one, -infinity in the place of NaN; and where they are."""
    (down, rows), (right, columns) = cells.places(cells.rows), cells.places(cells.columns)
    inside = (rows[:, np.newaxis, :, np.newaxis] & columns[:, np.newaxis, :]).reshape(len(down), len(right), -1, 1)
    at = (down[:, np.newaxis, :, np.newaxis] * x.shape[2] + right[:, np.newaxis, :]).reshape(*inside.shape[:2], -1)
    numbers = x.reshape(x.shape[0], -1, x.shape[3])[:, at]
    return np.where(inside & ~np.isnan(numbers), numbers, lowest(x.dtype)), at


def _largest_at(x: Array, cells: Cells) -> Array:
    """The position in the image of each cell's largest number, the first of equal ones."""
    numbers, at = _windows(x, cells)
    best = numbers.argmax(3)
    found: Array = np.take_along_axis(at[np.newaxis, :, :, :, np.newaxis], best[:, :, :, np.newaxis], 3)[:, :, :, 0]
    return found


def _pooled(x: Tensor, rows: Edges, columns: Edges, overlapping: bool) -> Typed:
    shape = (x.shape[0], len(rows) - 1, len(columns) - 1, x.shape[3])
    return TensorType(shape, x.dtype), {"rows": rows, "columns": columns, "overlapping": overlapping}


def _image(g: Tensor, rows: Edges, columns: Edges, overlapping: bool) -> Typed:
    shape = (g.shape[0], rows[-1], columns[-1], g.shape[3])
    return TensorType(shape, g.dtype), {"rows": rows, "columns": columns, "overlapping": overlapping}


def _pooled_by(x: Tensor, h: Tensor, rows: Edges, columns: Edges, overlapping: bool) -> Typed:
    return _pooled(x, rows, columns, overlapping)


def _image_by(x: Tensor, g: Tensor, rows: Edges, columns: Edges, overlapping: bool) -> Typed:
    return _image(g, rows, columns, overlapping)


def _joined(join: np.ufunc, x: Array, cells: Cells) -> Array:
    """What `join` makes of all numbers of each cell, first along the rows and then along the columns."""
    for axis, edges in ((1, cells.rows), (2, cells.columns)):
        places, inside = cells.places(edges)
        total = x.take(places[:, 0], axis)
        for at, there in zip(places.T[1:], inside.T[1:], strict=True):
            where = (slice(None),) * axis + (there,)
            total[where] = join(total[where], x.take(at[there], axis))
        x = total
    return x


def _largest(x: Array, **given: Any) -> Array:
    """NaN is passed over: the smallest finite number where there is nothing else."""
    found: Array = np.fmax(_joined(np.fmax, x, Cells(**given)), lowest(x.dtype))
    return found


LARGEST = concealed(
    "fractional.largest",
    _pooled,
    _largest,
    vjp=(lambda g, y, x, **given: GIVEN_BACK(x, g, **given),),
    domains=(REAL,),
    dtypes=(*WIDE, INT32, INT64),
    rounding="correct",
    source="the largest of every cell receives its cotangent",
)
GIVEN_BACK: Op = concealed(
    "fractional.given_back",
    _image_by,
    lambda x, g, **given: given_back(g, _largest_at(x, Cells(**given)), x.shape),
    vjp=(lambda h, z, x, g, **given: tf.zeros_like(x), lambda h, z, x, g, **given: TAKEN(x, h, **given)),
    domains=(REAL, REAL),
    dtypes=WIDE,
    rounding="correct",
    source="linear in the cotangent, piecewise constant in the image",
)
TAKEN: Op = concealed(
    "fractional.taken",
    _pooled_by,
    lambda x, h, **given: taken(h, _largest_at(x, Cells(**given))),
    vjp=(lambda g, y, x, h, **given: tf.zeros_like(x), lambda g, y, x, h, **given: GIVEN_BACK(x, g, **given)),
    domains=(REAL, REAL),
    dtypes=WIDE,
    rounding="correct",
    source="linear in what is taken, piecewise constant in the image",
)

# Their means


def _repeated(g: Array, edges: Edges, axis: int, overlapping: bool) -> Array:
    """Every cell's number at each of its positions; at a border that two of them share, their sum."""
    g = np.moveaxis(g, axis, 0)
    image = np.repeat(g, np.diff(edges), axis=0)
    if overlapping:
        image[list(edges[1:-1])] += g[:-1]
    repeated: Array = np.moveaxis(image, 0, axis)
    return repeated


def _counts(cells: Cells, dtype: DType) -> Array:
    down, right = (cells.places(edges)[1].sum(1) for edges in (cells.rows, cells.columns))
    counts: Array = (down[:, np.newaxis] * right)[:, :, np.newaxis].astype(dtype)
    return counts


def _means(x: Array, **given: Any) -> Array:
    cells = Cells(**given)
    found: Array = _joined(np.add, x, cells) / _counts(cells, x.dtype)
    return found


def _shared(g: Array, **given: Any) -> Array:
    cells = Cells(**given)
    shares = g / _counts(cells, g.dtype)
    return _repeated(_repeated(shares, cells.rows, 1, cells.overlapping), cells.columns, 2, cells.overlapping)


MEANS = concealed(
    "fractional.means",
    _pooled,
    _means,
    vjp=(lambda g, y, x, **given: SHARED(g, **given),),
    domains=(REAL,),
    dtypes=WIDE,
    rounding=sum_rounding(_means, lambda x, **given: float(_counts(Cells(**given), x.dtype).max())),
    source="linear: every position of a cell receives an equal share of its cotangent",
)
SHARED: Op = concealed(
    "fractional.shared",
    _image,
    _shared,
    vjp=(lambda h, z, g, **given: MEANS(h, **given),),
    domains=(REAL,),
    dtypes=WIDE,
    rounding=sum_rounding(_shared, lambda g, **given: 4.0),
    source="linear: the mean of every cell",
)

# Both


def _margins(value: Array, **given: Any) -> Array:
    """How far the largest number of each cell is ahead of the next."""
    numbers, _ = _windows(value, _cells(LARGEST_OF, value.shape, **given))
    if numbers.shape[3] < 2:
        return np.full(1, np.inf)
    two = np.sort(numbers, axis=3)[:, :, :, -2:]
    return np.asarray(two[:, :, :, 1] - two[:, :, :, 0])


def _pool(name: str, kernel: str, pool: Op, **details: Any) -> None:
    @compose(
        name,
        domains=(REAL,),
        several=True,
        settle=settling(lambda value, **_: Kernel(kernel, value.dtype, 0)),
        samples=(
            sample((1, 5, 5, 1), [1.0, 1.4, 1.4, 1.0], seed=1),
            sample((2, 7, 5, 2), [1.0, 2.3, 1.2, 1.0], overlapping=True, seed=2),
            sample((1, 7, 6, 1), [1.0, 1.6, 1.5, 1.0], pseudo_random=True, seed=3),
            sample((1, 9, 5, 1), [1.0, 3.2, 2.0, 1.0], True, True, seed=4),
        ),
        **details,
    )
    def function(
        value: Tensor,
        pooling_ratio: Any,
        pseudo_random: Any = False,
        overlapping: Any = False,
        seed: Any = 0,
        name: str | None = None,
    ) -> list[Tensor]:
        cells = _cells(public, value.shape, pooling_ratio, pseudo_random, overlapping, seed)
        edges = [constant(np.array(each, np.int64)) for each in (cells.rows, cells.columns)]
        return [pool(value, **cells._asdict()), *edges]

    public = name


_pool(
    LARGEST_OF,
    "FractionalMaxPool",
    LARGEST,
    dtypes=(*WIDE, INT32, INT64),
    kink=_margins,
    convention="of equal elements the first in the order of rows receives the whole cotangent; TensorFlow has no "
    "gradient where a cell holds NaN or nothing finite, or where the image is smaller than its lists of edges, and no "
    "second one",
)
_pool(
    "tf.nn.fractional_avg_pool",
    "FractionalAvgPool",
    MEANS,
    dtypes=WIDE,
    convention="the cells are constants; TensorFlow has no second derivative",
)
