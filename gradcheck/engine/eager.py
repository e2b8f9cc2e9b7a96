"""The engine as a library: tensors that are computed at once, and the recorders that are told of it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from gradcheck.dtypes import DTYPES, Array, DType
from gradcheck.engine.kernels import kernel
from gradcheck.engine.reverse import Record
from gradcheck.ops.declaration import Op
from gradcheck.program import TensorType
from gradcheck.tensors import Context, Operands, Tensor, as_array

if TYPE_CHECKING:
    from gradcheck.engine.variable import Variable

_keys = count()


class EagerTensor(Tensor):
    """A tensor whose numbers are there: `numpy()` gives them."""

    __slots__ = ("_key", "context", "type", "value")

    def __init__(self, value: Array) -> None:
        self.value = value
        self.type = TensorType(value.shape, value.dtype)
        self.context: Context = EAGER
        self._key = next(_keys)

    @property
    def key(self) -> int:
        return self._key

    def numpy(self) -> Array:
        """The numbers; shared with the tensor, so not to be written to."""
        return self.value

    def __bool__(self) -> bool:
        return bool(self.value)

    def __float__(self) -> float:
        return float(self.value)

    def __repr__(self) -> str:
        return f"<tensor {self.type}:\n{self.value}>"


def new_key() -> int:
    """The key of a new tensor or variable."""
    return next(_keys)


class Recorder(Protocol):
    """What follows everything that is computed: a tape, or a forward accumulator."""

    def record(self, record: Record, /) -> None:
        """An operation has taken place."""
        ...

    def accessed(self, variable: "Variable", /) -> None:
        """A variable is about to be read or assigned to."""
        ...


class EagerContext:
    """Computes each operation as it is applied, and tells `recorders`, of which the outermost comes first."""

    inline = True
    max_elements: int | None = None

    def __init__(self) -> None:
        self.recorders: list[Recorder] = []

    def constant(self, value: Array) -> EagerTensor:
        return EagerTensor(value)

    def adopt(self, tensor: Tensor) -> EagerTensor:
        """A tensor as it is; of a variable what it holds now."""
        if isinstance(tensor, EagerTensor):
            return tensor
        held: EagerTensor = tensor.read_value()  # type: ignore[attr-defined]  # a variable
        return held

    def apply(
        self,
        op: Op,
        operands: Operands,
        attributes: Mapping[str, Any],
        types: Sequence[TensorType],
        _written: Mapping[str, Any] | None = None,
    ) -> list[Tensor]:
        inputs: list[Tensor] = []
        for operand in operands.values():
            inputs.extend(operand if isinstance(operand, tuple) else (operand,))
        run = kernel(op, attributes, [each.type for each in inputs], types)
        with np.errstate(all="ignore"):
            result = run(*[each.value for each in inputs if isinstance(each, EagerTensor)])
        arrays = result if op.several else [result]
        outputs: list[Tensor] = [
            EagerTensor(np.asarray(each, type_.dtype)) for each, type_ in zip(arrays, types, strict=True)
        ]
        if self.recorders:
            self.note(Record(op, inputs, outputs, attributes))
        return outputs

    def note(self, record: Record) -> None:
        """Tell every recorder of an operation."""
        for recorder in tuple(self.recorders):
            recorder.record(record)

    @contextmanager
    def followed_by(self, recorders: Sequence[Recorder]) -> Iterator[None]:
        """Let these recorders alone know what is computed inside."""
        before = self.recorders
        self.recorders = list(recorders)
        try:
            yield
        finally:
            self.recorders = before


EAGER = EagerContext()


def tensor(value: Any, dtype: str | DType | None = None) -> EagerTensor:
    """A tensor of the numbers in `value`: an array, a number or an evenly nested list.

    Without `dtype`, an array keeps its own and Python numbers become float32, int32, bool or complex128, as in
    TensorFlow. Raises `ValueError` if `value` is not that, `KeyError` for an unknown dtype name.
    """
    if isinstance(value, Tensor):
        value = EAGER.adopt(value).value
    wanted = DTYPES[dtype] if isinstance(dtype, str) else dtype
    array = as_array(value, wanted)
    array = array.copy() if array is value else array
    array.setflags(write=False)
    return EagerTensor(array)


def converted(value: Any, type_: TensorType, whole: str) -> EagerTensor:
    """A tensor as it is, and a number, an array or a list as a tensor, of exactly this type.

    Raises `ValueError` if it has another type; `whole` says what is to be of this type, such as "a variable".
    """
    made = EAGER.adopt(value) if isinstance(value, Tensor) else tensor(value, type_.dtype)
    if made.type != type_:
        raise ValueError(f"{whole} {type_} cannot be {made.type}")
    return made
