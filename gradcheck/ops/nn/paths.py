"""Sums over the paths through a lattice, one state for each frame, in logarithms; and what their gradients are made of.

From frame to frame a path stays in its state, or goes on by one or by two. Three operations that no expression names
are closed under differentiation: `FORWARD` sums over paths, `ONWARD` and `BACKWARD` carry a linear recurrence along
the same steps in both directions, and each is the transpose of the other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck.dtypes import FLOAT32, FLOAT64, Array
from gradcheck.ops.declaration import Index, Op, conceal
from gradcheck.ops.vocabulary import tf
from gradcheck.program import TensorType
from gradcheck.tensors import Tensor

STEPS = 3
"""By how many states a path can go on in a frame: 0, 1 or 2."""


def _shifted(row: Array, by: int, fill: float) -> Array:
    """The last axis moved `by` places on, or back if it is negative."""
    found = np.full_like(row, fill)
    if by >= 0:
        found[..., by:] = row[..., : row.shape[-1] - by]
    else:
        found[..., :by] = row[..., -by:]
    return found


def _forward_type(scores: Tensor, ends: Tensor, steps: Index, lasting: Index) -> Any:
    shares = TensorType((STEPS, *scores.shape), scores.dtype)
    return [TensorType(ends.shape[:1], ends.dtype), ends.type, shares], {}


def _forward(scores: Array, ends: Array, steps: Array, lasting: Array) -> list[Array]:
    """In float64, because the logarithms of small probabilities would leave float32 few digits for the shares."""
    sums = scores.astype(np.promote_types(scores.dtype, FLOAT64))
    shares = np.zeros((STEPS, *scores.shape), sums.dtype)
    closed = steps == 0
    for frame in range(1, len(scores)):
        arriving = np.stack([_shifted(sums[frame - 1], by, -np.inf) for by in range(STEPS)])
        arriving[closed] = -np.inf
        shares[:, frame], total = _split(arriving, 0)
        sums[frame] += total
    final, total = _split(sums[lasting, np.arange(len(lasting))] + ends, 1)
    return [each.astype(scores.dtype) for each in (total, final, shares)]


def _split(logarithms: Array, axis: int) -> tuple[Array, Array]:
    """The share of each in the sum along an axis, 0 where the sum is 0; and the logarithm of the sum."""
    top = logarithms.max(axis, keepdims=True)
    top[top == -np.inf] = 0
    terms = np.exp(logarithms - top)
    total = terms.sum(axis, keepdims=True)
    shares = np.divide(terms, total, out=np.zeros_like(terms), where=total != 0)
    return shares, np.squeeze(top + np.log(total), axis)


def _forward_vjp(
    g: list[Tensor], y: list[Tensor], scores: Tensor, ends: Tensor, steps: Tensor, lasting: Tensor
) -> list[Tensor | None]:
    """Shares are the softmax of what they share, so that their cotangent comes back as one of that."""
    (of_total, of_final, of_shares), (_, final, shares) = g, y
    ended = final * (tf.expand_dims(of_total, 1) + of_final - tf.reduce_sum(final * of_final, 1, keepdims=True))
    arriving = shares * (of_shares - tf.reduce_sum(shares * of_shares, 0))
    return [BACKWARD(in_last_frame(ended, lasting, scores.shape[0]) + _before(arriving), shares), ended, None, None]


def in_last_frame(values: Tensor, lasting: Tensor, frames: int) -> Tensor:
    """`[frames, rows, states]` with the values `[rows, states]` in the last frame of each row and 0 elsewhere."""
    last = tf.one_hot(lasting, frames, axis=0, dtype=values.dtype)
    placed: Tensor = tf.expand_dims(last, 2) * values
    return placed


def _before(arriving: Tensor) -> Tensor:
    """What arrives by each step, added up where it comes from: one frame and so many states before."""
    states = arriving.shape[-1]
    parts = [tf.pad(arriving[by, 1:, :, by:], [[0, 1], [0, 0], [0, by]]) for by in range(min(STEPS, states))]
    total: Tensor = tf.add_n(parts)
    return total


def _after(values: Tensor) -> Tensor:
    """What arrives by each step: the value one frame and so many states before, 0 where there is none."""
    states = values.shape[-1]
    kept = [min(by, states) for by in range(STEPS)]
    found: Tensor = tf.stack([tf.pad(values[:-1, :, : states - by], [[1, 0], [0, 0], [by, 0]]) for by in kept])
    return found


def _recurrence_type(values: Tensor, shares: Tensor) -> Any:
    return values.type, {}


def _onward(values: Array, shares: Array) -> Array:
    found = values.copy()
    for frame in range(1, len(values)):
        for by in range(STEPS):
            found[frame] += shares[by, frame] * _shifted(found[frame - 1], by, 0)
    return found


def _backward(values: Array, shares: Array) -> Array:
    found = values.copy()
    for frame in range(len(values) - 2, -1, -1):
        for by in range(STEPS):
            found[frame] += _shifted(shares[by, frame + 1] * found[frame + 1], -by, 0)
    return found


def _onward_vjp(g: Tensor, y: Tensor, values: Tensor, shares: Tensor) -> list[Tensor | None]:
    back = BACKWARD(g, shares)
    return [back, back * _after(y)]


def _backward_vjp(g: Tensor, y: Tensor, values: Tensor, shares: Tensor) -> list[Tensor | None]:
    on = ONWARD(g, shares)
    return [on, y * _after(on)]


def _lattice(name: str, function: Any, forward: Callable[..., Any], vjp: Any, source: str, several: bool) -> Op:
    return conceal(
        Op(
            name=f"paths.{name}",
            function=function,
            family="paths",
            domains=(),
            forward=forward,
            joint_vjp=vjp,
            dtypes=(FLOAT32, FLOAT64),
            several=several,
            source=source,
        )
    )


FORWARD = _lattice(
    "forward",
    _forward_type,
    _forward,
    _forward_vjp,
    "the logarithm of the sum over all paths, and the share that each end and each step has in it",
    several=True,
)
"""From scores `[frames, rows, states]`, what an end in each state adds `[rows, states]`, the open steps
`[3, rows, states]` as integers, and the last frame of each row: the total of each row, the share of each end, and that
of each step in what arrives `[3, frames, rows, states]`."""
ONWARD = _lattice(
    "onward", _recurrence_type, _onward, _onward_vjp, "y[t, s] = x[t, s] + sum of p[k, t, s] y[t-1, s-k]", several=False
)
BACKWARD = _lattice(
    "backward",
    _recurrence_type,
    _backward,
    _backward_vjp,
    "y[t, s] = x[t, s] + sum of p[k, t+1, s+k] y[t+1, s+k]",
    several=False,
)
