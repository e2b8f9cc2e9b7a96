"""The expression, line by line, each operation marked: to blame, right by itself, or not tried by itself."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Literal

from gradcheck.casefile.case import Expression
from gradcheck.diagnostics import Span
from gradcheck.explanation.lines import lines
from gradcheck.explanation.record import Made
from gradcheck.program import Program
from gradcheck.verdict.record import Call, Diagnosis, Result

Mark = Literal["blamed", "right", "untried"]


def marks(program: Program, diagnosis: Diagnosis | None) -> list[Mark]:
    """What is known of each instruction by itself: of its operation at its place, which a loop may come back to."""
    if diagnosis is None:
        return ["untried"] * len(program.instructions)
    blamed = {each.call for each in diagnosis.accused}
    right = set(diagnosis.tried)
    calls = [Call(each.op.name, each.span) for each in program.instructions]
    return ["blamed" if each in blamed else "right" if each in right else "untried" for each in calls]


def marked_lines(result: Result, program: Program | None, found: Sequence[Mark]) -> list[dict[str, Any]]:
    """The lines of the expression: their numbers in the file, their text cut where a blamed operation begins and ends,
    and their operations, by mark."""
    expression = result.case.expr
    there: dict[tuple[int, str], list[tuple[str, Mark]]] = {}
    if program is not None:
        made = lines(expression, program.instructions, lambda each: Made(each.op, (), "", ()))
        marking = iter(found)
        for line in made:
            operations = there.setdefault((line.number, line.text), [])
            operations += [(each.op.name, next(marking)) for each in line.made]
    blamed = _blamed(result)
    rows: list[dict[str, Any]] = []
    start = 0
    for line_text in expression.text.rstrip().split("\n"):
        number = expression.positions[start][0]
        operations = there.get((number, line_text), [])
        rows.append({"number": number, "parts": _cut(line_text, start, blamed), "operations": _counted(operations)})
        start += len(line_text) + 1
    return rows


def _blamed(result: Result) -> list[tuple[int, int]]:
    """Where, in the text of the expression, blamed operations begin and end."""
    accused = result.diagnosis.accused if result.diagnosis else ()
    spans = (each.span for each in accused)
    return sorted({place for span in spans if span and (place := _within(result.case.expr, span))})


def _within(expression: Expression, span: Span) -> tuple[int, int] | None:
    offsets = [
        offset
        for offset, (line, column) in enumerate(expression.positions[: len(expression.text)])
        if line == span.line and span.column <= column < span.end
    ]
    return (offsets[0], offsets[-1] + 1) if offsets else None


def _cut(line: str, start: int, blamed: Sequence[tuple[int, int]]) -> list[list[Any]]:
    """A line that begins at `start`, as pieces of text, each with whether it is to blame."""
    edges = sorted({0, len(line), *(min(max(at - start, 0), len(line)) for place in blamed for at in place)})
    begins = [low for low, _ in blamed]

    def within(at: int) -> bool:
        return any(low <= at < high for low, high in blamed[: bisect_left(begins, at + 1)])

    return [[line[low:high], within(start + low)] for low, high in pairwise(edges)]


def _counted(operations: Sequence[tuple[str, Mark]]) -> Mapping[Mark, list[str]]:
    """The names of a line's operations by mark, the blamed ones first."""
    kinds: tuple[Mark, ...] = ("blamed", "right", "untried")
    return {kind: names for kind in kinds if (names := [name for name, mark in operations if mark == kind])}
