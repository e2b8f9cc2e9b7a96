"""What operations with a state draw: the numbers that TensorFlow draws after `tf.random.set_seed(GLOBAL_SEED)`.

TensorFlow's kernels remember how far they are in their stream, and a call without a seed takes the next one of a
sequence. Here both are settled when a call is written: what it draws is then a matter of its attributes alone, however
often and in whatever order a program is carried out.
"""

from collections.abc import Callable, Mapping
from math import prod
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from gradcheck.dtypes import FLOAT32, DType
from gradcheck.ops.declaration import OpError
from gradcheck.ops.random.philox import Stream, scrambled, seeded
from gradcheck.ops.shapes import as_int, as_row
from gradcheck.program import Shape
from gradcheck.tensors import Context

GLOBAL_SEED = 87654321
"""What TensorFlow itself takes where an operation has a seed and `tf.random.set_seed` was never called."""
MODULUS = 2**31 - 1
RESERVED = 256
"""Blocks of its stream that a kernel puts aside for each number that it is asked for."""


class Seed(int):
    """The seed of one call, settled: which kernel it is of, and how many numbers that has drawn before."""

    kernel: str = ""
    dtype: DType = FLOAT32
    before: int = 0

    @property
    def stream(self) -> Stream:
        """The stream from where the kernel is when the call comes."""
        return seeded(GLOBAL_SEED, self % MODULUS).skipped(RESERVED * self.before)


class Kernel(NamedTuple):
    """The kernel that a call runs, and for how many numbers."""

    name: str
    dtype: DType
    numbers: int


class Draws:
    """What has been drawn in one context."""

    def __init__(self) -> None:
        import random  # it takes long to start, and few programs draw

        self._sequence = random.Random(GLOBAL_SEED)
        self._drawn: dict[tuple[str, DType, int], int] = {}

    def settled(self, seed: Any, kernel: Kernel) -> Seed:
        """The seed of a call that comes now."""
        given = self._sequence.randint(0, MODULUS) if seed is None else as_int(seed, "seed")
        found = Seed(given)
        found.kernel, found.dtype = kernel.name, kernel.dtype
        place = (kernel.name, kernel.dtype, given % MODULUS)
        found.before = self._drawn.get(place, 0)
        self._drawn[place] = found.before + kernel.numbers
        return found


_DRAWS: WeakKeyDictionary[Context, Draws] = WeakKeyDictionary()


def settling(kernel: Callable[..., Kernel]) -> Callable[[Mapping[str, Any], Context], dict[str, Any]]:
    """How a call's `seed` is settled; `kernel` gives what it runs, from its other arguments by name."""

    def settle(arguments: Mapping[str, Any], context: Context) -> dict[str, Any]:
        seed = arguments["seed"]
        if isinstance(seed, Seed):
            return {}
        draws = _DRAWS.setdefault(context, Draws())
        return {"seed": draws.settled(seed, kernel(**{**arguments, "seed": None}))}

    return settle


def stateless(seed: Any, alg: Any = None) -> Stream:
    """The stream of a stateless operation; `alg` as TensorFlow takes it."""
    row = as_row(seed, "seed")
    if len(row) != 2:
        raise OpError(f"`seed` must be two integers, not {len(row)}", argument="seed")
    if not all(-(2**63) <= each < 2**63 for each in row):
        raise OpError(f"`seed` {list(row)} does not fit into int64", argument="seed")
    text = alg.strip().lower().replace("-", "").replace("_", "") if isinstance(alg, str) else alg
    if text not in (None, "autoselect", "philox", 1, 3):
        raise OpError(f"`alg` must be 'auto_select' or 'philox' on a CPU, not {alg!r}", argument="alg")
    return scrambled((row[0], row[1]))


def as_vector(shape: Any) -> Shape:
    """The shape of what is drawn: a list of sizes, as the kernels want it."""
    sizes = as_row(shape, "shape")
    if any(each < 0 for each in sizes):
        raise OpError(f"`shape` {list(sizes)} has a negative size", argument="shape")
    return sizes


def ending(shape: Any, batch: Shape) -> Shape:
    """The shape of what is drawn for parameters of the shape `batch`, with which it has to end."""
    sizes = as_vector(shape)
    if len(batch) > len(sizes) or sizes[len(sizes) - len(batch) :] != batch:
        raise OpError(f"`shape` {list(sizes)} must end with that of the parameters, {list(batch)}", argument="shape")
    return sizes


def uniform_kernel(dtype: DType, shape: Shape) -> Kernel:
    """The kernel of uniform numbers of that dtype."""
    return Kernel("RandomUniform" if dtype.kind not in "iu" else "RandomUniformInt", dtype, prod(shape))
