"""The derivatives of the incomplete gamma function by its parameter, and refused calls."""

import numpy as np
import pytest

from gradcheck import GradientTape, tensor
from gradcheck.ops import OpError, tf
from gradcheck.ops.math.incomplete_derivative import derivative


@pytest.mark.parametrize(
    ("a", "x", "first", "second"),
    [
        # By mpmath: differences (1e-14, 70 digits) of x**a * exp(-x) * hyp1f1(1, a + 1, x) / gamma(a + 1)
        # or, from x = 30 and a on, of -gammainc(a, x, inf) / gamma(a).
        (1e-08, 1.0, -0.2193839388850211, -0.4489500784464497),
        (0.001, 0.7, -0.3743377224300524, -0.5683802829521314),
        (0.1, 1e-05, -3.68602534267484, 40.39857268875342),
        (0.5, 1e-300, -7.794978893461947e-148, 5.384854550550312e-145),
        (0.3, 0.9, -0.3826138607594213, -0.3158999437648239),
        (5, 6, -0.1513957581593302, -0.02755657621171894),
        (5, 80, -9.36059728917851e-29, -2.632505023594506e-28),
        (19.99, 21, -0.08528019370640011, -0.004203199037708715),
        (25, 24, -0.08003842834756352, 0.003289011229022404),
        (30, 0.1, -1.957692930028309e-62, 1.118768867811387e-61),
        (1e4, 9800.0, -0.0005308191313024515, 1.072407335770099e-5),
        (1e4, 10300.0, -4.768499514046361e-5, -1.409523047423511e-6),
    ],
)
def test_derivatives_by_the_parameter(a: float, x: float, first: float, second: float) -> None:
    found = [derivative(np.array(a), np.array(x), order) for order in (1, 2)]
    np.testing.assert_allclose(found, [first, second], rtol=4e-14)


def test_far_away_the_derivative_by_the_parameter_vanishes() -> None:
    a = np.array([1.0, 1.0, 2.0, 1e200, 1e-5, np.inf])
    x = np.array([0.0, np.inf, 1e300, 1e-300, 1e308, 1.0])
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(derivative(a, x, 1), np.zeros(6))


def test_all_second_derivatives() -> None:
    # P(a, x) at (2, 3) by mpmath: diff(P, (2, 3), (2, 0)) and so on; dP/dx is x exp(-x) there, so that d2P/dx2 is
    # (1 - x) exp(-x).
    a, x = tensor(np.array(2.0)), tensor(np.array(3.0))
    with GradientTape(persistent=True) as outer:
        outer.watch([a, x])
        with GradientTape() as inner:
            inner.watch([a, x])
            y = tf.math.igamma(a, x)
        by_a, by_x = inner.gradient(y, [a, x])
    found = [[each.numpy() for each in outer.gradient(first, [a, x])] for first in (by_a, by_x)]
    mixed = 0.10094247758785612
    np.testing.assert_allclose(found, [[-0.079308616296455419, mixed], [mixed, -2 * np.exp(-3)]], rtol=1e-13)


@pytest.mark.parametrize(
    ("shapes", "message"),
    [(((2,), (3,), ()), "`b` has the shape"), (((), (2,), (3,)), "`x` has the shape"), (((2, 1), (), (2,)), "`x` has")],
)
def test_an_incomplete_beta_function_of_different_shapes_is_refused(
    shapes: tuple[tuple[int, ...], ...], message: str
) -> None:
    with pytest.raises(OpError, match=message):
        tf.math.betainc(*[tensor(np.full(shape, 0.5)) for shape in shapes])
