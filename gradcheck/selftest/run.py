"""The loop of `gradcheck selftest`: every fault planted in turn, and whether the cases catch it."""

import warnings
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gradcheck.asking import request
from gradcheck.casefile.case import Case
from gradcheck.diagnostics import Refused
from gradcheck.dtypes import DTYPES, is_complex
from gradcheck.engine.expand import expand
from gradcheck.engine.numpy_engine import NumpyEngine
from gradcheck.engines import Failure, Outcome, Request
from gradcheck.language import Lowered, lower
from gradcheck.ops.declaration import find_op
from gradcheck.program import Instruction, Program
from gradcheck.selftest.faults import AnyFault, Fault
from gradcheck.verdict.diagnosis import explained
from gradcheck.verdict.inquiry import Inquiry
from gradcheck.verdict.judge import judge
from gradcheck.verdict.record import Accused, Call, Result, Status
from gradcheck.verdict.rounding import unit_roundoff
from gradcheck.verdict.tolerance import Allowance, allowance

if TYPE_CHECKING:
    from gradcheck.reference.worker import ReferenceWorker
    from gradcheck.workers import Pending

AHEAD = 16
"""How many cases the reference is ahead, so that neither side waits."""


class Breakable:
    """Our engine with wrong rules in it, which may fail in ways that right ones do not."""

    name = NumpyEngine.name

    def run(self, request: Request) -> Outcome | Failure:
        try:
            with warnings.catch_warnings(action="ignore"):  # of what a wrong rule casts
                return NumpyEngine().run(request)
        except Exception as error:  # whatever a wrong rule leads to
            return Failure("error", f"{type(error).__name__}: {error}")


@dataclass(frozen=True, eq=False)
class Subject:
    """A case with everything that no fault of our engine changes."""

    lowered: Lowered
    asked: Request
    reference: Outcome | Failure
    roundings: tuple[Allowance, ...]
    """By how much it may differ; empty where there is no outcome to compare."""
    called: frozenset[str]
    """The operations that the case itself calls."""
    used: frozenset[str]
    """Those that these are made of."""

    @property
    def case(self) -> Case:
        return self.lowered.case


@dataclass(frozen=True, eq=False)
class Finding:
    """What became of one fault."""

    fault: AnyFault
    covered: bool
    """Whether the wrong rule was used at all by one of the cases."""
    candidates: int = 0
    """How many cases use the operation."""
    caught: Case | None = None
    """The first case that did not pass."""
    blamed: bool = False
    """Whether exactly the faulty operation was accused."""
    accused: tuple[str, ...] = ()
    """What was accused, by operation."""
    slip: str | None = None
    """The identifier of the slip that was named."""

    @property
    def named(self) -> bool:
        return self.blamed and self.slip == self.fault.kind


@dataclass(frozen=True, eq=False)
class Suite:
    """The cases that faults are tried on, and those that do not pass, or not even run, without any fault."""

    subjects: tuple[Subject, ...]
    alarms: tuple[Result, ...]
    not_run: tuple[Case, ...]
    count: int


def prepare(cases: Iterable[Case], reference: "ReferenceWorker") -> Suite:
    """Run everything once without a fault. A case that does not pass is a false alarm, and catches nothing later."""
    waiting: deque[tuple[Lowered, Request, tuple[Allowance, ...], Pending[Outcome]]] = deque()
    subjects: list[Subject] = []
    alarms: list[Result] = []
    not_run: list[Case] = []
    count = 0

    def finish() -> None:
        lowered, asked, roundings, pending = waiting.popleft()
        subject = _subject(lowered, asked, roundings, pending.result())
        result = _compared(subject, asked, reference)
        if result.status is Status.PASSED:
            subjects.append(subject)
        elif result.status is Status.FAILED:
            alarms.append(result)
        else:
            not_run.append(result.case)

    for case in cases:
        if case.skip is not None:
            continue
        count += 1
        try:
            lowered = lower(case)
        except Refused:
            if case.expect.error is None:
                not_run.append(case)
            continue  # a case that is about a refusal has no gradient to protect
        asked = request(lowered)
        pending = reference.submit(asked)
        roundings = (allowance(asked),) if isinstance(Breakable().run(asked), Outcome) else ()
        waiting.append((lowered, asked, roundings, pending))
        if len(waiting) == AHEAD:
            finish()
    while waiting:
        finish()
    return Suite(tuple(subjects), tuple(alarms), tuple(not_run), count)


def _subject(lowered: Lowered, asked: Request, roundings: tuple[Allowance, ...], answer: Outcome | Failure) -> Subject:
    called, used = (
        frozenset(each.op.name for each in program.instructions)
        for program in (lowered.program, expand(lowered.program))
    )
    return Subject(lowered, asked, answer, roundings, called, used)


