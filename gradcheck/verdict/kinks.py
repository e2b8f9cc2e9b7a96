"""Where a case has no derivative: ties and other kinks, the ends of domains; and what is a subgradient there."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gradcheck.dtypes import Array, is_complex, is_differentiable
from gradcheck.engine.differentiate import Gradient, gradient
from gradcheck.engine.evaluate import evaluate
from gradcheck.engine.expand import expand
from gradcheck.engine.reverse import Visit
from gradcheck.engines import Request
from gradcheck.program import Instruction, Program, producers
from gradcheck.verdict.record import Estimate
from gradcheck.verdict.referee import Cotangents, Referee, held
from gradcheck.verdict.rounding import bounds

DRAWS = 8
"""How many times the operands of a decision are moved by their rounding, to see how far its margin moves."""
COMBINATIONS = 3
"""Directions that mix all questioned elements at random."""
SLACK = 32.0
"""By how many units round-off of its terms a slope may leave the interval of a subgradient."""
SEED = 20_260_104
Elements = Mapping[str, Sequence[tuple[int, ...]]]


@dataclass(frozen=True)
class Kink:
    """A decision that is tied, or nearer to a tie than rounding can tell.

    `index` is an element of the margins that the operation declares (`Op.kink`).
    """

    instruction: Instruction
    index: tuple[int, ...]
    margin: float


def kinks(request: Request) -> list[Kink]:
    """The ties among the decisions that the targets depend on, and that depend on the sources, in program order."""
    program = expand(request.program, keep=lambda op: op.kink is not None).pruned()
    sites = _decisions(program, request.sources)
    indices = tuple(dict.fromkeys(index for site in sites for index in site.inputs))
    asked = replace(program, outputs=indices)
    values = dict(zip(indices, evaluate(asked, request.inputs), strict=True))
    limits = dict(zip(indices, bounds(asked, request.inputs), strict=True))
    found: list[Kink] = []
    for site in sites:
        operands = [_wide(values[index]) for index in site.inputs]
        rounding = [limits[index] for index in site.inputs]
        margins, reach = _margins(site, operands, rounding)
        tied = np.argwhere(margins <= reach)
        found += [Kink(site, at, float(margins[at])) for at in (tuple(int(i) for i in each) for each in tied)]
    return found


def _decisions(program: Program, sources: Sequence[str]) -> list[Instruction]:
    """The instructions with kinks that depend on the sources, what is held constant not counted."""
    reached = {program.inputs[name] for name in sources}
    found = []
    for each in program.instructions:
        if reached.isdisjoint(each.inputs) or held(program, each):
            continue
        reached.update(each.outputs)
        if each.op.kink is not None and all(is_differentiable(program.types[index].dtype) for index in each.inputs):
            found.append(each)
    return found


def _wide(value: Array | None) -> Array:
    assert value is not None
    return value.astype(np.complex128 if is_complex(value.dtype) else np.float64)


def _margins(site: Instruction, operands: Sequence[Array], rounding: Sequence[Array | None]) -> tuple[Array, Array]:
    """How far the decisions are from a tie, and how far rounding may move that."""
    kink = site.op.kink
    assert kink is not None
    rng = np.random.default_rng(SEED)
    with np.errstate(all="ignore"):
        margins = np.abs(np.asarray(kink(*operands, **site.attributes)))
        reach = np.zeros(margins.shape)
        for _ in range(DRAWS):
            moved = [
                each if bound is None else each + bound * rng.choice((-1.0, 1.0), each.shape)
                for each, bound in zip(operands, rounding, strict=True)
            ]
            distance = np.abs(np.abs(np.asarray(kink(*moved, **site.attributes))) - margins)
            reach = np.fmax(reach, np.where(np.isfinite(distance), distance, 0.0))
    return margins, reach


def is_subgradient(
    referee: Referee,
    request: Request,
    gradients: Mapping[str, Array | None],
    cotangents: Cotangents,
    elements: Elements,
) -> bool | None:
    """Whether the questioned `elements` of `gradients` are those of a subgradient of the loss.

    Along a direction d the slope g.d of a subgradient lies between the slopes of the loss to the left and to the right.
    It is tried along each element alone, along all of them together and along a few mixtures: `maximum(x, y)` at a tie
    has (1, 0) and (0, 1), and (1, 1) is right along each of both but not along their sum. A gradient of None counts as
    0. None where the estimates do not allow to tell.
    """
    found = [_slopes(referee, gradients, cotangents, each) for each in _directions(request, elements)]
    size = max((each.size for each in found if each is not None and np.isfinite(each.size)), default=0.0)
    answers = [None if each is None else _inside(each, size, SLACK * referee.unit) for each in found]
    if False in answers:
        return False
    return None if None in answers else True


def _directions(request: Request, elements: Elements) -> Iterator[dict[str, Array]]:
    flat = [(name, index, unit) for name, index in _flat(elements) for unit in _units(request.inputs[name])]
    for each in flat:
        yield _direction(request, [each], [1.0])
    if len(flat) > 1:
        yield _direction(request, flat, [1.0] * len(flat))
        rng = np.random.default_rng(SEED)
        for _ in range(COMBINATIONS):
            yield _direction(request, flat, [float(each) for each in rng.uniform(-1, 1, len(flat))])


def _flat(elements: Elements) -> Iterator[tuple[str, tuple[int, ...]]]:
    for name, indices in elements.items():
        for index in indices:
            yield name, index


def _units(array: Array) -> tuple[complex, ...]:
    return (1, 1j) if is_complex(array.dtype) else (1,)


def _direction(
    request: Request, places: Sequence[tuple[str, tuple[int, ...], complex]], sizes: Sequence[float]
) -> dict[str, Array]:
    direction: dict[str, Array] = {}
    for (name, index, unit), size in zip(places, sizes, strict=True):
        array = request.inputs[name]
        dtype = np.complex128 if is_complex(array.dtype) else np.float64
        moved = direction.setdefault(name, np.zeros(array.shape, dtype))
        moved[index] += size * unit
    return direction


@dataclass(frozen=True)
class _Slopes:
    """Along one direction: what a gradient says, the loss's slopes on both sides, the lower first, and their size."""

    claimed: float
    low: Estimate
    high: Estimate
    size: float


