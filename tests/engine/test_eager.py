"""The engine as a library, against the answers that `tf.GradientTape` gives (TensorFlow 2.21, run in the test)."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow

import gradcheck
from gradcheck import GradientTape, tensor


def both(program: Callable[[Any, Callable[[Any], Any], Any], Any]) -> list[list[Any]]:
    """What `program(tf, variable, Tape)` gives on either side, as nested lists."""
    ours = program(gradcheck.tf, lambda value: tensor(value, "float64"), GradientTape)
    theirs = program(tensorflow, lambda value: tensorflow.constant(value, tensorflow.float64), tensorflow.GradientTape)
    return [[None if each is None else np.asarray(each.numpy()).tolist() for each in side] for side in (ours, theirs)]


def first_order(tf: Any, make: Any, tape_class: Any) -> list[Any]:
    x, w = make([[1.0, 2.0], [3.0, 4.0]]), make([[0.5], [-1.0]])
    with tape_class() as tape:
        tape.watch([x, w])
        loss = tf.reduce_sum(tf.tanh(x @ w) ** 2)
    return list(tape.gradient(loss, [x, w]))


def second_order(tf: Any, make: Any, tape_class: Any) -> list[Any]:
    x = make(3.0)
    with tape_class() as outer:
        outer.watch(x)
        with tape_class() as inner:
            inner.watch(x)
            y = x**3.0
        first = inner.gradient(y, x)
    return [first, outer.gradient(first, x)]


def persistent(tf: Any, make: Any, tape_class: Any) -> list[Any]:
    x = make(2.0)
    with tape_class(persistent=True) as tape:
        tape.watch(x)
        y = x * x
        z = y * y
    return [tape.gradient(z, x), tape.gradient(y, x), tape.gradient(z, y), *tape.gradient(z, [x, y])]


def watched_later(tf: Any, make: Any, tape_class: Any) -> list[Any]:
    x = make(3.0)
    with tape_class() as tape:
        a = x * x
        tape.watch(x)
        y = a + 5.0 * x
    return [tape.gradient(y, x)]


def unwatched(tf: Any, make: Any, tape_class: Any) -> list[Any]:
    x, y = make(3.0), make(4.0)
    with tape_class(persistent=True) as tape:
        tape.watch(x)
        z = x * 2.0
    return [tape.gradient(z, y), tape.gradient(z, y, unconnected_gradients="zero")]


def cotangents(tf: Any, make: Any, tape_class: Any) -> list[Any]:
    x = make([1.0, 2.0])
    with tape_class() as tape:
        tape.watch(x)
        targets = [x * x, tf.reduce_sum(x)]
    return [tape.gradient(targets, x, output_gradients=[make([1.0, 10.0]), make(100.0)])]


@pytest.mark.parametrize("program", [first_order, second_order, persistent, watched_later, unwatched, cotangents])
def test_answers_as_tensorflow_does(program: Callable[[Any, Callable[[Any], Any], Any], Any]) -> None:
    for ours, theirs in zip(*both(program), strict=True):
        assert (ours is None) == (theirs is None)
        if ours is not None:
            np.testing.assert_allclose(ours, theirs, rtol=1e-14)


def test_a_tape_that_is_not_persistent_answers_once() -> None:
    x = tensor(3.0)
    with GradientTape() as tape:
        tape.watch(x)
        y = x * x
    tape.gradient(y, x)
    with pytest.raises(RuntimeError, match=r"^this tape gives one set of gradients; GradientTape\(persistent=True\)"):
        tape.gradient(y, x)


def test_sources_may_be_a_dict() -> None:
    sources = {"a": tensor(2.0), "b": [tensor(3.0)]}
    with GradientTape() as tape:
        tape.watch(sources)
        y = sources["a"] * sources["b"][0]
    found = tape.gradient(y, sources)
    assert (float(found["a"]), float(found["b"][0])) == (3.0, 2.0)


def test_a_tensor_takes_a_copy_of_its_array() -> None:
    array = np.ones(2)
    x = tensor(array)
    array[:] = 7.0
    np.testing.assert_array_equal(x.numpy(), [1.0, 1.0])


def test_python_literals_take_the_dtypes_of_tensorflow() -> None:
    for literal in (1, 1.5, True, 1j, [1, 2], [1.0, 2]):
        assert tensor(literal).dtype.name == tensorflow.constant(literal).dtype.name