@dataclass(frozen=True, eq=False)
class Selftest:
    """All findings, and what they add up to. Shares are of the faults that the cases cover."""

    suite: Suite
    findings: tuple[Finding, ...]

    @property
    def covered(self) -> list[Finding]:
        return [each for each in self.findings if each.covered]

    @property
    def caught(self) -> list[Finding]:
        return [each for each in self.findings if each.caught is not None]

    @property
    def blamed(self) -> list[Finding]:
        return [each for each in self.findings if each.blamed]

    @property
    def named(self) -> list[Finding]:
        return [each for each in self.findings if each.named]

    @property
    def passed(self) -> bool:
        """Whether all that is covered was caught, without a false alarm."""
        return len(self.caught) == len(self.covered) and not self.suite.alarms


def try_faults(faults: Iterable[AnyFault], suite: Suite, reference: "ReferenceWorker") -> Iterator[Finding]:
    """Plant each fault in turn and run the cases that use its operation, up to the first that fails."""
    for fault in faults:
        candidates = _candidates(fault, suite.subjects)
        with fault.planted() as footprint:
            finding = _tried(fault, candidates, reference)
        yield replace(finding, covered=footprint.used, candidates=len(candidates))


def _tried(fault: AnyFault, candidates: Sequence[Subject], reference: "ReferenceWorker") -> Finding:
    broken: Finding | None = None
    for subject in candidates:
        asked = replace(subject.asked, program=_renewed(subject.asked.program))
        result = _compared(subject, asked, reference)
        if result.status is Status.FAILED:
            return _finding(fault, subject, result)
        if result.status is Status.NOT_RUN:  # the wrong rule does not even fit the shapes, which shows without numbers
            broken = broken or _finding(fault, subject, result)
    return broken or Finding(fault, covered=False)


def _candidates(fault: AnyFault, subjects: Sequence[Subject]) -> list[Subject]:
    """The cases that the fault may show in, those first that say most about it.

    They call the operation itself, and their numbers are real and have many digits.
    """
    within = [each for each in subjects if not isinstance(fault, Fault) or fault.op in each.used]
    return sorted(within, key=lambda each: (fault.op not in each.called, *_coarseness(each.case)))


def _coarseness(case: Case) -> tuple[bool, float]:
    dtype = DTYPES[case.dtype]
    return is_complex(dtype), unit_roundoff(dtype)


def _renewed(program: Program) -> Program:
    """The program with the operations as they are in the table now."""
    instructions = tuple(replace(each, op=find_op(each.op.name)) for each in program.instructions)
    return replace(program, instructions=instructions)


def _compared(subject: Subject, asked: Request, reference: "ReferenceWorker") -> Result:
    """The verdict on our engine as it is now, explained where something differs."""
    engine = Breakable()
    sides = (engine.name, reference.name)
    result = judge(subject.lowered, sides, engine.run(asked), subject.reference, subject.roundings)
    return result if result.status is Status.PASSED else explained(result, asked, engine, reference, Inquiry())


def _finding(fault: AnyFault, subject: Subject, result: Result) -> Finding:
    accused = result.diagnosis.accused if result.diagnosis else ()
    program = subject.asked.program
    return Finding(
        fault,
        covered=True,
        caught=subject.case,
        blamed=bool(accused) and all(_rightly(fault, each, program) for each in accused),
        accused=tuple(dict.fromkeys(each.call.operation for each in accused)),
        slip=accused[0].slip if accused else None,  # what the user reads first
    )


def _rightly(fault: AnyFault, accused: Accused, program: Program) -> bool:
    """Whether it is the fault that is blamed; of an operation that composes from others, a part that is faulty."""
    called = [each for each in program.instructions if Call(each.op.name, each.span) == accused.call]
    composite = any(each.op.composite for each in called)
    if isinstance(fault, Fault):
        if composite:
            return any(fault.op in _made_of(each, program) for each in called)
        return (accused.kind, accused.call.operation, accused.argument) == ("gradient", fault.op, fault.argument)
    if composite:
        return True
    if fault.kind == "fan-out":
        return accused.kind == "fan-out"
    argument = accused.argument
    return (
        accused.kind == "gradient"
        and argument is not None
        and any(_broadcast(each, argument, program) for each in called)
    )


def _made_of(instruction: Instruction, program: Program) -> set[str]:
    """The operations that an instruction is made of: what it opens into keeps its span."""
    return {each.op.name for each in expand(program).instructions if each.span == instruction.span}


def _broadcast(instruction: Instruction, argument: int, program: Program) -> bool:
    """Whether an operand is repeated to the shape of the result."""
    operand = program.types[instruction.inputs[argument]].shape
    return any(program.types[index].shape != operand for index in instruction.outputs)
