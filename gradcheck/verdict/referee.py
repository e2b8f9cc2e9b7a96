"""Who is right: an independent derivative in a wider precision than the case's.

The forward program alone is run, never a rule: divided differences over shrinking steps are extrapolated to a step of
0 (Richardson; Ridders 1982, Accurate computation of F'(x) and F'(x)F''(x); Press et al., Numerical Recipes, section
5.7). The error estimate has two parts: by how much the extrapolations still disagree, and what rounding makes of a
difference. Rounding is measured: every operation's operands and results are moved by one unit round-off of the wide
precision (Monte Carlo arithmetic, Parker 1997), so that a cancellation inside the program is seen although nothing of
it shows in the result.

The complex step is left out: whether a program is holomorphic cannot be told safely from outside its operations.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from time import monotonic
from typing import Any

import numpy as np

from gradcheck.dtypes import FLOAT64, LONG, NARROW, DType, is_complex, is_differentiable, is_float, real_of
from gradcheck.engine.wide import WideExecutable, wider_than
from gradcheck.engines import Request
from gradcheck.program import Array, Instruction, Program

HELD = frozenset({"tf.stop_gradient", "tf.floor", "tf.math.ceil", "tf.round", "tf.math.rint"}) | {
    "tf.truncatediv",
    "tf.math.floordiv",
}
"""The operations whose results the probes keep: by definition, or because they are flat wherever they are smooth.

A cast from a float to an integer is another.
"""
SHAKES = 4
"""Runs with moved operands and results, from which the rounding of a run is read."""
SAFETY = 8.0
"""How many times the largest move that was seen is taken for the rounding of a run."""
HARDER = 2.0**20
"""How many times as far everything is moved once more, to see whether the moves of the loss grow with it."""
GROWN = 64.0
"""By how much they have to."""
PROBES = 9
"""Quotients per derivative; a central one costs two runs, and one more is spent beside the point."""
SEED = 20_260_103
Cotangents = Sequence[Array | None]
EPSILON = float(np.finfo(LONG).eps)
"""What each quotient may be off by relatively: they are kept in the widest dtype there is."""
UNCONVERGED = 0.1
"""An estimate whose extrapolations disagree by more than this share of the differences they come from is none."""
_REFUSED = (ArithmeticError, ValueError, IndexError)
"""What forwards raise for values that they refuse; `LinAlgError` is a `ValueError`."""


@dataclass(frozen=True)
class Estimate:
    """A derivative, an honest bound on its distance from the true one, and why it is inconclusive, in words."""

    value: complex
    """TensorFlow's convention for a complex source, df/dx + i df/dy; real for a real one."""
    error: float
    """Infinite if nothing converged."""
    note: str = ""


class Ruling(StrEnum):
    """What the referee says of two answers."""

    SUBJECT_WRONG = "subject-wrong"
    REFERENCE_WRONG = "reference-wrong"
    BOTH_WRONG = "both-wrong"
    BOTH_RIGHT = "both-right"
    INCONCLUSIVE = "inconclusive"


def ruling(subject: complex, reference: complex, estimate: Estimate, allowed: float) -> Ruling:
    """Judge two answers, each of which may be off by `allowed`.

    A side is right within `allowed` and the estimate's error; one that is not finite is wrong. The estimate is of use
    if its error is small compared with what it has to tell apart: the two sides from each other, both of them from the
    truth, or, where a side is not finite, a number from none.
    """
    value, error = complex(estimate.value), estimate.error
    if not (math.isfinite(error) and _finite(value)):
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
    return abs(left - right) if _finite(left) and _finite(right) else math.inf


def _finite(value: complex) -> bool:
    return math.isfinite(value.real) and math.isfinite(value.imag)


