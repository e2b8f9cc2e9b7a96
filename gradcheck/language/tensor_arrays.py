"""`tf.TensorArray` in an expression: a row of tensors, each written once."""

from collections.abc import Mapping
from typing import Any

from gradcheck.dtypes import DType
from gradcheck.language.objects import Method
from gradcheck.language.static import MAX_LENGTH, StaticError
from gradcheck.language.structures import as_tensor
from gradcheck.ops.vocabulary import tf
from gradcheck.tensors import Tensor


class TensorArray:
    """What is written gives a new array, as in TensorFlow; a place that nothing was written to cannot be read."""

    kind = "a TensorArray"

    def __init__(self, dtype: DType, rows: Mapping[int, Tensor], size: int, *, grows: bool) -> None:
        self._dtype = dtype
        self._rows = dict(rows)
        self._size = size
        self._grows = grows

    @property
    def members(self) -> Mapping[str, Any]:
        methods: dict[str, Any] = {
            "concat": lambda name=None: tf.concat(self._all(), 0),
            "gather": lambda indices, name=None: tf.stack([self._read(each) for each in indices]),
            "read": lambda index, name=None: self._read(index),
            "scatter": lambda indices, value, name=None: self._scattered(indices, value),
            "size": lambda name=None: self._size,
            "split": lambda value, lengths, name=None: self._written(enumerate(tf.split(value, lengths))),
            "stack": lambda name=None: tf.stack(self._all()),
            "unstack": lambda value, name=None: self._written(enumerate(tf.unstack(value))),
            "write": lambda index, value, name=None: self._written([(index, value)]),
        }
        return {name: Method(name, run, raw=False) for name, run in methods.items()} | {"dtype": self._dtype}

    def _place(self, index: Any) -> int:
        if not isinstance(index, int) or not 0 <= index < (MAX_LENGTH if self._grows else self._size):
            raise StaticError(f"a place in a TensorArray of size {self._size} cannot be {index!r}")
        return index

    def _written(self, entries: Any) -> "TensorArray":
        rows = dict(self._rows)
        for index, value in entries:
            rows[self._place(index)] = as_tensor(value, self._dtype)
        size = max([self._size, *(place + 1 for place in rows)])
        return TensorArray(self._dtype, rows, size, grows=self._grows)

    def _scattered(self, indices: Any, value: Any) -> "TensorArray":
        return self._written(zip(indices, tf.unstack(value), strict=True))

    def _read(self, index: Any) -> Tensor:
        place = self._place(index)
        if place not in self._rows:
            raise StaticError(f"nothing was written to place {place} of the TensorArray")
        return self._rows[place]

    def _all(self) -> list[Tensor]:
        """Every entry; a place that was left out holds zeros, in the shape of the others."""
        if not self._rows:
            raise StaticError("nothing was written to the TensorArray")
        shape = next(iter(self._rows.values())).shape
        return [self._rows[at] if at in self._rows else tf.zeros(shape, self._dtype) for at in range(self._size)]


def _new(
    dtype: DType,
    size: int | None = None,
    dynamic_size: bool | None = None,
    clear_after_read: Any = None,
    tensor_array_name: Any = None,
    handle: Any = None,
    flow: Any = None,
    infer_shape: Any = True,
    element_shape: Any = None,
    colocate_with_first_write_call: Any = True,
    name: Any = None,
) -> TensorArray:
    if not isinstance(size or 0, int) or (size or 0) > MAX_LENGTH:
        raise StaticError(f"a TensorArray has at most {MAX_LENGTH} places, not {size!r}")
    return TensorArray(dtype, {}, size or 0, grows=bool(dynamic_size))


CONSTRUCTORS = {"tf.TensorArray": Method("tf.TensorArray", _new, raw=False)}
