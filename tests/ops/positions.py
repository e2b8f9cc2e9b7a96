"""A tensor to take elements from, and what is said of positions that it does not have."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow

from gradcheck import tensor
from gradcheck.engine.evaluate import evaluate
from gradcheck.engine.tracing import trace
from gradcheck.ops import OpError, tf

NAN = float("nan")
X = np.arange(1.0, 25.0).reshape(2, 3, 4)


def assert_refused(call: Callable[..., Any], message: str) -> None:
    """Check that `call(tf, X)` is refused in these words, and by TensorFlow in some."""
    with pytest.raises(OpError) as caught:
        call(tf, tensor(X))
    assert str(caught.value) == message
    with pytest.raises((ValueError, TypeError, tensorflow.errors.OpError)):
        call(tensorflow, tensorflow.constant(X))


def assert_outside(call: Callable[..., Any], positions: Any, message: str) -> None:
    """Check that `call(tf, X, positions)` is refused if the positions are known, and raises when it runs if not."""
    with pytest.raises(OpError) as refused:
        call(tf, tensor(X), positions)
    assert str(refused.value) == message
    inputs = {"x": X, "i": np.asarray(positions)}
    program = trace(lambda x, i: call(tf, x, i), inputs)
    with pytest.raises(IndexError) as raised:
        evaluate(program, inputs)
    assert str(raised.value) == message
    with pytest.raises(tensorflow.errors.InvalidArgumentError):
        call(tensorflow, tensorflow.constant(X), positions)
