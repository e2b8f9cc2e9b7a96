"""What works on signals: Fourier and cosine transforms, frames, windows, spectra."""

from gradcheck.ops.signal import (
    cosine,
    fourier,
    framing,
    mel,
    shifts,
    spectra,
    windows,
)

__all__ = [
    "cosine",
    "fourier",
    "framing",
    "mel",
    "shifts",
    "spectra",
    "windows",
]
