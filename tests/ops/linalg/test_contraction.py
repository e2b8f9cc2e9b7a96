"""Einstein sums: against NumPy's own, TensorFlow at special values, and refused equations."""

import math
from typing import Any

import numpy as np
import pytest
import tensorflow

from gradcheck import GradientTape, tensor
from gradcheck.engine.differentiate import differentiate
from gradcheck.ops import OpError, tf
from gradcheck.ops.linalg.contraction import plan
from gradcheck.program import TensorType
from gradcheck.tensors import Builder

INF = math.inf


def drawn(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1, 1, shape)


def random_equation(rng: np.random.Generator) -> tuple[str, list[np.ndarray]]:
    """An equation with up to four operands of up to four axes, repeated letters and summed ones among them."""
    sizes = dict(zip("abcdef", rng.integers(1, 4, 6), strict=True))
    terms = ["".join(rng.choice(list("abcdef"), rng.integers(0, 5))) for _ in range(rng.integers(1, 5))]
    letters = sorted(set("".join(terms)))
    output = "".join(rng.permutation(letters)[: rng.integers(0, len(letters) + 1)]) if letters else ""
    arrays = [rng.uniform(-1, 1, [sizes[each] for each in term]) for term in terms]
    return f"{','.join(terms)}->{output}", arrays


@pytest.mark.parametrize("seed", range(150))
def test_values_and_gradients_of_random_equations(seed: int) -> None:
    equation, arrays = random_equation(np.random.default_rng(seed))
    sources = [tensor(each) for each in arrays]
    with GradientTape() as tape:
        tape.watch(sources)
        value = tf.einsum(equation, *sources)
    np.testing.assert_allclose(value.numpy(), np.einsum(equation, *arrays), rtol=1e-12, atol=1e-13, err_msg=equation)
    weights = drawn(*value.shape, seed=seed)
    found = tape.gradient(value, sources, output_gradients=tensor(weights))
    for at, (x, part) in enumerate(zip(arrays, found, strict=True)):
        # It is linear in each operand, so that the slope toward any direction is the value there.
        direction = drawn(*x.shape, seed=seed + 1)
        there = np.einsum(equation, *arrays[:at], direction, *arrays[at + 1 :])
        assert np.sum(part.numpy() * direction) == pytest.approx(np.sum(there * weights), rel=1e-10, abs=1e-12), (
            equation
        )


@pytest.mark.parametrize(
    ("equation", "left", "right", "product"),
    [
        ("ij,jk->ik", (40, 30), (30, 20), lambda a, b: a @ b),
        ("ij,kj->ik", (40, 30), (20, 30), lambda a, b: a @ b.T),
        ("bij,bjk->bik", (3, 40, 30), (3, 30, 20), lambda a, b: a @ b),
        ("ijk,jkl->il", (4, 5, 6), (5, 6, 7), lambda a, b: a.reshape(4, 30) @ b.reshape(30, 7)),
        ("i,i->", (50,), (50,), lambda a, b: a[None] @ b[:, None]),
    ],
)
def test_products_of_matrices_are_left_to_matmul(equation: str, left: Any, right: Any, product: Any) -> None:
    a, b = drawn(*left), drawn(*right, seed=1)
    found = tf.einsum(equation, tensor(a), tensor(b)).numpy()
    np.testing.assert_array_equal(found, product(a, b).reshape(found.shape))


def test_three_operands_are_contracted_in_the_cheapest_order() -> None:
    # From left to right the first product alone would have 3000 x 3000 elements of 1000 terms.
    a, b, c = drawn(3000, 1), drawn(1, 3000, seed=1), drawn(3000, 1, seed=2)
    found = tf.einsum("ij,jk,kl->il", *map(tensor, (a, b, c))).numpy()
    np.testing.assert_allclose(found, a @ (b @ c), rtol=1e-12)


@pytest.mark.parametrize(("dtype", "count", "theirs"), [("float16", 5000, 2048), ("bfloat16", 4992, 4992)])
def test_sixteen_bit_products_are_accumulated_in_float32(dtype: str, count: int, theirs: int) -> None:
    ones = tf.cast(tensor(np.ones(5000)), dtype)
    assert tf.einsum("i,i->", ones, ones).numpy() == count
    assert tensorflow.einsum("i,i->", *[tensorflow.ones(5000, dtype)] * 2).numpy() == theirs


