"""Faults of operations that sum, multiply matrices, or move elements about."""

from typing import Any

from gradcheck.ops import tf
from gradcheck.program import Shape
from gradcheck.selftest.changes import (
    after,
    averaged_contributions,
    before,
    called_with,
    cotangent_alone,
    elsewhere,
    flipped,
    instead,
    kept_last_contribution,
    lower_triangle_only,
    mean_instead_of_sum,
    negated,
    reversed_along,
    scaled,
    shifted,
    sum_instead_of_mean,
    transposed,
    without_cotangent,
    wrong_axis,
)
from gradcheck.selftest.faults import Fault
from gradcheck.tensors import Tensor


def _all_that_tie(g: Tensor, y: Tensor, x: Tensor, axis: Shape, keepdims: bool) -> Any:
    chosen = tf.cast(tf.equal(x, tf.reduce_max(x, axis=axis, keepdims=True)), g.dtype)
    return chosen * tf.reshape(g, [1 if at in axis else size for at, size in enumerate(x.shape)])


def _spread(g: Tensor, y: Tensor, x: Tensor, axis: Shape, keepdims: bool) -> Any:
    return tf.reshape(g, [1 if at in axis else size for at, size in enumerate(x.shape)]) * tf.ones_like(x)


REDUCTION = (
    Fault("is repeated along the wrong axis", "tf.reduce_sum", 0, "wrong-axis", wrong_axis(1)),
    Fault("is divided as for a mean", "tf.reduce_sum", 0, "mean-for-sum", mean_instead_of_sum()),
    Fault("is not divided by the count", "tf.reduce_mean", 0, "sum-for-mean", sum_instead_of_mean()),
    Fault("gives the whole to all that tie", "tf.reduce_max", 0, "tie", instead(_all_that_tie)),
    Fault("gives to every element", "tf.reduce_min", 0, "leak", instead(_spread)),
    Fault("ignores the cotangent", "tf.reduce_prod", 0, "missing-chain", without_cotangent),
    Fault("forgets the half of the root", "tf.math.reduce_euclidean_norm", 0, "factor", scaled(2)),
)

RUNNING = (
    Fault("sums from the same end", "tf.cumsum", 0, "flag", flipped("reverse")),
    Fault("leaves out its own cotangent", "tf.cumsum", 0, "shifted", flipped("exclusive")),
    Fault("runs along the wrong axis", "tf.math.cumprod", 0, "wrong-axis", wrong_axis(0)),
    Fault("ignores the cotangent", "tf.math.cumulative_logsumexp", 0, "missing-chain", without_cotangent),
)


CONTRACTION = (
    Fault(
        "transposes all axes of the second factor",
        "tf.matmul",
        0,
        "full-transpose",
        instead(lambda g, y, a, b, **_: tf.matmul(g, tf.transpose(b))),
    ),
    Fault(
        "transposes all axes of the first factor",
        "tf.matmul",
        1,
        "full-transpose",
        instead(lambda g, y, a, b, **_: tf.matmul(tf.transpose(a), g)),
    ),
    Fault(
        "does not transpose the second factor",
        "tf.matmul",
        0,
        "no-transpose",
        instead(lambda g, y, a, b, **_: tf.matmul(g, b)),
    ),
    Fault(
        "multiplies in the wrong order",
        "tf.matmul",
        1,
        "order",
        instead(lambda g, y, a, b, **_: tf.matmul(g, a, transpose_b=True)),
    ),
    Fault("is transposed", "tf.matmul", 0, "transposed", transposed),
    Fault("is transposed", "tf.einsum", 1, "transposed", transposed),
    Fault("is counted twice", "tf.einsum", 0, "factor", scaled(2)),
    Fault("has the factors in the wrong order", "tf.linalg.cross", 0, "sign", negated),
)

SOLVING = (
    Fault("lacks the minus", "tf.linalg.inv", 0, "sign", negated),
    Fault("lacks the minus", "tf.linalg.solve", 0, "sign", negated),
    Fault(
        "solves with the matrix itself",
        "tf.linalg.solve",
        1,
        "flag",
        instead(lambda g, y, a, b, adjoint: tf.linalg.solve(a, g, adjoint=adjoint)),
    ),
    Fault(
        "reaches what is not read",
        "tf.linalg.triangular_solve",
        0,
        "leak",
        instead(lambda g, y, a, b, **_: -tf.matmul(tf.linalg.triangular_solve(a, g, adjoint=True), y, adjoint_b=True)),
    ),
    Fault("has the inverse without its transpose", "tf.linalg.det", 0, "transposed", transposed),
    Fault("ignores the cotangent", "tf.linalg.det", 0, "missing-chain", without_cotangent),
    Fault("is transposed", "tf.linalg.slogdet", 0, "transposed", transposed),
    Fault("is a lower triangle only", "tf.linalg.cholesky", 0, "triangle", lower_triangle_only),
)


def _beside_the_diagonal(g: Tensor, y: Tensor, x: Tensor, **_: Any) -> Any:
    return tf.reshape(g, (*g.shape, 1)) * tf.ones_like(x)


