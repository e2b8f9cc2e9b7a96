"""Activations, softmax, normalisation and losses at kinks, far out, and where they refuse."""

import math

import numpy as np
import pytest
import tensorflow

from gradcheck import GradientTape, tensor
from gradcheck.ops import OPS, OpError, find_op, tf
from tests.ops.points import assert_same_orders, ours, theirs

NAN, INF = math.nan, math.inf
EVERYWHERE = [-INF, -1000.0, -20.0, -1.0, -1e-9, -0.0, 0.0, 1e-9, 1.0, 6.0, 1000.0, INF, NAN]
ACTIVATIONS = {
    "tf.nn.relu": {},
    "tf.nn.relu6": {},
    "tf.nn.leaky_relu": {"alpha": 0.1},
    "tf.nn.elu": {},
    "tf.nn.selu": {},
    "tf.nn.crelu": {},
    "tf.nn.gelu": {"approximate": False},
    "tf.nn.silu": {},
    "tf.nn.softplus": {},
}


@pytest.mark.parametrize("cotangent", [1.0, 0.0])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_at_special_points(name: str, cotangent: float) -> None:
    for point in EVERYWHERE:
        assert_same_orders(name, [point], cotangent=cotangent, **ACTIVATIONS[name])


def test_approximate_gelu_at_special_points() -> None:
    for point in EVERYWHERE:
        assert_same_orders("tf.nn.gelu", [point], approximate=True, order=1)


def test_softsign_at_special_points() -> None:
    # At 0 among them; TensorFlow cannot differentiate it twice.
    x = np.array(EVERYWHERE)
    w = tensorflow.constant(x)
    with tensorflow.GradientTape() as tape:
        tape.watch(w)
        y = tensorflow.nn.softsign(w)
    mine = ours("tf.nn.softsign", [x], 1.0, {})
    np.testing.assert_allclose(mine.value, y.numpy(), rtol=1e-15)
    np.testing.assert_allclose(mine.first[0], tape.gradient(y, w).numpy(), rtol=1e-15)


def test_selu_takes_the_right_side_where_its_output_rounds_to_zero() -> None:
    assert_same_orders("tf.nn.selu", [-1e-17, -1e-15, -5e-324])


@pytest.mark.parametrize("alpha", [-0.5, 0.0, 1.0, 2.0])
def test_leaky_relu_for_any_slope(alpha: float) -> None:
    assert_same_orders("tf.nn.leaky_relu", [-1.0, 0.0, 1.0, NAN], alpha=alpha)


def test_the_slope_of_leaky_relu_is_a_float32() -> None:
    assert tf.nn.leaky_relu(np.array([-1.0])).numpy() == [-0.20000000298023224]


def test_second_gradients_of_piecewise_linear_activations_are_connected() -> None:
    for name in ("tf.nn.relu", "tf.nn.relu6", "tf.nn.leaky_relu"):
        mine = assert_same_orders(name, [-1.0, 0.0, 1.0])
        np.testing.assert_array_equal(mine.second[0], [0, 0, 0])


@pytest.mark.parametrize("name", ["tf.nn.softmax", "tf.nn.log_softmax"])
@pytest.mark.parametrize(
    "row",
    [[-INF, 0.0], [-INF, -INF], [1000.0, 0.0], [-1000.0, 1000.0], [INF, 0.0], [NAN, 0.0], [0.0], [2.0, 2.0]],
)
def test_softmax_at_special_rows(name: str, row: list[float]) -> None:
    assert_same_orders(name, [row], order=1)


@pytest.mark.parametrize("name", ["tf.nn.softmax", "tf.nn.log_softmax"])
def test_softmax_of_nothing(name: str) -> None:
    assert_same_orders(name, np.zeros((0, 3)), order=1)
    assert find_op(name)(np.zeros((2, 0))).shape == (2, 0)


def test_softmax_by_hand() -> None:
    # Jacobian diag(y) - y y^T at y = (1/2, 1/2).
    x = tensor(np.zeros(2))
    with GradientTape() as tape:
        tape.watch(x)
        y = tf.nn.softmax(x)
    np.testing.assert_array_equal(tape.gradient(y, x, output_gradients=np.array([1.0, 0.0])).numpy(), [0.25, -0.25])


