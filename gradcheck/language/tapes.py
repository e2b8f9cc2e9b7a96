"""`tf.GradientTape` and `tf.autodiff.ForwardAccumulator` in an expression."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import Any, Literal

from gradcheck.dtypes import DType
from gradcheck.engine.expand import Expansion
from gradcheck.language.objects import Method
from gradcheck.language.static import StaticError
from gradcheck.language.structures import NotConnected, as_tensor, leaves, packed
from gradcheck.language.variables import Variable
from gradcheck.ops.declaration import Op
from gradcheck.ops.taping import ACCUMULATE, GRADIENT, JACOBIAN, JVP, WATCH
from gradcheck.program import Tape, TensorType
from gradcheck.tensors import Builder, Tensor, Value

Unconnected = Literal["none", "zero"]

_SPENT = "a tape gives one set of gradients; `tf.GradientTape(persistent=True)` gives any number"


class Taping:
    """Makes the tapes and accumulators of one expression."""

    def __init__(self, builder: Builder) -> None:
        self.builder = builder
        self._expansion = Expansion(builder)
        self._numbers = count(1)

    def connected(self, values: Sequence[Tensor]) -> "list[Tensor | NotConnected]":
        """The values of the last instruction, those that our own walk does not reach being not connected."""
        made: list[Tensor | NotConnected] = []
        for value in values:
            assert isinstance(value, Value)
            made.append(value if self._expansion.connected(value) else NotConnected(value))
        return made

    @property
    def constructors(self) -> dict[str, Any]:
        """By the names under which the language has them."""
        return {
            "tf.GradientTape": Method("tf.GradientTape", self._tape),
            "tf.autodiff.ForwardAccumulator": Method("tf.autodiff.ForwardAccumulator", self._accumulator),
            "tf.gradients": Method("tf.gradients", self._gradients),
            "tf.hessians": Method("tf.hessians", self._hessians),
        }

    def _gradients(
        self,
        ys: Any,
        xs: Any,
        grad_ys: Any = None,
        name: Any = None,
        gate_gradients: Any = False,
        aggregation_method: Any = None,
        stop_gradients: Any = None,
        unconnected_gradients: Unconnected = "none",
    ) -> Any:
        """`tf.gradients`: a graph knows how everything in it came about."""
        if stop_gradients is not None:
            raise StaticError("`stop_gradients` is not part of the language: write `tf.stop_gradient`")
        sources = leaves(xs)
        tape = self._recorded_since_the_start(sources)
        return list(tape.members["gradient"](leaves(ys), sources, grad_ys, unconnected_gradients))

    def _hessians(self, ys: Any, xs: Any, *_: Any, **__: Any) -> Any:
        sources = leaves(xs)
        first = self._gradients(ys, sources)
        tape = self._recorded_since_the_start(sources)
        return [tape.members["jacobian"](of, by) for of, by in zip(first, sources, strict=True)]

    def _recorded_since_the_start(self, sources: Sequence[Any]) -> "GradientTape":
        """A tape that has followed `sources` from where they were made."""
        steps = self.builder.instructions
        tape = GradientTape(self, Tape(next(self._numbers), "tape", persistent=True))
        made = {_source(each).key for each in sources}
        first = 1 + max((at for at, step in enumerate(steps) if not made.isdisjoint(step.outputs)), default=-1)
        tape.members["watch"](list(sources))
        steps.insert(first, steps.pop())
        steps[first:] = [replace(each, tapes=(*each.tapes, tape.tape)) for each in steps[first:]]
        return tape

    def _tape(self, persistent: bool = False, watch_accessed_variables: bool = True) -> "GradientTape":
        tape = Tape(next(self._numbers), "tape", bool(persistent), bool(watch_accessed_variables))
        return GradientTape(self, tape)

    def _accumulator(self, primals: Any, tangents: Any) -> "ForwardAccumulator":
        return ForwardAccumulator(self, Tape(next(self._numbers), "accumulator"), primals, tangents)


class GradientTape:
    """A tape of the expression; it records while it is among the builder's tapes."""

    kind = "a tape"

    def __init__(self, taping: Taping, tape: Tape) -> None:
        self._taping = taping
        self._builder = taping.builder
        self.tape = tape
        self._used = False

    def enter(self) -> "GradientTape":
        _start(self._builder, self.tape)
        return self

    def leave(self) -> None:
        _stop(self._builder, self.tape)

    @property
    def members(self) -> Mapping[str, Any]:
        return {
            "watch": Method("watch", self._watch),
            "gradient": Method("gradient", self._gradient),
            "jacobian": Method("jacobian", self._jacobian),
            "batch_jacobian": Method("batch_jacobian", self._batch_jacobian),
            "stop_recording": Method("stop_recording", lambda: Pause(self._builder, self.tape)),
        }

    def _watch(self, tensor: Any) -> None:
        watched = tuple(_source(each) for each in leaves(tensor))
        self._builder.apply(WATCH, {"tensors": watched}, {"tape": self.tape}, [])

    def _gradient(
        self, target: Any, sources: Any, output_gradients: Any = None, unconnected_gradients: Unconnected = "none"
    ) -> Any:
        targets = [_tensor(each, "target") for each in leaves(target)]
        by = [_source(each) for each in leaves(sources)]
        given = [None] * len(targets) if output_gradients is None else leaves(output_gradients)
        if len(given) != len(targets):
            raise StaticError(f"{len(targets)} targets need as many output_gradients, not {len(given)}")
        cotangents = [
            _typed(each, to.dtype, "cotangent") for each, to in zip(given, targets, strict=True) if each is not None
        ]
        operands = {"targets": tuple(targets), "sources": tuple(by), "output_gradients": tuple(cotangents)}
        attributes = {
            "tape": self.tape,
            "unconnected": _unconnected(unconnected_gradients),
            "given": tuple(each is not None for each in given),
        }
        found = self._asked(GRADIENT, operands, attributes, [each.type for each in by])
        return packed(sources, iter(found))

    def _jacobian(
        self,
        target: Any,
        sources: Any,
        unconnected_gradients: Unconnected = "none",
        parallel_iterations: Any = None,
        experimental_use_pfor: Any = True,
    ) -> Any:
        del parallel_iterations, experimental_use_pfor  # how TensorFlow computes it, not what
        of = _tensor(target, "target")
        by = [_source(each) for each in leaves(sources)]
        operands = {"target": of, "sources": tuple(by)}
        attributes = {"tape": self.tape, "unconnected": _unconnected(unconnected_gradients), "batch": False}
        types = [TensorType((*of.shape, *each.shape), each.dtype) for each in by]
        return packed(sources, iter(self._asked(JACOBIAN, operands, attributes, types)))

    def _batch_jacobian(
        self,
        target: Any,
        source: Any,
        unconnected_gradients: Unconnected = "none",
        parallel_iterations: Any = None,
        experimental_use_pfor: Any = True,
    ) -> Any:
        del parallel_iterations, experimental_use_pfor
        of, by = _tensor(target, "target"), _source(source)
        if not of.ndim or not by.ndim or of.shape[0] != by.shape[0]:
            raise StaticError(f"`batch_jacobian` needs one first axis: {list(of.shape)} and {list(by.shape)} differ")
        operands = {"target": of, "sources": (by,)}
        attributes = {"tape": self.tape, "unconnected": _unconnected(unconnected_gradients), "batch": True}
        type_ = TensorType((*of.shape, *by.shape[1:]), by.dtype)
        return self._asked(JACOBIAN, operands, attributes, [type_])[0]

    def _asked(
        self, op: Op, operands: dict[str, Any], attributes: dict[str, Any], types: Sequence[TensorType]
    ) -> "list[Tensor | NotConnected]":
        """The instruction's values, those that no path leads to as such. A tape that is not persistent ends with it."""
        if self._used and not self.tape.persistent:
            raise StaticError(_SPENT)
        self._used = True
        tapes = self._builder.tapes
        if not self.tape.persistent:
            self._builder.tapes = tuple(each for each in tapes if each is not self.tape)
        try:
            values = self._builder.apply(op, operands, attributes, types)
        finally:
            self._builder.tapes = tapes
        return self._taping.connected(values)


