"""YAML 1.2 text to plain Python data, every key and value with its place in the text."""

import math
import re
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Any, NoReturn

import yaml
import yamlcore

from gradcheck.casefile.errors import printable, quoted
from gradcheck.casefile.limits import Limits, too_large
from gradcheck.diagnostics import Diagnostic, Refused, Source, Span

Path = tuple[str | int, ...]
"""Keys and indices from the root to a value."""

LONGEST_INTEGER = 400
"""Digits of an integer; more than any dtype holds, and few enough for Python to convert at once."""

UNPRINTABLE = re.compile(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What YAML text may not contain (YAML 1.2.2, production c-printable)."""

PREFIX = "tag:yaml.org,2002:"

HINTS = {
    "mapping values are not allowed in this context": "text with `: ` in it needs quotes, or `|` and lines of its own",
    "found character that cannot start any token": "indent with spaces, not tabs; quote text that starts with `@`",
    "could not find expected ':'": "a key is followed by a colon and a blank",
}


@dataclass(slots=True)
class Node:
    """A value: `data` as plain Python, and the text `[start, end)` it came from.

    `style` is that of a scalar, as YAML writes it: `|`, `>`, `'`, `"` or empty. `children` are those of a list or
    mapping, `keys` the places of a mapping's keys. `size` and `height` count this node too. `broken` says that
    something inside was wrong.
    """

    data: Any
    start: int
    end: int
    style: str = ""
    children: "list[Node] | dict[str, Node]" = field(default_factory=list)
    keys: dict[str, tuple[int, int]] = field(default_factory=dict)
    size: int = 1
    height: int = 1
    broken: bool = False


@dataclass(frozen=True, eq=False)
class Tree:
    """A parsed file; `problems` are the errors that did not stop the reading."""

    source: Source
    root: Node
    problems: tuple[Diagnostic, ...]
    _lines: "_Lines"

    def node(self, path: Path) -> Node:
        """The value at `path`, or the nearest one around where it would be."""
        node = self.root
        for step in path:
            if isinstance(node.children, dict):
                inner = node.children.get(step) if isinstance(step, str) else None
            else:
                inner = node.children[step] if isinstance(step, int) and step < len(node.children) else None
            if inner is None:
                break
            node = inner
        return node

    def key_span(self, path: Path) -> Span:
        """The place of the key that `path` ends with, or of the value if it ends with an index."""
        parent = self.node(path[:-1])
        place = parent.keys.get(str(path[-1])) if path else None
        return self._lines.span(*place) if place else self.value_span(path)

    def value_span(self, path: Path) -> Span:
        """The place of the value at `path`, cut at the end of its first line; that of its key if the value is blank."""
        node = self.node(path)
        if node.start == node.end and path:
            place = self.node(path[:-1]).keys.get(str(path[-1]))
            if place:
                return self._lines.span(*place)
        return self.span(node)

    def span(self, node: Node) -> Span:
        """The place of `node`, cut at the end of its first line."""
        return self._lines.span(node.start, node.end)

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column, from 1, of a character of the source."""
        return self._lines.position(offset)


def parse(source: Source, limits: Limits) -> Tree:
    """Read one document of YAML 1.2 (core schema).

    Raises `Refused` where reading cannot go on: syntax, tags beyond the core schema, more than one document, nothing
    at all, a limit. Time and memory are linear in the text and bounded by `limits`, whatever the aliases expand to.
    """
    return _Reader(source, limits).read()


class _Lines:
    """Offsets into a source as lines and columns."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.lines = source.lines
        self.starts = [0]
        for line in self.lines:
            self.starts.append(self.starts[-1] + len(line) + 1)

    def position(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self.starts, offset, hi=len(self.lines))
        return line, offset - self.starts[line - 1] + 1

    def span(self, start: int, end: int) -> Span:
        line, column = self.position(start)
        width = len(self.lines[line - 1].rstrip()) + 1
        return Span(self.source, line, column, max(column + 1, min(column + end - start, width)))


@dataclass(slots=True)
class _Frame:
    """A list or mapping being read: the node, its anchor, and the key that waits for its value."""

    node: Node
    anchor: str | None
    key: str | None = None
    key_place: tuple[int, int] | None = None


class _Reader:
    def __init__(self, source: Source, limits: Limits) -> None:
        self.source = source
        self.limits = limits
        self.lines = _Lines(source)
        self.problems: list[Diagnostic] = []
        self.frames: list[_Frame] = []
        self.anchors: dict[str, Node | None] = {}  # None while the anchored node is still being read
        self.root: Node | None = None
        self.nodes = 0

    def read(self) -> Tree:
        if found := UNPRINTABLE.search(self.source.text):
            place = _Lines(Source(self.source.name, printable(self.source.text))).span(found.start(), found.end())
            message = f"the character U+{ord(found.group()):04X} is not allowed in YAML"
            raise Refused([Diagnostic("yaml-syntax", message, place)])
        self.loader = yamlcore.CCoreLoader(self.source.text)
        try:
            while self.loader.check_event():
                self.take(self.loader.get_event())
        except yaml.MarkedYAMLError as error:
            self.syntax(error)
        if self.root is None:
            raise Refused([*self.problems, Diagnostic("empty-file", "the file is empty", self.lines.span(0, 0))])
        return Tree(self.source, self.root, tuple(self.problems), self.lines)

    def take(self, event: Any) -> None:
        start, end = event.start_mark.index, event.end_mark.index
        match event:
            case yaml.DocumentStartEvent() if self.root is not None:
                self.stop("yaml-syntax", "a second document starts here; a case file is one document", start, end)
            case yaml.ScalarEvent():
                if self.awaits_key():
                    self.key(event, start, end)
                else:
                    self.count(1, 1, start, end)
                    node = Node(None, start, end, event.style or "")
                    node.data = self.scalar(event, node)
                    self.anchor(event.anchor, node)
                    self.attach(node)
            case yaml.SequenceStartEvent() | yaml.MappingStartEvent():
                self.open(event, start, end)
            case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                frame = self.frames.pop()
                frame.node.end = end
                self.anchor(frame.anchor, frame.node)
                self.attach(frame.node)
            case yaml.AliasEvent():
                self.alias(event.anchor, start, end)

    def awaits_key(self) -> bool:
        return bool(self.frames) and isinstance(self.frames[-1].node.data, dict) and self.frames[-1].key_place is None

    def open(self, event: Any, start: int, end: int) -> None:
        mapping = isinstance(event, yaml.MappingStartEvent)
        if self.awaits_key():
            self.stop("bad-key", "a list or mapping cannot be a key", start, end)
        if event.tag not in (None, PREFIX + ("map" if mapping else "seq")):
            raise self.bad_tag(event.tag, start, end)
        self.count(1, 1, start, end)
        if event.anchor:
            self.anchors[event.anchor] = None
        node = Node({}, start, end, children={}) if mapping else Node([], start, end)
        self.frames.append(_Frame(node, event.anchor))

    def anchor(self, name: str | None, node: Node) -> None:
        if name:
            self.anchors[name] = node

    def alias(self, name: str | None, start: int, end: int) -> None:
        if self.awaits_key():
            self.stop("bad-key", "an alias cannot be a key", start, end)
        if name is None or name not in self.anchors:
            self.stop("yaml-alias", f"there is no anchor `&{name}` before this alias", start, end)
        node = self.anchors[name]
        if node is None:
            self.stop("yaml-alias", f"the alias `*{name}` stands inside of what it repeats", start, end)
        self.count(node.size, node.height, start, end)
        self.attach(node)

    def count(self, size: int, height: int, start: int, end: int) -> None:
        """Account for `size` more nodes that reach `height` levels further down."""
        self.nodes += size
        if self.nodes > self.limits.nodes:
            what = "the file has too many values, its aliases written out"
            raise Refused([*self.problems, too_large(self.limits, "nodes", what, self.lines.span(start, end))])
        if len(self.frames) + height > self.limits.depth:
            what = "this is nested too deeply"
            raise Refused([*self.problems, too_large(self.limits, "depth", what, self.lines.span(start, end))])

    def attach(self, node: Node) -> None:
        """Put a complete node into the list or mapping around it."""
        if not self.frames:
            self.root = node
            return
        frame = self.frames[-1]
        parent = frame.node
        if isinstance(parent.children, dict):
            if frame.key is not None and frame.key_place is not None:
                parent.data[frame.key] = node.data
                parent.children[frame.key] = node
                parent.keys[frame.key] = frame.key_place
            frame.key = frame.key_place = None
        else:
            parent.data.append(node.data)
            parent.children.append(node)
        parent.size += node.size
        parent.height = max(parent.height, node.height + 1)
        parent.broken = parent.broken or node.broken

    def key(self, event: yaml.ScalarEvent, start: int, end: int) -> None:
        """Take the key of the next value; one that cannot stand is reported, and its value read and dropped."""
        frame = self.frames[-1]
        frame.key, frame.key_place = None, (start, end)
        if event.anchor:
            self.stop("bad-key", "a key cannot carry an anchor", start, end)
        text = event.value
        if self.tag(event, start, end) != "str":
            shown = text or "null"
            self.problem("bad-key", f"the key {quoted(shown)} is not text", start, end, f'write `"{shown}"`')
        elif text == "<<" and not event.style:
            hint = "share values with `defaults`, or repeat them with an alias"
            self.problem("merge-key", "YAML 1.2 has no merge keys", start, end, hint)
        elif text in frame.node.keys:
            line, column = self.lines.position(frame.node.keys[text][0])
            message = f"the key {quoted(text)} is given twice, first at line {line}, column {column}"
            self.problem("duplicate-key", message, start, end)
        else:
            frame.key = text

    def tag(self, event: yaml.ScalarEvent, start: int, end: int) -> str:
        """The core schema's type of a scalar: str, int, float, bool or null."""
        plain = self.loader.resolve(yaml.ScalarNode, event.value, (True, False)).removeprefix(PREFIX)
        if event.tag is None:
            return plain if event.implicit[0] else "str"
        given = event.tag.removeprefix(PREFIX)
        if event.tag == "!" or given == "str":
            return "str"
        if event.tag.startswith(PREFIX) and (given == plain or (given, plain) == ("float", "int")):
            return str(given)
        raise self.bad_tag(event.tag, start, end)

    def scalar(self, event: yaml.ScalarEvent, node: Node) -> str | int | float | bool | None:
        text = event.value
        match self.tag(event, node.start, node.end):
            case "null":
                return None
            case "bool":
                return bool(text.lower() == "true")
            case "int":
                digits = len(text)
                if digits > LONGEST_INTEGER:
                    node.broken = True
                    self.problem("bad-number", f"a number of {digits:,} digits is too large", node.start, node.end)
                    return 0
                return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
            case "float":
                number = float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
                if math.isinf(number) and "inf" not in text.lower():
                    node.broken = True
                    message = f"{quoted(text)} is larger than any floating-point number"
                    self.problem("bad-number", message, node.start, node.end, "write `.inf` for infinity")
                return number
            case _:
                return str(text)

    def problem(self, code: str, message: str, start: int, end: int, hint: str | None = None) -> None:
        self.problems.append(Diagnostic(code, message, self.lines.span(start, end), hint))
        for frame in self.frames:
            frame.node.broken = True

    def stop(self, code: str, message: str, start: int, end: int, hint: str | None = None) -> NoReturn:
        raise Refused([*self.problems, Diagnostic(code, message, self.lines.span(start, end), hint)])

    def bad_tag(self, tag: str, start: int, end: int) -> Refused:
        shown = "!!" + tag.removeprefix(PREFIX) if tag.startswith(PREFIX) else tag
        end = start + len(self.source.text[start:end].split()[0])
        message = f"the tag {quoted(shown)} is not allowed here"
        return Refused([*self.problems, Diagnostic("yaml-tag", message, self.lines.span(start, end), "leave it out")])

    def syntax(self, error: yaml.MarkedYAMLError) -> NoReturn:
        """Report what libyaml found, at a place inside the text even if it was found at its end."""
        last = max(0, len(self.source.text.rstrip()) - 1)
        problem = error.problem or "cannot be read"
        at = min(error.problem_mark.index, last) if error.problem_mark else last
        message = f"YAML syntax: {problem}"
        if error.context and error.context_mark:
            line, column = self.lines.position(min(error.context_mark.index, last))
            message += f" {error.context} (line {line}, column {column})"
        self.stop("yaml-syntax", message, at, at + 1, HINTS.get(problem))
