"""Integrals with names: values near 0, derivatives at 1."""

import numpy as np
import pytest

from gradcheck import GradientTape, tensor
from gradcheck.ops import tf


@pytest.mark.parametrize(
    ("x", "exact"),
    [
        # mpmath: sqrt(pi) / 2 * exp(-x**2) * erfi(x)
        (1e-10, 1e-10),
        (0.013, 0.012998535432340019),
        (0.037, 0.036966249817824493),
        (-0.49, -0.41860967574960343),
        (0.51, 0.43012065546953283),
        (3.3, 0.15978858047449506),
        (20.0, 0.025031367926403672),
        (1e5, 5.00000000025e-6),
    ],
)
def test_dawson(x: float, exact: float) -> None:
    np.testing.assert_allclose(tf.math.special.dawsn(tensor(np.array(x))).numpy(), exact, rtol=1e-15)


def test_derivatives_of_the_dilogarithm_at_one() -> None:
    # The slope is the sum of -(1 - x)^n / (n + 1): its derivatives at 1 are -1, 1/2, -2/3.
    x = tensor(np.array(1.0))
    with GradientTape() as third, GradientTape() as second, GradientTape() as first:
        for tape in (third, second, first):
            tape.watch(x)
        y = tf.math.special.spence(x)
        slope = first.gradient(y, x)
        curvature = second.gradient(slope, x)
    last = third.gradient(curvature, x)
    np.testing.assert_allclose([slope.numpy(), curvature.numpy(), last.numpy()], [-1, 1 / 2, -2 / 3], rtol=1e-15)
