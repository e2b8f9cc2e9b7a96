"""Cross-checks: right derivatives satisfy them, wrong ones do not, and where they do not apply they say so."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result

from gradcheck import tf
from gradcheck.asking import SEED, drawn
from gradcheck.asking import request as asked_of
from gradcheck.casefile.load import load_file
from gradcheck.dtypes import DTYPES, Array, is_complex, is_differentiable
from gradcheck.engine.numpy_engine import NumpyEngine
from gradcheck.engine.wide import WideExecutable
from gradcheck.engines import Outcome, Request
from gradcheck.language import lower
from gradcheck.ops import OPS
from gradcheck.ops.declaration import Op
from gradcheck.ops.sampling import trials
from gradcheck.verdict.compare import compare_values
from gradcheck.verdict.crosschecks import cross_checks, wrong_side
from gradcheck.verdict.crosschecks.analytic import analytic
from gradcheck.verdict.judge import judge
from gradcheck.verdict.record import Comparison, CrossCheck
from gradcheck.verdict.tolerance import allowance
from tests.verdict.asking import ask
from tests.verdict.test_planted_faults import full_transpose_a, full_transpose_b, rules

Command = Callable[..., Result]
Write = Callable[[str], Path]
SIDES = ("subject", "reference")
CASES = Path(__file__).parents[2] / "cases"


def asked(function: Callable[..., Any], dtype: Any = np.float64, **inputs: Any) -> Request:
    """A request under two sets of cotangents, as those about cases are."""
    request = ask(function, dtype=dtype, **inputs)
    rng = np.random.default_rng(SEED)
    types = [request.program.types[index] for index in request.program.outputs if index is not None]
    seeded = tuple(drawn(each, rng) if is_differentiable(each.dtype) else None for each in types)
    return replace(request, cotangents=(*request.cotangents, seeded))


def answered(request: Request) -> Outcome:
    found = NumpyEngine().run(request)
    assert isinstance(found, Outcome)
    return found


def between(request: Request, left: Outcome, right: Outcome) -> list[Comparison]:
    """The comparisons of two outcomes, as a case's."""
    bounds = allowance(request)
    found = [
        compare_values("output", "output", None, SIDES, one, other, bound)
        for one, other, bound in zip(left.outputs, right.outputs, bounds.outputs, strict=True)
    ]
    for kind, *rows in zip(("ones", "seeded"), left.gradients, right.gradients, bounds.gradients, strict=True):
        for name, one, other, bound in zip(request.sources, *rows, strict=True):
            found.append(compare_values("gradient", name, kind, SIDES, one, other, bound))  # type: ignore[arg-type]
    return found


def checked(request: Request, left: Outcome | None = None) -> tuple[CrossCheck, ...]:
    right = answered(request)
    return cross_checks(request, between(request, left or right, right))


def answers(checks: Sequence[CrossCheck]) -> dict[tuple[str, str], bool | None]:
    return {(each.name, each.side): each.passed for each in checks}


FUNCTIONS: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "one product": (lambda x, y: x * y, {"x": [1.5, -0.3], "y": [0.25, 4.0]}),
    "a chain": (
        lambda x, y: tf.exp(tf.sin(x @ y)) / (1.0 + y * y),
        {"x": [[1.1, 0.1], [0.1, 1.1]], "y": [[1, 2], [3, 0.5]]},
    ),
    "sizes far apart": (lambda x, y: tf.sin(x * 1e5) * tf.tanh(y * 1e-4), {"x": [1e-5, 3e-5], "y": [2e4, -1e4]}),
    "at zero": (lambda x: tf.sin(x) * x, {"x": [0.0, 0.0]}),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_right_gradients_satisfy_both_identities_in_every_dtype(name: str, dtype: Any) -> None:
    function, inputs = FUNCTIONS[name]
    found = answers(checked(asked(function, dtype, **inputs)))
    for check in ("reverse against forward", "Taylor remainder"):
        assert [found[check, side] for side in SIDES] == [True, True]
    if np.dtype(dtype).kind == "c":
        assert found["complex step", ""] is None
    else:
        assert [found["complex step", side] for side in SIDES] == [True, True]


