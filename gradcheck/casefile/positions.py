"""Where each character of a YAML scalar's value stands in the text of the file."""

from gradcheck.casefile.case import Expression, Positions
from gradcheck.casefile.yaml import Node, Tree

HEX_DIGITS = {"x": 2, "u": 4, "U": 8}
"""How many hexadecimal digits follow `\\x`, `\\u` and `\\U`."""


def expression(tree: Tree, node: Node) -> Expression:
    """The scalar `node` as an expression whose every character is traced to the file.

    A YAML scalar's value differs from its text only in blanks (indentation, folding) and, between quotes, in escapes.
    So the characters that are not blank are met in the same order, and a blank takes the place after the character
    before it.
    """
    text, at, end = tree.source.text, _content(tree.source.text, node), node.end
    offsets: list[int] = []
    for character in node.data:
        if not character.isspace():
            at = _skip_blanks(text, at, end, node.style)
            offsets.append(at)
            at += _width(text, at, node.style)
        elif node.style == '"' and text[at : at + 1] == "\\" and text[at + 1 : at + 2] != "\n":
            offsets.append(at)
            at += _width(text, at, node.style)
        else:
            offsets.append(at)
            if text[at : at + 1].isspace():
                at += 1
    last = len(text)
    positions = Positions(tree.position(min(offset, last)) for offset in offsets)
    return Expression(node.data, tree.source, positions)


def _content(text: str, node: Node) -> int:
    """Where the value begins: behind anchor, tag and comment, the opening quote or the line of `|` or `>`."""
    at = node.start
    while at < node.end and text[at] in "&!#":
        stop = "\n" if text[at] == "#" else " \t\n"
        while at < node.end and text[at] not in stop:
            at += 1
        while at < node.end and text[at].isspace():
            at += 1
    if node.style in ("|", ">"):
        return text.index("\n", at) + 1 if "\n" in text[at : node.end] else node.end
    return at + 1 if node.style in ("'", '"') else at


def _skip_blanks(text: str, at: int, end: int, style: str) -> int:
    """The next character that counts; between double quotes a backslash at the end of a line does not."""
    while at < end - 1 and (text[at].isspace() or (style == '"' and text[at : at + 2] == "\\\n")):
        at += 1
    return at


def _width(text: str, at: int, style: str) -> int:
    """How many characters of the text stand for the one at `at`."""
    if style == '"' and text[at : at + 1] == "\\":
        return 2 + HEX_DIGITS.get(text[at + 1 : at + 2], 0)
    return 2 if style == "'" and text[at : at + 1] == "'" else 1
