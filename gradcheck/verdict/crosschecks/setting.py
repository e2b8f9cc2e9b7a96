"""A case as the cross-checks see it: the function, a direction, a cotangent, and what each side says of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ldexp

import numpy as np

from gradcheck.asking import drawn, seeded_cotangents
from gradcheck.casefile.case import Derivative
from gradcheck.dtypes import FLOAT64, Array, is_complex, is_differentiable
from gradcheck.engine.evaluate import evaluate
from gradcheck.engine.expand import expand
from gradcheck.engines import Cotangents, Request
from gradcheck.ops.taping import ACCUMULATE, CUSTOM, READ
from gradcheck.program import TensorType
from gradcheck.verdict.record import Comparison

SEED = 20_260_105

Direction = Mapping[str, Array]
"""How far each element of each source moves."""


@dataclass(frozen=True, eq=False)
class Setting:
    """What a case differentiates, without its derivative: `request` has the targets and the sources alone.

    `derived` are the comparisons between the two engines that make up the derivative, in the order of their parts.
    """

    request: Request
    kind: Derivative
    derived: tuple[Comparison, ...]
    direction: Direction
    cotangents: Cotangents

    @property
    def sides(self) -> tuple[str, str]:
        """The names of the subject and the reference."""
        return self.derived[0].sides


class NoSetting(Exception):  # it says why nothing is checked
    """There is nothing that the cross-checks could be made of, in words."""


def setting(request: Request, comparisons: Sequence[Comparison]) -> Setting:
    """The setting of a case; raises `NoSetting` where what is differentiated is not the derivative of a function."""
    engines = [each for each in comparisons if each.sides[1] != "expect"]
    outputs = engines[: len(request.program.outputs)]
    kinds: set[Derivative] = {each.quantity for each in engines if each.quantity != "output"}
    if not kinds:
        raise NoSetting("there is no derivative")
    (kind,) = kinds
    derived = tuple(each for each in engines if each.quantity == kind and _floating(request, each))
    if kind == "gradient":
        derived = tuple(each for each in derived if each.cotangent == "seeded")
        forward, cotangents = replace(request, sources=_sources(request, kind, derived)), request.cotangents[1]
    else:
        pairs = list(zip(request.program.outputs, request.cotangents[0], outputs, strict=True))
        targets = [(index, own) for index, own, output in pairs if output.quantity == "output"]
        program = replace(request.program, outputs=tuple(index for index, _ in targets)).pruned()
        cotangents = tuple(own for _, own in targets) if kind == "hvp" else seeded_cotangents(program)
        forward = replace(request, program=program, sources=_sources(request, kind, derived))
    if any(is_complex(type_.dtype) for type_ in _types(forward)) and kind != "gradient":
        raise NoSetting(f"it is made for real numbers where the derivative is a {kind}")
    _is_function(forward)
    forward = replace(forward, cotangents=(cotangents,))
    direction = _tangents(request) if kind in ("jvp", "hvp") else _drawn(forward)
    return Setting(forward, kind, derived, direction, cotangents)


def _floating(request: Request, part: Comparison) -> bool:
    """Whether what a part is taken by can move at all: the end of its name, two of them for a Hessian."""
    names = part.variable.split("/")[{"hessian": -2, "jvp": 1}.get(part.quantity, -1) :]
    return all(is_differentiable(request.inputs[name].dtype) for name in names)


def _types(request: Request) -> Iterator[TensorType]:
    program = request.program
    for index in (*program.outputs, *(program.inputs[name] for name in request.sources)):
        if index is not None:
            yield program.types[index]


def _is_function(request: Request) -> None:
    """Whether what tapes give is the derivative of what the program computes."""
    if not request.sources:
        raise NoSetting("no source is of a floating dtype")
    if any(each.op is CUSTOM for each in request.program.instructions):
        raise NoSetting("the gradient of a `tf.custom_gradient` is what its author says")
    program = expand(request.program)
    for each in program.instructions:
        if each.op is READ and each.inputs[0] != each.inputs[1]:
            raise NoSetting("the gradient by a variable that was assigned to is that of what it holds then")


def _sources(request: Request, kind: Derivative, derived: Sequence[Comparison]) -> tuple[str, ...]:
    """The sources of a derivative, whose parts are called `x`, `x/y` or `output[0]/x`."""
    if kind == "jvp":
        return tuple(_tangents(request))
    return tuple(dict.fromkeys(each.variable.rpartition("/")[2] for each in derived))


def _tangents(request: Request) -> Direction:
    """The direction of a `jvp` or `hvp`, which is written into its program."""
    program = request.program
    (pushed,) = (each for each in program.instructions if each.op is ACCUMULATE and each.attributes["tape"].number < 0)
    operands = dict(pushed.operands)
    primals, tangents = operands["primals"], operands["tangents"]
    assert isinstance(primals, tuple)
    assert isinstance(tangents, tuple)
    names = {index: name for name, index in program.inputs.items()}
    values = evaluate(replace(program, outputs=tangents).pruned(), request.inputs)
    return {names[index]: value for index, value in zip(primals, values, strict=True) if value is not None}


def _drawn(request: Request) -> Direction:
    """Standard normal numbers times the usual size of each source, so that none moves too little to be seen."""
    rng = np.random.default_rng(SEED)
    found: dict[str, Array] = {}
    for name in request.sources:
        array = request.inputs[name]
        wide = np.dtype(np.complex128) if is_complex(array.dtype) else FLOAT64
        found[name] = drawn(TensorType(array.shape, wide), rng) * _size(array.astype(wide))
    return found


def _size(array: Array) -> float:
    with np.errstate(all="ignore"):
        size = float(np.sqrt(np.mean(np.abs(array) ** 2))) if array.size else 0.0
    return ldexp(1.0, int(np.frexp(size)[1]) - 1) if np.isfinite(size) and size > 0 else 1.0
