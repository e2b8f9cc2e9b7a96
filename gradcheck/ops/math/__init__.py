"""What works on numbers one by one, and sums and scans of them."""

from gradcheck.ops.math import (
    arithmetic,
    complexes,
    elementwise,
    reduction,
    running,
    special,
    trigonometric,
)

__all__ = [
    "arithmetic",
    "complexes",
    "elementwise",
    "reduction",
    "running",
    "special",
    "trigonometric",
]
