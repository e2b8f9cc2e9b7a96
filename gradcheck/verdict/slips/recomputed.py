"""Slips that show when the gradient is computed again with one thing changed: a cotangent, an operand, an attribute."""

from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Any

import numpy as np

from gradcheck.dtypes import Array, is_differentiable
from gradcheck.engine.evaluate import evaluate
from gradcheck.verdict.slips.replay import program_of
from gradcheck.verdict.slips.scene import (
    FAR,
    LIKELY,
    Guess,
    Guesses,
    Scene,
    axes_text,
    ordinal,
    repeated_axes,
    unbroadcast,
)

MOST_PROBED = 256
"""A Jacobian is computed column by column for no more elements than these."""


def products(scene: Scene) -> Guesses:
    """A matrix product whose operand is transposed in another way, or on the other side."""
    if scene.wrong.op.name != "tf.matmul" or len(scene.inputs) != 2 or not scene.cotangents:
        return
    flags, g, first = scene.wrong.attributes, scene.cotangents[0], scene.wrong.argument == 0
    turned = [bool(flags.get(f"transpose_{each}") or flags.get(f"adjoint_{each}")) for each in "ab"]
    conjugated = [bool(flags.get(f"adjoint_{each}")) for each in "ab"]
    a, b = (
        np.conj(_swapped(x) if turn else x) if conjugate else (_swapped(x) if turn else x)
        for x, turn, conjugate in zip(scene.inputs, turned, conjugated, strict=True)
    )
    other = np.conj(b if first else a)
    ways: list[tuple[str, str, Array]] = [
        ("full-transpose", "uses a full transpose; only the last two axes should be swapped", other.T),
        ("no-transpose", f"uses the {ordinal(int(first))} argument without transposing it", other),
    ]
    if first:
        orders = [(g, way[2]) for way in ways] + [(_swapped(other), g)]
    else:
        orders = [(way[2], g) for way in ways] + [(g, _swapped(other))]
    names = [*ways, ("order", "multiplies in the wrong order", other)]
    mine = 0 if first else 1
    for (kind, sentence, _), (left, right) in zip(names, orders, strict=True):
        product = _product(left, right)
        if product is None:
            continue
        product = _swapped(product) if turned[mine] else product
        product = np.conj(product) if conjugated[mine] else product
        value = unbroadcast(product, scene.right.shape)
        if value is not None:
            yield Guess(kind, sentence, value, scene.usual)


CONVOLUTIONS = ("convolution", "depthwise", "transposed")
"""The families of operations whose second operand is a kernel, its spatial axes first and two of channels behind."""


def kernels(scene: Scene) -> Guesses:
    """A kernel that is flipped where it should not be, or is not where it should."""
    if scene.wrong.op.family not in CONVOLUTIONS or len(scene.inputs) != 2:
        return
    kernel = scene.inputs[1]
    spatial = tuple(range(kernel.ndim - 2))
    for axes in (spatial, *((axis,) for axis in spatial if len(spatial) > 1)):
        if scene.wrong.argument == 1:
            sentence = f"is flipped along {axes_text(axes)}"
            yield Guess("flipped-kernel", sentence, np.flip(scene.right, axes), np.flip(scene.allowed, axes))
        else:
            flipped = (scene.inputs[0], np.flip(kernel, axes))
            sentence = f"uses the kernel the other way round, flipped along {axes_text(axes)}"
            for result in _some(scene.again(inputs=flipped)):
                yield Guess("flipped-kernel", sentence, *result)


def _swapped(x: Array) -> Array:
    return x.swapaxes(-1, -2)


def _product(left: Array, right: Array) -> Array | None:
    try:
        product: Array = np.matmul(left, right)
    except ValueError:
        return None
    return product


