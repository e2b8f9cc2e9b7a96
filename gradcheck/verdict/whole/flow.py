"""A whole program as the linear map that its backward pass is: from a change at one place to the sources' gradients.

What an operation hands back to one of its operands travels on to the sources by sums and by the rules of what lies
before it, so a wrong contribution moves the gradients by the image of what is wrong in it. Everything is computed in
float64 or complex128, by our own rules.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from gradcheck.dtypes import FLOAT64, Array
from gradcheck.engine.differentiate import Gradient, gradient
from gradcheck.engine.wide import WideExecutable
from gradcheck.engines import Request
from gradcheck.program import Instruction, Program, Shape

Change = tuple[Array, ...]
"""Something to be added at one place of the backward pass, one array for each set of cotangents of the request."""
Effect = tuple[tuple[Array, ...], ...]
"""What it adds to the gradients: for each set of cotangents one array for each source."""

DIRECTIONS = 2
"""Along how many random directions a change is tried before its effect is computed."""
SEED = 20_260_104


@dataclass(frozen=True, eq=False)
class Edge:
    """What one operation hands back to one of its operands, right."""

    instruction: Instruction
    argument: int
    """The position of the operand among the instruction's inputs."""
    value: int
    """The operand's index in the program."""
    contributions: Change
    """In the operand's shape."""
    incoming: tuple[tuple[Array, ...], ...]
    """For each set of cotangents those of the instruction's outputs, zeros where nothing comes in."""


