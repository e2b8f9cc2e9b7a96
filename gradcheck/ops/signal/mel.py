"""Spectra on the mel scale, and the coefficients that speech recognition takes from them."""

from __future__ import annotations

import math
from typing import Any

from gradcheck.dtypes import FLOAT32, FLOAT64, FLOATS
from gradcheck.ops.arrays.creation import constant
from gradcheck.ops.declaration import REAL, OpError, compose, sample
from gradcheck.ops.shapes import as_float, as_int, check_room
from gradcheck.ops.signal.cosine import REALS
from gradcheck.ops.signal.transforms import transformed_axes
from gradcheck.ops.signal.windows import float_dtype
from gradcheck.ops.vocabulary import tf
from gradcheck.tensors import Tensor, as_array


def _mel(hertz: Tensor) -> Tensor:
    """1127 log(1 + f / 700), the scale of the Hidden Markov Model Toolkit."""
    mel: Tensor = 1127.0 * tf.math.log(1.0 + hertz / 700.0)
    return mel


def _frequencies(sample_rate: Any, lower: Any, upper: Any) -> tuple[float, float, float]:
    rate = as_float(sample_rate, "sample_rate")
    low, high = as_float(lower, "lower_edge_hertz"), as_float(upper, "upper_edge_hertz")
    if not rate > 0:
        raise OpError(f"`sample_rate` must be positive, not {rate:g}", argument="sample_rate")
    if not 0 <= low < high <= rate / 2:
        raise OpError(
            f"the edges {low:g} and {high:g} must rise from 0 to half the sample rate, {rate / 2:g}",
            argument="upper_edge_hertz",
        )
    return rate, low, high


@compose(
    "tf.signal.linear_to_mel_weight_matrix",
    domains=(),
    dtypes=FLOATS,
    samples=(
        sample(3, 9),
        sample(num_mel_bins=2, num_spectrogram_bins=5, sample_rate=16000.0, upper_edge_hertz=8000.0, dtype=FLOAT64),
        sample(2, 1),
    ),
)
def _linear_to_mel_weight_matrix(
    num_mel_bins: Any = 20,
    num_spectrogram_bins: Any = 129,
    sample_rate: Any = 8000,
    lower_edge_hertz: Any = 125.0,
    upper_edge_hertz: Any = 3800.0,
    dtype: Any = FLOAT32,
    name: str | None = None,
) -> Tensor:
    target = float_dtype(dtype)
    bands, bins = as_int(num_mel_bins, "num_mel_bins"), as_int(num_spectrogram_bins, "num_spectrogram_bins")
    if bands < 1:
        raise OpError(f"`num_mel_bins` must be positive, not {bands}", argument="num_mel_bins")
    if bins < 1:
        raise OpError(f"`num_spectrogram_bins` must be positive, not {bins}", argument="num_spectrogram_bins")
    check_room((bins, bands))

    def number(value: float) -> Tensor:
        return constant(as_array(value, target))

    rate, low, high = map(number, _frequencies(sample_rate, lower_edge_hertz, upper_edge_hertz))
    heard = tf.linspace(number(0.0), rate / 2.0, bins)[1:]  # the zero frequency has no weight in any band
    at = tf.reshape(_mel(heard), [bins - 1, 1])
    edges = tf.linspace(_mel(low), _mel(high), bands + 2)
    left, centre, right = (tf.slice(edges, [start], [bands]) for start in range(3))
    rising, falling = (at - left) / (centre - left), (right - at) / (right - centre)
    weights: Tensor = tf.pad(tf.maximum(0.0, tf.minimum(rising, falling)), [[1, 0], [0, 0]])
    return weights


@compose(
    "tf.signal.mfccs_from_log_mel_spectrograms",
    domains=(REAL,),
    dtypes=REALS,
    samples=(sample((2, 4)), sample((3,)), sample((1,))),
)
def _mfccs_from_log_mel_spectrograms(log_mel_spectrograms: Tensor, name: str | None = None) -> Tensor:
    op = "tf.signal.mfccs_from_log_mel_spectrograms"
    (bands,) = transformed_axes(op, "log_mel_spectrograms", log_mel_spectrograms, 1)
    if not bands:
        raise OpError(f"`{op}` needs at least one band", argument="log_mel_spectrograms")
    coefficients: Tensor = tf.signal.dct(log_mel_spectrograms) * (1 / math.sqrt(2 * bands))
    return coefficients
