"""The operations, declared by family; importing this package fills the table `OPS`."""

from gradcheck.ops import arithmetic, array, linalg, operators, reduction
from gradcheck.ops.declaration import OPS, Op, OpError, find_op
from gradcheck.ops.vocabulary import tf

__all__ = ["OPS", "Op", "OpError", "arithmetic", "array", "find_op", "linalg", "operators", "reduction", "tf"]
