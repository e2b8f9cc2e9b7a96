"""The loss over all alignments: against their enumeration, TensorFlow's kernels, and differences at three orders."""

from itertools import groupby, product
from typing import Any

import numpy as np
import pytest
import tensorflow

from gradcheck import GradientTape, tensor
from gradcheck.dtypes import Array
from gradcheck.engine.evaluate import evaluate
from gradcheck.engine.tracing import trace
from gradcheck.ops import tf
from gradcheck.ops.declaration import OpError
from tests.ops.support import differences, gradient_program

LABELS = {"two": [1, 2], "repeated": [1, 1], "mixed": [2, 1, 1], "one": [0]}


def _logits(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=shape)


def enumerated(x: Array, labels: list[int], *, merged: bool = True) -> float:
    """-log of the sum over every path of classes, the last of which is the blank, that spells the labels."""
    shares = np.exp(x) / np.exp(x).sum(1, keepdims=True)
    blank = x.shape[1] - 1
    total = 0.0
    for path in product(range(x.shape[1]), repeat=len(x)):
        spelled = [each for each, _ in groupby(path)] if merged else path
        if [each for each in spelled if each != blank] == labels:
            total += float(np.prod(shares[np.arange(len(x)), path]))
    return -np.log(total)


def _raw(x: Any, labels: list[list[int]], lasting: list[int], **flags: Any) -> Any:
    places = [[row, at] for row, each in enumerate(labels) for at in range(len(each))]
    return tf.raw_ops.CTCLoss(x, places, [label for row in labels for label in row], lasting, **flags)


@pytest.mark.parametrize("merged", [True, False])
@pytest.mark.parametrize("name", LABELS)
def test_is_the_sum_over_all_paths(name: str, merged: bool) -> None:
    x = _logits(5, 1, 4)
    loss, _ = _raw(tensor(x), [LABELS[name]], [5], ctc_merge_repeated=merged)
    np.testing.assert_allclose(loss.numpy(), [enumerated(x[:, 0], LABELS[name], merged=merged)], rtol=1e-13)


@pytest.mark.parametrize("name", LABELS)
@pytest.mark.parametrize("flags", [{}, {"preprocess_collapse_repeated": True}, {"ctc_merge_repeated": False}])
def test_the_raw_kernel_gives_the_same(name: str, flags: dict[str, bool]) -> None:
    x, labels = _logits(6, 2, 4).astype(np.float32), [LABELS[name], [2, 0]]
    places = [[row, at] for row, each in enumerate(labels) for at in range(len(each))]
    values = [label for row in labels for label in row]
    theirs = tensorflow.raw_ops.CTCLoss(
        inputs=x, labels_indices=places, labels_values=values, sequence_length=[6, 4], **flags
    )
    for one, other in zip(_raw(tensor(x), labels, [6, 4], **flags), theirs, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=2e-6, atol=2e-6)


@pytest.mark.parametrize("output", [0, 1])
@pytest.mark.parametrize("flags", [{}, {"ctc_merge_repeated": False}, {"ignore_longer_outputs_than_inputs": True}])
def test_derivatives_of_three_orders(output: int, flags: dict[str, bool]) -> None:
    labels, lasting = [[1, 1], [2, 0]], [5, 1 if "ignore_longer_outputs_than_inputs" in flags else 3]
    inputs = {"x": _logits(5, 2, 4)}
    program = trace(lambda x: tf.math.sin(_raw(x, labels, lasting, **flags)[output]), inputs)
    (value,) = evaluate(program, inputs)
    assert value is not None
    seed = _logits(*value.shape, seed=1)
    for order in range(3):
        gradients, seeds = gradient_program(program, ["x"])
        (found,) = evaluate(gradients, {**inputs, **seeds([seed])})
        (estimate,) = differences(program, inputs, ["x"], [seed])
        np.testing.assert_allclose(found, estimate, atol=1e-10, err_msg=f"order {order + 1}")
        program, inputs = gradients, {**inputs, **seeds([seed])}
        seed = _logits(5, 2, 4, seed=2 + order)


def test_repeated_labels_that_do_not_fit_have_an_infinite_loss() -> None:
    x = _logits(2, 2, 3).astype(np.float32)
    point = tensor(x)
    with GradientTape() as tape:
        tape.watch(point)
        loss, given = _raw(point, [[1, 1], [0]], [2, 2])
    source = tensorflow.constant(x)
    call = {"labels_indices": [[0, 0], [0, 1], [1, 0]], "labels_values": [1, 1, 0], "sequence_length": [2, 2]}
    with tensorflow.GradientTape() as theirs:
        theirs.watch(source)
        other = tensorflow.raw_ops.CTCLoss(inputs=source, **call)[0]
    expected = theirs.gradient(other, source).numpy()
    np.testing.assert_array_equal(loss.numpy() == np.inf, [True, False])
    np.testing.assert_allclose(tape.gradient(loss, point).numpy(), expected, atol=1e-6)
    np.testing.assert_allclose(given.numpy(), expected, atol=1e-6)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "blank": ({"labels": [[0, 1]]}, "the label 0 is the blank"),
    "class": ({"labels": [[1, 4]]}, "the label 4 is not one of 4 classes"),
    "rows": ({"labels": [[1, 2], [1, 2]]}, "1 sequences need as many rows of labels, not 2"),
    "rank": ({"labels": [1, 2]}, "takes a matrix of labels"),
    "length": ({"label_length": [2, 2]}, "`label_length` must have shape [1], not [2]"),
    "negative": ({"logit_length": [-1]}, "must not be negative"),
    "blank index": ({"blank_index": 4}, "`blank_index` 4 is not one of 4 classes"),
    "unique": ({"unique": [[1]]}, "`unique` only makes TensorFlow quicker"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_meaning_is_refused(name: str) -> None:
    changed, words = REFUSED[name]
    call = {"labels": [[1, 2]], "label_length": [2], "logit_length": [3], **changed}
    with pytest.raises(OpError) as refused:
        tf.nn.ctc_loss(logits=tensor(_logits(3, 1, 4).astype(np.float32)), **call)
    assert words in str(refused.value)


RAW_REFUSED: dict[str, tuple[list[list[int]], list[int], str]] = {
    "too many": ([[1, 2], [0]], [1, 3], "2 labels do not fit into 1 frames"),
    "none": ([[1], []], [3, 3], "the sequence 1 has no labels"),
    "blank": ([[3, 1], [0]], [3, 3], "the label 3 is the blank"),
    "frames": ([[1], [0]], [4, 3], "4 is more than 3 frames"),
}


@pytest.mark.parametrize("name", RAW_REFUSED)
def test_the_raw_operation_refuses_what_tensorflow_refuses(name: str) -> None:
    labels, lasting, words = RAW_REFUSED[name]
    x = _logits(3, 2, 4)
    with pytest.raises(OpError, match=words):
        _raw(tensor(x), labels, lasting)
    places = [[row, at] for row, each in enumerate(labels) for at in range(len(each))]
    values = [label for row in labels for label in row]
    with pytest.raises(tensorflow.errors.InvalidArgumentError):
        tensorflow.raw_ops.CTCLoss(inputs=x, labels_indices=places, labels_values=values, sequence_length=lasting)
