"""Functions of matrices: the exponential, the square root and the logarithm."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np

from gradcheck.dtypes import COMPLEXES, Array
from gradcheck.ops.batching import aligned
from gradcheck.ops.declaration import REAL, declare, sample
from gradcheck.ops.linalg.matrices import LAPACK, drawn, each_matrix, known_to_lapack, order_of, regular
from gradcheck.ops.shapes import Function, Typed
from gradcheck.ops.vocabulary import tf
from gradcheck.tensors import Tensor

BLOCKS = (
    "f([[A, E], [0, A]]) has the derivative of f at A along E in its corner, and G receives that at A^H along G "
    "(Mathias 1996; Al-Mohy and Higham 2009)"
)


def _type_of(op: str) -> Function:
    def function(input: Tensor, name: str | None = None) -> Typed:  # noqa: A002  # TensorFlow's name
        order_of(op, "input", input)
        return input.type, {}

    return function


def _corner(function: str) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    """The rule of a function of matrices, by itself on matrices of twice the order."""

    def rule(g: Tensor, y: Tensor, x: Tensor) -> Tensor:
        order = x.shape[-1]
        transposed = tf.linalg.adjoint(x)
        upper = tf.concat([transposed, g], axis=-1)
        lower = tf.concat([tf.zeros_like(x), transposed], axis=-1)
        whole = getattr(tf.linalg, function)(tf.concat([upper, lower], axis=-2))
        corner: Tensor = whole[..., :order, order:]
        return corner

    return rule


def _expm(x: Array) -> Array:
    if x.size == 0:
        return x
    if not np.all(np.isfinite(x)):
        return np.full_like(x, np.nan)
    from scipy.linalg import expm  # it takes a while to import

    result: Array = expm(known_to_lapack(x))
    return result


declare(
    "tf.linalg.expm",
    _type_of("tf.linalg.expm"),
    forward=_expm,
    vjp=(_corner("expm"),),
    domains=(REAL,),
    batching=aligned,
    rounding="backward",
    dtypes=LAPACK,
    samples=(
        sample((3, 3)),
        sample(np.array([[[0.0, 1.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]])),
        sample(8 * drawn(2, 2)),
        sample((0, 0)),
    ),
    source=BLOCKS,
    convention="NaN for the whole batch if something is not finite",
)


def _sqrtm(x: Array) -> Array:
    return x if x.size == 0 else each_matrix(_root, x)[0]


def _root(x: Array) -> tuple[Array]:
    from scipy.linalg import sqrtm  # it takes a while to import

    if not np.all(np.isfinite(x)):
        return (np.full_like(x, np.nan),)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of singular matrices, whose root, if there is one, is not finite here
        root = sqrtm(known_to_lapack(x))
    real_of_complex = x.dtype.kind != "c" and root.dtype.kind == "c"
    return (np.full_like(x, np.nan) if real_of_complex else root.astype(x.dtype),)


declare(
    "tf.linalg.sqrtm",
    _type_of("tf.linalg.sqrtm"),
    forward=_sqrtm,
    vjp=(_corner("sqrtm"),),
    domains=(REAL,),
    batching=aligned,
    rounding="backward",
    dtypes=LAPACK,
    aliases=("tf.matrix_square_root",),
    errata=("complex",),
    samples=(sample(regular(3, 3)), sample(regular(2, 2, 2)), sample(np.array([[4.0]])), sample((0, 0))),
    source=BLOCKS,
    convention="the root whose eigenvalues lie in the right half plane; NaN where it is not real although the matrix "
    "is; TensorFlow leaves out the conjugates",
)


def _logm(x: Array) -> Array:
    return x if x.size == 0 else each_matrix(_logarithm, x)[0]


def _logarithm(x: Array) -> tuple[Array]:
    from scipy.linalg import logm  # it takes a while to import

    if not np.all(np.isfinite(x)) or np.linalg.matrix_rank(x) < len(x):
        return (np.full_like(x, np.nan),)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it expects the accuracy of float64 from float32 too
        return (logm(known_to_lapack(x)).astype(x.dtype),)


declare(
    "tf.linalg.logm",
    _type_of("tf.linalg.logm"),
    forward=_logm,
    domains=(),
    batching=aligned,
    rounding="backward",
    dtypes=COMPLEXES,
    samples=(sample(regular(3, 3)), sample(regular(2, 2, 2)), sample((0, 0))),
    convention="TensorFlow has no gradient; the logarithm whose eigenvalues lie within pi of the real axis; NaN for a "
    "singular matrix",
)
