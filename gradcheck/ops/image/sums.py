"""Weighted sums of pixels: sparse matrices, which any resizing and warping of an image is."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gradcheck.dtypes import Array


class Sums(NamedTuple):
    """A matrix with few entries in each row: a new pixel is the sum of `weights * x[indices]` over its row."""

    starts: Array
    """Where each row starts among the entries; the last number is how many there are."""
    indices: Array
    weights: Array
    size: int
    """How many pixels there were."""

    @property
    def target(self) -> int:
        """How many pixels there are in the result."""
        return len(self.starts) - 1

    def most(self, *, adjoint: bool) -> int:
        """How many pixels a sum has at most."""
        counts = np.bincount(self.indices, minlength=1) if adjoint else np.diff(self.starts)
        return int(counts.max(initial=1))

    def magnitudes(self) -> Sums:
        """The same with the magnitudes of the weights."""
        return self._replace(weights=np.abs(self.weights))

    def repeated(self, blocks: int) -> Sums:
        """The same for so many rows of pixels, one behind the other."""
        entries, each = len(self.indices), np.arange(blocks)[:, np.newaxis]
        return Sums(
            np.append(each * entries + self.starts[:-1], blocks * entries),
            (each * self.size + self.indices).reshape(-1),
            np.tile(self.weights, blocks),
            blocks * self.size,
        )

    def of(self, x: Array, *, adjoint: bool) -> Array:
        """The new pixels, of `x` with a row for each pixel, or the transposed matrix times `x`; in the dtype of `x`."""
        from scipy.sparse import csr_array  # it takes longer to import than NumPy

        weights = self.weights.astype(x.dtype, copy=False)
        matrix = csr_array((weights, self.indices, self.starts), shape=(self.target, self.size))
        found: Array = (matrix.T if adjoint else matrix) @ x
        return found


def sums(indices: Array, weights: Array, size: int) -> Sums:
    """The same from a row of indices and one of weights for each new pixel; what lies outside is left out."""
    kept = (indices >= 0) & (indices < size)
    starts = np.concatenate([[0], np.cumsum(kept.sum(axis=1))])
    return Sums(starts, indices[kept], weights[kept], size)
