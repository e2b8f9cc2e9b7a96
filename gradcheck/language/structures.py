"""Nested lists, tuples and dicts of tensors, and the gradient that is not there."""

from dataclasses import dataclass
from typing import Any

from gradcheck.dtypes import DType
from gradcheck.nests import leaves, mapped, packed
from gradcheck.ops.vocabulary import tf
from gradcheck.tensors import Tensor, Value

__all__ = ["NotConnected", "as_tensor", "leaves", "mapped", "packed"]


def as_tensor(value: Any, dtype: DType | None = None) -> Tensor:
    """A tensor as it is; numbers as a constant, of `dtype` if one is given."""
    made: Tensor = value if isinstance(value, Tensor) else tf.convert_to_tensor(value, dtype=dtype)
    return made


@dataclass(frozen=True, eq=False)
class NotConnected:
    """The None that a tape gives where no path leads from the target to the source.

    `value` stands for it in the program, so that it can be what a case gives.
    """

    value: Value

    def __bool__(self) -> bool:
        return False
