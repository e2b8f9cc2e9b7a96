"""An engine that transforms functions, as `jax.vjp` does: from `f` and a point to the value and a pullback.

`Traced` and `vjp` stand for yours, so that this file works as it is. Delete them, import your own, and adapt `engine`
at the end. For JAX it would be

    def vjp(function, point):
        outputs, pullback = jax.vjp(function, *point)
        return outputs, lambda cotangents: pullback(list(cotangents))
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradcheck.subjects import FunctionalEngine

# from my_engine import reduce_sum, tanh, vjp


class Traced:
    """An array on its way through a function, what it was made from, and the rules that hand its gradient on."""

    __array_ufunc__ = None  # so that NumPy leaves `array + traced` to us

    def __init__(self, value: Any, parents: "Sequence[tuple[Traced, Callable[[Any], Any]]]" = ()) -> None:
        self.value = value
        self.parents = parents

    def __add__(self, other: Any) -> "Traced":
        other = _traced(other)
        return Traced(self.value + other.value, [(self, lambda g: g), (other, lambda g: g)])

    def __mul__(self, other: Any) -> "Traced":
        other = _traced(other)
        return Traced(self.value * other.value, [(self, lambda g: g * other.value), (other, lambda g: g * self.value)])

    __radd__, __rmul__ = __add__, __mul__

    def __matmul__(self, other: Any) -> "Traced":
        other = _traced(other)
        left, right = self.value.swapaxes(-1, -2), other.value.swapaxes(-1, -2)
        return Traced(self.value @ other.value, [(self, lambda g: g @ right), (other, lambda g: left @ g)])

    def __rmatmul__(self, other: Any) -> "Traced":
        return _traced(other) @ self


def tanh(x: Traced) -> Traced:
    y = np.tanh(x.value)
    return Traced(y, [(x, lambda g: g * (1 - y * y))])


def reduce_sum(x: Traced, axis: Any = None, keepdims: bool = False) -> Traced:
    kept = x.value.sum(axis=axis, keepdims=True)
    y = kept if keepdims else x.value.sum(axis=axis)
    return Traced(y, [(x, lambda g: g.reshape(kept.shape) + np.zeros_like(x.value))])


def vjp(
    function: Callable[..., Sequence[Traced]], point: Sequence[np.ndarray]
) -> tuple[list[Any], Callable[[Sequence[Any]], list[Any]]]:
    """What `function` gives at `point`, and a function from one cotangent per output to one gradient per argument."""
    sources = [Traced(value) for value in point]
    outputs = function(*sources)

    def pullback(cotangents: Sequence[Any]) -> list[Any]:
        order: dict[Traced, None] = {}  # each value after those that it was made from

        def visit(node: Traced) -> None:
            for parent, _ in node.parents:
                if parent not in order:
                    visit(parent)
            order[node] = None

        found: dict[Traced, Any] = {}
        for output, cotangent in zip(outputs, cotangents, strict=True):
            if output not in order:
                visit(output)
            found[output] = found.get(output, 0) + cotangent
        for node in reversed(order):
            for parent, rule in node.parents if node in found else ():
                found[parent] = found.get(parent, 0) + _summed(rule(found[node]), np.shape(parent.value))
        return [found.get(source) for source in sources]

    return [each.value for each in outputs], pullback


def _traced(value: Any) -> Traced:
    return value if isinstance(value, Traced) else Traced(value)


def _summed(g: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Undo broadcasting: add up what was repeated."""
    g = g.sum(axis=tuple(range(g.ndim - len(shape))))
    stretched = tuple(axis for axis, length in enumerate(shape) if length == 1 and g.shape[axis] != 1)
    total: np.ndarray = g.sum(axis=stretched, keepdims=True)
    return total


engine = FunctionalEngine(
    vjp=vjp,
    tensor=np.asarray,  # from a NumPy array to your kind of array
    functions={  # by TensorFlow's names; operators and slices need no entry
        "tf.tanh": tanh,
        "tf.reduce_sum": reduce_sum,
    },
    twice=False,  # whether a pullback can be differentiated again
)
