"""From a Python function of tensors to a program."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gradcheck.dtypes import Array
from gradcheck.program import Program, TensorType
from gradcheck.tensors import Builder, Tensor, as_array, building


def trace(function: Callable[..., Any], inputs: Mapping[str, Array | TensorType]) -> Program:
    """The program that `function` computes when it is called with tensors by the names in `inputs`.

    An input is given by its type, or by an array (or number, or nested list) that has it. `function` gives a tensor or
    a list of them; it runs once, and what it decides in Python is decided for good.

    >>> program = trace(lambda x, w: x @ w, {"x": np.ones((2, 3)), "w": np.ones((3, 1))})
    >>> print(program)
    x: float64[2, 3]
    w: float64[3, 1]
    %2: float64[2, 1] = tf.matmul(x, w)
    return %2
    """
    builder = Builder(inline=False)
    values = {name: builder.input(name, _type(given)) for name, given in inputs.items()}
    with building(builder):
        result = function(**values)
    targets: Sequence[Tensor] = [result] if isinstance(result, Tensor) else list(result)
    return builder.finish(targets)


def _type(given: Any) -> TensorType:
    if isinstance(given, TensorType):
        return given
    array = as_array(given)
    return TensorType(array.shape, array.dtype)
