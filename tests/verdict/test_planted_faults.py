"""Wrong rules, run through the whole command: exit status 1, and the right variables named."""

import json
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from gradcheck.engine import reverse
from gradcheck.ops import find_op, tf
from gradcheck.ops.declaration import Rule, substituted
from gradcheck.tensors import Tensor

Command = Callable[..., Result]
Write = Callable[[str], Path]

MATMUL_CHAIN = """\
inputs:
  x: [[[1.0, 1.0], [2.0, 3.0]], [[4.0, 5.0], [6.0, 7.0]]]
  y: [[3.0, -7.0], [-1.0, 5.0]]
  z: [[[1, 1], [2.0, 2]], [[3, 3], [-1, -1]]]
expr: x @ y @ z
"""


@contextmanager
def rules(name: str, *vjp: Rule | None) -> Iterator[None]:
    """The operation `name` with other rules."""
    with substituted(replace(find_op(name), vjp=vjp)):
        yield


def wrong_gradients(result: Result) -> dict[str, Any]:
    """The gradients that the command found wrong under the case's own cotangents, with our values."""
    (case,) = json.loads(result.stdout)["cases"]
    return {
        each["variable"]: each["values"][0] and each["values"][0]["elements"]
        for each in case["comparisons"]
        if each["verdict"] in ("mismatch", "disconnected") and each["cotangent"] == "ones"
    }


def wrong_under_any_cotangent(result: Result) -> set[str]:
    (case,) = json.loads(result.stdout)["cases"]
    bad = [each for each in case["comparisons"] if each["verdict"] in ("mismatch", "disconnected")]
    return {each["variable"] for each in bad}


def full_transpose_a(g: Tensor, y: Tensor, a: Tensor, b: Tensor, **_: bool) -> Tensor:
    product: Tensor = tf.matmul(g, tf.transpose(b))
    return product


def full_transpose_b(g: Tensor, y: Tensor, a: Tensor, b: Tensor, **_: bool) -> Tensor:
    product: Tensor = tf.matmul(tf.transpose(a), g)
    return product


def test_without_a_fault_the_cases_of_this_file_agree(command: Command, write: Write) -> None:
    for text in (MATMUL_CHAIN, BROADCAST, FAN_OUT, DIAMOND, SUBTRACTION, SUM_OF_ROWS, SQUARES):
        assert command("compare", write(text)).exit_code == 0


def test_a_batched_matmul_that_transposes_all_axes(command: Command, write: Write) -> None:
    """The wrong numbers are those that people report for this case."""
    with rules("tf.matmul", full_transpose_a, full_transpose_b):
        result = command("compare", write(MATMUL_CHAIN), "--report", "json")
    assert result.exit_code == 1
    assert wrong_gradients(result) == {
        "x": [[[-5, 7], [-5, 7]], [[-5, 7], [-5, 7]]],
        "y": [[33, 22], [54, 36]],
        "z": [[[9, 9], [14, 14]], [[-5, -5], [-6, -6]]],
    }


BROADCAST = """\
inputs:
  x: [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
  row: [1.0, -1.0, 2.0]
  column: [[1.0], [2.0]]
expr: (x + column) * row
"""


