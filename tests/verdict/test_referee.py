"""The referee against numbers that are known, against our rules where these are exact, and against planted faults."""

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import ml_dtypes
import numpy as np
import pytest

from gradcheck import evaluate, tf
from gradcheck.dtypes import DTYPES, Array, DType, is_complex
from gradcheck.engine.differentiate import gradient
from gradcheck.engine.wide import WIDEST, WideExecutable
from gradcheck.engines import Request
from gradcheck.ops import OPS, find_op
from gradcheck.ops.declaration import substituted
from gradcheck.ops.sampling import trials
from gradcheck.verdict import referee as module
from gradcheck.verdict.record import Estimate, Ruling
from gradcheck.verdict.referee import Referee, ruling
from tests.verdict.asking import ask

FLOATS = [np.float16, ml_dtypes.bfloat16, np.float32, np.float64]


def estimated(request: Request, source: str = "x", index: tuple[int, ...] = ()) -> Estimate:
    return Referee(request, budget=60).derivative(source, index, request.cotangents[0])


def assert_close(found: Estimate, true: complex, relative: float = 1e-11) -> None:
    """The estimate is near the truth, and nearer than it claims to be; the truth itself is a rounded float64."""
    distance = abs(complex(found.value) - true)
    assert found.note == ""
    assert found.error <= relative * abs(true), f"{found} for {true}"
    assert distance <= found.error + 2.0**-52 * abs(true), f"{found} for {true}: off by {distance}"


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(
    ("function", "at", "slope"),
    [
        (lambda x: tf.exp(x), 1.5, math.exp),
        (lambda x: 1.0 / x, 0.0101, lambda x: -1 / x**2),
        (lambda x: x**3.5, 0.75, lambda x: 3.5 * x**2.5),
        (lambda x: tf.math.log(x), 1e-4, lambda x: 1 / x),
        (lambda x: tf.acos(x), 0.98, lambda x: -1 / math.sqrt(1 - x * x)),  # the end of the domain is near
        (lambda x: tf.sqrt(x), 3e-3, lambda x: 0.5 / math.sqrt(x)),
        (lambda x: tf.abs(x) * 3.0, -1e-3, lambda x: -3.0),  # a kink is near
        (lambda x: tf.tanh(x) * tf.sin(x), 0.0, lambda x: 0.0),
    ],
)
def test_functions_of_one_number(dtype: Any, function: Any, at: float, slope: Any) -> None:
    request = ask(function, dtype=dtype, x=at)
    true = slope(float(request.inputs["x"]))
    found = estimated(request)
    assert abs(found.value - true) <= found.error + 2.0**-50 * abs(true)
    assert found.error <= 1e-9 * max(abs(true), 1e-3)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [1e-8, 1e8])
def test_numbers_of_any_size(dtype: Any, size: float) -> None:
    for function, slope in (
        (lambda x: 1.0 / x, lambda x: -1 / x**2),
        (lambda x: tf.math.log(x), lambda x: 1 / x),
        (lambda x: tf.exp(x * (1 / size)) * x, lambda x: math.exp(x / size) * (1 + x / size)),
    ):
        request = ask(function, dtype=dtype, x=size)
        x = float(request.inputs["x"])
        found = estimated(request)
        true = slope(x)
        assert abs(found.value - true) <= found.error + 1e-7 * abs(true) * (dtype == np.float32)
        assert found.error <= 1e-9 * abs(true)


def test_a_function_that_varies_on_a_scale_other_than_its_argument() -> None:
    assert_close(estimated(ask(tf.exp, x=1e-8)), math.exp(1e-8))
    assert_close(estimated(ask(tf.sin, dtype=np.float32, x=1e4)), math.cos(1e4), relative=1e-7)


def test_a_cancellation_inside_the_program_is_seen() -> None:
    """No float32 of the result shows that it has passed through 1e8, of which float64 holds 1e-8."""
    found = estimated(ask(lambda x: (x + 1e8) - 1e8, dtype=np.float32, x=1e-3))
    assert 1e-16 < found.error < 1e-6
    assert abs(found.value - 1) <= found.error
    rng = np.random.default_rng(0)
    terms = np.concatenate([[1.0], rng.standard_normal(50) * 1e6])
    terms = np.concatenate([terms, -terms[1:]])
    request = ask(lambda x: tf.reduce_sum(tf.sin(x) * 1e3) + tf.reduce_sum(x), dtype=np.float32, x=terms)
    found = estimated(request, index=(0,))
    true = 1e3 * math.cos(1.0) + 1
    assert abs(found.value - true) <= found.error < 1e-6 * true


