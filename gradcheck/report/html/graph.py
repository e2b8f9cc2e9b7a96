"""The program as a graph for the page: where each node and each edge goes is settled here, drawing is the page's."""

from collections.abc import Sequence
from typing import Any, Final, Literal

from gradcheck.explanation.formulas import Formulas, value_names
from gradcheck.program import Instruction, Program
from gradcheck.report.html.source import Mark
from gradcheck.report.lesson.drawing import placed
from gradcheck.report.lesson.graph import Edge, Graph, Node, shortened

MOST: Final = 80
"""How many nodes a graph may have that is drawn: a larger one shows nobody anything."""
LINES: Final = 300
"""How many instructions are listed at most."""


def program_record(program: Program, marks: Sequence[Mark]) -> dict[str, Any]:
    """A program as text, and as boxes and lines in pixels; `graph` is null for one that is too large to draw."""
    listed = str(program).splitlines()
    drawable = len(program.inputs) + len(program.instructions) <= MOST
    return {
        "lines": listed[:LINES],
        "left_out": max(len(listed) - LINES, 0),
        "operations": len(program.instructions),
        "graph": _drawn(program, marks) if drawable else None,
    }


def _drawn(program: Program, marks: Sequence[Mark]) -> dict[str, Any]:
    graph, marked = _graph(program, marks)
    boxes, strokes = placed(graph)
    return {
        "nodes": [
            {
                "kind": node.kind,
                "mark": marked.get(node.key, ""),
                "lines": node.lines,
                "box": [round(each) for each in boxes[node.key]],
            }
            for node in graph.nodes
        ],
        "edges": [[[round(x), round(y)] for x, y in stroke.points] for stroke in strokes],
    }


def _graph(program: Program, marks: Sequence[Mark]) -> tuple[Graph, dict[str, Mark]]:
    """Inputs and operations with the values that go between them; and the mark of each operation by its node."""
    names = value_names(program)
    formulas = Formulas(program, {})
    targets = set(program.outputs)
    makers: dict[int, str] = {}
    nodes: list[Node] = []
    edges: list[Edge] = []
    marked: dict[str, Mark] = {}

    def node(outputs: Sequence[int], kind: Literal["variable", "operation"], *lines: str) -> str:
        key = f"n{len(nodes)}"
        is_target = not targets.isdisjoint(outputs)
        nodes.append(Node(key, "target" if is_target else kind, tuple(map(shortened, lines))))
        makers.update(dict.fromkeys(outputs, key))
        return key

    def written(instruction: Instruction) -> str:
        made = ", ".join(names[each] for each in instruction.outputs)
        call = formulas.call(instruction, names)
        return f"{made} = {call}" if made else call

    for name, index in program.inputs.items():
        node([index], "variable", name, str(program.types[index]))
    for instruction, mark in zip(program.instructions, marks, strict=True):
        types = ", ".join(str(program.types[each]) for each in instruction.outputs)
        key = node(instruction.outputs, "operation", written(instruction), *([types] if types else []))
        marked[key] = mark
        edges += [Edge(makers[each], key, "forward") for each in dict.fromkeys(instruction.inputs) if each in makers]
    return Graph("", tuple(nodes), tuple(edges)), marked
