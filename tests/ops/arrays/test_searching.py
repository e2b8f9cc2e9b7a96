"""Where elements are in an order: equal ones, those that are no number, and what is refused."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow

from gradcheck.ops import tf
from tests.ops.positions import NAN, assert_refused


@pytest.mark.parametrize("direction", ["ASCENDING", "DESCENDING"])
def test_argsort_keeps_equal_elements_in_their_order(direction: str) -> None:
    x = np.array([3.0, 1.0, -0.0, 0.0, 1.0, -np.inf, np.inf, 3.0])
    ours, theirs = tf.argsort(x, direction=direction), tensorflow.argsort(x, direction=direction)
    np.testing.assert_array_equal(ours.numpy(), theirs.numpy(), strict=True)


def test_argsort_puts_nan_last() -> None:
    assert tf.argsort([NAN, 3.0, NAN, 1.0]).numpy().tolist() == [3, 1, 0, 2]


REFUSED: dict[str, tuple[Callable[[Any, Any], Any], str]] = {
    "argsort, direction": (
        lambda tf, x: tf.argsort(x, direction="up"),
        "`direction` must be 'ASCENDING' or 'DESCENDING', not 'up'",
    ),
    "searchsorted, rows": (
        lambda tf, x: tf.searchsorted(x[0], x[0, :2]),
        "`sorted_sequence` of shape [3, 4] and `values` of shape [2, 4] must have the same number of rows",
    ),
    "searchsorted, side": (
        lambda tf, x: tf.searchsorted(x[0], x[0], side="up"),
        "`side` must be 'left' or 'right', not 'up'",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refuses_in_words_what_tensorflow_refuses(name: str) -> None:
    assert_refused(*REFUSED[name])
