"""A case, read: its program, the inputs that the program takes, and what to differentiate by."""

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gradcheck.casefile.case import Arrays, Case, Input
from gradcheck.diagnostics import Diagnostic, Refused, Span
from gradcheck.dtypes import Array, is_complex, is_differentiable
from gradcheck.language.derivatives import Quantity, Whole
from gradcheck.language.expressions import Expressions, TooLong
from gradcheck.language.reporting import POISON, Report
from gradcheck.language.source import parse
from gradcheck.language.statements import Statements
from gradcheck.language.structures import NotConnected
from gradcheck.language.structures import leaves as flat
from gradcheck.language.variables import Variable
from gradcheck.program import Program, TensorType
from gradcheck.tensors import Builder, Tensor, building


@dataclass(frozen=True, eq=False)
class Lowered:
    """What engines need of a case.

    `inputs` are the program's; a nested input `x` has one for each of its tensors: `x[0]`, `x[1]`. `sources` are the
    names among them to differentiate by, in the author's order; none where the program itself gives the derivative, as
    it does for a Jacobian. `quantities` say what each output of the program is.
    """

    case: Case
    program: Program
    quantities: tuple[Quantity, ...]
    inputs: Mapping[str, Array]
    sources: tuple[str, ...]
    cotangents: tuple[Array | None, ...]
    """The case's own cotangent for each target, None for ones."""
    variables: frozenset[str]
    warnings: tuple[Diagnostic, ...] = ()


def lower(case: Case) -> Lowered:
    """Read the expression of `case` into a program; raises `Refused` with everything that is wrong with it."""
    parsed = parse(case.expr, case.limits)
    builder = Builder(inline=False, max_elements=case.limits.elements)
    arrays: dict[str, Array] = {}
    inputs: dict[str, Tensor] = {}
    names: dict[str, Any] = {}
    tracked = case.derivative != "gradient" or _tracked(parsed.tree)
    for name, given in case.inputs.items():
        leaves = dict(_leaves(name, given))
        arrays |= leaves
        made = {leaf: _value(builder, leaf, array) for leaf, array in leaves.items()}
        inputs |= made
        values: list[Any] = list(made.values())
        if given.variable:
            values = [Variable(builder, each, tracked=tracked) for each in values]
        names[name] = values if isinstance(given.value, tuple) else values[0]
    report = Report(parsed)
    expressions = Expressions(builder, names, arrays, report, case.limits.instructions)
    sources = _sources(case, arrays)
    whole = Whole(builder, case.derivative, case.unconnected_gradients)
    with building(builder):
        if case.derivative != "gradient":
            tangents = {leaf: each for name, value in case.tangents.items() for leaf, each in _named(name, value)}
            whole.open({name: inputs[name] for name in sources}, tangents)
        try:
            result = Statements(expressions).run(parsed.tree.body)
        except TooLong as error:
            raise Refused([*report.diagnostics, error.diagnostic]) from None
        targets = _targets(result)
        parts = whole.close(targets, case.output_gradients) if targets and not report.diagnostics else []
    diagnostics = list(report.diagnostics)
    if result is not POISON and not targets:
        place = parsed.span(parsed.tree.body[-1])
        message = "the last line must give a tensor, or a list of tensors: it is what is differentiated"
        diagnostics.append(Diagnostic("no-target", message, place))
    if diagnostics:
        raise Refused(diagnostics)
    cotangents = _cotangents(case, [each.type for each in targets])
    return Lowered(
        case=case,
        program=builder.finish([*targets, *(each for _, each in parts)]),
        quantities=(*_outputs(len(targets)), *(quantity for quantity, _ in parts)),
        inputs=arrays,
        sources=sources if case.derivative == "gradient" else (),
        cotangents=(*cotangents, *(None for _ in parts)),
        variables=frozenset(
            leaf for name, given in case.inputs.items() if given.variable for leaf, _ in _leaves(name, given)
        ),
        warnings=tuple(_unused(case, expressions.used)),
    )


def _value(builder: Builder, name: str, array: Array) -> Tensor:
    known = None if is_differentiable(array.dtype) else array  # masks and indices may decide a shape
    return builder.input(name, TensorType(array.shape, array.dtype), known)


def _leaves(name: str, given: Input) -> list[tuple[str, Array]]:
    return _named(name, given.value)


def _named(name: str, value: Arrays) -> list[tuple[str, Array]]:
    """The arrays of an input by the names that a program has for them."""
    if isinstance(value, tuple):
        return [(f"{name}[{position}]", array) for position, array in enumerate(value)]
    return [(name, value)]


def _outputs(count: int) -> list[Quantity]:
    names = ["output"] if count == 1 else [f"output[{position}]" for position in range(count)]
    return [Quantity("output", name) for name in names]


def _cotangents(case: Case, types: Sequence[TensorType]) -> tuple[Array | None, ...]:
    """The given cotangents in their targets' dtypes; raises `Refused` where these or pinned outputs do not fit."""
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


def _targets(result: Any) -> list[Tensor]:
    """The tensors that the last line gives; none if it gives anything else."""
    found = [each.read() if isinstance(each, Variable) else each for each in flat(result)]
    targets = [each.value if isinstance(each, NotConnected) else each for each in found]
    return targets if all(isinstance(each, Tensor) for each in targets) else []


def _tracked(tree: ast.Module) -> bool:
    """Whether the expression has tapes, or variables that change: only then is each reading of one a step."""
    tapes = ("GradientTape", "ForwardAccumulator")
    attributes = (node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute))
    return any(name in tapes or name.startswith(("assign", "scatter_")) for name in attributes)


def _sources(case: Case, arrays: Mapping[str, Array]) -> tuple[str, ...]:
    if case.wrt is None:
        return tuple(name for name, array in arrays.items() if is_differentiable(array.dtype))
    known = [name for name in case.wrt if name in case.inputs]  # a case with errors may name what is not there
    return tuple(leaf for name in known for leaf, _ in _leaves(name, case.inputs[name]))


def _unused(case: Case, used: set[str]) -> list[Diagnostic]:
    def warning(name: str, place: Span) -> Diagnostic:
        return Diagnostic("unused-input", f"input `{name}` is not used in `expr`", place, severity="warning")

    return [warning(name, given.span) for name, given in case.inputs.items() if name not in used]
