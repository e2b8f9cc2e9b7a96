"""The catalogue of faults: some for each family of operations with rules, and those of the walk."""

import math
from typing import Any

from gradcheck.engine.reverse import unbroadcast as right_unbroadcast
from gradcheck.ops import tf
from gradcheck.program import Shape
from gradcheck.selftest.changes import (
    as_rule_of,
    at_output,
    averaged_contributions,
    before,
    called_with,
    conjugated,
    cotangent_alone,
    cotangent_twice,
    disconnected,
    exchanged,
    flipped,
    instead,
    kept_last_contribution,
    lower_triangle_only,
    mean_instead_of_sum,
    negated,
    reversed_along,
    scaled,
    shifted,
    shifted_by,
    slope,
    sum_instead_of_mean,
    transposed,
    without_conjugate,
    without_cotangent,
    wrong_axis,
    zeroed,
)
from gradcheck.selftest.faults import AnyFault, Fault, WalkFault
from gradcheck.tensors import Tensor

ARITHMETIC = (
    Fault("adds the second operand's gradient", "tf.subtract", 1, "sign", negated),
    Fault("is not connected", "tf.add", 1, "not-connected", disconnected),
    Fault("is the other operand's", "tf.multiply", 0, "exchanged", exchanged),
    Fault("has the cotangent twice", "tf.multiply", 1, "chain-twice", cotangent_twice),
    Fault("keeps the sign", "tf.negative", 0, "sign", negated),
    Fault("multiplies by the denominator", "tf.truediv", 0, "slope", slope(lambda x, y, z: y)),
    Fault("lacks the minus of the quotient rule", "tf.truediv", 1, "sign", negated),
    Fault("lacks the exponent", "tf.math.pow", 0, "slope", slope(lambda x, y, z: z / x)),
    Fault("takes a logarithm to base 2", "tf.math.pow", 1, "factor", scaled(1 / math.log(2))),
    Fault("forgets the quotient", "tf.math.floormod", 1, "zeros", zeroed),
    Fault("gives to both operands", "tf.maximum", 0, "leak", cotangent_alone),
    Fault(
        "gives to both where they tie",
        "tf.maximum",
        1,
        "tie",
        slope(lambda x, y, z: tf.cast(y >= x, x.dtype)),
    ),
    Fault("gives to the larger one", "tf.minimum", 0, "exchanged", exchanged),
    Fault("gives to both branches", "tf.where", 2, "leak", cotangent_alone),
)

ELEMENTWISE = (
    Fault("lacks the sign", "tf.abs", 0, "missing-derivative", cotangent_alone),
    Fault("lacks the factor 2", "tf.square", 0, "factor", scaled(0.5)),
    Fault("has the wrong power of 2", "tf.sqrt", 0, "factor", scaled(2)),
    Fault("lacks the minus", "tf.math.rsqrt", 0, "sign", negated),
    Fault("has the reciprocal, not its square", "tf.math.reciprocal", 0, "slope", slope(lambda x, y: -y)),
    Fault("ignores the cotangent", "tf.exp", 0, "missing-chain", without_cotangent),
    Fault("takes the output for the exponential", "tf.math.expm1", 0, "slope", slope(lambda x, y: y)),
    Fault("divides by the output", "tf.math.log", 0, "slope", slope(lambda x, y: 1 / y)),
    Fault("forgets the 1", "tf.math.log1p", 0, "slope", slope(lambda x, y: 1 / x)),
    Fault("forgets the second factor", "tf.sigmoid", 0, "slope", slope(lambda x, y: y)),
    Fault("is y (1 - y) of the operand", "tf.sigmoid", 0, "slope", slope(lambda x, y: x * (1 - x))),
    Fault("has the factor 2 of the other operand too", "tf.math.squared_difference", 0, "factor", scaled(2)),
)

TRIGONOMETRIC = (
    Fault("is that of the hyperbolic sine", "tf.sin", 0, "other-operation", instead(lambda g, y, x: g * tf.cosh(x))),
    Fault("lacks the minus", "tf.cos", 0, "sign", negated),
    Fault("has the operand in 1 + y^2", "tf.tan", 0, "slope", slope(lambda x, y: 1 + x * x)),
    Fault("has a constant added", "tf.asin", 0, "addend", shifted_by(0.5)),
    Fault("lacks the minus", "tf.acos", 0, "sign", negated),
    Fault("is that of the area tangent", "tf.atan", 0, "other-operation", as_rule_of("tf.atanh")),
    Fault("exchanges the two operands", "tf.atan2", 0, "exchanged-operands", exchanged),
    Fault("is taken at the output", "tf.sinh", 0, "at-output", at_output),
    Fault("has a minus as the cosine's", "tf.cosh", 0, "sign", negated),
    Fault("forgets the square", "tf.tanh", 0, "slope", slope(lambda x, y: 1 - y)),
    Fault("is that of the sine's inverse", "tf.asinh", 0, "other-operation", as_rule_of("tf.asin")),
    Fault("is taken at the output", "tf.atanh", 0, "at-output", at_output),
)

SPECIAL = (
    Fault("lacks 2 / sqrt(pi)", "tf.math.erf", 0, "factor", scaled(math.sqrt(math.pi) / 2)),
    Fault("has 2 / sqrt(pi) to five digits", "tf.math.erf", 0, "factor", scaled(1.1284 * math.sqrt(math.pi) / 2)),
    Fault("is that of the error function", "tf.math.erfc", 0, "sign", negated),
    Fault("exchanges the operands", "tf.math.xlogy", 1, "exchanged-operands", exchanged),
    Fault("lacks the minus of the quotient rule", "tf.math.divide_no_nan", 1, "sign", negated),
)


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


