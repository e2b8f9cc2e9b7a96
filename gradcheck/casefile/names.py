"""The names that an author may choose."""

import keyword
import re
import unicodedata

from gradcheck.casefile.errors import quoted

RESERVED_NAMES = frozenset(
    {"tf", "math", "np", "numpy"}
    | {
        "abs",
        "all",
        "any",
        "bool",
        "complex",
        "divmod",
        "enumerate",
        "float",
        "int",
        "len",
        "list",
        "map",
        "max",
        "min",
    }
    | {"pow", "print", "range", "reversed", "round", "slice", "sorted", "sum", "tuple", "zip"}
)
"""Names that mean something else in an expression."""

CASE_NAME = re.compile(r"[\w.-]+")


def input_name_problem(name: str) -> str | None:
    """Why an input cannot be called `name`, or None if it can."""
    if not name.isidentifier():
        return f"{quoted(name)} is not a name: an input is called by letters, digits and `_`"
    if keyword.iskeyword(name):
        return f"{quoted(name)} is a keyword of Python"
    if name in RESERVED_NAMES:
        return f"{quoted(name)} means something else in an expression"
    if name.startswith("__"):
        return f"{quoted(name)} begins with two underscores"
    if unicodedata.normalize("NFKC", name) != name:
        return f"Python reads {quoted(name)} as {quoted(unicodedata.normalize('NFKC', name))}"
    return None


def case_name_problem(name: str) -> str | None:
    """Why a case cannot be called `name`, or None if it can."""
    if CASE_NAME.fullmatch(name):
        return None
    return f"{quoted(name)} is not a name for a case: use letters, digits, `_`, `-` and `.`"
