"""What makes, moves and picks elements."""

from gradcheck.ops.arrays import (
    blocks,
    creation,
    gathering,
    indexing,
    ordering,
    repeating,
    scattering,
    searching,
    shaping,
)

__all__ = [
    "blocks",
    "creation",
    "gathering",
    "indexing",
    "ordering",
    "repeating",
    "scattering",
    "searching",
    "shaping",
]
