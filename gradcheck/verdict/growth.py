"""Does an engine take twice as long for every diamond? Asked when it has not answered in time."""

from typing import Protocol, runtime_checkable

import numpy as np

from gradcheck.dtypes import Array
from gradcheck.engine.tracing import trace
from gradcheck.engines import Failure, Request
from gradcheck.tensors import Tensor

FEWEST, STEP, MOST = 6, 2, 40
"""How many diamonds the ladders have."""
ENOUGH = 0.3
"""Seconds: once a ladder takes as long, its growth is plain."""
APART = 4
"""How many diamonds lie between the two times that are compared."""
PLAIN = 1.5
"""From this factor for every diamond on, growth is called exponential; a right walk has none to speak of."""


@runtime_checkable
class Timed(Protocol):
    """Something that tells how long a request takes."""

    def seconds(self, request: Request) -> float | Failure:
        """How long one run takes; its failure if it has no outcome."""
        ...


def growth(subject: Timed) -> str:
    """A sentence if the subject's time grows by a factor with every `x = x + x`; empty if that does not show."""
    times: dict[int, float] = {}
    for diamonds in range(FEWEST, MOST + 1, STEP):
        taken = subject.seconds(ladder(diamonds))
        if isinstance(taken, Failure):
            break
        times[diamonds] = taken
        if taken > ENOUGH:
            break
    return _sentence(times)


def ladder(diamonds: int) -> Request:
    """The gradient of `x = x + x`, so many times: there are `2 ** diamonds` paths through so many operations."""

    def doubled(x: Tensor) -> Tensor:
        for _ in range(diamonds):
            x = x + x
        return x

    inputs: dict[str, Array] = {"x": np.ones((), np.float32)}
    return Request(trace(doubled, inputs), inputs, ("x",), ((None,),))


def _sentence(times: dict[int, float]) -> str:
    last = max(times, default=0)
    first = last - APART
    if first not in times:
        return ""
    factor = (times[last] / times[first]) ** (1 / APART)
    if factor < PLAIN:
        return ""
    grows = "doubles" if round(factor) == 2 else f"grows by {factor:.2g}"
    return (
        f"its time {grows} with every diamond: {first} times `x = x + x` take {times[first]:.2g} s, "
        f"{last} take {times[last]:.2g} s; its walk visits a value once for every path"
    )
