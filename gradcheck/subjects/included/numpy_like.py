"""TensorFlow's names in terms of a module with NumPy's functions, for the libraries that offer one.

What they compute is left to the module's own functions, used as its users would; positions and masks that depend on no
tensor are NumPy's arrays. A parameter of TensorFlow's that is missing from a signature is one that the module lacks.
"""

from functools import reduce
from typing import Any

import numpy

from gradcheck.dtypes import FLOAT32, INT32, INT64, Array, DType, is_complex, real_of
from gradcheck.program import Shape
from gradcheck.subjects.findings import Lacking
from gradcheck.subjects.included.numpy_like_nn import activations, losses, normalizations
from gradcheck.subjects.vocabulary import Function

SAME = {
    "tf.add": "add",
    "tf.subtract": "subtract",
    "tf.multiply": "multiply",
    "tf.negative": "negative",
    "tf.truediv": "true_divide",
    "tf.divide": "true_divide",
    "tf.math.pow": "power",
    "tf.math.floordiv": "floor_divide",
    "tf.math.floormod": "mod",
    "tf.math.less": "less",
    "tf.math.less_equal": "less_equal",
    "tf.math.greater": "greater",
    "tf.math.greater_equal": "greater_equal",
    "tf.math.equal": "equal",
    "tf.math.not_equal": "not_equal",
    "tf.logical_and": "logical_and",
    "tf.logical_or": "logical_or",
    "tf.logical_not": "logical_not",
    "tf.math.logical_xor": "logical_xor",
    "tf.maximum": "maximum",
    "tf.minimum": "minimum",
    "tf.where": "where",
    "tf.clip_by_value": "clip",
    "tf.abs": "abs",
    "tf.sign": "sign",
    "tf.square": "square",
    "tf.sqrt": "sqrt",
    "tf.math.reciprocal": "reciprocal",
    "tf.exp": "exp",
    "tf.math.expm1": "expm1",
    "tf.math.log": "log",
    "tf.math.log1p": "log1p",
    "tf.floor": "floor",
    "tf.math.ceil": "ceil",
    "tf.round": "round",
    "tf.math.rint": "rint",
    "tf.math.is_nan": "isnan",
    "tf.math.is_inf": "isinf",
    "tf.math.is_finite": "isfinite",
    "tf.math.conj": "conj",
    "tf.math.real": "real",
    "tf.math.imag": "imag",
    "tf.math.angle": "angle",
    "tf.sin": "sin",
    "tf.cos": "cos",
    "tf.tan": "tan",
    "tf.asin": "arcsin",
    "tf.acos": "arccos",
    "tf.atan": "arctan",
    "tf.sinh": "sinh",
    "tf.cosh": "cosh",
    "tf.tanh": "tanh",
    "tf.asinh": "arcsinh",
    "tf.acosh": "arccosh",
    "tf.atanh": "arctanh",
    "tf.atan2": "arctan2",
    "tf.reshape": "reshape",
    "tf.broadcast_to": "broadcast_to",
    "tf.stack": "stack",
    "tf.concat": "concatenate",
    "tf.expand_dims": "expand_dims",
    "tf.tile": "tile",
    "tf.repeat": "repeat",
    "tf.fill": "full",
    "tf.zeros_like": "zeros_like",
    "tf.ones_like": "ones_like",
    "tf.einsum": "einsum",
    "tf.tensordot": "tensordot",
    "tf.linalg.cross": "cross",
    "tf.reduce_sum": "sum",
    "tf.reduce_mean": "mean",
    "tf.reduce_max": "max",
    "tf.reduce_min": "min",
    "tf.reduce_prod": "prod",
    "tf.reduce_any": "any",
    "tf.reduce_all": "all",
    "tf.math.reduce_variance": "var",
    "tf.math.reduce_std": "std",
}
"""The functions that take what TensorFlow's take."""

WHOLE_MATRIX = "a function of every element, where TensorFlow's reads one triangle of a symmetric matrix"
FREE_LABELS = "labels need not add up to 1 and are no constants of the gradient, where TensorFlow assumes both"
"""Conventions that come with what is composed here, and show at second order."""


def table(np: Any, special: Any) -> dict[str, Function]:
    """What `np`, with NumPy's functions and its `linalg`, and `special`, with SciPy's, have, by TensorFlow's names."""
    functions: dict[str, Function] = {theirs: getattr(np, ours) for theirs, ours in SAME.items()}
    for family in (_elementwise, _arrays, _positions, _diagonals, _linear, _reductions, _norms):
        functions |= family(np)
    return functions | normalizations(np) | activations(np, special) | losses(np, special)


def along(axis: int, key: Any) -> tuple[Any, ...]:
    """What stands between the brackets to take `key` along an axis that is not negative."""
    return (*[slice(None)] * axis, key)