def cotangents(scene: Scene) -> Guesses:
    """The incoming cotangent left out, used alone, twice, averaged, of another output."""
    given = tuple(each if is_differentiable(each.dtype) else each.astype(np.float64) for each in scene.cotangents)
    if len(given) == 1:
        own = unbroadcast(given[0], scene.right.shape)
        if own is not None:
            sentence = "is the incoming cotangent itself: the operation's own derivative is missing"
            yield Guess("missing-derivative", sentence, own, scene.usual)
    changes: list[tuple[str, str, Callable[[Array], Array]]] = [
        ("missing-chain", "ignores the incoming cotangent", np.ones_like),
        ("chain-twice", "has the incoming cotangent as a factor twice", lambda g: g * g),
        (
            "averaged",
            "uses the mean of the incoming cotangent for every element",
            lambda g: np.full_like(g, np.mean(g)),
        ),
        ("summed", "uses the sum of the incoming cotangent for every element", lambda g: np.full_like(g, np.sum(g))),
    ]
    if all(each.size for each in given):
        for kind, sentence, change in changes:
            yield from _again(scene, kind, sentence, tuple(map(change, given)))
    for position in range(len(given)) if len(given) > 1 else ():
        without = tuple(np.zeros_like(g) if at == position else g for at, g in enumerate(given))
        sentence = f"leaves out what comes in from the {ordinal(position)} output"
        yield from _again(scene, "missing-output", sentence, without)
    for at in range(len(given) - 1):
        if given[at].shape == given[at + 1].shape and given[at].dtype == given[at + 1].dtype:
            mixed = (*given[:at], given[at + 1], given[at], *given[at + 2 :])
            sentence = f"exchanges the cotangents of the {ordinal(at)} and the {ordinal(at + 1)} output"
            yield from _again(scene, "wrong-output", sentence, mixed)


def conjugates(scene: Scene) -> Guesses:
    if scene.complex:
        turned = tuple(map(np.conj, scene.cotangents))
        for result in _some(scene.again(turned)):
            sentence = "lacks a conjugate of the operation's derivative"
            yield Guess("conjugate-operand", sentence, result[0].conj(), result[1], LIKELY)
            sentence = "uses the complex conjugate of the incoming cotangent"
            yield Guess("conjugate-cotangent", sentence, result[0], result[1], LIKELY)


def selections(scene: Scene) -> Guesses:
    """Elements that are used more than once, and of whose contributions not all arrive.

    Which element of the operand each element of the output is shows when the operation is run on its positions.
    """
    origin = _origin(scene)
    if origin is None:
        return
    places, g = origin[origin > 0] - 1, scene.cotangents[0][origin > 0]
    count, shape = scene.operand.size, scene.right.shape
    total = np.zeros(count, g.dtype)
    np.add.at(total, places, g)
    if not scene.is_right(total.reshape(shape)):
        return  # the operation does more than choose elements
    where = "where an element is used more than once"
    if scene.wrong.op.family in ("gathering", "indexing"):
        where = "where an index repeats"
    last, first = np.zeros_like(total), np.zeros_like(total)
    last[places] = g  # NumPy writes in order, so the last one stays
    first[places[::-1]] = g[::-1]
    for name, value in (("last", last), ("first", first)):
        sentence = f"keeps only the {name} contribution {where}; they should be summed"
        yield Guess("overwritten", sentence, value.reshape(shape), scene.usual)
    nearest = np.zeros_like(total)
    order = np.argsort(-np.abs(g - scene.found.ravel()[places]), kind="stable")
    nearest[places[order]] = g[order]
    sentence = f"keeps only one contribution {where}; they should be summed"
    yield Guess("overwritten", sentence, nearest.reshape(shape), scene.usual, FAR, fitted=True)
    mean = total / np.maximum(np.bincount(places, minlength=count), 1)
    sentence = f"takes the mean of the contributions {where}; they should be summed"
    yield Guess("averaged", sentence, mean.reshape(shape), scene.usual)


