"""One wrong gradient laid out for inspection: numbers in wide types, how far rounding reaches, what matches what."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import ml_dtypes
import numpy as np

from gradcheck.dtypes import Array, DType, is_complex, is_differentiable, real_of
from gradcheck.ops.declaration import Op
from gradcheck.verdict.slips.replay import Replay

LIKELY = 1e-3
"""The chance of a coincidence that is accepted for a slip that everybody makes: a sign, a factor 2."""
USUAL = 1e-5
"""The same for what is tried once or twice in a hunt: a transpose, an operand exchanged."""
FAR = 1e-8
"""The same where many things are tried or a number is fitted: the gradient of another operation, any factor."""

FINER = 2.0
"""Rounding may differ by this factor from what is allowed, since both sides of a match are rounded."""
ULPS = 4.0
FINEST_GRAIN = 8
MOST_LOOKED_AT = 64
"""How many elements are tried before a guess is computed or compared as a whole."""


@dataclass(frozen=True, eq=False)
class Wrong:
    """One wrong gradient of one operation: what went in, what came out, what should have."""

    op: Op
    attributes: Mapping[str, Any]
    inputs: tuple[Array, ...]
    """The operands, flattened in the order of `Instruction.inputs`."""
    outputs: tuple[Array, ...]
    cotangents: tuple[Array, ...]
    """What came in, one for each output; zeros where nothing did."""
    argument: int
    """The position in `inputs` of the operand whose gradient it is."""
    found: Array | None
    """The subject's gradient; its shape and dtype may be wrong too."""
    right: Array | None
    """The reference's."""
    rights: tuple[Array | None, ...]
    """The reference's gradients for all inputs."""
    allowed: Array | None
    """The difference that rounding explains, for each element of `right`."""


@dataclass(frozen=True)
class Slip:
    """A usual mistake that explains a wrong gradient."""

    kind: str
    """Which one, for programs: `sign`, `full-transpose`; it stays the same from version to version."""
    sentence: str
    """The end of a sentence that begins "the gradient of `tf.matmul` with respect to its first argument"."""


@dataclass(frozen=True, eq=False)
class Guess:
    """A slip and the gradient that it would give, to be held against the one that was found."""

    kind: str
    sentence: str
    value: Any
    slack: Any = 0.0
    """How far rounding moves `value` itself, per element, beyond what is allowed in `right`."""
    chance: float = USUAL
    """The largest chance of a coincidence at which the guess is believed."""
    fitted: bool = False
    """One number in `value` was read from what was found, so one element proves nothing."""


Guesses = Iterator[Guess | Slip]


