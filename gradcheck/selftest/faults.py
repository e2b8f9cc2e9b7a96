"""A planted fault: one rule of one operation that is wrong, or one function of the walk."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal

from gradcheck.engine import reverse
from gradcheck.ops.declaration import Op, Rule, find_op, substituted
from gradcheck.selftest.changes import Change
from gradcheck.tensors import Tensor


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

    @property
    def family(self) -> str:
        return find_op(self.op).family

    @contextmanager
    def planted(self) -> Iterator[Footprint]:
        footprint = Footprint()
        with substituted(_with_rule(find_op(self.op), self.argument, self.change, footprint)):
            yield footprint


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


def _with_rule(op: Op, argument: int, change: Change, footprint: Footprint) -> Op:
    if op.joint_vjp is not None:
        return replace(op, joint_vjp=_jointly(op.joint_vjp, argument, change, footprint))
    assert op.vjp is not None, f"{op.name} has no rule to spoil"
    right = op.vjp[argument]
    assert right is not None, f"no gradient flows to argument {argument} of {op.name}"
    rules = [*op.vjp]
    rules[argument] = _watched(change(right), footprint)
    return replace(op, vjp=tuple(rules))


def _watched(rule: Rule, footprint: Footprint) -> Rule:
    def watched(*arguments: Any, **attributes: Any) -> Tensor | None:
        footprint.used = True
        return rule(*arguments, **attributes)

    return watched


def _jointly(
    every: Callable[..., Sequence[Tensor | None]], argument: int, change: Change, footprint: Footprint
) -> Callable[..., Sequence[Tensor | None]]:
    """All rules of an operation that has one function for them, with one of its results spoiled."""

    def wrong(g: Any, y: Any, *inputs: Tensor, **attributes: Any) -> Sequence[Tensor | None]:
        parts = [*every(g, y, *inputs, **attributes)]
        if argument < len(parts):
            one = change(lambda *a, **k: every(*a, **k)[argument])
            parts[argument] = _watched(one, footprint)(g, y, *inputs, **attributes)
        return parts

    return wrong
