"""A program in any language as an engine: newline-delimited JSON over its standard input and output."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from gradcheck.dtypes import Array
from gradcheck.engines import Cotangents, Failure, Outcome, Request
from gradcheck.ops.declaration import find_op
from gradcheck.program import Instruction, Program
from gradcheck.subjects.answers import Total, require
from gradcheck.subjects.arrays import Unusable, checked
from gradcheck.subjects.child import Child, Ended
from gradcheck.subjects.findings import Lacking, called, failure
from gradcheck.subjects.forward import fixed_values
from gradcheck.subjects.protocol import (
    ANSWER,
    INTRODUCTION,
    VERSION,
    Answer,
    Constant,
    Hello,
    Input,
    Introduction,
    Message,
    Numbers,
    Operation,
    ProgramMessage,
    Refusal,
    Run,
    attribute,
    decoded,
    encoded,
)
from gradcheck.subjects.vocabulary import arguments

PATIENCE = 60.0
"""Seconds that a program may take to say hello."""
_QUOTED = 80
"""How much of a malformed line is shown."""

Said = TypeVar("Said", Introduction, Answer | Refusal)
Item = TypeVar("Item")


class Unstarted(Exception):
    """The program cannot be started, or does not say hello; the message says why."""


@dataclass(eq=False)
class CommandEngine:
    """A program that is started once and answers one line of JSON for each that it reads; see `protocol`.

    It is started again after it has ended, by itself or because it did not keep to the protocol. Making an engine
    starts its program; raises `Unstarted`.
    """

    name: str
    """What the program calls itself, once it has been started."""
    command: tuple[str, ...]
    folder: str
    conventions: Mapping[str, str] = field(default_factory=dict, init=False)
    """Where the engine differs from TensorFlow by choice: by operation, in words."""
    _introduction: Introduction = field(init=False)
    _operations: frozenset[str] | None = field(init=False)
    _child: Child | None = field(default=None, init=False)
    _runs: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._start()

    def run(self, request: Request) -> Outcome | Failure:
        """The program's answer; what depends on no floating or complex input is computed here beforehand."""
        try:
            require(request, self._introduction.dtypes, twice=self._introduction.second_order)
            return self._run(request)
        except Ended as ended:
            return Failure("crashed", str(ended), ended.details)
        except Unstarted as error:
            return Failure("error", str(error))
        except Exception as error:  # as with every stranger's engine, the other cases go on
            return failure(error)

    def stop(self) -> None:
        """End the program; the next request starts it again."""
        if self._child is not None:
            self._child.stop()
            self._child = None

    def _start(self) -> Child:
        """The program, after the exchange of greetings."""
        try:
            self._child = child = Child(self.command, self.folder)
        except FileNotFoundError:
            raise Unstarted(f"there is no program `{self.command[0]}`") from None
        except OSError as error:
            raise Unstarted(f"`{self.command[0]}` cannot be run: {error.strerror}") from None
        try:
            self._introduction = self._exchange(child, Hello(type="hello", protocol=VERSION), INTRODUCTION, PATIENCE)
            self._operations = _operations(self._introduction)
        except Ended as ended:
            raise Unstarted(f"{ended} before it said hello\n{ended.details}".rstrip()) from None
        except Unusable as error:
            self.stop()
            raise Unstarted(str(error)) from None
        self.name = self._introduction.name
        self.conventions = self._introduction.conventions
        return child

    def _run(self, request: Request) -> Outcome | Failure:
        fixed = fixed_values(request.program, request.inputs)
        targets = [index for index in request.program.outputs if index is not None]
        asked = [index for index in targets if index not in fixed]
        values = dict(fixed)
        totals = [Total(request) for _ in request.cotangents]
        if asked:
            answer = self._asked(request, asked, fixed)
            if isinstance(answer, Failure):
                return answer
            for index, output in zip(asked, _several(answer.outputs, len(asked), "outputs"), strict=True):
                values[index] = checked(decoded(output, "its output"), request.program.types[index], "its output")
            for total, gradients in zip(
                totals, _several(answer.gradients, len(totals), "sets of gradients"), strict=True
            ):
                total.add(_decoded(gradients, request.sources))
        return Outcome(tuple(values[index] for index in targets), tuple(total.gradients for total in totals))

    def _asked(self, request: Request, asked: Sequence[int], fixed: Mapping[int, Array]) -> Answer | Failure:
        """The program's answer about those targets of a request that depend on something."""
        program = replace(request.program, outputs=tuple(asked)).pruned()
        steps = [each for each in program.instructions if not fixed.keys() >= {*each.outputs}]
        for step in steps:
            if self._operations is not None and step.op.name not in self._operations:
                raise Lacking(f"{called(step)} is not among its operations")
        self._runs += 1
        message = Run(
            type="run",
            id=self._runs,
            program=_program(program, steps, fixed),
            inputs={
                name: encoded(request.inputs[name]) for name, index in program.inputs.items() if index not in fixed
            },
            sources=list(request.sources),
            cotangents=[_cotangents(request, asked, each) for each in request.cotangents],
            unconnected=request.unconnected,
            directions=None
            if request.directions is None
            else [each if each is None else encoded(each) for each in request.directions],
        )
        answer = self._exchange(self._child or self._start(), message, ANSWER)
        if answer.id != message.id:
            self.stop()
            raise Unusable(f"it answers run {answer.id} where run {message.id} was asked")
        return _failure(answer, steps) if isinstance(answer, Refusal) else answer

    def _exchange(
        self, child: Child, message: Message, kind: TypeAdapter[Said], patience: float = threading.TIMEOUT_MAX
    ) -> Said:
        """What the program says to a message; it is ended if that is no message of the kind that belongs there."""
        try:
            line = child.ask(message.model_dump_json(), patience)
        except Ended:
            self._child = None
            raise
        try:
            return kind.validate_json(line)
        except ValidationError as error:
            self.stop()
            raise Unusable(_malformed(line, error)) from None


