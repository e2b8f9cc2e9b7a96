"""An engine's own functions under TensorFlow's names, and one instruction of a program carried out by them."""

import inspect
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from gradcheck.diagnostics import did_you_mean
from gradcheck.dtypes import Array, is_differentiable
from gradcheck.ops.arrays.indexing import python_key
from gradcheck.ops.declaration import all_names, find_op
from gradcheck.ops.operators import BINARY, COMPARISONS, UNARY
from gradcheck.program import Instruction, Program
from gradcheck.subjects.findings import Lacking, Raised, called

Function = Callable[..., Any] | str
"""A function, or the name of a method of the engine's tensors."""

_OPERATORS: dict[str, tuple[str, Callable[..., Any]]] = {
    find_op(each.op).name: (each.method, getattr(operator, each.method))
    for each in (*BINARY, *COMPARISONS, *UNARY)
    if each.method not in ("and", "or", "xor", "invert")
}
"""By operation, the method that Python calls and the operator that makes it do so."""


@dataclass(frozen=True, eq=False)
class Step:
    """One instruction of a program, and the values that are there when its turn has come."""

    program: Program
    instruction: Instruction
    values: Mapping[int, Any]
    """Tensors of the engine, by index."""
    fixed: Mapping[int, Array]
    """What does not depend on any floating or complex input, as arrays."""

    @property
    def called(self) -> str:
        return called(self.instruction)


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """A table from TensorFlow's names to an engine's functions.

    Tensors come first, in TensorFlow's order, then the arguments that TensorFlow requires, by position; what differs
    from TensorFlow's defaults comes by TensorFlow's name. What is not in the table but has an operator in Python is
    done by that operator, with plain numbers as they stand in the user's expression, left or right.
    """

    functions: Mapping[str, Function]
    constant: Callable[[Array], Any]
    """Makes a tensor that no gradient is wanted for."""

    @cached_property
    def own(self) -> dict[str, Function]:
        """The table by the names that programs use."""
        return {find_op(name).name: function for name, function in self.functions.items()}

    def apply(self, step: Step) -> Any:
        """What the engine's function for an instruction gives.

        Raises `Lacking` where there is no such function, and `Raised` for whatever the function raises.
        """
        name = step.instruction.op.name
        function = self.own.get(name)
        if function is not None:
            return self._by_table(function, step)
        if name in _OPERATORS and not any(arguments(step.instruction)):
            return self._by_operator(step)
        if name == "tf.strided_slice":
            return self._sliced(step)
        raise Lacking(f"{step.called} is not in its table of functions")

    def _by_table(self, function: Function, step: Step) -> Any:
        leading, named = self._call(step)
        if isinstance(function, str):
            method: Callable[..., Any] | None = getattr(leading[0], function, None)
            if method is None:
                raise Lacking(f"{step.called}: its tensors have no method `{function}`")
            function, leading = method, leading[1:]
        run: Callable[..., Any] = function
        _takes(run, leading, named, step)
        return _attempt(step, run, *leading, **named)

    def _call(self, step: Step) -> tuple[list[Any], dict[str, Any]]:
        """The arguments by position and by name: a tensor that stands behind an optional argument has its name."""
        required, named = arguments(step.instruction)
        operands = dict(step.instruction.operands)
        leading: list[Any] = []
        skipped = False
        for name, parameter in step.instruction.op.signature.parameters.items():
            if name in operands:
                value = self._operand(operands[name], step)
                if skipped:
                    named[name] = value
                elif parameter.kind is parameter.VAR_POSITIONAL:
                    leading += value
                else:
                    leading.append(value)
            elif name in required:
                leading.append(required[name])
            else:
                skipped = True
        return leading, named

    def _operand(self, operand: int | tuple[int, ...], step: Step) -> Any:
        if isinstance(operand, tuple):
            return [self._operand(each, step) for each in operand]
        return step.values[operand] if operand in step.values else self._fixed(step.fixed[operand])

    def _by_operator(self, step: Step) -> Any:
        method, function = _OPERATORS[step.instruction.op.name]
        inputs = step.instruction.inputs
        tensors = [step.values[index] for index in inputs if index in step.values]
        names = (f"__{method}__", f"__r{method}__")
        if not any(_own_method(type(each), name) for each in tensors for name in names):
            raise Lacking(f"{step.called} is not in its table of functions, and its tensors have no `__{method}__`")
        operands = [step.values[index] if index in step.values else self._plain(step.fixed[index]) for index in inputs]
        return _attempt(step, function, *operands)

    def _sliced(self, step: Step) -> Any:
        (index,) = step.instruction.inputs
        tensor = step.values[index]
        if not _own_method(type(tensor), "__getitem__"):
            raise Lacking(f"{step.called}: its tensors have no `__getitem__`")
        key = python_key(step.program.types[index].shape, step.instruction.attributes)
        return _attempt(step, operator.getitem, tensor, key[0] if len(key) == 1 else key)

    def _fixed(self, value: Array) -> Any:
        return self.constant(value) if is_differentiable(value.dtype) else value

    def _plain(self, value: Array) -> Any:
        """A number as the user wrote it, an array as a tensor."""
        if value.ndim:
            return self._fixed(value)
        number = value.item()
        return number if isinstance(number, (bool, int, complex)) else float(number)


def check(functions: Mapping[str, Function]) -> None:
    """Raises `ValueError` if a table of functions has a name that is not an operation."""
    names = all_names()
    for name in functions:
        if name not in names:
            near = did_you_mean(name, names)
            raise ValueError(f"`{name}` in the table of functions is not an operation{f': {near}' if near else ''}")


def _takes(function: Callable[..., Any], leading: list[Any], named: dict[str, Any], step: Step) -> None:
    """Raises `Lacking` if a function does not take what it would be given."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # written in C: it will say so itself
        return
    try:
        signature.bind(*leading, **named)
    except TypeError as error:
        given = f" with {', '.join(f'`{name}`' for name in named)}" if named else ""
        raise Lacking(f"{step.called}{given}: its function does not take this call: {error}") from None


def _own_method(kind: type, name: str) -> bool:
    """Whether a class defines a method itself; `object` has comparisons that compare nothing."""
    return getattr(kind, name, None) not in (None, getattr(object, name, None))


def arguments(instruction: Instruction) -> tuple[dict[str, Any], dict[str, Any]]:
    """The arguments that are no tensors: those that TensorFlow requires, and those that differ from its defaults."""
    defaults = instruction.op.defaults
    attributes = dict(instruction.attributes)
    if "axis" in attributes and instruction.written is not None:
        attributes["axis"] = instruction.written["axis"]  # as the user has it, `-1`, and not as we do, `[1]`
    required = {name: value for name, value in attributes.items() if name not in defaults}
    optional = {
        name: value
        for name, value in attributes.items()
        if name in defaults and name != "name" and not _same(value, defaults[name])
    }
    return required, optional


def _same(left: Any, right: Any) -> bool:
    return type(left) is type(right) and bool(np.all(left == right))


def _attempt(step: Step, function: Callable[..., Any], *operands: Any, **named: Any) -> Any:
    try:
        return function(*operands, **named)
    except NotImplementedError as error:
        raise Lacking(f"{step.called}: {error or 'not implemented'}") from error
    except Lacking as error:
        raise Lacking(f"{step.called}: {error}") from error
    except (Exception, SystemExit) as error:
        raise Raised(step.called) from error
