"""A wrong output of a whole program: which part of the expression it is, or what was done to the right one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gradcheck.dtypes import FLOAT64, Array, is_differentiable
from gradcheck.engine.expand import expand
from gradcheck.engine.wide import WideExecutable
from gradcheck.engines import Request
from gradcheck.program import Instruction, Program
from gradcheck.verdict.record import COUNTS_AS, Comparison, Status
from gradcheck.verdict.slips import values
from gradcheck.verdict.slips.scene import Guess, Scene, Wrong, unit, widened
from gradcheck.verdict.whole.hypothesis import Names

CHANGES = (values.sign, values.factors, values.complex_parts, values.moved, values.any_factor, values.any_addend)
"""The slips that show in the numbers of an output alone."""
CHANCE = 1e-4
"""The chance of a coincidence that is accepted for a part of the expression: a loss is a single number."""
CLOSE = 1e3
"""How many units of roundoff, at the largest element, part two values of a shape for which no bound is known."""


@dataclass(frozen=True, eq=False)
class WrongOutput:
    """One wrong output, in words; `instruction` is the first operation that is missing, where one is."""

    comparison: Comparison
    sentence: str
    slip: str | None
    instruction: Instruction | None = None


def wrong_outputs(
    request: Request, outputs: Sequence[Comparison], limits: Sequence[Array | None], names: Names
) -> Iterator[WrongOutput]:
    """What is to be said of every output that differs."""
    for target, (each, limit) in enumerate(zip(outputs, limits, strict=True)):
        if COUNTS_AS[each.verdict] is Status.FAILED and each.left is not None and each.right is not None:
            yield _Output(request, each, limit, target, names).explained()


class _Output:
    def __init__(
        self, request: Request, comparison: Comparison, limit: Array | None, target: int, names: Names
    ) -> None:
        self._request, self._comparison, self._names = request, comparison, names
        self._target = target
        self._program = expand(request.program)
        assert comparison.left is not None
        assert comparison.right is not None
        self._left, self._right, self._limit = comparison.left, comparison.right, limit
        which = "output" if comparison.variable == "output" else f"`{comparison.variable}`"
        self._beginning = f"its {which}" if which == "output" else which

    def explained(self) -> WrongOutput:
        with np.errstate(all="ignore"):
            found = next(self._stopped_early(), None) or next(self._without(), None) or next(self._changed(), None)
        if found is not None:
            return found
        if self._left.shape != self._right.shape:
            sentence = f"{self._beginning} has shape {list(self._left.shape)}, not {list(self._right.shape)}"
            return WrongOutput(self._comparison, sentence, "shape")
        return WrongOutput(self._comparison, f"{self._beginning} is wrong; no usual slip explains it", None)

    def _stopped_early(self) -> Iterator[WrongOutput]:
        """The value of a part of the expression."""
        for index, value in self._values().items():
            if value.shape == self._left.shape and self._is(value):
                readers = [each for each in self._program.instructions if index in each.inputs]
                for reader in readers[:1]:
                    missing = f"{self._names.operation(reader)} and what comes after it are missing"
                    if set(reader.outputs) & {index for index in self._program.outputs if index is not None}:
                        missing = f"{self._names.operation(reader)} is missing"
                    sentence = f"{self._beginning} is {self._names.value(index)}: {missing}"
                    yield WrongOutput(self._comparison, sentence, "stops-early", reader)

    def _values(self) -> dict[int, Array]:
        """All values that are computed or given, in the order of the program."""
        inputs = self._program.inputs.values()
        indices = [*inputs, *(index for each in self._program.instructions for index in each.outputs)]
        floating = [index for index in indices if is_differentiable(self._program.types[index].dtype)]
        program: Program = replace(self._program, outputs=tuple(floating))
        found = WideExecutable(program, FLOAT64).run(self._request.inputs)
        return {index: each for index, each in zip(floating, found, strict=True) if each is not None}

    def _without(self) -> Iterator[WrongOutput]:
        """The value of the expression with one operation left out."""
        wide = WideExecutable(self._program, FLOAT64)
        for skipped in wide.program.instructions:
            for argument, index in enumerate(skipped.inputs):
                shapes = [self._program.types[each].shape for each in (index, *skipped.outputs)]
                if len(skipped.outputs) > 1 or shapes[0] != shapes[1] or index in self._program.constants:
                    continue

                def pass_on(
                    instruction: Instruction,
                    operands: tuple[Array, ...],
                    results: list[Array],
                    at: int = argument,
                    skip: Instruction = skipped,
                ) -> list[Array]:
                    return [operands[at]] if instruction is skip else results

                found = wide.run(self._request.inputs, pass_on)[self._target]
                if found is not None and found.shape == self._left.shape and self._is(found):
                    sentence = f"{self._beginning} is what comes out without {self._names.operation(skipped)}"
                    yield WrongOutput(self._comparison, sentence, "left-out", skipped)

    def _changed(self) -> Iterator[WrongOutput]:
        """The right output with something done to all of it."""
        if self._left.shape != self._right.shape:
            if self._left.T.shape == self._right.shape and self._is(widened(self._right).T):
                yield WrongOutput(self._comparison, f"{self._beginning} is transposed", "transposed")
            return
        scene = self._scene(self._right, self._limit)
        for suspect in CHANGES:
            for guess in suspect(scene):
                if isinstance(guess, Guess) and scene.believes(guess):
                    yield WrongOutput(self._comparison, f"{self._beginning} {guess.sentence}", guess.kind)

    def _scene(self, right: Array, limit: Array | None) -> Scene:
        operation = self._program.instructions[-1].op
        given = [each for each in self._request.inputs.values() if is_differentiable(each.dtype)]
        wrong = Wrong(operation, {}, (right, *given), (right,), (), 0, self._left, right, (), limit)
        return Scene(wrong, self._left, right)

    def _is(self, value: Array) -> bool:
        """Whether what was found is `value`, and not the right output."""
        if self._left.shape == self._right.shape:
            return self._scene(self._right, self._limit).believes(Guess("value", "", value, chance=CHANCE))
        size = np.max(np.abs(value), initial=0.0)
        apart = np.max(np.abs(widened(self._left) - value), initial=0.0)
        return bool(size > 0 and apart <= CLOSE * unit(self._right.dtype) * size)
