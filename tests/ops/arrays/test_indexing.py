"""Python's `x[...]`, slices and masks, and what is refused between the brackets."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow

from gradcheck import tensor
from gradcheck.engine.differentiate import gradient
from gradcheck.engine.evaluate import evaluate
from gradcheck.engine.tracing import trace
from gradcheck.ops import OpError
from gradcheck.ops.arrays.brackets import getitem
from gradcheck.tensors import Builder, building
from tests.ops.calls import assert_same
from tests.ops.positions import X, assert_refused

KEYS: list[Any] = [
    0,
    -1,
    np.int64(1),
    (1, 2, 3),
    (-2, -3, -4),
    (),
    ...,
    None,
    slice(None),
    slice(1, None),
    slice(5, None),
    slice(-1, None, -1),
    slice(None, None, -2),
    slice(2, 1),
    slice(-100, 100),
    (slice(None), 1),
    (slice(None), slice(None, None, 2), slice(3, 0, -2)),
    (..., 0),
    (..., None),
    (0, ..., None, 1),
    (None, ..., None, slice(1, 3)),
    (slice(None), None, -1, ..., None),
    (1, slice(0, 0)),
    [0, 1],
    [1, slice(None), 2],
]


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_brackets_mean_what_they_mean_in_tensorflow(key: Any) -> None:
    assert_same(lambda _, x: x[key], X)


@pytest.mark.parametrize("key", [slice(None, None, -2), slice(5, None), 1])
def test_brackets_on_nothing(key: Any) -> None:
    assert_same(lambda _, x: x[:, key], np.zeros((0, 3)))


MASKS = [[True, False], [[True, False, True], [False, False, True]], X > 7, np.zeros((2, 3), bool)]


@pytest.mark.parametrize("mask", MASKS, ids=[f"mask {place}" for place in range(len(MASKS))])
def test_a_mask_between_the_brackets(mask: Any) -> None:
    assert_same(lambda tf, x: x[tf.constant(mask)], X)
    assert_same(lambda _, x: x[np.asarray(mask)], X)
    assert_same(lambda tf, x: tf.boolean_mask(x, mask), X)


COMPUTED: dict[str, Callable[..., Any]] = {
    "position from a shape": lambda tf, x: x[tf.shape(x)[0] - 2],
    "bounds from a shape": lambda tf, x: x[:, tf.shape(x)[0] - 1 : tf.shape(x)[1]],
    "mask from constants": lambda tf, x: x[:, 1][tf.range(2) > 0],
    "positions from constants": lambda tf, x: tf.gather(x, tf.range(3) // 2, axis=2),
    "elements one by one": lambda _, x: sum(row * float(place) for place, row in enumerate(x)),
    "taken apart": lambda _, x: (lambda a, b: a - b)(*x),
    "length": lambda _, x: x * float(len(x)),
    "segment_sum": lambda tf, x: tf.math.segment_sum(x[:, :, 0], tf.constant([1, 3])),
}


@pytest.mark.parametrize("name", COMPUTED)
def test_what_is_known_from_constants_can_index(name: str) -> None:
    assert_same(COMPUTED[name], X)


def _at(key: Callable[[Any], Any], position: int) -> None:
    """Compare `x[key(i)]`, with `i` an input of the program, with TensorFlow."""
    inputs = {"x": X, "i": np.array(position)}
    program = trace(lambda x, i: x[key(i)], inputs)
    written = gradient(program, ["x"])
    (value,) = evaluate(program, inputs)
    assert value is not None
    x = tensorflow.constant(X)
    with tensorflow.GradientTape() as tape:
        tape.watch(x)
        y = x[key(tensorflow.constant(position))]
    np.testing.assert_array_equal(value, y.numpy(), strict=True)
    found = evaluate(written.program, {**inputs, "cotangent": value})
    np.testing.assert_array_equal(found[1], tape.gradient(y, x, output_gradients=y).numpy(), strict=True)


@pytest.mark.parametrize("position", [0, 1, -1, -2])
def test_a_position_that_is_an_input(position: int) -> None:
    _at(lambda i: i, position)
    _at(lambda i: (..., i), position)
    _at(lambda i: (i, slice(None), i), position)
    _at(lambda i: (slice(None, None, -1), None, i, 2), position)
    _at(lambda i: (None, ..., i, None, slice(1, 3)), position)


@pytest.mark.parametrize("position", [2, -3])
def test_a_position_that_is_an_input_is_checked_when_it_runs(position: int) -> None:
    inputs = {"x": X, "i": np.array(position)}
    program = trace(lambda x, i: x[i], inputs)
    with pytest.raises(IndexError, match=r"is not in \[0, 2\)"):
        evaluate(program, inputs)


def test_a_mask_that_is_an_input_is_refused() -> None:
    builder = Builder(inline=False)
    with building(builder):
        x, mask = builder.input("x", tensor(X).type), builder.input("mask", tensor([True, False]).type)
        with pytest.raises(OpError) as caught:
            getitem(x, mask)
        with pytest.raises(OpError, match="whether a tensor is true is not known when the case is read"):
            bool(mask)
    assert str(caught.value) == (
        "`mask` must be known when the case is read, because it decides the shape of the result"
    )


SPECS: list[tuple[Any, ...]] = [
    ([0, 1, 0], [2, 3, 4]),
    ([1], [-5], [-1]),
    ([1, 2], [0, 0], [-1, -2], 1, 2),
    ([0, 1], [0, 2], [1, 1], 0, 0, 1, 0, 2),
    ([0, 1], [0, 2], [1, 1], 0, 0, 1, 0, 3),
    ([9, 1], [9, 2], [7, 1], 0, 0, 0, 1, 3),
    ([0], [1], [1], 0, 0, 1, 1, 0),
    ([1], [9], [5], 1, 1, 0, 0, 1),
    ([0], [1], [1], 0, 0, 0, 0, 4),
    ([0] * 7, [0] * 7, [1] * 7, 0, 0, 0, 127, 0),
]


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_the_masks_of_a_strided_slice(spec: tuple[Any, ...]) -> None:
    assert_same(lambda tf, x: tf.strided_slice(x, *spec), X)


INDEX = "a tensor's index is made of integers, slices, `...`, `tf.newaxis` and scalar integer tensors, not "
REFUSED: dict[str, tuple[Callable[[Any, Any], Any], str]] = {
    "index": (lambda _, x: x[2], "index 2 is outside axis 0 of [2, 3, 4], which has size 2"),
    "negative index": (lambda _, x: x[0, ..., -5], "index -5 is outside axis 2 of [2, 3, 4], which has size 4"),
    "too many": (lambda _, x: x[0, 0, 0, 0], "4 indices are too many for a tensor of shape [2, 3, 4]"),
    "scalar": (lambda _, x: x[0, 0, 0][0], "1 indices are too many for a tensor of shape []"),
    "two ellipses": (lambda _, x: x[..., 0, ...], "an index can have one `...` only"),
    "no step": (lambda _, x: x[::0], "the step along axis 0 is 0"),
    "float": (lambda _, x: x[1.5], INDEX + "1.5"),
    "float bound": (lambda _, x: x[:1.5], INDEX + "1.5"),
    "text": (lambda _, x: x["a"], INDEX + "'a'"),
    "integers": (lambda tf, x: x[tf.constant([0, 1])], INDEX + "a tensor int32[2]"),
    "float tensor": (lambda tf, x: x[tf.constant(1.0)], INDEX + "a tensor float32[]"),
    "uint8 tensor": (lambda tf, x: x[tf.constant(1, "uint8")], INDEX + "a tensor uint8[]"),
    "mask among others": (lambda tf, x: x[tf.constant([True, False]), 0], INDEX + "a tensor bool[2]"),
    "true": (lambda _, x: x[True], "a mask cannot be a scalar"),
    "mask, shape": (
        lambda tf, x: x[tf.constant([True, False, True])],
        "a mask of shape [3] does not fit [2, 3, 4] from axis 0 on",
    ),
    "mask, axis": (
        lambda tf, x: tf.boolean_mask(x, [True, False, True, True], axis=-1),
        "a mask of shape [4] does not fit [2, 3, 4] from axis -1 on",
    ),
    "iteration": (lambda _, x: list(x[0, 0, 0]), "a scalar tensor cannot be iterated over"),
    "length": (lambda _, x: len(x[0, 0, 0]), "a scalar tensor has no length"),
    "slice, too long": (
        lambda tf, x: tf.slice(x, [0, 1, 0], [2, 3, 1]),
        "3 elements from 1 on are not within axis 1, of size 3",
    ),
    "slice, negative": (
        lambda tf, x: tf.slice(x, [-1, 0, 0], [1, 1, 1]),
        "1 elements from -1 on are not within axis 0, of size 2",
    ),
    "slice, rank": (
        lambda tf, x: tf.slice(x, [0], [1]),
        "`begin` and `size` must have 3 numbers, one for each axis of [2, 3, 4]",
    ),
    "strided, lengths": (
        lambda tf, x: tf.strided_slice(x, [0], [1, 2]),
        "`begin`, `end` and `strides` must have the same length, not 1, 2 and 1",
    ),
    "strided, no list": (lambda tf, x: tf.strided_slice(x, 0, 1), "`begin` must be a list of integers, not 0"),
    "strided, backwards index": (
        lambda tf, x: tf.strided_slice(x, [1], [0], [-1], shrink_axis_mask=1),
        "a lone index cannot have a negative step",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refuses_in_words_what_tensorflow_refuses(name: str) -> None:
    assert_refused(*REFUSED[name])
