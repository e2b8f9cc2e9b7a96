"""Running a case's program at points close to its own, and what rounding makes of such a run."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np

from gradcheck.dtypes import FLOAT64, NARROW, Array, DType, is_differentiable, is_float, real_of
from gradcheck.engine.wide import WideExecutable, wider_than
from gradcheck.engines import Request
from gradcheck.ops.math.library import narrowings
from gradcheck.program import Instruction, Program
from gradcheck.verdict.referee.ruling import Cotangents

REFUSED = (ArithmeticError, ValueError, IndexError)
"""What forwards raise for values that they refuse; `LinAlgError` is a `ValueError`."""
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
SEED = 20_260_103


class Probes(WideExecutable):
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
        self.base = targets_of(self.run(inputs, self._kept))
        if np.finfo(self.real).eps < np.finfo(FLOAT64).eps:
            self._in_float64 = self._computed_in_float64(inputs)

    def probe(self, inputs: Mapping[str, Array], live: frozenset[int]) -> list[Array]:
        """The targets at other inputs; only the values in `live` are computed, the others stay."""
        return targets_of(self._moved(inputs, live, self._hermitian))

    def downstream(self, sources: Mapping[str, Array]) -> frozenset[int]:
        """The values that change with `sources`, what is held constant not among them."""
        program = self.program
        reached = {program.inputs[name] for name in sources}
        for each in program.instructions:
            if not reached.isdisjoint(each.inputs) and not held(program, each):
                reached.update(each.outputs)
        return frozenset(reached)

    def weights(self, cotangents: Cotangents) -> list[Array | None]:
        """The cotangent of each target, wide; None for one that has no gradient. Those not connected are left out."""
        found: list[Array | None] = []
        for index, cotangent in zip(self.program.outputs, cotangents, strict=True):
            if index is None:
                continue
            type_ = self.program.types[index]
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
        moves = [size_of(each) * self.unit for each in self.base]
        for run in range(SHAKES):
            shaken = self._shake(inputs, live, run, 1.0)
            moves = [np.maximum(size, move) for size, move in zip(moves, shaken, strict=True)]
        harder = self._shake(inputs, live, SHAKES, HARDER)
        return [_rounding(*each, self.unit) for each in zip(moves, harder, self.base, strict=True)]

    def _shake(self, inputs: Mapping[str, Array], live: frozenset[int], run: int, strength: float) -> list[Array]:
        """How far the targets move when everything is moved by `strength` units round-off."""
        shake = partial(self._shaken, rng=np.random.default_rng([SEED, run]), strength=strength)
        moved = targets_of(self._moved(inputs, live, shake))
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
        """The values that come from operations which know nothing wider, as LAPACK's and the special functions do.

        At a point with all digits in use every result is seen to have those of a float64 alone; or the operation says
        so, because it makes up for some of the digits that it cannot use.
        """
        rng = np.random.default_rng(SEED)
        found: set[int] = set()

        def visit(instruction: Instruction, operands: tuple[Array, ...], results: list[Array]) -> list[Array]:
            if narrowed:
                found.update(instruction.outputs)
                narrowed.clear()
            if not instruction.op.moves and any(_uses_all_digits(each) for each in operands):
                changed = [new[new != self._values[at]] for new, at in zip(results, instruction.outputs, strict=True)]
                if any(each.size for each in changed) and not any(_uses_all_digits(each) for each in changed):
                    found.update(instruction.outputs)
            return [_nudged(each, 2.0**-40, rng) for each in results]

        nudged = {name: _nudged(each, 2.0**-40, rng) for name, each in inputs.items()}
        try:
            with narrowings() as narrowed:
                self.run(nudged, visit)
        except REFUSED:  # a point beside this one may be outside of a domain
            found.update(index for each in self.program.instructions for index in each.outputs)
        return frozenset(found)


def held(program: Program, instruction: Instruction) -> bool:
    """Whether a tape takes what the instruction gives for a constant: see `HELD`."""
    if instruction.op.name == "tf.cast":
        return is_differentiable(program.types[instruction.inputs[0]].dtype) and not is_differentiable(
            program.types[instruction.outputs[0]].dtype
        )
    return instruction.op.name in HELD


def targets_of(outputs: Sequence[Array | None]) -> list[Array]:
    return [each for each in outputs if each is not None]


def size_of(array: Array) -> Array:
    """The magnitudes in float64; 0 where they are not finite, and for what is no float."""
    if array.dtype.kind not in "fc":
        return np.zeros(array.shape)
    sizes = np.abs(array).astype(np.float64)
    return np.where(np.isfinite(sizes), sizes, 0.0)


def _move(one: Array, other: Array) -> Array:
    """The distance of each pair of elements; 0 where it is not finite, and for what is no float."""
    return size_of(one - other) if one.dtype.kind in "fc" else np.zeros(one.shape)


def _rounding(moves: Array, harder: Array, base: Array, unit: float) -> Array:
    """What rounding may do to each element of a target; infinite where no digit of it is left.

    Where rounding is that of the operations, it grows with their moves. Where it does not, although it is far larger
    than a unit, it has reached the size of the function itself: the cosine of 1e40 is any number.
    """
    saturated = (moves > 2**10 * unit * size_of(base)) & (harder < GROWN * moves)
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


def case_unit(request: Request) -> float:
    """The unit round-off of the narrowest dtype among the sources."""
    dtypes = [real_of(request.inputs[name].dtype) for name in request.sources]
    units = {True: 2.0**-8, False: 2.0**-11}
    sizes = [
        units[dtype.name == "bfloat16"] if dtype in NARROW else float(np.finfo(dtype).eps) / 2
        for dtype in dtypes
        if is_float(dtype)
    ]
    return max(sizes, default=2.0**-53)


def goal_of(real: DType, request: Request) -> float:
    unit = float(np.finfo(real).eps) / 2
    return min(1e-11, max(64 * unit, 1e-3 * case_unit(request)))
