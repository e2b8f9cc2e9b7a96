"""`Variable`, against `tf.Variable` (TensorFlow 2.21, run in the test), and the numbers that people asked for."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradcheck import GradientTape, Variable, evaluate, tensor, tf, trace
from tests.engine.both import OURS, THEIRS, Program, Side, assert_same

SIDES = pytest.mark.parametrize("on", [OURS, THEIRS], ids=["ours", "theirs"])


def near(tensor: Any, value: float) -> None:
    """As far as numbers published in float32 can be trusted: to a few of its units of 6e-8."""
    np.testing.assert_allclose(tensor.numpy(), value, rtol=5e-7)


@SIDES
def test_a_gradient_belongs_to_the_variable_not_to_what_it_was_assigned(on: Side) -> None:
    """c holds 3, and d(c^2)/dc = 6; b is not connected."""
    a, b, c = on.Variable(1.0), on.Variable(2.0), on.Variable(0.0)
    with on.GradientTape(persistent=True) as tape:
        c.assign(a + b)
        loss = on.tf.reduce_mean(c**2)
    assert tape.gradient(loss, b) is None
    near(tape.gradient(loss, c), 6.0)


@SIDES
def test_an_assignment_is_chained_by_hand(on: Side) -> None:
    """At a = 1, b = 2: c = 5, dloss/dc = 10, dc_/db = 2."""
    a, b, c = on.Variable(1.0), on.Variable(2.0), on.Variable(0.0)
    with on.GradientTape(persistent=True) as tape:
        c_ = a + 2 * b
        c.assign(c_)
        loss = on.tf.reduce_mean(c**2)
    near(tape.gradient(loss, c, output_gradients=tape.gradient(c_, b)), 20.0)


@SIDES
def test_weights_are_mapped_over_lists(on: Side) -> None:
    """As published for x = 0.01: directly, and through variables by a sum of one chain for each element."""
    x = on.Variable(0.01)
    pairs = list(zip([1.0, 4.0], [2.0, 9.0], strict=True))
    held = [on.Variable(0.0), on.Variable(0.0)]
    with on.GradientTape(persistent=True) as tape:
        mixed = [(1 - x) * a + x * b for a, b in pairs]
        direct = on.tf.norm(on.tf.stack(mixed))
        for variable, value in zip(held, mixed, strict=True):
            variable.assign(value)
        assigned = on.tf.norm(on.tf.stack([each.read_value() for each in held]))
    near(tape.gradient(direct, x), 5.0933886)
    assert tape.gradient(assigned, x) is None
    by_element = tape.gradient(assigned, held)
    chains = [tape.gradient(value, x, output_gradients=each) for value, each in zip(mixed, by_element, strict=True)]
    near(on.tf.add_n(chains), 5.0933886)


@SIDES
def test_weights_are_mapped_over_several_shapes(on: Side) -> None:
    """As published for x = 0.5: the sum of Jacobians times gradients is the gradient."""
    x = on.Variable(0.5)
    firsts = [on.tensor([1.0, 4.0]), on.tensor([5.0]), on.tensor(6.0)]
    seconds = [on.tensor([1.0, 5.0]), on.tensor([7.0]), on.tensor(7.0)]
    with on.GradientTape(persistent=True) as tape:
        mixed = [(1 - x) * a + x * b for a, b in zip(firsts, seconds, strict=True)]
        loss = on.tf.norm(on.tf.concat([on.tf.reshape(each, [-1]) for each in mixed], axis=0))
    near(loss, 9.974969)
    near(tape.gradient(loss, x), 2.3057709)
    chained = [on.tf.reduce_sum(tape.jacobian(each, x) * tape.gradient(loss, each)) for each in mixed]
    near(on.tf.add_n(chained), 2.3057709)


def read_before_and_after(on: Side) -> Any:
    v = on.Variable(3.0)
    with on.GradientTape() as tape:
        before = v * 1.0
        v.assign_add(2.0)
        y = before * v
    return [y, tape.gradient(y, v), v]


def updates(on: Side) -> Any:
    v, u = on.Variable([1.0, 2.0, 3.0]), on.tensor([10.0, 20.0])
    given = []
    with on.GradientTape(persistent=True) as tape:
        tape.watch(u)
        v.assign([4.0, 5.0, 6.0])
        v.assign_sub(v * 0.5)
        for update in (v.scatter_nd_update, v.scatter_nd_add, v.scatter_nd_sub):
            update([[2], [0]], u)
            given.append(on.tf.reduce_sum(v**2))
            u = u * 3.0
    return [given, tape.gradient(given, [v, u]), [tape.gradient(each, v) for each in given], v.read_value()]


def an_update_gives_the_variable(on: Side) -> Any:
    v = on.Variable(1.0)
    with on.GradientTape() as tape:
        y = v.assign(3.0).assign_add(1.0) * 2.0
    return [y, tape.gradient(y, v)]


def what_is_watched(on: Side) -> Any:
    used, assigned, unused, constant = (on.Variable(float(n), trainable=n < 3) for n in range(4))
    with on.GradientTape(persistent=True) as every:
        assigned.assign_add(1.0)
        y = used * constant
        with every.stop_recording():
            unused * 2.0
    with on.GradientTape(watch_accessed_variables=False) as chosen:
        chosen.watch(used)
        z = used * assigned
    watched = [list(every.watched_variables()), list(chosen.watched_variables())]
    return [watched, every.gradient(y, [used, constant]), chosen.gradient(z, [used, assigned])]


def variables_as_targets(on: Side) -> Any:
    v = on.Variable([1.0, 2.0])
    with on.GradientTape(persistent=True) as tape:
        y = v * v
    with on.GradientTape(persistent=True, watch_accessed_variables=False) as blind:
        v * v
    asked = [tape.gradient(v, v), tape.gradient([v, y], v), tape.jacobian(v, v), tape.jacobian(y, [v])]
    return [*asked, blind.gradient(v, v), blind.jacobian(v, v)]


def second_derivatives(on: Side) -> Any:
    v, w = on.Variable([1.0, 2.0]), on.Variable(3.0)
    with on.GradientTape(persistent=True) as outer:
        with on.GradientTape() as inner:
            y = on.tf.reduce_sum(v**3.0) * w
        first = inner.gradient(y, [v, w])
    return [first, outer.jacobian(first[0], [v, w]), outer.gradient(first[1], [v, w])]


def integers(on: Side) -> Any:
    v, i = on.Variable([1.0, 2.0, 3.0]), on.tf.constant([2, 2, 0])
    with on.GradientTape() as tape:
        y = on.tf.gather(v, i) * v[1] + on.tf.stack([v[0], v[2], 1.0])
    return tape.gradient(y, [v, i])


@pytest.mark.parametrize(
    "program",
    [
        read_before_and_after, updates, an_update_gives_the_variable, what_is_watched, variables_as_targets,
        second_derivatives, integers,
    ],
)  # fmt: skip
def test_answers_as_tensorflow_does(program: Program) -> None:
    assert_same(program)


def test_a_read_value_stays_what_it_was() -> None:
    v = Variable([1.0, 2.0])
    read, array = v.read_value(), v.numpy()
    v.assign_add([1.0, 1.0])
    assert (read.numpy().tolist(), array.tolist(), v.numpy().tolist()) == ([1.0, 2.0], [1.0, 2.0], [2.0, 3.0])


def test_a_read_value_is_not_what_was_assigned() -> None:
    """A tape that watches the one does not see the other."""
    given, v = tensor(1.0), Variable(0.0)
    v.assign(given)
    read = v.read_value()
    with GradientTape() as tape:
        tape.watch(given)
        y = read * 2.0
    assert tape.gradient(y, given) is None


def test_a_variable_does_not_share_the_array_it_starts_from() -> None:
    array = np.ones(2)
    v = Variable(array)
    array[:] = 7.0
    assert v.numpy().tolist() == [1.0, 1.0]


def test_what_a_variable_says_of_itself() -> None:
    v = Variable([[1, 2]], name="weights", dtype="float64")
    assert (v.shape, v.dtype.name, v.ndim, v.name, v.trainable) == ((1, 2), "float64", 2, "weights", True)
    assert repr(v) == "<variable weights float64[1, 2]:\n[[1. 2.]]>"
    assert bool(Variable(2.0)) is True
    assert float(Variable(2.5)) == 2.5
    np.testing.assert_array_equal(np.asarray(v), [[1.0, 2.0]])
    assert tensor(v).dtype.name == "float64"


def test_a_program_takes_what_a_variable_holds_as_a_constant() -> None:
    v = Variable([3.0], dtype="float64")
    program = trace(lambda x: x * v, {"x": np.ones(1)})
    v.assign([9.0])
    (found,) = evaluate(program, {"x": np.array([2.0])})
    np.testing.assert_array_equal(found, [6.0])


V = Variable([1.0, 2.0])


@pytest.mark.parametrize(
    ("update", "message"),
    [
        (lambda: V.assign([1.0, 2.0, 3.0]), r"the value of a variable float32\[2\] cannot be float32\[3\]"),
        (lambda: V.assign(tf.constant([1, 2])), r"float32\[2\] cannot be int32\[2\]"),
        (lambda: V.assign(1.0), r"float32\[2\] cannot be float32\[\]"),
        (lambda: V.assign_add(1.0), r"what is added to a variable float32\[2\] cannot be float32\[\]"),
        (lambda: V.assign_sub([1.0]), r"what is subtracted from a variable float32\[2\] cannot be float32\[1\]"),
        (lambda: Variable(None), "not a number"),
    ],
)
def test_what_a_variable_cannot_hold(update: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        update()
    assert V.numpy().tolist() == [1.0, 2.0]
