"""What a mistake may be, how hypotheses are ordered, and how places of a program are called."""

from dataclasses import dataclass
from typing import Literal

from gradcheck.program import Instruction, Program
from gradcheck.verdict.slips.scene import ordinal

RANKS = {
    **dict.fromkeys(("left-out", "fan-out", "exchanged", "missing-chain", "mean-for-sum", "sum-for-mean"), 0),
    **dict.fromkeys(("slope", "other-value", "summed", "averaged", "chain-twice"), 2),
    "sign": 4,
    "factor": 5,
}
"""The less there is to choose in a kind of mistake, the sooner it is believed; what is not named is 1."""
OF_ALL = 3
"""One factor in all gradients."""
DESCRIBED = 7
FITTED = 6
DESCRIPTIONS = ("leak", "dropped", "border", "triangle", "tie", "addend", "narrow", "not-finite", "zeros", "dtype")
"""Kinds that say what the numbers look like rather than how they came about."""


@dataclass(frozen=True, eq=False)
class Hypothesis:
    """One mistake that gives the gradients that were found."""

    kind: str
    clause: str
    """What has to be so for these gradients to come out: "the contribution of `tf.square` to `d` is left out"."""
    covers: frozenset[int]
    """The sources whose wrong gradients it explains; it leaves all others as they are."""
    rank: int
    instruction: Instruction | None = None
    """The operation at which the mistake is made; None where it is none of them."""
    argument: int | None = None
    position: int = 0
    """How far from the sources the operation is."""


def rank(kind: str, *, fitted: bool = False) -> int:
    """The place of a kind of mistake in the order of belief, the first being 0."""
    if fitted:
        return FITTED
    return DESCRIBED if kind in DESCRIPTIONS else RANKS.get(kind, 1)


class Names:
    """How the operations and values of an expanded program are called in the user's terms."""

    def __init__(self, program: Program, own: Program) -> None:
        self._program = program
        self._makers = {index: each for each in program.instructions for index in each.outputs}
        self._compositions = {id(each.span): each for each in own.instructions if each.op.composite and each.span}

    def operation(self, instruction: Instruction) -> str:
        """An operation as findings name it: "`tf.square` in `tf.nn.moments` (line 8)"."""
        line = f" (line {instruction.span.line})" if instruction.span else ""
        within = self._compositions.get(id(instruction.span))
        inside = f" in `{within.op.name}`" if within is not None and within.op is not instruction.op else ""
        return f"`{instruction.op.name}`{inside}{line}"

    def value(self, index: int) -> str:
        """A value by the user's name for it, or as what an operation gives."""
        named = self._program.names.get(index) or {at: name for name, at in self._program.inputs.items()}.get(index)
        if named:
            return f"`{named}`"
        return f"what {self.operation(self._makers[index])} gives"

    def gradient(self, instruction: Instruction, argument: int) -> str:
        """What an operation hands back to one of its operands."""
        if len(instruction.inputs) == 1:
            return f"the gradient of {self.operation(instruction)}"
        return f"the gradient of {self.operation(instruction)} with respect to its {ordinal(argument)} argument"


def listed(names: list[str], word: Literal["and", "or"] = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    *most, last = names
    return f"{', '.join(most)} {word} {last}" if most else last