class Pause:
    """`with t.stop_recording():`."""

    def __init__(self, builder: Builder, tape: Tape) -> None:
        self._builder = builder
        self._tape = tape

    def enter(self) -> None:
        _stop(self._builder, self._tape)

    def leave(self) -> None:
        _start(self._builder, self._tape)


class ForwardAccumulator:
    """Tangents carried forwards from `primals`, while it is among the builder's tapes."""

    kind = "a forward accumulator"

    def __init__(self, taping: Taping, tape: Tape, primals: Any, tangents: Any) -> None:
        self._taping = taping
        self._builder = taping.builder
        self.tape = tape
        self._primals = tuple(_source(each) for each in leaves(primals))
        self._tangents = tuple(
            _typed(each, primal.dtype, "tangent") for each, primal in zip(leaves(tangents), self._primals, strict=True)
        )
        for primal, tangent in zip(self._primals, self._tangents, strict=True):
            if primal.type != tangent.type:
                raise StaticError(f"a tangent {tangent.type} does not fit a primal {primal.type}")

    def enter(self) -> "ForwardAccumulator":
        operands = {"primals": self._primals, "tangents": self._tangents}
        self._builder.apply(ACCUMULATE, operands, {"tape": self.tape}, [])
        _start(self._builder, self.tape)
        return self

    def leave(self) -> None:
        _stop(self._builder, self.tape)

    @property
    def members(self) -> Mapping[str, Any]:
        return {"jvp": Method("jvp", self._jvp)}

    def _jvp(self, primals: Any, unconnected_gradients: Unconnected = "none") -> Any:
        targets = tuple(_tensor(each, "primal") for each in leaves(primals))
        attributes = {"tape": self.tape, "unconnected": _unconnected(unconnected_gradients)}
        tapes = self._builder.tapes
        self._builder.tapes = tuple(each for each in tapes if each is not self.tape)
        try:
            values = self._builder.apply(JVP, {"targets": targets}, attributes, [each.type for each in targets])
        finally:
            self._builder.tapes = tapes
        return packed(primals, iter(self._taping.connected(values)))


def _start(builder: Builder, tape: Tape) -> None:
    builder.tapes = (*builder.tapes, tape)


def _stop(builder: Builder, tape: Tape) -> None:
    builder.tapes = tuple(each for each in builder.tapes if each is not tape)


def _source(value: Any) -> Tensor:
    if isinstance(value, Variable):
        return value.handle
    return _tensor(value, "source")


def _tensor(value: Any, what: str) -> Tensor:
    if isinstance(value, Variable):
        return value.read()
    if isinstance(value, NotConnected):
        raise StaticError(f"the {what} is None: a gradient that is not connected")
    if what == "source" and not isinstance(value, Tensor):
        raise StaticError(f"a source must be a tensor or a variable, not {value!r}")
    return as_tensor(value)


def _typed(value: Any, dtype: DType, what: str) -> Tensor:
    """A tensor as it is, a number in the given dtype."""
    return _tensor(value, what) if isinstance(value, (Variable, NotConnected)) else as_tensor(value, dtype)


def _unconnected(value: Any) -> Unconnected:
    if value not in ("none", "zero"):
        raise StaticError(f"unconnected_gradients is 'none' or 'zero', not {value!r}")
    chosen: Unconnected = value
    return chosen
