"""Requests made from a Python function."""

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck import trace
from gradcheck.dtypes import Array
from gradcheck.engines import Request


def ask(function: Callable[..., Any], *, dtype: Any = np.float64, cotangents: Any = None, **inputs: Any) -> Request:
    """A request for the gradients of `function` by all of its floating arguments; numbers and lists become `dtype`."""
    arrays: dict[str, Array] = {
        name: each if isinstance(each, np.ndarray) else np.asarray(each, dtype) for name, each in inputs.items()
    }
    program = trace(lambda **tensors: function(*tensors.values()), arrays)
    given = (None,) * len(program.outputs) if cotangents is None else tuple(cotangents)
    sources = tuple(name for name, each in arrays.items() if each.dtype.kind not in "biu")
    return Request(program, arrays, sources, (given,))
