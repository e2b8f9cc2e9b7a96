"""The graph of a lesson as DOT, as Mermaid and as a picture."""

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from gradcheck.casefile.limits import Limits
from gradcheck.casefile.load import load_file
from gradcheck.explanation import explain
from gradcheck.language import lower
from gradcheck.report.lesson.drawing import drawing
from gradcheck.report.lesson.graph import LONGEST, Edge, Graph, Node, graph
from gradcheck.report.lesson.markup import dot, mermaid
from tests.explanation.support import explained, shipped

Write = Callable[..., Path]
SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = (
    '"] ; evil [label="',
    "back\\slash\\",
    "\\",
    "<script>alert(1)</script> &amp; #quot;",
    "`code` **bold** _it_",
    "1. list",
    "a\nb\tc\x01\x00",
    "]] --> n9((x)) %% end",
    "größe=π",
)


@pytest.fixture
def diamond(write: Write) -> Graph:
    return graph(explained(write("inputs: {x: 3.0}\nexpr: |\n  a = x * x\n  y = a + x\n  y\n")))


def test_fan_outs_and_both_ways_are_in_the_graph(diamond: Graph) -> None:
    assert [(node.kind, node.lines[0]) for node in diamond.nodes] == [
        ("variable", "x"),
        ("operation", "a = x * x"),
        ("target", "y = a + x"),
        ("cotangent", "ones_like(y)"),
    ]
    x, a, y, ones = (node.key for node in diamond.nodes)
    assert [(each.tail, each.head) for each in diamond.edges if each.way == "forward"] == [
        (x, a),
        (x, a),
        (a, y),
        (x, y),
    ]
    assert [(each.tail, each.head, each.label) for each in diamond.edges if each.way == "backward"] == [
        (ones, y, ""),
        (y, a, "d(y)"),
        (y, x, "d(y)"),
        (a, x, "d(a) * x"),
        (a, x, "d(a) * x"),
    ]
    assert diamond.nodes[0].lines[-1] == "d(x) sums 3 contributions"


def test_with_a_variable_only_its_paths_are_drawn(write: Write) -> None:
    path = write("inputs: {x: 3.0, w: 2.0}\nexpr: |\n  a = tf.exp(w)\n  b = tf.sin(x)\n  a * b\n")
    drawn = graph(explained(path, variable="w"))
    assert [node.lines[0] for node in drawn.nodes] == ["w", "a = exp(w)", "output = a * b", "ones_like(output)"]


def test_an_input_that_is_the_target_is_drawn(write: Write) -> None:
    drawn = graph(explained(write("inputs: {x: 3.0}\nexpr: x\n")))
    assert [node.kind for node in drawn.nodes] == ["target", "cotangent"]
    assert drawn.edges == (Edge("n1", "n0", "backward"),)


def hostile(text: str) -> Graph:
    nodes = (Node("n0", "variable", (text, "float32[]")), Node("n1", "target", (text,)))
    return Graph(text, nodes, (Edge("n0", "n1", "forward"), Edge("n1", "n0", "backward", text)))


def dot_tokens(text: str) -> list[str]:
    """The tokens of a DOT text, each string as one; fails where anything else is left over."""
    token = re.compile(r'\s*("(?:[^"\\\n]|\\[^\n])*"|->|[{}\[\]=]|#?[\w.]+|;)')
    found, at = [], 0
    while text[at:].strip():
        match = token.match(text, at)
        assert match is not None, text[at : at + 40]
        found.append(match.group(1))
        at = match.end()
    return found


def check_dot(drawn: Graph) -> list[str]:
    """Parse the DOT of a graph: braces and brackets are balanced, every node is defined once and edges join nodes."""
    text = dot(drawn)
    tokens = dot_tokens(text)
    assert tokens[:2] == ["digraph", "{"]
    assert tokens[-1] == "}"
    bare = [each for each in tokens if not each.startswith('"')]
    assert bare.count("{") == bare.count("}") == 1
    assert bare.count("[") == bare.count("]")
    keys = [node.key for node in drawn.nodes]
    defined = [
        name
        for before, name, after in zip(tokens, tokens[1:], tokens[2:], strict=False)
        if after == "[" and before != "->" and name not in ("node", "edge")
    ]
    assert Counter(defined) == Counter(keys)
    arrows = [(tokens[at - 1], tokens[at + 1]) for at, each in enumerate(tokens) if each == "->"]
    assert arrows == [(edge.tail, edge.head) for edge in drawn.edges]
    return tokens


