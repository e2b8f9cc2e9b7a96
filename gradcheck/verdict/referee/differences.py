"""Divided differences along a line, and the search for steps at which their extrapolation converges."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Any

import numpy as np

from gradcheck.dtypes import LONG, Array
from gradcheck.verdict.record import Estimate
from gradcheck.verdict.referee.probes import REFUSED, Probes
from gradcheck.verdict.referee.ruling import Cotangents

PROBES = 9
"""Quotients per derivative; a central one costs two runs, and one more is spent beside the point."""
EPSILON = float(np.finfo(LONG).eps)
"""What each quotient may be off by relatively: they are kept in the widest dtype there is."""


class OutOfTimeError(Exception):
    """The budget is spent."""


@dataclass(frozen=True)
class Quotient:
    """A divided difference, what rounding can make of it, and how far the slopes of both sides are apart."""

    step: float
    value: np.floating[Any]
    rounding: float
    bend: float = 0.0


@dataclass
class Point:
    """The point of a request: its program, its inputs in the wide precision, and the rounding of runs once measured."""

    program: Probes
    inputs: Mapping[str, Array]
    noises: dict[tuple[str, ...], list[Array]] = field(default_factory=dict)


class Line:
    """The loss along a line through the point."""

    def __init__(self, point: Point, direction: Mapping[str, Array], cotangents: Cotangents, until: float) -> None:
        self._program = point.program
        self._inputs = point.inputs
        self._noises = point.noises
        self._direction = direction
        self._until = until
        self._touched: list[Array] = []
        self._weights = self._program.weights(cotangents)
        self._live = self._program.downstream(direction)
        sizes = [_typical(self._inputs[name], each) for name, each in direction.items()]
        self.start = power_of_two(max(sizes, default=1.0) / 8)
        at = [np.abs(self._inputs[name][each != 0]).max(initial=0) for name, each in direction.items()]
        self.resolution = 64 * self._program.unit * float(max(at, default=0.0)) + 1e-300

    def central(self, step: float) -> Quotient | None:
        """(f(x + h) - f(x - h)) / 2h, with (f(x + h) - 2 f(x) + f(x - h)) / h; None if one is not finite."""
        above, below = self._at(step), self._at(-step)
        if above is None or below is None:
            return None
        across, noise = self._difference(above, below)
        rise, _ = self._difference(above, self._program.base)
        fall, _ = self._difference(self._program.base, below)
        if not math.isfinite(across):
            return None
        return Quotient(step, across / LONG.type(2 * step), noise / step, float(rise - fall) / step)

    def one_sided(self, step: float, side: int) -> Quotient | None:
        """(f(x + h) - f(x)) / h to the right of the point, or with side -1 (f(x) - f(x - h)) / h to the left."""
        there = self._at(side * step)
        if there is None:
            return None
        rise, noise = self._difference(there, self._program.base)
        return Quotient(step, side * rise / LONG.type(step), 2 * noise / step) if math.isfinite(rise) else None

    def _at(self, step: float) -> list[Array] | None:
        if monotonic() > self._until:
            raise OutOfTimeError
        if not self._program.base:
            self._program.start(self._inputs)
        if not self._touched:
            self._touched = self._poisoned()
        scale = self._program.real.type(step)
        return self._run({name: self._inputs[name] + scale * each for name, each in self._direction.items()})

    def _run(self, moved: Mapping[str, Array]) -> list[Array] | None:
        try:
            return self._program.probe({**self._inputs, **moved}, self._live)
        except REFUSED:
            return None

    def _poisoned(self) -> list[Array]:
        """The elements of the targets that depend on what moves: those that a NaN in its place changes.

        Where no step changes them, as where a sigmoid is flat, there is still the rounding of what they are.
        """
        poison = {name: np.where(each != 0, np.nan, self._inputs[name]) for name, each in self._direction.items()}
        base = self._program.base
        found = self._run(poison)
        if found is None:
            return [np.ones(each.shape, bool) for each in base]
        return [one != other for one, other in zip(found, base, strict=True)]

    def _difference(self, left: Sequence[Array], right: Sequence[Array]) -> "tuple[np.floating[Any], float]":
        """The difference of two losses, and what rounding can make of it.

        It is taken element by element, so that the targets' elements that do not change add nothing to its rounding.
        """
        total, noise = self._program.real.type(0), 0.0
        rows = zip(left, right, self._weights, self._noise(), self._touched, strict=True)
        with np.errstate(all="ignore"):
            for a, b, weight, shaken, touched in rows:
                if weight is None:
                    continue
                changed = ((a != b) | touched) & (weight != 0)
                total += np.sum((weight[changed].conj() * (a[changed] - b[changed])).real)
                noise += float(np.sum(np.abs(weight[changed]) * shaken[changed]))
        return LONG.type(total), noise

    def _noise(self) -> list[Array]:
        """For each target what rounding does to its elements, where they depend on the sources that move."""
        key = tuple(sorted(self._direction))
        if key not in self._noises:
            self._noises[key] = self._program.shaken(self._inputs, self._live)
        return self._noises[key]


def _typical(array: Array, direction: Array) -> float:
    """A step of this size times `direction` is of the size of the numbers that it moves, or of their neighbours."""
    moved = direction != 0
    if not moved.any():
        return 1.0
    with np.errstate(all="ignore"):
        sizes = np.abs(array)
        finite = sizes[np.isfinite(sizes)]
        usual = float(np.sqrt(np.mean(np.square(finite)))) if finite.size else 0.0
        own = float(np.max(np.where(np.isfinite(sizes[moved]), sizes[moved], 0)))
        size = max(own, usual) / float(np.max(np.abs(direction)))
    return size if 0 < size < math.inf else 1.0


def power_of_two(value: float) -> float:
    """The power of two below `value`: added to a number of the case's precision it is not rounded."""
    return math.ldexp(1.0, math.frexp(value)[1] - 1)


