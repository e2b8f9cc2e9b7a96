"""Nested lists, tuples and dicts, as TensorFlow's `tf.nest` reads them."""

from collections.abc import Callable, Iterator
from typing import Any


def mapped(function: Callable[[Any], Any], structure: Any) -> Any:
    """`structure` with each leaf replaced by what `function` makes of it."""
    return packed(structure, map(function, leaves(structure)))


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
        entries = [packed(each, row) for each in structure]
        return type(structure)(*entries) if hasattr(structure, "_fields") else type(structure)(entries)
    return next(row)
