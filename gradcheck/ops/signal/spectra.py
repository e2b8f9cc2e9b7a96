"""Spectra of the frames of a signal, and signals from such spectra."""

from __future__ import annotations

import math
from typing import Any

from gradcheck.dtypes import COMPLEXES
from gradcheck.ops.declaration import REAL, OpError, compose, sample
from gradcheck.ops.shapes import as_int
from gradcheck.ops.signal.cosine import REALS
from gradcheck.ops.signal.framing import frame_length_of
from gradcheck.ops.signal.transforms import fitted
from gradcheck.ops.signal.windows import HANN, VORBIS, windowed
from gradcheck.ops.vocabulary import tf
from gradcheck.tensors import Tensor

SIDES = math.sqrt(0.5)
"""What a signal is weighed with, before and behind the transform, where there is no window."""


def _points(fft_length: Any, frame_length: int) -> int:
    """How many points are transformed: unless given, the power of two that a frame fits in."""
    if fft_length is not None:
        return as_int(fft_length, "fft_length")
    return 1 << (frame_length - 1).bit_length() if frame_length else 0


@compose(
    "tf.signal.stft",
    domains=(REAL,),
    dtypes=REALS,
    samples=(
        sample((9,), 4, 2),
        sample((2, 7), 3, 2, 5, None, True),
        sample((6,), frame_length=4, frame_step=3, fft_length=8, window_fn=VORBIS),
        sample((3,), 4, 1),
    ),
    convention="a window that is computed from inputs receives its gradient, too",
)
def _stft(
    signals: Tensor,
    frame_length: Any,
    frame_step: Any,
    fft_length: Any = None,
    window_fn: Any = HANN,
    pad_end: Any = False,
    name: str | None = None,
) -> Tensor:
    length = frame_length_of(frame_length)
    frames = tf.signal.frame(signals, length, frame_step, pad_end=pad_end)
    spectrum: Tensor = tf.signal.rfft(windowed(frames, window_fn, length), [_points(fft_length, length)])
    return spectrum


@compose(
    "tf.signal.inverse_stft",
    domains=(REAL,),
    dtypes=COMPLEXES,
    samples=(
        sample((3, 3), 4, 2),
        sample((2, 2, 3), 3, 2, window_fn=None),
        sample((2, 3), frame_length=5, frame_step=2, fft_length=4, window_fn=VORBIS),
        sample((2, 3), 3, 3, 5),
    ),
)
def _inverse_stft(
    stfts: Tensor,
    frame_length: Any,
    frame_step: Any,
    fft_length: Any = None,
    window_fn: Any = HANN,
    name: str | None = None,
) -> Tensor:
    if stfts.ndim < 2:
        raise OpError(
            f"`tf.signal.inverse_stft` needs an axis of frames and one of their spectra, not shape {list(stfts.shape)}",
            argument="stfts",
        )
    length = frame_length_of(frame_length)
    frames = tf.signal.irfft(stfts, [_points(fft_length, length)])
    signal: Tensor = tf.signal.overlap_and_add(
        windowed(fitted(frames, (*frames.shape[:-1], length)), window_fn, length), frame_step
    )
    return signal


def _weighed(frames: Tensor, window_fn: Any) -> Tensor:
    return frames * SIDES if window_fn is None else windowed(frames, window_fn, frames.shape[-1])


def _norm(norm: Any) -> str | None:
    if norm not in (None, "ortho"):
        raise OpError(f"`norm` must be None or 'ortho', not {norm!r}", argument="norm")
    found: str | None = norm
    return found


@compose(
    "tf.signal.mdct",
    domains=(REAL,),
    dtypes=REALS,
    samples=(
        sample((9,), 4),
        sample((2, 10), 8, HANN, True, "ortho"),
        sample((6,), frame_length=4, window_fn=None, pad_end=True),
    ),
)
def _mdct(
    signals: Tensor,
    frame_length: Any,
    window_fn: Any = VORBIS,
    pad_end: Any = False,
    norm: Any = None,
    name: str | None = None,
) -> Tensor:
    length = frame_length_of(frame_length)
    if length % 4 or not length:
        raise OpError(f"`frame_length` must be a positive multiple of 4, not {length}", argument="frame_length")
    frames = _weighed(tf.signal.frame(signals, length, length // 2, pad_end=pad_end), window_fn)
    a, b, c, d = tf.split(frames, 4, axis=-1)
    folded = tf.concat([-tf.reverse(c, [-1]) - d, a - tf.reverse(b, [-1])], -1)
    spectrum: Tensor = tf.signal.dct(folded, type=4, norm=_norm(norm))
    return spectrum


@compose(
    "tf.signal.inverse_mdct",
    domains=(REAL,),
    dtypes=REALS,
    samples=(sample((3, 2)), sample((2, 2, 4), HANN, "ortho"), sample((1, 2), window_fn=None)),
)
def _inverse_mdct(mdcts: Tensor, window_fn: Any = VORBIS, norm: Any = None, name: str | None = None) -> Tensor:
    if mdcts.ndim < 2 or mdcts.shape[-1] % 2 or not mdcts.shape[-1]:
        raise OpError(
            "`tf.signal.inverse_mdct` needs an axis of frames and one of an even number of coefficients, not shape "
            f"{list(mdcts.shape)}",
            argument="mdcts",
        )
    half = mdcts.shape[-1]
    folded = tf.signal.dct(mdcts, type=4, norm=_norm(norm))
    if norm is None:
        folded = folded * (0.5 / half)
    first, second = tf.split(folded, 2, axis=-1)
    frames = tf.concat([second, -tf.reverse(second, [-1]), -tf.reverse(first, [-1]), -first], -1)
    signal: Tensor = tf.signal.overlap_and_add(_weighed(frames, window_fn), half)
    return signal
