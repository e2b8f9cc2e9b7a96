"""From the text of `expr` to a `Program`: Python's syntax tree, node by node, nothing ever executed.

A node becomes a tensor of the program that is being built, or a static value. What cannot be understood is reported
with its place, and the rest is still read, so that all errors of an expression come at once.
"""

import ast
from collections.abc import Sequence
from typing import Any

from gradcheck.casefile.case import Expression
from gradcheck.casefile.limits import raise_limit
from gradcheck.diagnostics import Diagnostic, did_you_mean
from gradcheck.dtypes import DType
from gradcheck.language import static
from gradcheck.language.names import Dotted, UnknownName, member, root, roots
from gradcheck.language.source import Parsed
from gradcheck.ops.declaration import Op, OpError
from gradcheck.ops.indexing import getitem
from gradcheck.ops.operators import BINARY, COMPARISONS, UNARY, applied
from gradcheck.tensors import Builder, Tensor, TooLarge, Value

OPERATORS = {each.node: each for each in (*BINARY, *COMPARISONS, *UNARY)}


class Poison:
    """What an expression with an error in it is worth: nothing more is said about it."""


POISON = Poison()


class Lowering:
    """Reads one expression into `builder`; `diagnostics` collects what is wrong with it."""

    def __init__(self, expression: Expression, builder: Builder, names: dict[str, Any], max_instructions: int) -> None:
        self.diagnostics: list[Diagnostic] = []
        self.used: set[str] = set()
        self._expression = expression
        self._builder = builder
        self._names = dict(names)
        self._max_instructions = max_instructions
        self._steps = 0
        self._parsed: Parsed

    def run(self, parsed: Parsed) -> Any:
        """The value of the last line: a tensor, a list of them, or `POISON`."""
        self._parsed = parsed
        result: Any = POISON
        for statement in parsed.tree.body:
            result = self._statement(statement)
        return result

    # Statements

    def _statement(self, node: ast.stmt) -> Any:
        self._count(node)
        match node:
            case ast.Expr(value):
                return self._value(value)
            case ast.Assign(targets, value):
                result = self._value(value)
                for target in targets:
                    self._assign(target, result)
                return result
            case ast.AnnAssign(target=ast.Name() as target, value=ast.expr() as value):
                result = self._value(value)
                self._assign(target, result)
                return result
            case ast.AugAssign(target=ast.Name() as target, op=operator, value=value):
                left = self._value(ast.copy_location(ast.Name(target.id, ast.Load()), target))
                result = self._binary(node, operator, left, self._value(value))
                self._assign(target, result)
                return result
            case ast.For(target=target, iter=row, body=body, orelse=[]):
                result = None
                for each in self._entries(row, self._value(row)):
                    self._assign(target, each)
                    for statement in body:
                        result = self._statement(statement)
                return result
            case ast.If(test=test, body=body, orelse=orelse):
                return self._branch(test, body, orelse)
            case ast.Pass():
                return None
        return self._unsupported(node)

    def _branch(self, test: ast.expr, body: list[ast.stmt], orelse: list[ast.stmt]) -> Any:
        chosen = self._truth(test, self._value(test))
        if chosen is POISON:
            return POISON
        result = None
        for statement in body if chosen else orelse:
            result = self._statement(statement)
        return result

    def _assign(self, target: ast.expr, value: Any) -> None:
        match target:
            case ast.Name(name):
                if name in ("tf", "math", "np"):
                    self._report(target, "reserved-name", f"`{name}` cannot be assigned to")
                self._names[name] = value
                if isinstance(value, Value) and value.index not in self._builder.names:
                    self._builder.names[value.index] = name
            case ast.Tuple(elts) | ast.List(elts):
                row = [POISON] * len(elts) if value is POISON else self._entries(target, value)
                if len(row) != len(elts):
                    if value is not POISON:
                        self._report(target, "unpack", f"{len(elts)} names cannot take {len(row)} values")
                    row = [POISON] * len(elts)
                for each, part in zip(elts, row, strict=True):
                    self._assign(each, part)
            case _:
                self._report(
                    target,
                    "unsupported-syntax",
                    "only names can be assigned to; a tensor's elements cannot be changed",
                    "write `tf.tensor_scatter_nd_update(x, indices, updates)`"
                    if isinstance(target, ast.Subscript)
                    else None,
                )

    def _entries(self, node: ast.AST, value: Any) -> Sequence[Any]:
        if value is POISON:
            return []
        if isinstance(value, (list, tuple, str)):
            return value
        if isinstance(value, Tensor) and value.ndim:
            self._builder.span = self._parsed.span(node)
            return [getitem(value, each) for each in range(value.shape[0])]
        self._report(node, "not-a-list", f"{_kind(value)} cannot be taken apart")
        return []

    # Expressions

    def _value(self, node: ast.expr) -> Any:
        try:
            return self._expression_value(node)
        except static.StaticError as error:
            return self._report(node, "arithmetic", str(error))
        except OpError as error:
            return self._report(node, "refused", str(error), error.help)
        except TooLarge as error:
            return self._report(node, "too-large", str(error), raise_limit("elements"))
        except MemoryError:
            return self._report(node, "too-large", "there is not enough memory for this tensor")

    def _expression_value(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant(value):
                if isinstance(value, bytes):
                    return self._unsupported(node)
                return value
            case ast.Name(name):
                return self._name(node, name)
            case ast.Attribute():
                return self._attribute(node)
            case ast.BinOp(left, operator, right):
                return self._binary(node, operator, self._value(left), self._value(right))
            case ast.UnaryOp(operator, operand):
                return self._unary(node, operator, self._value(operand))
            case ast.Compare(left, operators, comparators):
                return self._compare(node, left, operators, comparators)
            case ast.BoolOp(operator, values):
                return self._boolean(operator, values)
            case ast.Call():
                return self._call(node)
            case ast.Subscript(row, key):
                return self._subscript(node, self._value(row), self._value(key))
            case ast.Slice(lower, upper, step):
                return slice(*(None if each is None else self._value(each) for each in (lower, upper, step)))
            case ast.List(elts) | ast.Tuple(elts):
                return self._display(node, elts)
            case ast.ListComp(element, [generator]) | ast.GeneratorExp(element, [generator]):
                return self._comprehension(element, generator)
            case ast.IfExp(test, body, orelse):
                chosen = self._truth(test, self._value(test))
                return POISON if chosen is POISON else self._value(body if chosen else orelse)
        return self._unsupported(node)

    def _name(self, node: ast.Name, name: str) -> Any:
        if name in self._names:
            self.used.add(name)
            return self._names[name]
        try:
            return root(name)
        except KeyError:
            hint = did_you_mean(name, [*self._names, *roots()])
            return self._report(node, "unknown-name", f"`{name}` is not an input or a variable", hint)

    def _attribute(self, node: ast.Attribute) -> Any:
        owner, name = self._value(node.value), node.attr
        if isinstance(owner, Dotted):
            try:
                return member(owner, name)
            except UnknownName as error:
                code = "unknown-op" if owner.name.startswith("tf") else "unknown-name"
                return self._report(node, code, str(error), error.help)
        if isinstance(owner, Tensor) and name in ("shape", "dtype", "ndim"):
            return static.StaticShape(owner.shape) if name == "shape" else getattr(owner, name)
        if isinstance(owner, static.StaticShape) and name in ("rank", "ndims"):
            return len(owner)
        if isinstance(owner, static.StaticShape) and name == "as_list":
            return lambda: list(owner)
        if owner is POISON:
            return POISON
        hint = "a tensor has `.shape`, `.dtype` and `.ndim`" if isinstance(owner, Tensor) else None
        return self._report(node, "unknown-attribute", f"{_kind(owner)} has no attribute `{name}` here", hint)

    def _binary(self, node: ast.AST, operator: ast.operator, left: Any, right: Any) -> Any:
        if left is POISON or right is POISON:
            return POISON
        if isinstance(left, Tensor) or isinstance(right, Tensor):
            if type(operator) not in OPERATORS:
                return self._unsupported(node)
            return self._apply(node, lambda: applied(OPERATORS[type(operator)], left, right))
        return static.arithmetic(operator, left, right)

    def _unary(self, node: ast.AST, operator: ast.unaryop, value: Any) -> Any:
        if value is POISON:
            return POISON
        if not isinstance(value, Tensor):
            return static.unary(operator, value)
        if isinstance(operator, ast.Not):
            return self._report(node, "tensor-as-truth", _TRUTH, "write `tf.logical_not(x)`")
        if isinstance(operator, ast.UAdd):
            return self._report(node, "refused", "a tensor has no unary `+`, in TensorFlow either")
        return self._apply(node, lambda: applied(OPERATORS[type(operator)], value))

    def _compare(
        self, node: ast.AST, first: ast.expr, operators: Sequence[ast.cmpop], others: Sequence[ast.expr]
    ) -> Any:
        values = [self._value(each) for each in (first, *others)]
        if any(value is POISON for value in values):
            return POISON
        if len(values) == 2 and any(isinstance(value, Tensor) for value in values):
            if type(operators[0]) not in OPERATORS:
                return self._unsupported(node)
            return self._apply(node, lambda: applied(OPERATORS[type(operators[0])], *values))
        if not all(map(static.is_static, values)):
            return self._report(node, "tensor-as-truth", _TRUTH, "write `tf.logical_and(a < b, b < c)`")
        pairs = zip(operators, values, values[1:], strict=False)
        return all(static.comparison(operator, left, right) for operator, left, right in pairs)

    def _boolean(self, operator: ast.boolop, nodes: Sequence[ast.expr]) -> Any:
        wanted = isinstance(operator, ast.Or)
        for each in nodes:
            truth = self._truth(each, self._value(each))
            if truth is POISON:
                return POISON
            if truth == wanted:
                return wanted
        return not wanted

    def _truth(self, node: ast.AST, value: Any) -> Any:
        if isinstance(value, Tensor):
            return self._report(node, "tensor-as-truth", _TRUTH, "use `tf.where(condition, a, b)`")
        return POISON if value is POISON else bool(value)

    def _display(self, node: ast.expr, elements: Sequence[ast.expr]) -> Any:
        row: list[Any] = []
        for each in elements:
            if isinstance(each, ast.Starred):
                row.extend(self._entries(each, self._value(each.value)))
            else:
                row.append(self._value(each))
        if any(each is POISON for each in row):
            return POISON
        return tuple(row) if isinstance(node, ast.Tuple) else row

    def _comprehension(self, element: ast.expr, generator: ast.comprehension) -> Any:
        outer = dict(self._names)
        row: list[Any] = []
        for each in self._entries(generator.iter, self._value(generator.iter)):
            self._count(element)
            self._assign(generator.target, each)
            if all(self._truth(test, self._value(test)) is True for test in generator.ifs):
                row.append(self._value(element))
        self._names = outer
        return POISON if any(each is POISON for each in row) else row

    def _subscript(self, node: ast.Subscript, row: Any, key: Any) -> Any:
        parts = key if isinstance(key, tuple) else (key,)
        if row is POISON or any(part is POISON for part in parts):
            return POISON
        if isinstance(row, Tensor):
            return self._apply(node, lambda: getitem(row, key))
        if not isinstance(row, (list, tuple, str)):
            return self._report(node, "not-a-list", f"{_kind(row)} has no elements")
        return static.guarded(row.__getitem__, key)

    def _call(self, node: ast.Call) -> Any:
        function = self._value(node.func)
        arguments: list[Any] = []
        for each in node.args:
            if isinstance(each, ast.Starred):
                arguments.extend(self._entries(each, self._value(each.value)))
            else:
                arguments.append(self._value(each))
        keywords: dict[str, Any] = {}
        for keyword in node.keywords:
            if keyword.arg is None:
                return self._unsupported(node)
            keywords[keyword.arg] = self._value(keyword.value)
        values = [function, *arguments, *keywords.values()]
        if any(value is POISON for value in values):
            return POISON
        if isinstance(function, Op):
            return self._apply(node, lambda: function(*arguments, **keywords), function)
        if isinstance(function, Dotted) or not callable(function):
            return self._report(node.func, "not-callable", f"{_kind(function)} cannot be called")
        if function in static.NAMES.values() and not all(map(static.is_static, arguments)):
            hint = f"write `tf.math.{ast.unparse(node.func).rpartition('.')[2]}`"
            return self._report(node, "static-only", f"`{ast.unparse(node.func)}` takes numbers, not tensors", hint)
        self._builder.span = self._parsed.span(node)
        return static.guarded(lambda: function(*arguments, **keywords))

    def _apply(self, node: ast.AST, application: Any, op: Op | None = None) -> Any:
        """An operation's result, with the place of its call; a refused call is reported at the argument at fault."""
        self._count(node)
        self._builder.span = self._parsed.span(node)
        try:
            return application()
        except OpError as error:
            place = _argument_node(node, op, error.argument) if op is not None and isinstance(node, ast.Call) else node
            return self._report(place, "refused", str(error), error.help)

    def _count(self, node: ast.AST) -> None:
        self._steps += 1
        if max(self._steps, len(self._builder.instructions)) > self._max_instructions:
            span = self._parsed.span(node)
            raise TooLong(Diagnostic("too-long", f"more than {self._max_instructions} instructions", span))

    # Reporting

    def _unsupported(self, node: ast.AST) -> Any:
        construct = _CONSTRUCTS.get(type(node), f"`{type(node).__name__}`")
        return self._report(node, "unsupported-syntax", f"{construct} is not part of the language")

    def _report(self, node: ast.AST, code: str, message: str, hint: str | None = None) -> Poison:
        diagnostic = Diagnostic(code, message, self._parsed.span(node), hint)
        if diagnostic not in self.diagnostics:
            self.diagnostics.append(diagnostic)
        return POISON


class TooLong(Exception):
    """The expression needs more instructions than the limit."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


_TRUTH = "a tensor's value is not known when the case is read, so it cannot decide here"
_CONSTRUCTS: dict[type[ast.AST], str] = {
    ast.Import: "`import`",
    ast.ImportFrom: "`import`",
    ast.FunctionDef: "`def`",
    ast.AsyncFunctionDef: "`async def`",
    ast.ClassDef: "`class`",
    ast.Lambda: "`lambda`",
    ast.While: "`while`",
    ast.With: "`with`",
    ast.Try: "`try`",
    ast.Delete: "`del`",
    ast.Global: "`global`",
    ast.Raise: "`raise`",
    ast.Assert: "`assert`",
    ast.Return: "`return`",
    ast.Dict: "a dict",
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


def _kind(value: Any) -> str:
    if isinstance(value, Op):
        return f"the operation `{value.name}`"
    if isinstance(value, Dotted):
        return f"the namespace `{value.name}`"
    if isinstance(value, Tensor):
        return "a scalar tensor" if value.ndim == 0 else "a tensor"
    if isinstance(value, DType):
        return f"the dtype `tf.{value.name}`"
    return f"{value!r}" if isinstance(value, (int, float, str, bool)) else f"a {type(value).__name__}"


def _argument_node(call: ast.Call, op: Op, argument: str | None) -> ast.AST:
    """Where the call gives `argument`, or the call itself."""
    for keyword in call.keywords:
        if keyword.arg == argument:
            return keyword
    names = list(op.signature.parameters)
    position = names.index(argument) if argument in names else len(call.args)
    return call.args[position] if position < len(call.args) else call
