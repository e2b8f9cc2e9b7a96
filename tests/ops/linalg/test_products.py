"""Matrices: conventions compared with TensorFlow, published numbers, and refused calls."""

import math
from typing import Any

import numpy as np
import pytest
import tensorflow

from gradcheck import GradientTape, tensor
from gradcheck.dtypes import DTYPES
from gradcheck.ops import OpError, tf
from tests.ops.points import assert_same_orders

NAN, INF = math.nan, math.inf
SINGULAR = [[1.0, 2.0], [2.0, 4.0]]
HILBERT = np.array([[1 / (row + column + 1) for column in range(3)] for row in range(3)])


def gradients(f: Any, *points: Any, **options: Any) -> list[Any]:
    sources = [tensor(np.asarray(each)) for each in points]
    with GradientTape() as tape:
        tape.watch(sources)
        value = f(*sources)
    return [None if each is None else each.numpy() for each in tape.gradient(value, sources, **options)]


def theirs(f: Any, *points: Any) -> list[Any]:
    sources = [tensorflow.constant(each) for each in points]
    with tensorflow.GradientTape() as tape:
        tape.watch(sources)
        value = f(*sources)
    return [None if each is None else each.numpy() for each in tape.gradient(value, sources)]


def test_the_gradients_of_a_batched_chain_of_products() -> None:
    x = np.array([[[1.0, 1], [2, 3]], [[4, 5], [6, 7]]])
    y = np.array([[3.0, -7], [-1, 5]])
    z = np.array([[[1.0, 1], [2, 2]], [[3, 3], [-1, -1]]])
    found = gradients(lambda x, y, z: x @ y @ z, x, y, z)
    np.testing.assert_array_equal(found[0], [[[-22, 18], [-22, 18]], [[32, -16], [32, -16]]])
    np.testing.assert_array_equal(found[1], [[66, -8], [80, -8]])
    np.testing.assert_array_equal(found[2], [[[5, 5], [-1, -1]], [[18, 18], [-10, -10]]])


def test_published_inverse_and_determinant_of_the_hilbert_matrix() -> None:
    hilbert = tensor(HILBERT)
    inverse = [[9, -36, 30], [-36, 192, -180], [30, -180, 180]]
    np.testing.assert_allclose(tf.linalg.inv(hilbert).numpy(), inverse, rtol=1e-12)
    np.testing.assert_allclose(tf.linalg.solve(hilbert, tensor(np.eye(3))).numpy(), inverse, rtol=1e-12)
    assert tf.linalg.det(hilbert).numpy() == pytest.approx(1 / 2160, rel=1e-12)
    sign, logarithm = tf.linalg.slogdet(hilbert)
    assert (sign.numpy(), logarithm.numpy()) == (1, pytest.approx(-math.log(2160), rel=1e-12))
    assert tf.linalg.logdet(hilbert).numpy() == pytest.approx(-math.log(2160), rel=1e-12)
    # The adjugate of the matrix, which is the gradient of its determinant.
    (slope,) = gradients(tf.linalg.det, HILBERT)
    np.testing.assert_allclose(slope, np.array(inverse) / 2160, rtol=1e-12)


def test_a_published_cholesky_factor() -> None:
    # Wikipedia, "Cholesky decomposition".
    matrix = tensor(np.array([[4.0, 12, -16], [12, 37, -43], [-16, -43, 98]]))
    np.testing.assert_allclose(tf.linalg.cholesky(matrix).numpy(), [[2, 0, 0], [6, 1, 0], [-8, 5, 3]], rtol=1e-14)


@pytest.mark.parametrize("point", [[[4.0, 1.0], [1.0, 3.0]], [[4.0, 99.0], [1.0, 3.0]]])
@pytest.mark.parametrize("name", ["tf.linalg.cholesky", "tf.linalg.logdet"])
def test_cholesky_reads_the_lower_triangle_and_its_gradient_is_symmetric(name: str, point: Any) -> None:
    found = assert_same_orders(name, point, order=1).first[0]
    assert found is not None
    np.testing.assert_array_equal(found, found.T)


