"""Engines with a tensor class: variables, cotangents and gradients on their way in and out."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradcheck.dtypes import Array
from gradcheck.engines import Failure, Outcome, Request
from gradcheck.ops.taping import GRADIENT
from gradcheck.program import Instruction, Program
from gradcheck.subjects import TensorEngine
from gradcheck.subjects.find import Located
from tests.subjects.conftest import ENGINES, Compared, inputs
from tests.verdict.asking import ask

ADAPTERS = sorted(ENGINES.glob("*_adapter.py"))
X = np.array([0.5, -1.0, 2.0])


def outcome(engine: TensorEngine, request: Request) -> Outcome:
    found = engine.run(request)
    assert isinstance(found, Outcome), found
    return found


def engine_of(text: str) -> Any:
    return Located(text, str(ENGINES))()


@pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda path: path.stem)
def test_an_adapter_has_at_most_twenty_lines(adapter: Path) -> None:
    assert len(adapter.read_text(encoding="utf-8").splitlines()) <= 20


FILES = ("arithmetic", "arrays", "chain_rule", "dtypes", "elementwise", "indexing", "linalg", "linear_regression")
FILES += ("losses", "matmul_chain", "means_and_norms", "models", "nn", "reductions")
"""Those that a small engine supports something of."""


@pytest.mark.parametrize(("adapter", "fewest"), [("closures_adapter", 50), ("nodes_adapter", 32), ("flow_adapter", 24)])
def test_a_right_engine_passes_all_shipped_cases_that_it_supports(
    compared: Compared, adapter: str, fewest: int
) -> None:
    records, status = compared([f"cases/{name}.yaml" for name in FILES], f"{adapter}.py")
    assert status == 0
    assert {each["verdict"] for each in records} <= {"agree", "undefined", "unsupported"}
    assert sum(each["verdict"] == "agree" for each in records) >= fewest


class Linear:
    """`x * k` for numbers `k`, with as many styles of `backward` as there are."""

    def __init__(self, data: Any, parent: "Linear | None" = None, slope: Any = 1.0) -> None:
        self.data = np.asarray(data, float)
        self.parent, self.slope = parent, slope
        self.grad: Any = None

    def __mul__(self, other: Any) -> "Linear":
        slope = other.data if isinstance(other, Linear) else other
        return Linear(self.data * slope, self, slope)

    def hand_on(self, grad: Array) -> None:
        self.grad = grad
        if self.parent is not None:
            self.parent.hand_on(grad * self.slope)


class Plain(Linear):
    def backward(self) -> None:
        self.hand_on(np.ones_like(self.data))


class TakesArrays(Linear):
    def backward(self, grad: Array | None = None) -> None:
        assert grad is None or isinstance(grad, np.ndarray)
        self.hand_on(np.ones_like(self.data) if grad is None else grad)


class NeedsArrays(Linear):
    def backward(self, grad: Array) -> None:
        assert isinstance(grad, np.ndarray)
        self.hand_on(grad)


class TakesTensors(Linear):
    def backward(self, grad: Linear | None = None) -> None:
        given = Linear(np.ones_like(self.data)) if grad is None else grad
        self.hand_on(given.data)
        at: Linear | None = self
        while at is not None:
            at.grad, at = Linear(at.grad), at.parent


def made(kind: type[Linear]) -> Callable[..., Linear]:
    """The class, with the results of its operators of the same kind."""

    class Kind(kind):  # type: ignore[misc, valid-type]
        def __mul__(self, other: Any) -> Any:
            product = super().__mul__(other)
            product.__class__ = Kind
            return product

    return Kind


def grads(target: Linear, sources: list[Linear]) -> list[Any]:
    target.hand_on(np.ones_like(target.data))
    return [each.grad for each in sources]


def grads_of(target: Linear, sources: list[Linear], cotangent: Linear | None) -> list[Any]:
    target.hand_on(np.ones_like(target.data) if cotangent is None else cotangent.data)
    return [each.grad for each in sources]


@pytest.mark.parametrize(
    "engine",
    [
        TensorEngine(variable=made(Plain)),
        TensorEngine(variable=made(TakesArrays)),
        TensorEngine(variable=made(NeedsArrays)),
        TensorEngine(variable=made(TakesTensors)),
        TensorEngine(variable=Linear, gradients=grads),
        TensorEngine(variable=Linear, gradients=grads_of),
    ],
    ids=["no argument", "arrays", "arrays it cannot do without", "tensors", "gradients", "gradients with cotangents"],
)
@pytest.mark.parametrize("cotangent", [None, np.array([1.0, 10.0, -2.0])])
def test_cotangents_arrive_in_every_style(engine: TensorEngine, cotangent: Array | None) -> None:
    request = ask(lambda x: x * 3.0, x=X, cotangents=[cotangent])
    found = outcome(engine, request)
    np.testing.assert_array_equal(found.outputs[0], 3 * X)
    np.testing.assert_array_equal(found.gradients[0][0], 3 * (np.ones(3) if cotangent is None else cotangent))


def test_a_complex_cotangent_is_brought_in_as_tensorflow_would() -> None:
    cotangent = np.array([1 + 2j, -1j])
    request = ask(lambda x: x * x, x=np.array([1 - 1j, 2 + 0.5j]), cotangents=[cotangent])
    found = outcome(engine_of("closures_adapter.py"), request)
    np.testing.assert_allclose(found.gradients[0][0], 2 * np.conj(request.inputs["x"]) * cotangent)


def test_several_targets_are_differentiated_one_by_one_and_summed() -> None:
    request = ask(lambda x: [x * 3.0, x * x], x=X, cotangents=[None, np.array([1.0, 2.0, 3.0])])
    found = outcome(engine_of("closures_adapter.py"), request)
    np.testing.assert_allclose(found.gradients[0][0], 3 + 2 * X * [1, 2, 3])


def test_what_is_not_connected_is_none_or_zero_as_asked() -> None:
    request = ask(lambda x, y: x * 2.0, x=X, y=X)
    engine = engine_of("closures_adapter.py")
    assert outcome(engine, request).gradients[0][1] is None
    zero = Request(request.program, request.inputs, request.sources, request.cotangents, "zero")
    np.testing.assert_array_equal(outcome(engine, zero).gradients[0][1], np.zeros(3))


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ([1.0], "it gives 1 where 2 gradients belong"),
        (1.0, "it gives float where 2 gradients belong"),
        (["no", 1.0], "its gradient with respect to `x` is 'no', not an array of numbers"),
        ([None, 1j], "its gradient with respect to `y` is complex where real numbers belong"),
        ([None, object()], "its gradient with respect to `y` is an object, not an array of numbers"),
    ],
)
def test_gradients_of_another_kind_are_errors(found: Any, message: str) -> None:
    engine = TensorEngine(variable=Linear, gradients=lambda target, sources: found)
    failed = engine.run(ask(lambda x, y: x * 2.0, x=X, y=X))
    assert isinstance(failed, Failure)
    assert (failed.kind, failed.message) == ("error", message)


def test_second_derivatives_are_asked_for_only_where_there_are_some() -> None:
    request = ask(lambda x: x * 3.0, x=X)
    twice = Request(request.program, request.inputs, ("x",), ((None,),), directions=(np.ones(3),))
    failed = TensorEngine(variable=made(Plain)).run(twice)
    assert failed == Failure("unsupported", "it has no second derivatives")


def test_a_dtype_that_the_engine_lacks_is_unsupported() -> None:
    failed = engine_of("closures_adapter.py").run(ask(lambda x: x * 2.0, x=X.astype(np.float16)))
    assert failed == Failure("unsupported", "it has no float16")


def test_a_gradient_of_a_constant_program(compared: Compared, write: Callable[[str], Path]) -> None:
    """A target that depends on nothing is computed here, and has no gradient."""
    (record,), status = compared(write(inputs("tf.reduce_sum(n)", n=[1, 2]) + "wrt: []\n"), "closures_adapter.py")
    assert (record["verdict"], status) == ("agree", 0)


def test_an_engine_that_runs_programs_cannot_be_asked_to_run_tapes() -> None:
    tape = Instruction(GRADIENT, (), {}, ())
    failed = TensorEngine(variable=np.asarray).run(Request(Program((), {}, {}, (tape,), ()), {}, (), ((),)))
    assert isinstance(failed, Failure)
    assert (failed.kind, "tapes" in failed.message) == ("unsupported", True)