def test_a_flat_result_has_the_rounding_of_what_it_is() -> None:
    """1 / (1 + exp(-50)) is 1 for float64, at every step."""
    found = estimated(ask(tf.sigmoid, dtype=np.float32, x=50.0))
    assert abs(found.value - math.exp(-50)) <= found.error < 1e-12


def test_a_chain_of_products_and_a_softmax() -> None:
    rng = np.random.default_rng(3)
    x, y, z = (rng.standard_normal((2, 3, 3)) for _ in range(3))
    request = ask(lambda x, y, z: tf.matmul(tf.matmul(x, y), z), x=x, y=y, z=z)
    true = np.ones((2, 3, 3)) @ (y @ z).swapaxes(-1, -2)
    assert_close(estimated(request, "x", (1, 2, 0)), true[1, 2, 0], relative=1e-13)
    logits, weights = rng.standard_normal(5), rng.standard_normal(5)
    shares = np.exp(logits) / np.exp(logits).sum()
    request = ask(tf.nn.softmax, x=logits, cotangents=[weights])
    found = estimated(request, "x", (3,))
    assert abs(found.value - shares[3] * (weights[3] - shares @ weights)) < 1e-15
    assert found.error < 1e-15


def test_norms() -> None:
    x = np.array([3.0, -4.0, 1e-3])
    for order, true in ((2, x / np.linalg.norm(x)), (1, np.sign(x)), (np.inf, [0, -1, 0])):
        request = ask(lambda x, order=order: tf.norm(x, ord=order), x=x)
        for index in range(3):
            found = estimated(request, index=(index,))
            assert abs(found.value - true[index]) <= 1e-15
            assert found.error < 1e-10


def test_complex_numbers_follow_the_convention_of_tensorflow() -> None:
    """df/dx + i df/dy of the real loss, which for holomorphic functions is the conjugate of the derivative."""
    z = np.array([0.3 + 0.7j, -1.2 + 0.1j])
    cotangent = np.array([2 - 1j, 0.5 + 3j])
    request = ask(tf.exp, z=z, cotangents=[cotangent])
    assert_close(estimated(request, "z", (1,)), complex(cotangent[1] * np.conj(np.exp(z[1]))))
    request = ask(tf.abs, z=z.astype(np.complex64))
    z64 = complex(z.astype(np.complex64)[0])
    assert_close(estimated(request, "z", (0,)), z64 / abs(z64))
    request = ask(lambda z: tf.math.real(z * tf.math.conj(z)) + tf.math.imag(z), z=z)
    assert_close(estimated(request, "z", (0,)), 2 * complex(z[0]) + 1j)
    request = ask(lambda x, y: tf.math.real(tf.square(tf.complex(x, y))), x=0.3, y=0.7)
    assert_close(estimated(request, "y"), -1.4)


def test_several_targets_and_cotangents_that_drop_some() -> None:
    x = np.array([1.0, 2.0])
    request = ask(lambda x: [x * x, x > 0, 3.0 * x], x=x, cotangents=[None, None, np.array([0.0, 2.0])])
    assert_close(estimated(request, index=(1,)), 4 + 6)
    assert_close(estimated(request, index=(0,)), 2)


def test_what_is_not_finite_and_not_asked_for_does_no_harm() -> None:
    x = np.array([0.0, 2.0])
    request = ask(tf.math.log, x=x)
    assert_close(estimated(request, index=(1,)), 0.5)
    assert estimated(request, index=(0,)).error == math.inf
    assert "not finite" in estimated(ask(tf.math.log, x=-1.0)).note


def test_what_the_tape_holds_constant_is_held() -> None:
    assert_close(estimated(ask(lambda x: tf.stop_gradient(x) * x, x=3.0)), 3)
    assert estimated(ask(lambda x: tf.stop_gradient(x), x=3.0)) == Estimate(0.0, 0.0)
    assert_close(estimated(ask(lambda x: tf.floor(x) * x, x=3.0)), 3)
    request = ask(lambda x: tf.cast(tf.cast(x, np.dtype("int32")), x.dtype) * x, x=3.0)
    assert_close(estimated(request), 3)
    x = np.array([0.3, 1.2, -2.0])
    found = estimated(ask(tf.reduce_logsumexp, x=x), index=(2,))  # has a `tf.stop_gradient` inside
    assert_close(found, math.exp(-2) / np.exp(x).sum())


