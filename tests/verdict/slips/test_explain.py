"""What holds for all slips: a right gradient and a random one have none, and no answer is too odd to look at."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from gradcheck.dtypes import COMPLEX128, FLOAT32, FLOAT64, Array, is_complex
from gradcheck.ops import OPS, find_op, tf
from gradcheck.ops.declaration import Op
from gradcheck.ops.sampling import Trial, trials
from gradcheck.program import Program
from gradcheck.tensors import Tensor
from gradcheck.verdict.slips import Slip, Wrong, explain
from tests.verdict.slips.calls import (
    BATCHED,
    BFLOAT16,
    COMPLEX,
    CUBE,
    CUMSUM,
    EXP,
    GATHER,
    MATMUL,
    OUTER,
    ROW,
    SIGMOID,
    SOFTMAX,
    SPLIT,
    SQUARE,
    SUM,
    call,
    drawn,
    found,
    right,
    said,
)

WRONGS = {
    "exp": EXP,
    "square": SQUARE,
    "sigmoid": SIGMOID,
    "sum": SUM,
    "matmul": MATMUL,
    "batched": BATCHED,
    "row": ROW,
    "outer": OUTER,
    "softmax": SOFTMAX,
    "complex": COMPLEX,
    "gather": GATHER,
    "cumsum": CUMSUM,
    "split": SPLIT,
    "cube": CUBE,
    "quotient": call(tf.truediv, drawn(3, 4), drawn(4, seed=1), argument=1),
    "relu": call(tf.nn.relu, drawn(7, low=-1, high=1)),
    "lone": call(tf.exp, drawn()),
    "float32": call(tf.exp, drawn(2, 3, dtype=np.float32)),
    "lone float32": call(tf.square, drawn(dtype=np.float32)),
    "float16": call(tf.exp, drawn(4, 4, dtype=np.float16)),
    "bfloat16": call(tf.exp, drawn(4, 4, dtype=BFLOAT16)),
    "complex64": call(tf.exp, drawn(3, dtype=np.complex64)),
}


def test_a_right_gradient_needs_no_explanation() -> None:
    for wrong in (EXP, SUM, MATMUL, COMPLEX, GATHER, SOFTMAX):
        assert explain(wrong) is None
        assert explain(found(wrong, right(wrong) * (1 + 2e-16))) is None


@pytest.mark.parametrize("name", WRONGS)
def test_a_random_gradient_has_no_explanation(name: str) -> None:
    wrong = WRONGS[name]
    rng = np.random.default_rng(5)
    scale = np.abs(right(wrong).astype(complex)).max()
    for _ in range(8):
        value = scale * rng.normal(size=right(wrong).shape)
        if is_complex(right(wrong).dtype):
            value = value + 1j * scale * rng.normal(size=value.shape)
        assert said(wrong, value) is None
        # One that is right up to a random share of each element.
        assert said(wrong, right(wrong).astype(value.dtype) * rng.uniform(1, 4, value.shape)) is None or value.ndim == 0


def of_trial(op: Op, found_trial: Trial) -> Iterator[Wrong]:
    """The call of a trial, once for each of its sources that has a gradient."""
    program, named = found_trial.program, found_trial.inputs
    function = partial(_run, program)
    order = [program.inputs[name] for name in named]
    (instruction,) = program.instructions
    for position, index in enumerate(instruction.inputs):
        if index in order and list(named)[order.index(index)] in found_trial.sources:
            wrong = call(function, *named.values(), argument=position)
            if wrong.right is not None and wrong.right.size:
                yield wrong


def _run(program: Program, *tensors: Tensor) -> Any:
    """The one instruction of `program` on other tensors."""
    (instruction,) = program.instructions
    values = dict(zip(program.inputs.values(), tensors, strict=True))
    context = tensors[0].context
    values |= {index: context.constant(each) for index, each in program.constants.items()}
    operands = {
        name: tuple(values[each] for each in operand) if isinstance(operand, tuple) else values[operand]
        for name, operand in instruction.operands
    }
    types = [program.types[each] for each in instruction.outputs]
    return context.apply(instruction.op, operands, instruction.attributes, types)


@pytest.mark.parametrize("name", sorted(name for name, op in OPS.items() if op.differentiable and op.domains))
def test_every_operation(name: str) -> None:
    """A sign is called a sign, any single element a sign or nothing; a random gradient is nothing."""
    rng = np.random.default_rng(11)
    op = find_op(name)
    for each in trials(op, next(dtype for dtype in (FLOAT64, FLOAT32, COMPLEX128) if dtype in op.dtypes)):
        if len(each.program.instructions) != 1:  # it takes a function, and is written out
            continue
        for wrong in of_trial(op, each):
            r = right(wrong)
            if r.any():
                assert said(wrong, -r) == ("sign", "has the wrong sign")
                assert said(wrong, r + np.abs(r).max() * rng.standard_normal(r.shape)) is None


@given(st.sampled_from(sorted(set(WRONGS) - {"float16", "bfloat16"})), st.integers(0, 2**32), st.floats(0.01, 100))
def test_no_false_explanation(name: str, seed: int, scale: float) -> None:
    wrong = WRONGS[name]
    rng = np.random.default_rng(seed)
    size = np.abs(right(wrong).astype(complex)).max()
    value = right(wrong) + scale * size * rng.standard_t(3, right(wrong).shape)
    assert said(wrong, value) is None


CALLS = WRONGS | {
    "nothing": call(tf.multiply, drawn(2, 1), np.zeros((2, 0))),
    "padded": call(lambda x: tf.pad(x, [[2, 2]], "REFLECT"), drawn(5)),
    "image": call(lambda x, w: tf.nn.conv2d(x, w, 1, "VALID"), drawn(1, 3, 2, 1), drawn(2, 2, 1, 1, seed=1)),
    "kernel": call(lambda x, w: tf.nn.conv2d(x, w, 1, "SAME"), drawn(1, 3, 2, 1), drawn(2, 2, 1, 1), argument=1),
    "largest": call(lambda x: tf.math.top_k(x, 2), drawn(4)),
}
ODD = st.sampled_from(
    [np.float64, np.float32, np.float16, BFLOAT16, np.complex64, np.complex128, np.int32, np.uint8, np.bool_, object]
)


@given(st.data())
def test_it_never_raises(data: st.DataObject) -> None:
    """Any shapes and dtypes, numbers that are none, and limits that are none."""
    wrong = CALLS[data.draw(st.sampled_from(sorted(CALLS)))]
    shapes = st.one_of(st.just(right(wrong).shape), arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3))
    numbers = st.sampled_from([0.0, 1.0, -1.0, 2.0, 0.5, np.nan, np.inf, -np.inf, 1e300, 5e-324])

    def array(shape: tuple[int, ...]) -> Array:
        values = data.draw(arrays.arrays(np.float64, shape, elements=numbers))
        with np.errstate(all="ignore"):
            return values.astype(data.draw(ODD))

    with ExitStack() as stack:
        stack.enter_context(np.errstate(all="raise"))
        changed = replace(wrong, found=array(data.draw(shapes)))
        if data.draw(st.booleans()):
            changed = replace(changed, right=array(right(wrong).shape), allowed=None)
        if data.draw(st.booleans()):
            limits = data.draw(
                arrays.arrays(np.float64, right(wrong).shape, elements=st.sampled_from([0, np.nan, np.inf]))
            )
            changed = replace(changed, allowed=limits)
        slip = explain(changed)
    assert slip is None or (slip.kind and slip.sentence)


def test_empty_gradients() -> None:
    empty = call(tf.exp, np.zeros((0, 3)))
    assert explain(empty) is None
    assert explain(replace(empty, found=np.zeros((0, 4)))) == Slip("shape", "has shape [0, 4], not [0, 3]")
