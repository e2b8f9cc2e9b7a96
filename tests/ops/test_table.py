"""Every operation of the table, on every sample it declares, against TensorFlow and against differences."""

import inspect
from itertools import zip_longest

import numpy as np
import pytest

from gradcheck.dtypes import COMPLEX64, COMPLEX128, DTYPES, FLOAT32, FLOAT64, is_complex, is_differentiable
from gradcheck.engine.evaluate import evaluate
from gradcheck.engine.expand import expand
from gradcheck.ops import OPS, Op, find_op
from gradcheck.ops.declaration import all_names
from gradcheck.ops.sampling import Trial, default_samples, trials
from gradcheck.program import Program
from gradcheck.reference.tensorflow import function
from tests.ops.support import assert_near, differences, drawn_like, gradient_program, tensorflow_orders

EXACT = 1e-10
DIFFERENCED = 1e-7
SINGLE = 2e-6


def _trials(dtypes: tuple[np.dtype, ...], most: int | None = None) -> list[object]:
    """Every sample in every dtype, or the first of each operation."""
    params = []
    for op in OPS.values():
        for dtype in dtypes:
            if dtype not in op.dtypes and op.dtypes:
                continue
            count = len((op.samples or default_samples(op))[:most])
            params += [pytest.param(op, dtype, at, id=f"{op.name}-{dtype.name}-{at}") for at in range(count)]
    return params


def _trial(op: Op, dtype: np.dtype, position: int) -> Trial:
    return list(trials(op, dtype))[position]


@pytest.mark.parametrize("name", all_names())
def test_signature_is_that_of_tensorflow(name: str) -> None:
    ours = find_op(name).signature.parameters.values()
    theirs = inspect.signature(function(name)).parameters.values()
    for mine, other in zip_longest(ours, theirs):
        assert mine is not None, f"TensorFlow also has {other}"
        assert other is not None, f"TensorFlow has no {mine}"
        assert (mine.name, mine.kind) == (other.name, other.kind)
        assert _plain(mine.default) == _plain(other.default), mine.name


def _plain(default: object) -> object:
    if isinstance(default, Op):
        return function(default.name)
    name = getattr(default, "name", None)
    return name if name in DTYPES else default


@pytest.mark.parametrize(("op", "dtype", "position"), _trials((FLOAT64, COMPLEX128)))
def test_agrees_with_tensorflow_and_differences(op: Op, dtype: np.dtype, position: int) -> None:
    trial = _trial(op, dtype, position)
    cotangents = drawn_like(trial.program, 1)
    gradients, seeds = gradient_program(trial.program, trial.sources)
    weights = drawn_like(gradients, 2)
    outputs, first, second = tensorflow_orders(trial, cotangents, weights)

    exact = _within(trial.program, EXACT)
    for ours, theirs in zip(evaluate(trial.program, trial.inputs), outputs, strict=True):
        assert_near(ours, theirs, "output", exact)
    inputs = {**trial.inputs, **seeds(cotangents)}
    found = evaluate(gradients, inputs)
    theirs_is_right = _theirs_is_right(op, dtype)
    if theirs_is_right:
        for name, ours, theirs in zip(trial.sources, found, first, strict=True):
            assert_near(ours, theirs, f"gradient of {name}", exact)
    _check_differences(trial.program, trial, trial.inputs, cotangents, found)
    if any(weight is not None for weight in weights):
        known = second if theirs_is_right and "second order" not in op.errata else "not the derivative"
        _check_second_order(gradients, trial, inputs, weights, known)


def _theirs_is_right(op: Op, dtype: np.dtype) -> bool:
    return "gradient" not in op.errata and not (is_complex(dtype) and "complex" in op.errata)


def _within(program: Program, tolerance: float) -> float:
    """`tolerance`, or that of float32 where the operation goes over to it, if only on the way."""
    single = any(each.dtype in (FLOAT32, COMPLEX64) for each in expand(program).types)
    return SINGLE if single else tolerance


def _check_differences(program: Program, trial: Trial, inputs: dict, cotangents: list, found: list) -> None:
    if not all(is_differentiable(program.types[index].dtype) for index in program.outputs if index is not None):
        return
    free = any(each.op.phases for each in trial.program.instructions)
    if free and any(is_complex(each.dtype) for each in program.types):
        return  # differences see the phases move; functions that do not depend on them are tried elsewhere
    estimates = differences(program, inputs, trial.sources, cotangents)
    if trial.program.instructions and trial.program.instructions[0].op.hermitian:
        estimates = [(each + each.conj().swapaxes(-1, -2)) / 2 for each in estimates if each is not None]
    for name, ours, estimate in zip(trial.sources, found, estimates, strict=True):
        ours = np.zeros_like(estimate) if ours is None else ours
        assert_near(ours, estimate, f"gradient of {name} against differences", _within(program, DIFFERENCED))


def _check_second_order(gradients: Program, trial: Trial, inputs: dict, weights: list, theirs: list | str) -> None:
    program, seeds = gradient_program(gradients, trial.sources)
    found = evaluate(program, {**inputs, **seeds(weights)})
    _check_differences(gradients, trial, inputs, weights, found)
    if isinstance(theirs, str):
        return
    exact = _within(program, 1e-9)
    for name, ours, other in zip(trial.sources, found, theirs, strict=True):
        zeros = np.zeros_like(inputs[name])
        assert_near(zeros if ours is None else ours, zeros if other is None else other, f"second order, {name}", exact)


NARROWER = {"float32": 2e-5, "float16": 1.6e-2, "bfloat16": 0.13, "complex64": 2e-5}


OTHERS = tuple(DTYPES[name] for name in NARROWER if name != "float32")
NARROW = [*_trials((DTYPES["float32"],)), *_trials(OTHERS, most=2)]


@pytest.mark.parametrize(("op", "dtype", "position"), NARROW)
def test_agrees_with_tensorflow_in_narrower_dtypes(op: Op, dtype: np.dtype, position: int) -> None:
    trial = _trial(op, dtype, position)
    cotangents = drawn_like(trial.program, 1)
    gradients, seeds = gradient_program(trial.program, trial.sources)
    outputs, first, _ = tensorflow_orders(trial, cotangents, drawn_like(gradients, 2))
    found = evaluate(gradients, {**trial.inputs, **seeds(cotangents)})
    if not _theirs_is_right(op, dtype):
        found = first = []
    for ours, theirs in zip([*evaluate(trial.program, trial.inputs), *found], [*outputs, *first], strict=True):
        assert_near(ours, theirs, "output or gradient", NARROWER[dtype.name])


INTEGERS = ("int32", "int64", "uint8", "bool")


@pytest.mark.parametrize(("op", "dtype", "position"), _trials(tuple(DTYPES[name] for name in INTEGERS), most=2))
def test_integers_give_the_same_values(op: Op, dtype: np.dtype, position: int) -> None:
    trial = _trial(op, dtype, position)._replace(sources=())
    outputs, _, _ = tensorflow_orders(trial, [], [])
    for ours, theirs in zip(evaluate(trial.program, trial.inputs), outputs, strict=True):
        assert_near(ours, theirs, "output", _within(trial.program, EXACT))
