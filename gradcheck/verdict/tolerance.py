"""The difference that is allowed at each element of a case: what rounding explains, or what the case says."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.casefile.case import Tolerance
from gradcheck.dtypes import real_of
from gradcheck.engine.differentiate import gradient
from gradcheck.engines import Request
from gradcheck.program import Array
from gradcheck.verdict.rounding import bounds

PINNED = {"float64": 1e-9, "float32": 1e-6, "float16": 1e-3, "bfloat16": 1e-2}
"""What is allowed besides, relative to a pinned number, by dtype: people write fewer digits than a dtype holds."""


@dataclass(frozen=True, eq=False)
class Allowance:
    """What rounding explains: for each output, and for each set of cotangents for each source; None: not connected."""

    outputs: tuple[Array | None, ...]
    gradients: tuple[tuple[Array | None, ...], ...]


NOTHING = Allowance((), ())
"""Where there is no outcome to compare."""


def allowance(request: Request) -> Allowance:
    """The rounding bounds of everything that `request` asks for; see `gradcheck.verdict.rounding`."""
    written = gradient(request.program, request.sources)
    count = len(request.program.outputs)
    outputs: tuple[Array | None, ...] = ()
    sets: list[tuple[Array | None, ...]] = []
    for cotangents in request.cotangents:
        found = bounds(written.program, written.seeded(request.inputs, cotangents))
        outputs = tuple(found[:count])
        sets.append(tuple(found[count:]))
    return Allowance(outputs, tuple(sets))


def limits(right: Array, rounding: Array | None, tolerance: Tolerance, *, pinned: bool = False) -> Array:
    """The difference allowed at each element of `right`, the reference's answer or a pinned one, as float64.

    An explicit tolerance, `atol + rtol * abs(right)`, stands in place of the rounding bound.
    """
    with np.errstate(all="ignore"):
        size: Any = np.abs(right).astype(np.float64)
    if tolerance.rtol is not None or tolerance.atol is not None:
        return np.asarray((tolerance.atol or 0.0) + (tolerance.rtol or 0.0) * size)
    bound = np.zeros(right.shape) if rounding is None or rounding.shape != right.shape else rounding
    return bound + PINNED.get(real_of(right.dtype).name, 0.0) * size if pinned else bound
