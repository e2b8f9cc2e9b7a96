"""The gradients of activations as operations, where they are called otherwise than by a gradient."""

import numpy as np
import pytest

from gradcheck import tensor
from gradcheck.ops import OpError, find_op

NAMES = ("SqrtGrad", "RsqrtGrad", "ReciprocalGrad", "TanhGrad", "SigmoidGrad", "SoftplusGrad", "EluGrad", "SeluGrad")


@pytest.mark.parametrize("name", NAMES)
def test_they_do_not_broadcast(name: str) -> None:
    with pytest.raises(OpError, match="must be equal"):
        find_op(f"tf.raw_ops.{name}")(tensor(np.ones((2, 1))), tensor(np.ones(2)))
