"""What works on vectors and matrices."""

from gradcheck.ops.linalg import (
    bands,
    contraction,
    diagonals,
    eigen,
    factors,
    functions,
    norms,
    pairs,
    products,
    singular,
    solving,
)

__all__ = [
    "bands",
    "contraction",
    "diagonals",
    "eigen",
    "factors",
    "functions",
    "norms",
    "pairs",
    "products",
    "singular",
    "solving",
]
