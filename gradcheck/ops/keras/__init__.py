"""Functions of Keras, which TensorFlow ships: `tf.keras.activations` and `tf.keras.losses`."""

from gradcheck.ops.keras import (
    activations,
    categories,
    losses,
    overlap,
)

__all__ = [
    "activations",
    "categories",
    "losses",
    "overlap",
]