def mirrored(x: Any, axes: Shape) -> Any:
    """`x` turned round along `axes`."""
    turned = {axis % x.ndim for axis in axes}
    return x[tuple(slice(None, None, -1 if each in turned else None) for each in range(x.ndim))]


def as_complex_as(x: Any, result: Any) -> Any:
    """`result` as a complex tensor if `x` is one: some real numbers are complex ones in TensorFlow."""
    return result + 0j if is_complex(x.dtype) else result


def grid(shape: Shape, dims: int) -> list[Array]:
    """Positions along the first `dims` axes, to stand beside an array of positions of that shape."""
    return [numpy.arange(size).reshape(-1, *[1] * (len(shape) - at - 1)) for at, size in enumerate(shape[:dims])]


def running(np: Any, scan: Any, start: float) -> Function:
    """A sum or product along an axis as TensorFlow has it, from one that goes forwards and takes every element in."""

    def run(x: Any, axis: int = 0, exclusive: bool = False, reverse: bool = False) -> Any:
        axis %= x.ndim
        turned = mirrored(x, (axis,)) if reverse else x
        if exclusive:
            first = np.full_like(turned[along(axis, slice(1))], start)
            turned = np.concatenate([first, turned[along(axis, slice(-1))]], axis)
        result = scan(turned, axis=axis)
        return mirrored(result, (axis,)) if reverse else result

    return run


def _elementwise(np: Any) -> dict[str, Function]:
    def cast(x: Any, dtype: DType) -> Any:
        if is_complex(dtype) and not is_complex(x.dtype):
            return x.astype(real_of(dtype)) + 0j
        return (x if is_complex(dtype) else np.real(x)).astype(dtype)

    def divide_no_nan(x: Any, y: Any) -> Any:
        return np.where(y == 0, 0, x / np.where(y == 0, 1, y))

    def of_zero(function: Any) -> Function:
        """`x * function(y)`, and 0 where `x` is 0."""
        return lambda x, y: np.where(x == 0, 0, x * function(np.where(x == 0, 1, y + np.zeros_like(x))))

    return {
        "tf.identity": lambda input: input,
        "tf.constant": lambda value: value,
        "tf.convert_to_tensor": lambda value: value,
        "tf.ensure_shape": lambda x, shape: x,
        "tf.cast": cast,
        "tf.complex": lambda real, imag: real + 1j * imag,
        "tf.add_n": lambda inputs: reduce(np.add, inputs),
        "tf.truncatediv": lambda x, y: np.trunc(x / y),
        "tf.math.rsqrt": lambda x: 1 / np.sqrt(x),
        "tf.math.squared_difference": lambda x, y: (x - y) * np.conj(x - y),
        "tf.math.divide_no_nan": divide_no_nan,
        "tf.math.reciprocal_no_nan": lambda x: divide_no_nan(1, x),
        "tf.math.multiply_no_nan": lambda x, y: np.where(y == 0, 0, x * y),
        "tf.math.xdivy": of_zero(lambda y: 1 / y),
        "tf.math.xlogy": of_zero(np.log),
        "tf.math.xlog1py": of_zero(np.log1p),
    }


def _arrays(np: Any) -> dict[str, Function]:
    def transpose(a: Any, perm: Shape | None = None, conjugate: bool = False) -> Any:
        moved = np.transpose(a, perm)
        return np.conj(moved) if conjugate else moved

    def unstack(value: Any, axis: int = 0) -> list[Any]:
        return [value[along(axis % value.ndim, place)] for place in range(value.shape[axis])]

    def split(value: Any, num_or_size_splits: int | Shape, axis: int = 0) -> list[Any]:
        if isinstance(num_or_size_splits, int):
            parts = np.split(value, num_or_size_splits, axis)
        else:
            parts = np.split(value, numpy.cumsum(num_or_size_splits[:-1], dtype=int), axis)
        return [parts[place] for place in range(len(parts))]

    def roll(input: Any, shift: int | Shape, axis: int | Shape) -> Any:
        for steps, each in zip(numpy.atleast_1d(shift), numpy.atleast_1d(axis), strict=True):
            input = np.roll(input, int(steps), int(each))
        return input

    def squeeze(input: Any, axis: int | Shape | None = None) -> Any:
        if axis is None or axis == ():
            return np.squeeze(input)
        return np.squeeze(input, tuple({each % input.ndim for each in numpy.atleast_1d(axis).tolist()}))

    def slice_(input_: Any, begin: Shape, size: Shape) -> Any:
        return input_[tuple(slice(start, start + length) for start, length in zip(begin, size, strict=True))]

    def sizes(x: Any, out_type: DType | None = None) -> Array:
        return numpy.asarray(np.shape(x), out_type or INT32)

    return {
        "tf.transpose": transpose,
        "tf.unstack": unstack,
        "tf.split": split,
        "tf.reverse": lambda tensor, axis: mirrored(tensor, axis),
        "tf.roll": roll,
        "tf.squeeze": squeeze,
        "tf.slice": slice_,
        "tf.boolean_mask": lambda tensor, mask, axis=0: tensor[along(axis % tensor.ndim, mask)],
        "tf.shape": sizes,
        "tf.size": lambda input, out_type=None: numpy.prod(sizes(input, out_type), dtype=out_type or INT32),
        "tf.rank": lambda input: numpy.asarray(np.ndim(input), INT32),
    }


