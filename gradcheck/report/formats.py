"""The formats of a whole run: the module of this package that bears a format's name has `render(run)`.

Beside them stand the table, which a terminal draws case by case, and `jsonl`, which has a line for each case.
"""

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gradcheck.report.run import Run

WHOLE = (
    "json",
    "junit",
    "github",
    "markdown",
    "sarif",
    "html",
)
"""What is written at the end."""
WITH_NUMBERS = ("html", "json", "jsonl")
"""What shows of numbers that agree, too, how much of what is allowed they use."""
ALL_NUMBERS = ("html", "json")
"""What shows them all at the end, so that a run has to hold them until then."""
FORMATS = ("table", "jsonl", *WHOLE)
"""What `--report` takes."""


def renderer(name: str) -> "Callable[[Run], str]":
    """The function that makes the report `name`, one of `WHOLE`; its module is loaded only now."""
    render: Callable[[Run], str] = import_module(f"gradcheck.report.{name}").render
    return render
