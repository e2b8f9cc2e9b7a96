"""Variables: tensors that can be given other numbers, and that gradients can be taken by whatever they hold."""

from collections.abc import Callable
from typing import Any, Self

import numpy as np

from gradcheck.dtypes import Array, DType
from gradcheck.engine.eager import EAGER, EagerTensor, converted, new_key, tensor
from gradcheck.engine.reverse import Record
from gradcheck.ops.taping import READ
from gradcheck.ops.vocabulary import tf
from gradcheck.tensors import Context, Tensor


class Variable(Tensor):
    """`tf.Variable`, on this engine; every operation takes it as a tensor of the numbers that it holds at that time.

    A gradient belongs to the variable, not to what was assigned to it:

    >>> a, c = Variable(1.0), Variable(0.0)
    >>> with GradientTape() as tape:
    ...     y = c.assign(a + 2.0) ** 2.0
    >>> by_a, by_c = tape.gradient(y, [a, c])
    >>> by_a is None, float(by_c)
    (True, 6.0)

    A tape watches what is accessed inside it, unless the variable is not `trainable`. Its shape and dtype stay what
    they were: what is assigned must have the same, or be numbers that can take them. Raises `ValueError` if not.
    """

    def __init__(
        self,
        initial_value: Any,
        trainable: bool = True,
        *,
        name: str | None = None,
        dtype: str | DType | None = None,
    ) -> None:
        start = tensor(initial_value, dtype)
        self.type = start.type
        self.context: Context = EAGER
        self.trainable = trainable
        self.name = "Variable" if name is None else name
        self._key = new_key()
        self._held = start.value

    @property
    def key(self) -> int:
        return self._key

    def read_value(self) -> EagerTensor:
        """A tensor of what it holds now, by which tapes find their way back to the variable."""
        self._access()
        read = EagerTensor(self._held)
        if EAGER.recorders:
            EAGER.note(Record(READ, [self, EagerTensor(self._held)], [read], {}))
        return read

    value = read_value

    def numpy(self) -> Array:
        """The numbers that it holds; not to be written to."""
        self._access()
        return self._held

    def assign(self, value: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True) -> Self:
        """Hold `value` from now on. Like every update it gives the variable; no tape follows what is assigned."""
        del use_locking, name, read_value  # how TensorFlow's graphs do it, not what
        return self._update(lambda _: value)

    def assign_add(
        self, delta: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True
    ) -> Self:
        """Hold `delta`, of the variable's own shape, more."""
        del use_locking, name, read_value
        return self._update(lambda held: held + converted(delta, self.type, "what is added to a variable"))

    def assign_sub(
        self, delta: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True
    ) -> Self:
        """Hold `delta`, of the variable's own shape, less."""
        del use_locking, name, read_value
        return self._update(lambda held: held - converted(delta, self.type, "what is subtracted from a variable"))

    def scatter_nd_update(self, indices: Any, updates: Any, name: str | None = None) -> Self:
        """Put `updates` at `indices`, as `tf.tensor_scatter_nd_update` does."""
        del name
        return self._update(lambda held: tf.tensor_scatter_nd_update(held, indices, updates))

    def scatter_nd_add(self, indices: Any, updates: Any, name: str | None = None) -> Self:
        """Add `updates` at `indices`, as `tf.tensor_scatter_nd_add` does."""
        del name
        return self._update(lambda held: tf.tensor_scatter_nd_add(held, indices, updates))

    def scatter_nd_sub(self, indices: Any, updates: Any, name: str | None = None) -> Self:
        """Subtract `updates` at `indices`, as `tf.tensor_scatter_nd_sub` does."""
        del name
        return self._update(lambda held: tf.tensor_scatter_nd_sub(held, indices, updates))

    def _update(self, compute: Callable[[EagerTensor], Any]) -> Self:
        self._access()
        with EAGER.followed_by(()):
            self._held = converted(compute(EagerTensor(self._held)), self.type, "the value of a variable").value
        return self

    def _access(self) -> None:
        for recorder in EAGER.recorders:
            recorder.accessed(self)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self.numpy(), dtype, copy=copy)

    def __bool__(self) -> bool:
        return bool(self.numpy())

    def __float__(self) -> float:
        return float(self.numpy())

    def __repr__(self) -> str:
        return f"<variable {self.name} {self.type}:\n{self._held}>"


def differentiated(value: Any, what: str) -> "EagerTensor | Variable":
    """A tensor or a variable, of which or by which a derivative is; raises `TypeError` for `what` is neither."""
    if not isinstance(value, (EagerTensor, Variable)):
        raise TypeError(f"{what} must be a tensor or a variable, not {value!r}")
    return value
