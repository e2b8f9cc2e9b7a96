"""`flow` for gradcheck."""

import flow

from gradcheck.subjects import TensorEngine

engine = TensorEngine(
    variable=flow.Value,
    gradients=flow.gradients,
    array=lambda value: getattr(value, "array", value),
    functions={"tf.tanh": flow.tanh},
    dtypes=("float32", "float64"),
)
