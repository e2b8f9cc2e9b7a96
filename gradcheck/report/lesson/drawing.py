"""A graph as a picture: graphlay places nodes and edges in layers, and what it places is drawn here as SVG."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple
from xml.etree import ElementTree as ET

import graphlay

from gradcheck.report.lesson.graph import Edge, Graph, Node
from gradcheck.report.lesson.markup import BACK, COLOURS, plain

LETTER = 7.3
"""The width of a letter of the nodes' font, in pixels; it is set in a face whose letters are all as wide."""
LINE = 16.0
MARGIN = 20.0
FORWARD = "#555555"
OPTIONS = {
    "direction": "topbottom",
    "routing": {"style": "diagonal"},
    "spacing": {"layer_gap": 30.0, "node_gap": 30.0, "dummy_gap": 20.0},
}
"""Variables on top; the gaps are in pixels."""

Point = tuple[float, float]


class Box(NamedTuple):
    """Something with a place: its centre and its size."""

    x: float
    y: float
    width: float
    height: float


class Stroke(NamedTuple):
    """One polyline, with a head at its end if it arrives."""

    edge: Edge
    points: Sequence[Point]
    arrives: bool


def drawing(graph: Graph) -> str:
    """The graph as an SVG document."""
    return _document(graph, *placed(graph))


def placed(graph: Graph) -> tuple[Mapping[str | int, Box], Sequence[Stroke]]:
    """Where everything of a graph goes: a box for each node, by key, and each label, by its edge's position; the edges.

    A contribution runs against the way forward, but is laid out along it, so that no layer is turned around; its words
    are a node of the layout, so that they cover nothing.
    """
    plan = graphlay.Graph()
    for node in graph.nodes:
        width, height = _size(node)
        plan.node(node.key, width=width, height=height)
    parts: list[tuple[Edge, bool, bool]] = []  # what each planned edge is a part of; if it runs against it; arrives
    for position, edge in enumerate(graph.edges):
        if edge.way == "forward":
            plan.edge(edge.tail, edge.head)
            parts.append((edge, False, True))
        elif not edge.label:
            plan.edge(edge.head, edge.tail)
            parts.append((edge, True, True))
        else:
            plan.node(position, width=len(edge.label) * LETTER + 6, height=LINE)
            plan.edge(edge.head, position)
            plan.edge(position, edge.tail)
            parts += [(edge, True, True), (edge, True, False)]
    layout = graphlay.layout(plan, options=OPTIONS)
    boxes = {
        key: Box(each["center"]["x"], each["center"]["y"], each["size"]["width"], each["size"]["height"])
        for key, each in zip(plan.ids, layout.nodes, strict=True)
    }
    strokes: list[Stroke] = []
    for (edge, against, arrives), each in zip(parts, layout.edges, strict=True):
        points = [(point["x"], point["y"]) for point in each["points"]]
        strokes.append(Stroke(edge, points[::-1] if against else points, arrives))
    return boxes, strokes


def _document(graph: Graph, boxes: Mapping[str | int, Box], strokes: Sequence[Stroke]) -> str:
    """`boxes` are those of nodes, by key, and of edges' labels, by the position of the edge."""
    xs = [x for stroke in strokes for x, _ in stroke.points]
    left = min(*xs, *(box.x - box.width / 2 for box in boxes.values()), 0.0)
    right = max(*xs, *(box.x + box.width / 2 for box in boxes.values()), left + len(graph.title) * LETTER * 1.05)
    top = min(box.y - box.height / 2 for box in boxes.values()) - LINE * 1.5
    bottom = max(box.y + box.height / 2 for box in boxes.values())
    frame = [left - MARGIN, top - MARGIN, right - left + 2 * MARGIN, bottom - top + 2 * MARGIN]
    x, y, width, height = map(_number, frame)
    svg = ET.Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "viewBox": f"{x} {y} {width} {height}",
            "width": width,
            "height": height,
            "font-family": "DejaVu Sans Mono, Menlo, Consolas, monospace",
            "font-size": "12",
            "text-anchor": "middle",
        },
    )
    ET.SubElement(svg, "title").text = plain(graph.title)
    ET.SubElement(svg, "rect", {"x": x, "y": y, "width": width, "height": height, "fill": "white"})
    heading = {"x": _number(left), "y": _number(top + LINE / 2), "text-anchor": "start", "font-weight": "bold"}
    ET.SubElement(svg, "text", heading).text = plain(graph.title)
    for stroke in strokes:
        _draw_stroke(svg, stroke)
    for node in graph.nodes:
        _draw_node(svg, node, boxes[node.key])
    for position, edge in enumerate(graph.edges):
        if position in boxes:
            box = boxes[position]
            where = {"class": "contribution", "x": _number(box.x), "y": _number(box.y + 4), "fill": BACK}
            ET.SubElement(svg, "text", where).text = plain(edge.label)
    ET.indent(svg)
    return ET.tostring(svg, encoding="unicode")


def _size(node: Node) -> tuple[float, float]:
    return max(map(len, node.lines)) * LETTER + 20, len(node.lines) * LINE + 10


def _draw_stroke(svg: ET.Element, stroke: Stroke) -> None:
    back = stroke.edge.way == "backward"
    colour = BACK if back else FORWARD
    group = ET.SubElement(svg, "g", {"class": stroke.edge.way})
    line = {"points": _points(stroke.points), "fill": "none", "stroke": colour, "stroke-width": "1.3"}
    ET.SubElement(group, "polyline", line | ({"stroke-dasharray": "5 3"} if back else {}))
    if not stroke.arrives:
        return
    (x, y), (before_x, before_y) = stroke.points[-1], stroke.points[0]
    for earlier, later in pairwise(stroke.points):
        if earlier != later:
            before_x, before_y = earlier
    length = ((x - before_x) ** 2 + (y - before_y) ** 2) ** 0.5 or 1.0
    along, across = (x - before_x) / length, (y - before_y) / length
    sides = [(x - 8 * along + side * across, y - 8 * across - side * along) for side in (3.5, -3.5)]
    ET.SubElement(group, "polygon", {"points": _points([(x, y), *sides]), "fill": colour})


def _draw_node(svg: ET.Element, node: Node, box: Box) -> None:
    """A box, and in it one text with a span for each line."""
    group = ET.SubElement(svg, "g", {"class": f"node {node.kind}"})
    shape = {
        "x": _number(box.x - box.width / 2),
        "y": _number(box.y - box.height / 2),
        "width": _number(box.width),
        "height": _number(box.height),
        "rx": _number(box.height / 2 if node.kind == "variable" else 3),
        "fill": COLOURS[node.kind],
        "stroke": BACK if node.kind == "cotangent" else FORWARD,
        "stroke-width": "2.5" if node.kind == "target" else "1",
    }
    ET.SubElement(group, "rect", shape)
    text = ET.SubElement(group, "text")
    for position, line in enumerate(node.lines):
        baseline = box.y + (position - (len(node.lines) - 1) / 2) * LINE + 4
        colour = {"fill": BACK} if line.startswith("d(") else {"fill": "#777"} if position else {}
        ET.SubElement(text, "tspan", {"x": _number(box.x), "y": _number(baseline)} | colour).text = plain(line)


def _points(points: Sequence[Point]) -> str:
    return " ".join(f"{_number(x)},{_number(y)}" for x, y in points)


def _number(value: float) -> str:
    return f"{value:.1f}"
