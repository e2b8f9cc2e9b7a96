"""Replacing the operations that compose from others, and what is done with tapes, by what they are made of."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from gradcheck.engine.taping import Tapes
from gradcheck.ops.declaration import Op
from gradcheck.ops.taping import BRANCH, CUSTOM, PRINT, TAPING, WRITTEN_OUT
from gradcheck.program import Instruction, Program, Template, TensorType
from gradcheck.tensors import Builder, Tensor, Value, building

Values = dict[int, Any]
"""By its index in the program that is replaced: the tensor that stands for a value, None for one not connected."""


def expand(program: Program, *, keep: Callable[[Op], bool] | None = None) -> Program:
    """The same program in operations that have a forward of their own; spans and names are kept.

    Compositions to `keep` stay as they are, where the program itself calls them. A program that has nothing to expand
    is given back as it is.
    """

    def opened(op: Op) -> bool:
        return op.composite and not (keep is not None and keep(op))

    if not any(opened(instruction.op) or instruction.op in TAPING for instruction in program.instructions):
        return program
    builder = Builder(inline=True)
    new: Values = {
        index: builder.input(name, program.types[index], program.known.get(index))
        for name, index in program.inputs.items()
    }
    new |= {index: builder.constant(value) for index, value in program.constants.items()}
    with building(builder):
        writing = _Writing(builder, program.types.__getitem__, opened)
        for each in program.instructions:
            writing.write(each, new)
    for index, name in program.names.items():
        if new.get(index) is not None:
            builder.names.setdefault(new[index].key, name)
    return builder.finish([None if index is None else new[index] for index in program.outputs])


def written_out(program: Program) -> Program:
    """The same program with its graphs opened: one branch, every round of a loop, what a function does that is called.

    Operations stay as they are. One that takes gradients itself, or brings its own, is given back as it is.
    """
    present = {step.op for each in program.instructions for step in _steps(each)} & set(TAPING)
    if not present or not present <= {*WRITTEN_OUT, PRINT}:
        return program
    return expand(program, keep=lambda _: True)


def _steps(instruction: Instruction) -> Iterator[Instruction]:
    """An instruction, and those that stand in it."""
    yield instruction
    for value in instruction.attributes.values():
        for body in value if isinstance(value, tuple) else (value,):
            if isinstance(body, Template):
                for each in body.instructions:
                    yield from _steps(each)


class Expansion:
    """The expanded form of a program that is still being written, brought up to date when it is asked about."""

    def __init__(self, source: Builder) -> None:
        self._source = source
        self._builder = Builder(inline=True)
        self._writing = _Writing(self._builder, lambda index: source.value(index).type, lambda op: op.composite)
        self._new: Values = {}
        self._done: dict[int, Instruction] = {}

    def connected(self, value: Value) -> bool:
        """Whether `value`, which may be a gradient, is there at all."""
        self._follow()
        return self._new[value.index] is not None

    def _follow(self) -> None:
        for name, index in self._source.inputs.items():
            if index not in self._new:
                known = self._source.known(self._source.value(index), compute=False)
                self._new[index] = self._builder.input(name, self._source.value(index).type, known)
        for index, array in self._source.constants.items():
            if index not in self._new:
                self._new[index] = self._builder.constant(array)
        steps = self._source.instructions
        first = len(steps)
        while first and id(steps[first - 1]) not in self._done:  # those of templates come and go at the end
            first -= 1
        with building(self._builder):
            for each in steps[first:]:
                self._writing.write(each, self._new)
                self._done[id(each)] = each  # held, so that its id stays its own


class _Writing:
    """Writes instructions again, on other values."""

    def __init__(self, builder: Builder, type_of: Callable[[int], TensorType], opened: Callable[[Op], bool]) -> None:
        self._builder = builder
        self._type_of = type_of
        self._opened = opened
        self._tapes = Tapes(builder)

    def write(self, each: Instruction, new: Values) -> None:
        """What `each` comes to on the values in `new`, which receives what it gives."""
        builder = self._builder
        builder.span, builder.tapes = each.span, each.tapes
        written = len(builder.instructions)
        operands = {
            name: tuple(new[index] for index in operand) if isinstance(operand, tuple) else new[operand]
            for name, operand in each.operands
        }
        types = [self._type_of(index) for index in each.outputs]
        results: Sequence[Tensor | None]
        if each.op is CUSTOM:
            results = self._custom(each, new, types)
        elif each.op in WRITTEN_OUT:
            results = self._written_out(each, operands, new)
        elif each.op in TAPING:
            results = self._tapes.act(each, operands, types)
        elif self._opened(each.op):
            order = each.op.signature.parameters
            arguments = {**operands, **each.attributes}
            result = each.op.invoke({name: arguments[name] for name in order if name in arguments})
            results = [result] if isinstance(result, Tensor) else [each for each in result if each is not None]
        else:
            results = builder.apply(each.op, operands, each.attributes, types)
        new.update(zip(each.outputs, results, strict=True))
        for made in builder.instructions[written:]:
            self._tapes.done(made)

    def _written_out(self, each: Instruction, operands: dict[str, Any], new: Values) -> list[Tensor | None]:
        """What a function that TensorFlow calls by itself comes to at this point: one branch, or every round."""
        given = each.attributes
        if each.op is BRANCH:
            return self._inside(given["branches"][given["chosen"]], each, new, ())
        values: list[Tensor | None] = list(operands["inputs"])
        for _ in range(given.get("rounds", 1)):
            values = self._inside(given["body"], each, new, values)
        return values

    def _inside(
        self, body: Template, each: Instruction, new: Values, inputs: Sequence[Tensor | None]
    ) -> list[Tensor | None]:
        """The outputs of instructions that stand by themselves, written where and recorded as they are called for."""
        inside = {**new, **dict(zip(body.inputs, inputs, strict=True))}
        for step in body.instructions:
            self.write(replace(step, tapes=each.tapes), inside)
        return [None if index is None else inside[index] for index in body.outputs]

    def _custom(self, each: Instruction, new: Values, types: Sequence[TensorType]) -> list[Tensor]:
        """The outputs of the user's forward as those of an operation whose rule is the user's backward."""
        forward: Template = each.attributes["forward"]
        backward: Template = each.attributes["backward"]
        inside = dict(new)
        for step in forward.instructions:
            self.write(step, inside)
        inputs = [new[index] for index in forward.inputs]
        values = [inside[index] for index in forward.outputs if index is not None]
        held = {index: tensor.key for index, tensor in inside.items() if tensor is not None}

        def rule(g: Sequence[Tensor], _: Sequence[Tensor], *operands: Tensor) -> list[Tensor | None]:
            builder = operands[0].context
            assert isinstance(builder, Builder)
            again: Values = {index: builder.value(key) for index, key in held.items()}
            again |= dict(zip(backward.inputs, g, strict=True))
            writing = _Writing(builder, self._type_of, self._opened)
            for step in backward.instructions:
                writing.write(step, again)
            gradients = [None if index is None else again[index] for index in backward.outputs]
            return [*gradients, *(None for _ in values)]

        op = Op(
            name=CUSTOM.name,
            function=CUSTOM.function,
            family=CUSTOM.family,
            domains=(),
            forward=lambda *arrays: list(arrays[len(inputs) :]),
            joint_vjp=rule,
            dtypes=CUSTOM.dtypes,
            moves=True,
            several=True,
        )
        tapes, self._builder.tapes = self._builder.tapes, each.tapes
        self._builder.span = each.span
        made = self._builder.apply(op, {"inputs": tuple(inputs), "values": tuple(values)}, {}, types)
        self._builder.tapes = tapes
        return made