def _origin(scene: Scene) -> Array | None:
    """For each element of the output the position, from 1, of the element of the operand that it is; 0 for none."""
    argument = scene.wrong.argument
    if scene.right.size > 2**16 or len(scene.outputs) != 1 or not scene.operand.size:
        return None
    counted = np.arange(1, scene.operand.size + 1).reshape(scene.operand.shape).astype(scene.operand.dtype)
    inputs = tuple(
        counted if at == argument else np.zeros_like(each) if is_differentiable(each.dtype) else each
        for at, each in enumerate(scene.inputs)
    )
    try:
        program, values = program_of(scene.wrong.op, scene.wrong.attributes, inputs, scene.outputs)
        (found,) = evaluate(program, values)
    except Exception:  # an operation may refuse such operands
        return None
    if found is None or found.shape != scene.cotangents[0].shape:
        return None
    found = found.real
    whole = np.isfinite(found) & (found == np.rint(found)) & (found >= 0) & (found <= scene.operand.size)
    return found.astype(np.int64) if whole.all() else None


def contributions(scene: Scene) -> Guesses:
    """A broadcast operand, whose contributions are not all summed, or along another axis."""
    shape = scene.right.shape
    parts, slack = next(_parts(scene), (None, None))
    axes = None if parts is None else repeated_axes(parts.shape, shape)
    if parts is None or not axes or not parts.size:
        return
    for some in [axes, *((axis,) for axis in axes if len(axes) > 1)]:
        for name, index in (("first", 0), ("last", -1)):
            kept = parts
            for axis in some:
                kept = np.take(kept, [index], axis)
            sentence = f"keeps only the {name} contribution along {axes_text(some)}; they should be summed"
            yield Guess("one-contribution", sentence, kept.sum(axes).reshape(shape), slack)
    for others in combinations(range(parts.ndim), len(axes)):
        other = parts.sum(others)
        if others != axes and other.size == scene.right.size:
            sentence = f"is summed over {axes_text(others)} instead of {axes_text(axes)}"
            yield Guess("wrong-axis", sentence, other.reshape(shape), slack)


def _parts(scene: Scene) -> Iterator[tuple[Array, Array]]:
    """What a broadcast operand receives before it is summed, in the shape that it was broadcast to.

    With it the slack of a sum of all of these.
    """
    argument, shape = scene.wrong.argument, scene.right.shape
    for full in _broadcast_shapes(scene):
        if repeated_axes(full, shape):
            spread = np.broadcast_to(scene.operand, full).copy()
            result = scene.again(inputs=(*scene.inputs[:argument], spread, *scene.inputs[argument + 1 :]))
            for parts, slack in [*_some(result), (scene.cotangents[0], scene.usual)]:
                summed = unbroadcast(parts, shape) if parts.shape == full else None
                total = unbroadcast(np.broadcast_to(slack, full), shape)
                if summed is not None and total is not None and scene.is_right(summed, total):
                    yield parts, total


def _broadcast_shapes(scene: Scene) -> Iterator[tuple[int, ...]]:
    """The shapes that an operand may have been broadcast to: the output's, or a batch of its own matrices."""
    if len(scene.inputs) > 1 and scene.outputs:
        out = scene.outputs[0].shape
        yield out
        if scene.operand.ndim >= 2 and len(out) >= 2:
            yield (*out[:-2], *scene.operand.shape[-2:])


