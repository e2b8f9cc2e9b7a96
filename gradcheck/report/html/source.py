"""The expression, line by line, each operation marked: to blame, right by itself, or not tried by itself."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Literal

from gradcheck.casefile.case import Expression
from gradcheck.diagnostics import Span
from gradcheck.explanation.lines import lines
from gradcheck.explanation.record import Made
from gradcheck.program import Instruction, Program
from gradcheck.verdict.diagnosis import Diagnosis
from gradcheck.verdict.record import Result

Mark = Literal["blamed", "right", "untried"]


def marks(program: Program, diagnosis: Diagnosis | None) -> list[Mark]:
    """What is known of each instruction by itself.

    Where the engines ran a program made from this one, as they do with graphs, its operations are known by their place.
    """
    if diagnosis is None:
        return ["untried"] * len(program.instructions)
    own = set(map(id, program.instructions))

    def keys(instructions: Sequence[Instruction]) -> set[object]:
        return {_place(each) if id(each) not in own else id(each) for each in instructions} - {None}

    blamed = keys([each.blame.instruction for each in diagnosis.accused])
    tried = keys(diagnosis.tried)
    found: list[Mark] = []
    for each in program.instructions:
        known = {id(each), _place(each)}
        found.append(
            "untried" if known.isdisjoint(blamed | tried) else "right" if known.isdisjoint(blamed) else "blamed"
        )
    return found


def _place(instruction: Instruction) -> object:
    span = instruction.span
    return None if span is None else (instruction.op.name, span.line, span.column)


def marked_lines(result: Result, found: Sequence[Mark]) -> list[dict[str, Any]]:
    """The lines of the expression: their numbers in the file, their text cut where a blamed operation begins and ends,
    and their operations, by mark."""
    expression, program = result.case.expr, result.program
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
