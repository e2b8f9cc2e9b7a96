"""What works on vectors and matrices."""

from gradcheck.ops.linalg import (
    contraction,
    diagonals,
    norms,
    products,
    solving,
)

__all__ = [
    "contraction",
    "diagonals",
    "norms",
    "products",
    "solving",
]
