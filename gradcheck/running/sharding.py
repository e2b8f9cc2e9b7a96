"""One part of a suite, for machines that share it: what each has to do takes about as long."""

from collections.abc import Mapping, Sequence
from heapq import heapify, heapreplace
from statistics import median


def shard(names: Sequence[str], seconds: Mapping[str, float], number: int, count: int) -> list[int]:
    """The places in `names` that belong to part `number`, from 1, of `count`; in order.

    The longest is given away first, each to the part that has least to do so far (Graham 1969): the greatest part takes
    at most 4/3 of the time of the best division. A name of which no time is known counts as the median of those known.
    Each place is in exactly one part, and which depends on nothing but the names and the times.
    """
    known = [seconds[name] for name in names if name in seconds]
    unknown = median(known) if known else 1.0
    weights = [seconds.get(name, unknown) for name in names]
    parts = [(0.0, 0, part) for part in range(1, min(count, len(names)) + 1)]  # to do, how many, and the number
    heapify(parts)
    mine = []
    for at in sorted(range(len(names)), key=lambda each: (-weights[each], names[each], each)):
        load, size, part = parts[0]
        heapreplace(parts, (load + weights[at], size + 1, part))
        if part == number:
            mine.append(at)
    return sorted(mine)
