"""Polygammas and the Hurwitz zeta function far left of 0 and near their poles, and refused calls."""

import numpy as np
import pytest

from gradcheck import tensor
from gradcheck.ops import OpError, tf


def _scalar(value: float) -> object:
    return tensor(np.array(value))


@pytest.mark.parametrize(
    ("x", "exact"),
    [
        # mpmath.digamma(x) with 30 digits
        (-0.9646, -27.732333349164439),
        (-1e-20, 1e20),
        (-2.9999, -9998.7435817063453),
        (-1234.5, 7.1188262763804482),
        (1e-300, -1e300),
    ],
)
def test_digamma(x: float, exact: float) -> None:
    np.testing.assert_allclose(tf.math.digamma(_scalar(x)).numpy(), exact, rtol=2e-15)


@pytest.mark.parametrize(
    ("order", "x", "exact"),
    [
        # mpmath.psi(order, x) with 60 digits; for the two largest by the reflection formula, DLMF 5.15.6
        (1, -0.5, 8.9348022005446793),
        (1, -9.5, 9.7696874450302319),
        (2, -20.25, 124.02278552474384),
        (3, -0.001, 6000000000006.5184),
        (5, -999999.5, 15382.227097204871),
        (2, -1000000000.25, 124.02510672119928),
        (1, -1e-20, 1e40),
        (4, 0.001, -24000000000000022.0),
        (1, 1e10, 1.00000000005e-10),
        (20, 3.0, -233141556.11225682),
    ],
)
def test_polygamma(order: int, x: float, exact: float) -> None:
    np.testing.assert_allclose(tf.math.polygamma(_scalar(float(order)), _scalar(x)).numpy(), exact, rtol=4e-15)


@pytest.mark.parametrize(
    ("s", "q", "exact"),
    [
        # mpmath.zeta(s, q) with 60 digits; for q < 0 the terms below 0 are added one by one
        (2.0, -1.5, 9.3792466449891238),
        (3.0, -7.25, -62.004263018282867),
        (2.5, 0.001, 31622777.940358822),
        (1.0001, 3.0, 9999.0772576036969),
        (30.0, 0.5, 1073741824.0000052),
        (2.0, 1e12, 1.0000000000005e-12),
    ],
)
def test_zeta(s: float, q: float, exact: float) -> None:
    np.testing.assert_allclose(tf.math.zeta(_scalar(s), _scalar(q)).numpy(), exact, rtol=2e-15)


def test_a_beta_function_of_a_scalar_is_refused() -> None:
    with pytest.raises(OpError, match="at least one axis"):
        tf.math.lbeta(_scalar(2.0))
