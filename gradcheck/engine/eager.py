"""The engine as a library: tensors that are computed at once, and a tape in the style of `tf.GradientTape`."""

from collections.abc import Mapping, Sequence
from itertools import count
from types import TracebackType
from typing import Any, Literal, Self

import numpy as np

from gradcheck.dtypes import DTYPES, DType, is_differentiable
from gradcheck.engine.kernels import kernel
from gradcheck.engine.reverse import Record, walk
from gradcheck.ops.declaration import Op
from gradcheck.ops.vocabulary import tf
from gradcheck.program import Array, TensorType
from gradcheck.tensors import Context, Operands, Tensor, as_array

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


class EagerContext:
    """Computes each operation as it is applied, and tells the tapes that are recording."""

    inline = True
    max_elements: int | None = None

    def __init__(self) -> None:
        self.tapes: list[GradientTape] = []

    def constant(self, value: Array) -> EagerTensor:
        return EagerTensor(value)

    def apply(
        self, op: Op, operands: Operands, attributes: Mapping[str, Any], types: Sequence[TensorType]
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
        for tape in self.tapes:
            tape.record(Record(op, inputs, outputs, attributes))
        return outputs


EAGER = EagerContext()


def tensor(value: Any, dtype: str | DType | None = None) -> EagerTensor:
    """A tensor of the numbers in `value`: an array, a number or an evenly nested list.

    Without `dtype`, an array keeps its own and Python numbers become float32, int32, bool or complex128, as in
    TensorFlow. Raises `ValueError` if `value` is not that, `KeyError` for an unknown dtype name.
    """
    if isinstance(value, EagerTensor):
        value = value.value
    wanted = DTYPES[dtype] if isinstance(dtype, str) else dtype
    array = as_array(value, wanted)
    array = array.copy() if array is value else array
    array.setflags(write=False)
    return EagerTensor(array)


class GradientTape:
    """Records what is computed from watched tensors, to differentiate it: `tf.GradientTape`, on this engine.

    >>> x = tensor([1.0, 2.0])
    >>> with GradientTape() as tape:
    ...     tape.watch(x)
    ...     y = x * x
    >>> tape.gradient(y, x).numpy()
    array([2., 4.], dtype=float32)
    """

    def __init__(self, persistent: bool = False) -> None:
        self._persistent = persistent
        self._used = False
        self._watched: set[int] = set()
        self._kept: list[Tensor] = []
        self._records: list[Record] = []

    def __enter__(self) -> Self:
        EAGER.tapes.append(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        EAGER.tapes.remove(self)

    def watch(self, tensors: Any) -> None:
        """Record from now on what is computed from `tensors`: one, or a list or dict of them."""
        for each in _flat(tensors):
            self._watched.add(each.key)
            self._kept.append(each)

    def record(self, record: Record) -> None:
        """Note an operation, if it has a watched tensor among its inputs; its outputs are then watched too."""
        if any(each.key in self._watched for each in record.inputs):
            self._records.append(record)
            self._watched.update(each.key for each in record.outputs)

    def gradient(
        self,
        target: Any,
        sources: Any,
        output_gradients: Any = None,
        unconnected_gradients: Literal["none", "zero"] = "none",
    ) -> Any:
        """The gradient of (the sum of) `target` with respect to `sources`, in the structure of `sources`.

        `target` and `sources` are tensors, or lists or dicts of them; `output_gradients` has one cotangent of the same
        shape for each target, ones by default. A source that no path reaches gives None, or zeros if asked for.
        Raises `RuntimeError` at the second call unless the tape is persistent.
        """
        if self._used and not self._persistent:
            raise RuntimeError("this tape gives one set of gradients; GradientTape(persistent=True) gives any number")
        self._used = True
        recording = self in EAGER.tapes
        if recording and not self._persistent:
            EAGER.tapes.remove(self)
        targets = _flat(target)
        given = _flat(output_gradients) if output_gradients is not None else [tf.ones_like(each) for each in targets]
        if len(given) != len(targets):
            raise ValueError(f"{len(targets)} targets need as many output_gradients, not {len(given)}")
        seeds = []
        for each, cotangent in zip(targets, given, strict=True):
            seed = cotangent if isinstance(cotangent, Tensor) else tensor(cotangent, each.dtype)
            if seed.type != each.type:
                raise ValueError(f"the cotangent of a target {each.type} cannot be {seed.type}")
            if is_differentiable(each.dtype):
                seeds.append((each, seed))
        flat = _flat(sources)
        watched = [each for each in flat if each.key in self._watched]
        found = dict(zip((each.key for each in watched), walk(tuple(self._records), seeds, watched), strict=True))
        if recording and not self._persistent:
            EAGER.tapes.append(self)
        gradients = [found.get(each.key) for each in flat]
        if unconnected_gradients == "zero":
            gradients = [
                tf.zeros_like(each) if part is None else part for each, part in zip(flat, gradients, strict=True)
            ]
        return _packed(sources, iter(gradients))


def _flat(nest: Any) -> list[Tensor]:
    if isinstance(nest, Tensor):
        return [nest]
    if isinstance(nest, dict):
        return [leaf for each in nest.values() for leaf in _flat(each)]
    if isinstance(nest, (list, tuple)):
        return [leaf for each in nest for leaf in _flat(each)]
    return [tensor(nest)]


def _packed(nest: Any, leaves: Any) -> Any:
    if isinstance(nest, dict):
        return {name: _packed(each, leaves) for name, each in nest.items()}
    if isinstance(nest, (list, tuple)):
        return type(nest)(_packed(each, leaves) for each in nest)
    return next(leaves)