def test_an_unbroadcast_that_forgets_axes_of_size_1(
    command: Command, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    def leading_axes_only(part: Tensor, shape: Sequence[int]) -> Tensor:
        extra = part.ndim - len(shape)
        summed: Tensor = tf.reduce_sum(part, axis=list(range(extra))) if extra else part
        return summed[:, :1] if summed.ndim == 2 and tuple(shape) == (2, 1) else summed  # type: ignore[index]

    monkeypatch.setattr(reverse, "unbroadcast", leading_axes_only)
    result = command("compare", write(BROADCAST), "--report", "json")
    assert result.exit_code == 1
    assert wrong_gradients(result) == {"column": [[1], [1]]}  # the sum over the row is [[2], [2]]


FAN_OUT = """\
inputs:
  x: [1.0, 2.0]
  y: [3.0, 4.0]
expr: x * y + x * x
"""


def test_contributions_overwritten_at_a_fan_out(
    command: Command, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overwrite(cotangents: dict[int, Tensor], tensor: Tensor, part: Tensor, _trail: object) -> None:
        cotangents[tensor.key] = part

    monkeypatch.setattr(reverse, "_contribute", overwrite)
    result = command("compare", write(FAN_OUT), "--report", "json")
    assert result.exit_code == 1
    assert set(wrong_gradients(result)) == {"x"}


DIAMOND = """\
inputs:
  x: 3.0
  y: 5.0
expr: |
  a = x * x
  b = a * y
  c = b + a
  c * a
"""


def breadth_first(
    records: Sequence[reverse.Record], seeds: Any, sources: Sequence[Tensor], _trail: object = None
) -> list[Tensor | None]:
    """A queue from the target, which visits a value before all that it feeds have been visited, and so too early."""
    makers = {output.key: record for record in records for output in record.outputs}
    cotangents = {target.key: seed for target, seed in seeds}
    everything = {tensor.key for record in records for tensor in (*record.inputs, *record.outputs)}
    queue, visited = deque(cotangents), set()
    while queue:
        key = queue.popleft()
        if key in visited or key not in makers:
            continue
        visited.add(key)
        record = makers[key]
        for tensor, part in zip(record.inputs, reverse._parts(record, [cotangents[key]], everything), strict=True):
            if part is not None:
                cotangents[tensor.key] = cotangents[tensor.key] + part if tensor.key in cotangents else part
                queue.append(tensor.key)
    return [cotangents.get(source.key) for source in sources]


def test_a_breadth_first_walk(command: Command, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradcheck.engine.differentiate.walk", breadth_first)
    result = command("compare", write(DIAMOND), "--report", "json")
    assert result.exit_code == 1
    assert set(wrong_gradients(result)) == {"x"}


SUBTRACTION = """\
inputs:
  x: [1.0, 2.0]
  y: [3.0, 5.0]
expr: (x - y) ** 2.0
"""


def test_a_subtraction_reversed(command: Command, write: Write) -> None:
    with rules("tf.subtract", lambda g, z, x, y: -g, lambda g, z, x, y: g):
        result = command("compare", write(SUBTRACTION), "--report", "json")
    assert result.exit_code == 1
    assert wrong_gradients(result) == {"x": [4, 6], "y": [-4, -6]}


SUM_OF_ROWS = """\
inputs:
  x: [[1.0, 2.0], [3.0, 4.0]]
expr: tf.reduce_sum(x * x, axis=0) * [1.0, 10.0]
"""


def test_a_sum_along_the_wrong_axis(command: Command, write: Write) -> None:
    def along_the_other_axis(g: Tensor, y: Tensor, x: Tensor, **_: Any) -> Tensor:
        repeated: Tensor = tf.broadcast_to(g[:, None], x.shape)  # type: ignore[index]
        return repeated

    with rules("tf.reduce_sum", along_the_other_axis):
        result = command("compare", write(SUM_OF_ROWS), "--report", "json")
    assert result.exit_code == 1
    assert wrong_gradients(result) == {"x": [[2, 4], [60, 80]]}


SQUARES = """\
inputs:
  x: [1.0, 2.0]
expr: tf.square(x)
"""


@pytest.mark.parametrize(
    ("fault", "values"),
    [
        (lambda g, y, x: g * x, [1, 2]),  # a factor
        (lambda g, y, x: -2 * g * x, [-2, -4]),  # a sign
        (lambda g, y, x: 2 * x, None),  # the cotangent ignored: ones do not show it, seeded ones do
    ],
)
def test_a_factor_a_sign_a_missing_cotangent(
    command: Command, write: Write, fault: Rule, values: list[float] | None
) -> None:
    with rules("tf.square", fault):
        result = command("compare", write(SQUARES), "--report", "json")
    assert result.exit_code == 1
    assert wrong_gradients(result).get("x") == values
    assert wrong_under_any_cotangent(result) == {"x"}


def test_a_gradient_that_should_be_there_is_not(command: Command, write: Write) -> None:
    with rules("tf.square", None):
        result = command("compare", write(SQUARES), "--report", "json")
    assert result.exit_code == 1
    assert wrong_gradients(result) == {"x": None}


def test_a_wrong_forward_value(command: Command, write: Write) -> None:
    with substituted(replace(find_op("tf.square"), forward=lambda x: x * x + 1)):
        result = command("compare", write(SQUARES), "--report", "json")
    assert result.exit_code == 1
    assert wrong_under_any_cotangent(result) == {"output"}
