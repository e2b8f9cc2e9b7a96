"""What goes wrong inside a user's engine, in its own words and with the user's file and line."""

import sysconfig
import traceback
from pathlib import Path

from gradcheck.engines import Failure
from gradcheck.program import Instruction
from gradcheck.subjects.arrays import Unusable

_OURS = Path(__file__).parents[1]
_INSTALLED = {Path(sysconfig.get_path(each)) for each in ("purelib", "platlib")}
_PYTHON = Path(sysconfig.get_path("stdlib"))


class Lacking(Exception):
    """The engine has no function for an operation, or none that takes these arguments."""


class Raised(Exception):
    """The engine raised: `__cause__` is what, and the message says during which step."""


def failure(error: BaseException) -> Failure:
    """What an exception that an engine or its adapter raised means for the case."""
    if isinstance(error, Lacking):
        return Failure("unsupported", str(error))
    if isinstance(error, Unusable):
        return Failure("error", str(error))
    if isinstance(error, Raised) and error.__cause__ is not None:
        return Failure("error", f"{error} raised {words(error.__cause__)}")
    return Failure("error", f"it raised {words(error)}")


def words(error: BaseException) -> str:
    """What ends the traceback of an exception, with the last place in the user's own code that it came through.

    Where it came through none, as in an engine that is installed, the last place in a package stands for it.
    """
    lines = traceback.format_exception_only(error)
    if isinstance(error, SyntaxError) and error.filename:  # the lines before the last quote the code
        return f"{lines[-1].strip()} ({Path(error.filename).name}:{error.lineno})"
    text = lines[0].strip().splitlines()[0]
    frames = [each for each in traceback.extract_tb(error.__traceback__) if _theirs(Path(each.filename))]
    frames = [each for each in frames if not _installed(Path(each.filename))] or frames
    return f"{text} ({Path(frames[-1].filename).name}:{frames[-1].lineno}, in {frames[-1].name})" if frames else text


def _theirs(path: Path) -> bool:
    python = _PYTHON in path.parents and not _installed(path)
    return path.is_file() and not python and _OURS not in path.parents


def _installed(path: Path) -> bool:
    return not _INSTALLED.isdisjoint(path.parents)


def called(instruction: Instruction) -> str:
    """An operation as findings name it: "`tf.matmul` (line 8)"."""
    line = f" (line {instruction.span.line})" if instruction.span else ""
    return f"`{instruction.op.name}`{line}"