def _positions(np: Any) -> dict[str, Function]:
    def gather(params: Any, indices: Any, axis: int | None = None, batch_dims: int = 0) -> Any:
        axis = batch_dims if axis is None else axis % params.ndim
        key = (*grid(indices.shape, batch_dims), indices)
        taken = np.moveaxis(params, axis, batch_dims)[key]
        new = range(indices.ndim - batch_dims)
        return np.moveaxis(taken, [batch_dims + each for each in new], [axis + each for each in new])

    def gather_nd(params: Any, indices: Array, batch_dims: int = 0) -> Any:
        return params[(*grid(indices.shape[:-1], batch_dims), *numpy.moveaxis(indices, -1, 0))]

    def one_hot(
        indices: Array, depth: int, on_value: Any = 1, off_value: Any = 0, axis: int = -1, dtype: DType = FLOAT32
    ) -> Any:
        hot = numpy.moveaxis(indices[..., None] == numpy.arange(depth), -1, axis)
        zeros = numpy.zeros(hot.shape, dtype)
        return np.where(hot, on_value + zeros, off_value + zeros)

    def argsort(values: Any, axis: int = -1, direction: str = "ASCENDING", stable: bool = False) -> Any:
        return np.argsort(-values if direction == "DESCENDING" else values, axis, stable=True).astype(INT32)

    def searchsorted(sorted_sequence: Any, values: Any, side: str = "left", out_type: DType = INT32) -> Any:
        rows = sorted_sequence.reshape(-1, sorted_sequence.shape[-1])
        wanted = values.reshape(len(rows), -1)
        found = [np.searchsorted(row, each, side) for row, each in zip(rows, wanted, strict=True)]
        return np.stack(found).reshape(values.shape).astype(out_type)

    return {
        "tf.gather": gather,
        "tf.gather_nd": gather_nd,
        "tf.one_hot": one_hot,
        "tf.argmax": lambda input, axis=0, output_type=INT64: np.argmax(input, axis).astype(output_type),
        "tf.argmin": lambda input, axis=0, output_type=INT64: np.argmin(input, axis).astype(output_type),
        "tf.argsort": argsort,
        "tf.searchsorted": searchsorted,
    }


def _diagonals(np: Any) -> dict[str, Function]:
    def diag(
        diagonal: Any, k: Any = 0, num_rows: int = -1, num_cols: int = -1, padding_value: Any = 0, align: str = ""
    ) -> Any:
        places, on = _spread(k, num_rows, num_cols)
        return np.where(on, diagonal[..., places], padding_value)

    def diag_part(input: Any, k: Any = 0, padding_value: Any = 0, align: str = "") -> Any:
        return input[(..., *_diagonal(k, *input.shape[-2:]))]

    def set_diag(input: Any, diagonal: Any, k: Any = 0, align: str = "") -> Any:
        places, on = _spread(k, *input.shape[-2:])
        return np.where(on, diagonal[..., places], input)

    def band_part(input: Any, num_lower: int, num_upper: int) -> Any:
        left = np.triu(input, -num_lower) if num_lower >= 0 else input
        return np.tril(left, num_upper) if num_upper >= 0 else left

    return {
        "tf.linalg.diag": diag,
        "tf.linalg.diag_part": diag_part,
        "tf.linalg.set_diag": set_diag,
        "tf.linalg.band_part": band_part,
        "tf.linalg.trace": lambda x: np.sum(diag_part(x), -1),
    }


def _diagonal(k: Any, rows: int, columns: int) -> tuple[Array, Array]:
    """The positions of the `k`-th diagonal; raises `Lacking` for a band of several."""
    if isinstance(k, tuple):
        raise Lacking("it has no bands of diagonals")
    first, second = max(-k, 0), max(k, 0)
    places = numpy.arange(max(min(rows - first, columns - second), 0))
    return places + first, places + second


def _spread(k: Any, rows: int, columns: int) -> tuple[Array, Array]:
    """For each element of a matrix its place on the `k`-th diagonal, and whether it lies there."""
    at = _diagonal(k, rows, columns)
    places, on = numpy.zeros((rows, columns), int), numpy.zeros((rows, columns), bool)
    places[at], on[at] = numpy.arange(len(at[0])), True
    return places, on


