"""Programs about eager tensors: written down first, so that they can be looked at as a whole, and carried out then."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from gradcheck.engine.eager import EAGER, EagerTensor
from gradcheck.engine.reverse import Record
from gradcheck.tensors import Builder, Tensor, Value, building


class Draft(Builder):
    """A builder whose values stand for eager tensors; recorders follow what is carried out in the end, and no more."""

    def __init__(self) -> None:
        super().__init__(inline=True)
        self._copies: dict[int, Value] = {}
        self._originals: dict[int, EagerTensor] = {}

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Let operations without tensors among their arguments be written here."""
        with building(self):
            yield

    def copy(self, tensor: Tensor) -> Value:
        """What stands for `tensor`, always the same value. A variable's has no numbers: it is a name for gradients."""
        found = self._copies.get(tensor.key)
        if found is None:
            numbers = tensor.value if isinstance(tensor, EagerTensor) else None
            found = self._copies[tensor.key] = self.input(f"{tensor.key}", tensor.type, numbers)
            if isinstance(tensor, EagerTensor):
                self._originals[found.index] = tensor
        return found

    def record(self, record: Record) -> Record:
        """The same operation on what stands for its tensors."""
        inputs, outputs = map(self.copy, record.inputs), map(self.copy, record.outputs)
        return Record(record.op, list(inputs), list(outputs), record.attributes)

    def records(self) -> list[Record]:
        """Everything that has been written."""
        return [
            Record(each.op, [*map(self.value, each.inputs)], [*map(self.value, each.outputs)], each.attributes)
            for each in self.instructions
        ]

    def carried_out(self, outputs: Sequence[Tensor | None]) -> list[EagerTensor | None]:
        """The tensors that `outputs` come to, None staying None; what they do not need is not computed."""
        program = self.finish(outputs).pruned()
        values: dict[int, Any] = dict(self._originals)
        values |= {index: EAGER.constant(array) for index, array in program.constants.items()}
        last = {index: place for place, each in enumerate(program.instructions) for index in each.inputs}
        for place, each in enumerate(program.instructions):
            operands = {
                name: tuple(values[index] for index in operand) if isinstance(operand, tuple) else values[operand]
                for name, operand in each.operands
            }
            if each.op.composite:
                results = each.op.invoke({**operands, **each.attributes})
            else:
                results = EAGER.apply(
                    each.op, operands, each.attributes, [program.types[index] for index in each.outputs]
                )
            values.update(zip(each.outputs, results, strict=True))
            for index in each.inputs:
                if last[index] == place and index not in program.outputs:
                    values.pop(index, None)
        return [None if index is None else values[index] for index in program.outputs]