def _without_labels(g: Tensor, y: Tensor, labels: Tensor, logits: Tensor, **_: Any) -> Any:
    return tf.reshape(g, (*g.shape, 1)) * tf.nn.softmax(logits)


NN = (
    Fault("passes where the unit is closed", "tf.nn.relu", 0, "leak", cotangent_alone),
    Fault("passes above 6", "tf.nn.relu6", 0, "leak", as_rule_of("tf.nn.relu")),
    Fault(
        "is closed on the negative side",
        "tf.nn.leaky_relu",
        0,
        "dropped",
        instead(lambda g, y, x, **_: tf.where(x > 0, g, 0 * g)),
    ),
    Fault("is 1 everywhere", "tf.nn.elu", 0, "missing-derivative", cotangent_alone),
    Fault("takes the output for the operand", "tf.nn.softplus", 0, "at-output", at_output),
    Fault("forgets the square", "tf.nn.softsign", 0, "slope", slope(lambda x, y: y / x)),
    Fault("is the logistic function alone", "tf.nn.silu", 0, "slope", slope(lambda x, beta, y: tf.sigmoid(x))),
    Fault("lacks the second term", "tf.nn.softmax", 0, "missing-term", slope(lambda x, y: y)),
    Fault("lacks the second term", "tf.nn.log_softmax", 0, "missing-derivative", cotangent_alone),
    Fault("is the Jacobian's diagonal alone", "tf.nn.log_softmax", 0, "diagonal", slope(lambda x, y: 1 - tf.exp(y))),
    Fault("has labels and shares exchanged", "tf.nn.softmax_cross_entropy_with_logits", 1, "sign", negated),
    Fault(
        "lacks the label", "tf.nn.sparse_softmax_cross_entropy_with_logits", 1, "missing-term", instead(_without_labels)
    ),
    Fault("forgets the half", "tf.nn.l2_loss", 0, "factor", scaled(2)),
    Fault("is averaged over the rows", "tf.nn.bias_add", 1, "mean-for-sum", mean_instead_of_sum(1)),
    Fault(
        "is summed over the wrong axes",
        "tf.nn.bias_add",
        1,
        "wrong-axis",
        instead(lambda g, y, x, b, **_: tf.reduce_sum(g, axis=[0, 2])),
    ),
)

COMPLEX = (
    Fault("lacks the conjugate", "tf.multiply", 0, "conjugate-operand", without_conjugate),
    Fault("lacks the conjugate", "tf.exp", 0, "conjugate-operand", without_conjugate),
    Fault("lacks the conjugate", "tf.matmul", 1, "conjugate-operand", without_conjugate),
    Fault("lacks the conjugate", "tf.einsum", 0, "conjugate-operand", without_conjugate),
    Fault("does not conjugate back", "tf.math.conj", 0, "conjugate", conjugated),
    Fault("goes to the real part", "tf.math.imag", 0, "imaginary-part", as_rule_of("tf.math.real")),
    Fault("is turned the wrong way", "tf.math.angle", 0, "sign", negated),
    Fault("is the real part's", "tf.complex", 1, "exchanged", as_rule_of("tf.complex")),
)


def _full_size(part: Tensor, shape: Shape) -> bool:
    """Whether an axis of size 1 was repeated."""
    return part.ndim == len(shape) and any(size == 1 != other for size, other in zip(shape, part.shape, strict=True))


WALK = (
    WalkFault(
        "keeps the last contribution at a fan-out",
        "_contribute",
        "fan-out",
        acts=lambda cotangents, tensor, part, trail: tensor.key in cotangents,
        wrong=lambda cotangents, tensor, part, trail: cotangents.update({tensor.key: part}),
    ),
    WalkFault(
        "keeps the first contribution at a fan-out",
        "_contribute",
        "fan-out",
        acts=lambda cotangents, tensor, part, trail: tensor.key in cotangents,
        wrong=lambda cotangents, tensor, part, trail: None,
    ),
    WalkFault(
        "does not sum over axes of size 1",
        "unbroadcast",
        "missing-sum",
        acts=_full_size,
        wrong=lambda part, shape: part,
    ),
    WalkFault(
        "does not sum over leading axes",
        "unbroadcast",
        "missing-sum",
        acts=lambda part, shape: part.ndim > len(shape),
        wrong=lambda part, shape: part,
    ),
    WalkFault(
        "takes the mean over broadcast axes",
        "unbroadcast",
        "mean-for-sum",
        acts=lambda part, shape: math.prod(part.shape) > math.prod(shape),
        wrong=lambda part, shape: right_unbroadcast(part, shape) * (math.prod(shape) / math.prod(part.shape)),
    ),
    WalkFault(
        "keeps the first contribution along leading axes",
        "unbroadcast",
        "one-contribution",
        acts=lambda part, shape: part.ndim > len(shape) and part.shape[part.ndim - len(shape) :] == shape,
        wrong=lambda part, shape: tf.reshape(part, (-1, *shape))[0],
    ),
)

CATALOGUE: tuple[AnyFault, ...] = (
    *ARITHMETIC,
    *ELEMENTWISE,
    *TRIGONOMETRIC,
    *SPECIAL,
    *REDUCTION,
    *RUNNING,
    *CONTRACTION,
    *SOLVING,
    *DIAGONALS,
    *ARRAY,
    *GATHERING,
    *NN,
    *COMPLEX,
    *WALK,
)