class Referee:
    """Derivatives of the loss Re(sum(conj(cotangent) * target)) of one request.

    What the tape holds constant stays at its unperturbed values: see `HELD`. An operation that takes its matrix to be
    Hermitian is given one: its operand moves by the Hermitian part of what it is moved by, which makes the derivative
    that of a symmetric change.
    """

    def __init__(self, request: Request, budget: float = 1.0) -> None:
        """`budget` is in seconds, for all calls together; once it is spent estimates are infinite and say so."""
        self._request = request
        self._program = _Program(request)
        self._inputs = {name: self._program.widened(value) for name, value in request.inputs.items()}
        self._budget = budget
        self._spent = 0.0
        self._noise: dict[tuple[str, ...], list[Array]] = {}
        self._goal = _goal(self._program.real, request)

    @property
    def unit(self) -> float:
        """The unit round-off of the case's own precision."""
        return _case_unit(self._request)

    def derivative(self, source: str, index: tuple[int, ...], cotangents: Cotangents) -> Estimate:
        """The derivative of the loss with respect to one element of `source`."""
        array = self._inputs[source]
        if not is_differentiable(self._request.inputs[source].dtype):
            return Estimate(math.nan, math.inf, f"`{source}` is not of a floating dtype")
        parts: list[Estimate] = []
        for unit in (1, 1j) if is_complex(array.dtype) else (1,):
            direction = np.zeros_like(array)
            direction[index] = unit
            with self._timed() as until:
                parts.append(self._central(_Line(self, {source: direction}, cotangents, until)))
        value = sum(complex(part.value) * unit for part, unit in zip(parts, (1, 1j), strict=False))
        note = next((part.note for part in parts if part.note), "")
        return Estimate(value if len(parts) > 1 else parts[0].value, math.hypot(*(part.error for part in parts)), note)

    def one_sided(self, direction: Mapping[str, Array], cotangents: Cotangents) -> tuple[Estimate, Estimate]:
        """The slope of the loss to the left and to the right of the point, along `direction`.

        For a complex source a direction is the complex number that its elements move by.
        """
        wide = {name: np.asarray(self._program.widened(np.asarray(each))) for name, each in direction.items()}
        with self._timed() as until:
            line = _Line(self, wide, cotangents, until)
            left, right = (
                self._searched(_Search(partial(line.one_sided, side=side), 1, line.start, self._goal, line.resolution))
                for side in (-1, 1)
            )
        return left, right

    @contextmanager
    def _timed(self) -> Iterator[float]:
        """Counts the time of a call; gives the moment at which the budget is spent."""
        begin = monotonic()
        try:
            with np.errstate(all="ignore"):  # what is not finite is a finding here
                yield begin + self._budget - self._spent
        finally:
            self._spent += monotonic() - begin

    def _searched(self, search: "_Search") -> Estimate:
        try:
            best = search.run()
        except _OutOfTimeError:
            return self._out_of_time
        except _REFUSED as error:
            return Estimate(math.nan, math.inf, f"the program fails at the point itself: {error}")
        if best is None or best.disagreement > max(UNCONVERGED * search.size, best.error / 2):
            return Estimate(math.nan, math.inf, search.why())
        return Estimate(best.value, best.error)

    @property
    def _out_of_time(self) -> Estimate:
        return Estimate(math.nan, math.inf, f"the referee's budget of {self._budget:g} s is spent")

    def _central(self, line: "_Line") -> Estimate:
        """The estimate of one search or, if what is close to the point speaks against it, of another one there."""
        search = _Search(line.central, 2, line.start, self._goal, line.resolution)
        first = self._held_against(search, line)
        if not first.note or not search.used or search.near == 0:
            return first
        smallest = min(each.step for each in search.used)
        start = _power_of_two(math.sqrt(search.near * smallest))
        closer = _Search(line.central, 2, start, self._goal, line.resolution, too_coarse=smallest)
        second = self._held_against(closer, line)
        return first if second.note else second

    def _held_against(self, search: "_Search", line: "_Line") -> Estimate:
        """What a search finds, held against the loss close to the point."""
        found = self._searched(search)
        if not math.isfinite(found.error):
            return found
        search.near = _near(found, search, line)
        try:
            return _beside(found, search, line, search.near)
        except _OutOfTimeError:
            return self._out_of_time


class _OutOfTimeError(Exception):
    """The budget is spent."""


@dataclass(frozen=True)
class _Quotient:
    """A divided difference, what rounding can make of it, and how far the slopes of both sides are apart."""

    step: float
    value: np.floating[Any]
    rounding: float
    bend: float = 0.0


