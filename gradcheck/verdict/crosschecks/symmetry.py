"""Second derivatives do not depend on the order in which they are taken (Schwarz)."""

from collections.abc import Iterator

import numpy as np

from gradcheck.program import Shape
from gradcheck.verdict.crosschecks.claims import limits_of
from gradcheck.verdict.crosschecks.setting import Setting
from gradcheck.verdict.record import Comparison, CrossCheck


def symmetry(setting: Setting) -> Iterator[CrossCheck]:
    """Each side's blocks x/y of a Hessian against its blocks y/x, transposed: the pair that is farthest apart."""
    request = setting.request
    shapes = [request.inputs[name].shape for name in request.sources]
    targets = [request.program.types[index].shape for index in request.program.outputs if index is not None]
    parts = iter(setting.derived)
    rows = [[[next(parts) for _ in shapes] for _ in shapes] for _ in targets]
    for side, name in enumerate(setting.sides):
        pairs = [
            _pair(block[x][y], block[y][x], side, target, shapes[x], shapes[y])
            for block, target in zip(rows, targets, strict=True)
            for x in range(len(shapes))
            for y in range(x, len(shapes))
        ]
        wrong = next((each for each in pairs if isinstance(each, str)), None)
        if wrong is not None:
            yield CrossCheck("symmetry", name, False, wrong)
            continue
        used, gap, allowed, names = max(each for each in pairs if not isinstance(each, str))
        words = f"{names} differ by {gap:.2g}" if gap else "every block is the transpose of its counterpart"
        words += "" if used <= 1 else f", allowed {allowed:.2g}"
        yield CrossCheck("symmetry", name, used <= 1, words, 0.0, gap, allowed)


def _pair(
    one: Comparison, other: Comparison, side: int, target: Shape, x: Shape, y: Shape
) -> tuple[float, float, float, str] | str:
    """For the worst element of both blocks the share that is used, the gap and the limit; in words a wrong shape."""
    blocks = []
    for comparison, shape in ((one, (*target, *x, *y)), (other, (*target, *y, *x))):
        value = (comparison.left, comparison.right)[side]
        if value is None:  # not connected: said to be zero
            value = np.zeros(shape)
        if value.shape != shape:
            return f"the block `{comparison.variable}` has shape {list(value.shape)}, not {list(shape)}"
        blocks.append((value.astype(np.float64), limits_of(comparison, value)))
    (left, left_limits), (right, right_limits) = blocks
    order = [*range(len(target)), *range(len(target) + len(y), left.ndim), *range(len(target), len(target) + len(y))]
    with np.errstate(all="ignore"):
        gaps = np.abs(left - right.transpose(order))
        limits = left_limits + right_limits.transpose(order)
        used = np.where(gaps == 0, 0.0, gaps / limits)
    used = np.where(np.isnan(used), np.inf, used)
    names = f"`{one.variable}` and `{other.variable}` transposed"
    if not used.size:
        return 0.0, 0.0, 0.0, names
    at = np.unravel_index(int(np.argmax(used)), used.shape)
    return float(used[at]), float(gaps[at]), float(limits[at]), names
