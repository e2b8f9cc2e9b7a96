"""The gradients of all sources under all sets of cotangents: what was found, and what a guess explains of it."""

from collections.abc import Collection, Sequence
from functools import cached_property

import numpy as np

from gradcheck.casefile.case import Tolerance
from gradcheck.dtypes import Array
from gradcheck.engines import Request
from gradcheck.program import Shape
from gradcheck.verdict.record import COUNTS_AS, Comparison, Status
from gradcheck.verdict.slips.scene import FINER, ULPS, reach, unit, widened
from gradcheck.verdict.tolerance import allowance, limits
from gradcheck.verdict.whole.flow import Effect, product, products

NONE: frozenset[int] = frozenset()


class Evidence:
    """What the subject gave for a whole program, beside what the reference gave; sources are known by position."""

    def __init__(self, request: Request, comparisons: Sequence[Comparison], tolerance: Tolerance) -> None:
        self.sources = request.sources
        self._inputs = request.inputs
        rounding = allowance(request)
        between = [each for each in comparisons if each.sides[1] != "expect"]
        self.outputs = [each for each in between if each.quantity == "output"]
        self.output_limits = rounding.outputs
        gradients = [each for each in between if each.quantity == "gradient"]
        count = len(self.sources)
        self.rows = [gradients[at : at + count] for at in range(0, len(gradients), count)]
        """For each set of cotangents one comparison for each source."""
        self.sets = len(self.rows)
        self.allowed: list[list[Array | None]] = [
            [
                None if each.right is None else reach(each.right, limits(each.right, bound, tolerance))
                for each, bound in zip(row, bounds, strict=True)
            ]
            for row, bounds in zip(self.rows, rounding.gradients, strict=True)
        ]

    def comparison(self, source: int) -> Comparison:
        """Of the comparisons for a source the one with the largest difference."""
        rows = [row[source] for row in self.rows]
        return max(rows, key=lambda each: each.worst.used if each.worst else float("inf"))

    def failure(self, source: int) -> Comparison | None:
        """The last of the comparisons for a source that failed."""
        failed = [row[source] for row in self.rows if COUNTS_AS[row[source].verdict] is Status.FAILED]
        return failed[-1] if failed else None

    def allowed_in(self, comparison: Comparison) -> Array | None:
        """The difference that is allowed in one of the comparisons."""
        rows = zip(self.rows, self.allowed, strict=True)
        return next(
            limit for row, limits in rows for each, limit in zip(row, limits, strict=True) if each is comparison
        )

    def belongs_to(self, source: int) -> int | None:
        """The other source, of another shape, whose gradient is given for one; None if it is that of none."""
        for other in range(len(self.sources)):
            if self.shape(other) != self.shape(source) and all(
                _is_that(row[source].left, row[other].right, limits[other])
                for row, limits in zip(self.rows, self.allowed, strict=True)
            ):
                return other
        return None

    @cached_property
    def found(self) -> list[list[Array | None]]:
        return [[None if each.left is None else widened(each.left) for each in row] for row in self.rows]

    @cached_property
    def right(self) -> list[list[Array | None]]:
        return [[None if each.right is None else widened(each.right) for each in row] for row in self.rows]

    @cached_property
    def usable(self) -> frozenset[int]:
        """The sources whose gradients have the right shape and kind and are finite."""
        return frozenset(source for source in range(len(self.sources)) if self._usable(source))

    def _usable(self, source: int) -> bool:
        for row in self.rows:
            left, right = row[source].left, row[source].right
            if left is None or right is None or left.shape != right.shape or left.dtype != right.dtype:
                return False
            if not (np.isfinite(left).all() and np.isfinite(right).all()):
                return False
        return True

    @cached_property
    def connected(self) -> frozenset[int]:
        """The sources for which the reference has gradients."""
        every = range(len(self.sources))
        return frozenset(source for source in every if any(row[source].right is not None for row in self.rows))

    @cached_property
    def wrong(self) -> frozenset[int]:
        """The usable sources whose gradients differ by more than is allowed."""
        return frozenset(
            source for source in self.usable if any(self.differs(position, source) for position in range(self.sets))
        )

    def differs(self, position: int, source: int) -> bool:
        """Whether a usable source's gradient under one set of cotangents differs by more than is allowed."""
        return not self._near(position, source, self.right_of(position, source))

    def right_of(self, position: int, source: int) -> Array:
        """The reference's gradient of a usable source."""
        right = self.right[position][source]
        assert right is not None
        return right

    def _found(self, position: int, source: int) -> Array:
        found = self.found[position][source]
        assert found is not None
        return found

    def shape(self, source: int) -> Shape:
        """The shape of a source."""
        shape: Shape = self._inputs[self.sources[source]].shape
        return shape

    def is_zero(self, source: int) -> bool:
        """Whether the subject gives nothing but zeros for a usable source."""
        return not any(np.any(self._found(position, source)) for position in range(self.sets))

    def fitted_factor(self, sources: Collection[int]) -> float:
        """The factor, in all gradients of `sources`, that comes nearest to what was found."""
        pairs = [(self._found(at, each), self.right_of(at, each)) for each in sources for at in range(self.sets)]
        scales = [max(float(np.max(np.abs(right), initial=0.0)), 1e-300) for _, right in pairs]
        above = sum(product(right / scale, found / scale) for (found, right), scale in zip(pairs, scales, strict=True))
        below = sum(product(right / scale, right / scale) for (_, right), scale in zip(pairs, scales, strict=True))
        return float(above / below) if below else 1.0

    def gap(self, position: int, source: int) -> Array:
        """What is too much in a gradient of a usable source."""
        return self._found(position, source) - self.right_of(position, source)

    @cached_property
    def _relative(self) -> list[float]:
        """For each source the rounding of a typical element, as a share of it."""
        found: list[float] = []
        for source in range(len(self.sources)):
            own = 0.0
            if source in self.usable:
                with np.errstate(all="ignore"):
                    shares = [self._allowed(at, source) / np.abs(self.right_of(at, source)) for at in range(self.sets)]
                shares = [each[np.isfinite(each)] for each in shares]
                known = np.concatenate([each.ravel() for each in shares])
                own = min(float(np.median(known)), 0.05) if known.size else 0.0
            found.append(own)
        return found

    def _allowed(self, position: int, source: int) -> Array:
        allowed = self.allowed[position][source]
        assert allowed is not None
        return allowed

    def _limit(self, position: int, source: int, value: Array) -> Array:
        """How far `value` may be from what was found and still be the same number, for each element."""
        size = np.maximum(np.abs(value), np.abs(self.right_of(position, source)))
        spread = np.maximum(self._allowed(position, source), self._relative[source] * size)
        right = self.rows[position][source].right
        assert right is not None
        limit: Array = FINER * spread + ULPS * unit(right.dtype) * size
        return limit

    def _near(self, position: int, source: int, value: Array) -> bool:
        limit = self._limit(position, source, value)
        return bool((np.abs(self._found(position, source) - value) <= limit).all())

    def covered(self, effect: Effect, chance: float, *, fitted: bool = False) -> frozenset[int]:
        """The wrong sources whose gradients `effect` explains, if it leaves all the others as they are; else none.

        It explains them if it gives every element under every set of cotangents, and if a coincidence of all these is
        less likely than `chance`. `fitted` says that one number in it was read from what was found.
        """
        covered: set[int] = set()
        for source in self.usable:
            changed = [self.right_of(at, source) + effect[at][source] for at in range(self.sets)]
            if source in self.wrong and all(self._near(at, source, each) for at, each in enumerate(changed)):
                covered.add(source)
            elif not all(self._is_right(at, source, each) for at, each in enumerate(changed)):
                return NONE
        singles = [self._singles(at, source, effect[at][source]) for source in covered for at in range(self.sets)]
        logs = np.sort(np.concatenate([np.zeros(0), *singles]))
        logs = logs[1:] if fitted else logs
        return frozenset(covered) if logs.size and float(np.sum(logs)) <= np.log(chance) else NONE

    def _is_right(self, position: int, source: int, value: Array) -> bool:
        right = self.right_of(position, source)
        return bool((np.abs(value - right) <= self._limit(position, source, value)).all())

    def _singles(self, position: int, source: int, effect: Array) -> Array:
        """For each element that is evidence the logarithm of the chance that it is hit by accident."""
        limit = self._limit(position, source, self.right_of(position, source) + effect)
        gap = np.abs(self.gap(position, source))
        at = gap > 2 * limit
        pairs = np.stack([self._found(position, source)[at], self.right_of(position, source)[at]])
        _, first = np.unique(pairs, axis=1, return_index=True)
        with np.errstate(divide="ignore"):
            return np.log(np.maximum(limit[at] / gap[at], 1e-300)[first])

    def glimpsed(self, directions: Sequence[Sequence[Array]]) -> tuple[Array, Array]:
        """The products of what is too much with some directions, under the last set of cotangents, and their noise.

        `[source, direction]`; what is known of no source says nothing, so its noise is infinite.
        """
        last = self.sets - 1
        shape = (len(self.sources), len(directions[0]))
        seen, noise = np.zeros(shape), np.full(shape, np.inf)
        for source in self.usable:
            gap = self.gap(last, source)
            limit = self._limit(last, source, np.abs(self._found(last, source)) + np.abs(self.right_of(last, source)))
            seen[source] = products([directions[source]], [gap])[0]
            noise[source] = [4 * float(np.sum(np.abs(each) * limit)) for each in directions[source]]
        return seen, noise


def _is_that(found: Array | None, right: Array | None, limit: Array | None) -> bool:
    """Whether a gradient is another one, which is not zero."""
    if found is None or right is None or limit is None or found.shape != right.shape or not np.any(right):
        return False
    return bool((np.abs(widened(found) - widened(right)) <= FINER * limit).all())
