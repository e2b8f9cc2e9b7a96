"""What goes wrong inside a user's engine, in its own words and with the user's file and line."""

import traceback
from pathlib import Path

from gradcheck.engines import Failure
from gradcheck.program import Instruction
from gradcheck.subjects.arrays import Unusable

_OURS = Path(__file__).parents[1]


class Lacking(Exception):
    """The engine has no function for an operation, or none that takes these arguments."""


class Raised(Exception):
    """The engine raised: `__cause__` is what, and the message says during which step."""


def failure(error: Exception) -> Failure:
    """What an exception that an engine or its adapter raised means for the case."""
    if isinstance(error, Lacking):
        return Failure("unsupported", str(error))
    if isinstance(error, Unusable):
        return Failure("error", str(error))
    if isinstance(error, Raised) and error.__cause__ is not None:
        return Failure("error", f"{error} raised {words(error.__cause__)}")
    return Failure("error", f"it raised {words(error)}")


def words(error: BaseException) -> str:
    """The last line of an exception, with the last place outside gradcheck that it came through."""
    lines = [each for each in traceback.format_exception_only(error) if each.strip()]
    text = lines[-1].strip() if lines else type(error).__name__
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        path = Path(frame.filename)
        if _OURS not in path.parents and path.is_file():
            return f"{text} ({path.name}:{frame.lineno}, in {frame.name})"
    return text


def called(instruction: Instruction) -> str:
    """An operation as findings name it: "`tf.matmul` (line 8)"."""
    line = f" (line {instruction.span.line})" if instruction.span else ""
    return f"`{instruction.op.name}`{line}"
