"""Find out which gradient is wrong.

The engine as a library, without TensorFlow:

* `tf`: the operations under TensorFlow's names, on tensors that are computed at once;
* `GradientTape`: records them and differentiates, as `tf.GradientTape` does; `ForwardAccumulator` does so forwards;
* `Variable` and `custom_gradient`: `tf.Variable` and `tf.custom_gradient`;
* `trace`, `differentiate`, `evaluate`: the same as programs that are written once and run many times.

And for tests, with TensorFlow in a process of its own:

* `assert_gradients`: that a function of tensors has the same gradients in TensorFlow.
"""

from importlib import import_module
from typing import Any

__all__ = [
    "EagerTensor",
    "ForwardAccumulator",
    "GradientTape",
    "Program",
    "Variable",
    "assert_gradients",
    "custom_gradient",
    "differentiate",
    "evaluate",
    "tensor",
    "tf",
    "trace",
]

_HOMES = {
    "EagerTensor": "gradcheck.engine.eager",
    "ForwardAccumulator": "gradcheck.engine.accumulator",
    "GradientTape": "gradcheck.engine.tape",
    "Program": "gradcheck.program",
    "Variable": "gradcheck.engine.variable",
    "assert_gradients": "gradcheck.assertion",
    "custom_gradient": "gradcheck.engine.custom",
    "differentiate": "gradcheck.engine.differentiate",
    "evaluate": "gradcheck.engine.evaluate",
    "tensor": "gradcheck.engine.eager",
    "tf": "gradcheck.ops",
    "trace": "gradcheck.engine.tracing",
}


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used, so that `gradcheck --help` loads none of them."""
    if name not in _HOMES:
        raise AttributeError(f"module 'gradcheck' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
