"""`tf.autodiff.ForwardAccumulator`, on tensors that are computed at once."""

from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

import numpy as np

from gradcheck.dtypes import is_differentiable
from gradcheck.engine.draft import Draft
from gradcheck.engine.eager import EAGER, EagerTensor, converted
from gradcheck.engine.reverse import Record, walk
from gradcheck.engine.tape import GradientTape, Unconnected
from gradcheck.engine.variable import Variable, differentiated
from gradcheck.nests import leaves, packed
from gradcheck.ops.taping import CUSTOM
from gradcheck.tensors import Tensor


class ForwardAccumulator:
    """Carries a direction along with what is computed: `jvp` gives how fast a result changes in it.

    >>> x = tensor([1.0, 2.0])
    >>> with ForwardAccumulator(x, tensor([1.0, 10.0])) as accumulator:
    ...     y = x * x
    >>> accumulator.jvp(y).numpy()
    array([ 2., 40.], dtype=float32)

    `primals` are tensors or variables, or nested lists, tuples and dicts of them; `tangents` have one direction of the
    same shape for each. Around a `GradientTape` it gives the product of a Hessian and a vector. Tapes and accumulators
    that were there before it follow what it computes. Raises `TypeError` for a primal that is neither a tensor nor a
    variable, `ValueError` for tangents that do not fit or a primal that is given twice.
    """

    def __init__(self, primals: Any, tangents: Any) -> None:
        starts = [differentiated(each, "a primal") for each in leaves(primals)]
        directions = leaves(tangents)
        if len(starts) != len(directions):
            raise ValueError(f"{len(starts)} primals need as many tangents, not {len(directions)}")
        if len({each.key for each in starts}) < len(starts):
            raise ValueError("a primal is given twice; give it once, with the sum of its tangents")
        self._recording = False
        self._tangents: dict[int, EagerTensor] = {}
        for start, direction in zip(starts, directions, strict=True):
            tangent = converted(direction, start.type, "the tangent of a primal")
            if is_differentiable(start.dtype):
                self._tangents[start.key] = tangent

    def __enter__(self) -> Self:
        if self._recording:
            raise ValueError("this accumulator is recording already")
        self._recording = True
        EAGER.recorders.append(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._recording = False
        EAGER.recorders.remove(self)

    def jvp(self, primals: Any, unconnected_gradients: Unconnected = "none") -> Any:
        """The tangents of `primals`, in their structure: the Jacobian of each times the direction.

        What does not depend on the primals of the accumulator gives None, or zeros if asked for. Raises `TypeError`
        for what is neither a tensor nor a variable.
        """
        if unconnected_gradients not in ("none", "zero"):
            raise ValueError(f"unconnected_gradients is 'none' or 'zero', not {unconnected_gradients!r}")
        targets = [differentiated(each, "what a derivative is asked of") for each in leaves(primals)]
        found = [self._tangents.get(each.key) for each in targets]
        if unconnected_gradients == "zero":
            found = [
                EagerTensor(np.zeros(target.shape, target.dtype)) if each is None else each
                for target, each in zip(targets, found, strict=True)
            ]
        return packed(primals, iter(found))

    def record(self, record: Record) -> None:
        """Carry the tangents of an operation's inputs over to its outputs."""
        tangents = [self._tangents.get(each.key) for each in record.inputs]
        if all(each is None for each in tangents):
            return
        before = EAGER.recorders[: EAGER.recorders.index(self)]
        with EAGER.followed_by(before):
            carried = _carried(record, tangents)
        for output, tangent in zip(record.outputs, carried, strict=True):
            if tangent is not None:
                self._tangents[output.key] = tangent

    def accessed(self, variable: Variable) -> None:
        """A variable needs no attention: its tangent, if it has one, was given at the start."""


def _carried(record: Record, tangents: Sequence[EagerTensor | None]) -> Sequence[EagerTensor | None]:
    """The tangents of the outputs, by two reverse walks over the one operation.

    The first is linear in its cotangent; so the gradient of what it gives, with respect to that cotangent, is the
    forward derivative (Townsend, 2017). The first walk is written, not computed.
    """
    if record.op.name == CUSTOM.name:
        return _carried_by_user(record, tangents)
    draft = Draft()
    copy = draft.record(record)
    directions = {
        each.key: (each, draft.copy(tangent))
        for each, tangent in zip(copy.inputs, tangents, strict=True)
        if tangent is not None
    }
    with draft.writing():
        dummies: list[Tensor] = [draft.copy(_zeros(each)) for each in record.outputs]
        parts = walk([copy], zip(copy.outputs, dummies, strict=True), [each for each, _ in directions.values()])
        pairs = zip(parts, directions.values(), strict=True)
        seeds = [(part, direction) for part, (_, direction) in pairs if part is not None]
        found = walk(draft.records(), seeds, dummies)
    return draft.carried_out(found)


def _carried_by_user(record: Record, tangents: Sequence[EagerTensor | None]) -> Sequence[EagerTensor | None]:
    """The same for a function with a custom gradient, whose rule is Python of the user's and needs numbers.

    Where the tangents have come through the function's own operations they are taken from there, as in TensorFlow.
    """
    own = tangents[-len(record.outputs) :]
    if any(each is not None for each in own):
        return own
    assert record.op.joint_vjp is not None
    dummies = [_zeros(each) for each in record.outputs]
    with GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(dummies)
        parts = record.op.joint_vjp(dummies, list(record.outputs), *record.inputs)
    pairs = [(part, each) for part, each in zip(parts, tangents, strict=True) if part is not None and each is not None]
    found: list[EagerTensor | None] = tape.gradient(
        [part for part, _ in pairs], dummies, output_gradients=[each for _, each in pairs]
    )
    return found


def _zeros(like: Tensor) -> EagerTensor:
    """Zeros that take no memory: hardly any rule reads the cotangent that they stand for."""
    return EagerTensor(np.broadcast_to(np.zeros((), like.dtype), like.shape))
