"""The lines of an expression, each with the operations that it comes to, in the order in which they happen."""

import ast
from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import groupby

from gradcheck.casefile.case import Expression
from gradcheck.explanation.record import Line, Made
from gradcheck.program import Instruction


def lines(
    expression: Expression, instructions: Sequence[Instruction], made: Callable[[Instruction], Made]
) -> tuple[Line, ...]:
    """Every line of `expression`, and those again to which the program comes back, as in a loop or a function.

    A statement over several lines has its operations under the last of them.
    """
    text = _Text(expression)
    found: list[Line] = []
    shown = 0
    placed = zip(text.places(instructions), instructions, strict=True)
    for (first, last), group in groupby(placed, lambda each: each[0]):
        found += [text.line(each) for each in range(shown if last >= shown else first, last)]
        found.append(text.line(last, tuple(made(instruction) for _, instruction in group)))
        shown = max(shown, last + 1)
    found += [text.line(each) for each in range(shown, len(text.lines))]
    return tuple(found)


class _Text:
    """The lines of an expression, counted from 0, with their numbers in the file."""

    def __init__(self, expression: Expression) -> None:
        self._positions = expression.positions
        self.lines = expression.text.rstrip().split("\n")
        self._starts = [0]
        for line in self.lines[:-1]:
            self._starts.append(self._starts[-1] + len(line) + 1)
        self._offsets = {position: offset for offset, position in reversed(list(enumerate(expression.positions)))}
        self._statements = _statements(expression.text)

    def line(self, at: int, made: tuple[Made, ...] = ()) -> Line:
        return Line(self._positions[self._starts[at]][0], self.lines[at], made)

    def places(self, instructions: Sequence[Instruction]) -> list[tuple[int, int]]:
        """For each instruction the first and last line of its statement; without a span, where the one before it is."""
        found: list[tuple[int, int]] = []
        for each in instructions:
            span = each.span
            offset = None if span is None else self._offsets.get((span.line, span.column))
            if offset is not None:
                at = bisect_right(self._starts, offset) - 1
                found.append(self._statements.get(at, (at, at)))
            else:
                found.append(found[-1] if found else self._statements.get(0, (0, 0)))
        return found


def _statements(text: str) -> dict[int, tuple[int, int]]:
    """For each line of a statement that takes several the first and last of them; of a block, those of its head."""
    found: dict[int, tuple[int, int]] = {}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.stmt):
            body: list[ast.stmt] = getattr(node, "body", [])
            first = node.lineno - 1
            last = max(body[0].lineno - 2, first) if body else (node.end_lineno or node.lineno) - 1
            found |= dict.fromkeys(range(first, last + 1), (first, last))
    return found
