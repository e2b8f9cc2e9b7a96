"""What stands behind the dot of a tensor, of a shape or of a dict; a tensor has some of NumPy's methods as well."""

from collections.abc import Callable
from functools import partial
from typing import Any

from gradcheck.language.objects import Method
from gradcheck.language.static import StaticError, StaticShape
from gradcheck.ops.vocabulary import tf
from gradcheck.tensors import Tensor


def _set_shape(x: Tensor, shape: Any) -> None:
    """Nothing is to be done: a shape is known already, and must be this one."""
    wanted = tuple(shape)
    fits = len(wanted) == x.ndim and all(size in (None, own) for size, own in zip(wanted, x.shape, strict=True))
    if not fits:
        raise StaticError(f"a tensor of shape {list(x.shape)} cannot be given the shape {list(wanted)}")


def _rows(arguments: tuple[Any, ...]) -> Any:
    """`x.reshape(2, 3)` means `x.reshape((2, 3))`."""
    return arguments[0] if len(arguments) == 1 and isinstance(arguments[0], (list, tuple)) else list(arguments)


_TYPE: dict[str, Callable[[Tensor], Any]] = {
    "dtype": lambda x: x.dtype,
    "ndim": lambda x: x.ndim,
    "shape": lambda x: StaticShape(x.shape),
    "T": lambda x: tf.transpose(x),
}
_METHODS: dict[str, Callable[..., Any]] = {
    "get_shape": lambda x: StaticShape(x.shape),
    "set_shape": _set_shape,
    "astype": lambda x, dtype: tf.cast(x, dtype),
    "clip": lambda x, a_min, a_max: tf.experimental.numpy.clip(x, a_min, a_max),
    "max": lambda x, axis=None, keepdims=False: tf.experimental.numpy.max(x, axis, keepdims=keepdims),
    "mean": lambda x, axis=None, keepdims=False: tf.experimental.numpy.mean(x, axis, keepdims=keepdims),
    "min": lambda x, axis=None, keepdims=False: tf.experimental.numpy.min(x, axis, keepdims=keepdims),
    "ravel": lambda x: tf.reshape(x, [-1]),
    "reshape": lambda x, *newshape: tf.reshape(x, _rows(newshape)),
    "transpose": lambda x, *axes: tf.transpose(x, _rows(axes) if axes else None),
}
NAMES = (*_TYPE, *_METHODS)
OF_SHAPES: dict[str, Callable[[StaticShape], Any]] = {
    "as_list": lambda shape: lambda: list(shape),
    "ndims": len,
    "rank": len,
}
OF_DICTS: dict[str, Callable[[dict[Any, Any]], Any]] = {
    "get": lambda entries: entries.get,
    "items": lambda entries: lambda: list(entries.items()),
    "keys": lambda entries: lambda: list(entries.keys()),
    "values": lambda entries: lambda: list(entries.values()),
}


def tensor_member(x: Tensor, name: str) -> Any:
    """`x.name`: a fact about its type, a tensor, or a method; raises `KeyError` if a tensor has no such thing."""
    if name in _TYPE:
        return _TYPE[name](x)
    return Method(name, partial(_METHODS[name], x), raw=False)
