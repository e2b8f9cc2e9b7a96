"""Many rows at once: instructions that were written for one row, written again for a whole batch of rows.

What depends on the row gets one more axis in front; what does not is written once and stays as it is. The result is
made of ordinary operations, which can be differentiated and vectorized again.
"""

from collections.abc import Sequence

from gradcheck.ops.batching import Call, Layout
from gradcheck.ops.declaration import listed
from gradcheck.ops.vocabulary import tf
from gradcheck.program import Instruction, TensorType
from gradcheck.tensors import Builder, Tensor


class Rows:
    """Writes instructions in `builder` for all the rows in which a placeholder takes one of the values in `stacked`.

    `stacked` has the placeholder's shape behind an axis for the rows, of which there is at least one.
    """

    def __init__(self, builder: Builder, placeholder: Tensor, stacked: Tensor) -> None:
        self._builder = builder
        self._count = stacked.shape[0]
        self._stacked: dict[int, Tensor] = {placeholder.key: stacked}

    def stacked(self, value: Tensor) -> Tensor:
        """What `value` is in each row, behind an axis for the rows; repeated if it is the same in all of them."""
        found = self._stacked.get(value.key)
        return self._repeated(value, 0) if found is None else found

    def write(self, each: Instruction) -> None:
        """Write one instruction: as it is, where no operand depends on the row; once, by its rule; or row by row."""
        varied = tuple(index in self._stacked for index in each.inputs)
        if not any(varied):
            self._builder.instructions.append(each)
            return
        layout = None
        if each.op.batching is not None:
            call = Call(self._count, varied, self._types(each.inputs), self._types(each.outputs))
            layout = each.op.batching(call, **each.attributes)
        results = self._one_by_one(each) if layout is None else self._at_once(each, layout)
        self._stacked.update(zip(each.outputs, results, strict=True))

    def _types(self, indices: Sequence[int]) -> tuple[TensorType, ...]:
        return tuple(self._builder.value(index).type for index in indices)

    def _at_once(self, each: Instruction, layout: Layout) -> list[Tensor]:
        op = each.op
        placed = iter([self._placed(*pair, layout.ndim) for pair in zip(each.inputs, layout.inputs, strict=True)])
        arguments = {
            name: tuple(next(placed) for _ in operand) if isinstance(operand, tuple) else next(placed)
            for name, operand in each.operands
        }
        operands = dict(arguments)
        arguments |= layout.attributes
        types, attributes = op.invoke({name: arguments[name] for name in op.signature.parameters if name in arguments})
        results = self._builder.apply(op, operands, attributes, listed(types))
        return [_moved(result, layout.output, 0) for result in results]

    def _placed(self, index: int, place: int | None, ndim: int) -> Tensor:
        """An operand with the axis of the rows where the layout wants it."""
        value = self._builder.value(index)
        stacked = self._stacked.get(index)
        if place is None:
            assert stacked is None, "the layout has no place for the axis of the rows"
            return value
        if stacked is None:
            return self._repeated(value, place)
        if value.ndim < ndim:
            stacked = tf.reshape(stacked, (self._count, *(1,) * (ndim - value.ndim), *value.shape))
        return _moved(stacked, 0, place)

    def _repeated(self, value: Tensor, place: int) -> Tensor:
        before, after = value.shape[:place], value.shape[place:]
        single = tf.expand_dims(value, place) if place else value
        repeated: Tensor = tf.broadcast_to(single, (*before, self._count, *after))
        return repeated

    def _one_by_one(self, each: Instruction) -> list[Tensor]:
        apart = {
            index: tf.unstack(self._stacked[index]) for index in dict.fromkeys(each.inputs) if index in self._stacked
        }
        types = self._types(each.outputs)
        rows = []
        for row in range(self._count):
            values = {
                index: apart[index][row] if index in apart else self._builder.value(index) for index in each.inputs
            }
            operands = {
                name: tuple(values[index] for index in operand) if isinstance(operand, tuple) else values[operand]
                for name, operand in each.operands
            }
            rows.append(self._builder.apply(each.op, operands, each.attributes, types))
        return [tf.stack(list(column)) for column in zip(*rows, strict=True)]


def _moved(tensor: Tensor, start: int, end: int) -> Tensor:
    """`tensor` with the axis `start` at `end`."""
    if start == end:
        return tensor
    order = [axis for axis in range(tensor.ndim) if axis != start]
    order.insert(end, start)
    moved: Tensor = tf.transpose(tensor, order)
    return moved
