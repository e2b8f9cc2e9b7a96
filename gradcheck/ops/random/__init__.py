"""Random numbers, and what draws them."""

from gradcheck.ops.random import (
    dropout,
    gamma,
    images,
    stateful,
    stateless,
    truncated,
)

__all__ = [
    "dropout",
    "gamma",
    "images",
    "stateful",
    "stateless",
    "truncated",
]
