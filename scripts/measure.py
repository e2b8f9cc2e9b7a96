"""What the benchmarks share: two things timed in turns, medians of ratios, a table."""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence

from rich import box
from rich.console import Console
from rich.table import Table

Thunk = Callable[[], object]


def seconds(thunk: Thunk, repeat: int = 1) -> float:
    """The time that one call takes, as the mean of `repeat` calls in a row."""
    start = time.perf_counter()
    for _ in range(repeat):
        thunk()
    return (time.perf_counter() - start) / repeat


def paired(thunks: Mapping[str, Thunk], rounds: int, repeat: int = 1) -> dict[str, list[float]]:
    """The times of each thunk, taken in turns, so that what else the machine does falls on all alike."""
    for thunk in thunks.values():
        thunk()
    times: dict[str, list[float]] = {name: [] for name in thunks}
    for _ in range(rounds):
        for name, thunk in thunks.items():
            times[name].append(seconds(thunk, repeat))
    return times


def ratio(times: Sequence[float], base: Sequence[float]) -> float:
    """The median of the ratios, round by round."""
    return statistics.median(a / b for a, b in zip(times, base, strict=True))


def process(arguments: Sequence[str]) -> Thunk:
    """Run a command to its end, its output thrown away; it must succeed."""
    return lambda: subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def python(code: str) -> Thunk:
    """Run a line of Python in a new interpreter."""
    return process([sys.executable, "-c", code])


def show(title: str, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table whose first column is text and whose others are numbers."""
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for position, heading in enumerate(headings):
        table.add_column(heading, justify="right" if position else "left", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    Console(width=100).print(table)
