"""How tinygrad's tensors are made, read and differentiated."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from tinygrad import Device, Tensor, dtypes

from gradcheck.dtypes import Array


def variable(value: Array) -> Tensor:
    """A tensor with a buffer of its own.

    What is made from a scalar array directly is a constant, and equal constants are one and the same to tinygrad: the
    gradient of one input would then be the sum over all inputs that have the same number.
    """
    known = getattr(dtypes, value.dtype.name)
    plain = value.astype(np.float32) if known is dtypes.bfloat16 else value
    return Tensor(plain.reshape(-1), dtype=known).realize().reshape(value.shape)


def array(value: Any) -> Array:
    """The numbers of a tensor, which keeps its history: tinygrad drops that of what has been computed."""
    if not isinstance(value, Tensor):
        return np.asarray(value)
    history = value.uop
    on_device = value.clone(Device.DEFAULT) if value.device is None else value  # a constant belongs to no device
    found: Array = on_device.numpy()
    value.uop = history
    return found


def as_tensor(value: Any) -> Tensor:
    """An operand, of which positions and masks come as arrays."""
    return value if isinstance(value, Tensor) else Tensor(np.asarray(value))


def on_tensors(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def run(*operands: Any) -> Tensor:
        return function(*(as_tensor(each) for each in operands))

    return run


def gradients(target: Tensor, sources: Sequence[Tensor], cotangent: Tensor | None) -> list[Tensor]:
    seed = Tensor.ones(*target.shape, dtype=target.dtype) if cotangent is None else cotangent
    found: list[Tensor] = target.gradient(*sources, gradient=seed)
    return found