@pytest.mark.parametrize(
    ("labels", "logits"),
    [
        ([[0.0, 1.0]], [[0.0, 0.0]]),
        ([[0.0, 3.0]], [[0.0, 0.0]]),  # does not sum to 1: the gradient is softmax - labels all the same
        ([[0.0, 1.0]], [[-INF, 0.0]]),
        ([[1.0, 0.0]], [[1000.0, -1000.0]]),
        ([[0.0, 0.0]], [[1.0, 2.0]]),
    ],
)
def test_cross_entropy_at_special_rows(labels: list[list[float]], logits: list[list[float]]) -> None:
    assert_same_orders("tf.nn.softmax_cross_entropy_with_logits", labels, logits, order=1)


def test_cross_entropy_remembers_the_labels_at_second_order() -> None:
    name = "tf.nn.softmax_cross_entropy_with_logits"
    assert "second order" in OPS[name].errata
    labels, logits = np.array([[0.2, 0.8]]), np.array([[0.3, 0.1]])

    def mixed(engine: object, op: object, labelled: object, z: object) -> np.ndarray:
        with engine() as outer:
            outer.watch([labelled, z])
            with engine() as inner:
                inner.watch([labelled, z])
                y = op(labels=labelled, logits=z)
            slope = inner.gradient(y, z)
            target = slope * slope
        return [each.numpy() for each in outer.gradient(target, [labelled, z])]

    for_labels, for_logits = mixed(GradientTape, find_op(name), tensor(labels), tensor(logits))
    loss = tensorflow.nn.softmax_cross_entropy_with_logits
    theirs_labels, theirs_logits = mixed(
        tensorflow.GradientTape, loss, tensorflow.constant(labels), tensorflow.constant(logits)
    )
    np.testing.assert_allclose(for_logits, theirs_logits, rtol=1e-12)
    share = 1 / (1 + math.exp(-0.2))
    np.testing.assert_allclose(for_labels, [[-2 * (share - 0.2), -2 * (1 - share - 0.8)]], rtol=1e-12)
    np.testing.assert_array_equal(theirs_labels, [[0, 0]])


def test_sigmoid_cross_entropy_far_out_and_at_zero() -> None:
    assert_same_orders("tf.nn.sigmoid_cross_entropy_with_logits", [1.0, 0.0, 0.5, 0.3], [0.0, -0.0, 1000.0, -1000.0])


def test_weighted_cross_entropy_far_out_and_at_zero() -> None:
    points = ([1.0, 0.0, 0.5, 0.3], [0.0, -0.0, 1000.0, -1000.0], 2.5)
    mine = assert_same_orders("tf.nn.weighted_cross_entropy_with_logits", *points)
    np.testing.assert_array_equal(mine.first[1][:2], [0, 1])  # 1 - labels, for slopes of 0 at the kinks


def test_poisson_loss_at_special_targets() -> None:
    points = ([0.0, 0.5, 1.0, 1.5, 2.0], [0.5] * 5)
    mine = assert_same_orders("tf.nn.log_poisson_loss", *points, compute_full_loss=True, order=1)
    assert math.isnan(mine.first[0][0])


def test_l2_normalize_at_zero_and_below_its_threshold() -> None:
    mine = assert_same_orders("tf.math.l2_normalize", [0.0, 0.0])
    np.testing.assert_allclose(mine.first[0], [1e6, 1e6])
    assert_same_orders("tf.math.l2_normalize", [1e-7, 1e-8])
    assert_same_orders("tf.math.l2_normalize", np.zeros(2, np.float16), order=1)


def test_moments_at_second_order() -> None:
    assert "second order" in OPS["tf.nn.moments"].errata
    x = np.array([1.0, 2.0, 6.0])
    z, w = tensor(x), tensorflow.constant(x)
    with GradientTape() as outer:
        outer.watch(z)
        with GradientTape() as inner:
            inner.watch(z)
            variance = tf.nn.moments(z, [0])[1]
        slope = inner.gradient(variance, z)
    np.testing.assert_allclose(slope.numpy(), [-4 / 3, -2 / 3, 2])
    np.testing.assert_allclose(outer.gradient(slope, z).numpy(), [0, 0, 0], atol=1e-15)
    with tensorflow.GradientTape() as outer:
        outer.watch(w)
        with tensorflow.GradientTape() as inner:
            inner.watch(w)
            variance = tensorflow.nn.moments(w, [0])[1]
        slope = inner.gradient(variance, w)
    np.testing.assert_allclose(outer.gradient(slope, w).numpy(), [2 / 3, 2 / 3, 2 / 3])


