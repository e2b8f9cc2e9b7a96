"""What shows in the numbers of the right gradient: scaled, conjugated, moved, right in places or to fewer digits."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gradcheck.dtypes import Array
from gradcheck.ops import tf
from gradcheck.verdict.slips import Slip, Wrong, explain
from tests.verdict.slips.calls import (
    BFLOAT16,
    COMPLEX,
    CUBE,
    EXP,
    MATMUL,
    ROW,
    SIGMOID,
    SQUARE,
    SUM,
    call,
    drawn,
    g,
    right,
    said,
    swapped,
)

TANH = call(tf.tanh, drawn(5))
MEAN = call(lambda x: tf.reduce_mean(x), drawn(3, 4))
COMPLEX_PRODUCT = call(tf.matmul, drawn(2, 3, dtype=complex), drawn(3, 2, seed=1, dtype=complex))


# --- signs and factors


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, BFLOAT16, np.complex64, np.complex128])
def test_sign_in_every_dtype(dtype: Any) -> None:
    wrong = call(tf.square, drawn(2, 3, dtype=dtype))
    assert said(wrong, -right(wrong)) == ("sign", "has the wrong sign")


@pytest.mark.parametrize(
    ("wrong", "factor", "kind", "sentence"),
    [
        (EXP, -1, "sign", "has the wrong sign"),
        (EXP, 2, "factor", "is 2 times too large"),
        (EXP, 0.5, "factor", "is 2 times too small"),
        (EXP, -2, "factor", "has the wrong sign and is 2 times too large"),
        (EXP, -0.5, "factor", "has the wrong sign and is 2 times too small"),
        (EXP, 6, "factor", "is n = 6 times too large, n being the size of an axis"),
        (EXP, 1 / 3, "factor", "is n = 3 times too small, n being the size of an axis"),
        (EXP, 0.7, "factor", "is 0.7 times what it should be"),
        (EXP, -np.pi, "factor", "is -3.142 times what it should be"),
        (EXP, 1.00001, "factor", "is 1.00001 times what it should be"),
        (SUM, 1 / 4, "mean-for-sum", "is n = 4 times too small: a mean where a sum belongs"),
        (MEAN, 12, "sum-for-mean", "is n = 12 times too large: a sum where a mean belongs"),
        (ROW, 1 / 3, "mean-for-sum", "is n = 3 times too small: a mean where a sum belongs"),
        (COMPLEX, 1j, "factor", "is 1j times what it should be"),
        (COMPLEX, 0.5 + 0.25j, "factor", "is (0.5+0.25j) times what it should be"),
        (EXP, 0, "zeros", "is zero everywhere"),
    ],
)
def test_factor(wrong: Wrong, factor: complex, kind: str, sentence: str) -> None:
    assert said(wrong, factor * right(wrong)) == (kind, sentence)


def test_where_n_is_2_a_reduction_speaks_of_the_mean_and_others_of_2() -> None:
    pairs = call(lambda x: tf.reduce_sum(x, axis=0), drawn(2, 3))
    sentence = "is n = 2 times too small: a mean where a sum belongs"
    assert said(pairs, right(pairs) / 2) == ("mean-for-sum", sentence)
    assert said(SQUARE, right(SQUARE) / 2) == ("factor", "is 2 times too small")  # an axis of size 2 is no reason


def test_where_sign_and_exchange_are_the_same_it_is_the_sign() -> None:
    wrong = call(tf.math.squared_difference, drawn(5), drawn(5, seed=1))
    assert said(wrong, wrong.rights[1]) == ("sign", "has the wrong sign")


def test_an_added_constant() -> None:
    sentence = "is 0.25 too large everywhere: a constant is added"
    assert said(SIGMOID, right(SIGMOID) + 0.25) == ("addend", sentence)
    assert said(call(tf.exp, drawn(2)), right(call(tf.exp, drawn(2))) + 0.25) is None


# --- complex numbers


@pytest.mark.parametrize(
    ("wrong", "value", "kind", "sentence"),
    [
        (COMPLEX, right(COMPLEX).conj(), "conjugate", "is the complex conjugate of what it should be"),
        (COMPLEX, right(COMPLEX).real, "real-part", "has lost its imaginary part"),
        (COMPLEX, 1j * right(COMPLEX).imag, "imaginary-part", "has lost its real part"),
        (COMPLEX, right(COMPLEX).imag, "imaginary-part", "has the imaginary part in place of the real one"),
        (
            COMPLEX,
            g(COMPLEX) * COMPLEX.inputs[1],
            "conjugate-operand",
            "lacks a conjugate of the operation's derivative",
        ),
        (
            COMPLEX_PRODUCT,
            g(COMPLEX_PRODUCT) @ COMPLEX_PRODUCT.inputs[1].T,
            "conjugate-operand",
            "lacks a conjugate of the operation's derivative",
        ),
        (
            COMPLEX,
            g(COMPLEX).conj() * COMPLEX.inputs[1].conj(),
            "conjugate-cotangent",
            "uses the complex conjugate of the incoming cotangent",
        ),
    ],
)
def test_complex_numbers(wrong: Wrong, value: Array, kind: str, sentence: str) -> None:
    assert said(wrong, value) == (kind, sentence)


def test_a_real_gradient_of_a_complex_operand() -> None:
    dropped = replace(COMPLEX, found=right(COMPLEX).real)
    assert explain(dropped) == Slip("real-part", "has lost its imaginary part")


# --- places


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (right(CUBE).T, "has all axes reversed: a full transpose"),
        (swapped(right(CUBE)), "has axes 1 and 2 exchanged"),
        (right(CUBE).transpose(1, 2, 0), "has its axes in the order [1, 2, 0]"),
    ],
)
def test_transposed_results(value: Array, sentence: str) -> None:
    assert said(CUBE, value) == ("transposed", sentence)


def test_reversed_and_shifted() -> None:
    r = right(SQUARE)
    assert said(SQUARE, r[::-1]) == ("reversed", "is reversed along axis 0")
    assert said(SQUARE, r[:, ::-1]) == ("reversed", "is reversed along axis 1")
    assert said(SQUARE, r[::-1, ::-1]) == ("reversed", "is reversed along every axis")
    long = call(tf.square, drawn(5))
    r = right(long)
    assert said(long, np.roll(r, 1)) == ("shifted", "is shifted by one towards the end along axis 0")
    assert said(long, [*r[1:], 0]) == ("shifted", "is shifted by one towards the start along axis 0")
    palindrome = call(tf.exp, np.array([0.5, 1.0, 0.5]), ones=True)
    assert said(palindrome, right(palindrome)[::-1]) is None  # it is right


def test_a_symmetrised_result() -> None:
    r = right(MATMUL)
    assert said(MATMUL, (r + r.T) / 2) == ("symmetrised", "is made symmetric, which it should not be")


def test_ties() -> None:
    x = np.array([1.0, 2.0, 3.0, 4.0])
    wrong = call(tf.maximum, x, np.array([0.5, 2.0, 3.5, 4.0]))
    value = np.where([False, True, False, True], 0.5, 1.0) * right(wrong)
    sentence = "is wrong only where the operation has a kink, such as a tie: at 2 of 4 elements"
    assert said(wrong, value) == ("tie", sentence)
    relu = call(tf.nn.relu, np.array([-1.0, 0.0, 2.0]))
    sentence = "is wrong only where the operation has a kink, such as a tie: at 1 of 3 elements"
    assert said(relu, g(relu) * [0, 1, 1]) == ("tie", sentence)
    largest = call(lambda x: tf.reduce_max(x), np.array([3.0, 1.0, 3.0, 2.0]))
    assert said(largest, right(largest) * [2, 1, 0, 1]) == (
        "tie",
        "is wrong only where the operation has a kink, such as a tie: at 2 of 4 elements",
    )


def test_masked_elements() -> None:
    relu = call(tf.nn.relu, np.array([-1.0, -2.0, 0.5, 2.0]))
    sentence = "has values where it should be zero, at 2 of 4 elements; the others are right"
    assert said(relu, g(relu)) == ("leak", sentence)
    value = right(SIGMOID).copy()
    value[0] = 0
    sentence = "is zero where it should not be, at 3 of 6 elements; the others are right"
    assert said(SIGMOID, value) == ("dropped", sentence)
    assert said(MATMUL, np.tril(right(MATMUL))) == ("triangle", "keeps only the lower triangle")
    assert said(MATMUL, np.triu(right(MATMUL))) == ("triangle", "keeps only the upper triangle")


def test_a_border() -> None:
    value = right(TANH).copy()
    value[-1] *= 1.3
    assert said(TANH, value) == ("border", "is wrong only at the last index of axis 0")
    value = right(TANH).copy()
    value[2] *= 1.3
    assert said(TANH, value) is None


def test_not_finite() -> None:
    value = right(EXP).copy()
    value[1, 1] = np.nan
    assert said(EXP, value) == ("not-finite", "is not finite at 1 of 6 elements; the others are right")
    value[0, 0] *= 1.1
    assert said(EXP, value) is None
    assert said(EXP, np.full((2, 3), np.nan)) is None


# --- normalisations


def test_a_missing_mean() -> None:
    wrong = call(lambda x: tf.nn.log_softmax(x), np.zeros((2, 4)))  # J = I - 1/n: the cotangent less its mean
    value = g(wrong)
    assert said(wrong, value) == (
        "missing-derivative",
        "is the incoming cotangent itself: the operation's own derivative is missing",
    )
    scaled = call(lambda x: tf.nn.softmax(x), np.zeros((2, 4)))
    assert said(scaled, g(scaled) / 4) == ("missing-mean", "lacks the subtraction of its mean along axis 1")


def test_a_normalisation_without_its_projection() -> None:
    wrong = call(lambda x: tf.math.l2_normalize(x, axis=1), drawn(2, 4))
    value = g(wrong) / np.linalg.norm(wrong.inputs[0], axis=1, keepdims=True)
    sentence = "lacks the subtraction of its part along the output on axis 1"
    assert said(wrong, value) == ("missing-term", sentence)


# --- precision


def test_fewer_digits() -> None:
    wrong = call(tf.exp, drawn(4, 5))
    for dtype in (np.float32, np.float16, BFLOAT16):
        value = right(wrong).astype(dtype).astype(np.float64)
        assert said(wrong, value) == ("narrow", f"is right only to the precision of {np.dtype(dtype).name}")
    single = call(tf.exp, drawn(4, 5, dtype=np.float32))
    value = right(single).astype(np.float16).astype(np.float32)
    assert said(single, value) == ("narrow", "is right only to the precision of float16")
    slope = np.exp(wrong.inputs[0].astype(np.float32)).astype(np.float64)  # the rest in float64
    assert said(wrong, g(wrong) * slope) == ("narrow", "is right only to the precision of float32")


def test_an_error_of_the_size_of_half_precision_is_not_half_precision() -> None:
    wrong = call(tf.exp, drawn(4, 5))
    noise = np.random.default_rng(3).uniform(-1, 1, (4, 5))
    assert said(wrong, right(wrong) * (1 + 1e-3 * noise)) is None
    assert said(wrong, right(wrong) * (1 + 1e-5 * noise)) is None