DUPLICATES = "overwritten_by_a_scatter"
"""TensorFlow gives each of two updates of one slot the whole gradient: by its convention, not by calculus."""


@pytest.mark.parametrize(
    "file", ["arrays", "chain_rule", "complex", "derivatives", "elementwise", "indexing", "linalg", "nn", "pooling"]
)
def test_our_engine_satisfies_them_in_shipped_cases(file: str) -> None:
    applied, failed = 0, []
    for case in load_file(CASES / f"{file}.yaml").cases:
        if case.expect.error is not None:
            continue
        lowered = lower(case)
        request = asked_of(lowered)
        outcome = answered(request)
        comparisons = judge(lowered, SIDES, outcome, outcome, [allowance(request)]).comparisons
        found = cross_checks(request, comparisons)
        applied += any(each.passed is True for each in found)
        failed += [(case.name, each.name) for each in found if each.passed is False and each.side == "subject"]
    assert applied >= 4
    expected = {(DUPLICATES, "reverse against forward"), (DUPLICATES, "Taylor remainder")}
    assert set(failed) == (expected if file == "indexing" else set())


FAULTS: dict[str, tuple[str, tuple[Any, ...], Callable[..., Any], dict[str, Any]]] = {
    "a factor": ("tf.square", (lambda g, y, x: g * x,), lambda x: tf.square(x), {"x": [1.0, 2.0]}),
    "a sign": ("tf.sin", (lambda g, y, x: -g * tf.cos(x),), lambda x: tf.sin(x), {"x": [[1.0], [2.0]]}),
    "a small factor": ("tf.exp", (lambda g, y, x: 1.001 * g * y,), lambda x: tf.exp(x), {"x": [0.3, 1.2]}),
    "not connected": ("tf.square", (None,), lambda x: tf.square(x) + x, {"x": [1.0, 2.0]}),
    "the cotangent ignored": ("tf.square", (lambda g, y, x: 2.0 * x,), lambda x: tf.square(x), {"x": [1.0, 2.0]}),
    "an argument of a linear program": (
        "tf.subtract", (lambda g, z, x, y: g, lambda g, z, x, y: g), lambda x, y: x - y, {"x": [1.0], "y": [2.0]}
    ),
    "a full transpose": (
        "tf.matmul", (full_transpose_a, full_transpose_b), lambda x, y: x @ y,
        {"x": [[[1, 1], [2, 3]], [[4, 5], [6, 7]]], "y": [[[3, -7], [-1, 5]], [[1, 0], [2, 1]]]},
    ),
}  # fmt: skip


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_fails_on_its_own_side_alone(fault: str, dtype: Any) -> None:
    name, vjp, function, inputs = FAULTS[fault]
    with rules(name, *vjp):
        request = asked(function, dtype, **inputs)
        wrong = answered(request)
    request = asked(function, dtype, **inputs)
    right = answered(request)
    for left, other, culprit in ((wrong, right, "subject"), (right, wrong, "reference")):
        found = cross_checks(request, between(request, left, other))
        for check in ("reverse against forward", "Taylor remainder"):
            sides = {each.side: each.passed for each in found if each.name == check}
            assert sides == {side: side != culprit for side in SIDES}
        assert wrong_side(found) == culprit


def test_the_numbers_are_those_of_calculus_and_the_orders_one_and_two() -> None:
    """With f = x^2 and half its gradient: `<u, J v>` = sum 2 u x v is twice what is claimed."""
    with rules("tf.square", lambda g, y, x: g * x):
        wrong = answered(asked(lambda x: tf.square(x), x=[1.0, 2.0]))
    found = {(each.name, each.side): each for each in checked(asked(lambda x: tf.square(x), x=[1.0, 2.0]), wrong)}
    identity = found["reverse against forward", "subject"]
    assert identity.expected is not None
    assert identity.found == pytest.approx(identity.expected / 2, rel=1e-12)
    orders = [found["Taylor remainder", side].found for side in SIDES]
    assert orders == pytest.approx([1, 2], abs=0.05)
    assert found["Taylor remainder", "subject"].sentence == "first order: 1.00, as a wrong gradient has"
    step = found["complex step", "reference"]
    assert step.expected == pytest.approx(step.found, rel=1e-15)