def test_off_the_diagonal_the_gradient_is_zero_whatever_the_cotangent() -> None:
    x = tensor(np.ones((2, 2)))
    with GradientTape() as tape:
        tape.watch(x)
        y = tf.einsum("ii->i", x)
    found = tape.gradient(y, x, output_gradients=tensor([INF, math.nan], "float64")).numpy()
    np.testing.assert_array_equal(found, [[INF, 0], [0, math.nan]])


@pytest.mark.parametrize(
    ("equation", "shapes"),
    [
        ("...i,...i->...", [(1, 2), (2, 2)]),
        ("...i,i...->...", [(3, 1, 2), (2, 4)]),
        ("...,...->...", [(), (2, 3)]),
        ("i...->...i", [(2, 3, 1)]),
        ("...ij,jk,...kl->...il", [(2, 1, 2, 2), (2, 2), (3, 2, 2)]),
        ("...i,...j,...k->...", [(2, 1, 2), (3, 2), (2, 1, 1)]),
        ("...ij,...jk->...ik", [(0, 2, 2), (1, 2, 2)]),
        ("ij->...ij", [(2, 3)]),
    ],
)
def test_broadcast_axes_are_summed_back(equation: str, shapes: list[Any]) -> None:
    arrays = [drawn(*shape, seed=at) + 1j * drawn(*shape, seed=9) for at, shape in enumerate(shapes)]
    mine, other = [tensor(each) for each in arrays], [tensorflow.constant(each) for each in arrays]
    with GradientTape() as tape:
        tape.watch(mine)
        value = tf.einsum(equation, *mine)
    with tensorflow.GradientTape() as theirs:
        theirs.watch(other)
        expected = tensorflow.einsum(equation, *other)
    np.testing.assert_allclose(value.numpy(), expected, atol=1e-13)
    for found, reference in zip(tape.gradient(value, mine), theirs.gradient(expected, other), strict=True):
        np.testing.assert_allclose(found.numpy(), reference, atol=1e-13)


@pytest.mark.parametrize(
    ("equation", "shapes", "output"),
    [
        ("ba", [(2, 3)], "ab"),
        ("ij,jk", [(2, 3), (3, 2)], "ik"),
        ("aB", [(2, 3)], "Ba"),
        ("ii", [(2, 2)], ""),
    ],
)
def test_an_implicit_output_has_what_occurs_once_in_alphabetical_order(equation: str, shapes: Any, output: str) -> None:
    assert plan(equation, tuple(shapes)).output == output
    expected = tensorflow.einsum(equation, *[tensorflow.ones(shape) for shape in shapes]).shape
    assert plan(equation, tuple(shapes)).shape == tuple(expected)


def test_options_of_tensorflow_are_taken() -> None:
    x = tensor(np.ones((2, 2)))
    assert tf.einsum("ij,jk,kl->", x, x, x, optimize="optimal", name="product").numpy() == 16


def test_a_gradient_reads_as_equations() -> None:
    builder = Builder(inline=False)
    x = builder.input("x", TensorType((2, 3), np.dtype(np.float64)))
    y = builder.input("y", TensorType((3, 4), np.dtype(np.float64)))
    program = differentiate(builder.finish([tf.einsum("ij,jk->ik", x, y)]), ["x", "y"])
    assert str(program).splitlines()[3:] == [
        "%2: float64[2, 4] = tf.einsum('ij,jk->ik', x, y)",
        "%4: float64[2, 3] = tf.einsum('ik,jk->ij', cotangent, y)",
        "%5: float64[3, 4] = tf.einsum('ik,ij->jk', cotangent, x)",
        "return %2, %4, %5",
    ]


