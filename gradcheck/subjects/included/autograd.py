"""autograd: its NumPy and SciPy, differentiated by `autograd.core.make_vjp`.

The cotangent of a complex number is the conjugate of TensorFlow's in autograd, so that both what comes in and what
comes out is conjugated; `pip install 'gradcheck[autograd]'`.
"""

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy
from autograd import numpy as anp
from autograd.builtins import tuple as boxed
from autograd.core import make_vjp
from autograd.scipy import special
from autograd.tracer import getval, isbox

from gradcheck.dtypes import INT32, Array, DType, is_complex
from gradcheck.program import Shape
from gradcheck.subjects.findings import Lacking
from gradcheck.subjects.functional_engine import FunctionalEngine, Pullback
from gradcheck.subjects.included.numpy_like import FREE_LABELS, WHOLE_MATRIX, grid, mirrored, running, table


def vjp(function: Callable[..., list[Any]], point: Sequence[Any]) -> tuple[list[Any], Pullback]:
    """`make_vjp` of a function of a tuple, with TensorFlow's cotangents, which are the conjugates of autograd's."""
    with _quiet():
        pullback, outputs = make_vjp(lambda sources: boxed(function(*sources)), boxed(point))

    def conjugated(cotangents: Sequence[Any]) -> list[Any]:
        with _quiet():
            return [anp.conj(each) for each in pullback(boxed(anp.conj(each) for each in cotangents))]

    return list(outputs), conjugated


