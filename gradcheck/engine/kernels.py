"""From an operation's NumPy forward to the function that runs an instruction: dtypes are seen to here, once."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from gradcheck.dtypes import FLOAT32, NARROW, Array
from gradcheck.ops.declaration import Op
from gradcheck.program import TensorType

Kernel = Callable[..., Any]


def kernel(
    op: Op, attributes: Mapping[str, Any], inputs: Sequence[TensorType], outputs: Sequence[TensorType]
) -> Kernel:
    """A function of the input arrays that gives the output array, or the list of them.

    Where a 16-bit float takes part in arithmetic the work is done in float32 and rounded once at the end, which is how
    TensorFlow accumulates its sums and products.
    """
    forward = op.forward
    assert forward is not None, f"{op.name} composes from others and is expanded before it runs"
    bound = partial(forward, **attributes) if attributes else forward
    if not op.moves and any(each.dtype in NARROW for each in (*inputs, *outputs)):
        return _widened(bound, outputs)
    return bound


def _widened(forward: Kernel, outputs: Sequence[TensorType]) -> Kernel:
    dtypes = [each.dtype for each in outputs]

    def widened(*arrays: Array) -> Any:
        wide = [each.astype(FLOAT32) if each.dtype in NARROW else each for each in arrays]
        result = forward(*wide)
        if isinstance(result, list):
            return [np.asarray(each).astype(dtype) for each, dtype in zip(result, dtypes, strict=True)]
        return np.asarray(result).astype(dtypes[0])

    return widened
