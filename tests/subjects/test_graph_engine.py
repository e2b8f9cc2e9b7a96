"""Engines that build a graph first and are fed by a dictionary."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gradcheck.engines import Failure, Outcome, Request
from gradcheck.subjects import GraphEngine
from gradcheck.subjects.find import Located
from tests.subjects.conftest import ENGINES
from tests.verdict.asking import ask

X, Y = np.array([0.5, -1.0, 2.0]), np.array([1.0, 2.0, 3.0])


@pytest.fixture
def engine() -> GraphEngine:
    found = Located("nodes_adapter.py", str(ENGINES))()
    assert isinstance(found, GraphEngine)
    return found


def test_outputs_and_gradients_come_from_the_executor(engine: GraphEngine) -> None:
    found = engine.run(ask(lambda x, y: x * y + 2.0, x=X, y=Y, cotangents=[np.array([1.0, 10.0, -1.0])]))
    assert isinstance(found, Outcome)
    np.testing.assert_array_equal(found.outputs[0], X * Y + 2)
    np.testing.assert_array_equal(found.gradients[0], [Y * [1, 10, -1], X * [1, 10, -1]])


def test_every_placeholder_is_fed_and_no_other_node(engine: GraphEngine) -> None:
    fed: list[int] = []

    def execute(nodes: Sequence[Any], feed: Mapping[Any, Any]) -> Sequence[Any]:
        fed.append(len(feed))
        assert all(node.compute is None for node in feed)
        return engine.execute(nodes, feed)

    replace(engine, execute=execute).run(ask(lambda x, y: x * y, x=X, y=Y))
    assert fed == [2, 2]  # once for the output, once for the gradients


def test_a_gradient_that_is_not_connected_is_none(engine: GraphEngine) -> None:
    found = engine.run(ask(lambda x, y: x * 2.0, x=X, y=Y))
    assert isinstance(found, Outcome)
    assert found.gradients[0][1] is None


def test_every_target_has_a_graph_of_its_own(engine: GraphEngine) -> None:
    found = engine.run(ask(lambda x: [x * 3.0, x * x], x=X))
    assert isinstance(found, Outcome)
    np.testing.assert_array_equal(found.gradients[0][0], 3 + 2 * X)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"execute": lambda nodes, feed: [1] * 5}, "it gives 5 where 1 values of nodes belong"),
        ({"execute": lambda nodes, feed: 1 / 0}, "the executor raised ZeroDivisionError: division by zero"),
        ({"gradients": lambda y, xs: 1 / 0}, "the backward pass raised ZeroDivisionError: division by zero"),
        ({"gradients": lambda y, xs: []}, "it gives 0 where 1 gradients belong"),
    ],
)
def test_what_goes_wrong_is_an_error(engine: GraphEngine, changes: dict[str, Any], message: str) -> None:
    failed = replace(engine, **changes).run(ask(lambda x: x * 3.0, x=X))
    assert isinstance(failed, Failure)
    assert failed.kind == "error"
    assert failed.message.startswith(message)


def test_it_has_no_second_derivatives(engine: GraphEngine) -> None:
    request = ask(lambda x: x * 3.0, x=X)
    twice = Request(request.program, request.inputs, ("x",), ((None,),), directions=(np.ones(3),))
    assert engine.run(twice) == Failure("unsupported", "it has no second derivatives")


def test_an_array_that_is_changed_while_it_is_fed_is_named(engine: GraphEngine) -> None:
    def execute(nodes: Sequence[Any], feed: Mapping[Any, Any]) -> Sequence[Any]:
        results = engine.execute(nodes, feed)
        for each in feed.values():
            each *= 2
        return results

    found = replace(engine, execute=execute).run(ask(lambda x: x * 3.0, x=X))
    assert isinstance(found, Outcome)
    assert [each.message for each in found.remarks] == ["it changes what it is fed as `x` in place"]
