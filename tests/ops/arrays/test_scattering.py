"""Tensors changed or filled at positions: duplicates, ties, positions outside, and what is refused."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.ops.calls import assert_same
from tests.ops.positions import NAN, X, assert_outside, assert_refused

SCATTERED: dict[str, Callable[..., Any]] = {
    "scatter_nd": lambda tf, x: tf.scatter_nd([[1], [1]], x, [3, 3, 4]),
    "scatter_nd of booleans": lambda tf, x: tf.scatter_nd([[1], [1], [0]], x[0, :, 0] > 3.0, [3]),
    "add twice": lambda tf, x: tf.tensor_scatter_nd_add(x, [[1], [1]], x),
    "sub twice": lambda tf, x: tf.tensor_scatter_nd_sub(x, [[1], [1]], 2.0 * x),
    "update twice": lambda tf, x: tf.tensor_scatter_nd_update(x[0, 0], [[0], [3], [0], [0]], x[1, 0]),
}


@pytest.mark.parametrize("name", SCATTERED)
def test_scatters(name: str) -> None:
    assert_same(SCATTERED[name], X)


@pytest.mark.parametrize("name", ["tensor_scatter_nd_max", "tensor_scatter_nd_min"])
def test_equal_extremes_share_and_nan_never_wins(name: str) -> None:
    x = np.array([5.0, 1.0, NAN, 1.0, 2.0, 3.0])
    updates = np.array([5.0, 5.0, 2.0, 4.0, NAN, NAN, 3.0, 2.0])
    positions = [[0], [0], [1], [2], [3], [5], [5], [5]]
    assert_same(lambda tf, x, u: getattr(tf, name)(x, positions, u), x, updates)


def test_published_shares_of_a_tie() -> None:
    """The numbers of TensorFlow's convention: three that are equal get a third each."""
    x, updates = np.array([5.0, 1.0]), np.array([5.0, 5.0, 0.0])
    found = assert_same(lambda tf, x, u: tf.tensor_scatter_nd_max(x, [[0], [0], [1]], u), x, updates)
    np.testing.assert_allclose(found[1], [1 / 3, 2])
    np.testing.assert_allclose(found[2], [1 / 3, 1 / 3, 0])


def test_published_update_with_duplicates() -> None:
    """Every duplicate gets the cotangent of its position, also those that were overwritten."""
    x, updates = np.array([1.0, 2.0]), np.array([5.0, 6.0])
    found = assert_same(lambda tf, x, u: tf.tensor_scatter_nd_update(x, [[0], [0]], u), x, updates)
    assert [each.tolist() for each in found if each is not None] == [[6, 2], [0, 2], [1, 1]]


OUTSIDE: dict[str, tuple[Callable[..., Any], Any, str]] = {
    "scatter_nd": (
        lambda tf, x, i: tf.scatter_nd(i, x, [5, 3, 4]),
        [[0], [5]],
        "indices[1] = [5] does not index into shape [5, 3, 4]",
    ),
    "scatter_nd, negative": (
        lambda tf, x, i: tf.scatter_nd(i, x, [5, 3, 4]),
        [[0], [-1]],
        "indices[1] = [-1] does not index into shape [5, 3, 4]",
    ),
    "add": (
        lambda tf, x, i: tf.tensor_scatter_nd_add(x, i, x[:1]),
        [[2]],
        "indices[0] = [2] does not index into shape [2, 3, 4]",
    ),
    "update": (
        lambda tf, x, i: tf.tensor_scatter_nd_update(x, i, x[:1]),
        [[-1]],
        "indices[0] = [-1] does not index into shape [2, 3, 4]",
    ),
    "max": (
        lambda tf, x, i: tf.tensor_scatter_nd_max(x, i, x[:1]),
        [[-1]],
        "indices[0] = [-1] does not index into shape [2, 3, 4]",
    ),
}


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_position_outside_is_refused_when_it_is_known_and_raised_when_it_runs(name: str) -> None:
    assert_outside(*OUTSIDE[name])


REFUSED: dict[str, tuple[Callable[[Any, Any], Any], str]] = {
    "scatter_nd, updates": (
        lambda tf, x: tf.scatter_nd([[0]], x, [3, 3, 4]),
        "`tf.scatter_nd`: `updates` for `indices` [1, 1] into [3, 3, 4] must have shape [1, 3, 4], not [2, 3, 4]",
    ),
    "scatter_nd, deep": (
        lambda tf, x: tf.scatter_nd([[0, 1]], x[0, 0, :1], [3]),
        (
            "`tf.scatter_nd`: the last axis of `indices` [1, 2] must have between 1 and 1 coordinates, "
            "for positions in [3]"
        ),
    ),
    "scatter_nd, one": (
        lambda tf, x: tf.scatter_nd([1], x[0, 0, 0], [3]),
        "`tf.scatter_nd`: `indices` must be a list of positions, each a list of coordinates, not of shape [1]",
    ),
    "scatter_nd, shape": (
        lambda tf, x: tf.scatter_nd([[1]], x[:1], [-1, 3, 4]),
        "`shape` [-1, 3, 4] has a negative size",
    ),
    "add, updates": (
        lambda tf, x: tf.tensor_scatter_nd_add(x, [[0]], x),
        (
            "`tf.tensor_scatter_nd_add`: `updates` for `indices` [1, 1] into [2, 3, 4] must have shape [1, 3, 4], "
            "not [2, 3, 4]"
        ),
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refuses_in_words_what_tensorflow_refuses(name: str) -> None:
    assert_refused(*REFUSED[name])
