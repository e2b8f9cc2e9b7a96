"""`assert_gradients`, with TensorFlow: what passes, what is said of what does not."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradcheck import assert_gradients, sides, tensor, tf
from gradcheck.reference.worker import ReferenceWorker
from gradcheck.tensors import Tensor
from tests.conftest import Shared
from tests.verdict.test_planted_faults import rules


@pytest.fixture(autouse=True)
def _shared(reference: ReferenceWorker, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("GRADCHECK_CACHE", str(tmp_path))
    monkeypatch.setattr("gradcheck.reference.worker.ReferenceWorker", Shared(reference))
    sides.stop()
    yield
    sides.stop()


def layer(x: Tensor, w: Tensor) -> Any:
    return tf.reduce_sum(tf.tanh(x @ w) ** 2, axis=0)


X, W = np.arange(6.0).reshape(2, 3), [[0.5], [-1.0], [0.25]]


@pytest.mark.parametrize(
    ("function", "inputs", "options"),
    [
        (layer, (X, np.array(W)), {}),
        (layer, (X.astype(np.float32), W), {"wrt": "w"}),
        (layer, (tensor(X), tensor(np.array(W))), {"wrt": ["w", "x"]}),
        (lambda *xs: [xs[0] * xs[1], tf.reduce_sum(xs[1])], (X, X), {"wrt": "xs[1]"}),
        (lambda x, i: tf.gather(x, i), (X, [1, 1, 0]), {}),
        (lambda x, /: x * tf.math.conj(x), (np.array([1 + 2j, 3j]),), {}),
        (lambda x: tf.exp(x), (1.0,), {"rtol": 1e-6}),
    ],
)
def test_what_agrees(function: Callable[..., Any], inputs: tuple[Any, ...], options: dict[str, Any]) -> None:
    assert_gradients(function, *inputs, **options)


def test_what_is_said_of_a_wrong_rule() -> None:
    with rules("tf.tanh", lambda g, y, x: -g * (1 - y * y)), pytest.raises(AssertionError) as raised:
        assert_gradients(layer, X, np.array(W))
    first, second = str(raised.value).splitlines()
    assert first == "layer: mismatch: numpy is wrong: the gradient of `tf.tanh` has the wrong sign"
    assert second.startswith("the gradient with respect to `x` at [0, 1]: numpy -0.72686198")


def test_a_tolerance_stands_in_the_place_of_the_bound() -> None:
    with rules("tf.tanh", lambda g, y, x: g * (1 - y * y) * 1.001):
        assert_gradients(layer, X, np.array(W), rtol=0.01)
        with pytest.raises(AssertionError, match="mismatch"):
            assert_gradients(layer, X, np.array(W))


def test_what_cannot_be_compared_is_no_disagreement() -> None:
    with pytest.raises(RuntimeError, match="error: numpy: Singular matrix"):
        assert_gradients(lambda x: tf.linalg.inv(x), np.ones((2, 2)))


@pytest.mark.parametrize(
    ("function", "inputs", "options", "kind", "words"),
    [
        (layer, (X, np.array(W)), {"wrt": "y"}, ValueError, "'y' is not a floating or complex input of layer"),
        (lambda i: i, (1,), {}, ValueError, "has no floating or complex input to differentiate by"),
        (layer, (X,), {}, TypeError, "missing a required argument: 'w'"),
        (lambda x: 3, (1.0,), {}, TypeError, "gives 3, not a tensor or a list of tensors"),
        (lambda x: [x, None], (1.0,), {}, TypeError, "not a tensor or a list of tensors"),
    ],
)
def test_mistakes_of_the_caller(
    function: Callable[..., Any], inputs: tuple[Any, ...], options: dict[str, Any], kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind, match=words):
        assert_gradients(function, *inputs, **options)


def test_a_script_that_is_read_by_the_new_process_is_told_so(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "from gradcheck import assert_gradients, tf\nassert_gradients(tf.tanh, 1.0)\n",
        encoding="utf-8",
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "RuntimeError: TensorFlow cannot be started: a script calls `assert_gradients` under "
        "`if __name__ == '__main__':`, as it starts a process"
    )
