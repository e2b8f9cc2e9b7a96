"""What is not handed on."""

import numpy as np
import pytest

from gradcheck import tensor
from gradcheck.ops import OpError, tf

NAN, INF = np.nan, np.inf


@pytest.mark.parametrize(("numbers", "words"), [([1.0, NAN], "NaN"), ([-INF, 1.0], "Inf"), ([NAN, INF], "Inf and NaN")])
def test_numbers_that_are_not_finite_are_refused_in_the_words_of_tensorflow(numbers: list[float], words: str) -> None:
    with pytest.raises(FloatingPointError, match=f"^in the layer : Tensor had {words} values$"):
        tf.debugging.check_numerics(tensor(np.array(numbers)), "in the layer")


def test_a_message_must_be_a_text() -> None:
    with pytest.raises(OpError, match="must be a text"):
        tf.debugging.check_numerics(tensor(np.array(1.0)), 3)
