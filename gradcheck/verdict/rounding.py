"""How far two correct answers may lie apart: the error that rounding explains, element by element.

The gradient program is run in a wider precision, once as it is and then several times with every result moved by as
much as one rounding of the case's dtype may move it. What the outputs make of these small moves is what rounding can
make of them: errors are carried through the program by the program itself, with their cancellations and
amplifications, and no bound is propagated by hand. This is Monte Carlo arithmetic (Parker 1997) with random signs; the
size of each move is declared on the operation (`Op.rounding`).
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from gradcheck.dtypes import BFLOAT16, FLOAT16, FLOAT32, NARROW, Array, DType, is_complex, is_float, real_of
from gradcheck.engine.wide import WideExecutable, wider_than
from gradcheck.program import Instruction, Program, TensorType

RUNS = 8
"""Moved runs. An element that depends on one rounding alone is moved in each of them, by half of it at least."""
STEPS = (1, 2, 4, RUNS)
"""After how many of them it is asked whether the bound suffices already."""
SAFETY = 12.0
"""How many times the largest move that was seen is allowed.

Two engines round independently, some of TensorFlow's functions err by a few units in the last place, and the largest of
eight draws may be a fraction of the worst. Calibrated by `scripts/calibrate.py`.
"""
NARROW_SAFETY = 6.0
"""The same for 16-bit floats, whose functions are computed in float32 and so err by half a unit in the last place."""
SEED = 20_260_102


@cache
def unit_roundoff(dtype: DType) -> float:
    """Half the distance from 1 to the next number of a floating or complex dtype."""
    return {FLOAT16: 2.0**-11, BFLOAT16: 2.0**-8, FLOAT32: 2.0**-24}.get(real_of(dtype), 2.0**-53)


@cache
def smallest(dtype: DType) -> float:
    """The size below which results may be lost: the smallest normal number, as TensorFlow flushes what is below it.

    In float16 subnormal numbers are kept, because it is computed in float32.
    """
    return {FLOAT16: 2.0**-24, BFLOAT16: 2.0**-126, FLOAT32: 2.0**-126}.get(real_of(dtype), 2.0**-1022)


Bounds = list[Array | None]
"""For each output of a program the difference that rounding explains, in its shape, as float64.

