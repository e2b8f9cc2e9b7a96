"""A case, read: its program, the inputs that the program takes, and what to differentiate by."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gradcheck.casefile.case import Case, Input
from gradcheck.casefile.limits import Limits
from gradcheck.diagnostics import Diagnostic, Refused, Span
from gradcheck.dtypes import is_complex, is_differentiable
from gradcheck.language.lowering import POISON, Lowering, TooLong
from gradcheck.language.source import parse
from gradcheck.program import Array, Program, TensorType
from gradcheck.tensors import Builder, Tensor, building


@dataclass(frozen=True, eq=False)
class Lowered:
    """What engines need of a case.

    `inputs` are the program's; a nested input `x` has one for each of its tensors: `x[0]`, `x[1]`. `sources` are the
    names among them to differentiate by, in the author's order.
    """

    case: Case
    program: Program
    inputs: Mapping[str, Array]
    sources: tuple[str, ...]
    cotangents: tuple[Array | None, ...]
    """The case's own cotangent for each target, None for ones."""
    variables: frozenset[str]
    warnings: tuple[Diagnostic, ...] = ()


def lower(case: Case, limits: Limits) -> Lowered:
    """Read the expression of `case` into a program; raises `Refused` with everything that is wrong with it."""
    parsed = parse(case.expr, limits)
    builder = Builder(inline=False, max_elements=limits.elements)
    arrays: dict[str, Array] = {}
    names: dict[str, Any] = {}
    for name, given in case.inputs.items():
        leaves = dict(_leaves(name, given))
        arrays |= leaves
        values = [_value(builder, leaf, array) for leaf, array in leaves.items()]
        names[name] = values if isinstance(given.value, tuple) else values[0]
    lowering = Lowering(case.expr, builder, names, limits.instructions)
    with building(builder):
        try:
            result = lowering.run(parsed)
        except TooLong as error:
            raise Refused([*lowering.diagnostics, error.diagnostic]) from None
    diagnostics = list(lowering.diagnostics)
    targets = [result] if isinstance(result, Tensor) else result
    if result is not POISON and not _are_tensors(targets):
        place = parsed.span(parsed.tree.body[-1])
        message = "the last line must give a tensor, or a list of tensors: it is what is differentiated"
        diagnostics.append(Diagnostic("no-target", message, place))
    if diagnostics:
        raise Refused(diagnostics)
    program = builder.finish(targets)
    return Lowered(
        case=case,
        program=program,
        inputs=arrays,
        sources=_sources(case, arrays),
        cotangents=_cotangents(case, program),
        variables=frozenset(
            leaf for name, given in case.inputs.items() if given.variable for leaf, _ in _leaves(name, given)
        ),
        warnings=tuple(_unused(case, lowering.used)),
    )


def _value(builder: Builder, name: str, array: Array) -> Tensor:
    known = None if is_differentiable(array.dtype) else array  # masks and indices may decide a shape
    return builder.input(name, TensorType(array.shape, array.dtype), known)


def _leaves(name: str, given: Input) -> list[tuple[str, Array]]:
    if isinstance(given.value, tuple):
        return [(f"{name}[{position}]", array) for position, array in enumerate(given.value)]
    return [(name, given.value)]


def _cotangents(case: Case, program: Program) -> tuple[Array | None, ...]:
    """The given cotangents in their targets' dtypes; raises `Refused` where these or pinned outputs do not fit."""
    types = [program.types[index] for index in program.outputs if index is not None]
    pinned = case.expect.output
    counts = {"expect.output": len(types) if pinned is None else len(pinned) if isinstance(pinned, tuple) else 1}
    counts["output_gradients"] = len(types) if case.output_gradients is None else len(case.output_gradients)
    wrong = [
        Diagnostic(
            "targets",
            f"`{key}` has {count} arrays, but `expr` gives {len(types)} target{'s' * (len(types) > 1)}",
            case.span,
        )
        for key, count in counts.items()
        if count != len(types)
    ]
    if wrong:
        raise Refused(wrong)
    given = case.output_gradients or (None,) * len(types)
    for array, type_ in zip(given, types, strict=True):
        if array is not None and array.shape != type_.shape:
            message = f"a cotangent of shape {list(array.shape)} does not fit a target of shape {list(type_.shape)}"
            wrong.append(Diagnostic("cotangent", message, case.span))
        elif array is not None and is_complex(array.dtype) and not is_complex(type_.dtype):
            wrong.append(
                Diagnostic("cotangent", f"a complex cotangent does not fit a {type_.dtype.name} target", case.span)
            )
    if wrong:
        raise Refused(wrong)
    return tuple(
        None if array is None else array.astype(type_.dtype) for array, type_ in zip(given, types, strict=True)
    )


def _are_tensors(targets: Any) -> bool:
    return isinstance(targets, (list, tuple)) and bool(targets) and all(isinstance(each, Tensor) for each in targets)


def _sources(case: Case, arrays: Mapping[str, Array]) -> tuple[str, ...]:
    if case.wrt is None:
        return tuple(name for name, array in arrays.items() if is_differentiable(array.dtype))
    known = [name for name in case.wrt if name in case.inputs]  # a case with errors may name what is not there
    return tuple(leaf for name in known for leaf, _ in _leaves(name, case.inputs[name]))


def _unused(case: Case, used: set[str]) -> list[Diagnostic]:
    def warning(name: str, place: Span) -> Diagnostic:
        return Diagnostic("unused-input", f"input `{name}` is not used in `expr`", place, severity="warning")

    return [warning(name, given.span) for name, given in case.inputs.items() if name not in used]