def test_a_matrix_that_is_taken_to_be_symmetric_changes_symmetrically() -> None:
    """Murray 2016: for log det A the gradient is A^-1, half of the change at either side of the diagonal."""
    a = np.array([[4.0, 1.0, 0.5], [1.0, 3.0, -0.2], [0.5, -0.2, 2.0]])
    request = ask(tf.linalg.logdet, a=a)
    inverse = np.linalg.inv(a)
    for index in ((1, 1), (2, 0), (0, 2)):
        found = estimated(request, "a", index)
        assert abs(found.value - inverse[index]) <= found.error + 1e-16
        assert found.error < 1e-11
    hermitian = a + 1j * np.array([[0, 0.3, 0.1], [-0.3, 0, 0.2], [-0.1, -0.2, 0]])
    found = estimated(ask(lambda a: tf.linalg.logdet(a), a=hermitian), "a", (0, 1))
    assert abs(found.value - np.linalg.inv(hermitian)[0, 1]) <= found.error + 1e-15
    assert found.error < 1e-12


def test_a_kink_at_the_point_is_noticed_and_one_beside_it_is_no_obstacle() -> None:
    found = estimated(ask(lambda x: tf.abs(x) + tf.nn.relu(x), x=0.0))
    assert "kink" in found.note
    assert "-1 on the left and 2 on the right" in found.note
    assert found.error >= 1.5
    assert_close(estimated(ask(lambda x: tf.abs(x) + tf.nn.relu(x), x=1e-6)), 2)
    x = np.array([2.0, 2.0])
    assert "kink" in estimated(ask(tf.reduce_max, x=x), index=(0,)).note


def test_a_narrow_feature_beside_the_point_is_noticed() -> None:
    """Within 1e-3 of 0 the function is 5 x, elsewhere it is flat: larger steps do not see it."""
    found = estimated(ask(lambda x: tf.where(tf.abs(x) < 1e-3, 5.0 * x, 0.0), x=0.0))
    assert found.error >= 5 or found.value == pytest.approx(5)


def test_where_nothing_converges_the_estimate_says_so() -> None:
    for function in (lambda x: tf.sqrt(tf.abs(x)), lambda x: 1.0 / x, lambda x: tf.where(x > 0.0, 1.0, 0.0)):
        found = estimated(ask(function, x=0.0))
        assert found.error == math.inf
        assert found.note
    assert estimated(ask(lambda x: tf.sqrt(x), x=0.0)).note == "the loss is not finite on both sides of the point"


def test_a_source_without_a_derivative() -> None:
    request = ask(lambda x, n: x * tf.cast(n, x.dtype), x=2.0, n=np.array(3))
    assert estimated(request, "n").error == math.inf


def test_one_sided_slopes() -> None:
    request = ask(lambda x, y: tf.maximum(x, y) * 2.0 + tf.exp(x), x=1.0, y=1.0)
    referee = Referee(request)
    left, right = referee.one_sided({"x": np.array(1.0)}, (None,))
    assert_close(left, math.e, relative=1e-10)
    assert_close(right, 2 + math.e, relative=1e-10)
    both, other = referee.one_sided({"x": np.array(1.0), "y": np.array(1.0)}, (None,))
    assert_close(both, 2 + math.e, relative=1e-10)
    assert_close(other, 2 + math.e, relative=1e-10)
    left, right = Referee(ask(tf.sqrt, x=0.0)).one_sided({"x": np.array(1.0)}, (None,))
    assert (left.error, right.error) == (math.inf, math.inf)


def test_a_spent_budget_is_stated() -> None:
    request = ask(tf.exp, x=1.0)
    found = Referee(request, budget=0.0).derivative("x", (), (None,))
    assert found.error == math.inf
    assert "budget of 0 s" in found.note


def test_a_fault_in_a_rule_does_not_move_the_referee() -> None:
    """The same case, with a rule that is wrong, one that is missing, and one that raises."""
    x = np.array([0.3, -1.2])
    clean = estimated(ask(lambda x: tf.sin(x) * tf.exp(x), x=x), index=(1,))
    assert_close(clean, math.exp(-1.2) * (math.sin(-1.2) + math.cos(-1.2)))

    def refuses(g: object, y: object, x: object) -> None:
        raise AssertionError("the referee has called a rule")

    for vjp in ((lambda g, y, x: g * 1000,), None, (refuses,)):
        for name in ("tf.sin", "tf.exp"):
            with substituted(replace(find_op(name), vjp=vjp)):
                request = ask(lambda x: tf.sin(x) * find_op("tf.exp")(x), x=x)
                assert estimated(request, index=(1,)) == clean


class Known(NamedTuple):
    """An element of a gradient that our own rules give, in the widest precision there is."""

    name: str
    request: Request
    source: str
    index: tuple[int, ...]
    true: complex


