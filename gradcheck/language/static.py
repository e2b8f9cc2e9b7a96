"""The part of an expression that is known when the case is read: numbers, lists, shapes, `math`, `len`, `range`.

Nothing here runs the user's code; each operation is one of ours, and none can be made to take long or grow large.
"""

import ast
import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck.tensors import Tensor

MAX_BITS = 4096
"""Integers of the language stay below 2**4096, far above any size or float."""
MAX_LENGTH = 100_000
"""Strings of the language stay shorter than this, and lists too, with all that is in the lists within them."""
_TOO_LONG = f"the list would be longer than {MAX_LENGTH} entries, with those of the lists in it"


class StaticError(ValueError):
    """Static arithmetic that has no result, in words for the user."""


class StaticShape(tuple[int, ...]):
    """`x.shape`: a tuple that also answers to the names that `tf.TensorShape` has."""

    __slots__ = ()


_ARITHMETIC: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_COMPARISONS: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda item, row: item in row,
    ast.NotIn: lambda item, row: item not in row,
}


def arithmetic(node: ast.operator, left: Any, right: Any) -> Any:
    """`left <op> right` on numbers, lists and strings; raises `StaticError` for what has no or too large a result."""
    compute = _ARITHMETIC.get(type(node))
    if compute is None:
        raise StaticError("this operator works on tensors only")
    _bound(node, left, right)
    return guarded(compute, left, right)


def comparison(node: ast.cmpop, left: Any, right: Any) -> bool:
    """`left <op> right` on static values."""
    return bool(guarded(_COMPARISONS[type(node)], left, right))


def unary(node: ast.unaryop, value: Any) -> Any:
    """`-value`, `+value` or `not value`."""
    table: dict[type[ast.AST], Callable[[Any], Any]] = {
        ast.USub: operator.neg,
        ast.UAdd: operator.pos,
        ast.Not: operator.not_,
        ast.Invert: operator.invert,
    }
    return guarded(table[type(node)], value)


def guarded(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call one of our own functions; Python's arithmetic errors become `StaticError`."""
    try:
        result = function(*arguments)
    except (ValueError, TypeError, ArithmeticError, IndexError, KeyError) as error:
        raise StaticError(str(error) or type(error).__name__) from None
    if isinstance(result, int) and result.bit_length() > MAX_BITS:
        raise StaticError(f"the integer is too large: more than {MAX_BITS} bits")
    return bounded(result)


def bounded(value: Any) -> Any:
    """`value`, unless it is a list that is too long; raises `StaticError`."""
    if isinstance(value, (list, tuple)) and _size(value) > MAX_LENGTH:
        raise StaticError(_TOO_LONG)
    return value


def _size(value: Any) -> int:
    """The length of a list with that of the lists within it, each as often as it stands there; or too long a length."""
    if not isinstance(value, (list, tuple)):
        return len(value)
    count, rows = 0, [value]
    while rows and count <= MAX_LENGTH:
        row = rows.pop()
        count += len(row)
        rows.extend(each for each in row if isinstance(each, (list, tuple)))
    return count


def _bound(node: ast.operator, left: Any, right: Any) -> None:
    sizes = [_size(each) for each in (left, right) if isinstance(each, (str, list, tuple))]
    if sizes and isinstance(node, (ast.Mult, ast.Add)):
        count = next((each for each in (left, right) if isinstance(each, int)), 1)
        if sum(sizes) * max(count, 1) > MAX_LENGTH:
            raise StaticError(_TOO_LONG)
    powers = isinstance(node, ast.Pow) and isinstance(left, int) and isinstance(right, int)
    if powers and left.bit_length() * max(right, 0) > MAX_BITS:
        raise StaticError(f"the integer is too large: more than {MAX_BITS} bits")


def _range(*bounds: int) -> list[int]:
    row = range(*bounds)
    if len(row) > MAX_LENGTH:
        raise StaticError(f"the range has more than {MAX_LENGTH} entries")
    return list(row)


def _sum(row: Any, start: Any = 0) -> Any:
    total = start
    for each in row:
        total = total + each
    return total


def _length(row: Any) -> int:
    return row.shape[0] if isinstance(row, Tensor) and row.ndim else len(row)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "abs": abs,
    "bool": bool,
    "enumerate": lambda row, start=0: list(enumerate(row, start)),
    "float": float,
    "int": int,
    "len": _length,
    "list": list,
    "max": max,
    "min": min,
    "range": _range,
    "reversed": lambda row: list(reversed(row)),
    "round": round,
    "slice": slice,
    "sorted": sorted,
    "sum": _sum,
    "tuple": tuple,
    "zip": lambda *rows: list(zip(*rows, strict=False)),
}
"""Python's own functions that the language has."""
STRUCTURAL = tuple(FUNCTIONS[name] for name in ("enumerate", "len", "list", "reversed", "tuple", "zip"))
"""Those that only put in order what they are given: a variable stays one."""

_MATH = ("sqrt exp log log2 log10 log1p expm1 sin cos tan asin acos atan atan2 sinh cosh tanh asinh acosh atanh erf "
         "erfc gamma lgamma floor ceil trunc fabs hypot isqrt pow fmod copysign degrees radians gcd prod")  # fmt: skip

NAMES: dict[str, Any] = {f"math.{name}": getattr(math, name) for name in _MATH.split()}
NAMES |= {f"math.{name}": getattr(math, name) for name in ("pi", "e", "tau", "inf", "nan")}
NAMES |= {f"np.{name}": getattr(np, name) for name in ("pi", "e", "inf", "nan", "newaxis")}
NAMES |= {f"np.{name}": NAMES[f"math.{name}"] for name in ("sqrt", "exp", "log", "sin", "cos", "tan", "prod")}
"""What the language has of `math` and, for pasted code, of `np`."""


def is_static(value: Any) -> bool:
    """Whether no tensor is in `value`."""
    if isinstance(value, (list, tuple)):
        return all(map(is_static, value))
    return not isinstance(value, Tensor)