ODD = "is not made of letters and at most one `...`"
REFUSED = [
    ("i,i->", [(3,), (4,)], "`i,i->`: `i` has size 3 in one place and 4 in another"),
    ("ij,jk->ik", [(3, 1), (2, 2)], "`ij,jk->ik`: `j` has size 1 in one place and 2 in another"),
    ("ij,jk,kl->il", [(3, 1), (3, 2), (2, 2)], "`ij,jk,kl->il`: `j` has size 1 in one place and 3 in another"),
    ("ii->i", [(2, 3)], "`ii->i`: `i` has size 2 in one place and 3 in another"),
    ("...i,...j->...", [(3, 2), (4, 2)], "`...i,...j->...`: an axis of `...` has size 3 in one place and 4 in another"),
    ("i->j", [(3,)], "`i->j`: the output has `j`, which no input has"),
    ("i->ii", [(3,)], "`i->ii`: the output has `i` more than once"),
    ("ij->i", [(3,)], "`ij->i`: tensor 0 has shape [3], which is not of the form `ij`"),
    ("i->i", [(3, 3)], "`i->i`: tensor 0 has shape [3, 3], which is not of the form `i`"),
    ("...ijk->i", [(3, 3)], "`...ijk->i`: tensor 0 has shape [3, 3], which is not of the form `...ijk`"),
    ("i,j->", [(3,)], "the equation `i,j->` is for 2 tensors, not 1"),
    ("i1->i", [(3, 3)], f"`i1->i`: `i1` {ODD}"),
    ("i->i->i", [(3,)], f"`i->i->i`: `i->i` {ODD}"),
    ("...i...->i", [(2, 2, 3)], f"`...i...->i`: `...i...` {ODD}"),
    ("i..->i", [(3, 3)], f"`i..->i`: `i..` {ODD}"),
    ("...i->......i", [(3, 3)], f"`...i->......i`: `......i` {ODD}"),
    ("...i->i", [(3, 3)], "`...i->i`: the axes of `...` must be in the output, as no letter could sum them"),
    (
        "...ij,...jk",
        [(2, 2, 2), (2, 2, 2)],
        "`...ij,...jk`: the axes of `...` must be in the output, as no letter could sum them",
    ),
]


@pytest.mark.parametrize(("equation", "shapes", "message"), REFUSED, ids=[each[0] for each in REFUSED])
def test_what_tensorflow_refuses_is_refused_with_a_reason(equation: str, shapes: list[Any], message: str) -> None:
    with pytest.raises(OpError) as caught:
        tf.einsum(equation, *[tensor(np.ones(shape)) for shape in shapes])
    assert str(caught.value) == message
    with pytest.raises((ValueError, tensorflow.errors.OpError)):
        tensorflow.einsum(equation, *[tensorflow.ones(shape) for shape in shapes])


A, B = tensor(np.ones((2, 3))), tensor(np.ones((4, 2)))
TENSORDOTS = [
    (1, "`tf.tensordot` of shapes [2, 3] and [4, 2]: axis 1 of `a` has size 3, axis 0 of `b` 4"),
    (3, "`axes` 3: shapes [2, 3] and [4, 2] do not both have as many"),
    (-1, "`axes` -1: shapes [2, 3] and [4, 2] do not both have as many"),
    ([1, 0, 1], "`axes` is a number, or the axes of `a` and those of `b`, not [1, 0, 1]"),
    ([[0], [0, 1]], "`axes` pairs the axes [0] of `a` with [0, 1] of `b`; each must be in one pair"),
    ([[0, 0], [1, 1]], "`axes` pairs the axes [0, 0] of `a` with [1, 1] of `b`; each must be in one pair"),
    ([[2], [0]], "`axes` 2 is outside a tensor of rank 2"),
]


@pytest.mark.parametrize(("axes", "message"), TENSORDOTS, ids=[str(axes) for axes, _ in TENSORDOTS])
def test_tensordot_refuses_axes_that_do_not_fit(axes: Any, message: str) -> None:
    with pytest.raises(OpError) as caught:
        tf.tensordot(A, B, axes)
    assert str(caught.value) == message


def test_an_unknown_option_is_refused() -> None:
    with pytest.raises(OpError, match=r"`tf\.einsum` has no parameter `order`"):
        tf.einsum("ij->", A, order="C")
