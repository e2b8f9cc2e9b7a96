"""Bessel functions at 0, and published values."""

import numpy as np
import pytest

from gradcheck import GradientTape, tensor
from gradcheck.dtypes import Array
from gradcheck.ops import find_op


def derivatives(name: str, point: float, count: int) -> list[Array]:
    """The value at a point and the first derivatives there, by nested tapes."""
    x = tensor(np.array(point))
    tapes = [GradientTape() for _ in range(count)]
    for tape in tapes:
        tape.__enter__()
        tape.watch(x)
    found = [find_op(name)(x)]
    for tape in reversed(tapes):
        tape.__exit__(None, None, None)
        found.append(tape.gradient(found[-1], x))
    return [each.numpy() for each in found]


@pytest.mark.parametrize(
    ("name", "taylor"),
    [
        ("tf.math.bessel_i0", [1, 0, 1 / 2, 0, 3 / 8]),
        ("tf.math.bessel_i1", [0, 1 / 2, 0, 3 / 8, 0]),
        ("tf.math.special.bessel_j0", [1, 0, -1 / 2, 0, 3 / 8]),
        ("tf.math.special.bessel_j1", [0, 1 / 2, 0, -3 / 8, 0]),
    ],
)
def test_derivatives_at_zero_are_those_of_the_series(name: str, taylor: list[float]) -> None:
    # n! times the coefficients of the power series (DLMF 10.2.2 and 10.25.2).
    np.testing.assert_allclose(derivatives(name, 0.0, 4), taylor, atol=1e-15)


@pytest.mark.parametrize("name", ["tf.math.bessel_i1", "tf.math.bessel_i1e", "tf.math.special.bessel_j1"])
def test_the_series_near_zero_meets_the_quotient(name: str) -> None:
    edge = 2.0**-20
    inside = derivatives(name, edge, 2)
    outside = derivatives(name, np.nextafter(edge, 1.0), 2)
    np.testing.assert_allclose(inside[:2], outside[:2], rtol=2e-15)
    np.testing.assert_allclose(inside[2], outside[2], atol=1e-9)  # the quotient loses the rest


def test_published_values() -> None:
    # Abramowitz and Stegun, tables 9.1 and 9.8, at 2.
    published = {
        "tf.math.special.bessel_j0": 0.223890779141236,
        "tf.math.special.bessel_j1": 0.5767248078,
        "tf.math.special.bessel_y0": 0.5103756726,
        "tf.math.special.bessel_y1": -0.1070324315,
        "tf.math.bessel_i0e": 0.3085083225,
        "tf.math.bessel_i1e": 0.2152692892,
        "tf.math.special.bessel_k0e": 0.8415682151,
        "tf.math.special.bessel_k1e": 1.0334768471,
    }
    found = [find_op(name)(tensor(np.array(2.0))).numpy() for name in published]
    np.testing.assert_allclose(found, list(published.values()), atol=6e-11)
