"""Softmax, losses, and normalisation by given statistics."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional


def _along(function: Callable[[Tensor, int], Tensor]) -> Callable[..., Tensor]:
    return lambda logits, axis=None: function(logits, -1 if axis is None else axis)


def _cross_entropy(labels: Tensor, logits: Tensor, axis: int = -1) -> Tensor:
    labels, logits = labels.movedim(axis, -1), logits.movedim(axis, -1)
    return _entropies(logits, labels.reshape(-1, logits.shape[-1]))


def _sparse_cross_entropy(labels: Tensor, logits: Tensor) -> Tensor:
    return _entropies(logits, labels.long().flatten())


def _entropies(logits: Tensor, labels: Tensor) -> Tensor:
    """One loss per row of the last axis; torch has the classes in the second one."""
    rows = logits.reshape(-1, logits.shape[-1])
    return functional.cross_entropy(rows, labels, reduction="none").reshape(logits.shape[:-1])


def _sigmoid_cross_entropy(labels: Tensor, logits: Tensor, pos_weight: Tensor | None = None) -> Tensor:
    if pos_weight is not None and pos_weight.requires_grad:  # torch's own has no gradient for it
        positive, negative = functional.logsigmoid(logits), functional.logsigmoid(-logits)
        return -(pos_weight * labels * positive + (1 - labels) * negative)
    return functional.binary_cross_entropy_with_logits(logits, labels, pos_weight=pos_weight, reduction="none")


def _log_poisson_loss(targets: Tensor, log_input: Tensor, compute_full_loss: bool = False) -> Tensor:
    return functional.poisson_nll_loss(log_input, targets, log_input=True, full=compute_full_loss, reduction="none")


def _bias_add(value: Tensor, bias: Tensor, data_format: str | None = None) -> Tensor:
    first = data_format is not None and data_format.startswith("NC")
    return value + (bias.reshape(-1, *[1] * (value.ndim - 2)) if first else bias)


def _batch_normalization(
    x: Tensor,
    mean: Tensor,
    variance: Tensor,
    offset: Tensor | None,
    scale: Tensor | None,
    variance_epsilon: float,
) -> Tensor:
    normal = (x - mean) * torch.rsqrt(variance + variance_epsilon)
    scaled = normal if scale is None else normal * scale
    return scaled if offset is None else scaled + offset


def _normalize_moments(counts: Tensor, mean_ss: Tensor, variance_ss: Tensor, shift: Tensor | None) -> list[Tensor]:
    mean = mean_ss / counts
    return [mean if shift is None else mean + shift, variance_ss / counts - torch.square(mean)]


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "tf.nn.softmax": _along(torch.softmax),
    "tf.nn.log_softmax": _along(torch.log_softmax),
    "tf.nn.softmax_cross_entropy_with_logits": _cross_entropy,
    "tf.nn.sparse_softmax_cross_entropy_with_logits": _sparse_cross_entropy,
    "tf.nn.sigmoid_cross_entropy_with_logits": _sigmoid_cross_entropy,
    "tf.nn.weighted_cross_entropy_with_logits": _sigmoid_cross_entropy,
    "tf.nn.log_poisson_loss": _log_poisson_loss,
    "tf.nn.l2_loss": lambda t: torch.sum(torch.square(t)) / 2,
    "tf.nn.bias_add": _bias_add,
    "tf.nn.batch_normalization": _batch_normalization,
    "tf.nn.normalize_moments": _normalize_moments,
}
