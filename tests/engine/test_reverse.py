"""The reverse walk: sums at fan-outs, broadcasting undone, what is connected, nothing that recurses."""

import numpy as np
import pytest

from gradcheck import differentiate, evaluate, tf, trace
from gradcheck.engine.reverse import unbroadcast
from gradcheck.program import Program
from gradcheck.tensors import Builder


def gradients(program: Program, inputs: dict[str, object], sources: list[str]) -> list[np.ndarray | None]:
    arrays = {name: np.asarray(value, program.types[program.inputs[name]].dtype) for name, value in inputs.items()}
    (target,) = program.outputs
    assert target is not None
    arrays["cotangent"] = np.ones(program.types[target].shape, program.types[target].dtype)
    return evaluate(differentiate(program, sources), arrays)[1:]


def test_contributions_of_a_fan_out_are_summed() -> None:
    program = trace(lambda x: x * x + 3.0 * x, {"x": np.float64(0)})
    assert gradients(program, {"x": 5.0}, ["x"]) == [13.0]


def test_a_ladder_of_diamonds_is_linear_in_its_length() -> None:
    def ladder(x: object) -> object:
        for _ in range(200):
            x = x + x  # type: ignore[operator]
        return x

    program = trace(ladder, {"x": np.float64(0)})
    gradient = differentiate(program, ["x"])
    assert len(gradient.instructions) == 2 * 200
    assert gradients(program, {"x": 1.0}, ["x"]) == [2.0**200]


def test_a_chain_of_a_hundred_thousand_operations_is_differentiated_without_recursion() -> None:
    builder = Builder(inline=False)
    x = y = builder.input("x", trace(lambda x: x, {"x": np.float64(0)}).types[0])
    for _ in range(100_000):
        y = -y
    assert gradients(builder.finish([y]), {"x": 1.0}, ["x"]) == [1.0]
    assert x.index == 0


@pytest.mark.parametrize(
    ("part", "operand"),
    [
        ((4, 2, 3), (2, 3)),  # leading axes
        ((2, 3), (2, 1)),  # an axis of size 1
        ((2, 3), (1, 1)),
        ((2, 3), ()),  # a scalar
        ((4, 2, 3), (1, 3)),  # both
        ((0, 3), (1, 3)),  # nothing to sum is zero
        ((2, 0), (2, 1)),
        ((1, 3), (1, 3)),  # an axis of size 1 that was not repeated stays
        ((5, 1, 3), (1, 3)),
    ],
)
def test_unbroadcast_sums_over_exactly_the_repeated_axes(part: tuple[int, ...], operand: tuple[int, ...]) -> None:
    given = np.arange(np.prod(part), dtype=np.float64).reshape(part)
    expected = np.zeros(operand)
    for at in np.ndindex(part):
        own = tuple(0 if size == 1 else i for i, size in zip(at[len(part) - len(operand) :], operand, strict=True))
        expected[own] += given[at]
    program = trace(lambda g: unbroadcast(g, operand), {"g": given})
    (found,) = evaluate(program, {"g": given})
    np.testing.assert_array_equal(found, expected)


def test_a_source_without_a_path_is_not_connected() -> None:
    program = trace(lambda x, y: x * 2.0 + 0.0 * tf.floor(y), {"x": np.float64(0), "y": np.float64(0)})
    assert gradients(program, {"x": 1.0, "y": 1.0}, ["x", "y"]) == [2.0, None]


def test_a_source_that_is_the_target_gets_the_cotangent() -> None:
    program = trace(lambda x: x, {"x": np.zeros(2)})
    np.testing.assert_array_equal(gradients(program, {"x": [5.0, 6.0]}, ["x"])[0], [1.0, 1.0])


def test_a_source_asked_for_twice_gets_the_whole_gradient_twice() -> None:
    program = trace(lambda x: x * x, {"x": np.float64(0)})
    assert gradients(program, {"x": 3.0}, ["x", "x"]) == [6.0, 6.0]


def test_an_integer_source_is_not_connected() -> None:
    program = trace(lambda i: tf.cast(i, tf.zeros([]).dtype) * 2.0, {"i": np.int32(0)})
    assert gradients(program, {"i": 3}, ["i"]) == [None]


def test_derivatives_of_every_order_of_a_power() -> None:
    """d^n/dx^n x^5 at 2: 80, 160, 240, 240, 120."""
    program = trace(lambda x: x**5.0, {"x": np.float64(0)})
    inputs: dict[str, np.ndarray] = {"x": np.float64(2.0)}  # type: ignore[dict-item]
    found = []
    for order in range(5):
        gradient = differentiate(program, ["x"])
        inputs["cotangent" + "'" * order] = np.ones(())
        found.append(evaluate(gradient, inputs)[-1])
        program = Program(
            gradient.types, gradient.inputs, gradient.constants, gradient.instructions, gradient.outputs[-1:]
        )
    np.testing.assert_allclose(found, [80, 160, 240, 240, 120], rtol=1e-14)


def test_results_are_bit_for_bit_reproducible() -> None:
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((64, 64)), rng.standard_normal((64, 64))
    program = trace(lambda x, w: tf.tanh(x @ w) @ w, {"x": x, "w": w})
    runs = [gradients(program, {"x": x, "w": w}, ["x", "w"]) for _ in range(3)]
    for again in runs[1:]:
        for first, second in zip(runs[0], again, strict=True):
            assert first is not None
            assert second is not None
            assert first.tobytes() == second.tobytes()
