"""The operations, declared by family; importing this package fills the table `OPS`."""

from gradcheck.ops import arrays, image, keras, linalg, math, nn, numpy, operators, random, signal, taping
from gradcheck.ops.declaration import OPS, Op, OpError, find_op
from gradcheck.ops.vocabulary import tf

__all__ = [
    "OPS",
    "Op",
    "OpError",
    "arrays",
    "find_op",
    "image",
    "keras",
    "linalg",
    "math",
    "nn",
    "numpy",
    "operators",
    "random",
    "signal",
    "taping",
    "tf",
]
