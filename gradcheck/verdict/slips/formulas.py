"""Slips of a slope: the cotangent times another function than the operation's own derivative."""

from collections.abc import Iterator

import numpy as np

from gradcheck.dtypes import Array, is_differentiable
from gradcheck.engine.differentiate import gradient
from gradcheck.engine.evaluate import evaluate
from gradcheck.engine.tracing import trace
from gradcheck.ops.declaration import OPS, Op
from gradcheck.verdict.slips.scene import FAR, Guess, Guesses, Scene, repeated_axes, unbroadcast

UNARY_FAMILIES = ("elementwise", "trigonometric", "special", "activations")


def simple_slopes(scene: Scene) -> Guesses:
    """The cotangent times a simple function of the operands, one or two, and the output."""
    numbers = (*scene.inputs, *scene.outputs)
    if len(scene.outputs) != 1 or scene.complex or not all(is_differentiable(each.dtype) for each in numbers):
        return
    g, out = scene.cotangents[0], scene.outputs[0]
    if not 0 < len(scene.inputs) <= 2 or any(repeated_axes(out.shape, each.shape) is None for each in scene.inputs):
        return
    if len(scene.inputs) == 1:
        slopes, legend = _of_one(scene.inputs[0], out), "where x is the operand and y the output"
    else:
        slopes, legend = (
            _of_two(scene.inputs[0], scene.inputs[1], out),
            "where x and y are the operands and z the output",
        )
    for text, slope in slopes:
        for mark, sign in (("", 1), ("minus ", -1)):
            value = unbroadcast(np.broadcast_to(sign * slope * g, out.shape), scene.right.shape)
            yield Guess("slope", f"is {mark}the incoming cotangent times {text}, {legend}", value, scene.usual, FAR)


def _of_one(x: Array, y: Array) -> Iterator[tuple[str, Array]]:
    for name, value in (("x", x), ("y", y)):
        yield name, value
        yield f"2 * {name}", 2 * value
        yield f"1 - {name}", 1 - value
        yield f"1 + {name}", 1 + value
        yield f"{name} * {name}", value * value
        yield f"{name} * (1 - {name})", value * (1 - value)
        yield f"1 - {name} * {name}", 1 - value * value
        yield f"1 + {name} * {name}", 1 + value * value
        yield f"1 / {name}", 1 / value
        yield f"1 / ({name} * {name})", 1 / (value * value)
    yield "x * y", x * y
    yield "x / y", x / y
    yield "y / x", y / x


def _of_two(x: Array, y: Array, z: Array) -> Iterator[tuple[str, Array]]:
    for name, value in (("x", x), ("y", y), ("z", z)):
        yield name, value
        yield f"1 / {name}", 1 / value
        yield f"1 / ({name} * {name})", 1 / (value * value)
    named = (("x", x), ("y", y), ("z", z))
    for at, (name, value) in enumerate(named):
        for other, divisor in named:
            if name != other:
                yield f"{name} / {other}", value / divisor
                yield f"{name} / ({other} * {other})", value / (divisor * divisor)
        for other, factor in named[at + 1 :]:
            yield f"{name} * {other}", value * factor
    yield "(x - y)", x - y
    yield "(x + y)", x + y
    yield "z * log(x)", z * np.log(x)
    yield "z * log(y)", z * np.log(y)


def other_operations(scene: Scene) -> Guesses:
    """The gradient of another function of one number."""
    x = scene.operand
    if len(scene.inputs) != 1 or [(y.shape, y.dtype) for y in scene.outputs] != [(x.shape, x.dtype)] or not x.size:
        return
    g = scene.cotangents[0]
    few = scene.some
    for op in OPS.values():
        if op is not scene.wrong.op and op.name != scene.wrong.op.name and _unary(op) and x.dtype in op.dtypes:
            # A look at a few elements settles almost all; the whole is computed for what is left.
            probe = _gradient_of(op, x.ravel()[few], g.ravel()[few])
            if probe is not None and np.allclose(probe, scene.found.ravel()[few], rtol=0.1, atol=scene.usual):
                value = _gradient_of(op, x, g)
                if value is not None:
                    yield Guess("other-operation", f"is that of `{op.name}`", value, scene.usual, FAR)


def _unary(op: Op) -> bool:
    """Whether `op` takes one tensor, element by element."""
    required = [name for name in op.roles if name not in op.defaults]
    return (
        op.family in UNARY_FAMILIES
        and op.differentiable
        and not op.several
        and len(required) == 1
        and "axis" not in op.signature.parameters
    )


def _gradient_of(op: Op, x: Array, g: Array) -> Array | None:
    try:
        program = trace(lambda x: op(x), {"x": x})
        written = gradient(program, ["x"])
        (name,) = written.cotangents
        if name is None:
            return None
        _, found = evaluate(written.program, {"x": x, name: g})
    except Exception:  # outside the domain of another operation anything may happen
        return None
    return found if found is not None and found.shape == x.shape else None
