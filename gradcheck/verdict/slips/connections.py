"""Slips that show before any number is read: not connected, of another shape, of another dtype."""

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from gradcheck.dtypes import DTYPES, Array, is_complex, is_differentiable
from gradcheck.verdict.slips.scene import ULPS, Slip, Wrong, axes_text, ordinal, reach, same_special, unit, widened

MOST_AXES = 6


def of_connection(wrong: Wrong) -> Slip | None:
    """A gradient on one side and none on the other."""
    if wrong.found is None and wrong.right is not None:
        return Slip("not-connected", "is not connected, where a value belongs")
    if wrong.found is not None and wrong.right is None:
        if np.any(widened(wrong.found)):
            return Slip("connected", "has a value, where nothing should be connected")
        return Slip("zero-for-none", "is zero, where nothing should be connected")
    return None


def of_shape(wrong: Wrong, found: Array, right: Array) -> Slip | None:
    """What makes the right gradient of one whose shape is wrong, or the two shapes if nothing does."""
    return next(_of_shape(wrong, found, right)) if found.shape != right.shape else None


def _of_shape(wrong: Wrong, found: Array, right: Array) -> Iterator[Slip]:
    shapes = f"shape {list(found.shape)}, not {list(right.shape)}"
    if np.any(widened(right)):
        reshaped = found.size == right.size and _equal(found.reshape(right.shape), right, wrong)
        if reshaped and np.squeeze(found).shape == np.squeeze(right).shape:
            yield Slip("lost-axes", f"has the right numbers but other axes of size 1: {shapes}")
        for axes in _sets_of_axes(found.ndim):
            if _equal(_summed(found, axes, right), right, wrong):
                yield Slip("missing-sum", f"is not summed over {axes_text(axes)}: {shapes}")
        for axes in _sets_of_axes(right.ndim):
            if _equal(found, _summed(right, axes, found), wrong):
                yield Slip("extra-sum", f"is summed over {axes_text(axes)}, which it should not be: {shapes}")
        if _equal(found.T, right, wrong):
            yield Slip("transposed", f"is transposed: {shapes}")
        if reshaped:
            yield Slip("not-reshaped", f"has the right numbers in another shape: {shapes}")
    for position, other in enumerate(wrong.rights):
        if position != wrong.argument and other is not None and np.any(widened(other)) and _equal(found, other, wrong):
            yield Slip("exchanged", f"is the gradient with respect to the {ordinal(position)} argument")
    yield Slip("shape", f"has {shapes}")


def _sets_of_axes(ndim: int) -> Iterator[tuple[int, ...]]:
    """Sets of axes, the small ones first."""
    for count in range(1, min(ndim, MOST_AXES) + 1):
        yield from combinations(range(min(ndim, MOST_AXES)), count)


def _summed(array: Array, axes: tuple[int, ...], like: Array) -> Array:
    """The sum over `axes`, with the axes of size 1 that `like` has if they differ in nothing else."""
    summed: Array = np.asarray(widened(array).sum(axes))
    return summed.reshape(like.shape) if np.squeeze(summed).shape == np.squeeze(like).shape else summed


def _equal(found: Array, right: Array, wrong: Wrong) -> bool:
    if found.shape != right.shape:
        return False
    a, b = widened(found), widened(right)
    limit = 2 * reach(right, wrong.allowed if wrong.right is right else None)
    limit = limit + 8 * ULPS * unit(wrong.right.dtype if wrong.right is not None else right.dtype) * np.abs(b)
    return bool(((np.abs(a - b) <= limit) | same_special(a, b)).all())


def of_dtype(wrong: Wrong, found: Array, right: Array) -> Slip | None:
    """The right numbers, to the precision of the dtype that they have, in another dtype."""
    if any(each.dtype not in DTYPES.values() for each in (found, right)):
        return Slip("dtype", f"has dtype {found.dtype.name}, not {right.dtype.name}")
    if found.shape != right.shape or found.dtype == right.dtype or is_complex(found.dtype) != is_complex(right.dtype):
        return None
    a, b = widened(found), widened(right)
    coarser = max(unit(found.dtype), unit(right.dtype)) if is_differentiable(found.dtype) else 0.0
    limit = 2 * reach(right, wrong.allowed) + 2 * ULPS * coarser * np.abs(b)
    if ((np.abs(a - b) <= limit) | same_special(a, b)).all():
        return Slip("dtype", f"has dtype {found.dtype.name}, not {right.dtype.name}")
    return None
