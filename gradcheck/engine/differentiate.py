"""The gradient of a program, as a program."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from gradcheck.dtypes import Array, is_differentiable
from gradcheck.engine.expand import expand
from gradcheck.engine.reverse import Record, Trail, walk
from gradcheck.program import Program
from gradcheck.tensors import Builder, Tensor, building

COTANGENT = "cotangent"
"""The input of a gradient program that carries its target's cotangent; with several targets `cotangent_0` and so on.

Each further time that a program is differentiated adds a prime: `cotangent'`.
"""


class Gradient(NamedTuple):
    """A gradient program, and what the walk did while it was written."""

    program: Program
    cotangents: tuple[str | None, ...]
    trail: Trail
    forward: Program
    """The expanded program whose instructions the trail's records are."""
    complete: Program
    """`program` with what none of its outputs needs, such as contributions that lead nowhere."""

    def seeded(self, inputs: Mapping[str, Array], cotangents: Sequence[Array | None]) -> dict[str, Array]:
        """The inputs of `program`: those of the original one and the targets' cotangents, None standing for ones."""
        given = dict(inputs)
        for target, name, cotangent in zip(self.forward.outputs, self.cotangents, cotangents, strict=True):
            if name is not None and target is not None:
                type_ = self.forward.types[target]
                given[name] = np.ones(type_.shape, type_.dtype) if cotangent is None else cotangent
        return given


def differentiate(program: Program, sources: Sequence[str]) -> Program:
    """The program that gives the outputs of `program` and then one gradient for each of `sources`.

    `program` gives its targets, of any shape. The new program takes the same inputs and, for each target of a floating
    or complex dtype, its cotangent: `cotangent` if there is one target, otherwise `cotangent_0`, `cotangent_1` and so
    on. A gradient has the shape and dtype of its source; it is None where no path leads from the target to the source.
    The result is a program like any other and can be differentiated again. Raises `KeyError` for an unknown source.
    """
    return gradient(program, sources).program


def gradient(program: Program, sources: Sequence[str], *, keep_trail: bool = False) -> Gradient:
    """See `differentiate`; with `keep_trail` also what each visited operation received and handed on."""
    program = expand(program)
    targets = program.outputs
    builder = Builder.extending(program)
    records = [
        Record(
            each.op,
            [builder.value(index) for index in each.inputs],
            [builder.value(index) for index in each.outputs],
            each.attributes,
        )
        for each in program.instructions
    ]
    stem = COTANGENT
    while any(name.startswith(stem) for name in program.inputs):
        stem += "'"
    cotangents: list[str | None] = []
    seeds: list[tuple[Tensor, Tensor]] = []
    for position, target in enumerate(targets):
        if target is None or not is_differentiable(program.types[target].dtype):
            cotangents.append(None)
            continue
        name = stem if len(targets) == 1 else f"{stem}_{position}"
        cotangents.append(name)
        seeds.append((builder.value(target), builder.input(name, program.types[target])))
    trail = Trail() if keep_trail else None
    with building(builder):
        gradients = walk(records, seeds, [builder.value(program.inputs[name]) for name in sources], trail)
    outputs = [*(None if index is None else builder.value(index) for index in targets), *gradients]
    complete = builder.finish(outputs)
    return Gradient(complete.pruned(), tuple(cotangents), trail or Trail(), program, complete)