@pytest.mark.parametrize("point", [[[1.0, 2.0], [2.0, 1.0]], [[0.0, 0.0], [0.0, 1.0]], [[NAN, 0.0], [0.0, 1.0]]])
def test_cholesky_of_what_is_not_positive_definite_is_nan(point: Any) -> None:
    (found,), (expected,) = gradients(tf.linalg.cholesky, point), theirs(tensorflow.linalg.cholesky, point)
    assert np.isnan(found).all()
    assert np.isnan(expected).all()


def test_a_bad_matrix_of_a_batch_leaves_the_others_alone() -> None:
    batch = np.array([[[1.0, 2.0], [2.0, 1.0]], [[4.0, 2.0], [2.0, 2.0]]])
    bad, good = tf.linalg.cholesky(tensor(batch)).numpy()
    np.testing.assert_array_equal(bad, [[np.nan, 0], [np.nan, np.nan]])
    np.testing.assert_array_equal(good, [[2, 0], [1, 1]])


def test_singular_matrices_are_errors_as_in_tensorflow() -> None:
    matrix, right = tensor(np.array(SINGULAR)), tensor(np.ones((2, 1)))
    calls = [
        (lambda: tf.linalg.inv(matrix), lambda: tensorflow.linalg.inv(SINGULAR)),
        (lambda: tf.linalg.solve(matrix, right), lambda: tensorflow.linalg.solve(SINGULAR, [[1.0], [1.0]])),
        (lambda: gradients(tf.linalg.det, SINGULAR), lambda: theirs(tensorflow.linalg.det, SINGULAR)),
        (
            lambda: gradients(lambda a: tf.linalg.slogdet(a)[1], SINGULAR),
            lambda: theirs(lambda a: tensorflow.linalg.slogdet(a)[1], SINGULAR),
        ),
    ]
    for ours, reference in calls:
        with pytest.raises(np.linalg.LinAlgError, match="Singular matrix"):
            ours()
        with pytest.raises(tensorflow.errors.InvalidArgumentError, match="not invertible"):
            reference()
    assert tf.linalg.slogdet(matrix)[1].numpy() == -INF


@pytest.mark.parametrize("adjoint", [False, True])
@pytest.mark.parametrize("lower", [False, True])
@pytest.mark.parametrize("diagonal", [[2.0, 4.0, 3.0], [0.0, 4.0, 3.0], [2.0, 4.0, 0.0]])
def test_triangular_solve_reads_one_triangle_and_divides_by_what_is_there(
    diagonal: Any, lower: bool, adjoint: bool
) -> None:
    matrix = np.where(np.eye(3) > 0, np.diag(diagonal), np.arange(9.0).reshape(3, 3) + 1)
    assert_same_orders("tf.linalg.triangular_solve", matrix, np.ones((3, 2)), lower=lower, adjoint=adjoint, order=1)


def test_the_conjugate_that_tensorflow_leaves_out_of_a_complex_determinant() -> None:
    point = np.array([[1 + 1j, 2.0], [0.5j, 3 - 1j]])
    adjugate = np.array([[3 - 1j, -0.5j], [-2.0, 1 + 1j]])
    (found,), (expected,) = gradients(tf.linalg.det, point), theirs(tensorflow.linalg.det, point)
    np.testing.assert_allclose(found, adjugate.conj(), rtol=1e-14)
    assert np.abs(expected - adjugate.conj()).max() > 0.1


def test_the_sign_of_a_real_determinant_is_connected_and_constant() -> None:
    assert_same_orders("tf.linalg.inv", [[1.0, 2.0], [3.0, 4.0]])
    (found,), (expected,) = (
        gradients(lambda a: tf.linalg.slogdet(a)[0], [[1.0, 2.0], [3.0, 4.0]]),
        theirs(lambda a: tensorflow.linalg.slogdet(a)[0], [[1.0, 2.0], [3.0, 4.0]]),
    )
    np.testing.assert_array_equal(found, np.zeros((2, 2)))
    np.testing.assert_array_equal(found, expected)


