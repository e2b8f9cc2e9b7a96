"""Writing the explanation of a case: the walk of our engine, followed step by step."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from math import prod

import numpy as np

from gradcheck.diagnostics import Diagnostic, Refused, did_you_mean
from gradcheck.dtypes import Array, is_differentiable
from gradcheck.engine.differentiate import Gradient, gradient
from gradcheck.engine.evaluate import evaluate
from gradcheck.engine.reverse import Visit
from gradcheck.explanation.formulas import Formulas, value_names
from gradcheck.explanation.lines import lines
from gradcheck.explanation.record import Contribution, Explanation, Handed, Made, Named, Part, Received, Step
from gradcheck.language import Lowered
from gradcheck.ops.declaration import OpError
from gradcheck.program import Instruction, Program, producers

SMALL = 8
"""How many elements a value may have that is shown without being asked for."""


def explain(lowered: Lowered, *, variable: str | None = None, values: bool = False) -> Explanation:
    """The lesson of a case: its lines, then the backward pass of its targets.

    With `variable`, an input, only that pass which leads to it. Small values of the forward program are computed, with
    `values` all of them and those of the backward pass. Raises `Refused` if the case has no input of that name.
    """
    sources = _sources(lowered, variable)
    program = lowered.program
    if whole_derivative(lowered):
        quantities = zip(program.outputs, lowered.quantities, strict=True)
        targets = tuple(index for index, quantity in quantities if quantity.kind == "output")
        program = replace(program, outputs=targets).pruned()
    written = gradient(program, sources, keep_trail=True)
    return _Writer(lowered, written, sources, variable, values=values).explanation()


def whole_derivative(lowered: Lowered) -> bool:
    """Whether the case asks for a derivative that its program computes itself."""
    return lowered.case.derivative != "gradient"


_REFUSALS = (OpError, np.linalg.LinAlgError, ArithmeticError, ValueError, IndexError)
"""What NumPy may say of operands that an operation cannot work on, such as a singular matrix."""


def _sources(lowered: Lowered, variable: str | None) -> tuple[str, ...]:
    inputs = lowered.program.inputs
    if variable is not None:
        found = _leaves(variable, inputs)
        if not found:
            message = f"case `{lowered.case.id}` has no input `{variable}` to follow"
            help_ = did_you_mean(variable, [*lowered.case.inputs, *inputs])
            raise Refused([Diagnostic("unknown-variable", message, lowered.case.span, help_)])
        return found
    if not whole_derivative(lowered):
        return lowered.sources
    if lowered.case.wrt is not None:
        return tuple(leaf for name in lowered.case.wrt for leaf in _leaves(name, inputs))
    return tuple(name for name, index in inputs.items() if is_differentiable(lowered.program.types[index].dtype))


def _leaves(name: str, inputs: Iterable[str]) -> tuple[str, ...]:
    """The tensors of an input: itself, or those of a nested one."""
    return tuple(each for each in inputs if each == name or each.partition("[")[0] == name)


class _Writer:
    """What the parts of one explanation share: names, formulas and values."""

    def __init__(
        self, lowered: Lowered, written: Gradient, sources: Sequence[str], variable: str | None, *, values: bool
    ) -> None:
        self._lowered = lowered
        self._written = written
        self._sources = sources
        self._variable = variable
        self._forward = written.forward
        self._names = value_names(written.forward)
        self._formulas = Formulas(written.complete, self._names)
        self._producers = producers(written.forward.instructions)
        self._fault: str | None = None
        self._values = self._all_values() if values else self._small_values()
        self._reached: dict[int, list[Contribution]] = defaultdict(list)
        self._unwritten: set[int] = set()  # what has received something that no formula says

    def explanation(self) -> Explanation:
        forward = self._forward
        self._seed()
        parts = tuple(self._parts())
        steps = tuple(self._step(number, visit) for number, visit in enumerate(self._written.trail.visits))
        return Explanation(
            case=self._lowered.case,
            variable=self._variable,
            inputs=tuple(map(self._named, forward.inputs.values())),
            lines=lines(self._lowered.case.expr, forward.instructions, self._made),
            targets=tuple(self._names[index] for index in forward.outputs if index is not None),
            steps=steps,
            gradients=tuple(self._gradient(position, name) for position, name in enumerate(self._sources)),
            parts=parts,
            fault=self._fault,
        )

    def _seed(self) -> None:
        """The targets' own cotangents: the contributions with which the walk begins."""
        given = self._lowered.case.output_gradients
        for position, (target, name) in enumerate(zip(self._forward.outputs, self._written.cotangents, strict=True)):
            if target is None or name is None or target not in self._written.trail.contributions:
                continue
            formula = f"ones_like({self._names[target]})"
            if given is not None:
                formula = "output_gradient" if len(given) == 1 else f"output_gradient[{position}]"
            value = self._values.get(self._written.complete.inputs[name])
            self._reached[target].append(Contribution(None, formula, value))

    def _step(self, number: int, visit: Visit) -> Step:
        """One visit; what it hands on is noted for those that receive it."""
        local: dict[int, str] = {}
        whole: dict[int, str] = {}
        received: list[Received] = []
        for output, cotangent in zip(visit.record.outputs, visit.cotangents, strict=True):
            if cotangent is not None:
                local[cotangent.key] = f"d({self._names[output.key]})"
                whole[cotangent.key] = self._sum(output.key)
                received.append(self._received(output.key, cotangent.key))
        labels = self._written.complete.labels
        handed: list[Handed] = []
        pairs = zip(visit.record.inputs, visit.parts, strict=True)
        parts = [(to.key, part.key) for to, part in pairs if part is not None]
        spelled = True
        for to, part in parts:
            value = self._values.get(part)
            formula = self._formulas.within(part, local)
            spelled = spelled and formula is not None
            formula = formula or labels[part]
            handed.append(Handed(self._names[to], formula, value))
            reached = self._formulas.within(part, whole) or formula
            self._reached[to].append(Contribution(number, reached, value))
            if formula == labels[part]:
                self._unwritten.add(to)
        rule = tuple(
            f"{', '.join(labels[each] for each in made.outputs)} = {self._formulas.call(made, local)}"
            for made in self._formulas.needed((part for _, part in parts), local)
        )
        made = self._made(self._producers[visit.record.outputs[0].key])
        return Step(made, tuple(received), rule, spelled, tuple(handed))

    def _sum(self, index: int) -> str:
        """What reached a value along one path, written out; `d(...)` where paths meet, or where that is too long."""
        terms = self._reached[index]
        alone = len(terms) == 1 and index not in self._unwritten
        return terms[0].formula if alone else f"d({self._names[index]})"

    def _received(self, index: int, total: int | None) -> Received:
        value = None if total is None else self._values.get(total)
        return Received(self._names[index], self._forward.types[index], tuple(self._reached[index]), value)

    def _gradient(self, position: int, name: str) -> Received:
        total = self._written.complete.outputs[len(self._forward.outputs) + position]
        return self._received(self._forward.inputs[name], total)

    def _parts(self) -> Iterator[Part]:
        """The derivative that the case asks for, where that is not the gradient; only by `variable` if it is given."""
        lowered = self._lowered
        if not whole_derivative(lowered):
            return
        try:
            found = evaluate(lowered.program, lowered.inputs)
        except _REFUSALS as error:
            self._fault = self._fault or str(error)
            return
        for quantity, value in zip(lowered.quantities, found, strict=True):
            by = {each.partition("[")[0] for each in quantity.name.split("/")}
            concerned = self._variable is None or quantity.kind == "jvp" or self._variable.partition("[")[0] in by
            if quantity.kind != "output" and concerned:
                yield Part(quantity.kind, quantity.name, value)

    def _named(self, index: int) -> Named:
        return Named(self._names[index], self._forward.types[index], self._values.get(index))

    def _made(self, instruction: Instruction) -> Made:
        constants = self._forward.constants
        operands = tuple(self._names[index] for index in instruction.inputs if index not in constants)
        outputs = tuple(map(self._named, instruction.outputs))
        return Made(instruction.op, outputs, self._formulas.call(instruction, {}), operands)

    def _all_values(self) -> Mapping[int, Array]:
        """Every value of the gradient program, for the case's own cotangents."""
        cotangents = [
            cotangent
            for cotangent, quantity in zip(self._lowered.cotangents, self._lowered.quantities, strict=True)
            if quantity.kind == "output"
        ]
        return self._computed(self._written.complete, self._written.seeded(self._lowered.inputs, cotangents))

    def _small_values(self) -> Mapping[int, Array]:
        """The values of the forward program that are small."""
        return self._computed(self._forward, self._lowered.inputs, SMALL)

    def _computed(self, program: Program, inputs: Mapping[str, Array], most: int | None = None) -> Mapping[int, Array]:
        made = (index for each in program.instructions for index in each.outputs)
        wanted = [
            index
            for index in (*program.inputs.values(), *made)
            if most is None or prod(program.types[index].shape) <= most
        ]
        try:
            found = evaluate(replace(program, outputs=tuple(wanted)).pruned(), inputs)
        except _REFUSALS as error:
            self._fault = str(error)
            return {}
        return {index: value for index, value in zip(wanted, found, strict=True) if value is not None}