@dataclass(frozen=True)
class Best:
    value: float
    error: float
    disagreement: float


@dataclass
class Search:
    """Looks for steps at which the quotients converge.

    Quotients are functions of `step ** power` that are smooth at 0 where the loss is. Steps are halved as long as the
    quotients converge; a run that does not, or that leaves the domain, is given up for one of far smaller steps, and
    one that rounding dominates for larger ones.
    """

    quotient: Callable[[float], Quotient | None]
    power: int
    start: float
    goal: float
    """The relative error that is good enough."""
    resolution: float
    """Smaller steps are lost in the rounding of the point itself."""
    best: Best | None = None
    used: list[Quotient] = field(default_factory=list)
    """The quotients of the run that gave the best estimate."""
    undefined: int = 0
    drowned: bool = False
    too_coarse: float = math.inf
    """The smallest step that is known to be too large."""
    near: float = 0.0
    """The step at which the result was held against the loss close to the point; 0 if it was not."""

    def run(self) -> Best | None:
        step, shrink, grown = self.start, 16.0, False
        row: list[Quotient] = []
        for _ in range(PROBES if self.power == 2 else 2 * PROBES):
            found = self.quotient(step)
            if found is None:
                self.undefined += 1
                self.too_coarse = min(self.too_coarse, step)
                row, step, shrink = [], max(step / (2 * shrink), self.resolution), shrink**1.5
                continue
            self.drowned |= not math.isfinite(found.rounding)
            row.append(found)
            self._consider(row)
            state = self._state(row)
            if self.best is not None and self.best.error <= self.goal * abs(self.best.value):
                break
            if state == "coarse":
                self.too_coarse = min(self.too_coarse, row[0].step)
                row, step, shrink = [], max(step / shrink, self.resolution), shrink**2
            elif state == "rounding" and self._state(row[:-1]) == "rounding":
                larger = self._larger(row)
                if grown or larger is None:
                    break
                row, step, grown = [], larger, True
            else:
                step = max(step / 2, self.resolution)
                if step == row[-1].step:
                    break
        return self.best

    @property
    def size(self) -> float:
        """The largest of the quotients that were used."""
        return max(float(abs(each.value)) for each in self.used)

    def why(self) -> str:
        """Why nothing was found."""
        if self.undefined:
            return "the loss is not finite on both sides of the point" if self.power == 2 else "the loss is not finite"
        return "rounding leaves nothing of the loss" if self.drowned else "the differences do not converge"

    def _state(self, row: Sequence[Quotient]) -> str:
        if len(row) < 2:
            return "open"
        change = float(abs(row[-1].value - row[-2].value))
        if change <= 4 * row[-1].rounding:
            return "rounding"
        size = float(max(abs(row[-1].value), abs(row[-2].value)))
        slow = len(row) > 2 and change > 0.7 * abs(row[-2].value - row[-3].value)
        return "coarse" if slow or (len(row) == 2 and change > 0.5 * size) else "converging"

    def _larger(self, row: Sequence[Quotient]) -> float | None:
        """A first step at which rounding would be as small as it should be; None if larger ones are of no use."""
        last = row[-1]
        wanted = self.goal * float(abs(last.value))
        if wanted == 0:  # a function that is flat is flat farther away, too
            return None
        step = min(last.rounding * last.step / wanted, row[0].step * 2**40)
        if self.too_coarse < math.inf:
            step = min(step, math.sqrt(row[0].step * self.too_coarse))
        return power_of_two(step) if step >= 8 * row[0].step else None

    def _consider(self, row: Sequence[Quotient]) -> None:
        """Keep the best extrapolation over the last three quotients or more."""
        for first in range(len(row) - 2):
            window = row[first:]
            value, rounding = _extrapolated(window, self.power)
            others = (_extrapolated(window[1:], self.power)[0], _extrapolated(window[:-1], self.power)[0])
            disagreement = float(max(abs(value - other) for other in others))
            error = disagreement + rounding + 2.0**-53 * abs(float(value))
            if math.isfinite(error) and (self.best is None or error < self.best.error):
                self.best, self.used = Best(float(value), error, disagreement), list(row)


