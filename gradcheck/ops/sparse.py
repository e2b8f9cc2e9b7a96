"""A tensor given by its non-zero elements, as some operations take it."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from gradcheck.tensors import Tensor


class SparseTensor(NamedTuple):
    """`tf.SparseTensor`: the coordinates of n elements, shaped [n, rank], their values, and the shape of the whole."""

    indices: Tensor
    values: Tensor
    dense_shape: Tensor

    @property
    def kind(self) -> str:
        """What it is, in words."""
        return "a sparse tensor"

    @property
    def members(self) -> Mapping[str, Any]:
        """What an expression can ask of it."""
        return self._asdict()
