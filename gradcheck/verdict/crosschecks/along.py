"""The derivative against the forward program along one direction: two identities that a right one satisfies.

What the forward program alone gives is extrapolated from differences in a wide precision; no rule has a part in it.
"""

import math
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from gradcheck.dtypes import LONG
from gradcheck.verdict.crosschecks.claims import FORMULAS, Claim, claim
from gradcheck.verdict.crosschecks.setting import Setting
from gradcheck.verdict.record import CrossCheck, Estimate
from gradcheck.verdict.referee import Line, OutOfTimeError, Quotient, Referee

LEAST_ORDER = 1.5
"""A remainder of this order or more is taken to be of second order, one below to be of first."""
CLEAR = 16.0
"""How many times what rounding may do the curvature has to be where the order is measured."""
BEYOND = 4.0
"""How many times what rounding may do a remainder has to be, in order to have an order at all."""
TELLING = 0.1
"""An estimate is of use if its error is at most this share of the size of what it is held against."""


def along(setting: Setting, referee: Referee) -> Iterator[CrossCheck]:
    """Reverse against forward and, for first derivatives, the Taylor remainder; once for each side."""
    second = setting.kind in ("hessian", "hvp")
    with referee.line(setting.direction, setting.cotangents) as line:
        slope = referee.central(line)
        truth = referee.searched(line, partial(_curvature, line), 2) if second and not slope.note else slope
        claims = [(name, claim(setting, side)) for side, name in enumerate(setting.sides)]
        for name, each in claims:
            yield _identity(setting, name, each, slope if slope.note else truth)
        if not second:
            for name, each in claims:
                yield _taylor(name, each, slope, line)


def _curvature(line: Line, step: float) -> Quotient | None:
    """(f(x + h) - 2 f(x) + f(x - h)) / h^2; its rounding is that of four values, each of a central difference's."""
    found = line.central(step)
    if found is None:
        return None
    return replace(found, value=LONG.type(found.bend) / LONG.type(step), rounding=4 * found.rounding / step)


def _identity(setting: Setting, side: str, given: Claim | str, truth: Estimate) -> CrossCheck:
    check = partial(CrossCheck, "reverse against forward")
    if truth.note or not math.isfinite(truth.error):
        return check("", None, f"does not apply: {truth.note}")
    if isinstance(given, str):
        return check(side, False, given)
    expected = complex(truth.value).real
    if truth.error > max(given.allowed, TELLING * max(abs(expected), abs(given.value))):
        return check("", None, f"does not apply: the differences are known to {truth.error:.2g} only")
    claimed, formula = FORMULAS[setting.kind]
    allowed = given.allowed + truth.error
    off = abs(given.value - expected)
    if 0 < off <= allowed and allowed > max(abs(expected), abs(given.value)):
        return check("", None, f"does not apply: rounding explains all of `{formula}`, which is {expected:.2g}")
    words = f"`{claimed}` is {given.value:.9g}, `{formula}` {expected:.9g}: off by {off:.2g}"
    passed = off <= allowed
    if not passed:
        words += f", allowed {allowed:.2g}"
    return check(side, passed, words, expected, given.value, allowed)


def _taylor(side: str, given: Claim | str, slope: Estimate, line: Line) -> CrossCheck:
    """How |f(x +- h v) - f(x) -+ h <g, v>|, the larger of both, falls when h is halved."""
    check = partial(CrossCheck, "Taylor remainder")
    if slope.note or not math.isfinite(slope.error):
        return check("", None, f"does not apply: {slope.note}")
    if isinstance(given, str) or not math.isfinite(given.value):
        return check(side, False, given if isinstance(given, str) else "its derivative is not finite")
    try:
        found = _order(given, slope, line)
    except OutOfTimeError:
        return check("", None, "does not apply: the time for it is spent")
    if found is None:
        return check(side, True, "nothing beyond rounding is left of it", None, None, LEAST_ORDER)
    order, step = found
    passed = order >= LEAST_ORDER
    right = f"second order: {order:.2f} at h = {step:.1g}"
    words = right if passed else f"first order: {order:.2f}, as a wrong gradient has"
    return check(side, passed, words, 2.0, order, LEAST_ORDER)


def _order(given: Claim, slope: Estimate, line: Line) -> tuple[float, float] | None:
    """The order between a step and half of it; None where the remainder does not rise above rounding.

    The step is small, so that terms of higher order do not matter, but large enough for the curvature to stand out
    against the rounding of the gradient, which is itself of first order, and of the values. A remainder of first order
    is looked at again with the smallest steps that rounding allows: beyond a kink nearby it is of no order at all.
    """
    floor = given.allowed + slope.error
    first = line.start / 16
    probe = line.central(first)
    if probe is None:
        return None
    curvature = abs(probe.bend) / (2 * first)
    noise = 4 * probe.rounding * first
    if curvature > 0:
        wanted = max(CLEAR * floor / curvature, math.sqrt(CLEAR * noise / curvature))
        first = min(line.start / 2, _above(wanted, line))
    found = _between(given, line, first, floor)
    if found is None or found >= LEAST_ORDER or noise == 0:
        return None if found is None else (found, 2 * first)
    wrong = abs(given.value - complex(slope.value).real)
    closest = min(first, _above(CLEAR * noise / max(wrong, floor), line))
    found = _between(given, line, closest, floor)
    return None if found is None else (found, 2 * closest)


def _above(step: float, line: Line) -> float:
    """The power of two that is not below a step, nor below what is lost in the point's own rounding."""
    return math.ldexp(1.0, math.ceil(math.log2(max(step, line.resolution))))


def _between(given: Claim, line: Line, step: float, floor: float) -> float | None:
    far, near = line.central(2 * step), line.central(step)
    if far is None or near is None:
        return None
    large, small = _remainder(far, given), _remainder(near, given)
    if min(large, small) <= BEYOND * (floor + near.rounding):
        return None
    return 1 + math.log2(large / small)


def _remainder(quotient: Quotient, given: Claim) -> float:
    """The larger of both sides' remainders, divided by the step.

    The differences to the right and to the left are the central one and half the bend more or less.
    """
    return float(abs(quotient.value - LONG.type(given.value))) + abs(quotient.bend) / 2
