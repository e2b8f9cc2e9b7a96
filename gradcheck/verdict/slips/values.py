"""Slips that show in the numbers of the right gradient alone: moved, scaled, conjugated, right in places."""

from collections.abc import Iterator
from itertools import permutations

import numpy as np

from gradcheck.dtypes import Array
from gradcheck.verdict.slips.scene import (
    FAR,
    LIKELY,
    Guess,
    Guesses,
    Scene,
    Slip,
    axes_text,
    ordinal,
    repeated_axes,
    unit,
)

NARROWER: dict[str, tuple[tuple[str, float, int], ...]] = {
    "float64": (("bfloat16", 2.0**-8, 8), ("float16", 2.0**-11, 11), ("float32", 2.0**-24, 24)),
    "complex128": (("complex64", 2.0**-24, 24),),
    "float32": (("bfloat16", 2.0**-8, 8), ("float16", 2.0**-11, 11)),
}
"""By dtype, those with fewer digits, the fewest first: the unit round-off and how many bits they keep."""
COPIES = ("tf.broadcast_to", "tf.tile", "tf.repeat", "tf.fill", "tf.nn.bias_add")
MOST_PERMUTED = 4


def special(scene: Scene) -> Guesses:
    """Zero everywhere; not finite in places."""
    if not scene.found.any():
        yield Slip("zeros", "is zero everywhere")
    broken = ~np.isfinite(scene.found) & np.isfinite(scene.right)
    if broken.any() and not broken.all() and not (scene.wrong_at & ~broken).any():
        yield Slip("not-finite", f"is not finite at {_count(broken)}; the others are right")


def sign(scene: Scene) -> Guesses:
    yield Guess("sign", "has the wrong sign", -scene.right, chance=LIKELY)


def factors(scene: Scene) -> Guesses:
    """How many elements were summed or averaged; 2; how long an axis is."""
    for n in _summed(scene):
        if scene.wrong.op.name == "tf.reduce_mean":
            yield _scaled(scene, 1 / n, "divided-twice", f"is n = {n} times too small: it is divided by n twice")
        yield _scaled(scene, 1 / n, "mean-for-sum", f"is n = {n} times too small: a mean where a sum belongs")
        yield _scaled(scene, n, "sum-for-mean", f"is n = {n} times too large: a sum where a mean belongs")
    yield _scaled(scene, 2, "factor", "is 2 times too large")
    yield _scaled(scene, 0.5, "factor", "is 2 times too small")
    yield _scaled(scene, -2, "factor", "has the wrong sign and is 2 times too large")
    yield _scaled(scene, -0.5, "factor", "has the wrong sign and is 2 times too small")
    for n in _lengths(scene):
        yield _scaled(scene, 1 / n, "factor", f"is n = {n} times too small, n being the size of an axis")
        yield _scaled(scene, n, "factor", f"is n = {n} times too large, n being the size of an axis")


def _scaled(scene: Scene, factor: float, kind: str, sentence: str) -> Guess:
    return Guess(kind, sentence, factor * scene.right, abs(factor) * scene.allowed, LIKELY)


