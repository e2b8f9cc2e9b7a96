"""The lesson as text: the user's lines with what each gives, then the way back, step by step."""

import textwrap
from collections.abc import Iterator, Sequence

from rich.text import Text

from gradcheck.dtypes import Array
from gradcheck.explanation import Explanation, Made, Named, Received, Step
from gradcheck.report import text

WIDTH = 96
"""How wide a line may be before its value goes to a line of its own."""
INLINE = 40
"""How long a value may be that is shown without being asked for."""
NAME, VALUE, QUIET, RULE = "cyan", "green", "dim", "magenta"

Cell = tuple[str, str]
"""A text and its style."""
Row = tuple[Sequence[Cell], Array | None]
"""Cells, which stand under those of the other rows, and a value where one is to be shown."""

DERIVATIVES = {
    "jacobian": "A Jacobian takes one such pass for each element of a target, with a cotangent of 1 there.",
    "hessian": "The pass above is itself made of operations: a Hessian is the Jacobian of what it gives.",
    "jvp": "The pass above is linear in what it starts from; transposed by a second one, it pushes tangents forward.",
    "hvp": "The pass above is itself made of operations: what it gives is pushed forward along the tangents.",
}
"""How the derivative that a case asks for follows from the backward pass that is shown."""


def lesson(explanation: Explanation) -> Text:
    """One case as text, lines of at most 100 columns where what they say fits."""
    blocks = (_title, _forward, _backward, _gradients, _derivative)
    page = Text("\n").join(line for block in blocks for line in block(explanation))
    page.rstrip()
    return page


def _title(explanation: Explanation) -> Iterator[Text]:
    case = explanation.case
    yield Text(case.id, style="bold")
    for line in textwrap.wrap(case.description, WIDTH):
        yield Text(line)
    if explanation.fault is not None:
        yield Text(f"no values: {explanation.fault}", style="yellow")


def _forward(explanation: Explanation) -> Iterator[Text]:
    yield _heading("inputs")
    yield from _rows("  ", [_named(each) for each in explanation.inputs])
    yield _heading("forward, line by line")
    width = max(len(str(line.number)) for line in explanation.lines)
    for line in explanation.lines:
        row = Text.assemble((f"  {line.number:>{width}} | ", QUIET), (line.text, "bold"))
        row.rstrip()
        yield row
        yield from _rows(" " * (width + 5), [row for made in line.made for row in _made(made)])
    targets = ", ".join(explanation.targets) or "not connected"
    yield Text.assemble(f"  target{'s' * (len(explanation.targets) > 1)}: ", (targets, NAME))


def _named(each: Named) -> Row:
    return [(each.name, NAME), (str(each.type), QUIET)], _small(each.value)


def _made(made: Made) -> Iterator[Row]:
    """`y = x * x  float32[]  9`; several outputs stand below what gives them."""
    head = f"{_outputs(made)} = {made.formula}"
    if len(made.outputs) != 1:
        yield [(head, ""), ("", "")], None
        head = ""
    for each in made.outputs:
        yield [(head or f"  {each.name}", ""), (str(each.type), QUIET)], _small(each.value)


def _outputs(made: Made) -> str:
    return ", ".join(each.name for each in made.outputs)


def _backward(explanation: Explanation) -> Iterator[Text]:
    followed = "" if explanation.variable is None else f", along the paths to {explanation.variable}"
    yield _heading(f"backward, in reverse topological order{followed}")
    if not explanation.steps:
        yield Text("  no operation lies between the target and a variable")
        return
    yield Text("  d(v) is the sum of all that reached v", style=QUIET)
    told: set[str] = set()
    for step in explanation.steps:
        yield Text(f"  {_outputs(step.made)} = {step.made.formula}", style="bold")
        for each in step.received:
            label = "receives" if len(step.made.outputs) == 1 else f"{each.name} receives"
            yield from _labelled(label, _received(explanation, each))
        yield from _rule(step, told)
        handed: list[Row] = [([(each.to, NAME), (each.formula, "")], each.value) for each in step.handed]
        yield from _labelled("hands", handed)


