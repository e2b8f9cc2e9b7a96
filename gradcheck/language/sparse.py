"""`tf.SparseTensor` in an expression, for the operations that take one."""

from typing import Any

import numpy as np

from gradcheck.dtypes import INT64, Array, is_integer
from gradcheck.language.objects import Method
from gradcheck.language.static import StaticError
from gradcheck.language.structures import as_tensor
from gradcheck.ops.calling import numbers
from gradcheck.ops.sparse import SparseTensor
from gradcheck.ops.vocabulary import tf
from gradcheck.tensors import Tensor


def _positions(value: Any, name: str) -> tuple[Tensor, Array]:
    """Coordinates or sizes as an int64 tensor, and their numbers."""
    given = as_tensor(value, None if isinstance(value, Tensor) else INT64)
    known = numbers(given)
    if known is None or not is_integer(given.dtype):
        raise StaticError(f"`{name}` must be integers that are known when the case is read")
    return tf.cast(given, INT64), known


def _new(indices: Any, values: Any, dense_shape: Any) -> SparseTensor:
    (places, coordinates), (shape, sizes) = _positions(indices, "indices"), _positions(dense_shape, "dense_shape")
    elements = as_tensor(values)
    if sizes.ndim != 1 or coordinates.shape != (*elements.shape, sizes.size) or elements.ndim != 1:
        raise StaticError(
            f"`tf.SparseTensor` with `indices` {list(coordinates.shape)}, `values` {list(elements.shape)} and "
            f"`dense_shape` {list(sizes.shape)}: these must have the shapes [n, rank], [n] and [rank]"
        )
    if (coordinates < 0).any() or (coordinates >= sizes).any():
        raise StaticError(f"`indices` {coordinates.tolist()} are not all inside the shape {sizes.tolist()}")
    return SparseTensor(places, elements, shape)


def _from_dense(tensor: Any, name: str | None = None) -> SparseTensor:  # TensorFlow's name
    dense = as_tensor(tensor)
    known = numbers(dense)
    if known is None:
        raise StaticError("what is zero must be known when the case is read: write `tf.SparseTensor(indices, …)`")
    places = np.argwhere(known)
    return _new(places, dense.context.constant(known[tuple(places.T)]), known.shape)


CONSTRUCTORS = {
    "tf.SparseTensor": Method("tf.SparseTensor", _new, raw=False),
    "tf.sparse.SparseTensor": Method("tf.sparse.SparseTensor", _new, raw=False),
    "tf.sparse.from_dense": Method("tf.sparse.from_dense", _from_dense, raw=False),
}
