"""The value of an expression: Python's syntax tree, node by node, nothing ever executed.

A node becomes a tensor of the program that is being built, or a static value. What cannot be understood is reported
with its place, and the rest is still read, so that all errors of an expression come at once.
"""

import ast
from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from gradcheck.casefile.limits import raise_limit
from gradcheck.diagnostics import Diagnostic, did_you_mean
from gradcheck.dtypes import Array, is_differentiable
from gradcheck.engine.evaluate import evaluate
from gradcheck.language import members, static
from gradcheck.language.functions import MAX_DEPTH, Function, signature
from gradcheck.language.names import Dotted, UnknownName, member, root, roots
from gradcheck.language.objects import Method, Thing
from gradcheck.language.reporting import POISON, Report, kind
from gradcheck.language.structures import NotConnected, leaves, mapped
from gradcheck.language.variables import Variable
from gradcheck.language.vocabulary import own
from gradcheck.ops.arrays.brackets import getitem
from gradcheck.ops.declaration import Op, OpError, Undecided
from gradcheck.ops.operators import BINARY, COMPARISONS, UNARY, applied
from gradcheck.tensors import Builder, Tensor, TooLarge, Value

MAX_ARGUMENTS = 10_000
"""How many arguments a call may have, those of `*row` included."""
OPERATORS = {each.node: each for each in (*BINARY, *COMPARISONS, *UNARY)}


