"""An engine with a tensor class of its own.

`Tensor` stands for yours, so that this file works as it is. Delete it, import your own, and adapt `engine` at the end.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck.subjects import TensorEngine

# from my_engine import Tensor


class Tensor:
    """An array, the tensors that it was made from, and for each of them the rule that hands its gradient on."""

    def __init__(self, data: Any, parents: "list[tuple[Tensor, Callable[[Any], Any]]] | None" = None) -> None:
        self.data = np.asarray(data)
        self.grad: np.ndarray | None = None
        self.parents = parents or []

    def __add__(self, other: Any) -> "Tensor":
        other = self._tensor(other)
        return Tensor(self.data + other.data, [(self, lambda g: g), (other, lambda g: g)])

    def __mul__(self, other: Any) -> "Tensor":
        other = self._tensor(other)
        return Tensor(self.data * other.data, [(self, lambda g: g * other.data), (other, lambda g: g * self.data)])

    __radd__, __rmul__ = __add__, __mul__

    def __matmul__(self, other: "Tensor") -> "Tensor":
        left, right = self.data.swapaxes(-1, -2), other.data.swapaxes(-1, -2)
        return Tensor(self.data @ other.data, [(self, lambda g: g @ right), (other, lambda g: left @ g)])

    def tanh(self) -> "Tensor":
        y = np.tanh(self.data)
        return Tensor(y, [(self, lambda g: g * (1 - y * y))])

    def sum(self, axis: Any = None, keepdims: bool = False) -> "Tensor":
        kept = self.data.sum(axis=axis, keepdims=True)
        y = kept if keepdims else self.data.sum(axis=axis)
        return Tensor(y, [(self, lambda g: g.reshape(kept.shape) + np.zeros_like(self.data))])

    def backward(self) -> None:
        """Fill `.grad` of everything that this tensor was made from."""
        order: dict[Tensor, None] = {}  # each tensor after those that it was made from

        def visit(tensor: Tensor) -> None:
            for parent, _ in tensor.parents:
                if parent not in order:
                    visit(parent)
            order[tensor] = None

        visit(self)
        self.grad = np.ones_like(self.data)
        for tensor in reversed(order):
            for parent, rule in tensor.parents:
                part = _summed(rule(tensor.grad), parent.data.shape)
                parent.grad = part if parent.grad is None else parent.grad + part

    def _tensor(self, other: Any) -> "Tensor":
        return other if isinstance(other, Tensor) else Tensor(np.asarray(other, self.data.dtype))


def _summed(g: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Undo broadcasting: add up what was repeated."""
    g = g.sum(axis=tuple(range(g.ndim - len(shape))))
    stretched = tuple(axis for axis, length in enumerate(shape) if length == 1 and g.shape[axis] != 1)
    total: np.ndarray = g.sum(axis=stretched, keepdims=True)
    return total


engine = TensorEngine(
    variable=Tensor,  # from an array to a tensor; `backward()` fills its `.grad`, and its numbers are in `.data`
    functions={  # by TensorFlow's names; operators and slices need no entry
        "tf.tanh": Tensor.tanh,
        "tf.reduce_sum": lambda x, axis=None, keepdims=False: x.sum(axis, keepdims),
    },
)
