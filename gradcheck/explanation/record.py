"""What there is to say about the backward pass of a case, in the order in which one reads it.

Every formula is text: operands are values by their names, and `d(v)` is the sum of the contributions that reached `v`.
"""

from dataclasses import dataclass

from gradcheck.casefile.case import Case
from gradcheck.dtypes import Array
from gradcheck.ops.declaration import Op
from gradcheck.program import TensorType


@dataclass(frozen=True, eq=False)
class Named:
    """A value of the forward program; `value` is None where it was not asked for or cannot be computed."""

    name: str
    type: TensorType
    value: Array | None


@dataclass(frozen=True, eq=False)
class Made:
    """One operation that a line comes to: its outputs, its formula, and by name what it works on (no constants)."""

    op: Op
    outputs: tuple[Named, ...]
    formula: str
    operands: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Line:
    """A line of the user's expression, by its number in the file, and what it does when the program comes to it."""

    number: int
    text: str
    made: tuple[Made, ...]


@dataclass(frozen=True, eq=False)
class Contribution:
    """What reached a value along one path; `source` is the step that handed it on, None for a target's own cotangent.

    `formula` is written out back to the target where that is short, and else in terms of `d(...)`.
    """

    source: int | None
    formula: str
    value: Array | None


@dataclass(frozen=True, eq=False)
class Received:
    """All that reached a value, in the order in which it arrived, and the sum; no contributions: not connected."""

    name: str
    type: TensorType
    contributions: tuple[Contribution, ...]
    value: Array | None


@dataclass(frozen=True, eq=False)
class Handed:
    """What a step hands to the value `to`: the formula in terms of what the step received."""

    to: str
    formula: str
    value: Array | None


@dataclass(frozen=True, eq=False)
class Step:
    """One operation on the way back: what its outputs received, its rule, and what that hands to its inputs."""

    made: Made
    received: tuple[Received, ...]
    rule: tuple[str, ...]
    """The operations that the rule was made of here, one a line: `%9 = (d(y) * x)`."""
    spelled: bool
    """Whether the formulas of what it hands on say it all, so that nobody needs to read `rule`."""
    handed: tuple[Handed, ...]


@dataclass(frozen=True, eq=False)
class Part:
    """A part of a derivative other than the gradient, as the case asks for it: `jacobian`, `x`; None: not connected."""

    kind: str
    name: str
    value: Array | None


@dataclass(frozen=True, eq=False)
class Explanation:
    """The lesson of one case; with `variable` only what lies on paths from the targets to it."""

    case: Case
    variable: str | None
    inputs: tuple[Named, ...]
    lines: tuple[Line, ...]
    targets: tuple[str, ...]
    steps: tuple[Step, ...]
    gradients: tuple[Received, ...]
    parts: tuple[Part, ...]
    fault: str | None
    """Why there are no values, where these cannot be computed."""
