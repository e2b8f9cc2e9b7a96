"""Nested lists, tuples and dicts of tensors, and the gradient that is not there."""

from dataclasses import dataclass

from gradcheck.nests import leaves, mapped, packed
from gradcheck.tensors import Value

__all__ = ["NotConnected", "leaves", "mapped", "packed"]


@dataclass(frozen=True, eq=False)
class NotConnected:
    """The None that a tape gives where no path leads from the target to the source.

    `value` stands for it in the program, so that it can be what a case gives.
    """

    value: Value

    def __bool__(self) -> bool:
        return False
