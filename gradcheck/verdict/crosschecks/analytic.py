"""The complex step: where a program is analytic, its derivative to full precision from one run off the real line.

f(x + ih) = f(x) + ih f'(x) + O(h^2), so that Im f(x + ih) / h is the derivative without any difference and without
any rule (Squire and Trapp 1998, Using complex variables to estimate derivatives of real functions).
"""

import math
import warnings
from collections.abc import Iterator, Mapping

import numpy as np

from gradcheck.dtypes import COMPLEXES, Array, is_complex
from gradcheck.engine.expand import expand
from gradcheck.engine.wide import WideExecutable, wider_than
from gradcheck.engines import Cotangents, Request
from gradcheck.program import Instruction, Program
from gradcheck.verdict.crosschecks.setting import Setting
from gradcheck.verdict.record import Comparison, CrossCheck
from gradcheck.verdict.referee.probes import REFUSED

STEPS = (2.0**-100, 2.0**-110)
"""Two steps, relative to the element, that must give the same: where they do not, an operation has left the real line
on the wrong side of a cut, or computes a small imaginary part by a difference."""
SAME = 2.0**-40

NOT_ANALYTIC = frozenset(
    {
        "tf.abs",
        "tf.cast",
        "tf.linalg.cholesky",
        "tf.linalg.qr",
        "tf.linalg.slogdet",
        "tf.math.angle",
        "tf.math.conj",
        "tf.math.count_nonzero",
        "tf.math.equal",
        "tf.math.imag",
        "tf.math.not_equal",
        "tf.math.real",
        "tf.math.reduce_euclidean_norm",
        "tf.math.squared_difference",
        "tf.math.zero_fraction",
        "tf.sign",
    }
)
"""The operations on complex numbers that are not analytic; those on real numbers alone are not taken off the line."""
CONJUGATING = ("adjoint", "adjoint_a", "adjoint_b", "conjugate")


def complex_step(setting: Setting) -> Iterator[CrossCheck]:
    """The worst element of the gradient, on each side, against the complex step."""
    elements = [(each.worst.used, each) for each in setting.derived if each.worst is not None]
    if not elements:
        return
    comparison = max(elements, key=lambda each: each[0])[1]
    assert comparison.worst is not None
    obstacle = _obstacle(setting.request, comparison.variable)
    if not math.isfinite(abs(comparison.worst.left)) and not math.isfinite(abs(comparison.worst.right)):
        obstacle = "the gradient is not finite on either side"
    if obstacle:
        yield CrossCheck("complex step", "", None, f"does not apply: {obstacle}")
        return
    expected = _derivative(setting.request, comparison, setting.cotangents)
    if expected is None:
        yield CrossCheck(
            "complex step", "", None, "does not apply: an operation leaves nothing of so small an imaginary part"
        )
        return
    worst, name = comparison.worst, f"d/d{comparison.variable}"
    where = f" at {list(worst.index)}" if worst.index else ""
    for side, value in zip(setting.sides, (worst.left.real, worst.right.real), strict=True):
        off = abs(value - expected)
        passed = off <= worst.allowed
        words = f"`{name}`{where} is {value:.9g}, the complex step gives {expected:.9g}: off by {off:.2g}"
        words += "" if passed else f", allowed {worst.allowed:.2g}"
        yield CrossCheck("complex step", side, passed, words, expected, value, worst.allowed)


def _obstacle(request: Request, source: str) -> str:
    """What stands in the way of the complex step by one source; empty if nothing does."""
    program = expand(request.program)
    if is_complex(request.inputs[source].dtype):
        return f"`{source}` is complex already"
    for each in _live(program, source):
        if not analytic(each):
            return f"`{each.op.name}` is not known to be analytic"
        if any(is_complex(program.types[index].dtype) for index in each.outputs):
            return f"`{each.op.name}` gives complex numbers"
    return ""


def analytic(instruction: Instruction) -> bool:
    """Whether an instruction is analytic in its operands and its forward takes complex ones."""
    op = instruction.op
    if op.phases or any(instruction.attributes.get(name) for name in CONJUGATING):
        return False
    return not set(COMPLEXES).isdisjoint(op.dtypes) and op.name not in NOT_ANALYTIC


def _live(program: Program, source: str) -> Iterator[Instruction]:
    """The instructions through which a derivative flows; none of what `tf.stop_gradient` holds."""
    reached = {program.inputs[source]}
    for each in program.instructions:
        if not reached.isdisjoint(each.inputs) and each.op.name != "tf.stop_gradient":
            reached.update(each.outputs)
            yield each


def _derivative(request: Request, comparison: Comparison, cotangents: Cotangents) -> float | None:
    """The derivative of the loss by the worst element; None where two steps disagree or a forward refuses."""
    assert comparison.worst is not None
    name, index = comparison.variable, comparison.worst.index
    wide = WideExecutable(request.program.pruned(), wider_than(request.inputs[name].dtype))
    size = float(abs(request.inputs[name][index])) or 1.0
    found = []
    for step in STEPS:
        moved = np.asarray(request.inputs[name]).astype(wide.complex)
        moved[index] += 1j * wide.real.type(step * size)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", np.exceptions.ComplexWarning)
                loss = _imaginary(wide, {**request.inputs, name: moved}, cotangents)
        except (*REFUSED, TypeError, np.exceptions.ComplexWarning):  # a forward that drops what is imaginary
            return None
        found.append(loss / (step * size))
    first, second = found
    if not math.isfinite(first) or abs(first - second) > SAME * max(abs(first), abs(second)):
        return None
    return first


def _imaginary(wide: WideExecutable, inputs: Mapping[str, Array], cotangents: Cotangents) -> float:
    """The imaginary part of the loss; what a tape holds constant stays real."""

    def held(instruction: Instruction, _: tuple[Array, ...], results: list[Array]) -> list[Array]:
        return [each.real for each in results] if instruction.op.name == "tf.stop_gradient" else results

    total = 0.0
    for target, cotangent in zip(wide.run(inputs, held), cotangents, strict=True):
        if target is not None and target.dtype.kind == "c":
            weights = np.ones(target.shape) if cotangent is None else cotangent
            total += float(np.sum(target.imag * weights.astype(wide.real)))
    return total