class Scene:
    """What suspects look at. `found` and `right` have one shape here and are float64 or complex128."""

    def __init__(self, wrong: Wrong, found: Array, right: Array) -> None:
        self.wrong = wrong
        self.dtype = right.dtype
        self.found = widened(found)
        self.right = widened(right)
        self.inputs, self.outputs, self.cotangents = (
            tuple(widened(each) if is_differentiable(each.dtype) else each for each in arrays)
            for arrays in (wrong.inputs, wrong.outputs, wrong.cotangents)
        )
        self.operand = self.inputs[wrong.argument]
        self.allowed = reach(right, wrong.allowed)
        self.complex = is_complex(right.dtype)

    @cached_property
    def relative(self) -> float:
        """The rounding of a typical element, as a share of it."""
        share = self.allowed / np.abs(self.right)
        known = share[np.isfinite(share)]
        return min(float(np.median(known)), 0.05) if known.size else ULPS * unit(self.dtype)

    @cached_property
    def usual(self) -> float:
        """The rounding of a typical element: what one that nearly cancels may have inherited from its terms."""
        known = self.allowed[np.isfinite(self.allowed)]
        return float(np.median(known)) if known.size else 0.0

    @cached_property
    def grain(self) -> float:
        """The step of the lattice that all numbers lie on, small integers for example; 0 if they lie anywhere."""
        together = np.concatenate([self.found.ravel(), self.right.ravel()])
        for parts in (1, 2, 4, FINEST_GRAIN):
            if np.array_equal(np.rint(together * parts), together * parts):
                return 1.0 / parts
        return 0.0

    @cached_property
    def gap(self) -> Array:
        """How far the found gradient is from the right one, 0 where both are infinite alike or not a number."""
        apart = np.abs(self.found - self.right)
        return np.where(same_special(self.found, self.right), 0.0, apart)

    @cached_property
    def wrong_at(self) -> Array:
        """The elements that rounding does not explain."""
        return ~(self.gap <= self.tolerance(self.right, 0.0))

    @cached_property
    def some(self) -> Array:
        """The positions, counted along all axes, of a few of the wrong elements."""
        return np.flatnonzero(self.wrong_at)[:MOST_LOOKED_AT]

    def tolerance(self, value: Array, slack: Any) -> Array:
        """How far `value` may be from what was found and still be the same number, for each element."""
        size = np.where(np.isfinite(value), np.abs(value), 0.0)
        spread = np.maximum(np.maximum(self.allowed, self.relative * size), slack)
        reached: Array = FINER * spread + ULPS * unit(self.dtype) * size
        return reached

    def believes(self, guess: Guess) -> bool:
        """Whether a guess gives what was found, at every element, and not by coincidence."""
        value = np.asarray(guess.value)
        if value.shape != self.found.shape or not self._near_at_some(value, guess.slack):
            return False
        return self.chance(guess, widened(value)) <= guess.chance

    def _near_at_some(self, value: Array, slack: Any) -> bool:
        """Whether a guess gives a few of the wrong elements: almost none does, and the rest need not be looked at."""
        at = self.some
        size = np.abs(widened(value.ravel()[at]))
        spread = np.maximum(self.allowed.ravel()[at], np.broadcast_to(slack, value.shape).ravel()[at])
        limit = FINER * np.maximum(spread, self.relative * size) + ULPS * unit(self.dtype) * size
        apart = np.abs(self.found.ravel()[at] - value.ravel()[at])
        return not (apart > limit).any()  # what is not a number is left to the whole comparison

    def chance(self, guess: Guess, value: Array) -> float:
        """The chance that an unrelated number lies as near to what was found, at every element that is evidence.

        An element is evidence if rounding does not take what was found for the right answer; equal pairs count once.
        1 if the guess is wrong anywhere.
        """
        limit = self.tolerance(value, guess.slack)
        near = (np.abs(self.found - value) <= limit) | same_special(self.found, value)
        if not near.all():
            return 1.0
        evidence = np.isfinite(self.gap) & (self.gap > 2 * limit)
        if not evidence.any():
            return 1.0
        pairs = np.stack([self.found[evidence], self.right[evidence]])
        _, first = np.unique(pairs, axis=1, return_index=True)
        least = self.grain if guess.chance <= FAR else 0.0
        single = np.sort(np.minimum(1.0, np.maximum(limit[evidence], least)[first] / self.gap[evidence][first]))
        return float(np.prod(single[1:] if guess.fitted else single)) if single.size > guess.fitted else 1.0

    @cached_property
    def replay(self) -> Replay | None:
        """The operation's gradient as a function of its operands and cotangents; None if it cannot be had."""
        wrong = self.wrong
        if self.right.size > 2**16 or any(each.size > 2**16 for each in self.outputs):
            return None
        replay = Replay(wrong.op, wrong.attributes, self.inputs, self.outputs, wrong.argument)
        return replay.trust(self.cotangents, self.is_right)

    def is_right(self, value: Array, slack: Any = 0.0) -> bool:
        """Whether `value` is the right gradient: the only reason to trust a way of computing it with other numbers."""
        if value.shape != self.right.shape:
            return False
        limit = self.tolerance(self.right, np.maximum(self.usual, slack))
        return bool(((np.abs(value - self.right) <= limit) | same_special(value, self.right)).all())

    def again(
        self,
        cotangents: Sequence[Array] | None = None,
        inputs: Sequence[Array] | None = None,
        attributes: Mapping[str, Any] | None = None,
    ) -> "tuple[Array, Any] | None":
        """The gradient for other cotangents, operands or attributes, with its slack; None if it cannot be had."""
        if self.replay is None:
            return None
        result = self.replay(self.cotangents if cotangents is None else cotangents, inputs, attributes)
        return None if result is None else (result[0], result[1] + self.usual)


def widened(array: Array) -> Array:
    """`array` in float64 or complex128."""
    return np.asarray(array).astype(np.complex128 if np.asarray(array).dtype.kind == "c" else np.float64)


def unit(dtype: DType) -> float:
    """The unit round-off of a dtype: half the step from 1 to the next number."""
    if not is_differentiable(dtype):
        return 0.0
    epsilon: Any = ml_dtypes.finfo(real_of(dtype)).eps  # type: ignore[no-untyped-call]
    return float(epsilon) / 2


def same_special(left: Array, right: Array) -> Array:
    """Where two arrays of one shape are both not a number, or the same infinity."""
    if left.shape != right.shape:
        return np.asarray(False)
    same: Array = (np.isnan(left) & np.isnan(right)) | (np.isinf(left) & (left == right))
    return same


def reach(right: Array, allowed: Array | None) -> Array:
    """The difference that rounding explains at each element of `right`; a few units in the last place if not given."""
    size = np.abs(widened(right))
    limits = 2 * ULPS * unit(right.dtype) * np.where(np.isfinite(size), size, 0.0)
    if allowed is not None and np.shape(allowed) == right.shape:
        limits = np.asarray(allowed).astype(np.float64)
    return np.where(np.isnan(limits), np.inf, limits)


def unbroadcast(full: Array, shape: tuple[int, ...]) -> Array | None:
    """`full` summed over the axes along which something of `shape` was repeated; None if it does not fit."""
    axes = repeated_axes(full.shape, shape)
    return None if axes is None else full.sum(axes).reshape(shape)


def repeated_axes(full: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int, ...] | None:
    """The axes of `full` along which something of `shape` is repeated when it broadcasts; None if it does not."""
    extra = len(full) - len(shape)
    if extra < 0 or any(size not in (1, full[extra + axis]) for axis, size in enumerate(shape)):
        return None
    axes = (*range(extra), *(extra + axis for axis, size in enumerate(shape) if size == 1 != full[extra + axis]))
    return axes if prod(shape) else None


def ordinal(position: int) -> str:
    """`first` for 0, up to `tenth`; then a number."""
    words = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
    return words[position] if position < len(words) else f"{position + 1}th"


def axes_text(axes: Sequence[int]) -> str:
    """`axis 0`, `axes 0 and 2`."""
    *most, last = map(str, axes)
    return f"axes {', '.join(most)} and {last}" if most else f"axis {last}"
