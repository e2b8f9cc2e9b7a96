"""`GradientTape`, against the answers that `tf.GradientTape` gives (TensorFlow 2.21, run in the test)."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

from gradcheck import GradientTape, Variable, tensor, tf
from tests.engine.both import Program, Side, assert_same


class Pair(NamedTuple):
    left: Any
    right: Any


def first_order(on: Side) -> Any:
    x, w = on.tensor([[1.0, 2.0], [3.0, 4.0]]), on.tensor([[0.5], [-1.0]])
    with on.GradientTape() as tape:
        tape.watch([x, w])
        loss = on.tf.reduce_sum(on.tf.tanh(x @ w) ** 2)
    return tape.gradient(loss, [x, w])


def second_order(on: Side) -> Any:
    x = on.tensor(3.0)
    with on.GradientTape() as outer:
        outer.watch(x)
        with on.GradientTape() as inner:
            inner.watch(x)
            y = x**3.0
        first = inner.gradient(y, x)
    return [first, outer.gradient(first, x)]


def persistent(on: Side) -> Any:
    x = on.tensor(2.0)
    with on.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x * x
        z = y * y
    return [tape.gradient(z, x), tape.gradient(y, x), tape.gradient(z, y), tape.gradient(z, [x, y])]


def watched_later(on: Side) -> Any:
    x = on.tensor(3.0)
    with on.GradientTape() as tape:
        a = x * x
        tape.watch(x)
        y = a + 5.0 * x
    return tape.gradient(y, x)


def unwatched(on: Side) -> Any:
    x, y = on.tensor(3.0), on.tensor([4.0, 5.0])
    with on.GradientTape(persistent=True) as tape:
        tape.watch(x)
        z = x * 2.0
    asked = [tape.gradient(z, y), tape.gradient(z, y, unconnected_gradients="zero")]
    return [*asked, tape.jacobian(z, [y, x]), tape.jacobian(z, y, unconnected_gradients="zero")]


def cotangents(on: Side) -> Any:
    x = on.tensor([1.0, 2.0])
    with on.GradientTape() as tape:
        tape.watch(x)
        targets = [x * x, on.tf.reduce_sum(x)]
    return tape.gradient(targets, x, output_gradients=[on.tensor([1.0, 10.0]), on.tensor(100.0)])


def nested_structures(on: Side) -> Any:
    x, y, z = on.tensor(1.0), on.tensor(2.0), on.tensor(3.0)
    with on.GradientTape() as tape:
        tape.watch({"x": x, "rest": (y, [z])})
        targets = {"sum": x + y, "products": [x * y, z * x]}
    given = {"products": [on.tensor(10.0), on.tensor(100.0)], "sum": on.tensor(1.0)}
    return tape.gradient(targets, {"z": z, "a": Pair(x, (y,)), "none": []}, output_gradients=given)


def its_own_source(on: Side) -> Any:
    x, other = on.tensor([1.0, 2.0]), on.tensor(5.0)
    with on.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x * 3.0
    asked = [tape.gradient(x, x), tape.gradient(y, [y, x, y, x]), tape.gradient([other, other], [other, x])]
    return [*asked, tape.jacobian(x, x), tape.jacobian(y, [x, y, x]), tape.jacobian(other, other)]


def no_sources(on: Side) -> Any:
    x = on.tensor(1.0)
    with on.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x * x
    return [tape.gradient(y, []), tape.gradient([], x), tape.jacobian(y, [])]


def integers(on: Side) -> Any:
    x, i = on.tensor(2.0), on.tf.constant([2, 3])
    with on.GradientTape(persistent=True) as tape:
        tape.watch([x, i])
        k = i * i
        y = x * on.tf.cast(k, "float64")
    asked = [tape.gradient(y, [x, i]), tape.gradient(k, [i, x]), tape.gradient(k, k)]
    return [*asked, tape.gradient(y, i, unconnected_gradients="zero")]


def stopped(on: Side) -> Any:
    x = on.tensor(3.0)
    with on.GradientTape() as tape:
        tape.watch(x)
        y = x * x
        with tape.stop_recording():
            z = x * x
        w = y * z
    return tape.gradient(w, x)


def reset(on: Side) -> Any:
    x, v = on.tensor(3.0), on.Variable(2.0)
    with on.GradientTape() as tape:
        tape.watch(x)
        y = x * x * v
        before = tape.watched_variables()
        tape.reset()
        after = tape.watched_variables()
        tape.watch(x)
        z = x * 3.0 + y
    assert (len(before), len(after)) == (1, 0)
    return tape.gradient(z, [x, v])


def entered_again(on: Side) -> Any:
    x = on.tensor(3.0)
    tape = on.GradientTape()
    with tape:
        tape.watch(x)
        y = x * x
    with tape:
        z = y * y
    return tape.gradient(z, x)


def asked_while_recording(on: Side) -> Any:
    x = on.tensor(3.0)
    with on.GradientTape(persistent=True) as tape:
        tape.watch(x)
        first = tape.gradient(x**3.0, x)
    return [first, tape.gradient(first, x)]


def of_jacobian(on: Side) -> Any:
    """A Jacobian is differentiated again: the second derivatives of each element."""
    x, w = on.tensor([0.5, -1.0, 2.0]), on.tensor([[1.0, 2.0, 0.5], [0.0, 1.0, -1.0]])
    with on.GradientTape(persistent=True) as outer:
        outer.watch([x, w])
        with on.GradientTape() as inner:
            inner.watch(x)
            y = on.tf.sin(on.tf.linalg.matvec(w, x * x)) * on.tf.reduce_prod(x)
        rows = inner.jacobian(y, x)
        total = on.tf.reduce_sum(rows**2.0)
    return [rows, outer.jacobian(rows, x), outer.gradient(total, [x, w])]


def jacobians(on: Side) -> Any:
    x, w = on.tensor([[0.1, 0.2], [0.3, -0.4], [0.5, -0.1]]), on.tensor([[0.5, 1.0], [-1.0, 2.0]])
    with on.GradientTape(persistent=True) as tape:
        tape.watch([x, w])
        y = on.tf.nn.softmax(on.tf.tanh(x @ w))
        picked = on.tf.gather(y, [2, 0])
    asked = [tape.jacobian(y, {"w": w, "x": x}), tape.jacobian(picked, x), tape.batch_jacobian(y, x)]
    return [*asked, tape.jacobian(on.tensor([1.0]), x), tape.batch_jacobian(on.tensor([[1.0]] * 3), x)]


def gradient_penalty(on: Side) -> Any:
    x, w = on.tensor([[1.0, 2.0], [3.0, -1.0]]), on.Variable([[0.5], [-1.0]])
    with on.GradientTape() as outer:
        with on.GradientTape() as inner:
            inner.watch(x)
            scores = on.tf.tanh(x @ w)
        slopes = inner.gradient(scores, x)
        loss = on.tf.reduce_mean((on.tf.norm(slopes, axis=1) - 1.0) ** 2)
    return outer.gradient(loss, w)


PROGRAMS = [
    first_order, second_order, persistent, watched_later, unwatched, cotangents, nested_structures, its_own_source,
    no_sources, integers, stopped, reset, entered_again, asked_while_recording, of_jacobian, jacobians,
    gradient_penalty,
]  # fmt: skip


@pytest.mark.parametrize("program", PROGRAMS)
def test_answers_as_tensorflow_does(program: Program) -> None:
    assert_same(program)


def test_python_decides_as_it_runs() -> None:
    """The loop runs until 3 x^n > 50: for x = 2 that is 3 x^5, whose derivative is 15 x^4 = 240."""
    x = tensor(2.0)
    with GradientTape() as tape:
        tape.watch(x)
        y = 3.0 * x
        while y < 50.0:
            y = y * x
    assert (float(y), float(tape.gradient(y, x))) == (96.0, 240.0)


def test_a_tape_that_is_not_persistent_answers_once() -> None:
    x = tensor(3.0)
    with GradientTape() as tape:
        tape.watch(x)
        y = x * x
    tape.gradient(y, x)
    for ask in (tape.gradient, tape.jacobian, tape.batch_jacobian):
        with pytest.raises(RuntimeError, match=r"^this tape gives one set of gradients; GradientTape\(persistent=True"):
            ask(y, x)


def test_a_tape_without_a_with_block_has_nothing_to_say() -> None:
    x = tensor(3.0)
    with pytest.raises(RuntimeError, match="recorded nothing"):
        GradientTape().gradient(x, x)
    with pytest.raises(RuntimeError, match="not started to record"):
        GradientTape().watch(x)


X = tensor([[1.0, 2.0], [3.0, 4.0]])

WRONG: list[tuple[type[Exception], str, Callable[[GradientTape], Any]]] = [
    (TypeError, "a source must be a tensor or a variable, not None", lambda tape: tape.gradient(X, [None])),
    (TypeError, "a target must be a tensor or a variable, not 3.0", lambda tape: tape.gradient(3.0, X)),
    (TypeError, r"a target must be .*, not \[", lambda tape: tape.jacobian([X], X)),
    (TypeError, "what a tape watches must be .*, not 'x'", lambda tape: tape.watch("x")),
    (ValueError, "2 targets need as many", lambda tape: tape.gradient([X, X], X, output_gradients=[X])),
    (
        ValueError,
        r"the cotangent of a target float32\[2, 2\] cannot be float32\[\]",
        lambda tape: tape.gradient(X, X, output_gradients=1.0),
    ),
    (ValueError, "'none' or 'zero', not 'nil'", lambda tape: tape.jacobian(X, X, unconnected_gradients="nil")),  # type: ignore[arg-type]
    (ValueError, r"one first axis: \[1, 2\] and \[2, 2\]", lambda tape: tape.batch_jacobian(X[:1], X)),
    (ValueError, r"one first axis: \[\] and \[2, 2\]", lambda tape: tape.batch_jacobian(tensor(1.0), X)),
    (ValueError, "is not recording", lambda tape: tape.reset()),
    (ValueError, "is not recording", lambda tape: tape.stop_recording().__enter__()),
]


@pytest.mark.parametrize(("kind", "message", "ask"), WRONG)
def test_what_is_wrong_is_said(kind: type[Exception], message: str, ask: Callable[[GradientTape], Any]) -> None:
    with GradientTape() as tape:
        pass
    with pytest.raises(kind, match=message):
        ask(tape)


def test_a_tape_that_records_cannot_be_entered() -> None:
    with GradientTape() as tape, pytest.raises(ValueError, match="recording already"):
        tape.__enter__()


def test_what_is_computed_outside_of_every_tape_is_not_kept() -> None:
    """A spent tape, and one that has been left, follow nothing any more."""
    x, v = tensor([1.0]), Variable([2.0])
    with GradientTape() as tape:
        tape.watch(x)
        y = x * v
    later = y * x * v
    (found,) = tape.gradient([later], [x])
    assert found is None
    np.testing.assert_array_equal(tf.reduce_sum(later).numpy(), 4.0)
