"""The operations, declared by family; importing this package fills the table `OPS`."""

from gradcheck.ops import arrays, linalg, math, nn, operators, taping
from gradcheck.ops.declaration import OPS, Op, OpError, find_op
from gradcheck.ops.vocabulary import tf

__all__ = ["OPS", "Op", "OpError", "arrays", "find_op", "linalg", "math", "nn", "operators", "taping", "tf"]
