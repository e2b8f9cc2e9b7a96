"""Which operation is wrong: every one is tried by itself, on the reference's operands and incoming cotangent.

Comparing cotangents along the program would accuse everything upstream of a fault; a program of one operation shows
only the fault itself. The subject is reached through nothing but what any engine can do: running a program.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np

from gradcheck.dtypes import Array, DType, is_complex, is_differentiable
from gradcheck.engines import Engine, Outcome, Request, Trace
from gradcheck.ops.declaration import find_op
from gradcheck.program import Instruction, Program, TensorType
from gradcheck.tensors import Builder, Tensor
from gradcheck.verdict.compare import compare_values
from gradcheck.verdict.record import COUNTS_AS, Comparison, Status, Wrongness
from gradcheck.verdict.slips import Wrong
from gradcheck.verdict.tolerance import allowance

if TYPE_CHECKING:
    from gradcheck.reference.answers import Reference


TAPING = "taping"
"""The family of what is done with tapes and variables, which means nothing in a program of one operation."""


@dataclass(frozen=True, eq=False)
class Blame:
    """One thing that is wrong by itself.

    See `gradcheck.verdict.record.Accused`.
    """

    kind: Wrongness
    instruction: Instruction
    """For a fan-out, the first of the readers."""
    comparison: Comparison | None
    argument: int | None = None
    wrong: Wrong | None = None
    """What there is to find the kind of slip from, the reference being taken to be right; for a forward `found`,
    `right` and `allowed` are about the value."""
    value: str = ""
    """For a fan-out, how the summed value is called."""
    weighs: bool = False
    """Whether the subject's gradients under all cotangents but ones depend on it."""


@dataclass(frozen=True, eq=False)
class Trial:
    """What came of trying the operations of a program one by one."""

    wrong: list[Blame]
    """In the order of the program."""
    tried: tuple[Instruction, ...]
    """The operations that both sides ran by themselves."""


@dataclass(frozen=True, eq=False)
class _Part:
    """A small program cut out of the case: its request, and what its sources are called in the case."""

    instructions: tuple[Instruction, ...]
    request: Request
    arguments: tuple[int, ...]
    """For each source its position among the inputs of the one instruction."""
    fan_out: bool = False


def blame(
    request: Request,
    trace: Trace,
    subject: Engine,
    reference: "Reference",
    known: Collection[Instruction] = (),
) -> Trial | None:
    """Everything that is wrong by itself in `request`'s program.

    `known` are operations that are wrong anyhow: no sum at a fan-out that they take part in is tried.
    An empty list says that every operation and every sum at a fan-out is right; None that the subject can run none of
    them by itself, as a function with a hand-written backward cannot.
    """
    reached = _reached(request)
    steps = [each for each in request.program.instructions if each.op.family != TAPING]
    parts = [_single(request.program, each, trace, reached) for each in steps]
    trial = _tried(parts, subject, reference)
    if trial is None:
        return None
    found = [*trial.wrong]
    accused = {*map(id, known), *(id(each.instruction) for each in found)}
    shared = [index for index in _read_twice(request.program) if index in reached]
    for index in shared:
        readers = [each for each in request.program.instructions if index in each.inputs]
        if any(each.op.family == TAPING for each in readers):
            continue
        if accused.isdisjoint(map(id, readers)):
            found += _sum_at(index, readers, request.program, trace, subject, reference)
    return Trial(found, trial.tried)


def _tried(parts: Sequence[_Part], subject: Engine, reference: "Reference") -> Trial | None:
    """What is wrong in any of `parts`; None if there are some and the subject runs none of them."""
    pending = [reference.submit(part.request) for part in parts]  # all at once, so that neither side waits
    found: list[Blame] = []
    weights: list[Blame] = []
    tried: list[Instruction] = []
    ran = not parts
    for part, answer in zip(parts, pending, strict=True):
        ours, theirs = subject.run(part.request), answer.result()
        ran = ran or isinstance(ours, Outcome)
        if isinstance(ours, Outcome) and isinstance(theirs, Outcome):
            tried += part.instructions
            wrong = list(_differences(part, ours, theirs, (subject.name, reference.name)))
            weight = _weight(part, theirs, subject, reference) if wrong else []
            if weight:
                weights += weight
                wrong = _again_under_ones(part, subject, reference)
            found += wrong
    return Trial(_with_weights(found, weights), tuple(tried)) if ran else None