def _slopes(
    referee: Referee, gradients: Mapping[str, Array | None], cotangents: Cotangents, direction: Mapping[str, Array]
) -> _Slopes | None:
    """None where the loss has no slope on a side."""
    left, right = referee.one_sided(direction, cotangents)
    if not (np.isfinite(left.error) and np.isfinite(right.error)):
        return None
    terms = np.concatenate([_terms(gradients.get(name), each) for name, each in direction.items()])
    low, high = sorted((left, right), key=lambda each: each.value.real)
    size = float(np.sum(np.abs(terms))) + abs(low.value) + abs(high.value)
    return _Slopes(float(np.sum(terms)), low, high, size)


def _inside(slopes: _Slopes, size: float, slack: float) -> bool | None:
    """Whether what is claimed lies between the slopes; None where their errors are not small against all of them."""
    claimed, low, high = slopes.claimed, slopes.low, slopes.high
    rounding = slack * slopes.size
    if not np.isfinite(claimed):
        return False
    below, above = low.value.real - claimed, claimed - high.value.real
    if below > rounding + low.error or above > rounding + high.error:
        return False
    return None if max(low.error, high.error) > max(rounding, 0.01 * size) else True


def _terms(part: Array | None, direction: Array) -> Array:
    """What each element that moves adds to the slope: Re(conj(g) d)."""
    moved = direction != 0
    if part is None:
        return np.zeros(int(np.count_nonzero(moved)))
    with np.errstate(all="ignore"):
        return np.asarray((np.conj(_wide(part)[moved]) * direction[moved]).real)


GUARDS = {
    "tf.sqrt": ("the root has an infinite slope at 0 and no value below", "tf.sqrt(tf.where(x > 0, x, 1.0))"),
    "tf.math.rsqrt": (
        "1 / sqrt(x) is infinite at 0 and has no value below",
        "tf.math.rsqrt(tf.where(x > 0, x, 1.0))",
    ),
    "tf.math.log": ("the logarithm is infinite at 0 and has no value below", "tf.math.log(tf.where(x > 0, x, 1.0))"),
    "tf.math.log1p": (
        "the logarithm is infinite at -1 and has no value below",
        "tf.math.log1p(tf.where(x > -1, x, 0.0))",
    ),
    "tf.math.reciprocal": ("1 / x is infinite at 0", "tf.math.reciprocal(tf.where(x != 0, x, 1.0))"),
    "tf.math.pow": (
        "a power below 1 has an infinite slope at 0, and a broken one no value below",
        "tf.pow(tf.where(x > 0, x, 1.0), y)",
    ),
    "tf.math.reduce_euclidean_norm": (
        "the norm has a kink at 0, and its gradient there is 0 / 0",
        "tf.sqrt(tf.maximum(tf.reduce_sum(x * x), 1e-12))",
    ),
    "tf.asin": ("the slope is infinite at -1 and 1, and there is no value outside", "tf.asin(0.999999 * x)"),
    "tf.acos": ("the slope is infinite at -1 and 1, and there is no value outside", "tf.acos(0.999999 * x)"),
    "tf.acosh": (
        "the slope is infinite at 1, and there is no value below",
        "tf.acosh(tf.where(x > 1, x, 2.0))",
    ),
    "tf.atanh": (
        "the function is infinite at -1 and 1 and has no value outside",
        "tf.atanh(tf.where(tf.abs(x) < 1, x, 0.0))",
    ),
}
"""What happens at the end of a domain, and what to write instead: a `tf.where` around the call alone is no help."""
DIVISIONS = frozenset({"tf.truediv", "tf.math.xdivy"})