def _linear(np: Any) -> dict[str, Function]:
    def turned(matrix: Any, transpose: bool, adjoint: bool) -> Any:
        swapped = np.swapaxes(matrix, -1, -2) if transpose or adjoint else matrix
        return np.conj(swapped) if adjoint else swapped

    def matmul(
        a: Any,
        b: Any,
        transpose_a: bool = False,
        transpose_b: bool = False,
        adjoint_a: bool = False,
        adjoint_b: bool = False,
    ) -> Any:
        return np.matmul(turned(a, transpose_a, adjoint_a), turned(b, transpose_b, adjoint_b))

    def matvec(a: Any, b: Any, transpose_a: bool = False, adjoint_a: bool = False) -> Any:
        return np.matmul(turned(a, transpose_a, adjoint_a), b[..., None])[..., 0]

    def slogdet(input: Any) -> list[Any]:
        result = np.linalg.slogdet(input)
        return [result[0], as_complex_as(input, result[1])]

    def solve(matrix: Any, rhs: Any, adjoint: bool = False) -> Any:
        return np.linalg.solve(turned(matrix, False, adjoint), rhs)

    return {
        "tf.matmul": matmul,
        "tf.linalg.matvec": matvec,
        "tf.linalg.matrix_transpose": lambda a, conjugate=False: turned(a, True, conjugate),
        "tf.linalg.adjoint": lambda matrix: turned(matrix, True, True),
        "tf.linalg.inv": lambda input, adjoint=False: np.linalg.inv(turned(input, False, adjoint)),
        "tf.linalg.solve": solve,
        "tf.linalg.det": np.linalg.det,
        "tf.linalg.slogdet": slogdet,
        "tf.linalg.logdet": lambda matrix: np.linalg.slogdet(matrix)[1],
        "tf.linalg.cholesky": np.linalg.cholesky,
    }


def _reductions(np: Any) -> dict[str, Function]:
    def count_nonzero(input: Any, axis: Any = None, keepdims: bool = False, dtype: DType = INT64) -> Any:
        return np.sum(input != 0, axis=axis, keepdims=keepdims).astype(dtype)

    return {
        "tf.math.count_nonzero": count_nonzero,
        "tf.math.zero_fraction": lambda value: np.mean((value == 0).astype(FLOAT32)),
    }


def _norms(np: Any) -> dict[str, Function]:
    def norm(tensor: Any, ord: Any = None, axis: Any = None, keepdims: bool | None = None) -> Any:
        if axis is None:
            length = np.linalg.norm(np.reshape(tensor, -1), ord)
            return np.reshape(euclidean_as(tensor, ord, length), [1] * tensor.ndim if keepdims else [])
        axes = tuple(each % tensor.ndim for each in numpy.atleast_1d(axis).tolist())
        length = euclidean_as(tensor, ord, np.linalg.norm(tensor, ord, axes if len(axes) > 1 else axes[0]))
        return np.expand_dims(length, axes) if keepdims else length

    def euclidean_as(tensor: Any, ord: Any, length: Any) -> Any:
        """TensorFlow gives complex numbers for the norms that it takes the square root of a sum of squares for."""
        return as_complex_as(tensor, length) if ord in (None, 2, "fro") else length

    def normalize(tensor: Any, ord: Any = None, axis: Any = None) -> list[Any]:
        length = norm(tensor, ord, axis, keepdims=True)
        return [tensor / length, as_complex_as(tensor, length)]

    def squares(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return np.sum(np.real(x * np.conj(x)), axis=axis, keepdims=keepdims)

    def euclidean(input_tensor: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return as_complex_as(input_tensor, np.sqrt(squares(input_tensor, axis, keepdims)))

    def l2_normalize(x: Any, axis: Any = None, epsilon: float = 1e-12, dim: Any = None) -> Any:
        return x / np.sqrt(np.maximum(squares(x, axis if dim is None else dim, keepdims=True), epsilon))

    def clip_by_norm(t: Any, clip_norm: Any, axes: Any = None) -> Any:
        return t * clip_norm / np.maximum(np.sqrt(squares(t, axes, keepdims=True)), clip_norm)

    return {
        "tf.norm": norm,
        "tf.linalg.normalize": normalize,
        "tf.math.reduce_euclidean_norm": euclidean,
        "tf.linalg.global_norm": lambda t_list: np.sqrt(reduce(np.add, [squares(each) for each in t_list])),
        "tf.math.l2_normalize": l2_normalize,
        "tf.clip_by_norm": clip_by_norm,
        "tf.nn.l2_loss": lambda t: squares(t) / 2,
    }