class _Line:
    """The loss along a line through the point."""

    def __init__(self, referee: Referee, direction: Mapping[str, Array], cotangents: Cotangents, until: float) -> None:
        self._program = referee._program
        self._inputs = referee._inputs
        self._noises = referee._noise
        self._direction = direction
        self._until = until
        self._touched: list[Array] = []
        self._weights = self._program.weights(cotangents)
        self._live = self._program.downstream(direction)
        sizes = [_typical(self._inputs[name], each) for name, each in direction.items()]
        self.start = _power_of_two(max(sizes, default=1.0) / 8)
        at = [np.abs(self._inputs[name][each != 0]).max(initial=0) for name, each in direction.items()]
        self.resolution = 64 * self._program.unit * float(max(at, default=0.0)) + 1e-300

    def central(self, step: float) -> _Quotient | None:
        """(f(x + h) - f(x - h)) / 2h, with (f(x + h) - 2 f(x) + f(x - h)) / h; None if one is not finite."""
        above, below = self._at(step), self._at(-step)
        if above is None or below is None:
            return None
        across, noise = self._difference(above, below)
        rise, _ = self._difference(above, self._program.base)
        fall, _ = self._difference(self._program.base, below)
        if not math.isfinite(across):
            return None
        return _Quotient(step, across / LONG.type(2 * step), noise / step, float(rise - fall) / step)

    def one_sided(self, step: float, side: int) -> _Quotient | None:
        """(f(x + h) - f(x)) / h to the right of the point, or with side -1 (f(x) - f(x - h)) / h to the left."""
        there = self._at(side * step)
        if there is None:
            return None
        rise, noise = self._difference(there, self._program.base)
        return _Quotient(step, side * rise / LONG.type(step), 2 * noise / step) if math.isfinite(rise) else None

    def _at(self, step: float) -> list[Array] | None:
        if monotonic() > self._until:
            raise _OutOfTimeError
        if not self._program.base:
            self._program.start(self._inputs)
        if not self._touched:
            self._touched = self._poisoned()
        scale = self._program.real.type(step)
        return self._run({name: self._inputs[name] + scale * each for name, each in self._direction.items()})

    def _run(self, moved: Mapping[str, Array]) -> list[Array] | None:
        try:
            return self._program.probe({**self._inputs, **moved}, self._live)
        except _REFUSED:
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


def _power_of_two(value: float) -> float:
    """The power of two below `value`: added to a number of the case's precision it is not rounded."""
    return math.ldexp(1.0, math.frexp(value)[1] - 1)


@dataclass(frozen=True)
class _Best:
    value: float
    error: float
    disagreement: float


@dataclass
class _Search:
    """Looks for steps at which the quotients converge.

    Quotients are functions of `step ** power` that are smooth at 0 where the loss is. Steps are halved as long as the
    quotients converge; a run that does not, or that leaves the domain, is given up for one of far smaller steps, and
    one that rounding dominates for larger ones.
    """

    quotient: Callable[[float], _Quotient | None]
    power: int
    start: float
    goal: float
    """The relative error that is good enough."""
    resolution: float
    """Smaller steps are lost in the rounding of the point itself."""
    best: _Best | None = None
    used: list[_Quotient] = field(default_factory=list)
    """The quotients of the run that gave the best estimate."""
    undefined: int = 0
    drowned: bool = False
    too_coarse: float = math.inf
    """The smallest step that is known to be too large."""
    near: float = 0.0
    """The step at which the result was held against the loss close to the point; 0 if it was not."""

    def run(self) -> _Best | None:
        step, shrink, grown = self.start, 16.0, False
        row: list[_Quotient] = []
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

    def _state(self, row: Sequence[_Quotient]) -> str:
        if len(row) < 2:
            return "open"
        change = float(abs(row[-1].value - row[-2].value))
        if change <= 4 * row[-1].rounding:
            return "rounding"
        size = float(max(abs(row[-1].value), abs(row[-2].value)))
        slow = len(row) > 2 and change > 0.7 * abs(row[-2].value - row[-3].value)
        return "coarse" if slow or (len(row) == 2 and change > 0.5 * size) else "converging"

    def _larger(self, row: Sequence[_Quotient]) -> float | None:
        """A first step at which rounding would be as small as it should be; None if larger ones are of no use."""
        last = row[-1]
        wanted = self.goal * float(abs(last.value))
        if wanted == 0:  # a function that is flat is flat farther away, too
            return None
        step = min(last.rounding * last.step / wanted, row[0].step * 2**40)
        if self.too_coarse < math.inf:
            step = min(step, math.sqrt(row[0].step * self.too_coarse))
        return _power_of_two(step) if step >= 8 * row[0].step else None

    def _consider(self, row: Sequence[_Quotient]) -> None:
        """Keep the best extrapolation over the last three quotients or more."""
        for first in range(len(row) - 2):
            window = row[first:]
            value, rounding = _extrapolated(window, self.power)
            others = (_extrapolated(window[1:], self.power)[0], _extrapolated(window[:-1], self.power)[0])
            disagreement = float(max(abs(value - other) for other in others))
            error = disagreement + rounding + 2.0**-53 * abs(float(value))
            if math.isfinite(error) and (self.best is None or error < self.best.error):
                self.best, self.used = _Best(float(value), error, disagreement), list(row)