def test_a_kink_close_by_is_not_taken_for_a_wrong_gradient() -> None:
    found = answers(checked(asked(lambda x: tf.nn.relu(x) * 3.0, x=[0.01, -0.02, 1.0])))
    assert found["reverse against forward", "subject"] is True
    assert found["Taylor remainder", "subject"] is True


@pytest.mark.parametrize(
    ("function", "inputs", "why"),
    [
        (tf.abs, {"x": [0.0, 1.0]}, "a kink"),
        (lambda x: tf.sqrt(x), {"x": [0.0, 1.0]}, "not finite"),
        (lambda x: tf.math.log(x), {"x": [-1.0, 1.0]}, "does not apply"),
    ],
)
def test_where_there_is_no_derivative_they_do_not_apply(
    function: Callable[..., Any], inputs: dict[str, Any], why: str
) -> None:
    found = [each for each in checked(asked(function, **inputs)) if each.name != "complex step"]
    assert {each.passed for each in found} == {None}
    assert all(why in each.sentence for each in found)


def test_where_rounding_explains_everything_they_say_so() -> None:
    """In float32 the argument of `abs` is 0, in a wider precision 1, and that is known."""
    found = checked(HIDDEN)
    assert found[0].passed is None
    assert found[0].sentence.startswith("does not apply: rounding explains all of")


def test_a_kink_that_rounding_hides_is_one_where_a_tolerance_is_given() -> None:
    right = answered(HIDDEN)
    assert right.gradients[0][0] == 0
    comparisons = [replace(each, limits=np.array([1e-3])) for each in between(HIDDEN, right, right)]
    found = [each for each in cross_checks(HIDDEN, comparisons) if each.name != "complex step"]
    assert {each.passed for each in found} == {None}
    assert all(each.sentence == "does not apply: the case lies on a kink of `tf.abs`" for each in found)


HIDDEN = asked(lambda x: tf.abs((x + 1e8) - 1e8), np.float32, x=[1.0])
"""A decision that is a tie in float32 alone."""


def test_nobody_is_named_where_both_sides_fail() -> None:
    with rules("tf.square", lambda g, y, x: g * x):
        wrong = answered(asked(lambda x: tf.square(x), x=[1.0, 2.0]))
    request = asked(lambda x: tf.square(x), x=[1.0, 2.0])
    found = cross_checks(request, between(request, wrong, wrong))
    assert {each.passed for each in found} == {False}
    assert wrong_side(found) == ""


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("inputs: {x: {value: [1, 2], dtype: int32}}\nexpr: x * 2\n", "there is no derivative"),
        ("inputs: {a: 1.0, c: {value: 3.0, variable: true}}\nexpr: |\n  c.assign(a * 2.0)\n  c ** 2\n", "assigned to"),
    ],
)
def test_what_is_no_function_of_its_sources_is_not_checked(command: Command, write: Write, text: str, why: str) -> None:
    (check,) = evidence(command("compare", write(text), "--evidence", "--report", "json"))
    assert check["passed"] is None
    assert why in check["sentence"]


def evidence(result: Result) -> list[dict[str, Any]]:
    (case,) = json.loads(result.stdout)["cases"]
    found: list[dict[str, Any]] = case["evidence"]
    return found


def test_a_defect_of_tensorflow_fails_on_its_side(command: Command) -> None:
    arguments = (CASES / "defects.yaml", "-k", "cumprod_with_a_zero", "--report", "json")
    found = evidence(command("compare", *arguments))
    names = {each["name"] for each in found}
    assert names == {"reverse against forward", "Taylor remainder", "complex step"}
    assert {(each["name"], each["side"]): each["passed"] for each in found} == {
        (name, side): side == "numpy" for name in names for side in ("numpy", "tensorflow")
    }


DERIVATIVES = {
    "jacobian": "tf.square(x) * y",
    "jvp": "tf.square(x) * y",
    "hvp": "tf.reduce_sum(tf.square(x)) * y",
    "hessian": "tf.reduce_sum(tf.square(x)) * y",
}