def _rule(step: Step, told: set[str]) -> Iterator[Text]:
    """The formula, the operations where what is handed on does not show them, and the convention at first mention."""
    op = step.made.op
    source = op.source or "the backward that the program itself gives"
    yield from _wrapped("rule", f"{op.name}: {source}")
    if op.convention and op.name not in told:
        told.add(op.name)
        yield from _wrapped("convention", op.convention)
    if not step.spelled:
        for line in step.rule:
            yield Text(f"{' ' * INDENT}{line}", style=RULE)


def _received(explanation: Explanation, received: Received) -> list[Row]:
    """One row for each contribution, with the step it comes from, and their sum where there are several."""
    several = len(received.contributions) > 1
    rows: list[Row] = []
    for position, each in enumerate(received.contributions):
        sign = ("+ " if position else "  ") if several else ""
        whence = ""
        if each.source is not None:
            whence = f"from {_outputs(explanation.steps[each.source].made)}"
        rows.append(([(f"{sign}{each.formula}", ""), (whence, QUIET)], each.value))
    if several:
        rows.append(([(f"= d({received.name})", "bold"), ("", "")], received.value))
    return rows


def _gradients(explanation: Explanation) -> Iterator[Text]:
    if not explanation.gradients:
        return
    yield _heading("gradients")
    zeros = explanation.case.unconnected_gradients == "zero"
    for each in explanation.gradients:
        yield Text.assemble("  ", (f"d/d{each.name}", NAME), "  ", (str(each.type), QUIET))
        if each.contributions:
            yield from _rows("    ", _received(explanation, each))
        else:
            yield Text(f"    not connected: no path leads to it{'; zeros, as the case asks' if zeros else ''}")


def _derivative(explanation: Explanation) -> Iterator[Text]:
    if not explanation.parts:
        return
    kind = explanation.case.derivative
    yield _heading(kind)
    for line in textwrap.wrap(DERIVATIVES[kind], WIDTH - 2):
        yield Text(f"  {line}")
    for part in explanation.parts:
        shown = text.labelled(f"{part.kind} {part.name}", part.value, WIDTH - 2)
        for line in shown.split("\n"):
            yield Text(f"  {line}")


INDENT = 16
"""Where what a step says stands, behind its label."""


def _heading(words: str) -> Text:
    return Text(words, style="bold underline")


def _wrapped(label: str, words: str) -> Iterator[Text]:
    """A sentence behind its label, folded."""
    for position, line in enumerate(textwrap.wrap(words, WIDTH - INDENT)):
        yield Text.assemble((f"    {label}".ljust(INDENT) if position == 0 else " " * INDENT, QUIET), (line, RULE))


def _labelled(label: str, rows: Sequence[Row]) -> Iterator[Text]:
    """The rows behind a label, which stands beside the first, or above it if it is long."""
    head = f"    {label}"
    if len(head) >= INDENT:
        yield Text(head, style=QUIET)
        head = ""
    for position, line in enumerate(_rows(" " * INDENT, rows)):
        yield Text.assemble((head.ljust(INDENT), QUIET), line[INDENT:]) if position == 0 else line


def _rows(margin: str, rows: Sequence[Row]) -> Iterator[Text]:
    """The rows with their cells under each other; a value that does not fit beside them stands below."""
    widths = [max((len(cell) for cell, _ in column if len(cell) <= COLUMN), default=0) for column in _columns(rows)]
    for cells, value in rows:
        line = Text(margin)
        for (cell, style), width in zip(cells, widths, strict=True):
            line.append(cell, style)
            line.append(" " * (max(width - len(cell), 0) + (2 if cell or width else 0)))
        shown = [] if value is None else text.array(value, WIDTH - len(margin) - 4).split("\n")
        if len(shown) == 1 and len(line) + len(shown[0]) <= WIDTH:
            line.append(shown.pop(), VALUE)
        line.rstrip()
        yield line
        for each in shown:
            yield Text.assemble(f"{margin}    ", (each, VALUE))


COLUMN = 48
"""A cell that is longer than this does not widen its column."""


def _columns(rows: Sequence[Row]) -> Iterator[Sequence[Cell]]:
    return zip(*(cells for cells, _ in rows), strict=True)


def _small(value: Array | None) -> Array | None:
    """The value, if it can be shown without being asked for."""
    return value if value is not None and len(text.array(value, INLINE)) <= INLINE else None
