"""Hand-written backwards, each with a mistake that people make: it is found where it was made, and nothing else is."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import wraps
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result

from gradcheck.asking import request
from gradcheck.casefile.load import load_file
from gradcheck.dtypes import Array
from gradcheck.engine.numpy_engine import NumpyEngine
from gradcheck.engines import Failure, Outcome, Request
from gradcheck.language import lower
from gradcheck.program import Program
from gradcheck.reference.worker import ReferenceWorker
from gradcheck.session import compare_cases
from gradcheck.subjects import RuleEngine
from gradcheck.verdict.judge import judge
from gradcheck.verdict.record import Verdict
from gradcheck.verdict.tolerance import allowance
from gradcheck.verdict.whole import Explanation, explain_whole
from tests.verdict.layers import (
    LAYER_NORM,
    LAYERS,
    LINEAR,
    THRICE,
    Function,
    activated,
    batched,
    complex_product,
    embedding,
    identity,
    layer_norm,
    linear,
    mean,
    overwritten,
    sigmoid,
    thrice,
    through_attention,
    through_cross_entropy,
    through_gelu,
    through_layer_norm,
    through_network,
)

Command = Callable[..., Result]
Write = Callable[[str], Path]
Cause = tuple[str | None, str | None, int | None, int | None]
"""The kind of slip, and the operation, argument and line that are accused."""


def compared(write: Write, case: str, forward: Function, backward: Function) -> tuple[Verdict, Explanation]:
    """The verdict on a hand-written backward, with our own engine in the reference's place, and its explanation."""
    loaded = load_file(write(case))
    assert not loaded.errors
    (checked,) = loaded.cases
    lowered = lower(checked)
    asked = request(lowered)
    found = RuleEngine(forward=forward, backward=backward).run(asked)
    assert isinstance(found, Outcome), found
    result = judge(lowered, ("rule", "reference"), found, NumpyEngine().run(asked), [allowance(asked)])
    assert result.verdict is not None
    return result.verdict, explain_whole(asked, result.comparisons, checked.tolerance)


def causes(explanation: Explanation) -> list[Cause]:
    found: list[Cause] = []
    for each in explanation.accounts:
        instruction = each.blame.instruction if each.blame else None
        line = instruction.span.line if instruction and instruction.span else None
        argument = each.blame.argument if each.blame else None
        found.append((each.slip, instruction.op.name if instruction else None, argument, line))
    return found


@pytest.mark.parametrize("layer", LAYERS)
def test_the_right_backward_agrees_and_nothing_is_explained(write: Write, layer: str) -> None:
    verdict, explanation = compared(write, *LAYERS[layer][:2], LAYERS[layer].backward())
    assert verdict is Verdict.AGREE
    assert not explanation.accounts


