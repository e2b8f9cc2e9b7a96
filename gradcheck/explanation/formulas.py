"""Names for the values of a program, and formulas of them as one would write them by hand."""

from collections import ChainMap, Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from gradcheck.ops.arrays.indexing import python_key
from gradcheck.ops.declaration import find_op
from gradcheck.ops.operators import BINARY, COMPARISONS, UNARY
from gradcheck.program import Instruction, Program, producers

LONGEST = 64
"""How many characters a formula may have; what is longer is said in steps."""
DEEPEST = 40
"""How deep a formula may nest."""

_SIGNS = {find_op(each.op).name: each.symbol for each in (*BINARY, *COMPARISONS, *UNARY)}


def value_names(program: Program) -> dict[int, str]:
    """One name for each value of `program`, no two the same.

    An input has its own name, a constant its number, any other value the user's; `y#2` is the second that is called
    `y`. A target without a name is `output`, or `output[0]` and so on.
    """
    names = dict(program.labels)
    named = {index: name for index, name in program.names.items() if index not in program.constants}
    named |= {index: name for name, index in program.inputs.items()}
    taken = set(named.values())
    for position, index in enumerate(program.outputs):
        if index is not None and index not in named and index not in program.constants:
            name = "output" if len(program.outputs) == 1 else f"output[{position}]"
            named[index] = name if name not in taken else names[index]
    counts = Counter(named.values())
    seen: defaultdict[str, int] = defaultdict(int)
    for index in sorted(named):
        name = named[index]
        seen[name] += 1
        names[index] = f"{name}#{seen[name]}" if counts[name] > 1 else name
    return names | {index: name for name, index in program.inputs.items()}


class Formulas:
    """Writes what instructions of `program` compute.

    `names` are those of the forward program's values, with which `program` begins: no formula looks behind them.
    """

    def __init__(self, program: Program, names: Mapping[int, str]) -> None:
        self._program = program
        self._forward = names
        self._names = ChainMap(dict(names), program.labels)
        self._producers = producers(program.instructions)

    def call(self, instruction: Instruction, known: Mapping[int, str]) -> str:
        """`x * y`, or `reduce_sum(x, axis=[0])`: one instruction, its operands called as is `known` or as usual."""
        return bare(self._written(instruction, self._names.new_child(dict(known))))

    def within(self, index: int, known: Mapping[int, str]) -> str | None:
        """The value as a formula of what is `known` and of forward values and constants; None if that is too long."""
        return self._nested(index, dict(known), 0)

    def needed(self, indices: Iterable[int], known: Mapping[int, str]) -> list[Instruction]:
        """What computes these values from what is `known` and from forward values, in order."""
        found: dict[int, Instruction] = {}
        waiting = list(indices)
        while waiting:
            index = waiting.pop()
            made = self._made(index, known)
            if made is not None and made.outputs[0] not in found:
                found[made.outputs[0]] = made
                waiting += made.inputs
        return [found[first] for first in sorted(found)]

    def _made(self, index: int, known: Mapping[int, object]) -> Instruction | None:
        return None if index in known or index in self._forward else self._producers.get(index)

    def _nested(self, index: int, known: dict[int, str | None], depth: int) -> str | None:
        made = self._made(index, known)
        if made is not None:
            known[index] = None
            if depth < DEEPEST and len(made.outputs) == 1:
                texts = {each: self._nested(each, known, depth + 1) for each in made.inputs}
                operands = {each: text for each, text in texts.items() if text is not None}
                if len(operands) == len(texts):
                    whole = self._written(made, operands)
                    known[index] = whole if len(whole) <= LONGEST else None
        return known[index] if index in known else self._names[index]

    def _written(self, instruction: Instruction, names: Mapping[int, str]) -> str:
        call = self._program.call(instruction, names)
        if instruction.op.name == "tf.strided_slice":
            key = python_key(self._program.types[instruction.inputs[0]].shape, instruction.attributes)
            return f"{names[instruction.inputs[0]]}[{_subscript(key)}]"
        operands = [names[index] for index in instruction.inputs]
        name = instruction.op.name
        if name in _SIGNS and call == f"{name}({', '.join(operands)})":
            sign = _SIGNS[name]
            return f"{sign}{operands[0]}" if len(operands) == 1 else f"({operands[0]} {sign} {operands[1]})"
        return call.removeprefix("tf.")


def _subscript(key: tuple[Any, ...]) -> str:
    """The key of a slice as one writes it: `0, 1:, ..., ::2`."""
    parts = []
    for each in key:
        if isinstance(each, slice):
            low, high = ("" if bound is None else bound for bound in (each.start, each.stop))
            parts.append(f"{low}:{high}" + ("" if each.step in (None, 1) else f":{each.step}"))
        else:
            parts.append("..." if each is ... else "newaxis" if each is None else str(each))
    return ", ".join(parts)


def bare(formula: str) -> str:
    """A formula without the parentheses around all of it."""
    depth = 0
    for place, character in enumerate(formula):
        depth += (character == "(") - (character == ")")
        if depth == 0 and place < len(formula) - 1:
            return formula
    return formula[1:-1] if formula.startswith("(") else formula
