"""Fourier and cosine transforms: every short length, where TensorFlow is wrong, single precision, refusals."""

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest
import tensorflow

from gradcheck import GradientTape, tensor
from gradcheck.dtypes import Array
from gradcheck.ops import OpError, tf

LENGTHS = range(1, 7)
SIZES = range(1, 9)
Transform = Callable[[Any, Any], Any]


def _drawn(*shape: int) -> Array:
    rng = np.random.default_rng(3)
    return rng.normal(size=shape) + 1j * rng.normal(size=shape)


def _matrix(transform: Callable[[Array], Array], count: int) -> Array:
    """The columns of a transform of `count` numbers, by NumPy."""
    return np.stack([transform(row) for row in np.eye(count)], -1)


def _gradient(transform: Transform, x: Array, cotangent: Array) -> Array:
    watched = tensor(x)
    with GradientTape() as tape:
        tape.watch(watched)
        y = transform(tf, watched)
    found: Array = tape.gradient(y, watched, output_gradients=tensor(cotangent)).numpy()
    return found


@pytest.mark.parametrize(("length", "points"), list(product(LENGTHS, SIZES)))
def test_rfft_pads_and_crops_as_its_matrix_does(length: int, points: int) -> None:
    g = _drawn(points // 2 + 1)
    matrix = _matrix(lambda row: np.fft.rfft(row, points), length)
    found = _gradient(lambda tf, x: tf.signal.rfft(x, [points]), _drawn(length).real, g)
    np.testing.assert_allclose(found, (matrix.conj().T @ g).real, atol=1e-12)


@pytest.mark.parametrize(("bins", "points"), list(product(LENGTHS, SIZES)))
def test_irfft_pads_and_crops_as_its_matrices_do(bins: int, points: int) -> None:
    """The signal is linear in the real and in the imaginary parts of the stored spectrum."""
    g = _drawn(points).real
    real = _matrix(lambda row: np.fft.irfft(row, points), bins)
    imag = _matrix(lambda row: np.fft.irfft(1j * row, points), bins)
    found = _gradient(lambda tf, z: tf.signal.irfft(z, [points]), _drawn(bins), g)
    np.testing.assert_allclose(found, real.T @ g + 1j * (imag.T @ g), atol=1e-12)


def test_irfft2d_of_fewer_rows_has_a_gradient_for_all_of_them() -> None:
    z = _drawn(3, 3)
    found = _gradient(lambda tf, z: tf.signal.irfft2d(z, [2, 4]), z, np.ones((2, 4)))
    expected = np.zeros((3, 3))
    expected[0, 0] = 1  # the sum over all points is the number at frequency 0
    np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("name", ["fft", "fft2d", "fft3d", "rfft", "irfft", "dct"])
def test_single_precision_is_as_exact_as_tensorflows(name: str) -> None:
    z = _drawn(3, 5, 96)
    x = (z if "fft" in name and name[0] != "r" else z.real).astype(np.complex64 if name[0] in "fi" else np.float32)
    exact = getattr(tf.signal, name)(x.astype(np.result_type(x, np.float64))).numpy()
    found = getattr(tf.signal, name)(x).numpy()
    theirs = getattr(tensorflow.signal, name)(x).numpy()
    assert np.abs(found - exact).max() <= 2 * np.abs(theirs - exact).max()


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "fft, scalar": (lambda: tf.signal.fft(1j), r"transforms an axis, and `input` has shape \[\]"),
    "fft2d, vector": (lambda: tf.signal.fft2d([1j]), r"transforms 2 axes, and `input` has shape \[1\]"),
    "fft, real": (lambda: tf.signal.fft([1.0]), "does not take float32"),
    "rfft, no points": (lambda: tf.signal.rfft([1.0], [0]), r"over \[0\] points has no result"),
    "rfft, negative": (lambda: tf.signal.rfft([1.0], [-1]), r"`fft_length` is one number and none is negative"),
    "rfft2d, one size": (lambda: tf.signal.rfft2d([[1.0]], [2]), r"`fft_length` is 2 numbers"),
    "rfft, bare number": (lambda: tf.signal.rfft([1.0], 2), "must be a list of integers, not 2"),
    "rfft, half": (lambda: tf.signal.rfft(np.ones(2, np.float16)), "does not take float16"),
    "irfft, one number": (lambda: tf.signal.irfft([1j]), r"over \[0\] points has no result"),
    "irfft2d, one column": (lambda: tf.signal.irfft2d([[1j], [1j]]), r"over \[2, 0\] points has no result"),
    "irfft, nothing padded": (
        lambda: tf.signal.irfft(np.zeros(0, np.complex64), [4]),
        r"does not pad a tensor without elements, of shape \[0\], to \[4\]",
    ),
    "fftshift, scalar": (lambda: tf.signal.fftshift(1.0), "needs an axis"),
    "ifftshift, axis": (lambda: tf.signal.ifftshift([1.0], 1), "`axes` 1 is outside a tensor of rank 1"),
    "dct, type": (lambda: tf.signal.dct([1.0], 5), "`type` must be 1, 2, 3 or 4, not 5"),
    "dct, axis": (lambda: tf.signal.dct([1.0], axis=0), "`axis` must be -1, not 0"),
    "dct, n": (lambda: tf.signal.dct([1.0], n=0), "`n` must be positive, not 0"),
    "dct, norm": (lambda: tf.signal.dct([1.0], norm="unit"), "`norm` must be None or 'ortho', not 'unit'"),
    "dct, orthonormal type 1": (lambda: tf.signal.dct([1.0, 2.0], 1, norm="ortho"), "cannot be orthonormal"),
    "idct, type 1 of one": (lambda: tf.signal.idct([1.0], 1), "at least two points, not 1"),
    "dct, scalar": (lambda: tf.signal.dct(1.0), r"transforms an axis, and `input` has shape \[\]"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    call, message = REFUSED[name]
    with pytest.raises(OpError, match=message):
        call()
