"""Whatever is written in `expr`: a program or a refusal, never anything else."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradcheck.asking import request
from gradcheck.casefile.case import Case, Expression, Input, Positions
from gradcheck.casefile.limits import Limits
from gradcheck.diagnostics import Refused, Source, Span
from gradcheck.engine.numpy_engine import NumpyEngine
from gradcheck.engines import Failure, Outcome
from gradcheck.language import lower
from gradcheck.ops.declaration import all_names

LIMITS = Limits(elements=10_000, instructions=200)
INPUTS = {
    "x": np.array([[1.0, -2.0, 3.0], [0.5, 5.0, 6.0]], np.float32),
    "v": np.array([1.0, 2.0, 3.0], np.float32),
    "s": np.float32(2.0),
    "z": np.array([1 + 2j, 3 - 1j], np.complex64),
    "i": np.array([0, 1, 1], np.int32),
    "m": np.array([True, False, True]),
    "e": np.zeros((0, 3), np.float32),
}
ATOMS = [
    *INPUTS,
    "1",
    "-1",
    "0",
    "2.5",
    "1j",
    "True",
    "None",
    "...",
    "'a'",
    "tf.float32",
    "tf.newaxis",
    "[1, 2]",
    "[]",
    "()",
]
ATOMS += ["[x, x]", "10**9", "1e400", "math.pi", "x.shape", "i.dtype", "len(v)", "range(3)", "[0, -1]", "tf"]
BINARY = ["+", "-", "*", "/", "//", "%", "**", "@", "<", "==", "&", "|", "^", "and", "in", "is", "<<", ","]


def case_of(text: str) -> Case:
    source = Source("case.yaml", text)
    positions = Positions(
        (line, column) for line, row in enumerate(text.split("\n"), 1) for column in range(1, len(row) + 2)
    )
    span = Span(source, 1, 1, 2)
    inputs = {name: Input(np.asarray(value), span) for name, value in INPUTS.items()}
    return Case("case", "case", span, inputs, Expression(text, source, positions), "float32", limits=LIMITS)


def check(text: str) -> None:
    try:
        lowered = lower(case_of(text))
    except Refused as refused:
        messages = [each.render() for each in refused.diagnostics]
    else:
        messages = []
        assert isinstance(NumpyEngine().run(request(lowered)), (Outcome, Failure))
    assert all(messages)


def grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    calls = st.sampled_from([*sorted(all_names()), "len", "sum", "abs", "math.sqrt", "x.shape", "int", "zip"])
    keyword = st.sampled_from(["axis", "keepdims", "dtype", "name", "perm", "shape", "depth", "transpose_a", "num"])
    return st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from(BINARY), inner),
        st.builds("{}({})".format, calls, inner),
        st.builds("{}({}, {})".format, calls, inner, inner),
        st.builds("{}({}, {}={})".format, calls, inner, keyword, inner),
        st.builds("{}[{}]".format, inner, inner),
        st.builds("{}[{}:{}]".format, inner, inner, inner),
        st.builds("[{}, {}]".format, inner, inner),
        st.builds("(-{})".format, inner),
        st.builds("[{} for k in {}]".format, inner, inner),
        st.builds("({} if {} else {})".format, inner, inner, inner),
    )


EXPRESSIONS = st.recursive(st.sampled_from(ATOMS), grown, max_leaves=6)


@settings(max_examples=400, deadline=None)
@given(EXPRESSIONS)
def test_any_expression(text: str) -> None:
    check(text)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.sampled_from("xv1.+-*/@()[]:,= \n\t'\"\\#tf_{}é🙂\x00"), max_size=40))
def test_any_text(text: str) -> None:
    if text.strip():
        check(text)


@pytest.mark.parametrize("name", sorted(all_names()))
def test_any_operation_called_with_anything(name: str) -> None:
    """Each with every atom, alone and in pairs that a seeded draw picks."""
    rng = np.random.default_rng(len(name) + math.prod(map(ord, name)) % 1000)
    for atom in ATOMS:
        check(f"{name}({atom})")
    for _ in range(40):
        arguments = ", ".join(rng.choice(ATOMS, rng.integers(2, 5)))
        check(f"{name}({arguments})")


def test_the_shipped_cases_are_not_refused() -> None:
    """The strategy above must be able to meet a program, not only refusals."""
    assert isinstance(NumpyEngine().run(request(lower(case_of("tf.reduce_sum(x * v)")))), Outcome)
    assert Path(__file__).exists()
