"""`custom_gradient`, against `tf.custom_gradient` (TensorFlow 2.21, run in the test)."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradcheck import GradientTape, Variable, custom_gradient, tensor, trace
from tests.engine.both import Program, Side, assert_same


def log1pexp_of(on: Side) -> Any:
    @on.custom_gradient
    def log1pexp(x: Any) -> Any:
        e = on.tf.exp(x)
        return on.tf.math.log(1.0 + e), lambda upstream: upstream * (1.0 - 1.0 / (1.0 + e))

    return log1pexp


def stable(on: Side) -> Any:
    x = on.tensor([1.0, 100.0])
    with on.GradientTape(persistent=True) as outer:
        outer.watch(x)
        with on.GradientTape(persistent=True) as inner:
            inner.watch(x)
            y = log1pexp_of(on)(x) * 2.0
        first = inner.gradient(y, x)
    return [y, first, outer.gradient(first, x), inner.jacobian(y, x), outer.jacobian(first, x)]


def clipped(on: Side) -> Any:
    @on.custom_gradient
    def clip(x: Any) -> Any:
        return on.tf.identity(x), lambda g: on.tf.clip_by_value(g, -1.0, 1.0)

    x = on.tensor([1.0, -2.0])
    with on.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = clip(x) ** 2.0 * 3.0
    return [tape.gradient(y, x), tape.jacobian(y, x)]


def several(on: Side) -> Any:
    def f(pair: Any, *, scale: Any) -> Any:
        a, b = pair["a"], pair["b"]

        def grad(product: Any, total: Any) -> Any:
            return product * b * scale + total, 7.0 * product * a

        return {"p": a * b * scale, "t": a + b}, grad

    a, b, scale = on.tensor([2.0, 1.0]), on.tensor([3.0, 5.0]), on.tensor(4.0)
    with on.GradientTape(persistent=True) as outer:
        outer.watch([a, b, scale])
        with on.GradientTape(persistent=True) as tape:
            tape.watch([a, b, scale])
            made = on.custom_gradient(f)({"a": a, "b": b}, scale=scale)
            y = made["p"] ** 2.0 * made["t"]
        rows = tape.jacobian(y, [a, b, scale])
    asked = [tape.gradient(y, [a, b, scale]), tape.gradient(made["t"], [a, b])]
    return [*asked, rows, outer.gradient(rows[0], [a, b, scale])]


def with_variables(on: Side) -> Any:
    v = on.Variable([2.0, 3.0])

    @on.custom_gradient
    def f(x: Any) -> Any:
        e = on.tf.exp(x)

        def grad(g: Any, variables: Any) -> Any:
            return on.tf.reduce_sum(g * e * variables[0]), [100.0 * g]

        return e * v, grad

    x = on.tensor(0.5)
    with on.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    return tape.gradient(y, [x, v])


def variables_as_arguments(on: Side) -> Any:
    v = on.Variable([2.0, 3.0])
    f = on.custom_gradient(lambda x, y: (x * y, lambda g: (5.0 * g, 7.0 * g)))
    with on.GradientTape() as tape:
        y = f(v, v)
    return tape.gradient(y, v)


def calling_another(on: Side) -> Any:
    log1pexp = log1pexp_of(on)
    f = on.custom_gradient(lambda x: (x**3.0, lambda g: log1pexp(g * x)))
    x = on.tensor([0.5, -1.0])
    with on.GradientTape(persistent=True) as outer:
        outer.watch(x)
        with on.GradientTape() as inner:
            inner.watch(x)
            y = f(x)
        rows = inner.jacobian(y, x)
    return [rows, outer.gradient(rows, x)]


def forwards(on: Side) -> Any:
    """A tangent comes through the function's own operations, if these are followed; else from its gradient."""
    inside = on.custom_gradient(lambda x: (x * x, lambda g: 7.0 * g * x))
    hidden = on.custom_gradient(lambda x: (on.tensor(np.sin(x.numpy())), lambda g: 7.0 * g * on.tf.cos(x)))
    x = on.tensor([0.5, 2.0])
    with on.GradientTape() as tape:
        tape.watch(x)
        with on.ForwardAccumulator(x, on.tensor([1.0, 10.0])) as accumulator:
            y, z = inside(x), hidden(x)
        pushed = accumulator.jvp([y, z])
    return [pushed, tape.gradient(pushed, x)]


@pytest.mark.parametrize(
    "program",
    [stable, clipped, several, with_variables, variables_as_arguments, calling_another, forwards],
)
def test_answers_as_tensorflow_does(program: Program) -> None:
    assert_same(program)


def test_the_gradient_is_python_even_in_a_jacobian() -> None:
    """Its cotangent has numbers: here each is replaced by its sign, times 5."""
    f = custom_gradient()(lambda x: (x * 1.0, lambda g: tensor(np.sign(g.numpy()) * np.float32(5.0))))
    x = tensor([1.0, 2.0])
    with GradientTape() as tape:
        tape.watch(x)
        y = f(x) * -3.0
    np.testing.assert_array_equal(tape.jacobian(y, x).numpy(), [[-5.0, 0.0], [0.0, -5.0]])


def test_it_keeps_its_name() -> None:
    @custom_gradient
    def cube(x: Any) -> Any:
        """x^3."""

    assert (cube.__name__, cube.__doc__) == ("cube", "x^3.")


V = Variable(2.0, name="weight")
X = tensor(3.0)


def differentiated(f: Callable[..., Any]) -> Any:
    with GradientTape() as tape:
        tape.watch(X)
        y = custom_gradient(f)(X)
    return tape.gradient(y, X)


@pytest.mark.parametrize(
    ("kind", "message", "f"),
    [
        (TypeError, "gives its value and a function: `return y, grad`", lambda x: x * x),
        (TypeError, r"uses variables \(weight\): .* `variables=`", lambda x: (x * V, lambda g: g)),
        (ValueError, "2 gradients for 1 arguments", lambda x: (x * x, lambda g: (g, g))),
        (ValueError, "0 gradients for 1 variables", lambda x: (x * V, lambda g, variables: (g, []))),
        (ValueError, "two lists", lambda x: (x * V, lambda g, variables: g)),
        (ValueError, r"argument float32\[\] cannot be float32\[1\]", lambda x: (x * x, lambda g: tensor([1.0]))),
    ],
)
def test_what_is_wrong_is_said(kind: type[Exception], message: str, f: Callable[..., Any]) -> None:
    with pytest.raises(kind, match=message):
        differentiated(f)


def test_a_program_cannot_call_it() -> None:
    with pytest.raises(TypeError, match="tensors that have numbers"):
        trace(custom_gradient(lambda x: (x * x, lambda g: g)), {"x": np.ones(2)})
