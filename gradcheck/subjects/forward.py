"""A program carried out forwards on an engine's tensors."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from gradcheck.dtypes import Array, is_differentiable
from gradcheck.engine.evaluate import evaluate
from gradcheck.program import Instruction, Program
from gradcheck.subjects.arrays import Unusable, described
from gradcheck.subjects.findings import called
from gradcheck.subjects.vocabulary import Step


def forward(
    program: Program, inputs: Mapping[str, Array], tensors: Mapping[str, Any], apply: Callable[[Step], Any]
) -> dict[int, Any]:
    """All values that depend on floating or complex inputs, as the engine's own tensors, by index.

    `tensors` are these inputs as tensors of the engine. What depends on none of them (positions, masks, shapes) is
    computed here and handed to the engine's functions as arrays: it is not what is being checked. `apply` gives what
    the engine makes of one instruction. Raises `Unusable` where that is nothing, or text.
    """
    values: dict[int, Any] = {program.inputs[name]: tensor for name, tensor in tensors.items()}
    fixed = fixed_values(program, inputs)
    for instruction in program.instructions:
        if fixed.keys() >= {*instruction.outputs}:
            continue
        result = apply(Step(program, instruction, values, fixed))
        values.update(zip(instruction.outputs, _several(instruction, result), strict=True))
    return values


def moving(program: Program) -> set[int]:
    """The values that depend on a floating or complex input."""
    found = {index for index in program.inputs.values() if is_differentiable(program.types[index].dtype)}
    for instruction in program.instructions:
        if not found.isdisjoint(instruction.inputs):
            found.update(instruction.outputs)
    return found


def fixed_values(program: Program, inputs: Mapping[str, Array]) -> dict[int, Array]:
    """The values that depend on no floating or complex input, by index."""
    free = moving(program)
    made = [index for each in program.instructions for index in each.outputs if index not in free]
    fixed = dict(program.constants)
    fixed |= {index: inputs[name] for name, index in program.inputs.items() if index not in free}
    if made:
        results = evaluate(replace(program, outputs=tuple(made)).pruned(), inputs)
        fixed |= {index: value for index, value in zip(made, results, strict=True) if value is not None}
    return fixed


def _several(instruction: Instruction, result: Any) -> list[Any]:
    count = len(instruction.outputs)
    several = count > 1 or instruction.op.several
    results = result if several else [result]
    if not isinstance(results, (list, tuple)) or len(results) != count:
        raise Unusable(f"{called(instruction)} gives {described(result)}, not {count} tensors")
    for each in results:
        if each is None or isinstance(each, (str, bytes)):
            raise Unusable(f"{called(instruction)} gives {described(each)}, not a tensor")
    return list(results)
