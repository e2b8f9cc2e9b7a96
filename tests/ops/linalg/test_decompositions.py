"""Decompositions beyond the table: functions that do not depend on phases, signs, special matrices, refused calls."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow

from gradcheck import GradientTape, tensor
from gradcheck.ops import OpError, tf
from gradcheck.ops.linalg.jacobi import singular
from gradcheck.ops.linalg.schur import general
from gradcheck.ops.linalg.tridiagonal import symmetric
from gradcheck.program import TensorType
from gradcheck.tensors import Builder
from gradcheck.verdict.rounding import bounds

Function = Callable[[Any], Any]


def drawn(*shape: int, seed: int = 0, dtype: str = "float64") -> np.ndarray:
    rng = np.random.default_rng(seed)
    real = rng.uniform(-1, 1, shape)
    return (real + 1j * rng.uniform(-1, 1, shape) if dtype.startswith("complex") else real).astype(dtype)


def symmetrized(*shape: int, seed: int = 0, dtype: str = "float64") -> np.ndarray:
    a = drawn(*shape, seed=seed, dtype=dtype)
    return (a + a.conj().T) / 2


def loss(parts: list[Any]) -> Any:
    """A real number that depends on every element of `parts`, each differently."""
    weighted = [tf.math.real(each * drawn(*each.shape, seed=at, dtype="complex128")) for at, each in enumerate(parts)]
    return tf.add_n([tf.reduce_sum(each) for each in weighted])


def as_complex(x: Any) -> Any:
    return tf.cast(x, "complex128")


def projections(vectors: Any, scales: Any) -> Any:
    return tf.matmul(vectors * as_complex(scales), vectors, adjoint_b=True)


def of_eigh(x: Any) -> Any:
    values, vectors = tf.linalg.eigh(x)
    return loss([as_complex(values) ** 3, as_complex(projections(as_complex(vectors), tf.exp(tf.math.real(values))))])


def of_eig(x: Any) -> Any:
    values, vectors = tf.linalg.eig(x)
    return loss([values**3, projections(vectors, tf.abs(values))])


def of_svd(x: Any, full: bool) -> Any:
    s, u, v = tf.linalg.svd(x, full_matrices=full)
    count = s.shape[0]
    u, v = as_complex(u), as_complex(v)
    parts = [as_complex(s) ** 2, tf.matmul(u[:, :count] * as_complex(tf.exp(s)), v[:, :count], adjoint_b=True)]
    for each in (u, v):
        parts += [projections(each[:, :count], s), tf.matmul(each[:, count:], each[:, count:], adjoint_b=True)]
    return loss(parts)


def slope(function: Function, x: np.ndarray, toward: np.ndarray) -> float:
    """The derivative of a real function along `toward`, by fourth-order differences."""
    step = 1e-3

    def at(distance: float) -> float:
        return float(function(tensor(x + distance * toward)).numpy())

    return (8 * (at(step) - at(-step)) - (at(2 * step) - at(-2 * step))) / (12 * step)


def gradient(function: Function, x: Any) -> Any:
    with GradientTape() as tape:
        tape.watch(x)
        value = function(x)
    return tape.gradient(value, x)


FREE = [
    pytest.param(of_eigh, drawn(3, 3, dtype="complex128"), id="eigh-complex"),
    pytest.param(of_eig, drawn(3, 3, dtype="complex128"), id="eig-complex"),
    pytest.param(of_eig, drawn(3, 3) + np.array([[0, 2, 0], [-2, 0, 0], [0, 0, 3]]), id="eig-conjugate-pair"),
    *[
        pytest.param(lambda x, full=full: of_svd(x, full), drawn(*shape, dtype=dtype), id=f"svd-{shape}-{dtype}-{full}")
        for shape in ((2, 2), (4, 2), (2, 4), (3, 2))
        for dtype in ("float64", "complex128")
        for full in (False, True)
    ],
]


@pytest.mark.parametrize(("function", "x"), FREE)
def test_gradient_of_what_does_not_depend_on_phases(function: Function, x: np.ndarray) -> None:
    toward = drawn(*x.shape, seed=7, dtype=x.dtype.name)
    found = gradient(function, tensor(x)).numpy()
    assert np.sum(np.conj(found) * toward).real == pytest.approx(slope(function, x, toward), rel=1e-8, abs=1e-8)


@pytest.mark.parametrize(("function", "x"), FREE)
def test_second_order_of_what_does_not_depend_on_phases(function: Function, x: np.ndarray) -> None:
    weights = drawn(*x.shape, seed=8, dtype=x.dtype.name)

    def first(y: Any) -> Any:
        return tf.reduce_sum(tf.math.real(as_complex(gradient(function, y)) * np.conj(weights).astype("complex128")))

    toward = drawn(*x.shape, seed=7, dtype=x.dtype.name)
    found = gradient(first, tensor(x)).numpy()
    assert np.sum(np.conj(found) * toward).real == pytest.approx(slope(first, x, toward), rel=1e-7, abs=1e-7)


REALS, COMPLEXES = ("float32", "float64"), ("complex64", "complex128")


@pytest.mark.parametrize("order", [2, 3, 6])
@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        *(("eigh", dtype) for dtype in REALS + COMPLEXES),
        *(("qr", dtype) for dtype in REALS + COMPLEXES),
        *(("svd", dtype) for dtype in REALS),
        *(("eig", dtype) for dtype in COMPLEXES),
    ],
)
def test_signs_and_phases_are_those_of_tensorflow(name: str, dtype: str, order: int) -> None:
    x = symmetrized(order, order, dtype=dtype) if name == "eigh" else drawn(order, order, dtype=dtype)
    found = [each.numpy() for each in getattr(tf.linalg, name)(tensor(x))]
    for ours, theirs in zip(found, getattr(tensorflow.linalg, name)(x), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-3 if dtype in ("float32", "complex64") else 1e-9)


@pytest.mark.parametrize("order", [2, 5, 20])
@pytest.mark.parametrize("dtype", ["float32", "float64", "longdouble", "complex64", "complex128", "clongdouble"])
def test_iterations_end_at_the_precision_of_their_dtype(order: int, dtype: str) -> None:
    """Also of long double, in which bounds for float64 are found."""
    a = drawn(order, order, dtype="complex128" if dtype.startswith("c") else "float64").astype(dtype)
    within = 100 * order * float(np.finfo(dtype).eps)
    values, vectors = symmetric(a + a.conj().T)
    np.testing.assert_allclose((a + a.conj().T) @ vectors, vectors * values, atol=within)
    values, vectors = general(a)
    np.testing.assert_allclose(a @ vectors, vectors * values, atol=within)
    s, u, v = singular(a[:, :-1], full=False)
    np.testing.assert_allclose((u * s) @ v.conj().T, a[:, :-1], atol=within)
    np.testing.assert_allclose(u.conj().T @ u, np.eye(order - 1), atol=within)
    assert np.all(np.diff(s) <= 0)


@pytest.mark.parametrize("matrix", [np.eye(4)[[1, 2, 3, 0]], np.zeros((3, 3)), np.eye(3), np.ones((3, 3))])
def test_iterations_end_for_special_matrices(matrix: np.ndarray) -> None:
    """A cyclic permutation is what the shifts of QR steps alone never move."""
    for a in (matrix, matrix.astype(complex)):
        values, vectors = general(a)
        np.testing.assert_allclose(a @ vectors, vectors * values, atol=1e-14)
        found, known = (np.sort_complex(np.round(each, 6)) for each in (values, np.linalg.eigvals(a)))
        np.testing.assert_allclose(found, known, atol=1e-6)
        s, u, v = singular(a, full=True)
        np.testing.assert_allclose((u * s) @ v.conj().T, a, atol=1e-14)


def test_rounding_is_a_share_of_the_norm_and_spares_zeros() -> None:
    """A small element of a decomposition is off by as much as a large one; R keeps its zeros and Q its signs."""
    builder = Builder(inline=True)
    x = builder.input("x", TensorType((2, 2), np.dtype(np.float32)))
    program = builder.finish([tf.linalg.expm(x), tf.linalg.qr(x)[0]])
    exponential, _ = bounds(program, {"x": np.array([[1.0, 1e-9], [1.0, 2.0]], np.float32)})
    assert np.all((exponential > 1e-6) & (exponential < 1e-4))
    _, q = bounds(program, {"x": np.array([[1.0, 1.0], [0.0, 2.0]], np.float32)})
    assert np.all(q < 1e-5)


@pytest.mark.parametrize("shape", [(70, 70), (20, 17), (3, 30)])
def test_large_matrices_are_left_to_lapack(shape: tuple[int, int]) -> None:
    x = drawn(*shape)
    s, u, v = (each.numpy() for each in tf.linalg.svd(tensor(x)))
    np.testing.assert_allclose((u * s) @ v.T, x, atol=1e-12)
    assert np.all(u[np.argmax(np.abs(u), axis=0), np.arange(u.shape[1])] > 0)
    if shape[0] == shape[1]:
        values, vectors = (each.numpy() for each in tf.linalg.eigh(tensor(x + x.T)))
        np.testing.assert_allclose((vectors * values) @ vectors.T, x + x.T, atol=1e-12)
        values, vectors = (each.numpy() for each in tf.linalg.eig(tensor(x)))
        np.testing.assert_allclose(x @ vectors, vectors * values, atol=1e-11)


def test_values_that_are_not_finite() -> None:
    bad = tensor(np.array([[1.0, 0.0], [np.nan, 1.0]]))
    for name in ("eigh", "eig"):
        with pytest.raises(np.linalg.LinAlgError, match="not finite"):
            getattr(tf.linalg, name)(bad)
    assert all(np.isnan(each.numpy()).all() for each in tf.linalg.svd(bad))
    assert np.isnan(tf.linalg.expm(bad).numpy()).all()
    assert np.isnan(tf.linalg.sqrtm(bad).numpy()).all()
    assert np.isnan(tf.linalg.sqrtm(tensor(np.array([[-2.0, 0.0], [0.0, 3.0]]))).numpy()).all()


# mpmath 1.3 with 40 digits, of the sum of the results: differences of mpmath.expm and mpmath.sqrtm with a step of 1e-15
# in each element of [[0.3, -1.2, 0.5], [2.0, 0.7, -0.4], [0.1, 1.5, 4.0]], to which sqrtm adds 3 on the diagonal.
EXPM = [
    [6.66291015334936, 5.68373008380894, 38.350393131533],
    [7.24474427000672, 6.76248574316618, 37.3709966507914],
    [17.2242180859722, 18.5274355106582, 78.698316897853],
]
SQRTM = [
    [0.243338407614647, 0.202859188556739, 0.185096716792335],
    [0.274681708214142, 0.222643593407607, 0.201949886494622],
    [0.231618426586212, 0.194002533492195, 0.177490871205215],
]


@pytest.mark.parametrize(("name", "shift", "expected"), [("expm", 0.0, EXPM), ("sqrtm", 3.0, SQRTM)])
def test_functions_to_high_precision(name: str, shift: float, expected: list[list[float]]) -> None:
    x = np.array([[0.3, -1.2, 0.5], [2.0, 0.7, -0.4], [0.1, 1.5, 4.0]]) + shift * np.eye(3)
    found = gradient(lambda y: tf.reduce_sum(getattr(tf.linalg, name)(y)), tensor(x)).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-13)


def test_second_order_of_the_pseudo_inverse_at_equal_singular_values() -> None:
    """(1 + E)^-1 is 1 - E + E^2, whose sum has the second derivative 2 sum(E^2) along E."""
    toward = drawn(2, 2)

    def first(y: Any) -> Any:
        return tf.reduce_sum(gradient(lambda z: tf.reduce_sum(tf.linalg.pinv(z)), y) * toward)

    found = gradient(first, tensor(np.eye(2))).numpy()
    assert np.sum(found * toward) == pytest.approx(2 * np.sum(toward @ toward), rel=1e-12)


@pytest.mark.parametrize("shape", [(4, 2), (2, 4)])
@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_least_squares_without_the_normal_equations(shape: tuple[int, int], dtype: str) -> None:
    a, b = drawn(*shape, dtype=dtype), drawn(shape[0], 2, seed=1, dtype=dtype)

    def solved(fast: bool) -> Any:
        return lambda y: tf.reduce_sum(tf.math.real(tf.linalg.lstsq(y, tensor(b), fast=fast)))

    found, known = (gradient(solved(fast), tensor(a)).numpy() for fast in (False, True))
    np.testing.assert_allclose(found, known, rtol=1e-9)
    theirs = tensorflow.linalg.lstsq(a, b, fast=False)
    np.testing.assert_allclose(tf.linalg.lstsq(tensor(a), tensor(b), fast=False).numpy(), theirs, rtol=1e-9)


SQUARE, VECTOR = np.eye(3), np.ones(3)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: tf.linalg.eigh(np.ones((2, 3))), "square matrices"),
        (lambda: tf.linalg.eigvals(VECTOR), "square matrices"),
        (lambda: tf.linalg.svd(VECTOR), "needs a matrix"),
        (lambda: tf.linalg.qr(np.ones((2, 2), np.float16)), "does not take float16"),
        (lambda: tf.linalg.logm(SQUARE), "does not take float64"),
        (lambda: tf.linalg.pinv(SQUARE, rcond=[0.1, 0.2]), "`rcond` must be a number"),
        (lambda: tf.linalg.lu(SQUARE, output_idx_type="float32"), "int32 or int64"),
        (lambda: tf.linalg.lu_solve(SQUARE, [0, 1], np.ones((3, 1))), "`perm` must have shape"),
        (lambda: tf.linalg.lu_solve(SQUARE, [0, 1, 2], np.ones((2, 1))), "`rhs` must have 3 rows"),
        (lambda: tf.linalg.lstsq(SQUARE, np.ones((2, 1))), "`rhs` must have 3 rows"),
        (lambda: tf.linalg.lstsq(SQUARE + 0j, SQUARE + 0j, l2_regularizer=0.1), "no regularizer of complex128"),
        (lambda: tf.linalg.eigh_tridiagonal(VECTOR, VECTOR), "must have shape"),
        (lambda: tf.linalg.eigh_tridiagonal(VECTOR, VECTOR[1:], select="i", select_range=[1, 3]), "is not within"),
        (lambda: tf.linalg.eigh_tridiagonal(VECTOR, VECTOR[1:], select="v", select_range=[0.0, 1.0]), "not supported"),
        (lambda: tf.linalg.banded_triangular_solve(SQUARE, VECTOR), "needs a row for each diagonal"),
        (lambda: tf.linalg.tridiagonal_solve(np.ones((2, 3)), VECTOR), "needs three diagonals"),
        (lambda: tf.linalg.tridiagonal_solve([VECTOR] * 2, VECTOR, diagonals_format="sequence"), "list of three"),
        (lambda: tf.linalg.tridiagonal_solve(SQUARE, VECTOR, perturb_singular=True), "not supported"),
        (lambda: tf.linalg.tridiagonal_solve(SQUARE, np.ones(2)), "need a right-hand side of shape"),
        (lambda: tf.linalg.tridiagonal_matmul(SQUARE, VECTOR), "do not multiply"),
        (lambda: tf.linalg.tridiagonal_matmul(np.ones((1, 1)), SQUARE, diagonals_format="matrix"), "at least 2 rows"),
        (lambda: tf.linalg.tensor_diag(1.0), "at least one axis"),
        (lambda: tf.linalg.tensor_diag_part(np.ones((2, 3))), "two equal halves"),
    ],
)
def test_refused_calls(call: Callable[[], Any], words: str) -> None:
    with pytest.raises(OpError, match=words):
        call()


def test_no_gradient_of_the_columns_that_complete_q() -> None:
    with pytest.raises(OpError, match="has no gradient for more rows than columns"):
        gradient(lambda y: tf.reduce_sum(tf.linalg.qr(y, full_matrices=True)[0]), tensor(drawn(3, 2)))


def test_singular_matrices_are_errors_where_tensorflow_has_them_so() -> None:
    for call in (
        lambda: tf.linalg.lu(np.ones((2, 2))),
        lambda: tf.linalg.banded_triangular_solve(np.array([[0.0, 1.0]]), np.ones((2, 1))),
    ):
        with pytest.raises(np.linalg.LinAlgError, match="Singular"):
            call()
