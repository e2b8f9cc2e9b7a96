"""Windows and spectra: windows that functions give, high precision, powers of two, and what is refused."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow

from gradcheck import GradientTape, tensor
from gradcheck.dtypes import FLOAT32, FLOAT64, INT32
from gradcheck.ops import OpError, tf
from gradcheck.ops.signal.windows import inverse_stft_window_fn

SIGNAL = np.random.default_rng(4).normal(size=12)


def _learned(tf: Any, x: Any, beta: Any) -> Any:
    def window(length: Any, dtype: Any) -> Any:
        return tf.signal.kaiser_window(length, beta, dtype)

    return tf.abs(tf.signal.stft(x, 4, 2, window_fn=window)) ** 2


def test_a_window_function_of_the_users_own_is_differentiated() -> None:
    x, beta = tensor(SIGNAL), tensor(3.0, FLOAT64)
    with GradientTape() as tape:
        tape.watch([x, beta])
        y = _learned(tf, x, beta)
    theirs_x, theirs_beta = tensorflow.constant(SIGNAL), tensorflow.constant(3.0, tensorflow.float64)
    with tensorflow.GradientTape() as other:
        other.watch([theirs_x, theirs_beta])
        z = _learned(tensorflow, theirs_x, theirs_beta)
    np.testing.assert_allclose(y.numpy(), z.numpy(), atol=1e-13)
    for mine, expected in zip(tape.gradient(y, [x, beta]), other.gradient(z, [theirs_x, theirs_beta]), strict=True):
        np.testing.assert_allclose(mine.numpy(), expected.numpy(), atol=1e-12)


@pytest.mark.parametrize(("length", "step"), [(4, 2), (6, 2), (5, 3), (4, 7), (1, 1)])
@pytest.mark.parametrize("forward", ["hann_window", "hamming_window", "vorbis_window"])
def test_window_that_undoes_another(forward: str, length: int, step: int) -> None:
    ours = inverse_stft_window_fn(step, getattr(tf.signal, forward))(length, FLOAT64)
    theirs = tensorflow.signal.inverse_stft_window_fn(step, getattr(tensorflow.signal, forward))
    np.testing.assert_allclose(ours.numpy(), theirs(length, tensorflow.float64).numpy(), rtol=1e-13)


# mpmath, 30 digits: diff(lambda b: besseli(0, b * sqrt(8) / 3) / besseli(0, b), beta)
SLOPES = {0.001: -5.5555540895065397e-5, 1.0: -0.043873155094211694, 50.0: -0.0033753663417321188}


@pytest.mark.parametrize("beta", SLOPES)
def test_slope_of_kaisers_window(beta: float) -> None:
    given = tensor(beta, FLOAT64)
    with GradientTape() as tape:
        tape.watch(given)
        y = tf.signal.kaiser_window(4, given, FLOAT64)[1]
    np.testing.assert_allclose(tape.gradient(y, given).numpy(), SLOPES[beta], rtol=1e-10)


@pytest.mark.parametrize("frame_length", [1, 2, 3, 4, 5, 8, 9])
def test_frames_are_transformed_in_powers_of_two(frame_length: int) -> None:
    ours = tf.signal.stft(SIGNAL, frame_length, 3)
    theirs = tensorflow.signal.stft(SIGNAL, frame_length, 3)
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), atol=1e-13)


@pytest.mark.parametrize("norm", [None, "ortho"])
@pytest.mark.parametrize("window", [None, "vorbis_window", "kaiser_bessel_derived_window"])
def test_signals_come_back_where_frames_overlap(window: str | None, norm: str | None) -> None:
    window_fn = None if window is None else getattr(tf.signal, window)
    spectra = tf.signal.mdct(SIGNAL, 4, window_fn, norm=norm)
    back = tf.signal.inverse_mdct(spectra, window_fn, norm)
    np.testing.assert_allclose(back.numpy()[2:-2], SIGNAL[2:-2], atol=1e-12)


SPECTRA = np.ones((2, 3), np.complex64)
REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "window of negative length": (lambda: tf.signal.hann_window(-1), "`window_length` is negative: -1"),
    "window of fractions": (lambda: tf.signal.vorbis_window(2.5), "`window_length` must be an integer, not 2.5"),
    "window of integers": (lambda: tf.signal.hamming_window(3, dtype=INT32), "must be a floating dtype, not int32"),
    "flag": (lambda: tf.signal.hann_window(2, periodic=1), "`periodic` must be True or False, not 1"),
    "Kaiser, no elements": (lambda: tf.signal.kaiser_window(0), "has at least one element"),
    "derived, negative": (lambda: tf.signal.kaiser_bessel_derived_window(-2), "`window_length` is negative: -2"),
    "no function": (lambda: tf.signal.stft(SIGNAL, 4, 2, window_fn=3), "`window_fn` must be a function, not 3"),
    "function without a dtype": (
        lambda: tf.signal.stft(SIGNAL, 4, 2, window_fn=lambda length: tf.ones([length])),
        "`window_fn` takes a length and a `dtype`",
    ),
    "window of another length": (
        lambda: tf.signal.stft(SIGNAL, 4, 2, window_fn=lambda length, dtype: tf.ones([3], dtype)),
        r"shapes \[5, 4\] and \[3\] do not broadcast",
    ),
    "inverse without a step": (lambda: inverse_stft_window_fn(0)(4, FLOAT32), "`frame_step` must be positive, not 0"),
    "inverse of nothing": (
        lambda: inverse_stft_window_fn(2, None)(4, FLOAT32),  # type: ignore[arg-type]
        "`forward_window_fn` must be a function, not None",
    ),
    "spectra without frames": (lambda: tf.signal.inverse_stft(SPECTRA[0], 4, 2), r"needs an axis of frames .* \[3\]"),
    "mdct of six": (lambda: tf.signal.mdct(SIGNAL, 6), "`frame_length` must be a positive multiple of 4, not 6"),
    "mdct, norm": (lambda: tf.signal.mdct(SIGNAL, 4, norm="unit"), "`norm` must be None or 'ortho'"),
    "inverse of an odd mdct": (lambda: tf.signal.inverse_mdct(np.ones((2, 3))), r"an even number of coefficients"),
    "no bands": (lambda: tf.signal.linear_to_mel_weight_matrix(0), "`num_mel_bins` must be positive, not 0"),
    "no bins": (lambda: tf.signal.linear_to_mel_weight_matrix(2, 0), "`num_spectrogram_bins` must be positive, not 0"),
    "no rate": (lambda: tf.signal.linear_to_mel_weight_matrix(2, 4, 0), "`sample_rate` must be positive, not 0"),
    "edges": (lambda: tf.signal.linear_to_mel_weight_matrix(2, 4, 4000), "the edges 125 and 3800 must rise from 0"),
    "no coefficients": (lambda: tf.signal.mfccs_from_log_mel_spectrograms(np.ones((2, 0))), "at least one band"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    call, message = REFUSED[name]
    with pytest.raises(OpError, match=message):
        call()
