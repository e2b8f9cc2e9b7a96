"""Python's operators on tensors, by the operation that TensorFlow gives them."""

import ast
from typing import Any, NamedTuple

from gradcheck.dtypes import BOOL
from gradcheck.ops.declaration import OpError, find_op
from gradcheck.tensors import Tensor


class Operator(NamedTuple):
    """One operator: how it is written, its `operator` method, its syntax tree, and the operation it means.

    `on_bool` is the operation where the operands are boolean.
    """

    symbol: str
    method: str
    node: type[ast.AST]
    op: str
    on_bool: str | None = None


BINARY = (
    Operator("+", "add", ast.Add, "tf.math.add"),
    Operator("-", "sub", ast.Sub, "tf.math.subtract"),
    Operator("*", "mul", ast.Mult, "tf.math.multiply"),
    Operator("/", "truediv", ast.Div, "tf.math.truediv"),
    Operator("//", "floordiv", ast.FloorDiv, "tf.math.floordiv"),
    Operator("%", "mod", ast.Mod, "tf.math.floormod"),
    Operator("**", "pow", ast.Pow, "tf.math.pow"),
    Operator("@", "matmul", ast.MatMult, "tf.linalg.matmul"),
    Operator("&", "and", ast.BitAnd, "tf.bitwise.bitwise_and", "tf.math.logical_and"),
    Operator("|", "or", ast.BitOr, "tf.bitwise.bitwise_or", "tf.math.logical_or"),
    Operator("^", "xor", ast.BitXor, "tf.bitwise.bitwise_xor", "tf.math.logical_xor"),
)
COMPARISONS = (
    Operator("<", "lt", ast.Lt, "tf.math.less"),
    Operator("<=", "le", ast.LtE, "tf.math.less_equal"),
    Operator(">", "gt", ast.Gt, "tf.math.greater"),
    Operator(">=", "ge", ast.GtE, "tf.math.greater_equal"),
    Operator("==", "eq", ast.Eq, "tf.math.equal"),
    Operator("!=", "ne", ast.NotEq, "tf.math.not_equal"),
)
UNARY = (
    Operator("-", "neg", ast.USub, "tf.math.negative"),
    Operator("~", "invert", ast.Invert, "tf.bitwise.invert", "tf.math.logical_not"),
)


def applied(operator: Operator, *operands: Any) -> Any:
    """The operator on tensors and numbers; raises `OpError` where TensorFlow would."""
    boolean = any(isinstance(each, Tensor) and each.dtype == BOOL for each in operands)
    name = operator.on_bool if operator.on_bool and boolean else operator.op
    try:
        op = find_op(name)
    except KeyError:
        raise OpError(f"`{operator.symbol}` on these operands means `{name}`, which is not in the table") from None
    return op(*operands)


def _attach() -> None:
    for operator in (*BINARY, *COMPARISONS):
        setattr(Tensor, f"__{operator.method}__", lambda a, b, o=operator: applied(o, a, b))
    for operator in BINARY:
        setattr(Tensor, f"__r{operator.method}__", lambda a, b, o=operator: applied(o, b, a))
    for operator in UNARY:
        setattr(Tensor, f"__{operator.method}__", lambda a, o=operator: applied(o, a))
    Tensor.__abs__ = lambda a: find_op("tf.math.abs")(a)  # type: ignore[attr-defined]


_attach()