def test_moments_of_half_precision_do_not_overflow() -> None:
    mean, variance = tf.nn.moments(np.array([300.0, 301.0], np.float16), [0])
    assert (mean.numpy(), variance.numpy()) == (300.5, 0.25)


def test_gelu_of_float64_has_float32_constants() -> None:
    (point,) = ours("tf.nn.gelu", [np.array([0.7])], 1.0, {}).value
    assert point == pytest.approx(theirs("tf.nn.gelu", [np.array([0.7])], 1.0, {}).value[0], rel=1e-14)
    assert point != pytest.approx(0.7 * 0.5 * math.erfc(-0.7 / math.sqrt(2)), rel=1e-9)


MATRIX = np.ones((2, 3))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tf.nn.softmax(1.0), r"`axis` -1 is outside a tensor of rank 0"),
        (lambda: tf.nn.softmax(MATRIX, axis=2), r"`axis` 2 is outside a tensor of rank 2"),
        (lambda: tf.nn.bias_add([1.0], [1.0]), r"needs at least a matrix, not shape \[1\]"),
        (lambda: tf.nn.bias_add(MATRIX, [1.0]), r"3 channels of \[2, 3\] need a bias of shape \[3\], not \[1\]"),
        (lambda: tf.nn.bias_add(MATRIX, [1.0, 1.0], "CN"), "`data_format` is `N...C` or `NC...`, not 'CN'"),
        (
            lambda: tf.nn.softmax_cross_entropy_with_logits(MATRIX, MATRIX[:1]),
            r"`labels` and `logits` of one shape, not \[2, 3\] and \[1, 3\]",
        ),
        (lambda: tf.nn.softmax_cross_entropy_with_logits(MATRIX, MATRIX, -2), "`axis` -2 counts from the end"),
        (
            lambda: tf.nn.sparse_softmax_cross_entropy_with_logits([[0]], MATRIX),
            r"logits of shape \[2, 3\] need labels of shape \[2\], not \[1, 1\]",
        ),
        (lambda: tf.nn.sparse_softmax_cross_entropy_with_logits(0, 1.0), "a scalar has none"),
        (
            lambda: tf.nn.sparse_softmax_cross_entropy_with_logits(np.array([0, 1], np.uint8), MATRIX),
            "`labels` are int32 or int64, not uint8",
        ),
        (lambda: tf.nn.sigmoid_cross_entropy_with_logits(MATRIX), "needs both `labels` and `logits`"),
        (lambda: tf.nn.sigmoid_cross_entropy_with_logits(MATRIX, [1.0]), r"of one shape, not \[2, 3\] and \[1\]"),
        (lambda: tf.nn.weighted_cross_entropy_with_logits(MATRIX, [1.0], 1.0), r"not \[2, 3\] and \[1\]"),
        (lambda: tf.nn.log_poisson_loss(MATRIX, [1.0]), r"`targets` and `log_input` of one shape"),
        (lambda: tf.nn.silu(MATRIX, [1.0, 2.0]), r"needs a scalar as `beta`, not shape \[2\]"),
        (lambda: tf.math.l2_normalize(MATRIX, axis=0, dim=1), "not both"),
        (lambda: tf.nn.moments(MATRIX, [2]), "outside a tensor of rank 2"),
    ],
)
def test_refused(call: object, message: str) -> None:
    with pytest.raises(OpError, match=message):
        call()


@pytest.mark.parametrize("label", [3, -1])
def test_a_label_outside_the_classes_is_refused_when_it_runs(label: int) -> None:
    with pytest.raises(ValueError, match=f"label {label} is outside the 3 classes of the logits"):
        tf.nn.sparse_softmax_cross_entropy_with_logits([0, label], MATRIX)
