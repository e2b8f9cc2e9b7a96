"""How numbers that are drawn move with their distribution."""

import numpy as np
import pytest
import tensorflow

from gradcheck import GradientTape, tensor
from gradcheck.ops import tf
from gradcheck.ops.declaration import OpError
from gradcheck.ops.random.philox import scrambled
from gradcheck.ops.random.slopes import bend, slope
from gradcheck.ops.random.truncated import LARGEST, _drawn, _hazard

# mpmath, 80 digits: p = exp(-x + (a - 1) log x - loggamma(a)); -diff(P, a, order, h=1e-25) / p, where P is
# gammainc(a, 0, x, regularized=True) for x < a and else -gammainc(a, x, inf, regularized=True).
SLOPES = [
    (0.01, 1e-10, 2.2464965474394065e-07, -5.0305346018747e-06),
    (0.01, 0.5, 46.67927940515068, 46.85875142456233),
    (0.3, 0.99, 2.723411269569137, 2.5626064543373923),
    (0.3, 1.01, 2.7463488755430583, 2.650790310928182),
    (0.3, 6.0, 4.922955344544891, 15.633273191377217),
    (0.9, 0.9, 1.192635437736843, -0.11179285530561121),
    (2.5, 1.0, 0.6507938596862822, -0.6246477269996),
    (2.5, 2.4, 1.0469446812443708, -0.058463201783974295),
    (2.5, 9.0, 1.891711800090848, 2.480535449008323),
    (20.0, 15.0, 0.8702478030170773, -0.2515845100082816),
    (20.0, 24.0, 1.1030836416903218, 0.20172759719930033),
    (1000.0, 950.0, 0.9747350236971637, -0.050001618567084856),
    (1000.0, 1100.0, 1.048586678561617, 0.09994922579333264),
]


@pytest.mark.parametrize(("a", "x", "first", "second"), SLOPES)
def test_slopes_of_gamma_numbers(a: float, x: float, first: float, second: float) -> None:
    np.testing.assert_allclose(slope(np.array(a), np.array(x)), first, rtol=1e-13)
    np.testing.assert_allclose(bend(np.array(a), np.array(x)), second, rtol=1e-11)


@pytest.mark.parametrize(
    ("a", "x", "expected"),
    [
        (2.0, 0.0, 0.0),
        (0.0, 0.0, 0.0),
        (np.inf, np.inf, 0.0),
        (0.0, 1.0, np.nan),
        (-1.0, 1.0, np.nan),
        (np.nan, 1.0, np.nan),
    ],
)
def test_the_ends_of_the_distribution_are_as_in_tensorflow(a: float, x: float, expected: float) -> None:
    theirs = tensorflow.raw_ops.RandomGammaGrad(alpha=np.array(a), sample=np.array(x)).numpy()
    np.testing.assert_array_equal(slope(np.array(a), np.array(x)), expected)
    np.testing.assert_array_equal(theirs, expected)


# mpmath, 50 digits: npdf(b) / (ncdf(-a) - ncdf(-b)) for a >= 0 and else npdf(b) / (ncdf(b) - ncdf(a)).
@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (-2.0, 2.0, 0.05656467411251919),
        (0.0, 1.0, 0.7088749052272068),
        (8.0, 9.0, 0.0016527413594175921),
        (30.0, 30.001, 985.0746692854194),
        (-9.0, -8.0, 8.122841734339215),
        (-40.0, -1.0, 1.525135276160981),
        (2.0, 2.0000001, 9999999.016365789),
        (-0.1, 0.1, 4.983355544966501),
        (5.0, 5.101, 7.583081599359879),
        (-np.inf, np.inf, 0.0),
        (1.0, np.inf, 0.0),
    ],
)
def test_hazard(low: float, high: float, expected: float) -> None:
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(_hazard(np.array(low), np.array(high)), expected, rtol=1e-14)


BOUNDS = [
    (0.0, 1.0, -2.0, 2.0),
    (0.0, 1.0, -1.0, 1.0),
    (0.0, 1.0, 1.0, 2.0),
    (0.0, 1.0, 3.0, 9.0),
    (0.0, 1.0, -9.0, -3.0),
    (1.0, 0.5, -np.inf, 0.0),
    (1.0, 0.5, 0.0, np.inf),
    (5.0, 1.0, -1.0, 1.0),
]


@pytest.mark.parametrize("bounds", BOUNDS, ids=str)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_normal_numbers_between_bounds_are_tensorflow_s(dtype: str, bounds: tuple[float, ...]) -> None:
    given = [np.array(each, dtype) for each in bounds]
    theirs = tensorflow.random.stateless_parameterized_truncated_normal([60], [1, 2], *given).numpy()
    np.testing.assert_allclose(_drawn(*given, scrambled((1, 2)), (60,), dtype), theirs, rtol=2e-6, strict=True)


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        ((0.0, -1.0, -2.0, 2.0), "no normal distribution with deviation -1.0"),
        ((0.0, 1.0, 2.0, 2.0), "lies between 2.0 and 2.0"),
        ((0.0, 1.0, -np.inf, np.inf), "between -inf and inf"),
        ((np.nan, 1.0, -2.0, 2.0), "1000 tries"),
    ],
)
def test_impossible_bounds(bounds: tuple[float, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tf.random.stateless_parameterized_truncated_normal([3], [1, 2], *bounds)
    with pytest.raises(tensorflow.errors.OpError):
        tensorflow.random.stateless_parameterized_truncated_normal([3], [1, 2], *bounds)


def test_more_numbers_than_one_thread_draws_are_refused() -> None:
    with pytest.raises(OpError, match="number of threads"):
        tf.random.stateless_parameterized_truncated_normal([LARGEST + 1], [1, 2])
    with pytest.raises(OpError, match="`stddevs` is float32 where float64 is needed"):
        tf.random.stateless_parameterized_truncated_normal([2], [1, 2], tensor(np.array(0.0)))


def test_the_third_derivative_by_a_shape_is_refused() -> None:
    shape = tensor(np.array([2.0]))
    with GradientTape(persistent=True) as tape:
        tape.watch(shape)
        number = tf.random.stateless_gamma([1], [1, 2], shape, dtype=shape.dtype)
        first = tape.gradient(number, shape)
        second = tape.gradient(first, shape)
        with pytest.raises(OpError, match="third derivative"):
            tape.gradient(second, shape)
