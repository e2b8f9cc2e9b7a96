"""An operation's gradient computed anew, for other operands or cotangents than those that a run had."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from gradcheck.dtypes import Array, is_differentiable
from gradcheck.engine.differentiate import gradient
from gradcheck.engine.evaluate import evaluate
from gradcheck.ops.declaration import Op
from gradcheck.program import Instruction, Operand, Program, TensorType

Result = tuple[Array, Any]
"""A gradient, and how far each of its elements may be off."""
Pullback = Callable[[Sequence[Array]], Result]
"""From one cotangent per output to the gradient of one operand."""
Method = Callable[[Op, Mapping[str, Any], Sequence[Array], Sequence[Array], int], Pullback]

MOST_DIFFERENCES = 128
"""An operand with more elements is not differentiated by differences: that takes eight runs for each."""
STEP = 4e-3
WEIGHTS = (4 / 5, -1 / 5, 4 / 105, -1 / 280)
"""Central differences of eighth order, with steps 1, 2, 3 and 4."""


class Replay:
    """The gradient of one operation with respect to one operand, in float64 or complex128.

    Either the operation's own rule computes it or differences of its forward do. A rule may be the very one that is at
    fault, so a method is used only if it gives the right gradient where that is known.
    """

    def __init__(
        self, op: Op, attributes: Mapping[str, Any], inputs: Sequence[Array], outputs: Sequence[Array], argument: int
    ) -> None:
        self._op, self._attributes, self._inputs, self._outputs = op, attributes, inputs, outputs
        self._argument = argument
        self._method: Method = by_rule
        self._pullback: Pullback | None = None

    def trust(self, cotangents: Sequence[Array], trusted: Callable[[Array, Any], bool]) -> Replay | None:
        """This replay, by the first method whose gradient for `cotangents` is `trusted`; None if there is none."""
        for self._method in (by_rule, by_differences):
            try:
                self._pullback = self._method(self._op, self._attributes, self._inputs, self._outputs, self._argument)
                if trusted(*self._pullback(cotangents)):
                    return self
            except Exception:  # anyone's operation, on any operands: what fails is not used
                continue
        return None

    def __call__(
        self,
        cotangents: Sequence[Array],
        inputs: Sequence[Array] | None = None,
        attributes: Mapping[str, Any] | None = None,
    ) -> Result | None:
        """The gradient for these cotangents, and for other operands or attributes if given; None if it fails."""
        try:
            pullback = self._pullback
            if pullback is None or inputs is not None or attributes is not None:
                attributes = self._attributes if attributes is None else attributes
                inputs = self._inputs if inputs is None else inputs
                pullback = self._method(self._op, attributes, inputs, self._outputs, self._argument)
            return pullback(cotangents)
        except Exception:  # see `trust`
            return None


def by_rule(
    op: Op, attributes: Mapping[str, Any], inputs: Sequence[Array], outputs: Sequence[Array], argument: int
) -> Pullback:
    """By the rule that the table of operations has."""
    program, values = program_of(op, attributes, inputs, outputs)
    name = f"x{argument}"
    written = gradient(program, [name])
    expected = [each.shape for each in outputs]

    def pullback(cotangents: Sequence[Array]) -> Result:
        given = {
            each: _typed(cotangent, program.types[index])
            for each, cotangent, index in zip(written.cotangents, cotangents, program.outputs, strict=True)
            if each is not None and index is not None
        }
        *forward, found = evaluate(written.program, {**values, **given})
        if found is None or [each.shape for each in forward if each is not None] != expected:
            raise ValueError("another shape than in the run, or not connected")
        return found, 0.0

    return pullback


def by_differences(
    op: Op, attributes: Mapping[str, Any], inputs: Sequence[Array], outputs: Sequence[Array], argument: int
) -> Pullback:
    """By differences of the forward, for a small operand: every column of the Jacobian is computed once."""
    program, values = program_of(op, attributes, inputs, outputs)
    name = f"x{argument}"
    operand = values[name]
    if operand.size > MOST_DIFFERENCES:
        raise ValueError("too many elements")
    expected = [each.shape for each in outputs]

    def moved(at: tuple[int, ...], distance: complex) -> list[Array]:
        array = operand.copy()
        array[at] += distance
        results = [each for each in evaluate(program, {**values, name: array}) if each is not None]
        if [each.shape for each in results] != expected:
            raise ValueError("another shape than in the run")
        return results

    def column(at: tuple[int, ...], direction: complex) -> list[Array]:
        total = [np.zeros(shape) for shape in expected]
        for steps, weight in enumerate(WEIGHTS, 1):
            ahead, behind = moved(at, steps * STEP * direction), moved(at, -steps * STEP * direction)
            total = [
                sum_ + weight / STEP * (a - b) if a.dtype.kind in "fc" else sum_
                for sum_, a, b in zip(total, ahead, behind, strict=True)
            ]
        return total

    directions: list[complex] = [1.0, 1j] if operand.dtype.kind == "c" else [1.0]
    places = list(np.ndindex(operand.shape))
    columns = [[column(at, direction) for direction in directions] for at in places]
    values_now = [each for each in evaluate(program, values) if each is not None]

    def pullback(cotangents: Sequence[Array]) -> Result:
        found, slack = np.zeros_like(operand), np.zeros(operand.shape)
        noise = 1e-12 * sum(float(np.sum(np.abs(g) * np.abs(y))) for g, y in zip(cotangents, values_now, strict=True))
        for at, parts in zip(places, columns, strict=True):
            for direction, part in zip(directions, parts, strict=True):
                pairs = list(zip(cotangents, part, strict=True))
                found[at] += direction * sum(float(np.sum(np.conj(g) * slope).real) for g, slope in pairs)
                slack[at] += 1e-9 * sum(float(np.sum(np.abs(g) * np.abs(slope))) for g, slope in pairs) + noise
        return found, slack

    return pullback


def program_of(
    op: Op, attributes: Mapping[str, Any], inputs: Sequence[Array], outputs: Sequence[Array]
) -> tuple[Program, dict[str, Array]]:
    """The program of one call, and its inputs by name: `x0`, `x1` and so on.

    Operands that are not differentiable are constants of it, since they may decide a shape.
    """
    count = len(inputs)
    types = [TensorType(each.shape, each.dtype) for each in (*inputs, *outputs)]
    floating = [index for index, each in enumerate(inputs) if is_differentiable(each.dtype)]
    results = tuple(range(count, len(types)))
    instruction = Instruction(op, operands_of(op, attributes, count), attributes, results)
    program = Program(
        types=tuple(types),
        inputs={f"x{index}": index for index in floating},
        constants={index: each for index, each in enumerate(inputs) if index not in floating},
        instructions=(instruction,),
        outputs=results,
    )
    return program, {f"x{index}": inputs[index] for index in floating}


def operands_of(op: Op, attributes: Mapping[str, Any], count: int) -> tuple[tuple[str, Operand], ...]:
    """`count` operands by the parameters that they were given for; one that takes a list has what the others leave."""
    names = [name for name in op.roles if name not in attributes]
    lists = [name for name in names if op.roles[name] in ("Tensors", "Parts")]
    surplus = count - len(names) + 1
    rest = iter(range(count))
    if len(lists) > 1 or (not lists and count != len(names)):  # a rule or a forward takes them in one row all the same
        return tuple((f"operand {index}", index) for index in rest)
    return tuple((name, tuple(next(rest) for _ in range(surplus)) if name in lists else next(rest)) for name in names)


def _typed(array: Array, type_: TensorType) -> Array:
    if array.shape != type_.shape:
        raise ValueError("a cotangent of another shape")
    return array.astype(type_.dtype)
