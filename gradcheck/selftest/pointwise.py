"""Faults of operations that work element by element: arithmetic, functions, activations, complex numbers."""

import math
from typing import Any

from gradcheck.ops import tf
from gradcheck.selftest.changes import (
    as_rule_of,
    at_output,
    conjugated,
    cotangent_alone,
    cotangent_twice,
    disconnected,
    exchanged,
    instead,
    mean_instead_of_sum,
    negated,
    on_complex,
    scaled,
    shifted_by,
    slope,
    without_conjugate,
    without_cotangent,
    zeroed,
)
from gradcheck.selftest.faults import Fault
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
    Fault("lacks the conjugate", "tf.multiply", 0, "conjugate-operand", without_conjugate, acts=on_complex),
    Fault("lacks the conjugate", "tf.exp", 0, "conjugate-operand", without_conjugate, acts=on_complex),
    Fault("lacks the conjugate", "tf.matmul", 1, "conjugate-operand", without_conjugate, acts=on_complex),
    Fault("lacks the conjugate", "tf.einsum", 0, "conjugate-operand", without_conjugate, acts=on_complex),
    Fault("does not conjugate back", "tf.math.conj", 0, "conjugate", conjugated, acts=on_complex),
    Fault("goes to the real part", "tf.math.imag", 0, "imaginary-part", as_rule_of("tf.math.real"), acts=on_complex),
    Fault("is turned the wrong way", "tf.math.angle", 0, "sign", negated, acts=on_complex),
    Fault("is the real part's", "tf.complex", 1, "exchanged", as_rule_of("tf.complex")),
)
