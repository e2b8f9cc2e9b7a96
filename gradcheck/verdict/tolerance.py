"""The difference that is allowed at each element of a case: what rounding explains, or what the case says."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.casefile.case import Tolerance
from gradcheck.dtypes import Array, is_complex, is_float, real_of
from gradcheck.engine.differentiate import gradient
from gradcheck.engines import Request
from gradcheck.verdict.rounding import floor, rising

PINNED = {"float64": 1e-9, "float32": 1e-6, "float16": 1e-3, "bfloat16": 1e-2}
"""What is allowed besides, relative to a pinned number, by dtype: people write fewer digits than a dtype holds."""


@dataclass(frozen=True, eq=False)
class Allowance:
    """What rounding explains: for each output, and for each set of cotangents for each source; None: not connected."""

    outputs: tuple[Array | None, ...]
    gradients: tuple[tuple[Array | None, ...], ...]


def allowance(request: Request) -> Allowance:
    """The rounding bounds of everything that `request` asks for; see `gradcheck.verdict.rounding`."""
    *_, last = allowances(request)
    return last


def allowances(request: Request) -> Iterator[Allowance]:
    """Bounds that rise to `allowance`: nothing at first, which takes no time, then what a few of the runs show."""
    outputs, sources = len(request.program.outputs), len(request.sources)
    yield Allowance((None,) * outputs, ((None,) * sources,) * len(request.cotangents))
    written = gradient(request.program, request.sources)
    sets = [rising(written.program, written.seeded(request.inputs, each)) for each in request.cotangents]
    for found in zip(*sets, strict=True):
        yield Allowance(tuple(found[-1][:outputs]), tuple(tuple(each[outputs:]) for each in found))


def limits(right: Array, rounding: Array | None, tolerance: Tolerance, *, pinned: bool = False) -> Array:
    """The difference allowed at each element of `right`, the reference's answer or a pinned one, as float64.

    An explicit tolerance, `atol + rtol * abs(right)`, stands in place of the rounding bound. Without either two numbers
    may differ by what they cannot hold themselves; see `gradcheck.verdict.rounding.floor`.
    """
    with np.errstate(all="ignore"):
        size: Any = np.abs(right).astype(np.float64)
    if tolerance.rtol is not None or tolerance.atol is not None:
        return np.asarray((tolerance.atol or 0.0) + (tolerance.rtol or 0.0) * size)
    inexact = is_float(right.dtype) or is_complex(right.dtype)
    bound: Any = floor(right, right.dtype) if inexact else np.zeros(right.shape)
    if rounding is not None and rounding.shape == right.shape:
        bound = np.maximum(bound, rounding)
    return np.asarray(bound + PINNED.get(real_of(right.dtype).name, 0.0) * size if pinned else bound)
