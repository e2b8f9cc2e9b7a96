"""Functions that are computed in float64, most of them by SciPy, and used in every dtype."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from importlib import import_module

import numpy as np

from gradcheck.dtypes import FLOAT64, Array

Forward = Callable[..., Array]
STEP = 2.0**-26
"""The square root of float64's rounding: how far, relatively, a difference goes to estimate a slope."""


_narrowings: ContextVar[list[Forward] | None] = ContextVar("narrowings", default=None)


@contextmanager
def narrowings() -> Iterator[list[Forward]]:
    """Collects, while the context lasts, the functions that were given more digits than they can use."""
    found: list[Forward] = []
    token = _narrowings.set(found)
    try:
        yield found
    finally:
        _narrowings.reset(token)


def in_float64(function: Forward) -> Forward:
    """`function` of float64 arrays, of arrays of any dtype, in the dtype of the first of them.

    Of a wider dtype, in which programs are run to see their rounding, the part of an operand that float64 cannot hold
    counts to first order.
    """

    @wraps(function)
    def forward(*arrays: Array) -> Array:
        narrow = [np.asarray(each, FLOAT64) for each in arrays]
        result = np.asarray(function(*narrow))
        dtype = arrays[0].dtype
        if dtype.kind == "f" and dtype.itemsize > FLOAT64.itemsize:
            result = result + _remainder(function, arrays, narrow)
            if (noted := _narrowings.get()) is not None:
                noted.append(function)
        return result.astype(dtype)

    return forward


def _remainder(function: Forward, wide: Sequence[Array], narrow: Sequence[Array]) -> Array:
    total = np.asarray(0.0)
    for at, (long, short) in enumerate(zip(wide, narrow, strict=True)):
        step = np.abs(short) * STEP
        up, down = ([*narrow[:at], short + side * step, *narrow[at + 1 :]] for side in (1, -1))
        change = (long - short) * ((function(*up) - function(*down)) / (2 * step))
        total = total + np.where(np.isfinite(change), change, 0)
    return total


def scipy_special(name: str) -> Forward:
    """`scipy.special.name`.

    SciPy is imported when the function is first used, because it takes longer to start than all the rest.
    """
    return in_float64(lambda *arrays: getattr(import_module("scipy.special"), name)(*arrays))
