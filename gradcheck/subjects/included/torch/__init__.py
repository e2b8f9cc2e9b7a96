"""PyTorch as the subject: TensorFlow's operations in torch's own, differentiated by `torch.autograd`."""

import torch

from gradcheck.subjects.included.torch import elementwise, losses, matrices, positions, reductions, shapes, windows
from gradcheck.subjects.included.torch.tensors import array, constant, gradients, on_tensors, variable
from gradcheck.subjects.tensor_engine import TensorEngine

torch.set_num_threads(1)  # so that sums are added up in the same order every time

FAMILIES = (elementwise, shapes, positions, reductions, matrices, losses, windows)

_HALVES = "a tie is shared in halves, where TensorFlow gives it all to the first argument"
_ZERO_NORM = "the slope is 0 where the norm is 0, where TensorFlow has NaN"
_NO_DIRECTION = "the slope is 0 at the origin, where TensorFlow has NaN"
_ALPHA = "`alpha` is taken in the dtype of the tensor, where TensorFlow rounds it to float32"

CONVENTIONS = {
    "unconnected": "torch gives zeros where TensorFlow says not connected, for functions with steps",
    "tf.maximum": _HALVES,
    "tf.minimum": _HALVES,
    "tf.clip_by_value": "where the bounds cross the upper one counts, where in TensorFlow it is the lower one",
    "tf.math.pow": "the slope of `x ** 0` is 0 at 0 and that by the exponent NaN below 0; TensorFlow has NaN and 0",
    "tf.atan2": _NO_DIRECTION,
    "tf.math.angle": _NO_DIRECTION,
    "tf.norm": _ZERO_NORM,
    "tf.linalg.global_norm": _ZERO_NORM,
    "tf.math.reduce_euclidean_norm": _ZERO_NORM,
    "tf.math.reduce_std": "the slope is 0 where the deviation is 0, where TensorFlow has NaN",
    "tf.nn.leaky_relu": _ALPHA,
    "tf.raw_ops.LeakyReluGrad": _ALPHA,
    "tf.nn.gelu": "its constants are taken in the dtype of the tensor, where TensorFlow rounds them to float32",
    "tf.nn.softplus": "above 20 it is the identity, so that a threshold keeps `exp` from overflowing",
    "tf.nn.max_pool3d": "of several equal elements one is given the gradient, where TensorFlow gives it to all",
    "tf.nn.softmax_cross_entropy_with_logits": "labels need not add up to 1, where TensorFlow's gradient assumes it",
}

engine = TensorEngine(
    name="torch",
    variable=variable,
    constant=constant,
    array=array,
    gradients=gradients,
    functions={name: on_tensors(each) for family in FAMILIES for name, each in family.FUNCTIONS.items()},
    twice=True,
    conventions=CONVENTIONS,
)
