"""Which usual slip explains a wrong gradient of one operation, in words."""

from collections.abc import Callable

import numpy as np

from gradcheck.dtypes import is_differentiable
from gradcheck.verdict.slips import formulas, recomputed, values
from gradcheck.verdict.slips.connections import of_connection, of_dtype, of_shape
from gradcheck.verdict.slips.scene import Guesses, Scene, Slip, Wrong

__all__ = ["SUSPECTS", "Slip", "Wrong", "explain"]

SUSPECTS: tuple[Callable[[Scene], Guesses], ...] = (
    # What is plain to see and leaves nothing open.
    values.special,
    values.sign,
    values.factors,
    values.complex_parts,
    values.ties,
    values.leaks,
    # One formula written in another way; each says more than that the numbers of the result have moved.
    recomputed.products,
    recomputed.kernels,
    recomputed.contributions,
    recomputed.selections,
    values.other_argument,
    recomputed.other_arrangements,
    values.moved,
    recomputed.other_flags,
    recomputed.cotangents,
    recomputed.conjugates,
    recomputed.other_operands,
    values.missing_mean,
    recomputed.diagonal,
    # True of what was found, but less of a reason than a formula.
    values.places,
    # Right to fewer digits: before what is fitted, since a constant of fewer digits would pass for a factor.
    values.narrow,
    # Many candidates, or a number that is read from what was found.
    formulas.simple_slopes,
    formulas.other_operations,
    values.any_factor,
    values.any_addend,
)
"""From the most specific to the most general. The first slip that gives what was found everywhere is the answer."""


def explain(wrong: Wrong) -> Slip | None:
    """The usual slip that explains a wrong gradient; None if none does, or if the gradient is not wrong.

    A slip explains it only if it gives every element that was found, within rounding, and coincidence is unlikely: a
    single element supports a sign or a factor of 2, never a factor that is read from it.
    """
    if wrong.found is None or wrong.right is None:
        return of_connection(wrong)
    found, right = np.asarray(wrong.found), np.asarray(wrong.right)
    with np.errstate(all="ignore"):
        slip = of_dtype(wrong, found, right) or of_shape(wrong, found, right)
        if slip is not None or not right.size or not is_differentiable(right.dtype):
            return slip
        scene = Scene(wrong, found, right)
        return _first(scene) if scene.wrong_at.any() else None


def _first(scene: Scene) -> Slip | None:
    for suspect in SUSPECTS:
        for guess in suspect(scene):
            if isinstance(guess, Slip):
                return guess
            if scene.believes(guess):
                return Slip(guess.kind, guess.sentence)
    return None
