"""Results for programs that read while the run goes on: one JSON object a line, written when a case has been judged."""

import json

from gradcheck.report.json import VERSION, case_record
from gradcheck.verdict.record import Result


def line(result: Result) -> str:
    """One case as in the JSON report, with the version of the format: see `schema.Line`; no newline at its end."""
    return json.dumps({"version": VERSION, **case_record(result)}, allow_nan=False)
