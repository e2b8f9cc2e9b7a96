"""Two outcomes, element by element: agreement, or where they differ most."""

from typing import Literal

import numpy as np

from gradcheck.dtypes import Array, is_complex
from gradcheck.verdict.record import Comparison, Element, Quantity, Verdict


def compare_values(
    quantity: Quantity,
    variable: str,
    cotangent: Literal["ones", "given", "seeded"] | None,
    sides: tuple[str, str],
    left: Array | None,
    right: Array | None,
    limits: Array | None,
) -> Comparison:
    """Compare what two sides say of one quantity; `limits` is the difference allowed at each element of `right`.

    Not connected (None), zero and a value are three different answers. Shapes and dtypes must be equal. NaN equals
    nothing: where both sides are NaN, or infinite alike, the element is undefined; where only one is, they differ. Of a
    complex number it does not matter which part is infinite and which NaN.
    """

    def found(verdict: Verdict, worst: Element | None = None, beyond: int = 0, note: str = "") -> Comparison:
        return Comparison(quantity, variable, cotangent, sides, verdict, left, right, worst, beyond, note, limits)

    if left is None or right is None:
        if left is None and right is None:
            return found(Verdict.AGREE, note="not connected")
        silent, other = sides if left is None else sides[::-1]
        return found(Verdict.DISCONNECTED, note=f"{silent} says not connected, {other} has a value")
    if left.shape != right.shape:
        note = f"shapes differ: {list(left.shape)} in {sides[0]}, {list(right.shape)} in {sides[1]}"
        return found(Verdict.MISMATCH, note=note)
    if left.dtype != right.dtype:
        note = f"dtypes differ: {left.dtype.name} in {sides[0]}, {right.dtype.name} in {sides[1]}"
        return found(Verdict.MISMATCH, note=note)
    if left.size == 0:
        return found(Verdict.AGREE, note="no elements")
    assert limits is not None
    apart, undefined = _distance(left, right)
    with np.errstate(all="ignore"):
        wrong = ~(np.isfinite(apart) & (apart <= limits)) & ~undefined  # a share of infinity allows nothing
    worst = _element(left, right, apart, limits, undefined)
    if wrong.any():
        return found(Verdict.MISMATCH, worst, int(wrong.sum()))
    if undefined.any():
        count = int(undefined.sum())
        return found(Verdict.UNDEFINED, worst, note=f"{count} of {left.size} not finite on both sides")
    return found(Verdict.AGREE, worst)


def shares(comparison: Comparison) -> tuple[Array, Array] | None:
    """At each element the difference and its share of what is allowed; the share is NaN where both sides are not finite
    alike.

    None where there is nothing to set against each other: of different shapes, or not connected.
    """
    left, right, limits = comparison.left, comparison.right, comparison.limits
    if left is None or right is None or limits is None or (left.shape, left.dtype) != (right.shape, right.dtype):
        return None
    apart, undefined = _distance(left, right)
    return apart, np.where(undefined, np.nan, _used(apart, limits))


def _used(apart: Array, limits: Array) -> Array:
    """The share of what is allowed; where nothing is, any difference takes infinitely much."""
    with np.errstate(all="ignore"):
        used = np.where(apart == 0, 0.0, apart / limits)
    return np.where(np.isnan(used), np.inf, used)


def _distance(left: Array, right: Array) -> tuple[Array, Array]:
    """How far apart each pair of elements is, and which are not finite on both sides alike."""
    wide = np.complex128 if is_complex(left.dtype) else np.float64
    exact = left.dtype.kind in "biu"
    a, b = left.astype(wide), right.astype(wide)
    same = (left == right) | (np.isnan(a) & np.isnan(b))
    if is_complex(left.dtype):  # which part is infinite and which NaN depends on whether the product was vectorised
        same |= ~np.isfinite(a) & ~np.isfinite(b)
    with np.errstate(all="ignore"):
        apart = np.abs(a - b)
    apart = np.where(np.isnan(apart), np.inf, apart)
    if exact:
        apart = np.maximum(apart, 1.0)  # integers beyond 2**53 that differ may look equal in float64
    undefined = same & ~np.isfinite(a)
    return np.where(same, 0.0, apart), undefined


def _element(left: Array, right: Array, apart: Array, limits: Array, undefined: Array) -> Element:
    """The element that uses most of what is allowed, those that are undefined coming last."""
    used = np.where(undefined, -1.0, _used(apart, limits))
    at = np.unravel_index(int(np.argmax(used)), used.shape)
    index = tuple(int(each) for each in at)
    limit = float(limits[index])
    return Element(index, complex(left[index]), complex(right[index]), float(apart[index]), limit)
