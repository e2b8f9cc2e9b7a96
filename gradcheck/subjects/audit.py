"""Which operation of an engine changes an array that others may still read: forward and backward passes, watched."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from gradcheck.engines import Remark, Request
from gradcheck.program import Instruction, Program
from gradcheck.subjects.arrays import Lent
from gradcheck.subjects.findings import called
from gradcheck.subjects.tensor_engine import TensorEngine
from gradcheck.subjects.vocabulary import Step


def audit(engine: TensorEngine, request: Request) -> tuple[Remark, ...]:
    """The operations that change their operands in place, and the first whose backward pass changes any value so.

    Raises whatever the engine raises.
    """
    program = request.program
    found: list[Remark] = []

    def apply(step: Step) -> Any:
        instruction = step.instruction
        held = _Held(engine, {index: step.values[index] for index in instruction.inputs if index in step.values})
        result = engine.vocabulary.apply(step)
        if held.changed():
            which = "its operand" if len(instruction.inputs) == 1 else "an operand"
            found.append(_remark(f"{called(instruction)} changes {which} in place", program, instruction))
        return result

    sources, values = engine.recorded(request, Lent(), apply)
    if _changes(engine, sources, values, program.outputs):
        guilty = next((each for each in program.instructions if _guilty(engine, request, each)), None)
        whose = f" of {called(guilty)}" if guilty else ""
        found.append(_remark(f"the backward pass{whose} changes a value in place", program, guilty))
    return tuple(found)


class _Held:
    """The numbers of tensors as they were at one moment."""

    def __init__(self, engine: TensorEngine, tensors: Mapping[int, Any]) -> None:
        self._engine = engine
        self._tensors = list(tensors.values())
        self._before = [np.array(engine.array(each)) for each in self._tensors]

    def changed(self) -> bool:
        """Whether one of them has other numbers now."""
        after = [np.asarray(self._engine.array(each)) for each in self._tensors]
        return any(
            (one.shape, one.tobytes()) != (two.shape, two.tobytes())
            for one, two in zip(self._before, after, strict=True)
        )


def _changes(engine: TensorEngine, sources: list[Any], values: dict[int, Any], targets: Iterable[int | None]) -> bool:
    """Whether a backward pass from one of the targets changes any value."""
    held = _Held(engine, values)
    for index in targets:
        if index in values:
            engine.differentiated(values[index], sources, None)
    return held.changed()


def _guilty(engine: TensorEngine, request: Request, instruction: Instruction) -> bool:
    """Whether a backward pass that begins at an instruction changes any value: so does none that begins before it."""
    program = replace(request.program, outputs=instruction.outputs).pruned()
    sources, values = engine.recorded(replace(request, program=program), Lent(), engine.vocabulary.apply)
    return _changes(engine, sources, values, instruction.outputs)


def _remark(sentence: str, program: Program, instruction: Instruction | None) -> Remark:
    position = next((at for at, each in enumerate(program.instructions) if each is instruction), None)
    return Remark("mutation", sentence, position)
