"""A planted fault: one rule of one operation that is wrong, or one function of the walk."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal

from gradcheck.engine import reverse
from gradcheck.ops.declaration import Op, Rule, find_op, substituted
from gradcheck.selftest.changes import Change
from gradcheck.tensors import Tensor

Rules = Callable[..., Sequence[Tensor | None]]
"""The rules of all arguments at once, as `Op.joint_vjp` has them."""


class Footprint:
    """Whether what was planted has been used at all: a suite that never gets there cannot catch it."""

    def __init__(self) -> None:
        self.used = False


@dataclass(frozen=True)
class Fault:
    """A wrong rule. Planting it gives a context in which the table has it, and its `Footprint`."""

    name: str
    """What is wrong, as the end of a sentence about the gradient."""
    op: str
    argument: int
    """Of which operand, counted in the order of `Instruction.inputs`."""
    kind: str
    """The slip's identifier, as `gradcheck.verdict.slips` has it."""
    change: Change
    acts: Callable[..., bool] = lambda *_, **__: True
    """For what the rule is called with, whether the fault can show at all."""

    @property
    def family(self) -> str:
        return find_op(self.op).family

    @contextmanager
    def planted(self) -> Iterator[Footprint]:
        footprint = Footprint()
        with substituted(self._spoiled(find_op(self.op), footprint)):
            yield footprint

    def _spoiled(self, op: Op, footprint: Footprint) -> Op:
        if op.joint_vjp is not None:
            return replace(op, joint_vjp=self._jointly(op.joint_vjp, footprint))
        assert op.vjp is not None, f"{op.name} has no rule to spoil"
        right = op.vjp[self.argument]
        assert right is not None, f"no gradient flows to argument {self.argument} of {op.name}"
        rules = [*op.vjp]
        rules[self.argument] = self._either(right, footprint)
        return replace(op, vjp=tuple(rules))

    def _either(self, right: Rule, footprint: Footprint) -> Rule:
        """The wrong rule where the fault acts, the right one elsewhere."""
        wrong = self.change(right)

        def either(*arguments: Any, **attributes: Any) -> Tensor | None:
            if not self.acts(*arguments, **attributes):
                return right(*arguments, **attributes)
            footprint.used = True
            return wrong(*arguments, **attributes)

        return either

    def _jointly(self, every: Rules, footprint: Footprint) -> Rules:
        """All rules of an operation that has one function for them, with one of its results spoiled."""
        argument = self.argument
        one = self._either(lambda *arguments, **attributes: every(*arguments, **attributes)[argument], footprint)

        def wrong(*arguments: Any, **attributes: Any) -> Sequence[Tensor | None]:
            parts = [*every(*arguments, **attributes)]
            if argument < len(parts):
                parts[argument] = one(*arguments, **attributes)
            return parts

        return wrong


@dataclass(frozen=True)
class WalkFault:
    """A fault of the reverse walk: a wrong function in the place of one of `gradcheck.engine.reverse`."""

    name: str
    function: Literal["unbroadcast", "_contribute"]
    kind: str
    acts: Callable[..., bool]
    """For the function's arguments, whether the fault shows there."""
    wrong: Callable[..., Any]

    op: str = "the walk"
    argument: int = 0
    family: str = "walk"

    @contextmanager
    def planted(self) -> Iterator[Footprint]:
        footprint = Footprint()
        right = getattr(reverse, self.function)

        def either(*arguments: Any) -> Any:
            if not self.acts(*arguments):
                return right(*arguments)
            footprint.used = True
            return self.wrong(*arguments)

        setattr(reverse, self.function, either)
        try:
            yield footprint
        finally:
            setattr(reverse, self.function, right)


AnyFault = Fault | WalkFault
