"""What a user's engine hands over, as NumPy arrays of the types that were asked for."""

from typing import Any

import numpy as np

from gradcheck.dtypes import Array, is_complex, is_differentiable
from gradcheck.engines import Remark
from gradcheck.program import TensorType

_SHORT = 40
"""How much of a text is quoted."""


class Unusable(Exception):
    """An engine's answer is not an array of numbers of the right kind; the message says what it is."""


def to_array(value: Any) -> Array:
    """The numbers of a tensor of almost any library: by `.numpy()`, `.data` or `.value`, or as NumPy converts it."""
    if isinstance(value, (np.ndarray, np.generic)):
        return np.asarray(value)
    for attribute in ("numpy", "data", "value"):
        found = getattr(value, attribute, None)
        if found is None:
            continue
        inner = found() if callable(found) else found
        if isinstance(inner, (np.ndarray, np.generic, int, float, complex, list)):
            return np.asarray(inner)
    return np.asarray(value)


def checked(value: Any, type_: TensorType, what: str) -> Array:
    """A copy of `value` as an array of the dtype of `type_`, so that an engine may work in a wider or narrower one.

    The shape is left as it is: a wrong one is for the verdict to find. Raises `Unusable` for what is no array of
    numbers, for complex numbers where real ones belong, and for integers that are not whole.
    """
    try:
        array = np.asarray(value)
    except (TypeError, ValueError) as error:
        raise Unusable(f"{what} is a {type(value).__name__}, not an array: {error}") from None
    if array.dtype.kind not in "biufc" and not is_differentiable(array.dtype):
        raise Unusable(f"{what} is {described(array.item() if array.ndim == 0 else value)}, not an array of numbers")
    if is_complex(array.dtype) and not is_complex(type_.dtype):
        if np.any(array.imag):
            raise Unusable(f"{what} is complex where real numbers belong")
        array = array.real
    if not is_differentiable(type_.dtype) and not np.array_equal(array.astype(type_.dtype), array):
        raise Unusable(f"{what} is {array.dtype.name} where {type_.dtype.name} belongs")
    with np.errstate(all="ignore"):
        return array.astype(type_.dtype, copy=True)


def described(value: Any) -> str:
    """What stands where something else belongs, in few words: `None`, `'done'`, a list, an ndarray of object."""
    if value is None or isinstance(value, (str, bytes)):
        return repr(value) if len(repr(value)) <= _SHORT else f"{repr(value)[:_SHORT]}…"
    kind = type(value).__name__
    named = f"{'an' if kind[0] in 'aeiouAEIOU' else 'a'} {kind}"
    return f"{named} of {value.dtype}" if isinstance(value, np.ndarray) else named


class Lent:
    """Copies of arrays, lent to an engine that may read and keep them; `remarks` says which it has changed."""

    def __init__(self) -> None:
        self._lent: list[tuple[str, Array, Array]] = []

    def lend(self, array: Array, called: str) -> Array:
        """A copy of `array`, which messages call by this name."""
        copy = array.copy()
        self._lent.append((called, array, copy))
        return copy

    def remarks(self) -> tuple[Remark, ...]:
        """One remark for each name under which something came back changed."""
        changed = dict.fromkeys(name for name, before, after in self._lent if before.tobytes() != after.tobytes())
        return tuple(Remark("mutation", f"it changes {name} in place") for name in changed)