def _extrapolated(row: Sequence[_Quotient], power: int) -> "tuple[np.floating[Any], float]":
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


def _near(found: Estimate, search: _Search, line: _Line) -> float:
    """A step far smaller than those that were used, but large enough for rounding to leave three digits."""
    noise = max(each.rounding * each.step for each in search.used)
    smallest = min(each.step for each in search.used)
    size = abs(found.value) or max(abs(each.bend) for each in search.used) or 1.0
    resolved = noise * 2**10 / size
    return _power_of_two(min(max(resolved, line.resolution, smallest * 2**-30), smallest / 16))


def _beside(found: Estimate, search: _Search, line: _Line, step: float) -> Estimate:
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


def _bend(row: Sequence[_Quotient]) -> tuple[float, float]:
    """By how much the slopes of both sides differ at the point itself, and what that may be off by.

    (f(x + h) - 2 f(x) + f(x - h)) / h is smooth in h, and 0 at 0 where there is a derivative.
    """
    bends = [replace(each, value=LONG.type(each.bend), rounding=4 * each.rounding) for each in row]
    value, rounding = _extrapolated(bends, 1)
    others = (_extrapolated(bends[1:], 1)[0], _extrapolated(bends[:-1], 1)[0])
    return float(value), 4 * (float(max(abs(value - other) for other in others)) + rounding)


