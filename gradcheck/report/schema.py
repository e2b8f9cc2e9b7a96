"""The JSON report and a line of the JSON Lines report, as types: what writes them is checked against these.

Numbers that JSON lacks are the strings `nan`, `inf` and `-inf`; a complex number is a string that Python's `complex`
reads.
"""

from typing import Any, Literal

from pydantic import ConfigDict, TypeAdapter, with_config
from typing_extensions import TypeAliasType, TypedDict

from gradcheck.report.json import VERSION
from gradcheck.verdict.record import Ruling, Status, Verdict

Number = float | str
Elements = TypeAliasType("Elements", "bool | Number | list[Elements]")
_documented = with_config(ConfigDict(use_attribute_docstrings=True))


@_documented
class Values(TypedDict):
    """An array."""

    dtype: str
    shape: list[int]
    elements: Elements
    """As nested lists; a scalar is one number."""


@_documented
class WorstElement(TypedDict):
    """The element that uses most of what is allowed."""

    index: list[int]
    values: list[Number]
    """One of each side."""
    difference: Number
    allowed: Number
    used: Number
    """The difference as a share of what is allowed."""


@_documented
class Compared(TypedDict):
    """Two answers to one question, element by element."""

    quantity: Literal["output", "gradient", "jacobian", "hessian", "jvp", "hvp"]
    variable: str
    """The source of a gradient; `output`, or `output[1]` if there are several; of a Hessian `x/y`."""
    cotangent: Literal["ones", "given", "seeded"] | None
    """What the targets were weighted with; null for an output."""
    sides: list[str]
    """Who gave the two values: names of engines, or `expect` for a pinned one."""
    verdict: Verdict
    note: str
    beyond: int
    """How many elements differ by more than is allowed."""
    worst: WorstElement | None
    """Null where shapes differ or nothing could be compared."""
    values: list[Values | None]
    """One of each side; null where it says "not connected"."""


@_documented
class Remarked(TypedDict):
    """Something that the subject did besides answering."""

    kind: Literal["state", "mutation", "print"]
    message: str


@_documented
class Refereed(TypedDict):
    """What the referee says of one element."""

    variable: str
    cotangent: str | None
    index: list[int]
    value: Number
    error: Number
    ruling: Ruling
    note: str


@_documented
class AccusedPart(TypedDict):
    """One thing that is wrong by itself."""

    kind: Literal["forward", "gradient", "fan-out", "mutation"]
    operation: str
    argument: int | None
    line: int | None
    """In the case file, from 1."""
    column: int | None
    slip: str | None
    """The kind of slip; null if no usual one explains it."""
    sentence: str
    comparison: Compared | None


@_documented
class Diagnosed(TypedDict):
    """Who is wrong, and what is to blame."""

    sentence: str
    note: str
    referee: list[Refereed]
    accused: list[AccusedPart]


@_documented
class Checked(TypedDict):
    """A cross-check, which needs no second opinion."""

    name: str
    side: str | None
    passed: bool | None
    """Null where it does not apply."""
    sentence: str
    expected: Number | None
    found: Number | None
    allowed: Number | None


@_documented
class Failed(TypedDict):
    """An engine that gave no answer."""

    engine: str
    kind: Literal["error", "unsupported", "crashed", "timeout"]
    message: str
    details: str
    """The last lines of what the engine printed."""


@_documented
class Told(TypedDict):
    """A finding about the text of a case file."""

    severity: Literal["error", "warning"]
    code: str
    message: str
    help: str | None
    file: str | None
    line: int | None
    column: int | None
    end_column: int | None


@_documented
class CaseRecord(TypedDict):
    """A case in one dtype, and everything that was found about it."""

    id: str
    file: str
    line: int
    dtype: str
    tags: list[str]
    verdict: Verdict | None
    """Null for a case that was skipped."""
    status: Status
    note: str
    convention: str
    """Why the subject differs by its own choice."""
    remarks: list[Remarked]
    diagnosis: Diagnosed | None
    evidence: list[Checked]
    seconds: float
    """What the comparison took, in the run that made it."""
    kept: bool
    """Whether it is of an earlier run, and nothing that it depends on has changed."""
    expression: str
    program: list[str] | None
    comparisons: list[Compared]
    failures: list[Failed]
    diagnostics: list[Told]


@_documented
class Line(CaseRecord):
    """A line of `--report jsonl`, written as soon as the case has been judged."""

    version: Literal[1]


@_documented
class Document(TypedDict):
    """What `--report json` writes."""

    format: Literal["gradcheck"]
    version: Literal[1]
    gradcheck: str
    """The version of the program."""
    seconds: float
    selected: int
    """How many cases were to be compared; more than `cases` has if the run was stopped."""
    summary: dict[str, int]
    """How many cases have which status."""
    diagnostics: list[Told]
    """What is wrong with the files, of whose cases there are no results."""
    cases: list[CaseRecord]


def json_schema() -> dict[str, Any]:
    """The two as a JSON Schema (draft 2020-12)."""
    adapter: TypeAdapter[Document | Line] = TypeAdapter(Document | Line)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"gradcheck report, version {VERSION}",
        "description": (__doc__ or "").partition("\n\n")[2].strip().replace("\n", " "),
        **adapter.json_schema(),
    }
