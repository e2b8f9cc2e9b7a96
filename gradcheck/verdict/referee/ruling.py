"""What the referee says: an estimate with its error, and what it makes of two answers."""

import math
from collections.abc import Sequence

from gradcheck.dtypes import Array
from gradcheck.verdict.record import Estimate, Ruling

Cotangents = Sequence[Array | None]


def ruling(subject: complex, reference: complex, estimate: Estimate, allowed: float) -> Ruling:
    """Judge two answers, each of which may be off by `allowed`.

    A side is right within `allowed` and the estimate's error; one that is not finite is wrong. The estimate is of use
    if its error is small compared with what it has to tell apart: the two sides from each other, both of them from the
    truth, or, where a side is not finite, a number from none.
    """
    value, error = complex(estimate.value), estimate.error
    if not (math.isfinite(error) and finite(value)):
        return Ruling.INCONCLUSIVE
    gap, *distances = (_apart(subject, reference), _apart(subject, value), _apart(reference, value))
    telling = max(each if math.isfinite(each) else abs(value) for each in (gap, min(distances)))
    if error > max(allowed, 0.1 * telling):
        return Ruling.INCONCLUSIVE
    subject_right, reference_right = (distance <= allowed + error for distance in distances)
    if subject_right:
        return Ruling.BOTH_RIGHT if reference_right else Ruling.REFERENCE_WRONG
    return Ruling.SUBJECT_WRONG if reference_right else Ruling.BOTH_WRONG


def _apart(left: complex, right: complex) -> float:
    """The distance of two numbers; infinite if one is not finite."""
    left, right = complex(left), complex(right)
    return abs(left - right) if finite(left) and finite(right) else math.inf


def finite(value: complex) -> bool:
    return math.isfinite(value.real) and math.isfinite(value.imag)
