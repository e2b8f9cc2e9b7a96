"""What is wrong with an expression, said at the place in the user's text."""

import ast
from typing import Any

from gradcheck.diagnostics import Diagnostic, Span
from gradcheck.dtypes import DType
from gradcheck.language.functions import Function
from gradcheck.language.names import Dotted
from gradcheck.language.source import Parsed
from gradcheck.language.structures import NotConnected
from gradcheck.ops.declaration import Op
from gradcheck.tensors import Tensor


class Poison:
    """What an expression with an error in it is worth: nothing more is said about it."""


POISON = Poison()


class Report:
    """Collects what is wrong with one expression, each thing once."""

    def __init__(self, parsed: Parsed) -> None:
        self.diagnostics: list[Diagnostic] = []
        self._parsed = parsed

    def span(self, node: ast.AST) -> Span:
        """The place of `node` in the user's file."""
        return self._parsed.span(node)

    def wrong(self, node: ast.AST, code: str, message: str, hint: str | None = None) -> Poison:
        """Note an error at `node`; gives what the expression is worth."""
        diagnostic = Diagnostic(code, message, self._parsed.span(node), hint)
        if diagnostic not in self.diagnostics:
            self.diagnostics.append(diagnostic)
        return POISON

    def unsupported(self, node: ast.AST) -> Poison:
        """Note that the language has nothing like `node`."""
        construct = _CONSTRUCTS.get(type(node), f"`{type(node).__name__}`")
        return self.wrong(node, "unsupported-syntax", f"{construct} is not part of the language")


_CONSTRUCTS: dict[type[ast.AST], str] = {
    ast.Import: "`import`",
    ast.ImportFrom: "`import`",
    ast.AsyncFunctionDef: "`async def`",
    ast.ClassDef: "`class`",
    ast.While: "`while`",
    ast.Try: "`try`",
    ast.Global: "`global`",
    ast.Raise: "`raise`",
    ast.Assert: "`assert`",
    ast.Set: "a set",
    ast.DictComp: "a dict comprehension",
    ast.SetComp: "a set comprehension",
    ast.JoinedStr: "an f-string",
    ast.NamedExpr: "`:=`",
    ast.Await: "`await`",
    ast.Yield: "`yield`",
    ast.Starred: "`*` here",
    ast.For: "`for` with `else`",
}


def kind(value: Any) -> str:
    """What a value is, in words."""
    if isinstance(value, Op):
        return f"the operation `{value.name}`"
    if isinstance(value, Function):
        return f"the function `{value.name}`"
    if isinstance(value, NotConnected):
        return "None, a gradient that is not connected"
    if isinstance(value, Dotted):
        return f"the namespace `{value.name}`"
    if isinstance(value, Tensor):
        return "a scalar tensor" if value.ndim == 0 else "a tensor"
    if isinstance(value, DType):
        return f"the dtype `tf.{value.name}`"
    return f"{value!r}" if isinstance(value, (int, float, str, bool)) else f"a {type(value).__name__}"
