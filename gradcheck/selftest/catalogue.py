"""The catalogue of faults: some for each family of operations with rules, and those of the walk."""

from gradcheck.selftest import pointwise, structured
from gradcheck.selftest.faults import AnyFault
from gradcheck.selftest.walk import WALK

CATALOGUE: tuple[AnyFault, ...] = (
    *pointwise.ARITHMETIC,
    *pointwise.ELEMENTWISE,
    *pointwise.TRIGONOMETRIC,
    *pointwise.SPECIAL,
    *structured.REDUCTION,
    *structured.RUNNING,
    *structured.CONTRACTION,
    *structured.CONVOLUTION,
    *structured.POOLING,
    *structured.SOLVING,
    *structured.DIAGONALS,
    *structured.ARRAY,
    *structured.GATHERING,
    *pointwise.NN,
    *pointwise.COMPLEX,
    *WALK,
)