def _operations(introduction: Introduction) -> frozenset[str] | None:
    """The operations that the program says it has, by the names that programs use; raises `Unusable`."""
    if introduction.protocol != VERSION:
        raise Unusable(f"it speaks version {introduction.protocol} of the protocol, gradcheck version {VERSION}")
    try:
        return (
            None
            if introduction.operations is None
            else frozenset(find_op(each).name for each in introduction.operations)
        )
    except KeyError as error:
        raise Unusable(f"{error.args[0]} in its list of operations is not an operation") from None


def _program(program: Program, steps: Sequence[Instruction], fixed: Mapping[int, Array]) -> ProgramMessage:
    read = {index for step in steps for index in step.inputs}
    return ProgramMessage(
        inputs=[
            Input(name=name, index=index, dtype=program.types[index].dtype.name, shape=list(program.types[index].shape))
            for name, index in program.inputs.items()
            if index not in fixed
        ],
        constants=[Constant(index=index, value=encoded(fixed[index])) for index in sorted(read & fixed.keys())],
        operations=[_operation(step) for step in steps],
        outputs=[index for index in program.outputs if index is not None],
    )


def _operation(step: Instruction) -> Operation:
    required, optional = arguments(step)
    try:
        attributes = {name: attribute(value) for name, value in {**required, **optional}.items()}
    except TypeError as error:
        raise Lacking(f"{called(step)}: {error}") from None
    return Operation(
        op=step.op.name,
        operands={name: list(each) if isinstance(each, tuple) else each for name, each in step.operands},
        attributes=attributes,
        outputs=list(step.outputs),
        line=step.span.line if step.span else None,
    )


def _cotangents(request: Request, asked: Sequence[int], cotangents: Cotangents) -> list[Numbers | None]:
    """The cotangents of the targets that are asked about."""
    targets = [index for index in request.program.outputs if index is not None]
    return [
        None if each is None else encoded(each)
        for index, each in zip(targets, cotangents, strict=True)
        if index in asked
    ]


def _several(found: Sequence[Item], count: int, what: str) -> Sequence[Item]:
    if len(found) != count:
        raise Unusable(f"it gives {len(found)} {what} where {count} belong")
    return found


def _decoded(gradients: Sequence[Numbers | None], sources: Sequence[str]) -> list[Array | None]:
    _several(gradients, len(sources), "gradients")
    return [
        None if each is None else decoded(each, f"its gradient with respect to `{name}`")
        for name, each in zip(sources, gradients, strict=True)
    ]


def _failure(refusal: Refusal, steps: Sequence[Instruction]) -> Failure:
    """What the program refuses with, and the operation that it is about by its name and line."""
    about = ""
    if refusal.operation is not None and refusal.operation < len(steps):
        about = f"{called(steps[refusal.operation])}: "
    return Failure(refusal.kind, f"{about}{refusal.message}", refusal.details)


def _malformed(line: str, error: ValidationError) -> str:
    start = line[:_QUOTED] + ("…" if len(line) > _QUOTED else "")
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        return f"it printed `{start}` where a line of the protocol belongs"
    place = ".".join(map(str, first["loc"]))
    return f"its answer `{start}` is malformed: {f'{place}: ' if place else ''}{first['msg']}"
