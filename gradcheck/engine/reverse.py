"""The reverse walk: from the operations that were recorded to the cotangents of their inputs.

It stands on the operations alone, so that the same walk differentiates a program that is being written and one that
is running eagerly; what it does is itself made of operations, and can be differentiated again.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from gradcheck.dtypes import is_differentiable
from gradcheck.ops.declaration import Op
from gradcheck.ops.vocabulary import tf
from gradcheck.program import Shape
from gradcheck.tensors import Tensor


class Record(NamedTuple):
    """One operation that took place: its tensors in and out."""

    op: Op
    inputs: Sequence[Tensor]
    outputs: Sequence[Tensor]
    attributes: Mapping[str, Any]


@dataclass
class Visit:
    """What the walk did at one record, kept for those who want to see it: `gradcheck explain`."""

    record: Record
    cotangents: list[Tensor | None]
    parts: list[Tensor | None]


@dataclass
class Trail:
    """The walk's visits in order, and for each value (by key) the contributions that were summed."""

    visits: list[Visit] = field(default_factory=list)
    contributions: dict[int, list[Tensor]] = field(default_factory=dict)


def walk(
    records: Sequence[Record],
    seeds: Iterable[tuple[Tensor, Tensor]],
    sources: Sequence[Tensor],
    trail: Trail | None = None,
) -> list[Tensor | None]:
    """The cotangents of `sources`, None where no path leads to them.

    `records` are in the order in which they took place, which is topological; `seeds` are the targets with their
    cotangents. Contributions to one value are summed in the order in which they arrive. Nothing recurses: the cost is
    linear in the number of records, however their paths branch and meet.
    """
    connected = _reached(records, sources)
    wanted = {source.key for source in sources}
    cotangents: dict[int, Tensor] = {}
    for target, seed in seeds:
        if target.key in connected:
            _contribute(cotangents, target, seed, trail)
    found: dict[int, Tensor] = {}
    for record in reversed(records):
        incoming = [cotangents.pop(output.key, None) for output in record.outputs]
        for output, cotangent in zip(record.outputs, incoming, strict=True):
            if cotangent is not None and output.key in wanted:
                found[output.key] = cotangent
        if all(each is None for each in incoming):
            continue
        parts = _parts(record, incoming, connected)
        for tensor, part in zip(record.inputs, parts, strict=True):
            if part is not None:
                _contribute(cotangents, tensor, part, trail)
        if trail is not None:
            trail.visits.append(Visit(record, incoming, parts))
    return [found.get(source.key, cotangents.get(source.key)) for source in sources]


def _reached(records: Sequence[Record], sources: Sequence[Tensor]) -> set[int]:
    """The keys of all values that depend on a source through operations that pass gradients on."""
    reached = {source.key for source in sources if is_differentiable(source.dtype)}
    for record in records:
        rules = record.op.vjp
        for position, tensor in enumerate(record.inputs):
            passes = record.op.joint_vjp is not None or (rules is not None and rules[position] is not None)
            if passes and tensor.key in reached:
                reached.update(output.key for output in record.outputs if is_differentiable(output.dtype))
                break
    return reached


def _parts(record: Record, incoming: Sequence[Tensor | None], connected: set[int]) -> list[Tensor | None]:
    """What a record hands to each of its inputs, in the shape of that input."""
    op, inputs = record.op, record.inputs
    g: Any = incoming[0]
    y: Any = record.outputs[0]
    if len(record.outputs) > 1 or op.several:
        g = [tf.zeros_like(out) if each is None else each for each, out in zip(incoming, record.outputs, strict=True)]
        y = list(record.outputs)
    wanted = [tensor.key in connected for tensor in inputs]
    if op.joint_vjp is not None:
        every = op.joint_vjp(g, y, *inputs, **record.attributes)
        parts = [part if want else None for part, want in zip(every, wanted, strict=True)]
    else:
        assert op.vjp is not None, f"{op.name} is on the path of a gradient but has no rule"
        parts = [
            rule(g, y, *inputs, **record.attributes) if rule is not None and want else None
            for rule, want in zip(op.vjp, wanted, strict=True)
        ]
    return [
        None if part is None else unbroadcast(part, tensor.shape) for part, tensor in zip(parts, inputs, strict=True)
    ]


def _contribute(cotangents: dict[int, Tensor], tensor: Tensor, part: Tensor, trail: Trail | None) -> None:
    """Add one contribution to what `tensor` has received so far."""
    key = tensor.key
    cotangents[key] = cotangents[key] + part if key in cotangents else part
    if trail is not None:
        trail.contributions.setdefault(key, []).append(part)


def unbroadcast(part: Tensor, shape: Shape) -> Tensor:
    """`part` summed over the axes along which an operand of `shape` was repeated, or repeated where it is constant."""
    if part.shape == shape:
        return part
    extra = part.ndim - len(shape)
    if extra < 0:
        repeated: Tensor = tf.broadcast_to(part, shape)
        return repeated
    axes = [*range(extra), *(extra + axis for axis, size in enumerate(shape) if size == 1 != part.shape[extra + axis])]
    summed: Tensor = tf.reduce_sum(part, axis=axes) if axes else part
    if summed.shape == shape:
        return summed
    if summed.ndim < len(shape):
        summed = tf.reshape(summed, tuple(1 if extra + axis in axes else size for axis, size in enumerate(shape)))
    return summed if summed.shape == shape else tf.broadcast_to(summed, shape)