def _weight(part: _Part, right: Outcome, subject: Engine, reference: "Reference") -> list[Blame]:
    """What is wrong with the product of an output and its cotangent, if no cotangent arrives as it should.

    By that product cotangents are brought in where an engine's `backward` takes none: a wrong `*` spoils everything.
    """
    found: list[Blame] = []
    for value, cotangent in zip(right.outputs, part.request.cotangents[0], strict=True):
        if value is None or cotangent is None or np.all(cotangent == 1):
            continue
        product = _with_constant("tf.multiply", value, np.conj(cotangent), None)
        wrong = [each for each in _compared(product, subject, reference) or [] if each.kind == "gradient"]
        if wrong and _compared(_with_constant("tf.add", value, np.zeros_like(value), cotangent), subject, reference):
            found += wrong
    return found


def _with_constant(name: str, value: Array, constant: Array, cotangent: Array | None) -> _Part:
    """The program of one operation on a value and a constant."""
    builder = Builder(inline=False)
    source = builder.input("operand 0", TensorType(value.shape, value.dtype))
    program = builder.finish([find_op(name)(source, builder.constant(constant))])
    request = Request(program, {"operand 0": value}, ("operand 0",), ((cotangent,),))
    return _Part(program.instructions, request, (0,))


def _again_under_ones(part: _Part, subject: Engine, reference: "Reference") -> list[Blame]:
    """What is wrong where nothing needs to be brought in."""
    request = replace(part.request, cotangents=tuple((None,) * len(row) for row in part.request.cotangents))
    return _compared(replace(part, request=request), subject, reference) or []


def _with_weights(found: list[Blame], weights: list[Blame]) -> list[Blame]:
    """`found`, where the product that spoils the rest is marked: the case's own, or else the one that was tried."""
    if not weights:
        return found
    op = weights[0].instruction.op
    if not any(each.instruction.op is op for each in found):
        return [replace(weights[0], weighs=True), *found]
    return [replace(each, weighs=True) if each.instruction.op is op else each for each in found]


def _compared(part: _Part, subject: Engine, reference: "Reference") -> list[Blame] | None:
    """What is wrong in one part; None if one of the sides does not run it."""
    pending = reference.submit(part.request)
    ours, theirs = subject.run(part.request), pending.result()
    if isinstance(ours, Outcome) and isinstance(theirs, Outcome):
        return list(_differences(part, ours, theirs, (subject.name, reference.name)))
    return None


def _sum_at(
    index: int,
    readers: Sequence[Instruction],
    program: Program,
    trace: Trace,
    subject: Engine,
    reference: "Reference",
) -> list[Blame]:
    """The sum of what the readers of a value hand back, if it is wrong while every summand is right by itself."""
    together = _fan_out(program, index, readers, trace, apart=False)
    found = together and _compared(together, subject, reference)
    if not found:
        return []
    apart = _fan_out(program, index, readers, trace, apart=True)
    return found if apart and _compared(apart, subject, reference) == [] else []


def _differences(part: _Part, ours: Outcome, theirs: Outcome, sides: tuple[str, str]) -> Iterator[Blame]:
    bounds = allowance(part.request)
    first = part.instructions[0]
    for mine, right, bound in zip(ours.outputs, theirs.outputs, bounds.outputs, strict=True):
        comparison = compare_values("output", first.op.name, None, sides, mine, right, bound)
        if not part.fan_out and COUNTS_AS[comparison.verdict] is Status.FAILED:
            yield Blame("forward", first, comparison, wrong=_wrong(part, comparison, 0, theirs, bound))
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
    """A wrong gradient, or a wrong value, with all that is known of how it should have come about."""
    (instruction,) = part.request.program.instructions
    values = {index: part.request.inputs[name] for name, index in part.request.program.inputs.items()}
    values |= part.request.program.constants
    rights: list[Array | None] = [None] * len(instruction.inputs)
    for position, gradient in zip(part.arguments, theirs.gradients[0], strict=True):
        rights[position] = gradient
    outputs = tuple(each for each in theirs.outputs if each is not None)  # an operation gives all of its own
    cotangents = (
        np.ones_like(out) if given is None else given
        for out, given in zip(outputs, part.request.cotangents[0], strict=True)
    )
    return Wrong(
        op=instruction.op,
        attributes=instruction.attributes,
        inputs=tuple(values[index] for index in instruction.inputs),
        outputs=outputs,
        cotangents=tuple(cotangents),
        argument=argument,
        found=comparison.left,
        right=comparison.right,
        rights=tuple(rights),
        allowed=bound,
    )