def _extrapolated(row: Sequence[Quotient], power: int) -> "tuple[np.floating[Any], float]":
    """The value at 0 of the polynomial in `step ** power` through the quotients (Lagrange), and its rounding."""
    value, rounding = LONG.type(0), 0.0
    for each in row:
        weight = LONG.type(1)
        for other in row:
            if other is not each:
                weight /= 1 - LONG.type(each.step / other.step) ** power
        value += weight * each.value
        rounding += float(abs(weight)) * (each.rounding + 4 * EPSILON * float(abs(each.value)))
    return value, rounding


def near_point(found: Estimate, search: Search, line: Line) -> float:
    """A step far smaller than those that were used, but large enough for rounding to leave three digits."""
    noise = max(each.rounding * each.step for each in search.used)
    smallest = min(each.step for each in search.used)
    size = abs(found.value) or max(abs(each.bend) for each in search.used) or 1.0
    resolved = noise * 2**10 / size
    return power_of_two(min(max(resolved, line.resolution, smallest * 2**-30), smallest / 16))


def beside_point(found: Estimate, search: Search, line: Line, step: float) -> Estimate:
    """The estimate, held against a quotient of a far smaller step.

    Differences over larger steps are blind to a kink at the point itself, where the central ones converge to the mean
    of both slopes, and to a feature that lies between them and the point.
    """
    near = line.central(step)
    if near is None:
        return Estimate(found.value, math.inf, "the loss is not finite next to the point")
    slope, beside = complex(found.value).real, float(near.value)
    bends = max(abs(each.bend) * step / each.step for each in search.used)
    bend, doubt = _bend(search.used)
    if abs(near.bend) > 4 * near.rounding + 2 * bends:
        bend = near.bend
    if abs(bend) > doubt and abs(near.bend - bend) <= 4 * near.rounding + abs(bend) / 2:
        if abs(near.bend) > 2 * max(abs(each.bend) for each in search.used) + 4 * near.rounding:
            return Estimate(found.value, math.inf, "the slopes on both sides grow without bound")
        note = f"a kink: the slope is {slope - bend / 2:.6g} on the left and {slope + bend / 2:.6g} on the right"
        return Estimate(slope, max(found.error, abs(bend)), note)
    bow = max(abs(float(each.value) - slope) * (step / each.step) ** 2 for each in search.used)
    apart = abs(beside - slope)
    if apart > found.error + 2 * (near.rounding + bow):
        note = f"the slope changes from {slope:.6g} to {beside:.6g} close to the point"
        return Estimate(beside, max(found.error, apart) + near.rounding, note)
    return found


def _bend(row: Sequence[Quotient]) -> tuple[float, float]:
    """By how much the slopes of both sides differ at the point itself, and what that may be off by.

    (f(x + h) - 2 f(x) + f(x - h)) / h is smooth in h, and 0 at 0 where there is a derivative.
    """
    bends = [replace(each, value=LONG.type(each.bend), rounding=4 * each.rounding) for each in row]
    value, rounding = _extrapolated(bends, 1)
    others = (_extrapolated(bends[1:], 1)[0], _extrapolated(bends[:-1], 1)[0])
    return float(value), 4 * (float(max(abs(value - other) for other in others)) + rounding)
