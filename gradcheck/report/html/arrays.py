"""Arrays for the page: as they are while there is room for them, and else their worst elements and a coarse picture."""

from base64 import b64encode
from typing import Any, Final

import numpy as np

from gradcheck.dtypes import FLOAT32, NARROW, Array
from gradcheck.report import text
from gradcheck.verdict.compare import shares
from gradcheck.verdict.record import Comparison, Element

MOST: Final = 4096
"""How many elements a comparison may have that is shown whole."""
ROOM: Final = 8_000_000
"""How many characters all arrays of a page may take together."""
WORST: Final = 5
"""How many of the elements that differ most are listed."""


class Arrays:
    """Packs the arrays of one page; what is packed first is the last to be left out."""

    def __init__(self, room: int = ROOM) -> None:
        self._room = room

    def packed(self, comparison: Comparison) -> dict[str, Any]:
        """The values of both sides and the share that each element takes of what is allowed.

        `whole` has all elements, `coarse` a picture in which one cell stands for a block and shows its worst element,
        `texts` the two values where there is nothing to set against each other; `worst` lists the worst elements.
        """
        measured = shares(comparison)
        if measured is None:
            return {"texts": [text.array(each, text.WIDTH) for each in (comparison.left, comparison.right)]}
        apart, used = measured
        found: dict[str, Any] = {"worst": _worst(comparison, apart, used)}
        if used.size == 0:
            return found
        if used.size <= MOST:
            kind, packed = "whole", _whole(comparison, used)
        else:
            kind, packed = "coarse", _coarse(used)
        size = sum(len(each) for each in packed.values() if isinstance(each, str))
        if size <= self._room:
            self._room -= size
            found[kind] = packed
        return found


def _whole(comparison: Comparison, used: Array) -> dict[str, Any]:
    """Both values, null for one that is the other's to the last bit, and the shares, null where nothing differs."""
    left, right = comparison.left, comparison.right
    assert left is not None
    assert right is not None
    return {
        "type": _plain(right).dtype.name,
        "left": None if left.tobytes() == right.tobytes() else _bytes(_plain(left)),
        "right": _bytes(_plain(right)),
        "used": _bytes(_single(used)) if np.any(used != 0) else None,
    }


def _coarse(used: Array) -> dict[str, Any]:
    """The shares of an array that is too large, halved along its longest axis until it fits: the worst of each pair."""
    block = [1] * used.ndim
    while used.size > MOST:
        axis = int(np.argmax(used.shape))
        if used.shape[axis] % 2:
            used = np.concatenate([used, np.take(used, [-1], axis)], axis)
        first, second = (np.take(used, range(start, used.shape[axis], 2), axis) for start in (0, 1))
        used = np.fmax(first, second)
        block[axis] *= 2
    return {"shape": list(used.shape), "block": block, "used": _bytes(_single(used))}


def _worst(comparison: Comparison, apart: Array, used: Array) -> list[list[str]]:
    """Index, both values, the difference, what is allowed and the share of it, as text, the worst first."""
    left, right, limits = comparison.left, comparison.right, comparison.limits
    assert left is not None
    assert right is not None
    assert limits is not None
    flat = np.where(np.isnan(used), -1.0, used).ravel()
    count = min(WORST, int(np.count_nonzero(flat > 0)))
    chosen: Array = np.argpartition(-flat, count - 1)[:count] if count else np.empty(0, int)
    rows: list[list[str]] = []
    for place in sorted(map(int, chosen), key=lambda each: (-flat[each], each)):
        at = tuple(int(each) for each in np.unravel_index(place, used.shape))
        each = Element(at, complex(left[at]), complex(right[at]), float(apart[at]), float(limits[at]))
        values = [text.number(value, right.dtype.name) for value in (each.left, each.right)]
        rows.append([text.index(at), *values, text.small(each.difference), text.small(each.allowed), text.share(each)])
    return rows


def _plain(value: Array) -> Array:
    """In a dtype that a browser reads: the narrow ones in float32, which holds all of them."""
    return value.astype(FLOAT32) if value.dtype in NARROW else value


def _single(used: Array) -> Array:
    """A share needs no more digits than float32 has; beyond its range it is infinite."""
    with np.errstate(over="ignore", under="ignore"):
        return used.astype(FLOAT32)


def _bytes(value: Array) -> str:
    """Little-endian, row by row, in base64."""
    return b64encode(value.astype(value.dtype.newbyteorder("<")).tobytes()).decode("ascii")
