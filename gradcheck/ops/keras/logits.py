"""What Keras remembers of a probability: the logits that its own `sigmoid` or `softmax` made it of.

A cross-entropy that is given such a tensor itself, and not something computed from it, goes back to the logits: it does
not clip, and its gradient takes the direct way.
"""

from gradcheck.tensors import Tensor

_NAME = "keras_logits"


def remember(probabilities: Tensor, logits: Tensor) -> Tensor:
    """`probabilities`, with a note of the `logits` that they were made of."""
    setattr(probabilities, _NAME, logits)
    return probabilities


def remembered(probabilities: Tensor) -> Tensor | None:
    """The logits that this very tensor was made of, if Keras made it."""
    logits: Tensor | None = getattr(probabilities, _NAME, None)
    return logits
