"""The generator Philox 4x32-10, and the streams of it that TensorFlow's CPU kernels draw from.

Salmon et al. 2011, Parallel random numbers: as easy as 1, 2, 3.
"""

from dataclasses import dataclass

import numpy as np

from gradcheck.dtypes import Array

WORD = 2**32 - 1
COUNTERS = 2**128
ROUNDS = 10
MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
WEYL = (0x9E3779B9, 0xBB67AE85)
"""What the two words of the key grow by from round to round."""
SCRAMBLING = (0x3EC8F720, 0x02461E29)
"""The key under which TensorFlow scrambles the seeds of stateless operations."""
SHORT, LONG = np.dtype("<u4"), np.dtype("<u8")
CHUNK = 4096
"""Blocks that are made at once: few enough to stay in the processor's cache."""


@dataclass(frozen=True, slots=True)
class Stream:
    """Blocks of four 32-bit words: those that `key` makes of `counter` and the counters that follow it."""

    key: tuple[int, int]
    counter: int
    """128 bits."""

    def __repr__(self) -> str:
        return f"<stream {self.key[1]:08x}{self.key[0]:08x} at {self.counter:x}>"

    def skipped(self, blocks: int) -> "Stream":
        """What is left of it after that many blocks."""
        return Stream(self.key, (self.counter + blocks) % COUNTERS)

    def blocks(self, count: int) -> Array:
        """The first `count` blocks, uint32[count, 4]."""
        return self.at(np.arange(count, dtype=np.uint64))

    def at(self, places: Array) -> Array:
        """The blocks at `places`, a uint64 array of any shape; they are along one more axis."""
        flat = places.reshape(-1)
        made = np.empty((flat.size, 4), np.uint32)
        for start in range(0, flat.size, CHUNK):
            self._fill(made[start : start + CHUNK], flat[start : start + CHUNK])
        return made.reshape(*places.shape, 4)

    def _fill(self, made: Array, places: Array) -> None:
        counters = np.empty((len(places), 2), LONG)
        counters[:, 0] = places + np.uint64(self.counter & (2**64 - 1))
        counters[:, 1] = np.uint64(self.counter >> 64) + (counters[:, 0] < places)
        halves = counters.view(SHORT)
        zeroth, first, second, third = (np.ascontiguousarray(halves[:, each]) for each in range(4))
        key, other = self.key
        for _ in range(ROUNDS):
            left = np.multiply(zeroth, MULTIPLIERS[0], dtype=LONG).view(SHORT)
            right = np.multiply(second, MULTIPLIERS[1], dtype=LONG).view(SHORT)
            first ^= right[1::2]
            first ^= np.uint32(key)
            third ^= left[1::2]
            third ^= np.uint32(other)
            zeroth, first, second, third = first, right[0::2].copy(), third, left[0::2].copy()
            key, other = (key + WEYL[0]) & WORD, (other + WEYL[1]) & WORD
        for place, word in enumerate((zeroth, first, second, third)):
            made[:, place] = word


def seeded(seed: int, seed2: int) -> Stream:
    """The stream of a kernel with these two seeds."""
    key, high = seed % 2**64, seed2 % 2**64
    return Stream((key & WORD, key >> 32), high << 64)


def scrambled(seed: tuple[int, int]) -> Stream:
    """The stream of a stateless operation: key and counter are a block that the seeds are the counter of."""
    low, high = (each % 2**64 for each in seed)
    mixed = [int(each) for each in Stream(SCRAMBLING, low | high << 64).blocks(1)[0]]
    return Stream((mixed[0], mixed[1]), mixed[2] << 64 | mixed[3] << 96)