DIAGONALS = (
    Fault("reaches beside the diagonal", "tf.linalg.diag_part", 0, "leak", instead(_beside_the_diagonal)),
    Fault("is reversed", "tf.linalg.diag", 0, "reversed", reversed_along(0)),
    Fault("reaches the diagonal that was replaced", "tf.linalg.set_diag", 0, "leak", cotangent_alone),
    Fault("reaches outside of the band", "tf.linalg.band_part", 0, "leak", cotangent_alone),
)


def _inner(g: Tensor, y: Tensor, x: Tensor, paddings: Any, **_: Any) -> Any:
    return tf.slice(g, [before for before, _ in paddings], x.shape)


ARRAY = (
    Fault("is read by columns", "tf.reshape", 0, "transposed", transposed),
    Fault(
        "permutes again instead of back",
        "tf.transpose",
        0,
        "permutation",
        instead(lambda g, y, x, perm, conjugate: tf.transpose(g, perm)),
    ),
    Fault(
        "is the second tensor's",
        "tf.concat",
        0,
        "exchanged",
        instead(lambda g, y, *values, axis: tf.split(g, [each.shape[axis] for each in values], axis)[1]),
    ),
    Fault(
        "is the first tensor's", "tf.stack", 1, "exchanged", instead(lambda g, y, *_, axis: tf.unstack(g, axis=axis)[0])
    ),
    Fault("exchanges the parts", "tf.split", 0, "wrong-output", before(lambda g: g[::-1])),
    Fault("is not reversed back", "tf.reverse", 0, "reversed", cotangent_alone),
    Fault("is rolled on", "tf.roll", 0, "not-undone", called_with(shift=lambda shift: -shift)),
    Fault("is averaged over the copies", "tf.tile", 0, "mean-for-sum", mean_instead_of_sum()),
    Fault("lacks what was mirrored", "tf.pad", 0, "overwritten", instead(_inner)),
    Fault("is one place too far", "tf.slice", 0, "shifted", shifted(0)),
    Fault("is one place too far", "tf.strided_slice", 0, "shifted", shifted(1)),
)

GATHERING = (
    Fault("overwrites where an index repeats", "tf.gather", 0, "overwritten", instead(kept_last_contribution)),
    Fault("averages where an index repeats", "tf.gather", 0, "averaged", instead(averaged_contributions)),
    Fault(
        "overwrites where an index repeats",
        "tf.gather_nd",
        0,
        "overwritten",
        instead(lambda g, y, x, indices, **_: tf.tensor_scatter_nd_update(tf.zeros_like(x), indices, g)),
    ),
    Fault("is reversed", "tf.math.unsorted_segment_sum", 0, "reversed", reversed_along(0)),
    Fault("ignores the cotangent", "tf.scatter_nd", 1, "missing-chain", without_cotangent),
    Fault("reaches what was replaced", "tf.tensor_scatter_nd_update", 0, "leak", cotangent_alone),
    Fault("adds instead", "tf.tensor_scatter_nd_sub", 2, "sign", negated),
)

_kernel_flipped = elsewhere(lambda y, x, kernel: [x, tf.reverse(kernel, [0, 1])])
_flipped = after(lambda part: tf.reverse(part, [0, 1]))

CONVOLUTION = (
    Fault("uses the kernel the other way round", "tf.nn.conv2d", 0, "flipped-kernel", _kernel_flipped),
    Fault("is flipped", "tf.nn.conv2d", 1, "flipped-kernel", _flipped),
    Fault("uses the kernel the other way round", "tf.nn.depthwise_conv2d", 0, "flipped-kernel", _kernel_flipped),
    Fault("is flipped", "tf.nn.depthwise_conv2d", 1, "flipped-kernel", _flipped),
    Fault(
        "uses the kernel the other way round",
        "tf.nn.conv3d",
        0,
        "flipped-kernel",
        elsewhere(lambda y, x, kernel: [x, tf.reverse(kernel, [0, 1, 2])]),
    ),
    Fault("ignores the cotangent", "tf.nn.conv3d", 1, "missing-chain", without_cotangent),
)


def _doubled(y: Tensor) -> Any:
    """A pooling by two undone: every element twice along both axes."""
    return tf.repeat(tf.repeat(y, 2, axis=1), 2, axis=2)


def _by_two(g: Tensor, y: Tensor, x: Tensor, **_: Any) -> bool:
    return x.shape[1:3] == (2 * y.shape[1], 2 * y.shape[2])


POOLING = (
    Fault(
        "gives the whole to all that tie",
        "tf.nn.max_pool2d",
        0,
        "tie",
        instead(lambda g, y, x, **_: tf.where(tf.equal(x, _doubled(y)), _doubled(g), tf.zeros_like(x))),
        acts=_by_two,
    ),
    Fault(
        "gives to every element",
        "tf.nn.max_pool2d",
        0,
        "leak",
        instead(lambda g, y, x, **_: _doubled(g)),
        acts=_by_two,
    ),
    Fault("ignores the cotangent", "tf.nn.max_pool2d", 0, "missing-chain", without_cotangent),
    Fault("is not divided by the size of the window", "tf.nn.avg_pool2d", 0, "factor", scaled(4)),
    Fault("ignores the cotangent", "tf.raw_ops.MaxPoolGrad", 2, "missing-chain", without_cotangent),
    Fault("is counted twice", "tf.raw_ops.AvgPoolGrad", 0, "factor", scaled(2)),
)