class _Program(WideExecutable):
    """The program in the wide precision: its values at the point, and what becomes of them beside it."""

    def __init__(self, request: Request) -> None:
        super().__init__(request.program.pruned(), wider_than(_widest(request)))
        self.unit = float(np.finfo(self.real).eps) / 2
        self.base: list[Array] = []
        """The targets at the point; nothing before `start`."""
        self._values: dict[int, Array] = {}
        self._matrices: dict[int, Array] = {}
        self._in_float64: frozenset[int] = frozenset()

    def start(self, inputs: Mapping[str, Array]) -> None:
        """Run the program at the point and keep all values."""
        self._values = {index: self.widened(value) for index, value in self.program.constants.items()}
        self.base = _targets(self.run(inputs, self._kept))
        if np.finfo(self.real).eps < np.finfo(FLOAT64).eps:
            self._in_float64 = self._computed_in_float64(inputs)

    def probe(self, inputs: Mapping[str, Array], live: frozenset[int]) -> list[Array]:
        """The targets at other inputs; only the values in `live` are computed, the others stay."""
        return _targets(self._moved(inputs, live, self._hermitian))

    def downstream(self, sources: Mapping[str, Array]) -> frozenset[int]:
        """The values that change with `sources`, what is held constant not among them."""
        program = self.program
        reached = {program.inputs[name] for name in sources}
        for each in program.instructions:
            if not reached.isdisjoint(each.inputs) and not held(program, each):
                reached.update(each.outputs)
        return frozenset(reached)

    def weights(self, cotangents: Cotangents) -> list[Array | None]:
        """The cotangent of each target, wide; None for a target that has no gradient."""
        types = [self.program.types[index] for index in self.program.outputs if index is not None]
        found: list[Array | None] = []
        for type_, cotangent in zip(types, cotangents, strict=True):
            if not is_differentiable(type_.dtype):
                found.append(None)
            else:
                given = np.ones(type_.shape, type_.dtype) if cotangent is None else np.asarray(cotangent, type_.dtype)
                found.append(np.asarray(self.widened(given)))
        return found

    def shaken(self, inputs: Mapping[str, Array], live: frozenset[int]) -> list[Array]:
        """For each element of the targets by how much rounding may move it."""
        if not self.base:
            self.start(inputs)
        moves = [_size(each) * self.unit for each in self.base]
        for run in range(SHAKES):
            shaken = self._shake(inputs, live, run, 1.0)
            moves = [np.maximum(size, move) for size, move in zip(moves, shaken, strict=True)]
        harder = self._shake(inputs, live, SHAKES, HARDER)
        return [_rounding(*each, self.unit) for each in zip(moves, harder, self.base, strict=True)]

    def _shake(self, inputs: Mapping[str, Array], live: frozenset[int], run: int, strength: float) -> list[Array]:
        """How far the targets move when everything is moved by `strength` units round-off."""
        shake = partial(self._shaken, rng=np.random.default_rng([SEED, run]), strength=strength)
        moved = _targets(self._moved(inputs, live, shake))
        with np.errstate(all="ignore"):
            return [_move(one, other) for one, other in zip(moved, self.base, strict=True)]

    def _moved(
        self,
        inputs: Mapping[str, Array],
        live: frozenset[int],
        compute: Callable[[Instruction, tuple[Array, ...]], list[Array]],
    ) -> list[Array | None]:
        """The outputs where the live values come from `compute` and all others are those at the point."""
        values = dict(self._values)
        program = self.program
        values |= {index: inputs[name] for name, index in program.inputs.items()}
        with np.errstate(all="ignore"):
            for each in program.instructions:
                if each.outputs[0] in live:
                    results = compute(each, tuple(values[index] for index in each.inputs))
                    values.update(zip(each.outputs, results, strict=True))
        return [None if index is None else np.asarray(values[index]) for index in program.outputs]

    def _kept(self, instruction: Instruction, operands: tuple[Array, ...], results: list[Array]) -> list[Array]:
        self._values.update(zip(instruction.inputs, operands, strict=True))
        self._values.update(zip(instruction.outputs, results, strict=True))
        if instruction.op.hermitian:
            self._matrices[instruction.outputs[0]] = _completed(operands[0])
            return self._hermitian(instruction, operands)
        return results

    def _hermitian(self, instruction: Instruction, operands: tuple[Array, ...]) -> list[Array]:
        """The results, where a matrix that is taken to be Hermitian moves by the Hermitian part of its change."""
        if instruction.op.hermitian:
            first, *others = operands
            change = first - self._values[instruction.inputs[0]]
            operands = (self._matrices[instruction.outputs[0]] + (change + _adjoint(change)) / 2, *others)
        return self.results(instruction, operands)

    def _shaken(
        self, instruction: Instruction, operands: tuple[Array, ...], rng: np.random.Generator, strength: float
    ) -> list[Array]:
        """The results as rounding may leave them: operands and results are off by one unit round-off."""
        if instruction.op.moves or not any(self._wide(index) for index in instruction.outputs):
            return self._hermitian(instruction, operands)
        unit = strength * (2.0**-53 if instruction.outputs[0] in self._in_float64 else self.unit)
        clean = self._hermitian(instruction, operands)
        moved = self._hermitian(instruction, tuple(_nudged(each, unit, rng) for each in operands))
        return [_nudged(np.where(np.isfinite(new), new, old), unit, rng) for new, old in zip(moved, clean, strict=True)]

    def _wide(self, index: int) -> bool:
        return is_differentiable(self.program.types[index].dtype)

    def _computed_in_float64(self, inputs: Mapping[str, Array]) -> frozenset[int]:
        """The values that come from operations which know nothing wider, as LAPACK's and the error functions do.

        At a point with all digits in use every result is seen to have those of a float64 alone.
        """
        rng = np.random.default_rng(SEED)
        found: set[int] = set()

        def visit(instruction: Instruction, operands: tuple[Array, ...], results: list[Array]) -> list[Array]:
            if not instruction.op.moves and any(_uses_all_digits(each) for each in operands):
                changed = [new[new != self._values[at]] for new, at in zip(results, instruction.outputs, strict=True)]
                if any(each.size for each in changed) and not any(_uses_all_digits(each) for each in changed):
                    found.update(instruction.outputs)
            return [_nudged(each, 2.0**-40, rng) for each in results]

        nudged = {name: _nudged(each, 2.0**-40, rng) for name, each in inputs.items()}
        try:
            self.run(nudged, visit)
        except _REFUSED:  # a point beside this one may be outside of a domain
            found.update(index for each in self.program.instructions for index in each.outputs)
        return frozenset(found)


