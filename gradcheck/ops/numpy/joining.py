"""NumPy's ways to put arrays together."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from gradcheck.ops.declaration import ANY, REAL, OneOrMany, OpError, Parts, Tensors, compose, sample
from gradcheck.ops.numpy.rearranging import at_least
from gradcheck.ops.shapes import as_shape, one_axis
from gradcheck.ops.vocabulary import tf
from gradcheck.tensors import Tensor


def _together(rows: Sequence[Tensor], axis: Any) -> Tensor:
    joined: Tensor = tf.concat(list(rows), axis)
    return joined


@compose(
    "tf.experimental.numpy.concatenate",
    domains=(REAL,),
    dtypes=ANY,
    promotes=True,
    samples=(sample([(2, 3), (1, 3)]), sample([(2, 1), (2, 2)], axis=-1)),
)
def _concatenate(arys: Parts, axis: Any = 0) -> Tensor:
    return _together(arys, axis)


@compose(
    "tf.experimental.numpy.append",
    domains=(REAL, REAL),
    dtypes=ANY,
    promotes=True,
    samples=(sample((2, 3), (2,)), sample((2, 3), (1, 3), axis=0)),
)
def _append(arr: Tensor, values: Tensor, axis: Any = None) -> Tensor:
    if axis is None:
        return _together([tf.reshape(arr, [-1]), tf.reshape(values, [-1])], 0)
    return _together([arr, values], axis)


@compose(
    "tf.experimental.numpy.stack",
    domains=(REAL,),
    dtypes=ANY,
    promotes=True,
    samples=(sample([(2, 3), (2, 3)]), sample([(2, 3), (2, 3)], axis=-1)),
    convention="of one tensor the first axis changes places with `axis`",
)
def _stack(arrays: OneOrMany, axis: Any = 0) -> Tensor:
    stacked: Tensor
    if isinstance(arrays, Tensor):
        stacked = tf.experimental.numpy.swapaxes(arrays, 0, axis)
    else:
        stacked = tf.stack(list(arrays), axis)
    return stacked


@compose(
    "tf.experimental.numpy.hstack",
    domains=(REAL,),
    dtypes=ANY,
    promotes=True,
    samples=(sample([(2, 3), (2, 1)]), sample([(), (2,)])),
)
def _hstack(tup: Tensors) -> Tensor:
    rows = [at_least(1, each) for each in tup]
    return _together(rows, 0 if rows[0].ndim == 1 else 1)


@compose(
    "tf.experimental.numpy.vstack",
    domains=(REAL,),
    dtypes=ANY,
    promotes=True,
    samples=(sample([(3,), (2, 3)]),),
)
def _vstack(tup: Tensors) -> Tensor:
    return _together([at_least(2, each) for each in tup], 0)


@compose(
    "tf.experimental.numpy.dstack",
    domains=(REAL,),
    dtypes=ANY,
    promotes=True,
    samples=(sample([(2, 3), (2, 3, 2)]), sample([(3,), (3,)])),
)
def _dstack(tup: Tensors) -> Tensor:
    return _together([at_least(3, each) for each in tup], 2)


def _sizes(ary: Tensor, boundaries: Sequence[int], at: int) -> list[int]:
    """The lengths of the parts that end at these places, and of what is left."""
    size, ends = ary.shape[at], [0, *boundaries]
    if any(later < earlier for earlier, later in pairwise(ends)):
        raise OpError(
            f"the parts must end one behind the other, not at {list(boundaries)}", argument="indices_or_sections"
        )
    ends = [min(end, size) for end in ends]
    return [later - earlier for earlier, later in zip(ends, [*ends[1:], size], strict=True)]


def _parts(ary: Tensor, indices_or_sections: Any, axis: Any) -> list[Tensor]:
    at = one_axis(axis, ary.ndim)
    several = isinstance(indices_or_sections, (list, tuple))
    places = as_shape(indices_or_sections, "indices_or_sections")
    parts: list[Tensor] = tf.split(ary, _sizes(ary, places, at) if several else places[0], at)
    return parts


@compose(
    "tf.experimental.numpy.split",
    domains=(REAL,),
    dtypes=ANY,
    promotes=True,
    several=True,
    samples=(sample((2, 4), 2, axis=1), sample((5,), [1, 3, 9])),
    convention="a place behind the end counts as the end",
)
def _split(ary: Tensor, indices_or_sections: Any, axis: Any = 0) -> list[Tensor]:
    return _parts(ary, indices_or_sections, axis)


def _splitting(name: str, axis: int) -> None:
    def function(ary: Tensor, indices_or_sections: Any) -> list[Tensor]:
        return _parts(ary, indices_or_sections, 0 if ary.ndim == 1 and axis == 1 else axis)

    compose(
        f"tf.experimental.numpy.{name}",
        domains=(REAL,),
        dtypes=ANY,
        promotes=True,
        several=True,
        samples=(sample((2, 2, 2), 2), sample((3, 3, 3), [1])),
    )(function)


_splitting("vsplit", 0)
_splitting("hsplit", 1)
_splitting("dsplit", 2)