class Flow:
    """The backward pass of a request's program: every contribution, and what becomes of a change in it."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._written = gradient(request.program, request.sources, keep_trail=True)
        self.program = self._written.forward
        self.sets = len(request.cotangents)
        """How many sets of cotangents there are."""
        program, wanted = self._written.program, self._wanted(self._written)
        every = WideExecutable(replace(program, outputs=tuple(wanted)), FLOAT64)
        rows = [every.run(self._written.seeded(request.inputs, each)) for each in request.cotangents]
        self._values: list[dict[int, Array]] = [
            {index: each for index, each in zip(wanted, row, strict=True) if each is not None} for row in rows
        ]
        self.gradients: tuple[tuple[Array | None, ...], ...] = tuple(
            tuple(None if index is None else values[index] for index in program.outputs[len(self.program.outputs) :])
            for values in self._values
        )
        """The right gradients: for each set of cotangents one for each source."""

    def _wanted(self, written: Gradient) -> list[int]:
        """The indices of all values and all cotangents that the gradient program computes."""
        program = written.program
        known = {*program.inputs.values(), *program.constants}
        known.update(index for each in program.instructions for index in each.outputs)
        wanted = {index for index in (*range(len(self.program.types)), *program.outputs) if index is not None}
        for visit in written.trail.visits:
            wanted.update(each.key for each in (*visit.cotangents, *visit.parts) if each is not None)
        return sorted(wanted & known)

    @cached_property
    def under_ones(self) -> tuple[Array | None, ...]:
        """The right gradients where every cotangent is ones."""
        targets = len(self._written.cotangents)
        outputs = self._written.program.outputs[targets:]
        run = WideExecutable(replace(self._written.program, outputs=outputs).pruned(), FLOAT64)
        return tuple(run.run(self._written.seeded(self._request.inputs, (None,) * targets)))

    @property
    def shapes(self) -> list[Shape]:
        """The shapes of the inputs and the targets."""
        indices = (*self.program.inputs.values(), *self.program.outputs)
        return [self.program.types[index].shape for index in indices if index is not None]

    def value(self, index: int) -> Array | None:
        """The value of that index in the program; None if no gradient needs it."""
        return self._values[0].get(index)

    @cached_property
    def edges(self) -> list[Edge]:
        """Every contribution that a gradient needs, from the targets to the sources."""
        makers = {each.outputs: each for each in self.program.instructions}
        found: list[Edge] = []
        for visit in self._written.trail.visits:
            instruction = makers[tuple(each.key for each in visit.record.outputs)]
            incoming = tuple(
                tuple(
                    np.zeros(out.shape) if given is None else values.get(given.key, np.zeros(out.shape))
                    for out, given in zip(visit.record.outputs, visit.cotangents, strict=True)
                )
                for values in self._values
            )
            for argument, part in enumerate(visit.parts):
                if part is not None and all(part.key in values for values in self._values):
                    contributions = tuple(values[part.key] for values in self._values)
                    found.append(Edge(instruction, argument, instruction.inputs[argument], contributions, incoming))
        return found

    @cached_property
    def _places(self) -> tuple[int, ...]:
        """The values at which a change is possible."""
        return tuple(dict.fromkeys(each.value for each in self.edges))

    @cached_property
    def _pullback(self) -> tuple[Program, dict[int, str]]:
        """The program that gives the sources' gradients for a cotangent at any place, and the names of these."""
        written = gradient(replace(self.program, outputs=self._places), self._request.sources)
        names = {index: name for index, name in zip(self._places, written.cotangents, strict=True) if name is not None}
        outputs = written.program.outputs[len(self._places) :]
        return replace(written.program, outputs=outputs).pruned(), names

    @cached_property
    def _run_pullback(self) -> WideExecutable:
        return WideExecutable(self._pullback[0], FLOAT64)

    def _inputs(self, changes: Mapping[int, Array]) -> dict[str, Array]:
        """The inputs of the pullback: zeros at all places but those that change."""
        program, names = self._pullback
        given = dict(self._request.inputs)
        for index, name in names.items():
            type_ = program.types[program.inputs[name]]
            given[name] = changes.get(index, np.zeros(type_.shape, type_.dtype))
        return given

    def effect(self, place: int, change: Change) -> Effect:
        """What `change` at the value `place` adds to the gradients."""
        rows = [self._run_pullback.run(self._inputs({place: each})) for each in change]
        inputs = [self._request.inputs[name] for name in self._request.sources]
        return tuple(
            tuple(np.zeros(given.shape) if each is None else each for each, given in zip(row, inputs, strict=True))
            for row in rows
        )

    @cached_property
    def directions(self) -> list[list[Array]]:
        """For each source some random arrays of its shape."""
        rng = np.random.default_rng(SEED)
        inputs = [self._request.inputs[name] for name in self._request.sources]
        return [[_like(each, rng.standard_normal((2, *each.shape))) for _ in range(DIRECTIONS)] for each in inputs]

    @cached_property
    def _shadows(self) -> list[list[dict[int, Array]]]:
        """For each source and direction, at every place the array whose product with a change there is the product of
        the direction with the change's effect: the transpose of the pullback, which is a derivative forwards.
        """
        program, names = self._pullback
        connected = [index for index in program.outputs if index is not None]
        transposed = gradient(replace(program, outputs=tuple(connected)), tuple(names.values()))
        outputs = transposed.program.outputs[len(connected) :]
        run = WideExecutable(replace(transposed.program, outputs=outputs).pruned(), FLOAT64)
        pairs = zip(connected, transposed.cotangents, strict=True)
        seeds = {index: name for index, name in pairs if name is not None}
        zeros = self._inputs({})
        for index, name in seeds.items():
            zeros[name] = np.zeros(program.types[index].shape, program.types[index].dtype)
        found: list[list[dict[int, Array]]] = []
        for directions, output in zip(self.directions, program.outputs, strict=True):
            given = [] if output is None else [{**zeros, seeds[output]: each} for each in directions]
            results = [zip(names, run.run(each), strict=True) for each in given]
            found.append([{place: each for place, each in row if each is not None} for row in results])
        return found

    def glimpse(self, place: int, change: Array) -> Array:
        """The products of a change's effect with the directions, `[source, direction]`, without computing the effect.

        It costs no more than two products of arrays for each source.
        """
        seen = np.zeros((len(self._request.sources), DIRECTIONS))
        for source, rows in enumerate(self._shadows):
            for position, row in enumerate(rows):
                if place in row:
                    seen[source, position] = product(row[place], change)
        return seen


def product(one: Array, other: Array) -> float:
    """The inner product of two arrays as vectors of real numbers."""
    return float(np.sum(np.conj(one) * other).real)


def products(directions: Sequence[Sequence[Array]], gradients: Sequence[Array]) -> Array:
    """The products of gradients with directions, `[source, direction]`."""
    rows = zip(directions, gradients, strict=True)
    return np.array([[product(each, array) for each in row] for row, array in rows]).reshape(-1, DIRECTIONS)


def _like(array: Array, drawn: Array) -> Array:
    """Two real arrays as one of the kind of `array`."""
    mixed: Array = drawn[0] + 1j * drawn[1] if array.dtype.kind == "c" else drawn[0]
    return mixed
