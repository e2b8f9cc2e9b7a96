"""One piece of code run three times: on TensorFlow, eagerly on our engine, and traced to a program and its gradient."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow

from gradcheck import GradientTape, tensor
from gradcheck.dtypes import Array, is_differentiable
from gradcheck.engine.differentiate import gradient
from gradcheck.engine.evaluate import evaluate
from gradcheck.engine.tracing import trace
from gradcheck.ops import tf

Call = Callable[..., Any]


def assert_same(call: Call, *inputs: Any) -> list[Array | None]:
    """Check that `call(tf, *inputs)` has TensorFlow's value and gradients; gives the value and then the gradients.

    The cotangent counts 1, 2, 3 and so on through the elements of the value. Values are compared exactly, gradients
    to rounding.
    """
    arrays = [each if isinstance(each, np.ndarray) else np.asarray(each, np.float64) for each in inputs]
    expected = _theirs(call, arrays)
    for answer in (_eager(call, arrays), _traced(call, arrays)):
        np.testing.assert_array_equal(answer[0], expected[0], strict=True)
        for mine, other in zip(answer[1:], expected[1:], strict=True):
            assert (mine is None) == (other is None), f"{mine} and {other}: only one is connected"
            if mine is not None:
                np.testing.assert_allclose(mine, other, rtol=1e-12, strict=True)
    return expected


def _theirs(call: Call, arrays: list[Array]) -> list[Array | None]:
    sources = [tensorflow.constant(each) for each in arrays]
    with tensorflow.GradientTape() as tape:
        tape.watch(sources)
        value = call(tensorflow, *sources)
    if not is_differentiable(value.numpy().dtype):
        return [value.numpy(), *(None for _ in sources)]
    seed = tensorflow.constant(counted(value.numpy()))
    found = tape.gradient(value, sources, output_gradients=seed)
    return [value.numpy(), *(None if each is None else tensorflow.convert_to_tensor(each).numpy() for each in found)]


def _eager(call: Call, arrays: list[Array]) -> list[Array | None]:
    sources = [tensor(each) for each in arrays]
    with GradientTape() as tape:
        tape.watch(sources)
        value = call(tf, *sources)
    if not is_differentiable(value.dtype):
        return [value.numpy(), *(None for _ in sources)]
    found = tape.gradient(value, sources, output_gradients=tensor(counted(value.numpy())))
    return [value.numpy(), *(None if each is None else each.numpy() for each in found)]


def _traced(call: Call, arrays: list[Array]) -> list[Array | None]:
    names = [f"x{position}" for position in range(len(arrays))]
    inputs = dict(zip(names, arrays, strict=True))
    program = trace(lambda **values: call(tf, *values.values()), inputs)
    (value,) = evaluate(program, inputs)
    assert value is not None
    written = gradient(program, names)
    seeds = {name: counted(value) for name in written.cotangents if name is not None}
    return evaluate(written.program, {**inputs, **seeds})


def counted(value: Array) -> Array:
    """1, 2, 3 and so on, in the shape of `value`."""
    return np.arange(1, value.size + 1).reshape(value.shape).astype(value.dtype)
