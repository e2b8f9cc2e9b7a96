"""Faults of the reverse walk: what becomes of contributions and of broadcast axes."""

import math

from gradcheck.engine.reverse import unbroadcast as right_unbroadcast
from gradcheck.ops import tf
from gradcheck.program import Shape
from gradcheck.selftest.faults import WalkFault
from gradcheck.tensors import Tensor


def _full_size(part: Tensor, shape: Shape) -> bool:
    """Whether an axis of size 1 was repeated."""
    return part.ndim == len(shape) and any(size == 1 != other for size, other in zip(shape, part.shape, strict=True))


WALK = (
    WalkFault(
        "keeps the last contribution at a fan-out",
        "_contribute",
        "fan-out",
        acts=lambda cotangents, tensor, part, trail: tensor.key in cotangents,
        wrong=lambda cotangents, tensor, part, trail: cotangents.update({tensor.key: part}),
    ),
    WalkFault(
        "keeps the first contribution at a fan-out",
        "_contribute",
        "fan-out",
        acts=lambda cotangents, tensor, part, trail: tensor.key in cotangents,
        wrong=lambda cotangents, tensor, part, trail: None,
    ),
    WalkFault(
        "does not sum over axes of size 1",
        "unbroadcast",
        "missing-sum",
        acts=_full_size,
        wrong=lambda part, shape: part,
    ),
    WalkFault(
        "does not sum over leading axes",
        "unbroadcast",
        "missing-sum",
        acts=lambda part, shape: part.ndim > len(shape),
        wrong=lambda part, shape: part,
    ),
    WalkFault(
        "takes the mean over broadcast axes",
        "unbroadcast",
        "mean-for-sum",
        acts=lambda part, shape: math.prod(part.shape) > math.prod(shape),
        wrong=lambda part, shape: right_unbroadcast(part, shape) * (math.prod(shape) / math.prod(part.shape)),
    ),
    WalkFault(
        "keeps the first contribution along leading axes",
        "unbroadcast",
        "one-contribution",
        acts=lambda part, shape: part.ndim > len(shape) and part.shape[part.ndim - len(shape) :] == shape,
        wrong=lambda part, shape: tf.reshape(part, (-1, *shape))[0],
    ),
)
