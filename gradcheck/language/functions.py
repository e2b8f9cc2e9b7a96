"""The user's own small functions: `def` and `lambda`."""

import ast
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from gradcheck.language.static import StaticError

MAX_DEPTH = 40
"""How deep calls of the user's functions may nest."""

_KINDS = inspect.Parameter


class Function:
    """A function of the language; calling it reads its body with the arguments as names."""

    def __init__(self, name: str, signature: inspect.Signature, run: Callable[[Mapping[str, Any]], Any]) -> None:
        self.name = name
        self._signature = signature
        self._run = run

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """What the body gives; raises `StaticError` for arguments that it does not take."""
        try:
            bound = self._signature.bind(*arguments, **keywords)
        except TypeError as error:
            raise StaticError(f"`{self.name}`: {error}") from None
        bound.apply_defaults()
        return self._run(bound.arguments)


def signature(arguments: ast.arguments, default: Callable[[ast.expr], Any]) -> inspect.Signature:
    """The parameters of a `def` or `lambda`; `default` gives the value of a default."""
    plain = [*arguments.posonlyargs, *arguments.args]
    missing = [inspect.Parameter.empty] * (len(plain) - len(arguments.defaults))
    defaults = [*missing, *map(default, arguments.defaults)]
    parameters = [
        inspect.Parameter(
            each.arg,
            _KINDS.POSITIONAL_ONLY if position < len(arguments.posonlyargs) else _KINDS.POSITIONAL_OR_KEYWORD,
            default=value,
        )
        for position, (each, value) in enumerate(zip(plain, defaults, strict=True))
    ]
    if arguments.vararg:
        parameters.append(inspect.Parameter(arguments.vararg.arg, _KINDS.VAR_POSITIONAL))
    for each, node in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        value = inspect.Parameter.empty if node is None else default(node)
        parameters.append(inspect.Parameter(each.arg, _KINDS.KEYWORD_ONLY, default=value))
    if arguments.kwarg:
        parameters.append(inspect.Parameter(arguments.kwarg.arg, _KINDS.VAR_KEYWORD))
    return inspect.Signature(parameters)
