"""Why a case fails, in a few lines: for reports that have a place for a message, not for a table."""

from collections.abc import Iterator

from gradcheck.report.table import disagreements, run_again
from gradcheck.verdict.record import Result


def brief(result: Result, *, engine: str = "", again: bool = True) -> str:
    """The verdict with what is at fault, the worst element, and with `again` a command that shows all of it.

    `engine` is what the command line calls the subject, if it does.
    """
    found = list(_found(result))
    wrong = [each.render() for each in result.diagnostics if each.severity == "error"]
    lines = [": ".join([str(result.verdict), *found[:1]]), *found[1:]] if found or not wrong else []
    lines += wrong
    if again:
        lines.append(f"run again: {run_again(result, engine)}")
    return "\n".join(lines)


def _found(result: Result) -> Iterator[str]:
    if result.diagnosis:
        yield result.diagnosis.sentence
    if result.note:
        yield result.note
    judged = result.diagnosis.judged if result.diagnosis else ()
    if worst := next(disagreements(result.comparisons, judged), None):
        yield worst.plain
    for name, failure in result.failures:
        yield f"{name}: {failure.message}"
        yield from (f"    {line}" for line in failure.details.splitlines())
    yield from (each.message for each in result.remarks if each.kind != "state")
