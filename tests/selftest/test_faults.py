"""Planting: what is wrong while a fault lasts, and that nothing is afterwards."""

from collections import Counter

import numpy as np
import pytest

from gradcheck.dtypes import Array
from gradcheck.engine import reverse
from gradcheck.engine.differentiate import gradient
from gradcheck.engine.evaluate import evaluate
from gradcheck.engine.tracing import trace
from gradcheck.ops import OPS, find_op, tf
from gradcheck.selftest.catalogue import CATALOGUE
from gradcheck.selftest.changes import negated, scaled
from gradcheck.selftest.faults import Fault
from gradcheck.selftest.walk import WALK

SQUARE = Fault("is turned", "tf.square", 0, "sign", negated)
CONCAT = Fault("is doubled", "tf.concat", 1, "factor", scaled(2))


def slope_of(function: object, **inputs: Array) -> list[Array | None]:
    """The gradients under ones of `function`, traced now."""
    program = trace(function, inputs)  # type: ignore[arg-type]
    written = gradient(program, list(inputs))
    return evaluate(written.program, written.seeded(inputs, (None,)))[1:]


def test_the_catalogue_is_large_and_spread_over_the_families() -> None:
    families = {op.family for op in OPS.values() if op.differentiable and not op.composite}
    assert len(CATALOGUE) >= 60
    assert {each.family for each in CATALOGUE} >= families - {"creation"}  # `fill` alone has a rule there
    assert {each.family for each in CATALOGUE} - families == {"walk"}


def test_no_fault_is_there_twice() -> None:
    counts = Counter((each.op, each.argument, each.name) for each in CATALOGUE)
    assert [each for each, count in counts.items() if count > 1] == []


@pytest.mark.parametrize("fault", CATALOGUE, ids=lambda fault: f"{fault.op}: {fault.name}")
def test_every_fault_can_be_planted_and_leaves_nothing_behind(fault: Fault) -> None:
    before = dict(OPS), reverse.unbroadcast, reverse._contribute
    with fault.planted() as footprint:
        assert (dict(OPS), reverse.unbroadcast, reverse._contribute) != before
    assert (dict(OPS), reverse.unbroadcast, reverse._contribute) == before
    assert not footprint.used


def test_a_planted_rule_is_wrong_wherever_the_operation_is_used() -> None:
    x = np.array([1.0, 2.0])
    for function in (lambda x: tf.square(x), lambda x: tf.math.square(x), lambda x: tf.linalg.global_norm([x]) ** 2.0):
        (right,) = slope_of(function, x=x)
        with SQUARE.planted() as footprint:
            (wrong,) = slope_of(function, x=x)
        assert footprint.used
        assert right is not None
        assert wrong is not None
        assert np.allclose(wrong, -right)
        assert np.array_equal(np.asarray(slope_of(function, x=x)[0]), right)
    assert tf.square is find_op("tf.square")


def test_one_argument_of_a_joint_rule_is_spoiled() -> None:
    x, y = np.array([1.0]), np.array([2.0, 3.0])
    with CONCAT.planted():
        gradients = slope_of(lambda x, y: tf.concat([x, y], 0), x=x, y=y)
    assert [np.asarray(each).tolist() for each in gradients] == [[1], [2, 2]]


def test_a_fault_acts_only_where_it_can_show() -> None:
    conjugate = next(each for each in CATALOGUE if each.op == "tf.multiply" and each.kind == "conjugate-operand")
    with conjugate.planted() as footprint:
        slope_of(lambda x: x * x, x=np.array([1.0]))
        assert not footprint.used
        slope_of(lambda x: x * x, x=np.array([1.0 + 2.0j]))
        assert footprint.used


def test_walk_faults_are_used_where_something_is_broadcast_or_read_twice() -> None:
    used: dict[str, set[str]] = {}
    programs = {
        "nothing": (lambda x, y: x * y, {"x": np.ones((2, 3)), "y": np.ones((2, 3))}),
        "fan-out": (lambda x, y: x * y + x, {"x": np.ones((2, 3)), "y": np.ones((2, 3))}),
        "column": (lambda x, y: x * y, {"x": np.ones((2, 3)), "y": np.ones((2, 1))}),
        "row": (lambda x, y: x * y, {"x": np.ones((2, 3)), "y": np.ones(3)}),
    }
    for name, (function, inputs) in programs.items():
        for fault in WALK:
            with fault.planted() as footprint:
                slope_of(function, **inputs)
            if footprint.used:
                used.setdefault(name, set()).add(fault.name)
    assert used == {
        "fan-out": {"keeps the last contribution at a fan-out", "keeps the first contribution at a fan-out"},
        "column": {"does not sum over axes of size 1", "takes the mean over broadcast axes"},
        "row": {
            "does not sum over leading axes",
            "takes the mean over broadcast axes",
            "keeps the first contribution along leading axes",
        },
    }