def _summed(scene: Scene) -> list[int]:
    """How many elements meet in one: of the operand in a reduction, of the cotangent where the operand is repeated."""
    op, operand = scene.wrong.op, scene.operand
    if not scene.outputs:
        return []
    out = scene.outputs[0]
    if op.family == "reduction" and 0 < out.size < operand.size:
        return [operand.size // out.size]
    if not 0 < operand.size < out.size or out.size % operand.size:
        return []
    broadcasts = len(scene.inputs) > 1 and repeated_axes(out.shape, operand.shape) is not None
    return [out.size // operand.size] if broadcasts or op.name in COPIES else []


def _lengths(scene: Scene) -> list[int]:
    lengths = {size for each in (*scene.inputs, *scene.outputs) for size in (*each.shape, each.size)}
    return sorted(each for each in lengths if each > 2)


def complex_parts(scene: Scene) -> Guesses:
    if scene.complex:
        right = scene.right
        yield Guess("conjugate", "is the complex conjugate of what it should be", right.conj(), chance=LIKELY)
        yield Guess("real-part", "has lost its imaginary part", right.real, chance=LIKELY)
        yield Guess("imaginary-part", "has lost its real part", 1j * right.imag, chance=LIKELY)
        yield Guess("imaginary-part", "has the imaginary part in place of the real one", right.imag, chance=LIKELY)


def ties(scene: Scene) -> Guesses:
    """Right but where the operation has no derivative."""
    kinks, wrong = _kinks(scene), scene.wrong_at
    if kinks is not None and not wrong.all() and not (wrong & ~kinks).any():
        yield Slip("tie", f"is wrong only where the operation has a kink, such as a tie: at {_count(wrong)}")


def leaks(scene: Scene) -> Guesses:
    """Right but for elements that should receive nothing."""
    wrong, right = scene.wrong_at, scene.right
    if (~wrong & (right != 0)).any() and (right[wrong] == 0).all():
        yield Slip("leak", f"has values where it should be zero, at {_count(wrong)}; the others are right")


def places(scene: Scene) -> Guesses:
    """Right but for some elements that have something in common."""
    wrong, right = scene.wrong_at, scene.right
    agreed = ~wrong & (right != 0)
    if not agreed.any():
        return
    if (scene.found[wrong] == 0).all():
        yield from _triangles(scene)
        yield Slip("dropped", f"is zero where it should not be, at {_count(wrong)}; the others are right")
    for axis, size in enumerate(right.shape):
        for name, index in (("first", 0), ("last", size - 1)):
            if size > 2 and set(np.nonzero(wrong)[axis]) == {index} and agreed.sum() > 1:
                yield Slip("border", f"is wrong only at the {name} index of axis {axis}")


def _triangles(scene: Scene) -> Iterator[Slip]:
    if scene.right.ndim >= 2:
        for name, part in (("lower", np.tril), ("upper", np.triu)):
            if not scene.found[part(np.ones(scene.right.shape)) == 0].any():
                kept = part(np.ones(scene.right.shape)) != 0
                if not (scene.wrong_at & kept).any() and np.any(scene.found):
                    yield Slip("triangle", f"keeps only the {name} triangle")


def _kinks(scene: Scene) -> Array | None:
    """Where the operation has no derivative in the operand; None if that is not known element by element."""
    op, operand = scene.wrong.op, scene.operand
    if op.kink is None or operand.size == 0:
        return None
    if op.family in ("reduction", "ordering", "pooling"):  # ties are among the elements of the operand itself
        _, inverse, counts = np.unique(operand, return_inverse=True, return_counts=True)
        repeated: Array = (counts > 1)[inverse].reshape(operand.shape)
        return repeated
    try:
        margin = np.asarray(op.kink(*scene.inputs, **scene.wrong.attributes))
    except Exception:  # a margin that cannot be computed tells nothing
        return None
    near = np.abs(margin) <= 8 * unit(scene.dtype) * np.max(np.abs(operand), initial=1.0, where=np.isfinite(operand))
    return near if near.shape == operand.shape else None


def moved(scene: Scene) -> Guesses:
    """The right numbers in the wrong places."""
    right, allowed = scene.right, scene.allowed
    last = tuple(range(right.ndim))
    for order in permutations(last) if 2 <= right.ndim <= MOST_PERMUTED else ():
        if order != last and right.transpose(order).shape == right.shape:
            yield Guess("transposed", _transposition(order), right.transpose(order), allowed.transpose(order))
    for axis in range(right.ndim):
        yield Guess("reversed", f"is reversed along axis {axis}", np.flip(right, axis), np.flip(allowed, axis))
    if right.ndim > 1:
        yield Guess("reversed", "is reversed along every axis", np.flip(right), np.flip(allowed))
    for axis in range(right.ndim):
        for by, way in ((1, "towards the end"), (-1, "towards the start")):
            sentence = f"is shifted by one {way} along axis {axis}"
            yield Guess("shifted", sentence, np.roll(right, by, axis), np.roll(allowed, by, axis))
            yield Guess("shifted", sentence, _pushed(right, by, axis), np.roll(allowed, by, axis))
    if right.ndim >= 2 and right.shape[-1] == right.shape[-2]:
        both = (right + right.swapaxes(-1, -2)) / 2
        yield Guess("symmetrised", "is made symmetric, which it should not be", both, allowed.swapaxes(-1, -2))


def _transposition(order: tuple[int, ...]) -> str:
    if len(order) == 2:
        return "is transposed"
    if order == tuple(reversed(range(len(order)))):
        return "has all axes reversed: a full transpose"
    swapped = [axis for axis, at in enumerate(order) if axis != at]
    if len(swapped) == 2:
        return f"has {axes_text(swapped)} exchanged"
    return f"has its axes in the order {list(order)}"


def _pushed(array: Array, by: int, axis: int) -> Array:
    """`array` moved by one along an axis, with a zero where nothing moves in."""
    result = np.roll(array, by, axis)
    if array.shape[axis]:
        result[(slice(None),) * axis + (0 if by > 0 else -1,)] = 0
    return result


def other_argument(scene: Scene) -> Guesses:
    """The gradient that belongs to another operand."""
    for position, other in enumerate(scene.wrong.rights):
        if position != scene.wrong.argument and other is not None and other.shape == scene.right.shape:
            sentence = f"is the gradient with respect to the {ordinal(position)} argument"
            yield Guess("exchanged", sentence, other, scene.usual)


def missing_mean(scene: Scene) -> Guesses:
    """A sum along an axis that was to be subtracted, as normalisations do."""
    found, right = scene.found, scene.right
    y = scene.outputs[0] if scene.outputs else right
    for axis in range(right.ndim):
        if right.shape[axis] < 2:
            continue
        mean = found.mean(axis, keepdims=True)
        yield Guess(
            "missing-mean",
            f"lacks the subtraction of its mean along axis {axis}",
            right + mean,
            scene.usual,
            FAR,
            fitted=True,
        )
        if y.shape == right.shape and y.dtype == right.dtype:
            along = found.sum(axis, keepdims=True)
            sentence = f"lacks the subtraction of its sum along axis {axis} times the output"
            yield Guess("missing-term", sentence, right + y * along, scene.usual, FAR, fitted=True)
            along = (found * y).sum(axis, keepdims=True)
            sentence = f"lacks the subtraction of its part along the output on axis {axis}"
            yield Guess("missing-term", sentence, right + y * along, scene.usual, FAR, fitted=True)


def narrow(scene: Scene) -> Guesses:
    """Right to the precision of a dtype with fewer digits, and made of its numbers."""
    if not np.isfinite(scene.found).all() or not np.isfinite(scene.right).all():
        return
    own = unit(scene.dtype)
    informative = scene.wrong_at & (scene.right != 0)
    if informative.sum() < 2:
        return
    apart = np.max(scene.gap[informative] / np.abs(scene.right[informative]))
    for name, coarse, bits in NARROWER.get(scene.dtype.name, ()):
        if (scene.gap <= 2 * coarse * np.abs(scene.right) + scene.allowed * (coarse / own)).all():
            kept = _has_bits(scene.found.real, bits) & _has_bits(scene.found.imag, bits)
            if kept[informative].all() or (bits == 24 and apart > coarse / 64):
                yield Slip("narrow", f"is right only to the precision of {name}")


def _has_bits(array: Array, bits: int) -> Array:
    """Which numbers have no more significant bits than that."""
    mantissa = np.frexp(array)[0] * 2.0**bits
    return np.asarray(mantissa == np.rint(mantissa))


def any_factor(scene: Scene) -> Guesses:
    """The same factor everywhere, whatever it is."""
    usable = np.isfinite(scene.gap) & (np.abs(scene.right) > 0)
    if usable.any():
        at = np.unravel_index(np.argmax(np.where(usable, np.abs(scene.right), 0.0)), usable.shape)
        factor = scene.found[at] / scene.right[at]
        if np.isfinite(factor) and factor != 0:
            value, slack = factor * scene.right, np.abs(factor) * scene.allowed
            yield Guess("factor", f"is {number(factor)} times what it should be", value, slack, FAR, fitted=True)


def any_addend(scene: Scene) -> Guesses:
    """The same number added everywhere."""
    usable = np.isfinite(scene.gap)
    if usable.any() and len(np.unique(scene.right[usable])) > 2:
        # The smallest element was rounded least, so it knows the addend best.
        at = np.unravel_index(np.argmin(np.where(usable, np.abs(scene.right), np.inf)), usable.shape)
        added = scene.found[at] - scene.right[at]
        sentence = f"is {number(added)} too large everywhere: a constant is added"
        yield Guess("addend", sentence, scene.right + added, scene.usual, FAR, fitted=True)


def number(value: complex) -> str:
    """Four digits of a number, more where it would look like 1."""
    value = complex(value)
    if value.imag:
        real = f"{value.real:.4g}" if abs(value.real) > 1e-12 * abs(value.imag) else ""
        return f"({real}{value.imag:+.4g}j)" if real else f"{value.imag:.4g}j"
    return f"{value.real:.4g}" if f"{value.real:.4g}" != "1" else f"{value.real:.9g}"


def _count(mask: Array) -> str:
    return f"{int(mask.sum())} of {mask.size} elements"
