"""What works on numbers one by one, and sums and scans of them."""

from gradcheck.ops.math import (
    arithmetic,
    bessel,
    clipping,
    complexes,
    elementwise,
    gamma,
    incomplete,
    integrals,
    quantiles,
    reduction,
    running,
    special,
    trigonometric,
)

__all__ = [
    "arithmetic",
    "bessel",
    "clipping",
    "complexes",
    "elementwise",
    "gamma",
    "incomplete",
    "integrals",
    "quantiles",
    "reduction",
    "running",
    "special",
    "trigonometric",
]
