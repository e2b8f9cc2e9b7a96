"""The user's own tapes: what each has recorded while a program is written, and the gradients that are asked of it."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from gradcheck.dtypes import is_differentiable
from gradcheck.engine.jacobian import jacobian
from gradcheck.engine.reverse import Record, walk
from gradcheck.ops.taping import (
    ACCUMULATE,
    ASSIGN,
    GATHER_ND,
    GRADIENT,
    JACOBIAN,
    JVP,
    NEW,
    PRINT,
    READ,
    SPARSE_READ,
    WATCH,
)
from gradcheck.ops.vocabulary import tf
from gradcheck.program import Instruction, Tape, TensorType
from gradcheck.tensors import Builder, Tensor

Operands = dict[str, Any]


class Tapes:
    """Follows a program as it is written by `builder`; each of its tapes records as `tf.GradientTape` does."""

    def __init__(self, builder: Builder) -> None:
        self._builder = builder
        self._watched: dict[int, set[int]] = defaultdict(set)
        self._records: dict[int, list[Record]] = defaultdict(list)
        self._tangents: dict[int, tuple[Sequence[Tensor], Sequence[Tensor]]] = {}

    def done(self, instruction: Instruction) -> None:
        """Take note of an instruction that has been written: of what was watched, and of what followed from it."""
        if not instruction.tapes:
            return
        record = self._record(instruction)
        for tape in instruction.tapes:
            watched = self._watched[tape.number]
            if instruction.op is READ and tape.watch_accessed:
                watched.add(record.inputs[0].key)
            if any(each.key in watched for each in record.inputs):
                self._records[tape.number].append(record)
                watched.update(each.key for each in record.outputs if is_differentiable(each.dtype))

    def _record(self, instruction: Instruction) -> Record:
        value = self._builder.value
        inputs = [value(index) for index in instruction.inputs]
        return Record(instruction.op, inputs, [value(index) for index in instruction.outputs], instruction.attributes)

    def act(self, instruction: Instruction, operands: Operands, types: Sequence[TensorType]) -> list[Tensor | None]:
        """What an instruction of `gradcheck.ops.taping` gives; None for what is not connected."""
        attributes = instruction.attributes
        if instruction.op in (ASSIGN, PRINT):
            return []
        if instruction.op is NEW:
            return [tf.stop_gradient(operands["initial"])]
        if instruction.op in (SPARSE_READ, GATHER_ND):
            of = {name: operands[name] for name in ("variable", "current")}
            (held,) = self._builder.apply(READ, of, {}, [operands["variable"].type])
            taken = (tf.gather if instruction.op is SPARSE_READ else tf.gather_nd)(held, operands["indices"])
            return [taken]
        tape: Tape = attributes["tape"]
        watched = self._watched[tape.number]
        if instruction.op is WATCH:
            watched.update(each.key for each in operands["tensors"])
            return []
        if instruction.op is ACCUMULATE:
            watched.update(each.key for each in operands["primals"])
            self._tangents[tape.number] = (operands["primals"], operands["tangents"])
            return []
        if instruction.op is JVP:
            pushed = self._pushed(tape, operands["targets"])
            return [
                _zeros(type_) if each is None and attributes["unconnected"] == "zero" else each
                for type_, each in zip(types, pushed, strict=True)
            ]
        sources: Sequence[Tensor] = operands["sources"]
        if instruction.op is GRADIENT:  # a target is a source of itself, watched or not
            watched = watched | {each.key for each in operands["targets"] if each is not None}
        known = [each for each in sources if each.key in watched]
        if instruction.op is GRADIENT:
            given = iter(operands["output_gradients"])
            seeds = [
                (target, next(given) if seeded else tf.ones_like(target))
                for target, seeded in zip(operands["targets"], attributes["given"], strict=True)
            ]
            seeds = [(target, seed) for target, seed in seeds if is_differentiable(target.dtype)]
            found = walk(tuple(self._records[tape.number]), seeds, known)
        else:
            assert instruction.op is JACOBIAN
            found = jacobian(self._records[tape.number], operands["target"], known, batch=attributes["batch"])
        gradients = dict(zip((each.key for each in known), found, strict=True))
        results = [gradients.get(each.key) for each in sources]
        if attributes["unconnected"] == "zero" or attributes.get("batch"):  # TensorFlow's batch_jacobian is never None
            return [_zeros(type_) if part is None else part for type_, part in zip(types, results, strict=True)]
        return results

    def _pushed(self, tape: Tape, targets: Sequence[Tensor]) -> list[Tensor | None]:
        """The tangents of `targets`, by two reverse passes: the first is linear in its cotangents, so that the gradient
        of what it gives, with respect to those cotangents, is the forward derivative (Townsend, 2017)."""
        primals, tangents = self._tangents[tape.number]
        starts = {each.key: tangent for each, tangent in zip(primals, tangents, strict=True)}
        followed = {each.key: each for each in targets if each.key not in starts}
        dummies = {key: tf.identity(tf.zeros_like(each)) for key, each in followed.items()}
        since = len(self._builder.instructions)
        first = [(each, dummies[key]) for key, each in followed.items()]
        gradients = walk(tuple(self._records[tape.number]), first, primals)
        seeds = [(each, tangent) for each, tangent in zip(gradients, tangents, strict=True) if each is not None]
        second = [self._record(each) for each in self._builder.instructions[since:]]
        pushed = dict(zip(dummies, walk(second, seeds, list(dummies.values())), strict=True))
        return [starts.get(each.key, pushed.get(each.key)) for each in targets]


def _zeros(type_: TensorType) -> Tensor:
    zeros: Tensor = tf.zeros(type_.shape, type_.dtype)
    return zeros
