"""Explanations for programs: one JSON document."""

import json
from collections.abc import Sequence
from typing import Any

from gradcheck.explanation import Contribution, Explanation, Handed, Line, Made, Named, Part, Received, Step
from gradcheck.installed import version
from gradcheck.program import TensorType
from gradcheck.report.json import array

VERSION = 1
"""The version of this format; it changes when a field changes its meaning or goes away."""


def render(explanations: Sequence[Explanation]) -> str:
    """All explanations as one JSON document.

    Each case has its `inputs`; its `lines`, with the `operations` that each comes to; its `targets`; the `backward`
    steps in their order, each with what its outputs `received`, the `rule` and what that `hands`; and its `gradients`,
    which have received like any other value. A case with a `derivative` of its own has its `parts` besides. Values are
    known by their names, in formulas too, where `d(v)` is the sum of all contributions that reached `v`; `from` is the
    position of a step in `backward`, null for a target's own cotangent. `value` is null where it was not asked for:
    without `--values` there are only the small ones of the forward program. NaN and infinities are strings.
    """
    document = {
        "format": "gradcheck explanation",
        "version": VERSION,
        "gradcheck": version("gradcheck"),
        "cases": [_case(each) for each in explanations],
    }
    return json.dumps(document, indent=2, allow_nan=False)


def _case(explanation: Explanation) -> dict[str, Any]:
    case = explanation.case
    return {
        "id": case.id,
        "file": case.span.source.name,
        "line": case.span.line,
        "description": case.description,
        "derivative": case.derivative,
        "variable": explanation.variable,
        "fault": explanation.fault,
        "inputs": [_named(each) for each in explanation.inputs],
        "lines": [_line(each) for each in explanation.lines],
        "targets": list(explanation.targets),
        "backward": [_step(each) for each in explanation.steps],
        "gradients": [_received(each) for each in explanation.gradients],
        "parts": [_part(each) for each in explanation.parts],
    }


def _line(line: Line) -> dict[str, Any]:
    return {"line": line.number, "text": line.text, "operations": [_made(each) for each in line.made]}


def _made(made: Made) -> dict[str, Any]:
    return {
        "operation": made.op.name,
        "formula": made.formula,
        "operands": list(made.operands),
        "outputs": [_named(each) for each in made.outputs],
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "operation": step.made.op.name,
        "formula": step.made.formula,
        "outputs": [each.name for each in step.made.outputs],
        "received": [_received(each) for each in step.received],
        "rule": {
            "source": step.made.op.source,
            "convention": step.made.op.convention,
            "operations": list(step.rule),
        },
        "hands": [_handed(each) for each in step.handed],
    }


def _received(received: Received) -> dict[str, Any]:
    return {
        "name": received.name,
        **_type(received.type),
        "connected": bool(received.contributions),
        "contributions": [_contribution(each) for each in received.contributions],
        "value": array(received.value),
    }


def _contribution(contribution: Contribution) -> dict[str, Any]:
    return {"from": contribution.source, "formula": contribution.formula, "value": array(contribution.value)}


def _handed(handed: Handed) -> dict[str, Any]:
    return {"to": handed.to, "formula": handed.formula, "value": array(handed.value)}


def _part(part: Part) -> dict[str, Any]:
    return {"kind": part.kind, "name": part.name, "connected": part.value is not None, "value": array(part.value)}


def _named(each: Named) -> dict[str, Any]:
    return {"name": each.name, **_type(each.type), "value": array(each.value)}


def _type(type_: TensorType) -> dict[str, Any]:
    return {"dtype": type_.dtype.name, "shape": list(type_.shape)}
