"""A case's expression as a flat list of operations: what every engine runs.

Single assignment: each instruction makes new values from earlier ones, so the list is in topological order. A value is
known by its index; its type (shape and dtype) is known before anything runs.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from gradcheck.diagnostics import Span
from gradcheck.dtypes import Array, DType

if TYPE_CHECKING:
    from gradcheck.ops.declaration import Op

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TensorType:
    """What is known of a value before it is computed."""

    shape: Shape
    dtype: DType

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def __str__(self) -> str:
        return f"{self.dtype.name}{list(self.shape)}"


Operand = int | tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Instruction:
    """`outputs = op(operands, attributes)`.

    `operands` has, by parameter name, the index of a value or a tuple of them for a parameter that takes a list;
    `inputs` are the same indices in one row. `attributes` are the arguments known when the program was built. `tapes`
    are those that the user's own code has recording at that moment. An instruction without outputs is done for its
    effect, on a tape or a variable.
    """

    op: "Op"
    operands: tuple[tuple[str, Operand], ...]
    attributes: Mapping[str, Any]
    outputs: tuple[int, ...]
    span: Span | None = None
    tapes: tuple["Tape", ...] = ()
    written: Mapping[str, Any] | None = None
    """The attributes as they were written, where the operation has its own form for them: `axis=-1`, not `[1]`."""
    inputs: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        flat: list[int] = []
        for _, operand in self.operands:
            flat.extend(operand if isinstance(operand, tuple) else (operand,))
        object.__setattr__(self, "inputs", tuple(flat))


@dataclass(frozen=True, slots=True)
class Tape:
    """A tape, or a forward accumulator, in the user's own code; `number` tells those of one program apart."""

    number: int
    kind: Literal["tape", "accumulator"] = "tape"
    persistent: bool = False
    watch_accessed: bool = True
    """Whether variables are watched as soon as they are read."""


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """Instructions to be carried out elsewhere, with other values in the place of `inputs`, for those of `outputs`.

    They are the forward and the backward of a function with a gradient of its own; an output of None is a gradient
    that this says is not connected.
    """

    instructions: tuple[Instruction, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int | None, ...]

    @property
    def captured(self) -> tuple[int, ...]:
        """The values from outside that it reads."""
        made = {index for each in self.instructions for index in each.outputs}
        read = [index for each in self.instructions for index in each.inputs]
        read += [index for index in self.outputs if index is not None]
        return tuple(dict.fromkeys(index for index in read if index not in made and index not in self.inputs))


@dataclass(frozen=True, eq=False)
class Program:
    """Inputs by name, constants by index, instructions in order, and the indices of what comes out.

    An output of None is a gradient that is not connected. `names` are the user's own names for values.
    """

    types: tuple[TensorType, ...]
    inputs: Mapping[str, int]
    constants: Mapping[int, Array]
    instructions: tuple[Instruction, ...]
    outputs: tuple[int | None, ...]
    names: Mapping[int, str] = field(default_factory=dict)
    known: Mapping[int, Array] = field(default_factory=dict)
    """The numbers of inputs by which the program is shaped: it holds for these alone."""

    @cached_property
    def labels(self) -> dict[int, str]:
        """How each value is called in print: its input name, a small constant's number, or `%` and its index."""
        labels = {index: f"%{index}" for index in range(len(self.types))}
        labels |= {index: constant_text(value) for index, value in self.constants.items()}
        labels |= {index: name for name, index in self.inputs.items()}
        return labels

    def pruned(self) -> "Program":
        """The same program without the instructions that no output needs; values keep their indices."""
        needed = {index for index in self.outputs if index is not None}
        kept: list[Instruction] = []
        for instruction in reversed(self.instructions):
            if not instruction.outputs or not needed.isdisjoint(instruction.outputs):
                needed.update(instruction.inputs)
                kept.append(instruction)
        constants = {index: value for index, value in self.constants.items() if index in needed}
        return replace(self, constants=constants, instructions=tuple(reversed(kept)))

    def __str__(self) -> str:
        lines = [f"{name}: {self.types[index]}" for name, index in self.inputs.items()]
        lines += [self.line(instruction) for instruction in self.instructions]
        outputs = ("not connected" if index is None else self.labels[index] for index in self.outputs)
        return "\n".join([*lines, f"return {', '.join(outputs)}"])

    def line(self, instruction: Instruction) -> str:
        """One instruction as text: `%3: float32[2, 2] = tf.matmul(x, %1, transpose_a=True)`."""
        outputs = ", ".join(f"{self._defined(index)}: {self.types[index]}" for index in instruction.outputs)
        return f"{outputs} = {self.call(instruction)}" if outputs else self.call(instruction)

    def call(self, instruction: Instruction, names: Mapping[int, str] | None = None) -> str:
        """The right-hand side of an instruction's line, with the arguments that differ from TensorFlow's defaults.

        Its operands are called by their `labels`, or as `names` says.
        """
        called = self.labels if names is None else names
        parameters = instruction.op.signature.parameters.values()
        if any(each.kind is each.VAR_POSITIONAL for each in parameters):  # `tf.einsum("ij,jk->ik", x, y)`
            named = instruction.attributes.get("kwargs", {})
            leading = [_attribute_text(value) for value in instruction.attributes.values() if value is not named]
            spread = [called[index] for index in instruction.inputs]
            trailing = [f"{name}={_attribute_text(value)}" for name, value in named.items()]
            return f"{instruction.op.name}({', '.join([*leading, *spread, *trailing])})"
        operands, defaults = _operands(instruction, called), instruction.op.defaults
        attributes = (
            f"{name}={_attribute_text(value)}"
            for name, value in instruction.attributes.items()
            if name not in defaults or not _same(value, defaults[name])
        )
        return f"{instruction.op.name}({', '.join([*operands, *attributes])})"

    def _defined(self, index: int) -> str:
        return f"{self.labels[index]} ({self.names[index]})" if index in self.names else self.labels[index]


def constant_text(value: Array) -> str:
    """A constant as it would be typed; a large one as its type alone."""
    if value.size > 8:
        return f"<{TensorType(value.shape, value.dtype)}>"
    return np.array2string(value.astype(_printable(value.dtype)), separator=", ", max_line_width=10**6).replace(
        "\n", ""
    )


def _operands(instruction: Instruction, called: Mapping[int, str]) -> list[str]:
    """The operands in order; one that follows a parameter of another kind needs its name."""
    places = {name: place for place, name in enumerate(instruction.op.signature.parameters)}
    texts = []
    for place, (name, operand) in enumerate(instruction.operands):
        text = f"[{', '.join(called[each] for each in operand)}]" if isinstance(operand, tuple) else called[operand]
        texts.append(text if places.get(name, place) == place else f"{name}={text}")
    return texts


def _printable(dtype: DType) -> DType:
    return np.dtype(np.float32) if dtype.name == "bfloat16" else dtype


def _same(left: Any, right: Any) -> bool:
    return type(left) is type(right) and bool(left == right)


def _attribute_text(value: Any) -> str:
    if isinstance(value, np.dtype):
        return f"tf.{value.name}"
    if isinstance(value, tuple):
        return f"[{', '.join(map(_attribute_text, value))}]"
    if isinstance(value, Template):
        return f"<{len(value.instructions)} instructions>"
    if isinstance(value, Tape):
        return f"{value.kind}{value.number}"
    return repr(value)


def producers(instructions: Iterable[Instruction]) -> dict[int, Instruction]:
    """The instruction that makes each value."""
    return {index: instruction for instruction in instructions for index in instruction.outputs}