@pytest.mark.parametrize("derivative", DERIVATIVES)
def test_whole_derivatives_are_checked_and_name_the_wrong_side(command: Command, write: Write, derivative: str) -> None:
    """The referee knows gradients alone, so that it is the cross-checks that say who is wrong."""
    text = f"derivative: {derivative}\ninputs: {{x: [1.0, 2.0], y: 3.0}}\nexpr: {DERIVATIVES[derivative]}\n"
    path = write(text)
    agreed = evidence(command("compare", path, "--evidence", "--report", "json"))
    assert {each["passed"] for each in agreed} == {True}
    assert {each["side"] for each in agreed} == {"numpy", "tensorflow"}
    with rules("tf.square", lambda g, y, x: g * x):
        result = command("compare", path, "--report", "json")
    found = {(each["name"], each["side"]): each["passed"] for each in evidence(result)}
    assert found["reverse against forward", "numpy"] is False
    assert found["reverse against forward", "tensorflow"] is True
    (case,) = json.loads(result.stdout)["cases"]
    assert case["diagnosis"]["sentence"].startswith("numpy is wrong by the cross-checks: ")


def test_a_hessian_that_is_not_symmetric(command: Command, write: Write) -> None:
    """With a rule that is itself differentiated wrongly: d/dx of x y^2 is y^2, of which d/dy is lost."""
    text = "derivative: hessian\ninputs: {x: [1.0, 2.0], y: [3.0, 4.0]}\nexpr: tf.reduce_sum(x * y)\n"
    stopped = (lambda g, z, x, y: g * tf.stop_gradient(y), lambda g, z, x, y: g * x)
    with rules("tf.multiply", *stopped):
        found = evidence(command("compare", write(text), "--report", "json"))
    sides = {each["side"]: each for each in found if each["name"] == "symmetry"}
    assert sides["tensorflow"]["passed"] is True
    assert sides["numpy"]["passed"] is False
    assert sides["numpy"]["sentence"].startswith("`x/y` and `y/x` transposed differ by 1")


def test_evidence_in_the_table_is_asked_for_or_comes_with_a_difference(command: Command, write: Write) -> None:
    path = write("inputs: {x: [1.0, 2.0]}\nexpr: tf.square(x)\n")
    assert "Taylor" not in command("compare", path).stdout
    assert "reverse against forward  tensorflow" in command("compare", path, "--evidence", "--show", "none").stdout
    with rules("tf.square", lambda g, y, x: g * x):
        out = command("compare", path, "--show", "worst", "--no-cache").stdout  # no file of ours has changed
    assert "first order: 1.00, as a wrong gradient has" in out


COMPLEX = [op for op in OPS.values() if op.forward is not None and any(map(is_complex, op.dtypes)) and op.domains]


@pytest.mark.parametrize("op", COMPLEX, ids=lambda op: op.name)
def test_operations_are_analytic_as_declared(op: Op) -> None:
    """Moving an operand by ih changes an analytic result by i times what moving it by h does, to first order."""
    holds = []
    for program, inputs, sources in trials(op, DTYPES["complex128"]):
        (instruction,) = program.instructions
        wide = WideExecutable(program, np.dtype(np.float64))
        for name in sources:
            turned = _differences(wide, inputs, name)
            if turned is not None and analytic(instruction):
                assert turned, instruction
            holds.append(turned)
    if not any(analytic(program.instructions[0]) for program, *_ in trials(op, DTYPES["complex128"])):
        assert False in holds or None in holds


def _differences(wide: WideExecutable, inputs: dict[str, Array], name: str) -> bool | None:
    """Whether the differences across and along the real line are i to 1; None where a result is not complex."""
    step = 1e-6
    if not inputs[name].size:
        return True

    def central(unit: complex) -> list[Array]:
        ends = (wide.run({**inputs, name: inputs[name] + sign * step * unit}) for sign in (1, -1))
        return [(a - b) / (2 * step) for a, b in zip(*ends, strict=True) if a is not None and b is not None]

    along, across = central(1), central(1j)
    if any(each.dtype.kind != "c" for each in along):
        return None
    return all(bool(np.all(np.abs(b - 1j * a) <= 1e-6 * (1 + np.abs(a)))) for a, b in zip(along, across, strict=True))
