"""TensorFlow's own operations for the gradients of roots, reciprocals and activations, as functions of the output.

Those of the rectifiers are beside these, in `activations`.
"""

from __future__ import annotations

from gradcheck.dtypes import FLOATS
from gradcheck.ops.declaration import INEXACT, POSITIVE, REAL, Interval, OpError, compose, sample
from gradcheck.ops.nn.activations import SELU_SCALE, SELU_SCALE_ALPHA
from gradcheck.ops.shapes import conj
from gradcheck.ops.vocabulary import tf
from gradcheck.tensors import Tensor

SAMPLES = (sample((2, 3), (2, 3)), sample((), ()), sample((0, 3), (0, 3)))


def _check_shapes(left: Tensor, right: Tensor, argument: str) -> None:
    if left.shape != right.shape:
        raise OpError(f"shapes {list(left.shape)} and {list(right.shape)} must be equal", argument=argument)


@compose(
    "tf.raw_ops.SqrtGrad",
    domains=(POSITIVE, REAL),
    dtypes=INEXACT,
    samples=SAMPLES,
    convention="dy / (2 conj(y)), and 0 wherever dy is 0",
)
def _sqrt_grad(y: Tensor, dy: Tensor, name: str | None = None) -> Tensor:
    _check_shapes(y, dy, "dy")
    slope: Tensor = tf.math.multiply_no_nan(0.5 / conj(y), dy)
    return slope


@compose(
    "tf.raw_ops.RsqrtGrad",
    domains=(POSITIVE, REAL),
    dtypes=INEXACT,
    samples=SAMPLES,
    convention="-dy conj(y)^3 / 2, and 0 wherever dy is 0",
)
def _rsqrt_grad(y: Tensor, dy: Tensor, name: str | None = None) -> Tensor:
    _check_shapes(y, dy, "dy")
    y = conj(y)
    slope: Tensor = tf.math.multiply_no_nan(tf.square(y), tf.math.multiply_no_nan(y, dy * -0.5))
    return slope


@compose(
    "tf.raw_ops.ReciprocalGrad",
    domains=(POSITIVE, REAL),
    dtypes=INEXACT,
    samples=SAMPLES,
    convention="-dy conj(y)^2, and 0 wherever dy is 0",
)
def _reciprocal_grad(y: Tensor, dy: Tensor, name: str | None = None) -> Tensor:
    _check_shapes(y, dy, "dy")
    y = conj(y)
    slope: Tensor = tf.math.multiply_no_nan(y, tf.math.multiply_no_nan(-y, dy))
    return slope


@compose(
    "tf.raw_ops.TanhGrad",
    domains=(Interval(-0.9, 0.9), REAL),
    dtypes=INEXACT,
    samples=SAMPLES,
    convention="a complex y is taken as it is: TensorFlow's rule hands over its conjugate",
)
def _tanh_grad(y: Tensor, dy: Tensor, name: str | None = None) -> Tensor:
    _check_shapes(y, dy, "dy")
    slope: Tensor = dy * (1.0 - tf.square(y))
    return slope


@compose(
    "tf.raw_ops.SigmoidGrad",
    domains=(Interval(0.05, 0.95), REAL),
    dtypes=INEXACT,
    samples=SAMPLES,
    convention="a complex y is taken as it is: TensorFlow's rule hands over its conjugate",
)
def _sigmoid_grad(y: Tensor, dy: Tensor, name: str | None = None) -> Tensor:
    _check_shapes(y, dy, "dy")
    slope: Tensor = dy * y * (1.0 - y)
    return slope


@compose("tf.raw_ops.SoftplusGrad", domains=(REAL, REAL), dtypes=FLOATS, samples=SAMPLES)
def _softplus_grad(gradients: Tensor, features: Tensor, name: str | None = None) -> Tensor:
    _check_shapes(gradients, features, "features")
    slope: Tensor = gradients * tf.sigmoid(features)
    return slope


@compose(
    "tf.raw_ops.EluGrad",
    domains=(REAL, Interval(-0.9, 2.0)),
    kink=lambda gradients, outputs: outputs,
    samples=SAMPLES,
    convention="1 at 0 and for NaN",
)
def _elu_grad(gradients: Tensor, outputs: Tensor, name: str | None = None) -> Tensor:
    _check_shapes(gradients, outputs, "outputs")
    slope: Tensor = tf.where(outputs < 0.0, gradients * (outputs + 1.0), gradients)
    return slope


@compose(
    "tf.raw_ops.SeluGrad",
    domains=(REAL, Interval(-1.7, 2.0)),
    kink=lambda gradients, outputs: outputs,
    samples=SAMPLES,
    convention="the scale 1.0507 at 0 and for NaN",
)
def _selu_grad(gradients: Tensor, outputs: Tensor, name: str | None = None) -> Tensor:
    _check_shapes(gradients, outputs, "outputs")
    slope: Tensor = tf.where(outputs < 0.0, gradients * (outputs + SELU_SCALE_ALPHA), gradients * SELU_SCALE)
    return slope
