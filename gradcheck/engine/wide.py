"""Running a program in a wider precision than it declares: the truth that rounding is measured against."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from gradcheck.dtypes import FLOAT64, LONG, Array, DType, is_complex, is_float
from gradcheck.engine.expand import expand
from gradcheck.program import Instruction, Program

WIDEST: DType = LONG if np.finfo(LONG).eps < np.finfo(FLOAT64).eps else FLOAT64
"""The widest real dtype that NumPy computes in here: 80 bits on x86, float64 where `longdouble` is no wider."""

Visit = Callable[[Instruction, tuple[Array, ...], list[Array]], list[Array]]


def wider_than(dtype: DType) -> DType:
    """A real dtype in which the rounding of `dtype` (a real one) can be seen: float64, for float64 the widest."""
    return WIDEST if dtype == FLOAT64 else FLOAT64


class WideExecutable:
    """A program with its real values in `real` and its complex ones in the complex dtype of such parts.

    Casts between floating dtypes do nothing, so that what comes out is the mathematical function of the inputs up to
    the rounding of `real`.
    """

    def __init__(self, program: Program, real: DType) -> None:
        self.program = expand(program)
        self.real = real
        self.complex: DType = np.result_type(real, np.complex64)
        self._last = _last_readers(self.program)
        self._attributes: dict[int, dict[str, Any]] = {}

    def widened(self, value: Any) -> Any:
        """An array, or a dtype among the attributes, in the wider precision; integers and booleans stay."""
        dtype = value if isinstance(value, np.dtype) else getattr(value, "dtype", None)
        if dtype is None or not (is_float(dtype) or is_complex(dtype)):
            return value
        wide = self.complex if is_complex(dtype) else self.real
        return wide if isinstance(value, np.dtype) else np.asarray(value).astype(wide)

    def run(self, inputs: Mapping[str, Array], visit: Visit | None = None) -> list[Array | None]:
        """The outputs for `inputs`, which may already be wide; None where not connected.

        `visit` sees each instruction with its operands and results, and gives the results to go on with.
        """
        program = self.program
        values: dict[int, Any] = {index: self.widened(value) for index, value in program.constants.items()}
        values |= {index: self._input(inputs[name]) for name, index in program.inputs.items()}
        with np.errstate(all="ignore"):
            for position, instruction in enumerate(program.instructions):
                operands = tuple(values[index] for index in instruction.inputs)
                results = self.results(instruction, operands)
                if visit is not None:
                    results = visit(instruction, operands, results)
                values.update(zip(instruction.outputs, results, strict=True))
                for index in self._last.get(position, ()):
                    values.pop(index, None)
        return [None if index is None else np.asarray(values[index]) for index in program.outputs]

    def attributes(self, instruction: Instruction) -> dict[str, Any]:
        """The instruction's attributes, with dtypes in the wider precision."""
        found = self._attributes.get(id(instruction))
        if found is None:
            found = {name: self.widened(value) for name, value in instruction.attributes.items()}
            self._attributes[id(instruction)] = found
        return found

    def _input(self, value: Array) -> Array:
        wide: Array = value if value.dtype in (self.real, self.complex) else self.widened(value)
        return wide

    def results(self, instruction: Instruction, operands: tuple[Array, ...]) -> list[Array]:
        """What the instruction gives for wide operands."""
        forward = instruction.op.forward
        assert forward is not None, "compositions have been expanded"
        attributes = self.attributes(instruction)
        try:
            result = forward(*operands, **attributes)
        except TypeError:  # LAPACK knows no wider type than float64
            result = forward(*map(_in_float64, operands), **attributes)
        results = result if instruction.op.several else [result]
        arrays = map(np.asarray, results)
        return [each if each.dtype in (self.real, self.complex) else self.widened(each) for each in arrays]


def _in_float64(value: Array) -> Array:
    if value.dtype.kind in "fc":
        return value.astype(np.complex128 if value.dtype.kind == "c" else np.float64)
    return value


def _last_readers(program: Program) -> dict[int, list[int]]:
    last: dict[int, int] = {}
    for position, instruction in enumerate(program.instructions):
        last.update(dict.fromkeys((*instruction.inputs, *instruction.outputs), position))
    kept = {index for index in program.outputs if index is not None} | set(program.constants)
    dying: dict[int, list[int]] = {}
    for index, position in last.items():
        if index not in kept:
            dying.setdefault(position, []).append(index)
    return dying
