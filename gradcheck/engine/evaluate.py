"""Running a program on NumPy arrays."""

from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from gradcheck.dtypes import Array
from gradcheck.engine.expand import expand
from gradcheck.engine.kernels import Kernel, kernel
from gradcheck.program import Program

Step = tuple[Kernel, tuple[int, ...], int | tuple[int, ...], tuple[int, ...]]


def evaluate(program: Program, inputs: Mapping[str, Array]) -> list[Array | None]:
    """The outputs of `program` for `inputs`, arrays of the declared shapes and dtypes; None where not connected.

    Each value is dropped as soon as its last reader has run. The steps are prepared at the first call and kept with
    the program, so that running it again costs little more than the NumPy calls themselves. Raises `KeyError` for an
    input that is missing and `ValueError` for one of another type.
    """
    return executable(program).run(inputs)


class Executable:
    """A program whose kernels are chosen and whose values' last readers are known.

    It holds no program: `executable` keeps it for as long as its program lives, which would be for ever.
    """

    def __init__(self, program: Program) -> None:
        program = expand(program)
        self._inputs = [(name, index, program.types[index]) for name, index in program.inputs.items()]
        self._outputs = [(index, None if index is None else program.types[index].dtype) for index in program.outputs]
        self._initial: list[Any] = [None] * len(program.types)
        for index, value in program.constants.items():
            self._initial[index] = value
        self._steps = self._prepare(program)

    @staticmethod
    def _prepare(program: Program) -> list[Step]:
        last: dict[int, int] = {}
        for position, instruction in enumerate(program.instructions):
            last.update(dict.fromkeys((*instruction.inputs, *instruction.outputs), position))
        for index in (*program.outputs, *program.constants):
            last.pop(index, None)  # type: ignore[arg-type]  # these stay to the end
        dying: list[list[int]] = [[] for _ in program.instructions]
        for index, position in last.items():
            dying[position].append(index)
        steps: list[Step] = []
        for position, each in enumerate(program.instructions):
            types = [program.types[index] for index in each.inputs]
            results = [program.types[index] for index in each.outputs]
            run = kernel(each.op, each.attributes, types, results)
            output = each.outputs if each.op.several else each.outputs[0]
            steps.append((run, each.inputs, output, tuple(dying[position])))
        return steps

    def run(self, inputs: Mapping[str, Array]) -> list[Array | None]:
        """See `evaluate`."""
        values = self._initial.copy()
        for name, index, type_ in self._inputs:
            array = values[index] = inputs[name]
            if array.shape != type_.shape or array.dtype != type_.dtype:
                raise ValueError(f"input {name} is {array.dtype.name}{list(array.shape)}, not {type_}")
        with np.errstate(all="ignore"):  # what is not finite is a result here, not an accident
            for run, arguments, output, dying in self._steps:
                if len(arguments) == 2:
                    result = run(values[arguments[0]], values[arguments[1]])
                elif len(arguments) == 1:
                    result = run(values[arguments[0]])
                else:
                    result = run(*[values[index] for index in arguments])
                if output.__class__ is int:
                    values[output] = result
                else:
                    for index, each in zip(output, result, strict=True):  # type: ignore[arg-type]  # a tuple here
                        values[index] = each
                for index in dying:
                    values[index] = None
        return [None if index is None else np.asarray(values[index], dtype) for index, dtype in self._outputs]


_EXECUTABLES: WeakKeyDictionary[Program, Executable] = WeakKeyDictionary()


def executable(program: Program) -> Executable:
    """The prepared form of `program`, made at the first request."""
    found = _EXECUTABLES.get(program)
    if found is None:
        found = _EXECUTABLES[program] = Executable(program)
    return found