SIGMOID_TWICE = activated(slope=lambda z, y: sigmoid(y) * (1 - sigmoid(y)))
MISTAKES: dict[str, tuple[str, Function, list[Cause]]] = {
    "a bias without its sum": (
        "linear",
        linear(lambda dx, dw, db, dy: (dx, dw, dy)),
        [("missing-sum", "tf.add", 1, 5)],
    ),
    "a mean for a sum": ("linear", linear(lambda dx, dw, db, dy: (dx, dw, db / 4)), [("mean-for-sum", "tf.add", 1, 5)]),
    "a wrong sign": ("linear", linear(lambda dx, dw, db, dy: (dx, -dw, db)), [("sign", "tf.matmul", 1, 5)]),
    "None": ("linear", linear(lambda dx, dw, db, dy: (None, dw, db)), [("not-connected", "tf.matmul", 0, 5)]),
    "all divided by the batch": (
        "linear",
        linear(lambda dx, dw, db, dy: (dx / 4, dw / 4, db / 4)),
        [("factor", None, None, None)],
    ),
    "gradients in the wrong order, told by their shapes": (
        "linear",
        linear(lambda dx, dw, db, dy: (dw, dx, db)),
        [("exchanged", None, None, None)],
    ),
    "gradients in the wrong order": (
        "activated",
        activated(change=lambda dx, dw: (dw, dx)),
        [("exchanged", None, None, None)],
    ),
    "one gradient twice": ("activated", activated(change=lambda dx, dw: (dx, dx)), [("exchanged", None, None, None)]),
    "the sigmoid of its output": ("activated", SIGMOID_TWICE, [("at-output", "tf.sigmoid", 0, 6)]),
    "no derivative of the sigmoid": (
        "activated",
        activated(slope=lambda z, y: 1),
        [("missing-derivative", "tf.sigmoid", 0, 6)],
    ),
    "no transpose": ("activated", activated(other=identity), [("no-transpose", "tf.matmul", 0, 5)]),
    "a gradient transposed": (
        "activated",
        activated(change=lambda dx, dw: (dx, dw.T)),
        [("transposed", "tf.matmul", 1, 5)],
    ),
    "zeros": ("activated", activated(change=lambda dx, dw: (dx, 0 * dw)), [("zeros", None, None, None)]),
    "layer norm, the variance held constant": (
        "layer_norm",
        through_layer_norm(variance_term=np.zeros_like),
        [("left-out", "tf.square", 0, 7)],
    ),
    "layer norm, the mean held constant": (
        "layer_norm",
        through_layer_norm(mean_term=np.zeros_like),
        [("left-out", "tf.reduce_mean", 0, 6)],
    ),
    "layer norm, both held constant": (
        "layer_norm",
        through_layer_norm(np.zeros_like, np.zeros_like),
        [("left-out", "tf.reduce_mean", 0, 6)],
    ),
    "layer norm, a sum in the variance": (
        "layer_norm",
        through_layer_norm(variance_term=lambda each: 10 * mean(each)),
        [("sum-for-mean", "tf.reduce_mean", 0, 7)],
    ),
    "layer norm, a gain from what is not yet normalised": (
        "layer_norm",
        through_layer_norm(scale=lambda d, r: d),
        [("other-value", "tf.multiply", 1, 9)],
    ),
    "cross-entropy, a sum for the mean": (
        "cross_entropy",
        through_cross_entropy(4),
        [("sum-for-mean", "tf.reduce_mean", 0, 6)],
    ),
    "cross-entropy, the cotangent ignored": (
        "cross_entropy",
        through_cross_entropy(use=np.ones_like),
        [("missing-chain", None, None, None)],
    ),
    "attention, no scale": ("attention", through_attention(scale=1.0), [("missing-derivative", "tf.truediv", 0, 7)]),
    "attention, softmax element by element": (
        "attention",
        through_attention(inner=lambda p, dp: p * (1 - p) * dp),
        [("diagonal", "tf.nn.softmax", 0, 9)],
    ),
    "attention, softmax without its second term": (
        "attention",
        through_attention(inner=lambda p, dp: p * dp),
        [("slope", "tf.nn.softmax", 0, 9)],
    ),
    "a full transpose": ("batched", batched(right=np.transpose), [("full-transpose", "tf.matmul", 0, 4)]),
    "two full transposes": (
        "batched",
        batched(np.transpose, np.transpose),
        [("full-transpose", "tf.matmul", 0, 4), ("full-transpose", "tf.matmul", 1, 4)],
    ),
    "GELU, an inner factor": ("gelu", through_gelu(root=1.0), [("missing-derivative", "tf.multiply", 1, 3)]),
    "GELU, no cubic term": ("gelu", through_gelu(cubic=0.0), [("left-out", "tf.math.pow", 0, 3)]),
    "GELU, no derivative of tanh": (
        "gelu",
        through_gelu(slope=np.ones_like),
        [("missing-derivative", "tf.tanh", 0, 4)],
    ),
    "GELU, twice": ("gelu", through_gelu(whole=2.0), [("factor", None, None, None)]),
    "rows overwritten": ("embedding", embedding(overwritten), [("overwritten", "tf.gather", 0, 6)]),
    "a square without its 2": ("network", through_network(factor=1 / 16), [("factor", "tf.math.pow", 0, 11)]),
    "no relu": ("network", through_network(kept=np.ones_like), [("missing-derivative", "tf.nn.relu", 0, 9)]),
    "a value from before the relu": (
        "network",
        through_network(hidden=identity),
        [("other-value", "tf.matmul", 1, 10)],
    ),
    "no conjugate of a derivative": ("complex", complex_product(slope=np.cos), [("conjugate-operand", "tf.sin", 0, 5)]),
    "no conjugate of the operands": (
        "complex",
        complex_product(turned=np.transpose),
        [("conjugate-operand", "tf.matmul", 0, 5), ("conjugate-operand", "tf.matmul", 1, 5)],
    ),
    "one of three contributions lost": ("thrice", thrice(lambda a, b, c: a + b), [("left-out", "tf.square", 0, 4)]),
    "only one of three contributions": ("thrice", thrice(lambda a, b, c: b), [("fan-out", "tf.multiply", 0, 4)]),
}


