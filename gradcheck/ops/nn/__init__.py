"""What neural networks are made of."""

from gradcheck.ops.nn import (
    activations,
    convolution,
    correlation,
    depthwise,
    losses,
    morphology,
    normalization,
    patches,
    pooling,
    pooling_gradients,
    transposed,
    windows,
)

__all__ = [
    "activations",
    "convolution",
    "correlation",
    "depthwise",
    "losses",
    "morphology",
    "normalization",
    "patches",
    "pooling",
    "pooling_gradients",
    "transposed",
    "windows",
]
