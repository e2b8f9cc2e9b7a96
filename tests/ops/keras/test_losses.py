"""The losses of Keras: labels of any dtype, the logits that it remembers, and what it refuses."""

from typing import Any

import numpy as np
import pytest
import tensorflow

from gradcheck import GradientTape, tensor
from gradcheck.ops import OpError, find_op, tf
from gradcheck.reference.tensorflow import REFUSALS, function
from tests.ops.calls import assert_same

P = np.array([[0.2, 0.5, 0.3], [0.6, 0.1, 0.9]])
LABELS = np.array([[0, 1, 0], [1, 0, 1]])
NAMES = [
    *("MSE", "MAE", "MAPE", "MSLE", "KLD", "poisson", "huber", "logcosh", "cosine_similarity", "dice", "tversky"),
    *("hinge", "squared_hinge", "categorical_hinge", "binary_crossentropy", "binary_focal_crossentropy"),
    *("categorical_crossentropy", "categorical_focal_crossentropy"),
]


@pytest.mark.parametrize("dtype", ["int32", "uint8", "bool", "float32", "float16"])
@pytest.mark.parametrize("name", NAMES)
def test_labels_become_predictions(name: str, dtype: str) -> None:
    labels = LABELS.astype(dtype)
    ours, theirs = (
        find_op(f"tf.keras.losses.{name}")(tensor(labels), tensor(P)),
        function(f"tf.keras.losses.{name}")(tensorflow.constant(labels), tensorflow.constant(P)),
    )
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-12, strict=True)


def test_gradient_has_the_dtype_of_the_labels() -> None:
    labels = tensor(P.astype(np.float32)[::-1])
    with GradientTape() as tape:
        tape.watch(labels)
        loss = tf.keras.losses.MSE(labels, tensor(P))
    found = tape.gradient(loss, labels)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.numpy(), (P[::-1] - P) * 2 / 3, rtol=1e-6)


def test_literal_labels_have_the_dtype_of_the_predictions() -> None:
    loss = tf.keras.losses.MSE([0.1], tensor(np.array([0.3])))
    assert loss.numpy() == (0.1 - 0.3) ** 2


LOSSES = {
    "binary": lambda tf, p: tf.keras.losses.binary_crossentropy(tf.constant(LABELS), p),
    "focal": lambda tf, p: tf.keras.losses.binary_focal_crossentropy(tf.constant(LABELS), p),
    "categorical": lambda tf, p: tf.keras.losses.categorical_crossentropy(tf.constant(LABELS), p),
    "sparse": lambda tf, p: tf.keras.losses.sparse_categorical_crossentropy(tf.constant([2, 0]), p),
}
SOURCES = {
    "sigmoid": lambda tf, x: tf.keras.activations.sigmoid(x),
    "softmax": lambda tf, x: tf.keras.activations.softmax(x),
    "computed": lambda tf, x: 1.0 * tf.keras.activations.softmax(x),
    "plain": lambda tf, x: tf.nn.softmax(x),
}


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("loss", LOSSES)
def test_logits_are_remembered(loss: str, source: str) -> None:
    """Eagerly and traced; far out, where clipping would leave no gradient."""

    def call(tf: Any, x: Any) -> Any:
        return LOSSES[loss](tf, SOURCES[source](tf, x))

    x = np.array([[-40.0, 1.0, 30.0], [0.5, 0.0, -0.25]])
    given = tensor(x)
    with GradientTape() as tape:
        tape.watch(given)
        ours = call(tf, given)
    with tensorflow.GradientTape() as other:
        watched = tensorflow.constant(x)
        other.watch(watched)
        theirs = call(tensorflow, watched)
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-12)
    expected = other.gradient(theirs, watched).numpy()
    np.testing.assert_allclose(tape.gradient(ours, given).numpy(), expected, rtol=1e-7, atol=1e-12)


@pytest.mark.parametrize(
    ("true", "pred"), [((2, 3, 1), (2, 3)), ((2, 3), (2, 3, 1)), ((3,), (3, 1)), ((3, 1), (3,)), ((3, 2), (2,))]
)
def test_ranks_are_made_equal(true: tuple, pred: tuple) -> None:
    rng = np.random.default_rng(1)
    assert_same(lambda tf, t, p: tf.keras.losses.MAE(t, p), rng.random(true).round(2), rng.random(pred).round(2) + 2)


@pytest.mark.parametrize(
    ("name", "arguments", "options"),
    [
        ("binary_crossentropy", ([1.0], [[0.5]]), {}),
        ("binary_crossentropy", ([1.0], [0.5]), {"axis": 2}),
        ("binary_crossentropy", ([1.0], [0.5]), {"label_smoothing": "much"}),
        ("categorical_crossentropy", ([1.0, 0.0], [0.5, 0.2, 0.3]), {}),
        ("categorical_crossentropy", (1.0, 0.5), {}),
        ("sparse_categorical_crossentropy", ([0, 1, 0], [[0.5, 0.5]]), {}),
        ("sparse_categorical_crossentropy", ([0], [[0.5, 0.5]]), {"axis": 0}),
        ("categorical_generalized_cross_entropy", ([0], 0.5, 0.5), {}),
        ("cosine_similarity", ([1.0], [1.0]), {"axis": 1}),
        ("ctc", ([1], [[[0.5, 0.25]]]), {}),
        ("MSE", (1.0, 2.0), {}),
        ("dice", ([1.0], [0.5]), {"axis": 3}),
    ],
)
def test_refusals(name: str, arguments: tuple, options: dict) -> None:
    """TensorFlow refuses the same calls."""
    with pytest.raises(OpError):
        find_op(f"tf.keras.losses.{name}")(*arguments, **options)
    tensors = [tensorflow.constant(each) if isinstance(each, (list, float)) else each for each in arguments]
    with pytest.raises((*REFUSALS, IndexError)):
        function(f"tf.keras.losses.{name}")(*tensors, **options)
