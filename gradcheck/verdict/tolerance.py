"""How far two correct answers may lie apart."""

import numpy as np

from gradcheck.casefile.case import Tolerance
from gradcheck.dtypes import DType, real_of
from gradcheck.program import Array

DEFAULTS: dict[str, tuple[float, float]] = {
    "float64": (1e-9, 1e-12),
    "float32": (1e-4, 1e-6),
    "float16": (2e-2, 1e-3),
    "bfloat16": (1e-1, 1e-2),
}
"""`rtol` and `atol` by the dtype of what is compared; complex dtypes have those of their parts."""


def allowed(reference: Array, dtype: DType, tolerance: Tolerance) -> Array:
    """The difference allowed at each element of `reference`: `atol + rtol * abs(reference)`, as float64.

    Integers and booleans must be equal.
    """
    rtol, atol = DEFAULTS.get(real_of(dtype).name, (0.0, 0.0))
    rtol = rtol if tolerance.rtol is None else tolerance.rtol
    atol = atol if tolerance.atol is None else tolerance.atol
    with np.errstate(all="ignore"):
        bound: Array = atol + rtol * np.abs(reference).astype(np.float64)
    return bound