def undefined_cause(request: Request) -> tuple[Instruction, tuple[int, ...], str] | None:
    """What makes an output or a gradient infinite or NaN: an instruction, an element and what to write instead.

    It is the first instruction of the expanded forward program whose result is not finite although its operands are;
    if there is none, the one whose gradient is the first not to be, although what came back to it was finite. None
    where outputs and gradients are finite, or the inputs or cotangents are not.
    """
    written = gradient(request.program, request.sources, keep_trail=True)
    for cotangents in request.cotangents:
        values = _all_values(written.program, written.seeded(request.inputs, cotangents))
        results = [values[index] for index in written.program.outputs if index is not None]
        if all(_finite(each) for each in results):
            continue
        found = _forward_cause(written.forward, request) or _backward_cause(written, values)
        if found is not None:
            return found
    return None


def _all_values(program: Program, inputs: Mapping[str, Array]) -> dict[int, Array]:
    made = [index for each in program.instructions for index in each.outputs]
    indices = (*program.inputs.values(), *program.constants, *made)
    values = evaluate(replace(program, outputs=tuple(indices)), inputs)
    return {index: value for index, value in zip(indices, values, strict=True) if value is not None}


def _forward_cause(program: Program, request: Request) -> tuple[Instruction, tuple[int, ...], str] | None:
    values = _all_values(program, request.inputs)
    for each in program.instructions:
        at = _born(each, values)
        if at is not None:
            return each, at, f"`{each.op.name}` is not finite here{_advice(each)}"
    return None


def _backward_cause(written: Gradient, values: Mapping[int, Array]) -> tuple[Instruction, tuple[int, ...], str] | None:
    makers = producers(written.forward.instructions)
    for visit in written.trail.visits:
        instruction = makers[visit.record.outputs[0].key]
        at = _lost(visit, values)
        if at is not None:
            return instruction, at, f"the gradient of `{instruction.op.name}` is not finite here{_advice(instruction)}"
    for each in written.program.instructions:  # a sum at a fan-out, of infinities of both signs or too large
        at = _born(each, values)
        if at is not None:
            return each, at, f"`{each.op.name}`, in the gradient, is not finite here{_advice(each)}"
    return None


def _born(instruction: Instruction, values: Mapping[int, Array]) -> tuple[int, ...] | None:
    """The first element of the results that is not finite, if all operands are."""
    if not all(_finite(values[index]) for index in instruction.inputs):
        return None
    return next((at for index in instruction.outputs if (at := _first_bad(values[index])) is not None), None)


def _lost(visit: Visit, values: Mapping[int, Array]) -> tuple[int, ...] | None:
    """The first element of what an operation hands on that is not finite, if its operands and cotangents are."""
    given = (*visit.record.inputs, *visit.cotangents)
    received = [values[each.key] for each in given if each is not None and each.key in values]
    if not all(_finite(each) for each in received):
        return None
    handed = [values[each.key] for each in visit.parts if each is not None and each.key in values]
    return next((at for each in handed if (at := _first_bad(each)) is not None), None)


def _finite(array: Array) -> bool:
    return _first_bad(array) is None


def _first_bad(array: Array) -> tuple[int, ...] | None:
    """The first element that is not finite."""
    if not is_differentiable(array.dtype):
        return None
    bad = np.argwhere(~np.isfinite(array))
    return tuple(int(each) for each in bad[0]) if len(bad) else None


def _advice(instruction: Instruction) -> str:
    name = instruction.op.name
    if name in DIVISIONS:
        return ": nothing protects a division by 0; write `tf.math.divide_no_nan(x, y)`"
    if name not in GUARDS:
        return ""
    reason, instead = GUARDS[name]
    return f": {reason}; guard the argument too: `{instead}`"
