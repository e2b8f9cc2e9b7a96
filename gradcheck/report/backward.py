"""The backward pass of a case as a text to follow: what reached each node, their sum, what it handed on."""

from collections.abc import Mapping
from dataclasses import replace

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from gradcheck.asking import request
from gradcheck.engine.differentiate import Gradient, gradient
from gradcheck.engine.evaluate import evaluate
from gradcheck.engine.reverse import Visit
from gradcheck.language import Lowered
from gradcheck.program import Array, Program, producers
from gradcheck.report import text
from gradcheck.tensors import Tensor


class _Page:
    """The names, formulas and (on request) values that the lines of one explanation share."""

    def __init__(self, written: Gradient, values: Mapping[int, Array]) -> None:
        self.program = written.program
        self.written = written
        self._producers = producers(written.program.instructions)
        self._values = values

    def name(self, index: int) -> str:
        named = self.program.names.get(index)
        return named if named is not None else self.program.labels[index]

    def formula(self, index: int) -> str:
        made = self._producers.get(index)
        return self.name(index) if made is None else self.program.call(made)

    def line(self, label: str, index: int) -> list[str]:
        """`label  %7: float32[2, 2] = tf.matmul(…)`, then its value where values are shown."""
        made = self._producers.get(index)
        right = f" = {self.program.call(made)}" if made is not None else ""
        lines = [f"{label}{self.program.labels[index]}: {self.program.types[index]}{right}"]
        if index in self._values:
            shown = text.array(self._values[index], text.WIDTH - 4)
            lines += [f"    {each}" for each in shown.split("\n")]
        return lines


def backward_report(lowered: Lowered, *, values: bool) -> RenderableType:
    """The program with its expression, then each visit of the reverse walk, then the gradients."""
    written = gradient(lowered.program, lowered.sources, keep_trail=True)
    page = _Page(written, _all_values(lowered, written) if values else {})
    parts: list[RenderableType] = [Text(lowered.case.id, style="bold"), _block(str(written.forward))]
    parts.append(Text("backward, in reverse topological order", style="bold"))
    parts += [_block("\n".join(_visit(page, visit))) for visit in written.trail.visits]
    parts.append(Text("gradients", style="bold"))
    count = len(lowered.program.outputs)
    for source, index in zip(lowered.sources, written.program.outputs[count:], strict=True):
        lines = [f"d/d{source}  not connected"]
        if index is not None:
            lines = [*_sum(page, written.program.inputs[source]), *page.line(f"d/d{source}  ", index)]
        parts.append(_block("\n".join(lines)))
    return Group(*parts)


def _visit(page: _Page, visit: Visit) -> list[str]:
    outputs = [output.key for output in visit.record.outputs]
    made = page._producers[outputs[0]]
    lines = [f"{', '.join(map(page.name, outputs))} = {page.program.call(made)}"]
    for key, cotangent in zip(outputs, visit.cotangents, strict=True):
        lines += _sum(page, key)
        if cotangent is not None:
            lines += page.line("  receives ", cotangent.key)
    for tensor, part in zip(visit.record.inputs, visit.parts, strict=True):
        if part is not None:
            lines += page.line(f"  hands {page.name(tensor.key)}  ", part.key)
    return lines


def _sum(page: _Page, key: int) -> list[str]:
    """The contributions that were summed, where there were several."""
    contributions: list[Tensor] = page.written.trail.contributions.get(key, [])
    if len(contributions) < 2:
        return []
    terms = " + ".join(page.formula(each.key) for each in contributions)
    return [f"  {len(contributions)} contributions: {terms}"]


def _all_values(lowered: Lowered, written: Gradient) -> dict[int, Array]:
    """Every value of the gradient program, for the case's own cotangents."""
    program: Program = written.program
    asked = request(lowered)
    inputs = dict(asked.inputs)
    for name, index, given in zip(written.cotangents, lowered.program.outputs, asked.cotangents[0], strict=True):
        if name is not None and index is not None:
            type_ = lowered.program.types[index]
            inputs[name] = given if given is not None else _ones(type_)
    wanted = [*program.inputs.values(), *(index for each in program.instructions for index in each.outputs)]
    found = evaluate(replace(program, outputs=tuple(wanted)), inputs)
    return {index: value for index, value in zip(wanted, found, strict=True) if value is not None}


def _ones(type_: object) -> Array:
    import numpy as np

    return np.ones(type_.shape, type_.dtype)  # type: ignore[attr-defined]


def _block(block: str) -> Padding:
    return Padding(Text(block), (0, 0, 0, 2), expand=False)
