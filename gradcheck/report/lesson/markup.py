"""A graph in the languages of Graphviz and Mermaid, which draw it elsewhere."""

import re

from gradcheck.report.lesson.graph import Graph, Node

COLOURS = {"variable": "#fff3c4", "operation": "#e8eef7", "target": "#d5efd8", "cotangent": "#fbe3e0"}
"""What each kind of node is filled with."""
BACK = "#c0392b"
"""The colour of contributions."""

_DOT_SHAPES = {"variable": "ellipse", "operation": "box", "target": "box", "cotangent": "plaintext"}
_MERMAID_SHAPES = {"variable": '(["{}"])', "operation": '["{}"]', "target": '[["{}"]]', "cotangent": '>"{}"]'}


def dot(graph: Graph) -> str:
    """The graph for Graphviz: contributions are dashed and do not shape the layout."""
    lines = [
        "digraph {",
        f"  label={_quoted(graph.title)} labelloc=t fontname=monospace rankdir=TB",
        "  node [fontname=monospace fontsize=10]",
        "  edge [fontname=monospace fontsize=9]",
    ]
    for node in graph.nodes:
        shape = f'shape={_DOT_SHAPES[node.kind]} style=filled fillcolor="{COLOURS[node.kind]}"'
        border = " peripheries=2" if node.kind == "target" else ""
        lines.append(f"  {node.key} [{shape}{border} label={_quoted(*node.lines)}]")
    for edge in graph.edges:
        back = f' [style=dashed constraint=false color="{BACK}" fontcolor="{BACK}" label={_quoted(edge.label)}]'
        lines.append(f"  {edge.tail} -> {edge.head}{back if edge.way == 'backward' else ''}")
    return "\n".join([*lines, "}"])


def mermaid(graph: Graph) -> str:
    """The graph as a Mermaid flowchart: contributions are dotted."""
    lines = ["---", f"title: {_scalar(graph.title)}", "---", "flowchart TB"]
    lines += [f"  {node.key}{_boxed(node)}:::{node.kind}" for node in graph.nodes]
    back: list[str] = []
    for position, edge in enumerate(graph.edges):
        arrow = "-->" if edge.way == "forward" else "-.->"
        if edge.way == "backward":
            back.append(str(position))
        label = f'|"{_coded(edge.label)}"|' if edge.label else ""
        lines.append(f"  {edge.tail} {arrow}{label} {edge.head}")
    if back:
        lines.append(f"  linkStyle {','.join(back)} stroke:{BACK},color:{BACK}")
    used = dict.fromkeys(node.kind for node in graph.nodes)
    lines += [f"  classDef {kind} fill:{COLOURS[kind]},stroke:#555,color:#111" for kind in used]
    return "\n".join(lines)


def _quoted(*lines: str) -> str:
    """A string of the DOT language, in which a backslash or a quote stands for itself."""
    escaped = (re.sub(r'(["\\])', r"\\\1", plain(line)) for line in lines)
    return '"' + "\\n".join(escaped) + '"'


def _boxed(node: Node) -> str:
    return _MERMAID_SHAPES[node.kind].format("<br/>".join(map(_coded, node.lines)))


def _coded(text: str) -> str:
    """Every character that may mean something to Mermaid, HTML or Markdown as its number."""
    return re.sub(r"[^\w ,.=()\[\]+:/%…-]|_|[.](?!\d)", lambda found: f"#{ord(found.group())};", plain(text))


def _scalar(text: str) -> str:
    """A YAML string in double quotes."""
    return '"' + re.sub(r'(["\\])', r"\\\1", plain(text)) + '"'


def plain(text: str) -> str:
    """Without control characters: none of these languages has a place for them."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)
