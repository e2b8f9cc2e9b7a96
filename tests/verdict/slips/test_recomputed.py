"""Gradients computed with one thing changed: a transpose, a sum, an attribute, a cotangent, a point."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from gradcheck.dtypes import Array
from gradcheck.ops import tf
from gradcheck.verdict.slips import Wrong
from tests.verdict.slips.calls import (
    BATCHED,
    COLUMN,
    COMPLEX,
    CUMSUM,
    EDGES,
    EXP,
    GATHER,
    MATMUL,
    PARTS,
    SIGMOID,
    SOFTMAX,
    SPLIT,
    SUM,
    allowed,
    call,
    drawn,
    g,
    right,
    said,
    swapped,
)

FIRST_TURNED = call(partial(tf.matmul, transpose_a=True), drawn(2, 2, 2), drawn(2, 2, 2, seed=1))
SECOND = replace(BATCHED, argument=1, right=BATCHED.rights[1], allowed=allowed(right(BATCHED)))
SHARED = call(tf.matmul, drawn(2, 2, 2), drawn(2, 2, seed=1), argument=1)
MATMUL_SECOND = replace(MATMUL, argument=1, right=MATMUL.rights[1])
BIAS = call(tf.add, drawn(2, 3, 4), drawn(4, seed=1), argument=1)


# --- products and transposes


@pytest.mark.parametrize(
    ("wrong", "value", "kind", "sentence"),
    [
        (
            BATCHED,
            g(BATCHED) @ BATCHED.inputs[1].T,
            "full-transpose",
            "uses a full transpose; only the last two axes should be swapped",
        ),
        (
            SECOND,
            BATCHED.inputs[0].T @ g(BATCHED),
            "full-transpose",
            "uses a full transpose; only the last two axes should be swapped",
        ),
        (
            SHARED,
            (SHARED.inputs[0].T @ g(SHARED)).sum(0),
            "full-transpose",
            "uses a full transpose; only the last two axes should be swapped",
        ),
        (
            FIRST_TURNED,
            swapped(g(FIRST_TURNED) @ FIRST_TURNED.inputs[1].T),
            "full-transpose",
            "uses a full transpose; only the last two axes should be swapped",
        ),
        (MATMUL, g(MATMUL) @ MATMUL.inputs[1], "no-transpose", "uses the second argument without transposing it"),
        (
            MATMUL_SECOND,
            MATMUL.inputs[0] @ g(MATMUL),
            "no-transpose",
            "uses the first argument without transposing it",
        ),
        (MATMUL, MATMUL.inputs[1].T @ g(MATMUL), "order", "multiplies in the wrong order"),
        (MATMUL_SECOND, g(MATMUL) @ MATMUL.inputs[0].T, "order", "multiplies in the wrong order"),
        (MATMUL, right(MATMUL).T, "transposed", "is transposed"),
        (MATMUL, MATMUL.rights[1], "exchanged", "is the gradient with respect to the second argument"),
    ],
)
def test_products(wrong: Wrong, value: Array, kind: str, sentence: str) -> None:
    assert said(wrong, value) == (kind, sentence)


def test_a_symmetric_operand_hides_its_transpose() -> None:
    square = drawn(3, 3)
    wrong = call(tf.matmul, drawn(3, 3), square + square.T)
    assert said(wrong, g(wrong) @ wrong.inputs[1]) is None  # it is right
    assert said(wrong, -g(wrong) @ wrong.inputs[1]) == ("sign", "has the wrong sign")


def test_a_solve_without_its_transpose() -> None:
    matrix = drawn(3, 3) + 2 * np.eye(3)
    wrong = call(tf.linalg.solve, matrix, drawn(3, 2, seed=1), argument=1)
    assert said(wrong, np.linalg.solve(matrix, g(wrong))) == ("flag", "is that of the same call with `adjoint=True`")
    inverse = call(tf.linalg.inv, matrix)
    y = inverse.outputs[0]
    sentence = "has the first argument transposed where it should not be, or the reverse"
    assert said(inverse, -y @ g(inverse) @ y) == ("operand-transposed", sentence)


def test_a_permutation_that_is_not_inverted() -> None:
    wrong = call(lambda x: tf.transpose(x, [1, 2, 0]), drawn(2, 2, 2))
    sentence = "permutes the axes as the operation does; the inverse permutation belongs here"
    assert said(wrong, g(wrong).transpose(1, 2, 0)) == ("permutation", sentence)


# --- sums and contributions


@pytest.mark.parametrize(
    ("wrong", "value", "kind", "sentence"),
    [
        (EDGES, PARTS.sum(1), "wrong-axis", "is summed over axis 1 instead of axis 0"),
        (EDGES, PARTS[0], "one-contribution", "keeps only the first contribution along axis 0; they should be summed"),
        (EDGES, PARTS[-1], "one-contribution", "keeps only the last contribution along axis 0; they should be summed"),
        (EDGES, PARTS.mean(0), "mean-for-sum", "is n = 3 times too small: a mean where a sum belongs"),
        (
            BIAS,
            g(BIAS)[0, 0],
            "one-contribution",
            "keeps only the first contribution along axes 0 and 1; they should be summed",
        ),
        (
            BIAS,
            g(BIAS)[0].sum(0),
            "one-contribution",
            "keeps only the first contribution along axis 0; they should be summed",
        ),
        (
            SHARED,
            (swapped(SHARED.inputs[0]) @ g(SHARED))[1],
            "one-contribution",
            "keeps only the last contribution along axis 0; they should be summed",
        ),
    ],
)
def test_broadcast_operands(wrong: Wrong, value: Array, kind: str, sentence: str) -> None:
    assert said(wrong, value) == (kind, sentence)


def test_an_operand_that_is_broadcast_to_nothing_has_no_contributions() -> None:
    wrong = call(tf.multiply, drawn(2, 1), np.zeros((2, 0)))
    assert said(wrong, np.ones((2, 1))) is None


def test_an_axis_of_size_1_that_is_cut_and_not_summed() -> None:
    value = (g(COLUMN) * COLUMN.inputs[1])[:, :1]
    sentence = "keeps only the first contribution along axis 1; they should be summed"
    assert said(COLUMN, value) == ("one-contribution", sentence)


def scattered(wrong: Wrong, indices: Sequence[int]) -> Array:
    result = np.zeros_like(right(wrong))
    for index, row in zip(indices, g(wrong), strict=True):
        result[index] = row
    return result


def test_duplicates() -> None:
    indices = [0, 2, 0, 2, 2]
    sentence = "keeps only the last contribution where an index repeats; they should be summed"
    assert said(GATHER, scattered(GATHER, indices)) == ("overwritten", sentence)
    turned = replace(GATHER, cotangents=(g(GATHER)[::-1],))
    first = scattered(turned, indices[::-1])
    assert said(GATHER, first)[1].startswith("keeps only the first contribution")  # type: ignore[index]
    mean = right(GATHER) / np.array([[2], [1], [3], [1]])
    sentence = "takes the mean of the contributions where an index repeats; they should be summed"
    assert said(GATHER, mean) == ("averaged", sentence)


def test_duplicates_of_a_composition() -> None:
    wrong = call(lambda x: tf.repeat(x, [2, 1, 3], axis=0), drawn(3))
    last = g(wrong)[[1, 2, 5]]
    sentence = "keeps only the last contribution where an element is used more than once; they should be summed"
    assert said(wrong, last) == ("overwritten", sentence)


def test_a_mirrored_border_that_is_not_added_back() -> None:
    wrong = call(lambda x: tf.pad(x, [[2, 2]], "REFLECT"), drawn(5))
    sentence = "keeps only one contribution where an element is used more than once; they should be summed"
    assert said(wrong, g(wrong)[2:-2]) == ("overwritten", sentence)


def test_a_bias_summed_over_the_wrong_axes() -> None:
    wrong = call(tf.nn.bias_add, drawn(3, 3, 3), drawn(3, seed=1), argument=1)
    sentence = "is summed over axes 0 and 2 instead of axes 0 and 1"
    assert said(wrong, g(wrong).sum((0, 2))) == ("wrong-axis", sentence)


def test_a_sum_repeated_along_the_wrong_axis() -> None:
    wrong = call(lambda x: tf.reduce_sum(x, axis=0), drawn(3, 3))
    value = np.broadcast_to(g(wrong)[:, None], (3, 3))
    assert said(wrong, value) == ("wrong-axis", "goes along axis 1 instead of axis 0")


# --- attributes


def test_attributes() -> None:
    assert said(CUMSUM, np.cumsum(g(CUMSUM)[::-1])[::-1]) == (
        "flag",
        "is that of the same call with `exclusive=False`",
    )
    forward = np.cumsum(g(CUMSUM)) - g(CUMSUM)
    assert said(CUMSUM, forward) == ("flag", "is that of the same call with `reverse=True`")
    rolled = call(lambda x: tf.roll(x, 2, 0), drawn(5))
    sentence = "is shifted the same way as the operation shifts; it should be shifted back"
    assert said(rolled, np.roll(g(rolled), 2)) == ("not-undone", sentence)


def test_a_softmax_along_another_axis() -> None:
    square = call(tf.nn.softmax, drawn(3, 3))
    y = np.asarray(square.outputs[0])
    e = np.exp(square.inputs[0])
    other = e / e.sum(0)
    value = other * (g(square) - (g(square) * other).sum(0))
    assert not np.allclose(y, other)
    assert said(square, value) == ("wrong-axis", "goes along axis 0 instead of axis 1")


# --- cotangents


@pytest.mark.parametrize(
    ("wrong", "value", "kind", "sentence"),
    [
        (
            EXP,
            g(EXP),
            "missing-derivative",
            "is the incoming cotangent itself: the operation's own derivative is missing",
        ),
        (EXP, np.exp(EXP.inputs[0]), "missing-chain", "ignores the incoming cotangent"),
        (MATMUL, np.ones((3, 3)) @ MATMUL.inputs[1].T, "missing-chain", "ignores the incoming cotangent"),
        (EXP, right(EXP) * g(EXP), "chain-twice", "has the incoming cotangent as a factor twice"),
        (
            EXP,
            np.exp(EXP.inputs[0]) * g(EXP).mean(),
            "averaged",
            "uses the mean of the incoming cotangent for every element",
        ),
        (
            SUM,
            np.full((3, 4), g(SUM).sum()),
            "summed",
            "uses the sum of the incoming cotangent for every element",
        ),
        (
            SPLIT,
            np.concatenate(SPLIT.cotangents[::-1]),
            "wrong-output",
            "exchanges the cotangents of the first and the second output",
        ),
    ],
)
def test_cotangents(wrong: Wrong, value: Array, kind: str, sentence: str) -> None:
    assert said(wrong, value) == (kind, sentence)


def test_an_output_that_is_left_out() -> None:
    wrong = call(lambda x: tf.nn.moments(x, [0]), drawn(5))
    g_mean, g_variance = (float(each) for each in wrong.cotangents)
    assert said(wrong, np.full(5, g_mean / 5)) == (
        "missing-output",
        "leaves out what comes in from the second output",
    )
    assert g_variance != 0


def test_positions_beside_complex_numbers_have_a_cotangent_of_their_own() -> None:
    positions = np.zeros((2, 3), np.int64)
    wrong = replace(COMPLEX, outputs=(*COMPLEX.outputs, positions), cotangents=(g(COMPLEX), positions))
    assert said(wrong, drawn(2, 3, seed=5, dtype=complex)) is None


# --- normalisations, other points


def test_softmax() -> None:
    y = SOFTMAX.outputs[0]
    assert said(SOFTMAX, g(SOFTMAX) * y * (1 - y)) == (
        "diagonal",
        "treats each element on its own: only the diagonal of the Jacobian is used",
    )
    assert said(SOFTMAX, g(SOFTMAX) * y) == (
        "missing-term",
        "lacks the subtraction of its sum along axis 1 times the output",
    )


def test_a_diagonal_under_a_cotangent_of_zeros() -> None:
    picked = np.zeros((3, 4))
    picked[[0, 1, 2], [1, 3, 0]] = [0.7, 1.1, 0.9]  # a cross entropy's, by hand
    wrong = call(tf.nn.log_softmax, drawn(3, 4))
    p = np.exp(wrong.outputs[0])
    wrong = replace(wrong, cotangents=(picked,), right=picked - p * picked.sum(1, keepdims=True), allowed=None)
    assert said(wrong, picked * (1 - p)) == (
        "diagonal",
        "treats each element on its own: only the diagonal of the Jacobian is used",
    )


def test_a_derivative_at_the_output() -> None:
    s = 1 / (1 + np.exp(-SIGMOID.outputs[0]))
    sentence = "takes the operation's derivative at its output instead of its operand"
    assert said(SIGMOID, g(SIGMOID) * s * (1 - s)) == ("at-output", sentence)