ALIGNMENTS = ["LEFT_RIGHT", "RIGHT_LEFT", "LEFT_LEFT", "RIGHT_RIGHT"]


@pytest.mark.parametrize("align", ALIGNMENTS)
@pytest.mark.parametrize("shape", [(2, 4), (4, 2), (3, 3), (1, 3)])
def test_every_band_of_every_alignment(shape: tuple[int, int], align: str) -> None:
    rows, columns = shape
    matrix = np.arange(1.0, rows * columns + 1).reshape(shape)
    for low in range(1 - rows, columns):
        for high in range(low, columns):
            k = low if low == high else (low, high)
            part = assert_same_orders("tf.linalg.diag_part", matrix, k=k, align=align, padding_value=-1, order=1)
            band = part.value
            sizes = {"num_rows": rows, "num_cols": columns}
            assert_same_orders("tf.linalg.diag", band, k=k, align=align, padding_value=-2, order=1, **sizes)
            assert_same_orders("tf.linalg.set_diag", -matrix, band, k=k, align=align, order=1)


@pytest.mark.parametrize("lower", range(-1, 4))
@pytest.mark.parametrize("upper", range(-1, 3))
def test_every_band_part(lower: int, upper: int) -> None:
    matrix = np.array([[NAN, 1.0], [2.0, INF], [3.0, 4.0]])
    assert_same_orders("tf.linalg.band_part", matrix, num_lower=lower, num_upper=upper, cotangent=INF, order=1)


@pytest.mark.parametrize("sizes", [{}, {"num_rows": 5}, {"num_cols": 4}, {"num_rows": 3, "num_cols": 6}])
@pytest.mark.parametrize("k", [0, 1, -2, (0, 0), (-1, 1), (1, 2)])
def test_a_matrix_of_diagonals_is_as_large_as_it_must_be(k: Any, sizes: dict[str, int]) -> None:
    low, high = k if isinstance(k, tuple) else (k, k)
    band = np.arange(1.0, 4) if low == high else np.arange(1.0, 1 + 3 * (high - low + 1)).reshape(-1, 3)
    try:
        expected = tensorflow.linalg.diag(band, k=k, **sizes).numpy()
    except tensorflow.errors.InvalidArgumentError:
        with pytest.raises(OpError, match="do not have diagonals"):
            tf.linalg.diag(tensor(band), k=k, **sizes)
        return
    np.testing.assert_array_equal(tf.linalg.diag(tensor(band), k=k, **sizes).numpy(), expected)


def test_padding_is_not_connected() -> None:
    padded = tf.linalg.diag(tensor([True, False]))
    assert padded.numpy().tolist() == [[True, False], [False, False]]
    assert tf.linalg.diag(tensor([1.0, 2.0]), padding_value=9).numpy().tolist() == [[1, 9], [9, 2]]


def test_identities() -> None:
    for sizes, batch, dtype in (((2,), None, "float32"), ((2, 3), [2], "int32"), ((0, 2), None, "complex128")):
        found = tf.eye(*sizes, batch_shape=batch, dtype=dtype)
        expected = tensorflow.eye(*sizes, batch_shape=batch, dtype=dtype)
        assert found.dtype == DTYPES[dtype]
        np.testing.assert_array_equal(found.numpy(), expected)


def test_the_trace_of_a_product_needs_no_square_factors() -> None:
    a, b = np.arange(6.0).reshape(2, 3), np.arange(6.0).reshape(3, 2) - 2
    found = gradients(lambda a, b: tf.linalg.trace(a @ b), a, b)
    np.testing.assert_array_equal(found[0], b.T)
    np.testing.assert_array_equal(found[1], a.T)


