"""TensorFlow's random kernels brought to where a call finds them."""

from typing import Any

import tensorflow as tf

from gradcheck.ops.random.seeds import GLOBAL_SEED, MODULUS, Seed


def rewind(seed: Seed) -> None:
    """Start all streams anew, and draw what the kernel that `seed` is of has drawn before."""
    tf.random.set_seed(GLOBAL_SEED)
    if not seed.before:
        return
    dtype, shape = tf.as_dtype(seed.dtype), [seed.before]
    arguments: dict[str, Any]
    match seed.kernel:
        case "RandomUniformInt":
            arguments = {"shape": shape, "minval": tf.zeros([], dtype), "maxval": tf.ones([], dtype)}
        case "RandomGamma":
            arguments = {"shape": shape, "alpha": tf.ones([], dtype)}
        case _:
            arguments = {"shape": shape, "dtype": dtype}
    getattr(tf.raw_ops, seed.kernel)(**arguments, seed=GLOBAL_SEED, seed2=seed % MODULUS)