@pytest.mark.parametrize(("layer", "backward", "expected"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_found_where_it_was_made(
    write: Write, layer: str, backward: Function, expected: list[Cause]
) -> None:
    verdict, explanation = compared(write, *LAYERS[layer][:2], backward)
    assert verdict in (Verdict.MISMATCH, Verdict.DISCONNECTED)
    assert causes(explanation) == expected


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("layer", LAYERS)
def test_a_gradient_that_is_just_wrong_accuses_nothing(write: Write, layer: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    right = LAYERS[layer].backward()

    def off(each: Array) -> Array:
        return each * (1 + 0.5 * rng.standard_normal(each.shape)) + 0.1 * rng.standard_normal(each.shape)

    @wraps(right)
    def backward(**arguments: Array) -> Any:
        found = right(**arguments)
        if isinstance(found, dict):
            return {name: off(each) for name, each in found.items()}
        return tuple(map(off, found)) if isinstance(found, tuple) else off(found)

    verdict, explanation = compared(write, *LAYERS[layer][:2], backward)
    assert verdict is Verdict.MISMATCH
    assert [each.blame for each in explanation.accounts] == [None]
    assert [each.slip for each in explanation.accounts] == [None]
    assert "no usual slip explains" in explanation.accounts[0].sentence


def test_a_second_mistake_that_is_none_of_the_usual_ones_keeps_the_first_from_being_told(write: Write) -> None:
    noise = np.random.default_rng(0).standard_normal((3, 2)).astype(np.float32)
    _, explanation = compared(write, *LAYERS["linear"][:2], linear(lambda dx, dw, db, dy: (-dx, dw + noise, db)))
    assert causes(explanation) == [(None, None, None, None)]
    assert explanation.accounts[0].sentence == (
        "its gradients with respect to `x` and `w` are wrong; no usual slip explains them"
    )


def test_all_places_that_give_the_same_numbers_are_named(write: Write) -> None:
    _, explanation = compared(write, *LAYERS["layer_norm"][:2], through_layer_norm(variance_term=np.zeros_like))
    (account,) = explanation.accounts
    assert account.sentence == (
        "its gradient with respect to `x` is what comes out if the contribution of `tf.square` (line 7) to `d` is left "
        "out"
    )
    assert explanation.note == (
        "the same numbers come out if the contribution of `tf.reduce_mean` (line 7) to what `tf.square` (line 7) gives "
        "is left out, the contribution of `tf.add` (line 8) to `v` is left out or in 2 more ways"
    )


def test_a_composition_is_named_with_its_part(write: Write) -> None:
    case = LAYER_NORM.partition("expr")[0] + (
        "expr: |\n  m, v = tf.nn.moments(x, [-1], keepdims=True)\n"
        "  tf.nn.batch_normalization(x, m, v, beta, gamma, 1e-5)\n"
    )
    _, explanation = compared(write, case, layer_norm, through_layer_norm(mean_term=np.zeros_like))
    assert "`tf.reduce_mean` in `tf.nn.moments` (line 6) to `x` is left out" in explanation.accounts[0].sentence


OUTPUTS: dict[str, tuple[str, Function, Cause, str]] = {
    "an operation is missing at the end": (
        "linear",
        lambda x, w, b: x @ w,
        ("stops-early", "tf.add", None, 5),
        "its output is what `tf.matmul` (line 5) gives: `tf.add` (line 5) is missing",
    ),
    "several operations are missing": (
        "network",
        lambda x, target, w1, b1, w2: np.maximum(x @ w1 + b1, 0) @ w2 - target,
        ("stops-early", "tf.math.pow", None, 11),
        "its output is `e`: `tf.math.pow` (line 11) and what comes after it are missing",
    ),
    "an operation is missing in between": (
        "network",
        lambda x, target, w1, b1, w2: (((x @ w1 + b1) @ w2 - target) ** 2).mean(),
        ("left-out", "tf.nn.relu", None, 9),
        "its output is what comes out without `tf.nn.relu` (line 9)",
    ),
    "a sign": ("linear", lambda x, w, b: -(x @ w + b), ("sign", None, None, None), "its output has the wrong sign"),
    "a factor": (
        "linear",
        lambda x, w, b: 2 * (x @ w + b),
        ("factor", None, None, None),
        "its output is 2 times too large",
    ),
    "another function": (
        "linear",
        lambda x, w, b: np.sin(x @ w + b),
        (None, None, None, None),
        "its output is wrong; no usual slip explains it",
    ),
}


@pytest.mark.parametrize(("layer", "forward", "expected", "sentence"), OUTPUTS.values(), ids=OUTPUTS)
def test_a_wrong_output_is_told_by_what_it_is(
    write: Write, layer: str, forward: Function, expected: Cause, sentence: str
) -> None:
    _, explanation = compared(write, LAYERS[layer].case, forward, LAYERS[layer].backward())
    assert causes(explanation) == [expected]
    assert explanation.accounts[0].sentence == sentence


@dataclass(frozen=True)
class Forgetful:
    """An engine whose operations are right, and whose walk loses a contribution in a program as long as a case."""

    forgetting: Program
    name: str = "forgetful"

    def run(self, request: Request) -> Outcome | Failure:
        whole = all(each.span is not None for each in request.program.instructions)
        return NumpyEngine().run(replace(request, program=self.forgetting) if whole else request)


def test_what_a_walk_loses_is_told_without_accusing_an_operation(write: Write, reference: ReferenceWorker) -> None:
    (case,) = load_file(write(THRICE)).cases
    (other,) = load_file(write(THRICE.replace("tf.square(y)", "tf.square(tf.stop_gradient(y))"))).cases
    subject = Forgetful(lower(other).program)
    (result,) = compare_cases([case], subject, reference)
    assert result.diagnosis is not None
    assert result.diagnosis.accused == ()
    assert "every operation and every sum at a fan-out is right by itself" in result.diagnosis.sentence
    assert result.diagnosis.note == (
        "its gradient with respect to `x` is what comes out if the contribution of `tf.square` (line 4) to `y` is left "
        "out"
    )


def test_what_would_be_as_true_of_every_reader_accuses_none(write: Write) -> None:
    """Only the last element is wrong: where three operations contribute to it, that is no finding about one of them."""
    last = np.array([1.0, 1.0, 1.0, 1.7], np.float32)

    def backward(x: Array, dy: Array) -> Any:
        return last * dy * (np.exp(x) + 3 + 2 * x)

    case = THRICE.replace("y = tf.sin(x)", "y = x")
    _, explanation = compared(write, case, lambda x: np.exp(x) + 3 * x + x * x, backward)
    assert causes(explanation) == [(None, None, None, None)]


def test_an_expression_that_is_too_long_is_said_to_be(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradcheck.verdict.whole.MOST_SEARCHED", 2)
    _, explanation = compared(write, *LAYERS["thrice"][:2], thrice(lambda a, b, c: a + b))
    assert causes(explanation) == [(None, None, None, None)]
    assert explanation.note == "the expression is too long to try a mistake at each of its operations"


ENGINE = """\
import numpy as np

def forward(x, w, b):
    return x @ w + b

def backward(x, w, b, dy):
    return dy @ w.T, x.T @ dy, dy.mean(0)
"""


def test_the_command_shows_the_line_that_a_rule_is_wrong_about(command: Command, write: Write, tmp_path: Path) -> None:
    engine = tmp_path / "layer.py"
    engine.write_text(ENGINE, encoding="utf-8")
    result = command("compare", write(LINEAR), "--engine", engine, "--report", "json")
    assert result.exit_code == 1
    (case,) = json.loads(result.stdout)["cases"]
    (accused,) = case["diagnosis"]["accused"]
    assert case["diagnosis"]["sentence"] == (
        "layer is wrong: its gradient with respect to `b` is what comes out if the gradient of `tf.add` (line 5) with "
        "respect to its second argument is n = 4 times too small: a mean where a sum belongs"
    )
    assert (accused["operation"], accused["argument"], accused["line"], accused["slip"]) == (
        "tf.add",
        1,
        5,
        "mean-for-sum",
    )


def test_the_command_says_that_a_right_rule_is_right(command: Command, write: Write, tmp_path: Path) -> None:
    engine = tmp_path / "layer.py"
    engine.write_text(ENGINE.replace("mean", "sum"), encoding="utf-8")
    result = command("compare", write(LINEAR), "--engine", engine, "--blame", "--report", "json")
    assert result.exit_code == 0
    (case,) = json.loads(result.stdout)["cases"]
    assert case["diagnosis"]["sentence"] == "it runs this program as a whole, and that is right"
