"""The text of an expression as a syntax tree whose nodes know their place in the user's file."""

import ast
import warnings
from dataclasses import dataclass

from gradcheck.casefile.case import Expression
from gradcheck.casefile.limits import Limits
from gradcheck.diagnostics import Diagnostic, Refused, Span

MAX_CHARACTERS = 1_000_000


@dataclass(frozen=True)
class Parsed:
    """A syntax tree and the offsets at which the lines of its text start."""

    tree: ast.Module
    expression: Expression
    starts: tuple[int, ...]

    def span(self, node: ast.AST) -> Span:
        """The place of `node` in the user's file."""
        start = self._offset(getattr(node, "lineno", 1), getattr(node, "col_offset", 0))
        end = self._offset(getattr(node, "end_lineno", 1) or 1, getattr(node, "end_col_offset", 0) or 0)
        return self.expression.span(start, max(end, start + 1))

    def _offset(self, line: int, column: int) -> int:
        """Python counts columns in UTF-8 bytes."""
        start = self.starts[line - 1]
        text = self.expression.text[start : start + column]
        if text.isascii():
            return start + column
        return start + len(self.expression.text[start:].encode()[:column].decode(errors="ignore"))


def parse(expression: Expression, limits: Limits) -> Parsed:
    """The syntax tree of `expression`; raises `Refused` if it is not Python, too long or too deep."""
    text = expression.text
    if len(text) > MAX_CHARACTERS:
        raise Refused(
            [Diagnostic("too-long", f"the expression has more than {MAX_CHARACTERS} characters", _all(expression))]
        )
    if not text.strip():
        raise Refused([Diagnostic("empty", "`expr` is empty", _all(expression))])
    try:
        with warnings.catch_warnings(action="ignore"):
            tree = ast.parse(text)
    except SyntaxError as error:
        raise Refused([_syntax_error(expression, error)]) from None
    except (RecursionError, MemoryError, ValueError):
        raise Refused([Diagnostic("too-deep", _TOO_DEEP.format(limits.depth), _all(expression), _SPLIT)]) from None
    if not tree.body:
        raise Refused([Diagnostic("empty", "`expr` is empty", _all(expression))])
    parsed = Parsed(tree, expression, _starts(text))
    _check_depth(parsed, limits.depth)
    return parsed


_TOO_DEEP = "the expression nests deeper than {}"
_SPLIT = "give parts of it a name, one line each, or raise the limit with `--limit depth=VALUE`"


def _check_depth(parsed: Parsed, limit: int) -> None:
    level: list[ast.AST] = [parsed.tree]
    for _ in range(limit + 2):  # the module and its statements come on top
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            return
    place = next((node for node in level if hasattr(node, "lineno")), parsed.tree.body[0])
    raise Refused([Diagnostic("too-deep", _TOO_DEEP.format(limit), parsed.span(place), _SPLIT)])


def _starts(text: str) -> tuple[int, ...]:
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    return tuple(starts)


def _syntax_error(expression: Expression, error: SyntaxError) -> Diagnostic:
    starts = _starts(expression.text)
    line = min(error.lineno or 1, len(starts))
    at = min(starts[line - 1] + max((error.offset or 1) - 1, 0), max(len(expression.text) - 1, 0))
    hint = None
    if "\n" not in expression.text.strip() and expression.span(0, 1).line != expression.span(at, at + 1).line:
        hint = "YAML joined these lines into one; write `expr: |` and start on the next line"
    return Diagnostic("syntax", f"not Python: {error.msg}", expression.span(at, at + 1), hint)


def _all(expression: Expression) -> Span:
    return expression.span(0, min(len(expression.text), 40))