class TooLong(Exception):
    """The expression needs more instructions than the limit."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


class Expressions:
    """Reads expressions into `builder`, under the `names` that are defined where they stand."""

    def __init__(
        self,
        builder: Builder,
        names: dict[str, Any],
        inputs: Mapping[str, Array],
        report: Report,
        max_instructions: int,
    ) -> None:
        self.builder = builder
        self._inputs = inputs
        self.names: ChainMap[str, Any] = ChainMap(names)
        self.report = report
        self.used: set[str] = set()
        self._own = own(builder, self._now)
        self._depth = 0
        self._max_instructions = max_instructions
        self._steps = 0

    def assign(self, target: ast.expr, value: Any) -> None:
        match target:
            case ast.Name(name):
                if name in ("tf", "math", "np"):
                    self.report.wrong(target, "reserved-name", f"`{name}` cannot be assigned to")
                self.names[name] = value
                if isinstance(value, Value) and value.index not in self.builder.names:
                    self.builder.names[value.index] = name
            case ast.Tuple(elts) | ast.List(elts):
                row = [POISON] * len(elts) if value is POISON else self.entries(target, value)
                if len(row) != len(elts):
                    if value is not POISON:
                        self.report.wrong(target, "unpack", f"{len(elts)} names cannot take {len(row)} values")
                    row = [POISON] * len(elts)
                for each, part in zip(elts, row, strict=True):
                    self.assign(each, part)
            case _:
                self.report.wrong(
                    target,
                    "unsupported-syntax",
                    "only names can be assigned to; a tensor's elements cannot be changed",
                    "write `tf.tensor_scatter_nd_update(x, indices, updates)`"
                    if isinstance(target, ast.Subscript)
                    else None,
                )

    def entries(self, node: ast.AST, value: Any) -> Sequence[Any]:
        """What is taken from `value` one after the other."""
        if value is POISON:
            return []
        if isinstance(value, (list, tuple, str)):
            return value
        if isinstance(value, dict):
            return list(value)
        value = self._plain(value)
        if isinstance(value, Tensor) and value.ndim:
            self.builder.span = self.report.span(node)
            return [getitem(value, each) for each in range(value.shape[0])]
        self.report.wrong(node, "not-a-list", f"{kind(value)} cannot be taken apart")
        return []

    def value(self, node: ast.expr) -> Any:
        """What an expression is worth: a tensor, a static value, a thing with methods, or `POISON`."""
        try:
            return self._expression_value(node)
        except static.StaticError as error:
            return self.report.wrong(node, "arithmetic", str(error))
        except OpError as error:
            return self.report.wrong(node, "refused", str(error), error.help)
        except TooLarge as error:
            return self.report.wrong(node, "too-large", str(error), raise_limit("elements"))
        except MemoryError:
            return self.report.wrong(node, "too-large", "there is not enough memory for this tensor")

    def _expression_value(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant(value):
                if isinstance(value, bytes):
                    return self.report.unsupported(node)
                return value
            case ast.Name(name):
                return self._name(node, name)
            case ast.Attribute():
                return self._attribute(node)
            case ast.BinOp(left, operator, right):
                return self.binary(node, operator, self.value(left), self.value(right))
            case ast.UnaryOp(operator, operand):
                return self._unary(node, operator, self.value(operand))
            case ast.Compare(left, operators, comparators):
                return self._compare(node, left, operators, comparators)
            case ast.BoolOp(operator, values):
                return self._boolean(operator, values)
            case ast.Call():
                return self._call(node)
            case ast.Subscript(row, key):
                return self._subscript(node, self.value(row), self.value(key))
            case ast.Slice(lower, upper, step):
                return slice(*(None if each is None else self.value(each) for each in (lower, upper, step)))
            case ast.List(elts) | ast.Tuple(elts):
                return self._display(node, elts)
            case ast.Dict(keys, values) if None not in keys:
                return {self.value(key): self.value(each) for key, each in zip(keys, values, strict=True) if key}
            case ast.Lambda(args, body):
                return self._lambda(args, body)
            case ast.ListComp(element, [generator]) | ast.GeneratorExp(element, [generator]):
                return self._comprehension(element, generator)
            case ast.IfExp(test, body, orelse):
                chosen = self.truth(test, self.value(test))
                return POISON if chosen is POISON else self.value(body if chosen else orelse)
        return self.report.unsupported(node)

    def _name(self, node: ast.Name, name: str) -> Any:
        if name in self.names:
            self.used.add(name)
            return self.names[name]
        try:
            return root(name)
        except KeyError:
            hint = did_you_mean(name, [*self.names, *roots()])
            return self.report.wrong(node, "unknown-name", f"`{name}` is not an input or a variable", hint)

    def _attribute(self, node: ast.Attribute) -> Any:
        owner, name = self.value(node.value), node.attr
        if isinstance(owner, Dotted):
            full = f"{owner.name}.{name}"
            if full in self._own:
                return self._own[full]
            if any(each.startswith(f"{full}.") for each in self._own):
                return Dotted(full)
            try:
                return member(owner, name)
            except UnknownName as error:
                code = "unknown-op" if owner.name.startswith("tf") else "unknown-name"
                return self.report.wrong(node, code, str(error), error.help)
        if isinstance(owner, Tensor) and name in members.NAMES:
            self.builder.span = self.report.span(node)
            return members.tensor_member(owner, name)
        if isinstance(owner, static.StaticShape) and name in members.OF_SHAPES:
            return members.OF_SHAPES[name](owner)
        if owner is POISON:
            return POISON
        if isinstance(owner, dict) and name in members.OF_DICTS:
            return members.OF_DICTS[name](owner)
        if isinstance(owner, Thing):
            if name in owner.members:
                return owner.members[name]
            near = did_you_mean(name, owner.members) or f"it has {', '.join(f'`{each}`' for each in owner.members)}"
            return self.report.wrong(node, "unknown-attribute", f"{owner.kind} has no attribute `{name}`", near)
        known = (
            did_you_mean(name, members.NAMES) or "a tensor has `.shape`, `.dtype`, `.ndim` and NumPy's first methods"
        )
        hint = known if isinstance(owner, Tensor) else None
        return self.report.wrong(node, "unknown-attribute", f"{kind(owner)} has no attribute `{name}` here", hint)

    def binary(self, node: ast.AST, operator: ast.operator, left: Any, right: Any) -> Any:
        left, right = self._operand(node, left), self._operand(node, right)
        if left is POISON or right is POISON:
            return POISON
        if isinstance(left, Tensor) or isinstance(right, Tensor):
            if type(operator) not in OPERATORS:
                return self.report.unsupported(node)
            return self._apply(node, lambda given: applied(OPERATORS[type(operator)], *given), (left, right))
        return static.arithmetic(operator, left, right)

    def _unary(self, node: ast.AST, operator: ast.unaryop, value: Any) -> Any:
        value = value if isinstance(operator, ast.Not) else self._operand(node, value)
        if value is POISON:
            return POISON
        if not isinstance(value, Tensor):
            return static.unary(operator, value)
        if isinstance(operator, ast.Not):
            return self.report.wrong(node, "tensor-as-truth", _TRUTH, "write `tf.logical_not(x)`")
        if isinstance(operator, ast.UAdd):
            return self.report.wrong(node, "refused", "a tensor has no unary `+`, in TensorFlow either")
        return self._apply(node, lambda given: applied(OPERATORS[type(operator)], given), value)

    def _compare(
        self, node: ast.AST, first: ast.expr, operators: Sequence[ast.cmpop], others: Sequence[ast.expr]
    ) -> Any:
        identity = all(isinstance(each, (ast.Is, ast.IsNot)) for each in operators)
        found = [self.value(each) for each in (first, *others)]
        values = [None if isinstance(each, NotConnected) else each for each in found]
        if identity and len(values) == 2 and None in [each for each in values if not isinstance(each, Tensor)]:
            return (values[0] is values[1]) == isinstance(operators[0], ast.Is)
        values = [self._plain(each) for each in values]
        if any(value is POISON for value in values):
            return POISON
        if len(values) == 2 and any(isinstance(value, Tensor) for value in values):
            if type(operators[0]) not in OPERATORS:
                return self.report.unsupported(node)
            return self._apply(node, lambda given: applied(OPERATORS[type(operators[0])], *given), values)
        if not all(map(static.is_static, values)):
            return self.report.wrong(node, "tensor-as-truth", _TRUTH, "write `tf.logical_and(a < b, b < c)`")
        pairs = zip(operators, values, values[1:], strict=False)
        return all(static.comparison(operator, left, right) for operator, left, right in pairs)

    def _boolean(self, operator: ast.boolop, nodes: Sequence[ast.expr]) -> Any:
        wanted = isinstance(operator, ast.Or)
        for each in nodes:
            truth = self.truth(each, self.value(each))
            if truth is POISON:
                return POISON
            if truth == wanted:
                return wanted
        return not wanted

    def truth(self, node: ast.AST, value: Any) -> Any:
        if isinstance(value, Tensor):
            return self.report.wrong(node, "tensor-as-truth", _TRUTH, "use `tf.where(condition, a, b)`")
        return POISON if value is POISON else bool(value)

    def _display(self, node: ast.expr, elements: Sequence[ast.expr]) -> Any:
        row: list[Any] = []
        for each in elements:
            if isinstance(each, ast.Starred):
                row.extend(self.entries(each, self.value(each.value)))
            else:
                row.append(self.value(each))
        if any(each is POISON for each in row):
            return POISON
        return static.bounded(tuple(row) if isinstance(node, ast.Tuple) else row)

    def _comprehension(self, element: ast.expr, generator: ast.comprehension) -> Any:
        outer, self.names = self.names, self.names.new_child()
        row: list[Any] = []
        for each in self.entries(generator.iter, self.value(generator.iter)):
            self.count(element)
            self.assign(generator.target, each)
            if all(self.truth(test, self.value(test)) is True for test in generator.ifs):
                row.append(self.value(element))
        self.names = outer
        return POISON if any(each is POISON for each in row) else static.bounded(row)

    def _subscript(self, node: ast.Subscript, row: Any, key: Any) -> Any:
        row, key = self._plain(row), mapped(self._plain, key)
        parts = key if isinstance(key, tuple) else (key,)
        if row is POISON or any(part is POISON for part in parts):
            return POISON
        if isinstance(row, Tensor):
            return self._apply(node, lambda given: getitem(row, given), key)
        if not isinstance(row, (list, tuple, str, dict)):
            return self.report.wrong(node, "not-a-list", f"{kind(row)} has no elements")
        return static.guarded(row.__getitem__, key)

    def _call(self, node: ast.Call) -> Any:
        function = self.value(node.func)
        arguments: list[Any] = []
        for each in node.args:
            if isinstance(each, ast.Starred):
                arguments.extend(self.entries(each, self.value(each.value)))
            else:
                arguments.append(self.value(each))
        keywords: dict[str, Any] = {}
        for keyword in node.keywords:
            if keyword.arg is None:
                return self.report.unsupported(node)
            keywords[keyword.arg] = self.value(keyword.value)
        if len(arguments) > MAX_ARGUMENTS:
            return self.report.wrong(node, "too-long", f"a call with more than {MAX_ARGUMENTS} arguments")
        values = [function, *leaves(arguments), *leaves(list(keywords.values()))]
        if any(value is POISON for value in values):
            return POISON
        if isinstance(function, Function):
            return self._called(node, function, arguments, keywords)
        if not any(function is each for each in static.STRUCTURAL) and not (
            isinstance(function, Method) and function.raw
        ):
            arguments, keywords = mapped(self._plain, arguments), mapped(self._plain, keywords)
            if isinstance(function, Op) and any(isinstance(each, NotConnected) for each in values):
                return self._none(node)
        if isinstance(function, Op) and function.name == "tf.constant" and isinstance((*arguments, None)[0], str):
            return self.builder.constant(np.asarray(arguments[0]))  # a text, which a tape may be asked about
        if isinstance(function, Op):
            given = (arguments, keywords)
            return self._apply(node, lambda given: function(*given[0], **given[1]), given, function)
        if isinstance(function, Dotted) or not callable(function):
            return self.report.wrong(node.func, "not-callable", f"{kind(function)} cannot be called")
        if (
            not isinstance(function, Method)
            and function in static.NAMES.values()
            and not all(map(static.is_static, arguments))
        ):
            hint = f"write `tf.math.{ast.unparse(node.func).rpartition('.')[2]}`"
            return self.report.wrong(
                node, "static-only", f"`{ast.unparse(node.func)}` takes numbers, not tensors", hint
            )
        self.builder.span = self.report.span(node)
        return static.guarded(lambda: function(*arguments, **keywords))

    def _lambda(self, args: ast.arguments, body: ast.expr) -> Function:
        scope = self.names

        def run(bound: Mapping[str, Any]) -> Any:
            with self.scope(scope.new_child(dict(bound))):
                return self.value(body)

        return Function("lambda", signature(args, self.value), run)

    @contextmanager
    def scope(self, names: "ChainMap[str, Any]") -> Iterator[None]:
        """Read what follows under other names, as the body of a function."""
        outer, self.names = self.names, names
        try:
            yield
        finally:
            self.names = outer

    def _called(self, node: ast.Call, function: Function, arguments: Sequence[Any], keywords: Mapping[str, Any]) -> Any:
        self.count(node)
        if self._depth >= MAX_DEPTH:
            return self.report.wrong(node, "too-deep", f"calls of functions nest deeper than {MAX_DEPTH}")
        self._depth += 1
        try:
            return function(*arguments, **keywords)
        finally:
            self._depth -= 1

    def _now(self, tensor: Tensor) -> Array:
        """The numbers that a tensor has for the inputs of the case."""
        (found,) = evaluate(self.builder.finish([tensor]).pruned(), self._inputs)
        if found is None:
            raise static.StaticError("a gradient that is not connected has no numbers to decide by")
        return found

    def _plain(self, value: Any) -> Any:
        """What a variable holds, where what it holds is meant."""
        return value.read() if isinstance(value, Variable) else value

    def _operand(self, node: ast.AST, value: Any) -> Any:
        return self._none(node) if isinstance(value, NotConnected) else self._plain(value)

    def _none(self, node: ast.AST) -> Any:
        hint = "with `unconnected_gradients='zero'` the tape gives zeros instead"
        return self.report.wrong(node, "not-connected", "this gradient is None: no path leads to its source", hint)

    def _apply(self, node: ast.AST, application: Callable[[Any], Any], given: Any, op: Op | None = None) -> Any:
        """An operation's result, with the place of its call; a refused call is reported at the argument at fault.

        What decides a shape has to be numbers: integers and masks that are computed from the inputs become those that
        they are at the point of the case.
        """
        self.count(node)
        self.builder.span = self.report.span(node)
        try:
            try:
                return application(given)
            except Undecided:
                return application(mapped(self._decided, given))
        except OpError as error:
            place = _argument_node(node, op, error.argument) if op is not None and isinstance(node, ast.Call) else node
            return self.report.wrong(place, "refused", str(error), error.help)

    def _decided(self, value: Any) -> Any:
        if isinstance(value, Value) and not is_differentiable(value.dtype):
            return self.builder.constant(self._now(value))
        return value

    def count(self, node: ast.AST) -> None:
        self._steps += 1
        if max(self._steps, len(self.builder.instructions)) > self._max_instructions:
            span = self.report.span(node)
            raise TooLong(Diagnostic("too-long", f"more than {self._max_instructions} instructions", span))


_TRUTH = "a tensor's value is not known when the case is read, so it cannot decide here"


def _argument_node(call: ast.Call, op: Op, argument: str | None) -> ast.AST:
    """Where the call gives `argument`, or the call itself."""
    for keyword in call.keywords:
        if keyword.arg == argument:
            return keyword
    names = list(op.signature.parameters)
    position = names.index(argument) if argument in names else len(call.args)
    return call.args[position] if position < len(call.args) else call
