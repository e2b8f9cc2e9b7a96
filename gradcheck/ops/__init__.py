"""The operations, declared by family; importing this package fills the table `OPS`."""

from gradcheck.ops import (
    arithmetic,
    array,
    complexes,
    elementwise,
    indexing,
    linalg,
    nn,
    operators,
    reduction,
    special,
    trigonometric,
)
from gradcheck.ops.declaration import OPS, Op, OpError, find_op
from gradcheck.ops.vocabulary import tf

__all__ = [
    "OPS",
    "Op",
    "OpError",
    "arithmetic",
    "array",
    "complexes",
    "elementwise",
    "find_op",
    "indexing",
    "linalg",
    "nn",
    "operators",
    "reduction",
    "special",
    "tf",
    "trigonometric",
]