def other_arrangements(scene: Scene) -> Guesses:
    """Another axis than the call's; a permutation or a shift that is not undone."""
    ndim = scene.operand.ndim
    for name, value in scene.wrong.attributes.items():
        whole = value if isinstance(value, tuple) else (value,)
        if name not in ("axis", "perm", "shift") or not all(type(each) is int for each in whole):
            continue
        if name == "axis" and len(whole) == 1 and ndim:
            own = whole[0] % ndim
            for axis in range(ndim):
                if axis != own:
                    sentence = f"goes along axis {axis} instead of axis {own}"
                    yield from _called(scene, name, (axis,) if value is whole else axis, "wrong-axis", sentence)
        if name == "perm":
            inverse = tuple(int(each) for each in np.argsort(whole))
            sentence = "permutes the axes as the operation does; the inverse permutation belongs here"
            yield from _called(scene, name, inverse, "permutation", sentence)
        if name == "shift":
            back = tuple(-each for each in whole)
            sentence = "is shifted the same way as the operation shifts; it should be shifted back"
            yield from _called(scene, name, back if value is whole else back[0], "not-undone", sentence)


def other_flags(scene: Scene) -> Guesses:
    """A flag of the call that is taken for its opposite."""
    for name, value in scene.wrong.attributes.items():
        if isinstance(value, bool):
            sentence = f"is that of the same call with `{name}={not value}`"
            yield from _called(scene, name, not value, "flag", sentence)


def _called(scene: Scene, name: str, value: Any, kind: str, sentence: str) -> Iterator[Guess]:
    for result in _some(scene.again(attributes={**scene.wrong.attributes, name: value})):
        yield Guess(kind, sentence, *result)


def other_operands(scene: Scene) -> Guesses:
    """The derivative at another point: operands exchanged or not transposed, the output in the operand's place."""
    inputs, argument = scene.inputs, scene.wrong.argument
    if len(inputs) == 2 and inputs[0].dtype == inputs[1].dtype:
        for result in _some(scene.again(inputs=inputs[::-1])):
            if result[0].shape == scene.right.shape:
                yield Guess("exchanged-operands", "is computed with the two operands exchanged", *result)
    if [(y.shape, y.dtype) for y in scene.outputs] == [(scene.operand.shape, scene.operand.dtype)]:
        at_output = (*inputs[:argument], scene.outputs[0], *inputs[argument + 1 :])
        for result in _some(scene.again(inputs=at_output)):
            sentence = "takes the operation's derivative at its output instead of its operand"
            yield Guess("at-output", sentence, *result)
    for position, each in enumerate(inputs):
        if each.ndim >= 2 and is_differentiable(each.dtype) and each.shape[-1] == each.shape[-2]:
            turned = (*inputs[:position], _swapped(each), *inputs[position + 1 :])
            for result in _some(scene.again(inputs=turned)):
                sentence = f"has the {ordinal(position)} argument transposed where it should not be, or the reverse"
                yield Guess("operand-transposed", sentence, *result)


def diagonal(scene: Scene) -> Guesses:
    """Each element treated on its own, where the output's elements depend on several of the operand's."""
    out = scene.cotangents[0] if len(scene.cotangents) == 1 else None
    if out is None or out.shape != scene.right.shape or not 1 < out.size <= MOST_PROBED:
        return
    own, slack = np.zeros(out.size, scene.right.dtype), np.zeros(out.size)
    for position in range(out.size):
        probe = np.zeros(out.size, out.dtype)
        probe[position] = out.flat[position]
        result = scene.again((probe.reshape(out.shape),))
        if result is None or result[0].shape != out.shape or not np.can_cast(result[0].dtype, own.dtype, "same_kind"):
            return  # a complex answer where a real one belongs is no diagonal
        own[position] = result[0].astype(own.dtype).flat[position]
        slack[position] = np.broadcast_to(result[1], out.shape).flat[position]
    sentence = "treats each element on its own: only the diagonal of the Jacobian is used"
    yield Guess("diagonal", sentence, own.reshape(out.shape), slack.reshape(out.shape))


def _again(scene: Scene, kind: str, sentence: str, given: tuple[Array, ...]) -> Iterator[Guess]:
    for result in _some(scene.again(given)):
        yield Guess(kind, sentence, *result)


def _some(result: tuple[Array, Any] | None) -> Iterator[tuple[Array, Any]]:
    if result is not None:
        yield result