def _reached(request: Request) -> set[int]:
    """The values that depend on a source: nothing is asked about the gradients of others.

    Where the program itself gives a derivative it has no sources, and any input may be one.
    """
    program = request.program
    inputs = {index for index in program.inputs.values() if is_differentiable(program.types[index].dtype)}
    reached = {program.inputs[name] for name in request.sources} or inputs
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
        name = f"operand {position}"
        inputs[name] = value
        differentiable = is_differentiable(value.dtype)
        new.append(builder.input(name, TensorType(value.shape, value.dtype), None if differentiable else value))
        if differentiable and index in reached:
            sources[name] = position
    outputs = _repeat(builder, program, instruction, new)
    cotangents = tuple(_cotangent(program, index, trace) for index in instruction.outputs)
    request = Request(builder.finish(outputs), inputs, tuple(sources), (cotangents,))
    return _Part((instruction,), request, tuple(sources.values()))


def _fan_out(
    program: Program, index: int, readers: Sequence[Instruction], trace: Trace, *, apart: bool
) -> _Part | None:
    """The program of all instructions that read one value, each output weighted with what reached it, and summed.

    Its gradient is the sum at the fan-out; `apart`, every reading has a copy of the value for itself, and its own
    gradient. Only one target is left for each dtype, because many engines differentiate no more than one at a time.
    """
    builder = Builder(inline=False)
    name = program.labels[index].replace("%", "value ")
    value = trace.values[index]
    inputs: dict[str, Array] = {}
    copies: list[Tensor] = []

    def read() -> Tensor:
        if apart or not copies:
            called = f"{name}, read {len(copies) + 1}" if apart else name
            inputs[called] = value
            copies.append(builder.input(called, TensorType(value.shape, value.dtype)))
        return copies[-1]

    weighted: dict[DType, list[Tensor]] = {}
    for reader in readers:
        new = [read() if each == index else builder.constant(trace.values[each]) for each in reader.inputs]
        for result, each in zip(_repeat(builder, program, reader, new), reader.outputs, strict=True):
            cotangent = _cotangent(program, each, trace)
            if cotangent is not None:
                product = find_op("tf.multiply")(result, builder.constant(np.conj(cotangent)))
                weighted.setdefault(result.dtype, []).append(product)
    targets = [_total(each) for each in weighted.values()]
    if not targets:
        return None
    request = Request(builder.finish(targets), inputs, tuple(inputs), ((None,) * len(targets),))
    return _Part(tuple(readers), request, (), fan_out=True)


def _total(parts: Sequence[Tensor]) -> Tensor:
    if len({each.shape for each in parts}) > 1:
        parts = [find_op("tf.reduce_sum")(each) for each in parts]
    return reduce(find_op("tf.add"), parts)


def _repeat(builder: Builder, program: Program, instruction: Instruction, inputs: Sequence[Tensor]) -> list[Tensor]:
    """The same operation on other operands."""
    rest = iter(inputs)
    operands = {
        name: tuple(next(rest) for _ in operand) if isinstance(operand, tuple) else next(rest)
        for name, operand in instruction.operands
    }
    types = [program.types[index] for index in instruction.outputs]
    return builder.apply(instruction.op, operands, instruction.attributes, types, instruction.written)


def _cotangent(program: Program, index: int, trace: Trace) -> Array | None:
    """What reached a value in the reference; where nothing did zeros, or for a tape of the user's own what is drawn."""
    type_ = program.types[index]
    if not is_differentiable(type_.dtype):
        return None
    found = trace.cotangents.get(index)
    if found is not None:
        return found
    if any(index in each.outputs and each.tapes for each in program.instructions):
        drawn = np.random.default_rng(index).standard_normal((2, *type_.shape))
        return np.asarray(drawn[0] + 1j * drawn[1] if is_complex(type_.dtype) else drawn[0]).astype(type_.dtype)
    return np.zeros(type_.shape, type_.dtype)


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
