"""Instructions that are written aside: the bodies of functions that TensorFlow calls by itself."""

from collections.abc import Callable, Sequence
from typing import Any

from gradcheck.language.structures import as_tensor
from gradcheck.language.variables import Variable
from gradcheck.program import Instruction, Template
from gradcheck.tensors import Builder, Tensor


def aside(builder: Builder, read: Callable[[], Any]) -> tuple[Any, tuple[Instruction, ...]]:
    """What `read` gives, and the instructions that it wrote, taken out of the program again."""
    since, tapes, span = len(builder.instructions), builder.tapes, builder.span
    builder.tapes = ()
    try:
        result = read()
    finally:
        builder.tapes, builder.span = tapes, span
        written = tuple(builder.instructions[since:])
        del builder.instructions[since:]
    return result, written


def template(
    instructions: tuple[Instruction, ...], inputs: Sequence[Tensor], outputs: Sequence[Tensor | None]
) -> Template:
    """Instructions that were written aside, with what takes the place of `inputs` when they are carried out."""
    keys = tuple(None if each is None else each.key for each in outputs)
    return Template(instructions, tuple(each.key for each in inputs), keys)


def captured(builder: Builder, *templates: Template) -> tuple[Tensor, ...]:
    """The values from outside that templates read, each once."""
    read = dict.fromkeys(index for each in templates for index in each.captured)
    return tuple(builder.value(index) for index in read)


def tensor(value: Any) -> Tensor:
    """What a variable holds, and what is not a tensor yet as a constant."""
    return value.read() if isinstance(value, Variable) else as_tensor(value)
