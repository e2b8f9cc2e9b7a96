"""What an expression mentions of TensorFlow: functions by their dotted names, methods and operators by their own."""

import ast
from collections.abc import Iterator

from gradcheck.ops.operators import BINARY, UNARY

_BINARY = {each.node: each.method for each in BINARY}
_UNARY = {each.node: each.method for each in UNARY}
_BUILT_IN = {"abs": "__abs__", "len": "__len__"}


def mentions(tree: ast.AST) -> frozenset[str]:
    """Names such as `tf.map_fn` and `tf.linalg.LinearOperatorDiag`; `.assign`, `.__add__` for what has no namespace."""
    return frozenset(name for node in ast.walk(tree) for name in _mentioned(node))


def _mentioned(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Attribute():
            dotted = _dotted(node)
            yield dotted if dotted.startswith("tf.") else f".{node.attr}"
        case ast.BinOp(left=left, op=operator) if type(operator) in _BINARY:
            method = _BINARY[type(operator)]
            yield f".__r{method}__" if _literal(left) else f".__{method}__"
        case ast.UnaryOp(op=operator) if type(operator) in _UNARY:
            yield f".__{_UNARY[type(operator)]}__"
        case ast.Subscript():
            yield ".__getitem__"
        case ast.For() | ast.comprehension():
            yield ".__iter__"
        case ast.Call(func=ast.Name(id=name)) if name in _BUILT_IN:
            yield f".{_BUILT_IN[name]}"


def _dotted(node: ast.AST) -> str:
    match node:
        case ast.Attribute(value=value, attr=attribute):
            return f"{_dotted(value)}.{attribute}"
        case ast.Name(id=name):
            return name
    return ""


def _literal(node: ast.AST) -> bool:
    """Whether nothing but numbers is written there, so that Python asks the other side for its reflected operator."""
    return not any(isinstance(each, (ast.Name, ast.Call)) for each in ast.walk(node))