ROUNDED = (
    "tf.nn.selu",
    "tf.nn.gelu",
    "tf.math.erf",
    "tf.math.erfc",
    "tf.nn.softmax_cross_entropy_with_logits",
    "tf.raw_ops.MaxPool3DGrad",
    "tf.math.special.fresnel_cos",
    "tf.math.special.fresnel_sin",
    "tf.math.erfinv",
    "tf.math.erfcinv",
    "tf.math.ndtri",
    "tf.keras.activations.gelu",
    "tf.keras.activations.selu",
    "tf.keras.losses.categorical_crossentropy",
    "tf.raw_ops.ImageProjectiveTransformV3",
)
"""Operations whose rules hold constants of the case's dtype, are exact for labels that sum to 1 exactly, or compare two
operands that must be equal, or places in a picture: no move leaves them so."""
NO_SLOPES = ("quantization", "fake_quantization", "boxes")
"""The families whose gradients are conventions: steps that count as straight lines, boxes of the nearest pixels."""
BY_LAPACK = ("solving", "factors", "singular", "eigen", "functions", "bands")
"""The families that LAPACK computes, in float64 at most, without rounding every element by itself."""


def known_elements(dtype: DType) -> Iterator[Known]:
    rng = np.random.default_rng(7)
    for op in OPS.values():
        if dtype not in op.dtypes or (dtype.itemsize < 8 and op.name in ROUNDED):
            continue
        if op.family in NO_SLOPES or op.phases:
            continue
        for trial in trials(op, dtype):
            cotangents = tuple(
                _drawn(trial.program.types[each].shape, trial.program.types[each].dtype, rng)
                for each in trial.program.outputs
                if each is not None
            )
            written = gradient(trial.program, trial.sources)
            request = Request(trial.program, trial.inputs, trial.sources, (cotangents,))
            wide = WideExecutable(written.program, WIDEST).run(written.seeded(trial.inputs, cotangents))
            for source, true in zip(trial.sources, wide[len(trial.program.outputs) :], strict=True):
                if true is not None and true.size and trial.inputs[source].dtype == dtype:
                    index = tuple(int(each) for each in np.unravel_index(rng.integers(true.size), true.shape))
                    yield Known(op.name, request, source, index, complex(true[index]))


def _drawn(shape: tuple[int, ...], dtype: DType, rng: np.random.Generator) -> Array | None:
    if dtype.kind in "biu":
        return None
    real = rng.uniform(0.5, 1.5, shape)
    return np.asarray(real + 1j * rng.uniform(0.5, 1.5, shape) if is_complex(dtype) else real, dtype)


@pytest.mark.parametrize("dtype", ["float64", "float32", "complex128"])
def test_claims_are_honest_and_errors_small_for_every_operation(dtype: str) -> None:
    errors: list[float] = []
    for name, request, source, index, true in known_elements(DTYPES[dtype]):
        found = estimated(request, source, index)
        error = abs(complex(found.value) - true)
        of_the_truth = (1e-13 if OPS[name].family in BY_LAPACK else 2.0**-52) * abs(true) + 1e-18
        assert error <= found.error + of_the_truth, f"{name}, {source}{list(index)}: {found} for {true}"
        assert found.error <= 1e-6 * max(abs(true), 1e-2), f"{name}, {source}{list(index)}: {found} for {true}"
        errors.append(error / max(abs(true), 1e-3))
    assert len(errors) > 300
    assert np.median(errors) < 1e-15
    assert np.quantile(errors, 0.99) < 1e-8


SMOOTH = (tf.sin, tf.exp, tf.tanh, tf.square, tf.cos, tf.sigmoid, tf.nn.softmax, tf.cumsum)
KINKED = (tf.abs, tf.nn.relu, tf.sort, lambda x: tf.maximum(x, 0.1))
STEEP = (lambda x: tf.math.log(tf.abs(x) + 1e-4), lambda x: 1 / (x * x + 1e-2), lambda x: tf.sqrt(tf.abs(x) + 1e-3))
JOINED = (tf.add, tf.subtract, tf.multiply, tf.maximum, lambda a, b: a / (tf.abs(b) + 0.1))


