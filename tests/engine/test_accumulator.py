"""`ForwardAccumulator`, against `tf.autodiff.ForwardAccumulator` (TensorFlow 2.21, run in the test)."""

from collections.abc import Callable
from typing import Any

import pytest

from gradcheck import ForwardAccumulator, GradientTape, tensor
from tests.engine.both import Program, Side, assert_same


def network(on: Side, x: Any, w: Any) -> Any:
    hidden = on.tf.tanh(x @ w)
    top, places = on.tf.math.top_k(hidden, k=2)
    parts = on.tf.split(on.tf.nn.softmax(hidden), 3, axis=1)
    return [on.tf.reduce_sum(top * hidden[:, :2]), parts[0] * parts[2], on.tf.cast(places, "float64")]


def start(on: Side) -> tuple[Any, Any, Any, Any]:
    x, w = on.tensor([[0.5, -1.0], [0.25, 2.0]]), on.tensor([[0.3, -0.2, 0.9], [1.0, 0.4, -0.7]])
    return x, w, on.tensor([[1.0, 0.5], [-2.0, 0.1]]), on.tensor([[0.2, 1.0, -1.0], [0.7, 0.3, 2.0]])


def forwards(on: Side) -> Any:
    x, w, dx, dw = start(on)
    with on.ForwardAccumulator({"x": x, "w": [w]}, {"x": dx, "w": [dw]}) as both:
        y = network(on, x, w)
    with on.ForwardAccumulator(x, dx) as one:
        z = network(on, x, w)
    return [y, both.jvp(y), both.jvp({"x": x, "w": w}), one.jvp(z), one.jvp([x, w]), one.jvp(y)]


def not_connected(on: Side) -> Any:
    x, other = on.tensor(2.0), on.tensor([1.0, 2.0])
    with on.ForwardAccumulator(x, on.tensor(1.0)) as accumulator:
        y, z = on.tf.stop_gradient(x) * 2.0, other * 2.0
    after = x * 3.0
    asked = [accumulator.jvp([y, z, after, x]), accumulator.jvp(z, unconnected_gradients="zero")]
    return [*asked, accumulator.jvp({"a": after, "z": z}, "zero")]


def forward_over_reverse(on: Side) -> Any:
    x, w, dx, _ = start(on)
    with on.ForwardAccumulator(x, dx) as accumulator:
        with on.GradientTape() as tape:
            tape.watch([x, w])
            loss = network(on, x, w)[0]
        gradients = tape.gradient(loss, [x, w])
    return [gradients, accumulator.jvp(gradients), accumulator.jvp(loss)]


def reverse_over_forward(on: Side) -> Any:
    """The tangents are computed as the operations are, so that the tape has them when they are asked for later."""
    x, w, dx, _ = start(on)
    with on.GradientTape(persistent=True) as tape:
        tape.watch([x, w, dx])
        with on.ForwardAccumulator(x, dx) as accumulator:
            y = network(on, x, w)
        inside = accumulator.jvp(y[0])
    return [tape.gradient(inside, [x, w, dx]), tape.gradient(accumulator.jvp(y[1]), [x, w])]


def forward_over_forward(on: Side) -> Any:
    x = on.tensor(3.0)
    with on.ForwardAccumulator(x, on.tensor(1.0)) as outer:
        with on.ForwardAccumulator(x, on.tensor(2.0)) as inner:
            y = x**3.0
        first = inner.jvp(y)
    return [first, outer.jvp(first), outer.jvp(y), inner.jvp(outer.jvp(y))]


def a_tape_inside_sees_no_tangents(on: Side) -> Any:
    x = on.tensor(3.0)
    with on.ForwardAccumulator(x, on.tensor(1.0)) as accumulator, on.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x**3.0
        pushed = accumulator.jvp(y)
    return [tape.gradient(y, x), tape.gradient(pushed, x)]


def through_a_jacobian(on: Side) -> Any:
    x = on.tensor([0.5, 2.0, -1.0])
    with on.ForwardAccumulator(x, on.tensor([1.0, 2.0, 3.0])) as accumulator:
        with on.GradientTape() as tape:
            tape.watch(x)
            y = on.tf.sin(x) * on.tf.reduce_prod(x)
        rows = tape.jacobian(y, x)
    return [rows, accumulator.jvp(rows)]


def variables(on: Side) -> Any:
    v = on.Variable([1.0, 2.0])
    with on.ForwardAccumulator(v, on.tensor([1.0, 10.0])) as accumulator:
        y = v * v
        v.assign([5.0, 5.0])
        z = v * v
    return [accumulator.jvp([y, z]), accumulator.jvp(v)]


def complex_numbers(on: Side) -> Any:
    real, imaginary = on.tensor([1.0, -2.0]), on.tensor([0.5, 3.0])
    with on.ForwardAccumulator([real, imaginary], [on.tensor([1.0, 2.0]), on.tensor([-1.0, 0.5])]) as accumulator:
        z = on.tf.complex(real, imaginary)
        y = z * on.tf.exp(z)
        size = on.tf.abs(y)
    return accumulator.jvp([y, size, on.tf.math.real(z)])


@pytest.mark.parametrize(
    "program",
    [
        forwards, not_connected, forward_over_reverse, reverse_over_forward, forward_over_forward,
        a_tape_inside_sees_no_tangents, through_a_jacobian, variables, complex_numbers,
    ],
)  # fmt: skip
def test_answers_as_tensorflow_does(program: Program) -> None:
    assert_same(program)


def test_a_product_of_a_hessian_and_a_vector() -> None:
    """For x^2 y: H = [[2 y, 2 x], [2 x, 0]], so at (3, 5) H (1, 2) = (10 + 12, 6)."""
    x, y = tensor(3.0), tensor(5.0)
    with ForwardAccumulator([x, y], [1.0, 2.0]) as accumulator:
        with GradientTape() as tape:
            tape.watch([x, y])
            z = x * x * y
        gradients = tape.gradient(z, [x, y])
    assert [float(each) for each in accumulator.jvp(gradients)] == [22.0, 6.0]


X = tensor([1.0, 2.0])


@pytest.mark.parametrize(
    ("kind", "message", "make"),
    [
        (ValueError, "1 primals need as many tangents, not 2", lambda: ForwardAccumulator(X, [X, X])),
        (ValueError, r"a primal float32\[2\] cannot be float32\[1\]", lambda: ForwardAccumulator([X], [tensor([1.0])])),
        (ValueError, "given twice", lambda: ForwardAccumulator([X, X], [X, X])),
        (TypeError, "a primal must be a tensor or a variable, not 1.0", lambda: ForwardAccumulator(1.0, 1.0)),
        (TypeError, "must be a tensor or a variable, not None", lambda: ForwardAccumulator(X, X).jvp(None)),
        (ValueError, "'none' or 'zero', not 0", lambda: ForwardAccumulator(X, X).jvp(X, 0)),  # type: ignore[arg-type]
    ],
)
def test_what_is_wrong_is_said(kind: type[Exception], message: str, make: Callable[[], Any]) -> None:
    with pytest.raises(kind, match=message):
        make()


def test_an_accumulator_that_records_cannot_be_entered() -> None:
    with ForwardAccumulator(X, X) as accumulator, pytest.raises(ValueError, match="recording already"):
        accumulator.__enter__()
