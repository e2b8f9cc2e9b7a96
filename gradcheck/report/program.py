"""The program of a case, for reports that show it: results do not carry it along."""

from gradcheck.casefile.case import Case
from gradcheck.diagnostics import Refused
from gradcheck.program import Program


def program_of(case: Case) -> Program | None:
    """What the expression of `case` comes to; None for one that is skipped, or refused."""
    from gradcheck.language import lower  # loads the table of operations

    if case.skip is not None:
        return None
    try:
        return lower(case).program
    except Refused:
        return None