def check_mermaid(drawn: Graph) -> None:
    """Parse the flowchart line by line, nothing left over: every node is defined once and edges join nodes."""
    lines = mermaid(drawn).split("\n")
    assert lines[0] == lines[2] == "---"
    assert re.fullmatch(r'title: "(?:[^"\\]|\\.)*"', lines[1])
    assert lines[3] == "flowchart TB"
    words = r'"[^"<>&`*\\]*(?:<br/>[^"<>&`*\\]*)*"'
    nodes = re.compile(rf"  (n\d+)(?:\(\[{words}\]\)|\[{words}\]|\[\[{words}\]\]|>{words}\]):::\w+")
    edges = re.compile(rf"  (n\d+) (?:-->|-\.->)(?:\|{words}\|)? (n\d+)")
    styles = re.compile(r"  (?:linkStyle [\d,]+ stroke:#\w+,color:#\w+|classDef \w+ fill:#\w+,stroke:#\w+,color:#\w+)")
    body = lines[4:]
    defined = [found.group(1) for line in body if (found := nodes.fullmatch(line))]
    joined = [(found.group(1), found.group(2)) for line in body if (found := edges.fullmatch(line))]
    assert Counter(defined) == Counter(node.key for node in drawn.nodes)
    assert joined == [(edge.tail, edge.head) for edge in drawn.edges]
    assert len(body) == len(defined) + len(joined) + sum(styles.fullmatch(line) is not None for line in body)


def check_svg(drawn: Graph) -> ET.Element:
    """Parse the picture: one text for each node, inside its frame, and an arrow for each edge."""
    root = ET.fromstring(drawing(drawn))
    left, top, width, height = map(float, root.attrib["viewBox"].split())
    nodes = [each for each in root.iter(f"{SVG}g") if each.attrib["class"].startswith("node ")]
    assert len(nodes) == len(drawn.nodes)
    for group in nodes:
        (rect,) = group.findall(f"{SVG}rect")
        x, y = float(rect.attrib["x"]), float(rect.attrib["y"])
        assert left < x < x + float(rect.attrib["width"]) < left + width
        assert top < y < y + float(rect.attrib["height"]) < top + height
    shown = [
        [span.text for span in text.iter(f"{SVG}tspan")] for group in nodes for text in group.findall(f"{SVG}text")
    ]
    assert [len(each) for each in shown] == [len(node.lines) for node in drawn.nodes]
    assert len(list(root.iter(f"{SVG}polygon"))) == len(drawn.edges)
    labels = [each.text for each in root.iter(f"{SVG}text") if each.attrib.get("class") == "contribution"]
    assert len(labels) == sum(bool(edge.label) for edge in drawn.edges)
    return root


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_words_stay_words(text: str) -> None:
    drawn = hostile(text)
    tokens = check_dot(drawn)
    assert "evil" not in tokens
    check_mermaid(drawn)
    root = check_svg(drawn)
    plain = "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)
    spans = [each.text for each in root.iter(f"{SVG}tspan")]
    assert spans == [plain, "float32[]", plain]


def test_a_string_of_dot_means_what_was_written() -> None:
    tokens = dot_tokens(dot(hostile('say "hi" \\ bye')))
    assert r'"say \"hi\" \\ bye\nfloat32[]"' in tokens


def test_every_shipped_case_can_be_drawn() -> None:
    for each in shipped():
        drawn = graph(each)
        assert all(len(line) <= LONGEST for node in drawn.nodes for line in node.lines)
        check_dot(drawn)
        check_mermaid(drawn)


@pytest.mark.parametrize("name", ["chain_rule", "tapes", "variables", "custom_gradients", "models"])
def test_pictures_of_shipped_cases(name: str) -> None:
    for case in load_file(Path(__file__).parents[3] / "cases" / f"{name}.yaml", Limits()).cases:
        check_svg(graph(explain(lower(case))))
