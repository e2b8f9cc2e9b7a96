"""Which operation is wrong: every one is tried by itself, on the reference's operands and incoming cotangent.

Comparing cotangents along the program would accuse everything upstream of a fault; a program of one operation shows
only the fault itself. The subject is reached through nothing but what any engine can do: running a program.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from gradcheck.dtypes import is_differentiable
from gradcheck.engines import Engine, Outcome, Request, Trace
from gradcheck.program import Array, Instruction, Program, TensorType
from gradcheck.tensors import Builder, Tensor
from gradcheck.verdict.compare import compare_values
from gradcheck.verdict.record import COUNTS_AS, Comparison, Status
from gradcheck.verdict.slips import Wrong
from gradcheck.verdict.tolerance import allowance

if TYPE_CHECKING:
    from gradcheck.reference.worker import ReferenceWorker


@dataclass(frozen=True, eq=False)
class Blame:
    """One thing that is wrong by itself.

    `forward` is the value of an operation, `gradient` what its rule hands to the input at `argument`, `fan-out` the sum
    of what the readers of a value hand back to it.
    """

    kind: Literal["forward", "gradient", "fan-out"]
    instruction: Instruction
    """For a fan-out, the first of the readers."""
    comparison: Comparison
    argument: int | None = None
    wrong: Wrong | None = None
    """For a gradient: what there is to find the kind of slip from, the reference being taken to be right."""
    value: str = ""
    """For a fan-out, how the summed value is called."""


@dataclass(frozen=True, eq=False)
class _Part:
    """A small program cut out of the case: its request, and what its sources are called in the case."""

    instructions: tuple[Instruction, ...]
    request: Request
    arguments: tuple[int, ...]
    """For each source its position among the inputs of the one instruction."""
    fan_out: bool = False


def blame(request: Request, trace: Trace, subject: Engine, reference: "ReferenceWorker") -> list[Blame]:
    """Everything that is wrong by itself in `request`'s program, in the order of the program.

    An empty list says that every operation and every sum at a fan-out is right.
    """
    reached = _reached(request)
    parts = [_single(request.program, each, trace, reached) for each in request.program.instructions]
    found = _tried(parts, subject, reference)
    fan_outs = [_fan_out(request.program, index, trace) for index in _read_twice(request.program) if index in reached]
    accused = {id(each.instruction) for each in found}
    innocent = [each for each in fan_outs if each and not accused.intersection(map(id, each.instructions))]
    return found + _tried(innocent, subject, reference)


def _tried(parts: Sequence[_Part], subject: Engine, reference: "ReferenceWorker") -> list[Blame]:
    pending = [reference.submit(part.request) for part in parts]  # all at once, so that neither side waits
    found: list[Blame] = []
    for part, answer in zip(parts, pending, strict=True):
        ours, theirs = subject.run(part.request), answer.result()
        if isinstance(ours, Outcome) and isinstance(theirs, Outcome):
            found += _differences(part, ours, theirs, (subject.name, reference.name))
    return found


def _differences(part: _Part, ours: Outcome, theirs: Outcome, sides: tuple[str, str]) -> Iterator[Blame]:
    bounds = allowance(part.request)
    first = part.instructions[0]
    for mine, right, bound in zip(ours.outputs, theirs.outputs, bounds.outputs, strict=True):
        comparison = compare_values("output", first.op.name, None, sides, mine, right, bound)
        if not part.fan_out and COUNTS_AS[comparison.verdict] is Status.FAILED:
            yield Blame("forward", first, comparison)
    rows = zip(part.request.sources, ours.gradients[0], theirs.gradients[0], bounds.gradients[0], strict=True)
    for position, (source, mine_g, right_g, bound_g) in enumerate(rows):
        limits = np.zeros(right_g.shape) if bound_g is None and right_g is not None else bound_g
        comparison = compare_values("gradient", source, "given", sides, mine_g, right_g, limits)
        if COUNTS_AS[comparison.verdict] is not Status.FAILED:
            continue
        if part.fan_out:
            yield Blame("fan-out", first, comparison, value=source)
        else:
            argument = part.arguments[position]
            wrong = _wrong(part, comparison, argument, theirs, bound_g)
            yield Blame("gradient", first, comparison, argument, wrong)


def _wrong(part: _Part, comparison: Comparison, argument: int, theirs: Outcome, bound: Array | None) -> Wrong:
    """A wrong gradient with all that is known of how it should have come about."""
    (instruction,) = part.request.program.instructions
    values = {index: part.request.inputs[name] for name, index in part.request.program.inputs.items()}
    values |= part.request.program.constants
    rights: list[Array | None] = [None] * len(instruction.inputs)
    for position, gradient in zip(part.arguments, theirs.gradients[0], strict=True):
        rights[position] = gradient
    cotangents = (
        np.ones_like(out) if given is None else given
        for out, given in zip(theirs.outputs, part.request.cotangents[0], strict=True)
    )
    return Wrong(
        op=instruction.op,
        attributes=instruction.attributes,
        inputs=tuple(values[index] for index in instruction.inputs),
        outputs=theirs.outputs,
        cotangents=tuple(cotangents),
        argument=argument,
        found=comparison.left,
        right=comparison.right,
        rights=tuple(rights),
        allowed=bound,
    )


def _reached(request: Request) -> set[int]:
    """The values that depend on a source: nothing is asked about the gradients of others."""
    reached = {request.program.inputs[name] for name in request.sources}
    for instruction in request.program.instructions:
        if not reached.isdisjoint(instruction.inputs):
            reached.update(instruction.outputs)
    return reached


def _single(program: Program, instruction: Instruction, trace: Trace, reached: set[int]) -> _Part:
    """The program of one instruction, each of its operands an input of its own."""
    builder = Builder(inline=False)
    inputs: dict[str, Array] = {}
    sources: dict[str, int] = {}
    new: list[Tensor] = []
    for position, index in enumerate(instruction.inputs):
        value = trace.values[index]
        if index in program.constants:
            new.append(builder.constant(value))
            continue
        name = f"x{position}"
        inputs[name] = value
        differentiable = is_differentiable(value.dtype)
        new.append(builder.input(name, TensorType(value.shape, value.dtype), None if differentiable else value))
        if differentiable and index in reached:
            sources[name] = position
    outputs = _repeat(builder, program, instruction, new)
    cotangents = tuple(_cotangent(program, index, trace) for index in instruction.outputs)
    request = Request(builder.finish(outputs), inputs, tuple(sources), (cotangents,))
    return _Part((instruction,), request, tuple(sources.values()))


def _fan_out(program: Program, index: int, trace: Trace) -> _Part | None:
    """The program of all instructions that read one value: its gradient is the sum at the fan-out."""
    builder = Builder(inline=False)
    name = program.labels[index].replace("%", "value ")
    value = trace.values[index]
    shared: Tensor = builder.input(name, TensorType(value.shape, value.dtype))
    inputs = {name: value}
    outputs: list[Tensor] = []
    cotangents: list[Array | None] = []
    readers = [each for each in program.instructions if index in each.inputs]
    for reader in readers:
        new = [shared if each == index else builder.constant(trace.values[each]) for each in reader.inputs]
        outputs += _repeat(builder, program, reader, new)
        cotangents += [_cotangent(program, each, trace) for each in reader.outputs]
    request = Request(builder.finish(outputs), inputs, (name,), (tuple(cotangents),))
    return _Part(tuple(readers), request, (), fan_out=True)


def _repeat(builder: Builder, program: Program, instruction: Instruction, inputs: Sequence[Tensor]) -> list[Tensor]:
    """The same operation on other operands."""
    rest = iter(inputs)
    operands = {
        name: tuple(next(rest) for _ in operand) if isinstance(operand, tuple) else next(rest)
        for name, operand in instruction.operands
    }
    types = [program.types[index] for index in instruction.outputs]
    return builder.apply(instruction.op, operands, instruction.attributes, types)


def _cotangent(program: Program, index: int, trace: Trace) -> Array | None:
    """What reached a value in the reference; zeros where nothing did."""
    type_ = program.types[index]
    if not is_differentiable(type_.dtype):
        return None
    found = trace.cotangents.get(index)
    return np.zeros(type_.shape, type_.dtype) if found is None else found


def _read_twice(program: Program) -> list[int]:
    """The values, among those that gradients can flow to, that are read more than once."""
    reads: dict[int, int] = {}
    for instruction in program.instructions:
        for index in instruction.inputs:
            reads[index] = reads.get(index, 0) + 1
    return [
        index
        for index, count in reads.items()
        if count > 1 and index not in program.constants and is_differentiable(program.types[index].dtype)
    ]
