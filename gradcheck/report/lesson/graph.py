"""The graph of an explanation: operations and variables, the way forward and the way back."""

from dataclasses import dataclass
from typing import Literal

from gradcheck.explanation import Explanation, Made
from gradcheck.explanation.formulas import bare

LONGEST = 44
"""How many characters a label may have before its middle is left out."""

Way = Literal["forward", "backward"]


@dataclass(frozen=True)
class Node:
    """A variable, an operation, a target (an operation or variable that is one), or the cotangent it starts with."""

    key: str
    kind: Literal["variable", "operation", "target", "cotangent"]
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Edge:
    """A value that is used, from its maker to its user, or a contribution, from its step to its receiver."""

    tail: str
    head: str
    way: Way
    label: str = ""


@dataclass(frozen=True)
class Graph:
    """Each node once, before any edge that touches it."""

    title: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


def graph(explanation: Explanation) -> Graph:
    """All operations and inputs; with a variable to follow, only those on paths to it.

    A value with several users has as many edges out of it, and one that receives several contributions says so.
    """
    drawing = _Drawing(explanation)
    drawing.forward()
    drawing.backward()
    return Graph(explanation.case.id, tuple(drawing.nodes), tuple(drawing.edges))


class _Drawing:
    def __init__(self, explanation: Explanation) -> None:
        self._explanation = explanation
        self._keys: dict[str, str] = {}  # by the name of a value, the node that makes it
        received = [each for step in explanation.steps for each in step.received]
        self._meeting = {
            each.name: len(each.contributions)
            for each in (*received, *explanation.gradients)
            if len(each.contributions) > 1
        }
        self.nodes: list[Node] = []
        self.edges: list[Edge] = []

    def forward(self) -> None:
        explanation = self._explanation
        followed = explanation.variable is not None
        sources = {each.name for each in explanation.gradients}
        visited = {step.made.outputs[0].name for step in explanation.steps}
        for each in explanation.inputs:
            if each.name in sources or not followed:
                self._node("variable", (each.name,), each.name, str(each.type))
        for made in (made for line in explanation.lines for made in line.made):
            names = tuple(each.name for each in made.outputs)
            if not followed or names[0] in visited:
                label = f"{', '.join(names)} = {made.formula}"
                self._node("operation", names, label, ", ".join(str(each.type) for each in made.outputs))
                self._uses(made)

    def _uses(self, made: Made) -> None:
        head = self._keys[made.outputs[0].name]
        for name in made.operands:
            if name in self._keys:
                self.edges.append(Edge(self._keys[name], head, "forward"))

    def _node(self, kind: Literal["variable", "operation"], names: tuple[str, ...], *lines: str) -> None:
        key = f"n{len(self.nodes)}"
        meeting = [f"d({name}) sums {self._meeting[name]} contributions" for name in names if name in self._meeting]
        target = not set(names).isdisjoint(self._explanation.targets)
        self._keys.update(dict.fromkeys(names, key))
        self.nodes.append(Node(key, "target" if target else kind, tuple(map(shortened, (*lines, *meeting)))))

    def backward(self) -> None:
        explanation = self._explanation
        received = {each.name: each for step in explanation.steps for each in step.received}
        received |= {each.name: each for each in explanation.gradients}
        for target in explanation.targets:
            for each in received[target].contributions if target in received else ():
                if each.source is None:
                    key = f"n{len(self.nodes)}"
                    self.nodes.append(Node(key, "cotangent", (shortened(each.formula),)))
                    self.edges.append(Edge(key, self._keys[target], "backward"))
        for step in explanation.steps:
            tail = self._keys[step.made.outputs[0].name]
            for handed in step.handed:
                self.edges.append(Edge(tail, self._keys[handed.to], "backward", shortened(bare(handed.formula))))


def shortened(label: str) -> str:
    """A label without its middle, if it is too long."""
    half = (LONGEST - 1) // 2
    return label if len(label) <= LONGEST else f"{label[:half]}…{label[-half:]}"