Zero for integers and booleans, None for an output that is not connected.
"""


def bounds(program: Program, inputs: Mapping[str, Array]) -> Bounds:
    """What rounding explains of the outputs of `program`, by all of the `RUNS`."""
    *_, last = rising(program, inputs)
    return last


def rising(program: Program, inputs: Mapping[str, Array]) -> Iterator[Bounds]:
    """What the first moved run shows that rounding explains, then what two show, four and so on up to all `RUNS`.

    No bound is ever below an earlier one: what lies within the first needs no second.
    """
    reals = [real_of(type_.dtype) for type_ in program.types if is_float(real_of(type_.dtype))]
    wide = WideExecutable(program, wider_than(max(reals, key=_width, default=FLOAT32)))
    exact = wide.run(inputs)
    moves: list[Any] = [None if each is None else np.zeros(each.shape) for each in exact]
    types = [None if index is None else program.types[index] for index in program.outputs]
    for run in range(RUNS):
        moved = wide.run(inputs, _Mover(wide, np.random.default_rng([SEED, run])))
        for position, (one, other) in enumerate(zip(exact, moved, strict=True)):
            if one is not None and other is not None:
                moves[position] = np.maximum(moves[position], _distance(one, other))
        if run + 1 in STEPS:
            yield [
                None if type_ is None or one is None else _allowed(one, move, type_)
                for one, move, type_ in zip(exact, moves, types, strict=True)
            ]


def _width(dtype: DType) -> float:
    return -unit_roundoff(dtype)


def _distance(one: Array, other: Array) -> Array:
    if one.dtype.kind not in "fc":
        return np.zeros(one.shape)
    with np.errstate(all="ignore"):
        apart = np.abs(one - other)
        return np.where(np.isfinite(apart), apart, 0.0).astype(np.float64)


def _allowed(exact: Array, move: Array, type_: TensorType) -> Array:
    if not (is_float(type_.dtype) or is_complex(type_.dtype)):
        return np.zeros(type_.shape)
    with np.errstate(all="ignore"):
        return np.asarray((NARROW_SAFETY if type_.dtype in NARROW else SAFETY) * move + floor(exact, type_.dtype))


def floor(value: Array, dtype: DType) -> Array:
    """By how much two numbers of `dtype` that both stand for `value` may differ, whatever they come from.

    Four units of round-off, and what is lost below the smallest normal number.
    """
    with np.errstate(all="ignore"):
        size = np.abs(value).astype(np.float64)
        return 4 * unit_roundoff(dtype) * np.where(np.isfinite(size), size, 0.0) + 4 * smallest(dtype)


class _Mover:
    """Moves the results of each instruction by what its rounding may be."""

    def __init__(self, wide: WideExecutable, rng: np.random.Generator) -> None:
        self._wide = wide
        self._rng = rng

    def __call__(self, instruction: Instruction, operands: tuple[Array, ...], results: list[Array]) -> list[Array]:
        op = instruction.op
        types = [self._wide.program.types[index] for index in instruction.outputs]
        given = [self._wide.program.types[index].dtype for index in instruction.inputs]
        if op.moves and not _narrows(given, types):
            return results
        if not any(is_float(real_of(each.dtype)) for each in types):
            return results  # a comparison or a position is exact; its operands have been moved where they were made
        if op.rounding in ("conditioned", "backward") and not op.moves:
            results = self._conditioned(instruction, operands, given, results)
        return [
            self._rounded(instruction, operands, result, type_.dtype)
            for result, type_ in zip(results, types, strict=True)
        ]

    def _conditioned(
        self, instruction: Instruction, operands: tuple[Array, ...], dtypes: Sequence[DType], results: list[Array]
    ) -> list[Array]:
        """The results for operands that are off by one unit round-off of their own, where these are in the domain."""
        size = _norm if instruction.op.rounding == "backward" else np.asarray
        moved = tuple(
            each + unit_roundoff(dtype) * size(each) * self._signs(each) if each.dtype.kind in "fc" else each
            for each, dtype in zip(operands, dtypes, strict=True)
        )
        found = self._wide.results(instruction, moved)
        return [np.where(np.isfinite(new), new, old) for new, old in zip(found, results, strict=True)]

    def _rounded(self, instruction: Instruction, operands: tuple[Array, ...], result: Array, dtype: DType) -> Array:
        if result.dtype.kind not in "fc":
            return result
        unit = unit_roundoff(dtype)
        size = unit * np.abs(result)
        rounding = instruction.op.rounding
        if callable(rounding):
            sums = unit_roundoff(FLOAT32) if dtype in NARROW and not instruction.op.narrow_sums else unit
            size = size + sums * rounding(*operands, **self._wide.attributes(instruction))
        moved: Array = result + (size + smallest(dtype)) * self._signs(result)
        if rounding == "correct":  # what the dtype can hold is not rounded: 3 - 1 is 2
            with np.errstate(all="ignore"):
                return np.where(result.astype(dtype).astype(result.dtype) == result, result, moved)
        return moved

    def _signs(self, like: Array) -> Array:
        """Numbers of both signs and of a size between a half and one; for complex numbers in both parts."""
        drawn = self._drawn(like.shape)
        signs: Array = drawn + 1j * self._drawn(like.shape) if like.dtype.kind == "c" else drawn
        return signs

    def _drawn(self, shape: tuple[int, ...]) -> Array:
        drawn = self._rng.uniform(-0.5, 0.5, shape)
        moved: Array = drawn + np.copysign(0.5, drawn)
        return moved


def _norm(matrices: Array) -> Array:
    """Frobenius' norm of each matrix times its longer side for each of its elements; 0 for those that are 0.

    Zeros are a structure that decompositions keep, and signs may jump beside it.
    """
    norm = max(matrices.shape[-2:]) * np.sqrt(np.sum(np.abs(matrices) ** 2, axis=(-2, -1), keepdims=True))
    return np.where(matrices == 0, 0, norm)


def _narrows(given: Sequence[DType], types: Sequence[TensorType]) -> bool:
    """Whether an operation that moves elements rounds them all the same: a cast to a narrower dtype."""
    units = [unit_roundoff(dtype) for dtype in given if is_float(real_of(dtype))]
    return bool(units) and any(
        unit_roundoff(type_.dtype) > min(units) for type_ in types if is_float(real_of(type_.dtype))
    )
