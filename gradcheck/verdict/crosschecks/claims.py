"""What one side's derivative says of the loss along a direction, and how far rounding may put that off."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gradcheck.casefile.case import Derivative
from gradcheck.dtypes import Array
from gradcheck.verdict.crosschecks.setting import Setting
from gradcheck.verdict.record import Comparison

SPREAD = 6.0
"""Terms with random signs add up to less than this times the length of their vector, but for once in 10^7 (Hoeffding).

The signs are those of the direction, or of the cotangents, which are drawn without regard to any rounding.
"""
UNKNOWN = 2.0**-18
"""The relative error taken for granted where the other side is silent and nothing says how far one may be off."""

FORMULAS: dict[Derivative, tuple[str, str]] = {
    "gradient": ("<J^T u, v>", "<u, J v>"),
    "jacobian": ("<J^T u, v>", "<u, J v>"),
    "jvp": ("<u, jvp>", "<u, J v>"),
    "hvp": ("<v, hvp>", "<v, H v>"),
    "hessian": ("<v, H v>", "v d2f/dx2 v"),
}
"""What a side claims, and what the forward program alone gives for it."""


@dataclass(frozen=True)
class Claim:
    """A slope, or for second derivatives a curvature; not finite where the side's numbers are not."""

    value: float
    allowed: float


def claim(setting: Setting, side: int) -> Claim | str:
    """What the side says of the loss along the direction; in words what is wrong with the shapes, if they are."""
    total, bounds = 0.0, [np.zeros(1)]
    for each, weights in zip(setting.derived, _weights(setting), strict=True):
        value = (each.left, each.right)[side]
        if value is None:  # not connected: said to be zero
            continue
        if value.shape != weights.shape:
            return f"the {each.quantity} `{each.variable}` has shape {list(value.shape)}, not {list(weights.shape)}"
        with np.errstate(all="ignore"):
            wide = value.astype(np.result_type(weights, np.complex128 if value.dtype.kind == "c" else np.float64))
            total += float(np.sum((wide.conj() * weights).real))
            bounds.append((limits_of(each, value) * np.abs(weights)).ravel())
    flat = np.concatenate(bounds)
    signed = setting.kind in ("gradient", "jvp")
    return Claim(total, SPREAD * float(np.linalg.norm(flat)) if signed else float(np.sum(flat)))


def limits_of(comparison: Comparison, value: Array) -> Array:
    """By how much each element of `value` may be off."""
    found = comparison.limits
    if found is not None and found.shape == value.shape:
        return found
    with np.errstate(all="ignore"):
        return np.asarray(UNKNOWN * np.abs(value).astype(np.float64))


def _weights(setting: Setting) -> Iterator[Array]:
    """For each part of the derivative what its elements are weighed with; their sum is the claim."""
    request, directions = setting.request, setting.direction
    targets = [request.program.types[index] for index in request.program.outputs if index is not None]
    cotangents = [
        np.ones(type_.shape) if given is None else given.astype(np.float64)
        for type_, given in zip(targets, setting.cotangents, strict=True)
        if setting.kind != "gradient"
    ]
    match setting.kind:
        case "gradient" | "hvp":
            yield from (directions[each.variable] for each in setting.derived)
        case "jvp":
            yield from cotangents
        case "jacobian":
            yield from (np.multiply.outer(u, v) for u in cotangents for v in directions.values())
        case "hessian":
            vectors = list(directions.values())
            yield from (_outer(u, x, y) for u in cotangents for x in vectors for y in vectors)


def _outer(u: Array, x: Array, y: Array) -> Array:
    return np.asarray(np.multiply.outer(np.multiply.outer(u, x), y))
