"""An engine that builds a graph of nodes first, and then runs it on arrays.

`Node`, `gradients` and `Executor` stand for yours, so that this file works as it is. Delete them, import your own, and
adapt `engine` at the end.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from gradcheck.subjects import GraphEngine

# from my_engine import Executor, Variable, gradients, reduce_sum, tanh


class Node:
    """What computes a value from those of its inputs, and a rule from the node of its gradient to those of theirs."""

    def __init__(
        self,
        compute: Callable[..., Any] | None = None,
        inputs: "Sequence[Node]" = (),
        rule: "Callable[[Node], Sequence[Node]] | None" = None,
    ) -> None:
        self.compute = compute
        self.inputs = inputs
        self.rule = rule

    def __add__(self, other: Any) -> "Node":
        other = _node(other)
        return Node(np.add, [self, other], lambda g: [_summed(g, self), _summed(g, other)])

    def __mul__(self, other: Any) -> "Node":
        other = _node(other)
        return Node(np.multiply, [self, other], lambda g: [_summed(g * other, self), _summed(g * self, other)])

    __radd__, __rmul__ = __add__, __mul__

    def __matmul__(self, other: "Node") -> "Node":
        rights, lefts = _transposed(other), _transposed(self)
        return Node(np.matmul, [self, other], lambda g: [_summed(g @ rights, self), _summed(lefts @ g, other)])


def tanh(x: Node) -> Node:
    y = Node(np.tanh, [x], lambda g: [Node(lambda dy, y: dy * (1 - y * y), [g, y])])
    return y


def reduce_sum(x: Node, axis: Any = None, keepdims: bool = False) -> Node:
    def spread(dy: Any, x: Any) -> Any:
        return dy.reshape(x.sum(axis=axis, keepdims=True).shape) + np.zeros_like(x)

    return Node(lambda x: x.sum(axis=axis, keepdims=keepdims), [x], lambda g: [Node(spread, [g, x])])


def gradients(y: Node, sources: Sequence[Node]) -> list[Node | None]:
    """The nodes of the gradients of `y`, None for a source that it does not depend on."""
    found: dict[Node, Node] = {y: Node(np.ones_like, [y])}
    for node in reversed(_ordered([y])):
        for parent, part in zip(node.inputs, node.rule(found[node]), strict=True) if node.rule else ():
            found[parent] = found[parent] + part if parent in found else part
    return [found.get(source) for source in sources]


class Executor:
    """Runs the graph of `nodes`."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.nodes = nodes

    def run(self, feed_dict: Mapping[Node, Any]) -> list[Any]:
        values = dict(feed_dict)
        for node in _ordered(self.nodes):
            if node not in values:
                assert node.compute is not None, "a placeholder that is not fed"
                values[node] = node.compute(*(values[each] for each in node.inputs))
        return [values[node] for node in self.nodes]


def _ordered(nodes: Sequence[Node]) -> list[Node]:
    """All that `nodes` are computed from, each node after its inputs."""
    order: dict[Node, None] = {}

    def visit(node: Node) -> None:
        if node not in order:
            for each in node.inputs:
                visit(each)
            order[node] = None

    for node in nodes:
        visit(node)
    return list(order)


def _node(value: Any) -> Node:
    return value if isinstance(value, Node) else Node(lambda: value)


def _transposed(x: Node) -> Node:
    return Node(lambda x: x.swapaxes(-1, -2), [x], lambda g: [_transposed(g)])


def _summed(g: Node, like: Node) -> Node:
    """Undo broadcasting: add up what was repeated from `like`."""

    def compute(dy: Any, x: Any) -> Any:
        shape = np.shape(x)
        dy = dy.sum(axis=tuple(range(dy.ndim - len(shape))))
        stretched = tuple(axis for axis, length in enumerate(shape) if length == 1 and dy.shape[axis] != 1)
        return dy.sum(axis=stretched, keepdims=True)

    return Node(compute, [g, like])


engine = GraphEngine(
    placeholder=lambda _: Node(),  # from a name to a node that is fed
    gradients=gradients,  # from a node and a list of nodes to the nodes of the gradients
    execute=lambda nodes, feed: Executor(nodes).run(feed_dict=feed),
    functions={  # by TensorFlow's names; operators and slices need no entry
        "tf.tanh": tanh,
        "tf.reduce_sum": reduce_sum,
    },
)
