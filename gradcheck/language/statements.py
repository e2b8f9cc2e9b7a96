"""The lines of an expression, and of the bodies of functions and loops in it."""

import ast
from collections.abc import Mapping, Sequence
from typing import Any

from gradcheck.language.expressions import Expressions
from gradcheck.language.functions import Function, signature
from gradcheck.language.objects import Manager
from gradcheck.language.reporting import POISON, kind


class _Returned(Exception):
    """A `return` on the way out of its function."""

    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value


class Statements:
    """Carries out statements, one after the other; each is worth what its last expression is."""

    def __init__(self, expressions: Expressions) -> None:
        self._expressions = expressions
        self._report = expressions.report
        self._functions = 0

    def run(self, statements: Sequence[ast.stmt]) -> Any:
        """What the last statement is worth."""
        result: Any = None
        for each in statements:
            result = self._statement(each)
        return result

    def _statement(self, node: ast.stmt) -> Any:
        values = self._expressions
        values.count(node)
        match node:
            case ast.Expr(value):
                return values.value(value)
            case ast.Assign(targets, value):
                result = values.value(value)
                for target in targets:
                    values.assign(target, result)
                return result
            case ast.AnnAssign(target=ast.Name() as target, value=ast.expr() as value):
                result = values.value(value)
                values.assign(target, result)
                return result
            case ast.AugAssign(target=ast.Name() as target, op=operator, value=value):
                left = values.value(ast.copy_location(ast.Name(target.id, ast.Load()), target))
                result = values.binary(node, operator, left, values.value(value))
                values.assign(target, result)
                return result
            case ast.For(target=target, iter=row, body=body, orelse=[]):
                return self._loop(target, row, body)
            case ast.If(test=test, body=body, orelse=orelse):
                chosen = values.truth(test, values.value(test))
                return POISON if chosen is POISON else self.run(body if chosen else orelse)
            case ast.With(items=items, body=body):
                return self._with(items, body)
            case ast.FunctionDef():
                return self._define(node)
            case ast.Return(value=value):
                if not self._functions:
                    return self._report.wrong(node, "return", "`return` stands outside a function")
                raise _Returned(None if value is None else values.value(value))
            case ast.Delete(targets=targets) if all(isinstance(each, ast.Name) for each in targets):
                return self._delete(targets)
            case ast.Pass():
                return None
        return self._report.unsupported(node)

    def _loop(self, target: ast.expr, row: ast.expr, body: list[ast.stmt]) -> Any:
        result = None
        for each in self._expressions.entries(row, self._expressions.value(row)):
            self._expressions.assign(target, each)
            result = self.run(body)
        return result

    def _with(self, items: Sequence[ast.withitem], body: list[ast.stmt]) -> Any:
        if not items:
            return self.run(body)
        first, *rest = items
        manager = self._expressions.value(first.context_expr)
        if manager is POISON:
            manager = None
        elif not isinstance(manager, Manager):
            message = f"{kind(manager)} cannot stand after `with`"
            self._report.wrong(first.context_expr, "not-a-manager", message, "a `tf.GradientTape()` can")
            manager = None
        entered = POISON if manager is None else manager.enter()
        if first.optional_vars is not None:
            self._expressions.assign(first.optional_vars, entered)
        try:
            return self._with(rest, body)
        finally:
            if manager is not None:
                manager.leave()

    def _define(self, node: ast.FunctionDef) -> Any:
        scope = self._expressions.names

        def run(bound: Mapping[str, Any]) -> Any:
            self._functions += 1
            try:
                with self._expressions.scope(scope.new_child(dict(bound))):
                    self.run(node.body)
            except _Returned as returned:
                return returned.value
            finally:
                self._functions -= 1
            return None

        function: Any = Function(node.name, signature(node.args, self._expressions.value), run)
        for decorator in reversed(node.decorator_list):
            function = self._decorated(decorator, function)
        self._expressions.names[node.name] = function
        return function

    def _decorated(self, node: ast.expr, function: Any) -> Any:
        """`@tf.function` changes nothing here; other decorators are called."""
        decorator = self._expressions.value(node)
        if decorator is POISON or function is POISON:
            return POISON
        if not callable(decorator):
            return self._report.wrong(node, "not-callable", f"{kind(decorator)} cannot decorate a function")
        return decorator(function)

    def _delete(self, targets: Sequence[ast.expr]) -> None:
        for each in targets:
            if isinstance(each, ast.Name):
                self._expressions.value(each)
                self._expressions.names.pop(each.id, None)
