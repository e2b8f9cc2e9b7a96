"""Tensors as operations see them, and the two places where an operation can happen.

An operation is applied to tensors of one *context*: a `Builder` writes it down as an instruction, the eager context of
`gradcheck.engine.eager` computes it at once. A rule is written once and works in both.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from math import prod
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from gradcheck.diagnostics import Span
from gradcheck.dtypes import INT32, Array, DType
from gradcheck.program import Instruction, Operand, Program, Shape, Tape, TensorType

if TYPE_CHECKING:
    from gradcheck.ops.declaration import Op

Operands = Mapping[str, "Tensor | tuple[Tensor, ...]"]


class Context(Protocol):
    """Where operations happen."""

    inline: bool
    """Whether an operation that composes from others is replaced by them as it is applied."""
    max_elements: int | None
    """The largest tensor that is accepted; None for any."""

    def constant(self, value: Array) -> "Tensor": ...

    def adopt(self, tensor: "Tensor", /) -> "Tensor":
        """What stands here for `tensor`, of this context or of the eager one."""
        ...

    def apply(
        self,
        op: "Op",
        operands: Operands,
        attributes: Mapping[str, Any],
        types: Sequence[TensorType],
        written: Mapping[str, Any] | None = None,
        /,
    ) -> "list[Tensor]": ...


class Tensor:
    """A value that operations take: its type is known, its numbers perhaps not yet.

    Operators, slices and iteration are those of `tf.Tensor`; `gradcheck.ops.operators` attaches them.
    """

    type: TensorType
    context: Context

    __hash__ = None  # type: ignore[assignment]  # `==` is element by element, as in TensorFlow

    @property
    def shape(self) -> Shape:
        return self.type.shape

    @property
    def dtype(self) -> DType:
        return self.type.dtype

    @property
    def ndim(self) -> int:
        return len(self.type.shape)

    if TYPE_CHECKING:

        @property
        def key(self) -> int:
            """What tells this value from every other of its context."""
            ...

        def __add__(self, other: Any, /) -> "Tensor": ...
        def __radd__(self, other: Any, /) -> "Tensor": ...
        def __sub__(self, other: Any, /) -> "Tensor": ...
        def __rsub__(self, other: Any, /) -> "Tensor": ...
        def __mul__(self, other: Any, /) -> "Tensor": ...
        def __rmul__(self, other: Any, /) -> "Tensor": ...
        def __truediv__(self, other: Any, /) -> "Tensor": ...
        def __rtruediv__(self, other: Any, /) -> "Tensor": ...
        def __floordiv__(self, other: Any, /) -> "Tensor": ...
        def __rfloordiv__(self, other: Any, /) -> "Tensor": ...
        def __mod__(self, other: Any, /) -> "Tensor": ...
        def __rmod__(self, other: Any, /) -> "Tensor": ...
        def __pow__(self, other: Any, /) -> "Tensor": ...
        def __rpow__(self, other: Any, /) -> "Tensor": ...
        def __matmul__(self, other: Any, /) -> "Tensor": ...
        def __rmatmul__(self, other: Any, /) -> "Tensor": ...
        def __lt__(self, other: Any, /) -> "Tensor": ...
        def __le__(self, other: Any, /) -> "Tensor": ...
        def __gt__(self, other: Any, /) -> "Tensor": ...
        def __ge__(self, other: Any, /) -> "Tensor": ...
        def __getitem__(self, other: Any, /) -> "Tensor": ...
        def __neg__(self) -> "Tensor": ...
        def __iter__(self) -> Iterator["Tensor"]: ...


class Value(Tensor):
    """A value of the program that a `Builder` is writing."""

    __slots__ = ("context", "index", "type")

    def __init__(self, builder: "Builder", index: int, type_: TensorType) -> None:
        self.context: Builder = builder
        self.index = index
        self.type = type_

    @property
    def key(self) -> int:
        return self.index

    def __repr__(self) -> str:
        return f"<value %{self.index}: {self.type}>"


class TooLarge(ValueError):
    """A tensor would have more elements than the builder allows."""


class Builder:
    """Writes a program, instruction by instruction; every operation applied to its values is appended."""

    def __init__(self, *, inline: bool, max_elements: int | None = None) -> None:
        self.inline = inline
        self.max_elements = max_elements
        self.span: Span | None = None
        self.tapes: tuple[Tape, ...] = ()
        self.names: dict[int, str] = {}
        self.instructions: list[Instruction] = []
        self._types: list[TensorType] = []
        self._inputs: dict[str, int] = {}
        self._constants: dict[int, Array] = {}
        self._known: dict[int, Array] = {}
        self._scalars: dict[tuple[str, bytes], Value] = {}
        self._numbers: dict[int, Array] = {}
        self._derived: set[int] = set()

    @classmethod
    def extending(cls, program: Program) -> "Builder":
        """A builder that starts from `program`, whose values keep their indices; what is added is inlined."""
        builder = cls(inline=True)
        builder.names = dict(program.names)
        builder.instructions = list(program.instructions)
        builder._types = list(program.types)
        builder._inputs = dict(program.inputs)
        builder._constants = dict(program.constants)
        builder._known = dict(program.known)
        builder._numbers = dict(program.known)
        return builder

    @property
    def inputs(self) -> Mapping[str, int]:
        """The inputs so far."""
        return self._inputs

    @property
    def constants(self) -> Mapping[int, Array]:
        """The constants so far."""
        return self._constants

    def value(self, index: int) -> Value:
        """The value of that index."""
        return Value(self, index, self._types[index])

    def input(self, name: str, type_: TensorType, known: Array | None = None) -> Value:
        """A new named input; `known` are its numbers where the program may be shaped by them, as by a mask."""
        value = self._new(type_)
        self._inputs[name] = value.index
        if known is not None:
            self._known[value.index] = self._numbers[value.index] = known
        return value

    def constant(self, value: Array) -> Value:
        """A value known now; equal scalars share one."""
        key = (value.dtype.name, value.tobytes()) if value.ndim == 0 else None
        if key is not None and key in self._scalars:
            return self._scalars[key]
        constant = self._new(TensorType(value.shape, value.dtype))
        self._constants[constant.index] = np.ascontiguousarray(value).reshape(value.shape)
        if key is not None:
            self._scalars[key] = constant
        return constant

    def adopt(self, tensor: Tensor) -> Value:
        """A value of this program as it is, an eager tensor as a constant."""
        if isinstance(tensor, Value):
            return tensor
        return self.constant(tensor.numpy())  # type: ignore[attr-defined]  # an eager tensor has its numbers

    def placeholder(self, type_: TensorType) -> Value:
        """A value that nothing makes: a template says elsewhere what takes its place."""
        return self._new(type_)

    def known(self, value: Value, *, compute: bool = True) -> Array | None:
        """The numbers of a constant or known input, or of what follows from these alone; None for any other value.

        Without `compute`, what would have to be computed is None too.
        """
        index = value.index
        found = self._constants.get(index)
        if found is None:
            found = self._numbers.get(index)
        if found is not None or not compute or index not in self._derived:
            return found
        from gradcheck.engine.evaluate import evaluate  # the engine stands on this module

        steps = tuple(
            each
            for each in self.instructions
            if self._derived.issuperset(each.outputs) and any(output not in self._numbers for output in each.outputs)
        )
        program = Program(tuple(self._types), {}, {**self._constants, **self._numbers}, steps, (index,)).pruned()
        (found,) = evaluate(program, {})
        assert found is not None
        self._numbers[index] = found
        return found

    def learn(self, value: Tensor, numbers: Array) -> None:
        """Take note of the numbers that a computed value is bound to have: `tf.shape(x)`."""
        self._numbers[value.key] = numbers

    def apply(
        self,
        op: "Op",
        operands: Operands,
        attributes: Mapping[str, Any],
        types: Sequence[TensorType],
        written: Mapping[str, Any] | None = None,
    ) -> list[Tensor]:
        """Append `op`; gives its new values."""
        outputs = [self._new(type_) for type_ in types]
        indices = tuple((name, _indices(operand)) for name, operand in operands.items())
        results = tuple(each.index for each in outputs)
        instruction = Instruction(op, indices, attributes, results, self.span, self.tapes, written)
        self.instructions.append(instruction)
        known = (self._constants, self._numbers, self._derived)
        if all(any(index in each for each in known) for index in instruction.inputs):
            self._derived.update(instruction.outputs)
        return list(outputs)

    def finish(self, outputs: Sequence[Tensor | None]) -> Program:
        """The program so far, giving `outputs`; None stands for a gradient that is not connected."""
        indices = tuple(None if each is None else each.key for each in outputs)
        return Program(
            types=tuple(self._types),
            inputs=dict(self._inputs),
            constants=dict(self._constants),
            instructions=tuple(self.instructions),
            outputs=indices,
            names=dict(self.names),
            known=dict(self._known),
        )

    def _new(self, type_: TensorType) -> Value:
        if self.max_elements is not None and prod(type_.shape) > self.max_elements:
            raise TooLarge(f"a tensor of shape {list(type_.shape)} has more than {self.max_elements} elements")
        self._types.append(type_)
        return Value(self, len(self._types) - 1, type_)


def _indices(operand: "Tensor | tuple[Tensor, ...]") -> Operand:
    return tuple(each.key for each in operand) if isinstance(operand, tuple) else operand.key


_current: ContextVar[Context] = ContextVar("gradcheck context")


def current_context() -> Context:
    """Where an operation without tensors among its arguments happens: the builder in use, else the eager context."""
    context = _current.get(None)
    if context is None:
        from gradcheck.engine.eager import EAGER  # the engine stands on this module

        return EAGER
    return context


@contextmanager
def building(builder: Builder) -> Iterator[Builder]:
    """Let operations without tensors among their arguments (`tf.zeros([2])`) append to `builder`."""
    token = _current.set(builder)
    try:
        yield builder
    finally:
        _current.reset(token)


def as_array(literal: Any, dtype: DType | None = None) -> Array:
    """A Python number or nested list as an array; without `dtype` that of TensorFlow: float32, int32, bool, complex128.

    Integers too large for int32 become int64.
    Raises `ValueError` if the literal is ragged, or holds what `dtype` cannot.
    """
    typed = isinstance(literal, (np.ndarray, np.generic))
    array = np.asarray(literal)
    if array.dtype == object or array.dtype.kind in "USO":
        raise ValueError("this is not a number or an evenly nested list of numbers")
    if typed and dtype is None:
        return array
    if dtype is None:
        if array.size == 0 or array.dtype.kind == "f":
            dtype = np.dtype(np.float32)
        elif array.dtype.kind == "i":
            dtype = INT32 if np.array_equal(array.astype(INT32), array) else array.dtype
        else:
            dtype = array.dtype
    if array.size and not fits(array.dtype, dtype):
        raise ValueError(f"{_kind(array.dtype)} cannot become {dtype.name}")
    with np.errstate(over="ignore"):  # what is too large becomes infinite, as in TensorFlow
        return array.astype(dtype)


def fits(literal: DType, dtype: DType) -> bool:
    """Whether TensorFlow lets a Python literal of NumPy dtype `literal` take the dtype `dtype`."""
    rank = {"b": 0, "i": 1, "u": 1, "f": 2, "V": 2, "c": 3}
    if (literal.kind == "b") != (dtype.kind == "b"):
        return False
    return rank[literal.kind] <= rank[dtype.kind]


def _kind(dtype: DType) -> str:
    return {"b": "a bool", "i": "an integer", "u": "an integer", "f": "a float", "c": "a complex number"}[dtype.kind]
