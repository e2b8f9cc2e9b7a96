"""Nested lists, tuples and dicts of tensors, and the gradient that is not there."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from gradcheck.tensors import Value


@dataclass(frozen=True, eq=False)
class NotConnected:
    """The None that a tape gives where no path leads from the target to the source.

    `value` stands for it in the program, so that it can be what a case gives.
    """

    value: Value

    def __bool__(self) -> bool:
        return False


def mapped(function: Callable[[Any], Any], structure: Any) -> Any:
    """`structure` with each leaf replaced by what `function` makes of it."""
    if isinstance(structure, dict):
        return {name: mapped(function, each) for name, each in structure.items()}
    if isinstance(structure, (list, tuple)):
        return type(structure)(mapped(function, each) for each in structure)
    return function(structure)


def leaves(structure: Any) -> list[Any]:
    """The leaves in TensorFlow's order: of a dict by its sorted keys."""
    if isinstance(structure, dict):
        return [leaf for name in sorted(structure) for leaf in leaves(structure[name])]
    if isinstance(structure, (list, tuple)):
        return [leaf for each in structure for leaf in leaves(each)]
    return [structure]


def packed(structure: Any, row: Iterator[Any]) -> Any:
    """`structure` with its leaves taken from `row`, in the order of `leaves`."""
    if isinstance(structure, dict):
        made = {name: packed(structure[name], row) for name in sorted(structure)}
        return {name: made[name] for name in structure}
    if isinstance(structure, (list, tuple)):
        return type(structure)([packed(each, row) for each in structure])
    return next(row)
