"""`tf.Variable` in an expression: what it holds changes, what gradients are taken by does not."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

from gradcheck.language.objects import Method
from gradcheck.language.structures import as_tensor
from gradcheck.ops.declaration import Op, OpError
from gradcheck.ops.taping import ASSIGN, GATHER_ND, NEW, READ, SPARSE_READ
from gradcheck.ops.vocabulary import tf
from gradcheck.tensors import Builder, Tensor, Value


class IndexedSlices(NamedTuple):
    """`tf.IndexedSlices`: rows, and the places in the first axis that they belong to."""

    values: Tensor
    indices: Tensor


def _slices(values: Any, indices: Any, dense_shape: Any = None) -> IndexedSlices:
    return IndexedSlices(as_tensor(values), as_tensor(indices))


CONSTRUCTORS = {"tf.IndexedSlices": Method("tf.IndexedSlices", _slices, raw=False)}

_SCATTERED: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "scatter_nd_add": lambda held, indices, updates: tf.tensor_scatter_nd_add(held, indices, updates),
    "scatter_nd_sub": lambda held, indices, updates: tf.tensor_scatter_nd_sub(held, indices, updates),
    "scatter_nd_update": lambda held, indices, updates: tf.tensor_scatter_nd_update(held, indices, updates),
}
_SLICED: dict[str, Callable[[Tensor, IndexedSlices], Tensor]] = {
    "scatter_add": lambda held, rows: tf.tensor_scatter_nd_add(held, _places(rows), rows.values),
    "scatter_div": lambda held, rows: held / _factors(held, rows),
    "scatter_max": lambda held, rows: tf.tensor_scatter_nd_max(held, _places(rows), rows.values),
    "scatter_min": lambda held, rows: tf.tensor_scatter_nd_min(held, _places(rows), rows.values),
    "scatter_mul": lambda held, rows: held * _factors(held, rows),
    "scatter_sub": lambda held, rows: tf.tensor_scatter_nd_sub(held, _places(rows), rows.values),
    "scatter_update": lambda held, rows: tf.tensor_scatter_nd_update(held, _places(rows), rows.values),
}


def _places(rows: IndexedSlices) -> Tensor:
    places: Tensor = tf.expand_dims(rows.indices, -1)
    return places


def _factors(held: Tensor, rows: IndexedSlices) -> Tensor:
    """What each row of `held` is multiplied by: the product of all that is meant for it."""
    factors: Tensor = tf.math.unsorted_segment_prod(rows.values, rows.indices, held.shape[0])
    return factors


class Variable:
    """A variable; `handle` is the value by which gradients with respect to it are asked for."""

    kind = "a variable"

    def __init__(self, builder: Builder, handle: Value, *, tracked: bool) -> None:
        self.handle = handle
        self._builder = builder
        self._tracked = tracked
        self._current: Tensor = handle

    @classmethod
    def new(cls, builder: Builder, initial: Any, dtype: Any = None) -> "Variable":
        """`tf.Variable(initial)` in the expression itself."""
        start = tf.convert_to_tensor(initial, dtype=dtype)
        (handle,) = builder.apply(NEW, {"initial": start}, {}, [start.type])
        assert isinstance(handle, Value)
        return cls(builder, handle, tracked=True)

    def read(self) -> Tensor:
        """What it holds now. Where nothing is assigned and no tape is at work, the input itself."""
        if not self._tracked:
            return self.handle
        operands = {"variable": self.handle, "current": self._current}
        return self._builder.apply(READ, operands, {}, [self.handle.type])[0]

    @property
    def members(self) -> Mapping[str, Any]:
        updates: dict[str, Callable[..., Any]] = {
            "assign": lambda value: value,
            "assign_add": lambda value: self._current + value,
            "assign_sub": lambda value: self._current - value,
            **{name: partial(self._scattered, compute) for name, compute in _SCATTERED.items()},
            **{name: partial(self._sliced, compute) for name, compute in _SLICED.items()},
        }
        return {
            "shape": self.handle.shape,
            "dtype": self.handle.dtype,
            "ndim": self.handle.ndim,
            "gather_nd": Method("gather_nd", lambda indices, name=None: self._read_at(GATHER_ND, indices)),
            "read_value": Method("read_value", self.read),
            "sparse_read": Method("sparse_read", lambda indices, name=None: self._read_at(SPARSE_READ, indices)),
            "value": Method("value", self.read),
            **{name: Method(name, self._updating(name, compute)) for name, compute in updates.items()},
        }

    def _scattered(self, compute: Callable[..., Tensor], indices: Any, updates: Any) -> Tensor:
        return compute(self._current, indices, updates)

    def _sliced(self, compute: Callable[..., Tensor], sparse_delta: Any) -> Tensor:
        if not isinstance(sparse_delta, IndexedSlices):
            raise OpError("rows are given as `tf.IndexedSlices(values, indices)`", argument="sparse_delta")
        return compute(self._current, sparse_delta)

    def _read_at(self, op: Op, indices: Any) -> Tensor:
        """Rows or slices of what it holds; the gradient belongs to the variable."""
        at = as_tensor(indices)
        taken = (tf.gather if op is SPARSE_READ else tf.gather_nd)(self.handle, at)  # for its type, and its refusals
        operands = {"variable": self.handle, "current": self._current, "indices": at}
        return self._builder.apply(op, operands, {}, [taken.type])[0]

    def _updating(self, name: str, compute: Any) -> Any:
        def update(*arguments: Any, **keywords: Any) -> "Variable":
            for how in ("use_locking", "read_value", "name"):  # not what is computed
                keywords.pop(how, None)
            given = [each.read() if isinstance(each, Variable) else each for each in arguments]
            named = {key: each.read() if isinstance(each, Variable) else each for key, each in keywords.items()}
            self._assign(name, self._unrecorded(lambda: compute(*given, **named)))
            return self

        return update

    def _unrecorded(self, compute: Any) -> Any:
        """No tape follows what a variable is assigned, so what is added up for it is not recorded either."""
        tapes, self._builder.tapes = self._builder.tapes, ()
        try:
            return compute()
        finally:
            self._builder.tapes = tapes

    def _assign(self, name: str, value: Any) -> None:
        given = as_tensor(value, self.handle.dtype)
        if given.type != self.handle.type:
            raise OpError(f"`{name}`: a variable {self.handle.type} cannot take {given.type}", argument="value")
        self._builder.apply(ASSIGN, {"variable": self.handle, "value": given}, {}, [])
        self._current = given
