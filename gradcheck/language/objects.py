"""What in the language has methods of its own: variables, tapes, accumulators."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable


@dataclass(frozen=True)
class Method:
    """A function of the language that is not an operation; if `raw` it takes a variable as such, not what it holds."""

    name: str
    run: Callable[..., Any]
    raw: bool = True

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        return self.run(*arguments, **keywords)


@runtime_checkable
class Thing(Protocol):
    """Something that has members; `kind` says what it is, in words."""

    kind: str

    @property
    def members(self) -> Mapping[str, Any]:
        """Attributes and methods by name."""
        ...


@runtime_checkable
class Manager(Protocol):
    """Something that stands after `with`."""

    def enter(self) -> Any:
        """What `as` gives a name."""
        ...

    def leave(self) -> None: ...
