"""JAX: `jax.vjp`, eagerly and on the CPU, with 64-bit numbers switched on.

The cotangent of a complex number is the conjugate of TensorFlow's in JAX, so that both what comes in and what comes
out is conjugated; `pip install 'gradcheck[jax]'`.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy
from jax import lax, nn
from jax import numpy as jnp
from jax.scipy import linalg, special

from gradcheck.dtypes import INT32, Array, DType, is_complex, real_of
from gradcheck.ops.arrays.indexing import python_key
from gradcheck.program import Shape
from gradcheck.subjects.findings import Lacking
from gradcheck.subjects.functional_engine import FunctionalEngine, Pullback
from gradcheck.subjects.included.jax import windows
from gradcheck.subjects.included.numpy_like import FREE_LABELS, WHOLE_MATRIX, running, table

jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_enable_x64", True)


def vjp(function: Callable[..., list[Any]], point: Sequence[Any]) -> tuple[list[Any], Pullback]:
    """`jax.vjp` with TensorFlow's cotangents, which are the conjugates of JAX's."""
    outputs, pullback = jax.vjp(function, *point)

    def conjugated(cotangents: Sequence[Any]) -> list[Any]:
        return [_conjugate(each) for each in pullback([_conjugate(each) for each in cotangents])]

    return outputs, conjugated


def _conjugate(x: Any) -> Any:
    return x.conj() if is_complex(x.dtype) else x


def _linspace(start: Any, stop: Any, num: int, axis: int = 0) -> Any:
    return jnp.linspace(start, stop, num, axis=axis)


def _meshgrid(*args: Any) -> Any:
    *rows, options = args
    return jnp.meshgrid(*map(jnp.ravel, rows), **options)


def _pad(tensor: Any, paddings: tuple[Shape, ...], mode: str = "CONSTANT", constant_values: Any = 0) -> Any:
    if mode == "CONSTANT":
        return jnp.pad(tensor, paddings, constant_values=constant_values)
    return jnp.pad(tensor, paddings, mode.lower())


def _strided_slice_grad(shape: Shape, begin: Shape, end: Shape, strides: Shape, dy: Any, **masks: int) -> Any:
    names = ("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask")
    spec = {"begin": begin, "end": end, "strides": strides} | {name: masks.get(name, 0) for name in names}
    return jnp.zeros(shape, dy.dtype).at[python_key(shape, spec)].set(dy)


def _segment_sum(data: Any, segment_ids: Array, num_segments: int) -> Any:
    flat = data.reshape(segment_ids.size, *data.shape[segment_ids.ndim :])
    return jax.ops.segment_sum(flat, segment_ids.ravel(), num_segments)


def _at(tensor: Any, indices: Array) -> Any:
    return tensor.at[tuple(numpy.moveaxis(indices, -1, 0))]


def _sort(values: Any, axis: int = -1, direction: str = "ASCENDING") -> Any:
    return jnp.sort(values, axis, descending=direction == "DESCENDING")


def _top_k(input: Any, k: int = 1, sorted: bool = True, index_type: DType = INT32) -> list[Any]:
    values, indices = lax.top_k(input, k)
    return [values, indices.astype(index_type)]


def _triangular_solve(matrix: Any, rhs: Any, lower: bool = True, adjoint: bool = False) -> Any:
    batch = numpy.broadcast_shapes(matrix.shape[:-2], rhs.shape[:-2])
    matrix = jnp.broadcast_to(matrix, batch + matrix.shape[-2:])
    rhs = jnp.broadcast_to(rhs, batch + rhs.shape[-2:])
    return linalg.solve_triangular(matrix, rhs, trans="C" if adjoint else "N", lower=lower)


def _det(input: Any) -> Any:
    if input.shape[-1] == 0:
        raise Lacking("it has no determinant of an empty matrix")
    return jnp.linalg.det(input)


FUNCTIONS = (
    table(jnp, special)
    | windows.FUNCTIONS
    | {
        "tf.stop_gradient": lax.stop_gradient,
        "tf.math.angle": lambda input: jnp.angle(input).astype(real_of(input.dtype)),  # float64 of one real number
        "tf.math.rsqrt": lax.rsqrt,
        "tf.complex": lambda real, imag: lax.complex(*jnp.broadcast_arrays(real, imag)),
        "tf.math.xlogy": special.xlogy,
        "tf.math.xlog1py": special.xlog1py,
        "tf.linspace": _linspace,
        "tf.meshgrid": _meshgrid,
        "tf.reverse": lambda tensor, axis: jnp.flip(tensor, axis),
        "tf.roll": jnp.roll,
        "tf.pad": _pad,
        "tf.repeat": lambda input, repeats, axis=None: jnp.repeat(input, numpy.asarray(repeats), axis),
        "tf.raw_ops.StridedSliceGrad": _strided_slice_grad,
        "tf.cumsum": running(jnp, jnp.cumsum, 0),
        "tf.math.cumprod": running(jnp, jnp.cumprod, 1),
        "tf.math.cumulative_logsumexp": lambda x, axis=0, reverse=False: lax.cumlogsumexp(x, axis % x.ndim, reverse),
        "tf.math.unsorted_segment_sum": _segment_sum,
        "tf.math.segment_sum": lambda data, segment_ids: _segment_sum(data, segment_ids, int(segment_ids[-1]) + 1),
        "tf.scatter_nd": lambda indices, updates, shape: _at(jnp.zeros(shape, updates.dtype), indices).add(updates),
        "tf.tensor_scatter_nd_add": lambda tensor, indices, updates: _at(tensor, indices).add(updates),
        "tf.tensor_scatter_nd_sub": lambda tensor, indices, updates: _at(tensor, indices).subtract(updates),
        "tf.tensor_scatter_nd_update": lambda tensor, indices, updates: _at(tensor, indices).set(updates),
        "tf.tensor_scatter_nd_max": lambda tensor, indices, updates: _at(tensor, indices).max(updates),
        "tf.tensor_scatter_nd_min": lambda tensor, indices, updates: _at(tensor, indices).min(updates),
        "tf.sort": _sort,
        "tf.math.top_k": _top_k,
        "tf.linalg.det": _det,
        "tf.linalg.trace": lambda x: jnp.trace(x, axis1=-2, axis2=-1),
        "tf.linalg.triangular_solve": _triangular_solve,
        "tf.math.log_sigmoid": nn.log_sigmoid,
        "tf.nn.relu": nn.relu,
        "tf.nn.relu6": nn.relu6,
        "tf.nn.leaky_relu": lambda features, alpha=0.2: nn.leaky_relu(features, alpha),
        "tf.nn.elu": lambda features: nn.elu(features),
        "tf.nn.selu": nn.selu,
        "tf.nn.gelu": lambda features, approximate=False: nn.gelu(features, approximate=approximate),
        "tf.nn.softplus": nn.softplus,
        "tf.nn.softsign": nn.soft_sign,
        "tf.nn.softmax": lambda logits, axis=-1: nn.softmax(logits, axis),
        "tf.nn.log_softmax": lambda logits, axis=-1: nn.log_softmax(logits, axis),
    }
)

_HALVES = "where both are equal jax gives half of the gradient to each"

CONVENTIONS = {
    "unconnected": "jax gives zeros for what an output does not depend on",
    "tf.abs": "at 0 jax's gradient is that from the right",
    "tf.maximum": _HALVES,
    "tf.minimum": _HALVES,
    "tf.clip_by_value": "at a bound jax gives half of the gradient to it",
    "tf.tensor_scatter_nd_update": "where one place is written twice jax gives no gradient to what is overwritten",
    "tf.nn.leaky_relu": "jax takes the slope as it is, TensorFlow rounds it to float32 first",
    "tf.nn.max_pool3d": "of several equal elements one is given the gradient, where TensorFlow gives it to all",
    "tf.linalg.logdet": WHOLE_MATRIX,
    "tf.nn.softmax_cross_entropy_with_logits": FREE_LABELS,
    "tf.nn.gelu": "jax has its constants in the tensor's precision, TensorFlow in float32",
}

engine = FunctionalEngine(
    name="jax", vjp=vjp, functions=FUNCTIONS, tensor=jnp.asarray, array=numpy.asarray, conventions=CONVENTIONS
)
