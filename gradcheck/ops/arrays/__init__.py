"""What makes, moves and picks elements."""

from gradcheck.ops.arrays import (
    blocks,
    brackets,
    creation,
    embeddings,
    gathering,
    indexing,
    ordering,
    partitioning,
    passing,
    repeating,
    scattering,
    searching,
    segments,
    shaping,
    sparse_segments,
    stacking,
)

__all__ = [
    "blocks",
    "brackets",
    "creation",
    "embeddings",
    "gathering",
    "indexing",
    "ordering",
    "partitioning",
    "passing",
    "repeating",
    "scattering",
    "searching",
    "segments",
    "shaping",
    "sparse_segments",
    "stacking",
]
