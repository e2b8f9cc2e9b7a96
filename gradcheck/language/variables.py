"""`tf.Variable` in an expression: what it holds changes, what gradients are taken by does not."""

from collections.abc import Mapping
from typing import Any

from gradcheck.language.objects import Method
from gradcheck.language.structures import as_tensor
from gradcheck.ops.declaration import OpError
from gradcheck.ops.taping import ASSIGN, NEW, READ
from gradcheck.ops.vocabulary import tf
from gradcheck.tensors import Builder, Tensor, Value


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
        updates = {
            "assign": lambda value: value,
            "assign_add": lambda value: self._current + value,
            "assign_sub": lambda value: self._current - value,
            "scatter_nd_update": lambda indices, updates: tf.tensor_scatter_nd_update(self._current, indices, updates),
            "scatter_nd_add": lambda indices, updates: tf.tensor_scatter_nd_add(self._current, indices, updates),
            "scatter_nd_sub": lambda indices, updates: tf.tensor_scatter_nd_sub(self._current, indices, updates),
        }
        return {
            "shape": self.handle.shape,
            "dtype": self.handle.dtype,
            "ndim": self.handle.ndim,
            "read_value": Method("read_value", self.read),
            "value": Method("value", self.read),
            **{name: Method(name, self._updating(name, compute)) for name, compute in updates.items()},
        }

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
