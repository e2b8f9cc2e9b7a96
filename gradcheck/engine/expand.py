"""Replacing the operations that compose from others by what they are made of."""

from collections.abc import Callable

from gradcheck.ops.declaration import Op
from gradcheck.program import Program
from gradcheck.tensors import Builder, Tensor, building


def expand(program: Program, *, keep: Callable[[Op], bool] | None = None) -> Program:
    """The same program in operations that have a forward of their own; spans and names are kept.

    Compositions to `keep` stay as they are, where the program itself calls them. A program that has nothing to expand
    is given back as it is.
    """

    def opened(op: Op) -> bool:
        return op.composite and not (keep is not None and keep(op))

    if not any(opened(instruction.op) for instruction in program.instructions):
        return program
    builder = Builder(inline=True)
    new: dict[int, Tensor] = {
        index: builder.input(name, program.types[index], program.known.get(index))
        for name, index in program.inputs.items()
    }
    new |= {index: builder.constant(value) for index, value in program.constants.items()}
    with building(builder):
        for each in program.instructions:
            builder.span = each.span
            operands = {
                name: tuple(new[index] for index in operand) if isinstance(operand, tuple) else new[operand]
                for name, operand in each.operands
            }
            if opened(each.op):
                order = each.op.signature.parameters
                arguments = {**operands, **each.attributes}
                result = each.op.invoke({name: arguments[name] for name in order if name in arguments})
                results = [result] if isinstance(result, Tensor) else list(result)
            else:
                types = [program.types[index] for index in each.outputs]
                results = builder.apply(each.op, operands, each.attributes, types)
            new.update(zip(each.outputs, results, strict=True))
    for index, name in program.names.items():
        builder.names.setdefault(new[index].key, name)
    return builder.finish([None if index is None else new[index] for index in program.outputs])