M, V = tensor(np.ones((2, 3))), tensor(np.ones(2))
SQUARE = tensor(np.eye(2))
REFUSED = [
    (lambda: M @ M, "`tf.matmul` of shapes [2, 3] and [2, 3]: 3 columns meet 2 rows"),
    (lambda: M @ V, "`tf.matmul` needs matrices, not shapes [2, 3] and [2]"),
    (lambda: tf.linalg.matvec(V, V), "`tf.linalg.matvec` needs a matrix and a vector, not shapes [2] and [2]"),
    (lambda: tf.linalg.matvec(M, V), "`tf.matmul` of shapes [2, 3] and [2, 1]: 3 columns meet 2 rows"),
    (lambda: tf.linalg.adjoint(V), "`tf.linalg.adjoint` needs a matrix, not a tensor of shape [2]"),
    (lambda: tf.linalg.matrix_transpose(V), "`tf.linalg.matrix_transpose` needs a matrix, not a tensor of shape [2]"),
    (lambda: tf.linalg.cross(V, V), "`tf.linalg.cross` needs equal shapes whose last axis is 3, not [2] and [2]"),
    (lambda: tf.linalg.inv(M), "`tf.linalg.inv` needs square matrices, not shape [2, 3]"),
    (lambda: tf.linalg.det(V), "`tf.linalg.det` needs square matrices, not shape [2]"),
    (lambda: tf.linalg.cholesky(M), "`tf.linalg.cholesky` needs square matrices, not shape [2, 3]"),
    (
        lambda: tf.linalg.solve(SQUARE, V),
        "`tf.linalg.solve` of a matrix of shape [2, 2] needs a right-hand side of shape [2, …], not [2]",
    ),
    (
        lambda: tf.linalg.triangular_solve(SQUARE, V),
        "`tf.linalg.triangular_solve` of a matrix of shape [2, 2] needs a right-hand side of 2 rows, not shape [2]",
    ),
    (lambda: tf.linalg.trace(V), "`tf.linalg.trace` needs a matrix, not a tensor of shape [2]"),
    (lambda: tf.linalg.diag_part(M, k=3), "a matrix of 2 rows and 3 columns has no diagonal 3"),
    (lambda: tf.linalg.diag_part(M, k=-2), "a matrix of 2 rows and 3 columns has no diagonal -2"),
    (lambda: tf.linalg.diag(V, k=[1, 0]), "`k` is one diagonal or the lowest and the highest of a band, not (1, 0)"),
    (
        # TensorFlow aborts the process here.
        lambda: tf.linalg.diag(V, k=[0, 1]),
        "`tf.linalg.diag` of the diagonals 0 to 1 needs a row for each, not shape [2]",
    ),
    (
        lambda: tf.linalg.diag(V, num_rows=5, num_cols=5),
        "5 rows and 5 columns do not have diagonals 0 to 0 of length 2",
    ),
    (
        lambda: tf.linalg.diag(V, align="LEFT"),
        "`align` is one of LEFT_RIGHT, RIGHT_LEFT, LEFT_LEFT, RIGHT_RIGHT, not 'LEFT'",
    ),
    (lambda: tf.linalg.diag(V, padding_value=1j), "`padding_value`: a complex number cannot become float64"),
    (
        lambda: tf.linalg.set_diag(M, tensor(np.ones(3))),
        "`tf.linalg.set_diag` of shape [2, 3] needs a `diagonal` of shape [2], not [3]",
    ),
    (lambda: tf.linalg.band_part(M, 3, 0), "`num_lower` 3 is more than the 2 rows"),
    (lambda: tf.linalg.band_part(M, 0, 4), "`num_upper` 4 is more than the 3 columns"),
    (lambda: tf.eye(-1), "an identity cannot have -1 rows and -1 columns"),
]


@pytest.mark.parametrize(("call", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_refused_calls_say_why(call: Any, message: str) -> None:
    with pytest.raises(OpError) as caught:
        call()
    assert str(caught.value) == message
