"""Cross-checks: identities that a right derivative satisfies, tried on each side by itself.

They need no reference. Reverse against forward: `<u, J v>`, from differences of the forward program alone, is
`<J^T u, v>`. The remainder of the Taylor series is of second order. A Hessian is symmetric. Where a program is
analytic, the complex step gives the derivative to full precision.
"""

from collections.abc import Iterator, Sequence

from gradcheck.engines import Request
from gradcheck.verdict.crosschecks.along import along
from gradcheck.verdict.crosschecks.analytic import complex_step
from gradcheck.verdict.crosschecks.setting import NoSetting, setting
from gradcheck.verdict.crosschecks.symmetry import symmetry
from gradcheck.verdict.kinks import kinks
from gradcheck.verdict.record import Comparison, CrossCheck
from gradcheck.verdict.referee import Referee

BUDGET = 0.5
"""Seconds that the runs of the forward program may take for one case."""
FORWARD = ("reverse against forward", "Taylor remainder")
"""The identities that say which side is wrong; a complex step looks at one element alone."""


def cross_checks(request: Request, comparisons: Sequence[Comparison]) -> tuple[CrossCheck, ...]:
    """Every check that applies to what the two engines gave, for each of them, or why none does."""
    try:
        found = tuple(dict.fromkeys(_made(request, comparisons)))
    except NoSetting as why:
        return (CrossCheck("reverse against forward", "", None, f"does not apply: {why}"),)
    return found


def _made(request: Request, comparisons: Sequence[Comparison]) -> Iterator[CrossCheck]:
    asked = setting(request, comparisons)
    checks = list(along(asked, Referee(asked.request, BUDGET)))
    if asked.kind == "hessian":
        checks += symmetry(asked)
    if any(each.passed is False for each in checks) and (tied := kinks(asked.request)):
        names = " and ".join(dict.fromkeys(f"`{each.instruction.op.name}`" for each in tied))
        reason = f"does not apply: the case lies on a kink of {names}"
        yield from (CrossCheck(each.name, "", None, reason) for each in checks)
        return
    yield from checks
    if asked.kind == "gradient":
        yield from complex_step(asked)


def wrong_side(checks: Sequence[CrossCheck]) -> str:
    """The side whose derivative fails the identities that the other's satisfies; empty if they cannot tell."""
    answers: dict[str, list[bool]] = {}
    for each in checks:
        if each.name in FORWARD and each.passed is not None:
            answers.setdefault(each.side, []).append(each.passed)
    failed = [side for side, passed in answers.items() if not any(passed)]
    right = [side for side, passed in answers.items() if all(passed)]
    return failed[0] if len(failed) == len(right) == 1 else ""