@contextmanager
def _quiet() -> Iterator[None]:
    """Without warnings, of autograd that nothing is connected and of NumPy about what is not finite."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _where(condition: Any, x: Any, y: Any) -> Any:
    zeros = numpy.zeros(numpy.broadcast_shapes(condition.shape, x.shape, y.shape), x.dtype)
    return anp.where(condition, x + zeros, y + zeros)  # its gradient is not summed over what is broadcast


def _clip_by_value(t: Any, clip_value_min: Any, clip_value_max: Any) -> Any:
    if isbox(clip_value_min) or isbox(clip_value_max):  # of which `clip` has no gradient
        return anp.minimum(anp.maximum(t, clip_value_min), clip_value_max)
    return anp.clip(t, clip_value_min, clip_value_max)


def _einsum(equation: str, *inputs: Any) -> Any:
    terms = equation.replace(" ", "").replace("...", "").replace("->", ",").split(",")
    if any(len(set(each)) < len(each) for each in terms):
        raise Lacking("it has no gradient where a subscript is repeated within a term")
    return anp.einsum(equation, *inputs)


def _sigmoid(x: Any) -> Any:
    if is_complex(x.dtype):
        raise Lacking("it has none of complex numbers")
    return special.expit(x)


def _tile(input: Any, multiples: Shape) -> Any:
    if 0 in multiples:
        raise Lacking("it has no gradient of what is repeated zero times")
    return anp.tile(input, multiples)


def _repeat(input: Any, repeats: int | Shape, axis: int | None = None) -> Any:
    if not isinstance(repeats, int):
        raise Lacking("it has no gradient where `repeats` has several numbers")
    if axis is None:
        return anp.repeat(anp.reshape(input, -1), repeats, 0)
    return anp.repeat(input, repeats, axis % input.ndim)


def _stop_gradient(input: Any) -> Any:
    while isbox(input):
        input = getval(input)
    return input


def _linspace(start: Any, stop: Any, num: int, axis: int = 0) -> Any:
    shape = numpy.broadcast_shapes(start.shape, stop.shape)
    first, last = anp.expand_dims(start + anp.zeros(shape), axis), anp.expand_dims(stop + anp.zeros(shape), axis)
    steps = numpy.arange(num) / max(num - 1, 1)
    weights = anp.expand_dims(steps, tuple(each for each in range(first.ndim) if each != axis % first.ndim))
    return (first + (last - first) * weights).astype(start.dtype)


def _meshgrid(*args: Any) -> list[Any]:
    *rows, options = args
    count = len(rows)
    places = list(range(count))
    if options.get("indexing", "xy") == "xy":
        places[:2] = places[1::-1]
    sizes = [rows[place].size for place in places]
    rows = [anp.reshape(row, [-1 if each == at else 1 for each in places]) for at, row in enumerate(rows)]
    return [row + anp.zeros(sizes, row.dtype) for row in rows]


def _pad(tensor: Any, paddings: tuple[Shape, ...], constant_values: Any = 0) -> Any:
    return anp.pad(tensor, paddings, "constant", constant_values=constant_values)


def _summed(places: Array, updates: Any, count: int) -> Any:
    """The sum of the rows of `updates` that have the same place, for each of `count` places."""
    chosen = (numpy.arange(count)[:, None] == places).astype(updates.dtype)
    return anp.tensordot(chosen, updates, 1)


def _segment_sum(data: Any, segment_ids: Array, num_segments: int) -> Any:
    flat = anp.reshape(data, (segment_ids.size, *data.shape[segment_ids.ndim :]))
    return _summed(segment_ids.ravel(), flat, num_segments)


def _scatter_nd(indices: Array, updates: Any, shape: Shape) -> Any:
    depth = indices.shape[-1]
    places = numpy.ravel_multi_index(tuple(numpy.moveaxis(indices, -1, 0)), shape[:depth]).ravel()
    flat = anp.reshape(updates, (places.size, *shape[depth:]))
    return anp.reshape(_summed(places, flat, int(numpy.prod(shape[:depth]))), shape)


def _scatter_update(tensor: Any, indices: Array, updates: Any) -> Any:
    depth = indices.shape[-1]
    rows = indices.size // depth
    if not rows:
        return tensor
    last = numpy.full(tensor.shape[:depth], -1)
    for row, place in enumerate(indices.reshape(-1, depth)):
        last[tuple(place)] = row
    written = anp.reshape(updates, (rows, *tensor.shape[depth:]))[last]
    return anp.where((last >= 0).reshape(*last.shape, *[1] * (tensor.ndim - depth)), written, tensor)


def _sort(values: Any, axis: int = -1, direction: str = "ASCENDING") -> Any:
    ordered = anp.sort(values, axis)
    return mirrored(ordered, (axis % values.ndim,)) if direction == "DESCENDING" else ordered


def _top_k(input: Any, k: int = 1, sorted: bool = True, index_type: DType = INT32) -> list[Any]:
    places = anp.argsort(-input, -1, stable=True)[..., :k]
    return [input[(*grid(places.shape, input.ndim - 1), places)], places.astype(index_type)]


FUNCTIONS = table(anp, special) | {
    "tf.stop_gradient": _stop_gradient,
    "tf.where": _where,
    "tf.clip_by_value": _clip_by_value,
    "tf.broadcast_to": lambda input, shape: input + anp.zeros(shape, input.dtype),
    "tf.einsum": _einsum,
    "tf.tile": _tile,
    "tf.repeat": _repeat,
    "tf.sigmoid": _sigmoid,
    "tf.nn.silu": lambda features, beta: features * _sigmoid(beta * features),
    "tf.linspace": _linspace,
    "tf.meshgrid": _meshgrid,
    "tf.pad": _pad,
    "tf.cumsum": running(anp, anp.cumsum, 0),
    "tf.math.unsorted_segment_sum": _segment_sum,
    "tf.math.segment_sum": lambda data, segment_ids: _segment_sum(data, segment_ids, int(segment_ids[-1]) + 1),
    "tf.scatter_nd": _scatter_nd,
    "tf.tensor_scatter_nd_add": lambda tensor, indices, updates: tensor + _scatter_nd(indices, updates, tensor.shape),
    "tf.tensor_scatter_nd_sub": lambda tensor, indices, updates: tensor - _scatter_nd(indices, updates, tensor.shape),
    "tf.tensor_scatter_nd_update": _scatter_update,
    "tf.sort": _sort,
    "tf.math.top_k": _top_k,
}

_HALVES = "where both are equal autograd gives half of the gradient to each"

CONVENTIONS = {
    "unconnected": "autograd gives zeros for what an output does not depend on",
    "tf.maximum": _HALVES,
    "tf.minimum": _HALVES,
    "tf.nn.relu": "at 0 the gradient of NumPy's `maximum` is half of the cotangent",
    "tf.clip_by_value": "at a bound the gradient is 0, or half where the bound is differentiated, too",
    "tf.tensor_scatter_nd_update": "where one place is written twice what is overwritten has no gradient",
    "tf.nn.leaky_relu": "NumPy takes the slope as it is, TensorFlow rounds it to float32 first",
    "tf.linalg.logdet": WHOLE_MATRIX,
    "tf.nn.softmax_cross_entropy_with_logits": FREE_LABELS,
    "tf.nn.gelu": "NumPy has its constants in the tensor's precision, TensorFlow in float32",
}

engine = FunctionalEngine(
    name="autograd",
    vjp=vjp,
    functions=FUNCTIONS,
    conventions=CONVENTIONS,
    dtypes=("float16", "float32", "float64", "complex64", "complex128"),
)