def held(program: Program, instruction: Instruction) -> bool:
    """Whether a tape takes what the instruction gives for a constant: see `HELD`."""
    if instruction.op.name == "tf.cast":
        return is_differentiable(program.types[instruction.inputs[0]].dtype) and not is_differentiable(
            program.types[instruction.outputs[0]].dtype
        )
    return instruction.op.name in HELD


def _targets(outputs: Sequence[Array | None]) -> list[Array]:
    return [each for each in outputs if each is not None]


def _size(array: Array) -> Array:
    """The magnitudes in float64; 0 where they are not finite, and for what is no float."""
    if array.dtype.kind not in "fc":
        return np.zeros(array.shape)
    sizes = np.abs(array).astype(np.float64)
    return np.where(np.isfinite(sizes), sizes, 0.0)


def _move(one: Array, other: Array) -> Array:
    """The distance of each pair of elements; 0 where it is not finite, and for what is no float."""
    return _size(one - other) if one.dtype.kind in "fc" else np.zeros(one.shape)


def _rounding(moves: Array, harder: Array, base: Array, unit: float) -> Array:
    """What rounding may do to each element of a target; infinite where no digit of it is left.

    Where rounding is that of the operations, it grows with their moves. Where it does not, although it is far larger
    than a unit, it has reached the size of the function itself: the cosine of 1e40 is any number.
    """
    saturated = (moves > 2**10 * unit * _size(base)) & (harder < GROWN * moves)
    return np.where(saturated, np.inf, SAFETY * moves)


def _nudged(array: Array, unit: float, rng: np.random.Generator) -> Array:
    """The array with its elements moved by about `unit` of their magnitude, to either side."""
    if array.dtype.kind not in "fc":
        return array
    drawn = rng.uniform(-0.5, 0.5, array.shape)
    relative = (drawn + np.copysign(0.5, drawn)).astype(array.real.dtype)
    moved: Array = array * (1 + array.real.dtype.type(unit) * relative)
    return moved


def _uses_all_digits(array: Array) -> bool:
    if array.dtype.kind not in "fc":
        return False
    return bool(np.any(array != array.astype(np.complex128 if array.dtype.kind == "c" else np.float64)))


def _adjoint(matrix: Array) -> Array:
    return matrix.conj().swapaxes(-1, -2)


def _completed(matrix: Array) -> Array:
    """The Hermitian matrix whose lower triangle is that of `matrix`."""
    below = np.tril(matrix, -1)
    diagonal = matrix * np.eye(matrix.shape[-1], dtype=bool)
    completed: Array = below + _adjoint(below) + diagonal.real
    return completed


def _widest(request: Request) -> DType:
    """The widest real dtype of the program."""
    reals = [real_of(type_.dtype) for type_ in request.program.types if is_float(real_of(type_.dtype))]
    return max(reals, key=lambda dtype: dtype.itemsize, default=FLOAT64)


def _case_unit(request: Request) -> float:
    """The unit round-off of the narrowest dtype among the sources."""
    dtypes = [real_of(request.inputs[name].dtype) for name in request.sources]
    units = {True: 2.0**-8, False: 2.0**-11}
    sizes = [
        units[dtype.name == "bfloat16"] if dtype in NARROW else float(np.finfo(dtype).eps) / 2
        for dtype in dtypes
        if is_float(dtype)
    ]
    return max(sizes, default=2.0**-53)


def _goal(real: DType, request: Request) -> float:
    unit = float(np.finfo(real).eps) / 2
    return min(1e-11, max(64 * unit, 1e-3 * _case_unit(request)))
