"""`closures.Tensor` for gradcheck."""

from closures import Tensor

from gradcheck.subjects import TensorEngine

METHODS = ("exp", "math.log", "tanh", "transpose", "reshape", "gather")
FUNCTIONS = {f"tf.{name}": name.removeprefix("math.") for name in METHODS} | {
    "tf.reduce_sum": "sum",
    "tf.reduce_mean": "mean",
    "tf.nn.relu": "relu",
    "tf.nn.softmax": "softmax",
    "tf.nn.moments": "moments",
}
DTYPES = ("float32", "float64", "complex64", "complex128")

engine = TensorEngine(variable=Tensor, functions=FUNCTIONS, dtypes=DTYPES)
