"""Images: their sizes, places, colours and quality."""

from gradcheck.ops.image import (
    adjusting,
    boxes,
    colours,
    cropping,
    extraction,
    quality,
    resampling,
    resizing,
    sums,
    taps,
    turning,
    warping,
)

__all__ = [
    "adjusting",
    "boxes",
    "colours",
    "cropping",
    "extraction",
    "quality",
    "resampling",
    "resizing",
    "sums",
    "taps",
    "turning",
    "warping",
]
