"""Products and transposes of matrices, and the cross product."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.dtypes import COMPLEXES, FLOAT16, FLOATS, INT32, INT64, Array, is_complex
from gradcheck.ops.arrays.shaping import as_dtype
from gradcheck.ops.batching import Call, Layout, aligned, repeated
from gradcheck.ops.declaration import ANY, REAL, REALS, SAME, OpError, compose, declare, sample
from gradcheck.ops.shapes import Typed, as_bool, broadcast, conj, sum_rounding
from gradcheck.ops.vocabulary import tf
from gradcheck.program import TensorType
from gradcheck.tensors import Tensor

PRODUCT = (*FLOATS, *COMPLEXES, INT32, INT64)


def _matmul_type(
    a: Tensor,
    b: Tensor,
    transpose_a: bool = False,
    transpose_b: bool = False,
    adjoint_a: bool = False,
    adjoint_b: bool = False,
    a_is_sparse: bool = False,
    b_is_sparse: bool = False,
    output_type: Any = None,
    grad_a: bool = False,
    grad_b: bool = False,
    name: str | None = None,
) -> Typed:
    flags = {"transpose_a": transpose_a, "transpose_b": transpose_b, "adjoint_a": adjoint_a, "adjoint_b": adjoint_b}
    for flag, value in flags.items():
        as_bool(value, flag)
    if output_type is not None and output_type != a.dtype:
        raise OpError(f"`tf.matmul` of {a.dtype.name} gives {a.dtype.name} here, no other type", argument="output_type")
    if (a_is_sparse or b_is_sparse) and (a.ndim > 2 or b.ndim > 2):
        raise OpError(
            "`tf.matmul` takes no batches with many zeros", argument="a_is_sparse" if a_is_sparse else "b_is_sparse"
        )
    how = {"a_is_sparse": a_is_sparse, "b_is_sparse": b_is_sparse, "output_type": output_type}
    how |= {"grad_a": grad_a, "grad_b": grad_b}
    if (transpose_a and adjoint_a) or (transpose_b and adjoint_b):
        raise OpError("`tf.matmul` cannot transpose and adjoin the same argument")
    if a.ndim < 2 or b.ndim < 2:
        short = "a" if a.ndim < 2 else "b"
        raise OpError(
            f"`tf.matmul` needs matrices, not shapes {list(a.shape)} and {list(b.shape)}",
            argument=short,
            help="a vector needs an axis of size 1: `x[:, tf.newaxis]`, or use `tf.linalg.matvec`",
        )
    rows, inner = a.shape[-2:][:: -1 if transpose_a or adjoint_a else 1]
    other, columns = b.shape[-2:][:: -1 if transpose_b or adjoint_b else 1]
    if inner != other:
        raise OpError(
            f"`tf.matmul` of shapes {list(a.shape)} and {list(b.shape)}: {inner} columns meet {other} rows",
        )
    batch = broadcast(a.shape[:-2], b.shape[:-2])
    told = {name: value for name, value in how.items() if value}  # how TensorFlow computes it, not what
    return TensorType((*batch, rows, columns), a.dtype), {**flags, **told}


def _matmul(
    a: Array, b: Array, transpose_a: bool, transpose_b: bool, adjoint_a: bool, adjoint_b: bool, **_: Any
) -> Array:
    if transpose_a or adjoint_a:
        a = _transposed(a, adjoint_a)
    if transpose_b or adjoint_b:
        b = _transposed(b, adjoint_b)
    product: Array = np.matmul(a, b)
    return product


def _transposed(x: Array, adjoint: bool) -> Array:
    swapped = x.swapaxes(-1, -2)
    return swapped.conj() if adjoint and is_complex(x.dtype) else swapped


# How a factor enters a product, as bits, so that two of them compose by exclusive or.
TRANSPOSE, CONJUGATE = 1, 2
ADJOINT = TRANSPOSE | CONJUGATE


def _mode(transpose: bool, adjoint: bool) -> int:
    return ADJOINT if adjoint else TRANSPOSE * transpose


def _product(mode: int, left: tuple[Tensor, int], right: tuple[Tensor, int]) -> Tensor:
    """The product of two factors, itself transposed, conjugated or both as `mode` says: (A B)^T = B^T A^T.

    Only the last two axes are ever swapped; the axes before them count the matrices of a batch.
    """
    (a, mode_a), (b, mode_b) = (left, right) if not mode & TRANSPOSE else (right, left)
    a, mode_a = _without_bare_conjugate(a, mode_a ^ mode)
    b, mode_b = _without_bare_conjugate(b, mode_b ^ mode)
    product: Tensor = tf.matmul(
        a,
        b,
        transpose_a=mode_a == TRANSPOSE,
        transpose_b=mode_b == TRANSPOSE,
        adjoint_a=mode_a == ADJOINT,
        adjoint_b=mode_b == ADJOINT,
    )
    return product


def _without_bare_conjugate(x: Tensor, mode: int) -> tuple[Tensor, int]:
    if not is_complex(x.dtype):
        return x, mode & TRANSPOSE
    return (conj(x), 0) if mode == CONJUGATE else (x, mode)


def _matmul_vjp_a(g: Tensor, y: Tensor, a: Tensor, b: Tensor, **flags: Any) -> Tensor:
    mode_a, mode_b = _modes(**flags)
    return _product(mode_a, (g, 0), (b, mode_b ^ ADJOINT))


def _matmul_vjp_b(g: Tensor, y: Tensor, a: Tensor, b: Tensor, **flags: Any) -> Tensor:
    mode_a, mode_b = _modes(**flags)
    return _product(mode_b, (a, mode_a ^ ADJOINT), (g, 0))


def _modes(transpose_a: bool, transpose_b: bool, adjoint_a: bool, adjoint_b: bool, **_: Any) -> tuple[int, int]:
    return _mode(transpose_a, adjoint_a), _mode(transpose_b, adjoint_b)


def _matmul_batching(call: Call, **attributes: Any) -> Layout:
    """A factor with many zeros is one like others once it has rows of matrices."""
    return aligned(call, **{name: value for name, value in attributes.items() if not name.endswith("_is_sparse")})


declare(
    "tf.matmul",
    _matmul_type,
    aliases=("tf.linalg.matmul",),
    forward=_matmul,
    vjp=(_matmul_vjp_a, _matmul_vjp_b),
    rounding=sum_rounding(
        _matmul, lambda a, b, transpose_a, adjoint_a, **_: a.shape[-2 if transpose_a or adjoint_a else -1]
    ),
    batching=_matmul_batching,
    domains=(REAL, REAL),
    dtypes=PRODUCT,
    samples=(
        sample((2, 3), (3, 4)),
        sample((2, 2, 3), (2, 3, 2)),
        sample((2, 3), (5, 3, 2)),
        sample((1, 2, 3), (4, 3, 1)),
        sample((3, 2), (3, 4), transpose_a=True),
        sample((2, 3), (4, 3), transpose_b=True),
        sample((2, 3, 2), (4, 3), adjoint_a=True, transpose_b=True),
        sample((2, 3, 2), (2, 2, 3), transpose_a=True, adjoint_b=True),
        sample((3, 2), (4, 3), transpose_a=True, transpose_b=True),
        sample((3, 2), (3, 4), adjoint_a=True),
        sample((2, 3), (4, 3), adjoint_b=True),
        sample((2, 3, 2), (1, 4, 3), adjoint_a=True, adjoint_b=True),
        sample((2, 0), (0, 3)),
        sample((0, 2), (2, 3)),
    ),
    source="Y = A B gives dA = G B^H and dB = A^H G (Giles 2008, section 2.2.2); batch axes are left in place",
)


@compose(
    "tf.raw_ops.BatchMatMulV3",
    domains=(REAL, REAL),
    dtypes=tuple(each for each in PRODUCT if each != FLOAT16),
    samples=(sample((2, 2, 3), (3, 2), SAME), sample((2, 3, 2), (2, 4, 3), SAME, adj_x=True, adj_y=True)),
)
def _batch_matmul(
    x: Tensor,
    y: Tensor,
    Tout: Any,  # noqa: N803  # TensorFlow's name
    adj_x: bool = False,
    adj_y: bool = False,
    grad_x: bool = False,
    grad_y: bool = False,
    name: str | None = None,
) -> Tensor:
    product: Tensor = tf.matmul(x, y, adjoint_a=adj_x, adjoint_b=adj_y, output_type=as_dtype(Tout))
    return product


@compose(
    "tf.linalg.matvec",
    domains=(REAL, REAL),
    dtypes=PRODUCT,
    samples=(
        sample((2, 3), (3,)),
        sample((4, 1, 2, 3), (5, 3)),
        sample((3, 2), (3,), transpose_a=True),
        sample((2, 3, 2), (3,), adjoint_a=True),
        sample((2, 3), (4, 3)),
        sample((2, 0), (0,)),
    ),
)
def _matvec(
    a: Tensor,
    b: Tensor,
    transpose_a: bool = False,
    adjoint_a: bool = False,
    a_is_sparse: bool = False,
    b_is_sparse: bool = False,
    name: str | None = None,
) -> Tensor:
    if a.ndim < 2 or b.ndim < 1:
        raise OpError(f"`tf.linalg.matvec` needs a matrix and a vector, not shapes {list(a.shape)} and {list(b.shape)}")
    column = tf.reshape(b, [*b.shape, 1])
    flags = {"transpose_a": transpose_a, "adjoint_a": adjoint_a, "a_is_sparse": a_is_sparse, "b_is_sparse": b_is_sparse}
    product = tf.matmul(a, column, **flags)
    vector: Tensor = tf.reshape(product, product.shape[:-1])
    return vector


@compose(
    "tf.linalg.matrix_transpose",
    domains=(REAL,),
    dtypes=ANY,
    samples=(sample((2, 3)), sample((2, 3, 4), conjugate=True), sample((0, 2))),
)
def _matrix_transpose(a: Tensor, name: str = "matrix_transpose", conjugate: bool = False) -> Tensor:
    if a.ndim < 2:
        raise OpError(f"`tf.linalg.matrix_transpose` needs a matrix, not a tensor of shape {list(a.shape)}")
    order = [*range(a.ndim - 2), a.ndim - 1, a.ndim - 2]
    transposed: Tensor = tf.transpose(a, order)
    return conj(transposed) if as_bool(conjugate, "conjugate") else transposed


@compose(
    "tf.linalg.adjoint",
    domains=(REAL,),
    dtypes=ANY,
    samples=(sample((2, 3)), sample((2, 3, 4)), sample((0, 2))),
)
def _adjoint(matrix: Tensor, name: str | None = None) -> Tensor:
    if matrix.ndim < 2:
        raise OpError(f"`tf.linalg.adjoint` needs a matrix, not a tensor of shape {list(matrix.shape)}")
    adjoint: Tensor = tf.linalg.matrix_transpose(matrix, conjugate=True)
    return adjoint


def _cross_type(a: Tensor, b: Tensor, name: str | None = None) -> Typed:
    if a.shape != b.shape or a.ndim == 0 or a.shape[-1] != 3:
        raise OpError(
            f"`tf.linalg.cross` needs equal shapes whose last axis is 3, not {list(a.shape)} and {list(b.shape)}"
        )
    return a.type, {}


def _cross(a: Array, b: Array) -> Array:
    return np.stack(
        [a[..., i] * b[..., j] - a[..., j] * b[..., i] for i, j in ((1, 2), (2, 0), (0, 1))], axis=-1
    )  # np.cross has no bfloat16


declare(
    "tf.linalg.cross",
    _cross_type,
    forward=_cross,
    vjp=(lambda g, y, a, b: tf.linalg.cross(b, g), lambda g, y, a, b: tf.linalg.cross(g, a)),
    batching=repeated,
    domains=(REAL, REAL),
    dtypes=REALS,
    samples=(sample((3,), (3,)), sample((2, 2, 3), (2, 2, 3)), sample((0, 3), (0, 3))),
    source="g . (a x b) = a . (b x g) = b . (g x a)",
)