def random_function(rng: np.random.Generator) -> Any:
    """A chain of operations, some with kinks and poles near by, with side branches."""
    single = (*SMOOTH, *KINKED, *STEEP)
    steps = [(int(rng.integers(len(single) + len(JOINED))), int(rng.integers(100))) for _ in range(6)]

    def function(x: Any) -> Any:
        values = [x]
        for chosen, place in steps:
            if chosen < len(single):
                values.append(single[chosen](values[-1 - place % min(2, len(values))]))
            else:
                values.append(JOINED[chosen - len(single)](values[-1], values[place % len(values)]))
        return values[-1]

    return function


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_claims_are_honest_for_random_programs_at_any_scale(dtype: Any) -> None:
    rng = np.random.default_rng(11)
    claims: list[float] = []
    for _ in range(400):
        x = (rng.standard_normal(4) * 10.0 ** rng.uniform(-4, 4)).astype(dtype)
        cotangent = rng.uniform(0.5, 1.5, 4).astype(dtype)
        request = ask(random_function(rng), x=x, cotangents=[cotangent])
        written = gradient(request.program, ("x",))
        true = WideExecutable(written.program, WIDEST).run(written.seeded(request.inputs, (cotangent,)))[-1]
        if true is None or not np.all(np.abs(true) < 1e300):
            continue
        index, size = int(rng.integers(4)), float(np.max(np.abs(true)))
        found = estimated(request, index=(index,))
        error = abs(found.value - float(true[index]))
        assert not math.isnan(found.error)
        assert not error > found.error + 1e-15 * size + 1e-18, f"{request.program} at {x}: {found} for {true[index]}"
        claims.append(found.error / max(size, 1e-6))
    assert len(claims) > 350
    assert np.median(claims) < 1e-10
    assert np.mean(np.isinf(claims)) < 0.05


def test_an_element_costs_about_twenty_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[int] = []
    probe = module.Probes.probe

    def counted(self: Any, *arguments: Any) -> list[Array]:
        runs[-1] += 1
        return probe(self, *arguments)

    monkeypatch.setattr(module.Probes, "probe", counted)
    for _, request, source, index, _ in known_elements(DTYPES["float64"]):
        runs.append(0)
        estimated(request, source, index)
    assert max(runs) <= 21
    assert np.median(runs) <= 12


@pytest.mark.parametrize(
    ("subject", "reference", "estimate", "expected"),
    [
        (1.0, 2.0, Estimate(2.0, 1e-9), Ruling.SUBJECT_WRONG),
        (1.0, 2.0, Estimate(1.0 + 1e-7, 1e-9), Ruling.REFERENCE_WRONG),
        (1.0, 2.0, Estimate(3.0, 1e-9), Ruling.BOTH_WRONG),
        (1.0, 1.0 + 1e-7, Estimate(1.0, 1e-9), Ruling.BOTH_RIGHT),
        (1.0, 1.0, Estimate(3.0, 1e-3), Ruling.BOTH_WRONG),
        (1.0, 2.0, Estimate(2.0, 0.2), Ruling.INCONCLUSIVE),
        (1.0, 2.0, Estimate(2.0, math.inf), Ruling.INCONCLUSIVE),
        (1.0, 2.0, Estimate(math.nan, 1.0), Ruling.INCONCLUSIVE),
        (math.nan, 2.0, Estimate(2.0, 1e-9), Ruling.SUBJECT_WRONG),
        (0.0, math.inf, Estimate(0.0, 1e-9), Ruling.REFERENCE_WRONG),
        (0.0, math.inf, Estimate(10.0, 20.0), Ruling.INCONCLUSIVE),
        (1 + 1j, 1 - 1j, Estimate(1 + 1j, 1e-9), Ruling.REFERENCE_WRONG),
    ],
)
def test_rulings(subject: complex, reference: complex, estimate: Estimate, expected: Ruling) -> None:
    assert ruling(subject, reference, estimate, allowed=1e-6) is expected


def test_a_fault_is_ruled_against() -> None:
    """A rule that is off by 1e-4: the referee tells it from the right one in float32."""
    x = np.array([0.3, -1.2], np.float32)
    request = ask(lambda x: tf.sin(x) * x, x=x)
    wrong = replace(find_op("tf.sin"), vjp=(lambda g, y, x: g * tf.cos(x) * 1.0001,))
    with substituted(wrong):
        faulty = gradient(ask(lambda x: find_op("tf.sin")(x) * x, x=x).program, ("x",))
        (_, subject) = evaluate(faulty.program, faulty.seeded(request.inputs, (None,)))
    right = gradient(request.program, ("x",))
    (_, reference) = evaluate(right.program, right.seeded(request.inputs, (None,)))
    assert subject is not None
    assert reference is not None
    found = estimated(request, index=(0,))
    assert ruling(complex(subject[0]), complex(reference[0]), found, 1e-6) is Ruling.SUBJECT_WRONG
    assert ruling(complex(reference[0]), complex(subject[0]), found, 1e-6) is Ruling.REFERENCE_WRONG
