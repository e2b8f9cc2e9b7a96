"""Who is right: an independent derivative in a wider precision than the case's.

The forward program alone is run, never a rule: divided differences over shrinking steps are extrapolated to a step of
0 (Richardson; Ridders 1982, Accurate computation of F'(x) and F'(x)F''(x); Press et al., Numerical Recipes, section
5.7). The error estimate has two parts: by how much the extrapolations still disagree, and what rounding makes of a
difference. Rounding is measured: every operation's operands and results are moved by one unit round-off of the wide
precision (Monte Carlo arithmetic, Parker 1997), so that a cancellation inside the program is seen although nothing of
it shows in the result.

The complex step is left to the cross-checks, which know the operations that are analytic: it applies to some programs
alone.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from time import monotonic

import numpy as np

from gradcheck.dtypes import Array, is_complex, is_differentiable
from gradcheck.engines import Request
from gradcheck.ops.taping import RULED
from gradcheck.verdict.record import Estimate
from gradcheck.verdict.referee.differences import (
    Line,
    OutOfTimeError,
    Point,
    Quotient,
    Search,
    beside_point,
    near_point,
    power_of_two,
)
from gradcheck.verdict.referee.probes import REFUSED, Probes, case_unit, goal_of, held
from gradcheck.verdict.referee.ruling import Cotangents, ruling

UNCONVERGED = 0.1
"""An estimate whose extrapolations disagree by more than this share of the differences they come from is none."""

__all__ = ["Cotangents", "Line", "OutOfTimeError", "Quotient", "Referee", "held", "ruling"]


class Referee:
    """Derivatives of the loss Re(sum(conj(cotangent) * target)) of one request.

    What the tape holds constant stays at its unperturbed values: see `HELD`. An operation that takes its matrix to be
    Hermitian is given one: its operand moves by the Hermitian part of what it is moved by, which makes the derivative
    that of a symmetric change.
    """

    def __init__(self, request: Request, budget: float = 1.0) -> None:
        """`budget` is in seconds, for all calls together; once it is spent estimates are infinite and say so."""
        self._request = request
        program = Probes(request)
        self._point = Point(program, {name: program.widened(value) for name, value in request.inputs.items()})
        self._budget = budget
        self._spent = 0.0
        self._goal = goal_of(program.real, request)

    @property
    def unit(self) -> float:
        """The unit round-off of the case's own precision."""
        return case_unit(self._request)

    def derivative(self, source: str, index: tuple[int, ...], cotangents: Cotangents) -> Estimate:
        """The derivative of the loss with respect to one element of `source`."""
        array = self._point.inputs[source]
        if any(each.op in RULED for each in self._request.program.instructions):
            return Estimate(math.nan, math.inf, "the expression itself takes gradients, which are rules' to give")
        if not is_differentiable(self._request.inputs[source].dtype):
            return Estimate(math.nan, math.inf, f"`{source}` is not of a floating dtype")
        parts: list[Estimate] = []
        for unit in (1, 1j) if is_complex(array.dtype) else (1,):
            direction = np.zeros_like(array)
            direction[index] = unit
            with self._timed() as until:
                parts.append(self.central(Line(self._point, {source: direction}, cotangents, until)))
        value = sum(complex(part.value) * unit for part, unit in zip(parts, (1, 1j), strict=False))
        note = next((part.note for part in parts if part.note), "")
        return Estimate(value if len(parts) > 1 else parts[0].value, math.hypot(*(part.error for part in parts)), note)

    def one_sided(self, direction: Mapping[str, Array], cotangents: Cotangents) -> tuple[Estimate, Estimate]:
        """The slope of the loss to the left and to the right of the point, along `direction`.

        For a complex source a direction is the complex number that its elements move by.
        """
        with self.line(direction, cotangents) as line:
            left, right = (self.searched(line, partial(line.one_sided, side=side), 1) for side in (-1, 1))
        return left, right

    @contextmanager
    def line(self, direction: Mapping[str, Array], cotangents: Cotangents) -> Iterator[Line]:
        """The loss along `direction`, for use inside of the context, whose time is counted."""
        wide = {name: np.asarray(self._point.program.widened(np.asarray(each))) for name, each in direction.items()}
        with self._timed() as until:
            yield Line(self._point, wide, cotangents, until)

    def searched(self, line: Line, quotient: Callable[[float], Quotient | None], power: int) -> Estimate:
        """What the quotients of `line`, which are smooth in `step ** power`, converge to."""
        return self._found(Search(quotient, power, line.start, self._goal, line.resolution))

    @contextmanager
    def _timed(self) -> Iterator[float]:
        """Counts the time of a call; gives the moment at which the budget is spent."""
        begin = monotonic()
        try:
            with np.errstate(all="ignore"):  # what is not finite is a finding here
                yield begin + self._budget - self._spent
        finally:
            self._spent += monotonic() - begin

    def _found(self, search: "Search") -> Estimate:
        try:
            best = search.run()
        except OutOfTimeError:
            return self._out_of_time
        except REFUSED as error:
            return Estimate(math.nan, math.inf, f"the program fails at the point itself: {error}")
        if best is None or best.disagreement > max(UNCONVERGED * search.size, best.error / 2):
            return Estimate(math.nan, math.inf, search.why())
        return Estimate(best.value, best.error)

    @property
    def _out_of_time(self) -> Estimate:
        return Estimate(math.nan, math.inf, f"the referee's budget of {self._budget:g} s is spent")

    def central(self, line: Line) -> Estimate:
        """The estimate of one search or, if what is close to the point speaks against it, of another one there."""
        search = Search(line.central, 2, line.start, self._goal, line.resolution)
        first = self._held_against(search, line)
        if not first.note or not search.used or search.near == 0:
            return first
        smallest = min(each.step for each in search.used)
        start = power_of_two(math.sqrt(search.near * smallest))
        closer = Search(line.central, 2, start, self._goal, line.resolution, too_coarse=smallest)
        second = self._held_against(closer, line)
        return first if second.note else second

    def _held_against(self, search: "Search", line: "Line") -> Estimate:
        """What a search finds, held against the loss close to the point."""
        found = self._found(search)
        if not math.isfinite(found.error):
            return found
        search.near = near_point(found, search, line)
        try:
            return beside_point(found, search, line, search.near)
        except OutOfTimeError:
            return self._out_of_time
